//! The constraint system all circuits are written on.
//!
//! A [`Lc`] is a linear combination of variables together with its value. Every [`Cs::enforce`] is
//! checked the moment it is written, so an unsatisfied witness names its rule, row and place. In
//! [`Mode::Shape`] the three matrices are recorded in canonical form (terms sorted by variable, no
//! zero, no duplicate); in [`Mode::Witness`] only values are computed and rows of a table may run
//! in parallel. Both modes execute the same code, so variables and constraints always come in the
//! same order.

use std::collections::BTreeMap;

use ark_ff::{BigInteger, PrimeField};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError,
    Variable as ArkVariable,
};
use rayon::prelude::*;
use thiserror::Error;
use zkmargin_protocol::Rule;

#[cfg(feature = "forgery")]
pub mod forgery;

/// What a constraint system records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Matrices, names and values.
    Shape,
    /// Values only.
    Witness,
}

/// A variable: the constant one, a public input or a witness.
///
/// Instances are numbered from 1 (0 is the constant one); witnesses carry the top bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variable(u32);

const WITNESS_BIT: u32 = 1 << 31;

impl Variable {
    /// The constant one.
    pub const ONE: Self = Self(0);

    fn instance(index: usize) -> Self {
        Self(u32::try_from(index).expect("fewer than 2^31 instances"))
    }

    fn witness(index: usize) -> Self {
        let index = u32::try_from(index).expect("fewer than 2^31 witnesses");
        assert!(index < WITNESS_BIT, "fewer than 2^31 witnesses");
        Self(index | WITNESS_BIT)
    }

    /// The witness number, or `None` for the constant and the instances.
    pub fn witness_index(self) -> Option<usize> {
        (self.0 & WITNESS_BIT != 0).then_some((self.0 & !WITNESS_BIT) as usize)
    }

    /// The column in an assignment `[1, instances…, witnesses…]` with `instances` entries before
    /// the witnesses.
    pub fn column(self, instances: usize) -> usize {
        self.witness_index().map_or(self.0 as usize, |w| instances + w)
    }
}

/// A linear combination of variables and its value.
#[derive(Clone, Debug)]
pub struct Lc<F: PrimeField> {
    /// Sorted by variable, coefficients non-zero; empty in [`Mode::Witness`].
    terms: Vec<(Variable, F)>,
    value: F,
}

impl<F: PrimeField> Lc<F> {
    /// The value under the current assignment.
    pub fn value(&self) -> F {
        self.value
    }

    /// The terms, sorted by variable (empty in witness mode).
    pub fn terms(&self) -> &[(Variable, F)] {
        &self.terms
    }

    fn merge(&self, other: &Self, scale: F) -> Self {
        let value = self.value + other.value * scale;
        if self.terms.is_empty() && other.terms.is_empty() {
            return Self { terms: Vec::new(), value };
        }
        let mut terms = Vec::with_capacity(self.terms.len() + other.terms.len());
        let (mut left, mut right) = (self.terms.iter().peekable(), other.terms.iter().peekable());
        loop {
            match (left.peek(), right.peek()) {
                (Some(&&(a, x)), Some(&&(b, y))) if a == b => {
                    let sum = x + y * scale;
                    if !sum.is_zero() {
                        terms.push((a, sum));
                    }
                    left.next();
                    right.next();
                }
                (Some(&&(a, x)), Some(&&(b, _))) if a < b => {
                    terms.push((a, x));
                    left.next();
                }
                (Some(&&(a, x)), None) => {
                    terms.push((a, x));
                    left.next();
                }
                (_, Some(&&(b, y))) => {
                    let scaled = y * scale;
                    if !scaled.is_zero() {
                        terms.push((b, scaled));
                    }
                    right.next();
                }
                (None, None) => return Self { terms, value },
            }
        }
    }

    /// `self + other`.
    pub fn plus(&self, other: &Self) -> Self {
        self.merge(other, F::ONE)
    }

    /// `self − other`.
    pub fn minus(&self, other: &Self) -> Self {
        self.merge(other, -F::ONE)
    }

    /// `self + scale·other`.
    pub fn plus_scaled(&self, other: &Self, scale: F) -> Self {
        self.merge(other, scale)
    }

    /// `scale·self`.
    pub fn scaled(&self, scale: F) -> Self {
        if scale.is_zero() {
            return Self { terms: Vec::new(), value: F::ZERO };
        }
        let terms = self.terms.iter().map(|&(v, x)| (v, x * scale)).collect();
        Self { terms, value: self.value * scale }
    }

