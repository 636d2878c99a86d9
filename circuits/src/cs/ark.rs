//! The circuit as arkworks knows circuits.

use ark_ff::PrimeField;
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError,
    Variable as ArkVariable,
};

use super::r1cs::{Assignment, R1cs, SparseMatrix};

/// Hands canonical matrices and an assignment to arkworks, whose generator and checker serve as a
/// second opinion.
pub struct ArkCircuit<'a, F: PrimeField> {
    /// The matrices.
    pub r1cs: &'a R1cs<F>,
    /// The assignment.
    pub assignment: &'a Assignment<F>,
}

impl<F: PrimeField> ConstraintSynthesizer<F> for ArkCircuit<'_, F> {
    fn generate_constraints(self, cs: ConstraintSystemRef<F>) -> Result<(), SynthesisError> {
        let mut variables = vec![ArkVariable::One];
        for &value in &self.assignment.instance[1..] {
            variables.push(cs.new_input_variable(|| Ok(value))?);
        }
        for &value in &self.assignment.witness {
            variables.push(cs.new_witness_variable(|| Ok(value))?);
        }
        let lc = |matrix: &SparseMatrix, row: usize| {
            let terms = matrix.row(row).map(|(col, k)| (self.r1cs.coefficients[k], variables[col]));
            LinearCombination(terms.collect())
        };
        for row in 0..self.r1cs.constraints() {
            cs.enforce_r1cs_constraint(
                || lc(&self.r1cs.a, row),
                || lc(&self.r1cs.b, row),
                || lc(&self.r1cs.c, row),
            )?;
        }
        Ok(())
    }
}
