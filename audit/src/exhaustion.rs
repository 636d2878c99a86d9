//! Exhaustion over a small field: every assignment of the derived variables for every input.
//!
//! Determinacy cannot see a discrete second answer (the bits of x + p, the other root, a remainder
//! too large). A gadget that is generic in its field shows them over a tiny one. Rows with one
//! unknown are solved, a root of two is tried both ways, and where nothing is left to solve a
//! variable runs through the whole field.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use ark_ff::PrimeField;
use rayon::prelude::*;
use zkmargin_circuits::cs::R1cs;

use crate::jacobian::Kind;
use crate::{AuditError, Split};

/// The largest field whose elements are enumerated.
pub const FIELD_CAP: u64 = 1 << 17;

/// Values an input column runs through; a column that is missing runs through the whole field.
pub type Domains<F> = BTreeMap<usize, Vec<F>>;

/// What to search.
#[derive(Clone, Copy)]
pub struct Search<'a, F: PrimeField> {
    /// The circuit.
    pub r1cs: &'a R1cs<F>,
    /// Inputs and derived columns.
    pub split: &'a Split<'a>,
    /// Domains of the inputs.
    pub domains: &'a Domains<F>,
    /// Most nodes of the search tree, all inputs together.
    pub budget: u64,
}

/// Two assignments with the same inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondAnswer<F> {
    /// The first found.
    pub first: Vec<F>,
    /// Another.
    pub other: Vec<F>,
    /// Derived columns in which they differ.
    pub columns: Vec<usize>,
}

/// What the search found.
#[derive(Clone, Debug)]
pub struct Found<F> {
    /// Inputs tried.
    pub inputs: u64,
    /// One satisfying assignment for each input that has any, in the order of inputs.
    pub answers: Vec<Vec<F>>,
    /// Inputs with more than one answer.
    pub second: Vec<SecondAnswer<F>>,
    /// Nodes visited.
    pub steps: u64,
}

/// All columns of the witnesses with this name.
pub fn columns_named<F: PrimeField>(r1cs: &R1cs<F>, name: &str) -> Vec<usize> {
    let named = (0..r1cs.witnesses).filter(|&witness| r1cs.name(witness).0 == name);
    named.map(|witness| r1cs.instances + witness).collect()
}

/// The field's elements, zero first.
pub fn elements<F: PrimeField>() -> Result<Vec<F>, AuditError> {
    let limbs = F::MODULUS;
    let (low, high) = limbs.as_ref().split_first().expect("a modulus has limbs");
    if *low > FIELD_CAP || high.iter().any(|&limb| limb != 0) {
        return Err(AuditError::FieldTooLarge { cap: FIELD_CAP });
    }
    Ok((0..*low).map(F::from).collect())
}

/// Runs the search over all inputs, in parallel.
pub fn run<F: PrimeField>(search: &Search<'_, F>) -> Result<Found<F>, AuditError> {
    let kinds = search.split.kinds(search.r1cs)?;
    let field = elements()?;
    let inputs: Vec<(usize, &[F])> = (1..kinds.len())
        .filter(|&column| matches!(kinds[column], Kind::Input | Kind::Claim))
        .map(|column| (column, search.domains.get(&column).map_or(&field[..], |d| &d[..])))
        .collect();
    let over = AuditError::Budget { budget: search.budget };
    let count = inputs.iter().try_fold(1u64, |product, (_, d)| product.checked_mul(d.len() as u64));
    let count = count.filter(|&count| count <= search.budget).ok_or(over)?;
    let table = Table::new(search.r1cs, &kinds);
    let steps = AtomicU64::new(0);
    let results: Vec<_> = (0..count)
        .into_par_iter()
        .map(|index| {
            let mut solver = Solver {
                table: &table,
                field: &field,
                steps: &steps,
                budget: search.budget,
                values: vec![None; kinds.len()],
                trail: Vec::new(),
                first: None,
                second: None,
            };
            solver.values[0] = Some(F::ONE);
            let mut rest = index;
            for &(column, domain) in &inputs {
                solver.values[column] = Some(domain[(rest % domain.len() as u64) as usize]);
                rest /= domain.len() as u64;
            }
            solver.visit((0..table.rows.len() as u32).collect())?;
            Ok((solver.first, solver.second))
        })
        .collect::<Result<_, AuditError>>()?;
    let steps = steps.into_inner();
    let mut found = Found { inputs: count, answers: Vec::new(), second: Vec::new(), steps };
    for (first, second) in results {
        found.answers.extend(first);
        found.second.extend(second);
    }
    Ok(found)
}