    /// `−self`.
    pub fn negated(&self) -> Self {
        self.scaled(-F::ONE)
    }

    /// `Σ scale·lc` in one pass.
    pub fn sum<'a>(parts: impl IntoIterator<Item = (&'a Self, F)>) -> Self {
        let (mut terms, mut value) = (Vec::new(), F::ZERO);
        for (lc, scale) in parts {
            value += lc.value * scale;
            terms.extend(lc.terms.iter().map(|&(variable, x)| (variable, x * scale)));
        }
        // The sort is stable and linear where the parts come in order, as they mostly do.
        terms.sort_by_key(|&(variable, _)| variable);
        terms.dedup_by(|(next, x), (kept, sum)| {
            let same = next == kept;
            if same {
                *sum += *x;
            }
            same
        });
        terms.retain(|(_, x)| !x.is_zero());
        Self { terms, value }
    }
}

/// The place of a constraint: the rule it states, the gadget that wrote it, the table row it stands
/// in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// The rule of the statement, if the constraint was written under one.
    pub rule: Option<Rule>,
    /// What the gadget says of the constraint.
    pub what: &'static str,
    /// Table name and row, if any.
    pub row: Option<(&'static str, usize)>,
}

/// The first constraint that the witness does not satisfy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("constraint {index} is not satisfied: {label:?}")]
pub struct Unsatisfied {
    /// Constraint number.
    pub index: usize,
    /// Where it was written.
    pub label: Label,
}

/// What the circuit's author says of a witness variable; the auditor reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Chosen by the world: a statement field, an old leaf, a signature. Not derived from anything.
    External,
    /// Must be determined by the externals.
    Derived,
    /// Bound by the argument at a random point, not by algebra alone; listed in
    /// `docs/spec/argument.md`.
    Argued,
    /// Deliberately free when its guard is off (the inverse of zero); must reach no derived
    /// variable.
    FreeHint,
}

/// One sparse matrix in row-compressed form; coefficients are indices into a shared table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SparseMatrix {
    /// `offsets[k]..offsets[k+1]` are the entries of row `k`.
    pub offsets: Vec<usize>,
    /// Columns in `[1, instances…, witnesses…]`, increasing inside a row.
    pub columns: Vec<u32>,
    /// Indices into [`R1cs::coefficients`].
    pub coefficients: Vec<u32>,
}

impl SparseMatrix {
    /// Entries of a row as (column, coefficient index).
    pub fn row(&self, row: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        let range = self.offsets[row]..self.offsets[row + 1];
        range.map(|k| (self.columns[k] as usize, self.coefficients[k] as usize))
    }

    /// Number of entries.
    pub fn nonzeros(&self) -> usize {
        self.columns.len()
    }
}

/// A circuit in canonical form.
#[derive(Clone, Debug)]
pub struct R1cs<F: PrimeField> {
    /// Instance columns, the constant one included.
    pub instances: usize,
    /// Witness columns.
    pub witnesses: usize,
    /// Distinct coefficients, in order of first use.
    pub coefficients: Vec<F>,
    /// Left factor.
    pub a: SparseMatrix,
    /// Right factor.
    pub b: SparseMatrix,
    /// Product.
    pub c: SparseMatrix,
    /// Labels as (first constraint, label), increasing.
    pub labels: Vec<(usize, Label)>,
    /// Name and role of witnesses as (first witness, name, role), increasing.
    pub names: Vec<(usize, &'static str, Role)>,
}

impl<F: PrimeField> R1cs<F> {
    /// Number of constraints.
    pub fn constraints(&self) -> usize {
        self.a.offsets.len() - 1
    }

    /// Non-zero entries of the three matrices together.
    pub fn nonzeros(&self) -> usize {
        self.a.nonzeros() + self.b.nonzeros() + self.c.nonzeros()
    }

    /// The label of a constraint.
    pub fn label(&self, constraint: usize) -> Label {
        let at = self.labels.partition_point(|&(first, _)| first <= constraint);
        self.labels[at - 1].1
    }

    /// The name and role of a witness.
    pub fn name(&self, witness: usize) -> (&'static str, Role) {
        let at = self.names.partition_point(|&(first, _, _)| first <= witness);
        let (_, name, role) = self.names[at - 1];
        (name, role)
    }

    /// `row · assignment`, assignment `[1, instances…, witnesses…]`.
    pub fn product(&self, matrix: &SparseMatrix, row: usize, assignment: &[F]) -> F {
        matrix.row(row).map(|(col, k)| self.coefficients[k] * assignment[col]).sum()
    }

    /// The first constraint that `assignment` (`[1, instances…, witnesses…]`) does not satisfy.
    pub fn first_unsatisfied(&self, assignment: &[F]) -> Option<Unsatisfied> {
        (0..self.constraints())
            .into_par_iter()
            .find_first(|&k| {
                self.product(&self.a, k, assignment) * self.product(&self.b, k, assignment)
                    != self.product(&self.c, k, assignment)
            })
            .map(|index| Unsatisfied { index, label: self.label(index) })
    }

    /// BLAKE3 of the canonical matrices: sizes, then per matrix and row the number of entries,
    /// columns and coefficients, integers as little-endian `u64`, coefficients as canonical
    /// little-endian bytes.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"zkmargin r1cs 1");
        for size in [self.instances, self.witnesses, self.constraints()] {
            hasher.update(&(size as u64).to_le_bytes());
        }
        let coefficients: Vec<Vec<u8>> =
            self.coefficients.iter().map(|c| c.into_bigint().to_bytes_le()).collect();
        for matrix in [&self.a, &self.b, &self.c] {
            let mut bytes = Vec::new();
            for row in 0..self.constraints() {
                // Long inputs let the hash work on many blocks at a time.
                if bytes.len() > 1 << 16 {
                    hasher.update(&bytes);
                    bytes.clear();
                }
                let count = matrix.offsets[row + 1] - matrix.offsets[row];
                bytes.extend((count as u64).to_le_bytes());
                for (column, coefficient) in matrix.row(row) {
                    bytes.extend((column as u64).to_le_bytes());
                    bytes.extend(&coefficients[coefficient]);
                }
            }
            hasher.update(&bytes);
        }
        *hasher.finalize().as_bytes()
    }
}

/// Row-major recording while the number of instances is still open.
#[derive(Default)]
struct Rows {
    offsets: Vec<usize>,
    variables: Vec<Variable>,
    coefficients: Vec<u32>,
}

struct Recorder<F: PrimeField> {
    interned: BTreeMap<F::BigInt, u32>,
    coefficients: Vec<F>,
    rows: [Rows; 3],
    labels: Vec<(usize, Label)>,
    names: Vec<(usize, &'static str, Role)>,
    #[cfg(feature = "forgery")]
    notes: forgery::Notes<F>,
}

impl<F: PrimeField> Recorder<F> {
    fn new() -> Self {
        let rows = [Rows::default(), Rows::default(), Rows::default()];
        Self {
            interned: BTreeMap::new(),
            coefficients: Vec::new(),
            rows,
            labels: Vec::new(),
            names: Vec::new(),
            #[cfg(feature = "forgery")]
            notes: forgery::Notes::default(),
        }
    }

    fn intern(&mut self, coefficient: F) -> u32 {
        let next = u32::try_from(self.coefficients.len()).expect("fewer than 2^32 coefficients");
        let coefficients = &mut self.coefficients;
        *self.interned.entry(coefficient.into_bigint()).or_insert_with(|| {
            coefficients.push(coefficient);
            next
        })
    }

    fn record(&mut self, row: [&Lc<F>; 3]) {
        for (k, lc) in row.into_iter().enumerate() {
            let start = self.rows[k].variables.len();
            self.rows[k].offsets.push(start);
            for &(variable, coefficient) in &lc.terms {
                let coefficient = self.intern(coefficient);
                self.rows[k].variables.push(variable);
                self.rows[k].coefficients.push(coefficient);
            }
        }
    }
}

/// A constraint system under construction.
pub struct Cs<F: PrimeField> {
    instance: Vec<F>,
    witness: Vec<F>,
    constraints: usize,
    rule: Option<Rule>,
    row: Option<(&'static str, usize)>,
    unsatisfied: Option<Unsatisfied>,
    recorder: Option<Recorder<F>>,
    #[cfg(feature = "forgery")]
    prover: forgery::Prover<F>,
}

/// Public inputs and witness of a finished circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment<F> {
    /// `[1, public inputs…]`.
    pub instance: Vec<F>,
    /// Witness values.
    pub witness: Vec<F>,
}

impl<F: PrimeField> Assignment<F> {
    /// `[1, instances…, witnesses…]` in one vector.
    pub fn full(&self) -> Vec<F> {
        self.instance.iter().chain(&self.witness).copied().collect()
    }
}

impl<F: PrimeField> Cs<F> {
    /// An empty system.
    pub fn new(mode: Mode) -> Self {
        Self {
            instance: vec![F::ONE],
            witness: Vec::new(),
            constraints: 0,
            rule: None,
            row: None,
            unsatisfied: None,
            recorder: (mode == Mode::Shape).then(Recorder::new),
            #[cfg(feature = "forgery")]
            prover: forgery::Prover::default(),
        }
    }