/// The circuit as the solver reads it.
struct Table<'a, F> {
    rows: Vec<[Vec<(usize, F)>; 3]>,
    rows_of: Vec<Vec<u32>>,
    kinds: &'a [Kind],
}

impl<'a, F: PrimeField> Table<'a, F> {
    fn new(r1cs: &R1cs<F>, kinds: &'a [Kind]) -> Self {
        let mut rows_of = vec![Vec::new(); kinds.len()];
        let mut rows = Vec::with_capacity(r1cs.constraints());
        for row in 0..r1cs.constraints() {
            let sides = [&r1cs.a, &r1cs.b, &r1cs.c].map(|matrix| -> Vec<(usize, F)> {
                matrix.row(row).map(|(column, k)| (column, r1cs.coefficients[k])).collect()
            });
            for &(column, _) in sides.iter().flatten() {
                let list: &mut Vec<u32> = &mut rows_of[column];
                if list.last() != Some(&(row as u32)) {
                    list.push(row as u32);
                }
            }
            rows.push(sides);
        }
        Self { rows, rows_of, kinds }
    }
}

/// What a row says given the values known so far.
enum Reading<F> {
    Holds,
    Contradiction,
    Value(usize, F),
    Either(usize, [F; 2]),
    Open { column: usize, unknowns: usize },
}

struct Solver<'a, F: PrimeField> {
    table: &'a Table<'a, F>,
    field: &'a [F],
    steps: &'a AtomicU64,
    budget: u64,
    values: Vec<Option<F>>,
    trail: Vec<usize>,
    first: Option<Vec<F>>,
    second: Option<SecondAnswer<F>>,
}

impl<F: PrimeField> Solver<'_, F> {
    fn visit(&mut self, due: Vec<u32>) -> Result<(), AuditError> {
        if self.steps.fetch_add(1, Ordering::Relaxed) >= self.budget {
            return Err(AuditError::Budget { budget: self.budget });
        }
        let mark = self.trail.len();
        if self.propagate(due) {
            match self.branch() {
                None => self.answer(),
                Some((column, choices)) => {
                    for value in choices {
                        self.assign(column, value);
                        self.visit(self.table.rows_of[column].clone())?;
                        self.trail.pop();
                        self.values[column] = None;
                        if self.second.is_some() {
                            break;
                        }
                    }
                }
            }
        }
        for column in self.trail.drain(mark..) {
            self.values[column] = None;
        }
        Ok(())
    }

    fn assign(&mut self, column: usize, value: F) {
        self.values[column] = Some(value);
        self.trail.push(column);
    }

    /// Solves rows with one unknown until none is left; false on a contradiction.
    fn propagate(&mut self, mut due: Vec<u32>) -> bool {
        while let Some(row) = due.pop() {
            match self.read(row as usize) {
                Reading::Contradiction => return false,
                Reading::Value(column, value) => {
                    self.assign(column, value);
                    due.extend(&self.table.rows_of[column]);
                }
                _ => {}
            }
        }
        true
    }

    /// A variable to try and its values: one with two roots if there is any, else one of the
    /// shortest open row.
    fn branch(&self) -> Option<(usize, Vec<F>)> {
        let mut best: Option<(usize, usize)> = None;
        for row in 0..self.table.rows.len() {
            match self.read(row) {
                Reading::Either(column, roots) => return Some((column, roots.to_vec())),
                Reading::Open { column, unknowns } if best.is_none_or(|b| unknowns < b.0) => {
                    best = Some((unknowns, column));
                }
                _ => {}
            }
        }
        best.map(|(_, column)| (column, self.field.to_vec()))
    }

    fn read(&self, row: usize) -> Reading<F> {
        let mut known = [F::ZERO; 3];
        let mut unknown: [Vec<(usize, F)>; 3] = Default::default();
        for (side, terms) in self.table.rows[row].iter().enumerate() {
            for &(column, coefficient) in terms {
                match self.values[column] {
                    Some(value) => known[side] += coefficient * value,
                    None => unknown[side].push((column, coefficient)),
                }
            }
        }
        let [a, b, c] = known;
        let [left, right, product] = &unknown;
        // By column: coefficients in A, B, C.
        let mut terms = BTreeMap::<usize, [F; 3]>::new();
        for (side, list) in unknown.iter().enumerate() {
            for &(column, coefficient) in list {
                terms.entry(column).or_insert([F::ZERO; 3])[side] += coefficient;
            }
        }
        let constant = a * b - c;
        if left.is_empty() || right.is_empty() {
            let linear = |k: &[F; 3]| k[0] * b + k[1] * a - k[2];
            terms.retain(|_, k| !linear(k).is_zero());
            return match (terms.len(), terms.first_key_value()) {
                (0, _) if constant.is_zero() => Reading::Holds,
                (1, Some((&column, k))) => Reading::Value(column, -constant / linear(k)),
                (unknowns, Some((&column, _))) => Reading::Open { column, unknowns },
                _ => Reading::Contradiction,
            };
        }
        let (&column, k) = terms.first_key_value().expect("a factor has an unknown");
        if terms.len() > 1 || (product.len() == 1 && product[0].0 != column) {
            return Reading::Open { column, unknowns: terms.len() };
        }
        match roots(k[0] * k[1], k[0] * b + k[1] * a - k[2], constant) {
            Roots::All => Reading::Holds,
            Roots::None => Reading::Contradiction,
            Roots::One(x) => Reading::Value(column, x),
            Roots::Two(pair) => Reading::Either(column, pair),
        }
    }

    /// Every row holds whatever the unassigned columns are.
    fn answer(&mut self) {
        let values = || self.values.iter().map(|value| value.unwrap_or(F::ZERO));
        let assignment: Vec<F> = values().collect();
        let derived = |column: &usize| self.table.kinds[*column] == Kind::Derived;
        if let Some(first) = &self.first {
            let differs = |column: &usize| first[*column] != assignment[*column];
            let columns: Vec<usize> =
                (0..assignment.len()).filter(derived).filter(differs).collect();
            if !columns.is_empty() {
                let first = first.clone();
                self.second = Some(SecondAnswer { first, other: assignment, columns });
            }
            return;
        }
        let open = |column: &usize| self.values[*column].is_none();
        let columns: Vec<usize> = (0..assignment.len()).filter(derived).filter(open).collect();
        if !columns.is_empty() {
            let mut other = assignment.clone();
            columns.iter().for_each(|&column| other[column] += F::ONE);
            self.second = Some(SecondAnswer { first: assignment.clone(), other, columns });
        }
        self.first = Some(assignment);
    }
}