    fn lc(&self, variable: Variable, value: F) -> Lc<F> {
        let terms = if self.recorder.is_some() { vec![(variable, F::ONE)] } else { Vec::new() };
        Lc { terms, value }
    }

    /// The constant `value`.
    pub fn constant(&self, value: F) -> Lc<F> {
        self.lc(Variable::ONE, F::ONE).scaled(value)
    }

    /// The constant one.
    pub fn one(&self) -> Lc<F> {
        self.constant(F::ONE)
    }

    /// The empty combination.
    pub fn zero(&self) -> Lc<F> {
        Lc { terms: Vec::new(), value: F::ZERO }
    }

    /// A combination whose value the caller has computed already. The parts are made in shape mode
    /// only, where the value is that of the parts.
    pub fn combination<'a, I: IntoIterator<Item = (&'a Lc<F>, F)>>(
        &self,
        value: F,
        parts: impl FnOnce() -> I,
    ) -> Lc<F> {
        if self.recorder.is_some() { Lc::sum(parts()) } else { Lc { terms: Vec::new(), value } }
    }

    /// A new public input.
    pub fn public_input(&mut self, value: F) -> Lc<F> {
        let variable = Variable::instance(self.instance.len());
        self.instance.push(value);
        self.lc(variable, value)
    }

    fn allocate(&mut self, name: &'static str, role: Role, value: F) -> Lc<F> {
        #[cfg(feature = "forgery")]
        let value = value + self.lied(name);
        let index = self.witness.len();
        self.witness.push(value);
        #[cfg(feature = "forgery")]
        self.note_place(index);
        if let Some(recorder) = &mut self.recorder
            && recorder.names.last().is_none_or(|&(_, n, r)| (n, r) != (name, role))
        {
            recorder.names.push((index, name, role));
        }
        self.lc(Variable::witness(index), value)
    }

    /// A new witness which the constraints must determine.
    pub fn witness(&mut self, name: &'static str, value: F) -> Lc<F> {
        self.allocate(name, Role::Derived, value)
    }

    /// A new witness which comes from outside: nothing has to determine it.
    pub fn external(&mut self, name: &'static str, value: F) -> Lc<F> {
        self.allocate(name, Role::External, value)
    }

    /// A new witness which only the argument's identities bind; it must be absorbed before they are
    /// squeezed.
    pub fn argued(&mut self, name: &'static str, value: F) -> Lc<F> {
        self.allocate(name, Role::Argued, value)
    }

    /// A new witness which may be free while its guard is off; listed by name in the audit.
    pub fn free_hint(&mut self, name: &'static str, value: F) -> Lc<F> {
        self.allocate(name, Role::FreeHint, value)
    }

    /// Enforces `a · b = c`. `what` says it in words.
    pub fn enforce(&mut self, what: &'static str, a: &Lc<F>, b: &Lc<F>, c: &Lc<F>) {
        let label = Label { rule: self.rule, what, row: self.row };
        if a.value * b.value != c.value && self.unsatisfied.is_none() {
            self.unsatisfied = Some(Unsatisfied { index: self.constraints, label });
        }
        if let Some(recorder) = &mut self.recorder {
            if recorder.labels.last().is_none_or(|(_, last)| *last != label) {
                recorder.labels.push((self.constraints, label));
            }
            recorder.record([a, b, c]);
        }
        self.constraints += 1;
    }

    /// Enforces `a = b`.
    pub fn enforce_equal(&mut self, what: &'static str, a: &Lc<F>, b: &Lc<F>) {
        let (one, zero) = (self.one(), self.zero());
        self.enforce(what, &a.minus(b), &one, &zero);
    }

    /// Enforces `a = 0`.
    pub fn enforce_zero(&mut self, what: &'static str, a: &Lc<F>) {
        let (one, zero) = (self.one(), self.zero());
        self.enforce(what, a, &one, &zero);
    }

    /// `a · b` as a new witness.
    pub fn product(&mut self, what: &'static str, a: &Lc<F>, b: &Lc<F>) -> Lc<F> {
        let c = self.witness(what, a.value * b.value);
        self.enforce(what, a, b, &c);
        c
    }

    /// Runs `body` with its constraints labelled by `rule`; an outer rule stays in force.
    pub fn under<T>(&mut self, rule: Rule, body: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.rule;
        self.rule = outer.or(Some(rule));
        let result = body(self);
        self.rule = outer;
        result
    }

    /// Runs `body` once for each input as a row of `table`; in witness mode in parallel.
    ///
    /// Rows must not depend on each other, and each must write the same number of constraints and
    /// witnesses.
    pub fn rows<I: Sync, T: Send>(
        &mut self,
        table: &'static str,
        inputs: &[I],
        body: impl Fn(&mut Self, usize, &I) -> T + Sync,
    ) -> Vec<T> {
        if self.recorder.is_some() {
            let outer = self.row;
            let run = |(k, input): (usize, &I)| {
                self.row = Some((table, k));
                body(self, k, input)
            };
            let results = inputs.iter().enumerate().map(run).collect();
            self.row = outer;
            return results;
        }
        let run = |(k, input): (usize, &I)| {
            let mut child = Self::new(Mode::Witness);
            child.rule = self.rule;
            child.row = Some((table, k));
            #[cfg(feature = "forgery")]
            child.prover.clone_from(&self.prover);
            let result = body(&mut child, k, input);
            assert_eq!(child.instance.len(), 1, "a table row allocates no public input");
            (child, result)
        };
        let children: Vec<_> = inputs.par_iter().enumerate().map(run).collect();
        children
            .into_iter()
            .map(|(child, result)| {
                self.adopt(child);
                result
            })
            .collect()
    }

    fn adopt(&mut self, child: Self) {
        if let Some(failure) = child.unsatisfied
            && self.unsatisfied.is_none()
        {
            self.unsatisfied =
                Some(Unsatisfied { index: self.constraints + failure.index, ..failure });
        }
        #[cfg(feature = "forgery")]
        self.prover.adopt(&child.prover, child.row);
        self.witness.extend(child.witness);
        self.constraints += child.constraints;
    }

    /// What the transcript absorbs under `name`: the wire.
    #[cfg(not(feature = "forgery"))]
    pub fn absorbed(&mut self, _: &'static str, wire: &Lc<F>) -> Lc<F> {
        wire.clone()
    }

    /// Says what a round of the transcript absorbs; nothing but tests listens.
    #[cfg(not(feature = "forgery"))]
    pub fn note_round(&mut self, _: &[Lc<F>]) {}

    /// Says that `lc` is shown to lie in `0..2^bits`; nothing but tests listens.
    #[cfg(not(feature = "forgery"))]
    pub fn note_range(&mut self, _: &'static str, _: &Lc<F>, _: u32) {}

    /// Says that some combinations fix others; nothing but tests listens.
    #[cfg(not(feature = "forgery"))]
    pub fn note_determined(&mut self, _: &[&Lc<F>], _: &[&Lc<F>]) {}

    /// Whether the tests have planted the fault called so. Never outside of them.
    #[cfg(not(feature = "forgery"))]
    pub fn is_planted(&self, _: &'static str) -> bool {
        false
    }

    /// Number of constraints so far.
    pub fn constraints(&self) -> usize {
        self.constraints
    }

    /// Number of witnesses so far.
    pub fn witnesses(&self) -> usize {
        self.witness.len()
    }

    /// The first constraint that does not hold.
    pub fn unsatisfied(&self) -> Option<Unsatisfied> {
        self.unsatisfied
    }

    /// The assignment, and the canonical matrices if they were recorded.
    pub fn finish(self) -> (Assignment<F>, Option<R1cs<F>>) {
        let instances = self.instance.len();
        let witnesses = self.witness.len();
        let r1cs = self.recorder.map(|recorder| {
            let [a, b, c] = recorder.rows.map(|rows| {
                let columns = rows.variables.iter().map(|v| v.column(instances) as u32).collect();
                let mut offsets = rows.offsets;
                offsets.push(rows.variables.len());
                SparseMatrix { offsets, columns, coefficients: rows.coefficients }
            });
            R1cs {
                instances,
                witnesses,
                coefficients: recorder.coefficients,
                a,
                b,
                c,
                labels: recorder.labels,
                names: recorder.names,
            }
        });
        (Assignment { instance: self.instance, witness: self.witness }, r1cs)
    }
}

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