/// Solutions of `x²·square + x·linear + constant = 0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Roots<F> {
    None,
    One(F),
    Two([F; 2]),
    All,
}

fn roots<F: PrimeField>(square: F, linear: F, constant: F) -> Roots<F> {
    if square.is_zero() {
        return match (linear.is_zero(), constant.is_zero()) {
            (true, true) => Roots::All,
            (true, false) => Roots::None,
            (false, _) => Roots::One(-constant / linear),
        };
    }
    let discriminant = linear.square() - (square * constant).double().double();
    let Some(root) = discriminant.sqrt() else { return Roots::None };
    let half = F::ONE / square.double();
    if root.is_zero() {
        return Roots::One(-linear * half);
    }
    Roots::Two([(root - linear) * half, (-root - linear) * half])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiny::{F17, F127, F257, F65521};

    fn check<F: PrimeField>(coefficients: impl Iterator<Item = [F; 3]>) {
        let field: Vec<F> = elements().unwrap();
        for [square, linear, constant] in coefficients {
            let holds = |x: &&F| (square * **x * **x + linear * **x + constant).is_zero();
            let mut expected: Vec<F> = field.iter().filter(holds).copied().collect();
            let mut found = match roots(square, linear, constant) {
                Roots::None => vec![],
                Roots::One(x) => vec![x],
                Roots::Two(pair) => pair.to_vec(),
                Roots::All => field.clone(),
            };
            found.sort();
            expected.sort();
            assert_eq!(found, expected);
        }
    }

    fn all<F: PrimeField>() -> impl Iterator<Item = [F; 3]> {
        let n = elements::<F>().unwrap().len() as u64;
        (0..n * n * n).map(move |k| [k % n, k / n % n, k / n / n].map(F::from))
    }

    #[test]
    fn roots_agree_with_trying_every_element() {
        check::<F17>(all());
        check::<F127>(all().step_by(61));
        check::<F257>(all().step_by(20_011));
        check::<F65521>((0..40u64).map(|k| [k, k * k + 3, 7 * k + 1].map(F65521::from)));
    }

    #[test]
    fn tiny_fields_are_the_primes_they_say() {
        assert_eq!(elements::<F17>().unwrap().len(), 17);
        assert_eq!(elements::<F127>().unwrap().len(), 127);
        assert_eq!(elements::<F257>().unwrap().len(), 257);
        assert_eq!(elements::<F65521>().unwrap().len(), 65521);
    }

    #[test]
    fn rejects_a_field_too_large_to_enumerate() {
        let refused = elements::<ark_bn254::Fr>();
        assert_eq!(refused.unwrap_err(), AuditError::FieldTooLarge { cap: FIELD_CAP });
    }
}
