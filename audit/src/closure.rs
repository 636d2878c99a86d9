//! What a transcript fixes. Spec: `docs/spec/batch/audit.md#Closure`.
//!
//! From the elements absorbed before the first challenge, everything is derived that can have one
//! value only: values of linear equations, bits and ranged parts of a packed sum, inputs of a hash.
//! Then the constraints that come after the challenge are walked once, forward. Whatever an
//! identity depends on and the walk does not reach could be chosen after the point.

use std::collections::{BTreeMap, BTreeSet};

use ark_ff::{BigInteger, PrimeField};
use zkmargin_circuits::cs::{R1cs, SparseMatrix};

/// A linear combination by column of `[1, public inputs…, witnesses…]`.
pub type Linear<F> = BTreeMap<usize, F>;

/// Combinations which together fix others: the output of a hash its inputs, dividend and divisor a
/// quotient.
#[derive(Clone, Debug)]
pub struct Determined<F> {
    /// What fixes.
    pub causes: Vec<Linear<F>>,
    /// What is fixed.
    pub effects: Vec<Linear<F>>,
}

/// What a circuit says of itself beside its matrices.
#[derive(Clone, Debug, Default)]
pub struct Facts<F> {
    /// Combinations shown to lie in `0..2^bits`.
    pub ranges: Vec<(Linear<F>, u32)>,
    /// What fixes what.
    pub determined: Vec<Determined<F>>,
    /// Rounds of the transcript: constraints before the elements, and the elements.
    pub rounds: Vec<(usize, Vec<Linear<F>>)>,
}

/// A constraint after the first challenge which depends on what is not fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Free {
    /// The constraint.
    pub constraint: usize,
    /// Columns from before the challenge that are not fixed and that it depends on.
    pub columns: BTreeSet<usize>,
}

/// A circuit with a transcript, made ready for any number of assignments.
pub struct Transcript<'a, F: PrimeField> {
    r1cs: &'a R1cs<F>,
    facts: &'a Facts<F>,
    /// Constraints before the first round.
    first: usize,
    /// Column `k` lies in `0..2^bits`; behind the columns the virtual ones, which are bits.
    bits: Vec<Option<u32>>,
    /// What each virtual column stands for.
    virtual_bits: Vec<Linear<F>>,
    /// Ranges by column.
    ranges_of: BTreeMap<usize, Vec<usize>>,
}

/// What is known of the columns of one assignment.
struct Closure<'a, F: PrimeField> {
    transcript: &'a Transcript<'a, F>,
    r1cs: &'a R1cs<F>,
    facts: &'a Facts<F>,
    bits: &'a [Option<u32>],
    values: Vec<F>,
    known: Vec<bool>,
    /// A column that is a combination of earlier ones once some factor is known.
    definitions: BTreeMap<usize, Linear<F>>,
    /// Equations `combination = its value`.
    equations: Vec<Linear<F>>,
}

impl<'a, F: PrimeField> Transcript<'a, F> {
    /// Reads the ranges of a circuit's columns.
    ///
    /// # Panics
    /// If the facts name no round.
    pub fn new(r1cs: &'a R1cs<F>, facts: &'a Facts<F>) -> Self {
        let (first, _) = *facts.rounds.first().expect("a transcript has a round");
        let mut ranges_of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (k, (range, _)) in facts.ranges.iter().enumerate() {
            range.keys().for_each(|&column| ranges_of.entry(column).or_default().push(k));
        }
        let bits = vec![None; r1cs.instances + r1cs.witnesses];
        let virtual_bits = Vec::new();
        let mut transcript = Self { r1cs, facts, first, bits, virtual_bits, ranges_of };
        transcript.find_bits();
        transcript.find_widths();
        transcript
    }

    /// The elements of the first round, if the last challenges depend on them: each later round has
    /// to absorb what fixes the round before.
    fn fixed(&self) -> Vec<Linear<F>> {
        let is_linked = self.facts.rounds.windows(2).all(|pair| {
            let [(_, before), (_, after)] = pair else { unreachable!("windows of two") };
            let mut links = self.facts.determined.iter().filter(|link| link.effects == *before);
            links.any(|link| link.causes.iter().all(|cause| after.contains(cause)))
        });
        let (_, elements) = &self.facts.rounds[0];
        if is_linked { elements.clone() } else { Vec::new() }
    }

    /// Every constraint after the first round that depends on what the absorbed elements and the
    /// challenges do not fix at this assignment.
    ///
    /// - Precondition: the assignment satisfies the circuit, and the facts are true.
    /// - What it shows: with no constraint returned, two assignments that absorb the same elements
    ///   agree in every numerator and key of the identities, however many columns differ, unless a
    ///   hash collides or a key equals the point. Fractions over what is not fixed are allowed
    ///   where a zero that is fixed multiplies them.
    pub fn free(&self, assignment: &[F]) -> Vec<Free> {
        let mut closure = Closure::new(self, assignment);
        closure.run();
        closure.walk()
    }

    fn row(&self, matrix: &SparseMatrix, row: usize) -> Linear<F> {
        matrix.row(row).map(|(column, k)| (column, self.r1cs.coefficients[k])).collect()
    }

    fn rows(&self, k: usize) -> [Linear<F>; 3] {
        [&self.r1cs.a, &self.r1cs.b, &self.r1cs.c].map(|matrix| self.row(matrix, k))
    }

    /// Constraints `x·(x − 1) = 0`: of a column, which then is a bit, or of a combination, for
    /// which a virtual column stands.
    fn find_bits(&mut self) {
        for k in 0..self.first {
            if self.r1cs.c.row(k).next().is_some() {
                continue;
            }
            let [a, b, _] = self.rows(k);
            let mut less = a.clone();
            add(&mut less, &Linear::from([(0, F::ONE)]), -F::ONE);
            if less != b {
                continue;
            }
            let columns: Vec<_> = a.keys().copied().filter(|&column| column != 0).collect();
            if let [column] = columns[..] {
                if a == Linear::from([(column, F::ONE)]) {
                    self.bits[column] = Some(1);
                }
            } else if columns.len() > 1 {
                self.bits.push(Some(1));
                self.virtual_bits.push(a);
            }
        }
    }

    /// Widths of columns that follow from ranges of combinations, and of products with a bit.
    fn find_widths(&mut self) {
        loop {
            let mut is_changed = false;
            for (range, bits) in &self.facts.ranges {
                is_changed |= self.widen(range, *bits);
            }
            for k in 0..self.first {
                let mut c = self.r1cs.c.row(k);
                let (Some((column, _)), None) = (c.next(), c.next()) else { continue };
                if self.bits[column].is_some() {
                    continue;
                }
                let [a, b, _] = self.rows(k);
                let width = match [&a, &b].map(|factor| self.is_bit(factor)) {
                    [true, _] => self.width(&b),
                    [_, true] => self.width(&a),
                    _ => None,
                };
                is_changed |= width.is_some();
                self.bits[column] = width;
            }
            if !is_changed {
                return;
            }
        }
    }

    /// Whether a combination is a bit or its complement.
    fn is_bit(&self, combination: &Linear<F>) -> bool {
        let columns: Vec<_> = combination.keys().copied().filter(|&column| column != 0).collect();
        let [column] = columns[..] else { return false };
        let bit = Linear::from([(column, F::ONE)]);
        let complement = Linear::from([(0, F::ONE), (column, -F::ONE)]);
        self.bits[column] == Some(1) && (*combination == bit || *combination == complement)
    }

    /// The width of a combination of ranged columns with positive coefficients.
    fn width(&self, combination: &Linear<F>) -> Option<u32> {
        let mut most = F::BigInt::from(0u64);
        for (&column, coefficient) in combination {
            let bits = if column == 0 { 0 } else { self.bits[column]? };
            let size = coefficient.into_bigint();
            if size.num_bits() + bits > F::MODULUS_BIT_SIZE - 2 {
                return None;
            }
            let part = if bits == 0 { size } else { maximum(size, bits) };
            most.add_with_carry(&part);
        }
        (most.num_bits() < F::MODULUS_BIT_SIZE - 1).then_some(most.num_bits())
    }

    /// `column − others` lies in a range: the column in that of the sum.
    fn widen(&mut self, range: &Linear<F>, bits: u32) -> bool {
        let unknown = range.keys().filter(|&&column| column != 0 && self.bits[column].is_none());
        let unknown: Vec<_> = unknown.copied().collect();
        let [column] = unknown[..] else { return false };
        if range[&column] != F::ONE {
            return false;
        }
        let others = range.iter().filter(|&(&other, _)| other != column);
        let others: Linear<F> = others.map(|(&other, &x)| (other, -x)).collect();
        let Some(width) = self.width(&others) else { return false };
        self.bits[column] = Some(if others.is_empty() { bits } else { width.max(bits) + 1 });
        true
    }
}

impl<'a, F: PrimeField> Closure<'a, F> {
    fn new(transcript: &'a Transcript<'a, F>, assignment: &[F]) -> Self {
        let Transcript { r1cs, facts, bits, virtual_bits, .. } = transcript;
        let mut values = assignment.to_vec();
        let mut equations = transcript.fixed();
        for combination in virtual_bits {
            let mut equation = combination.clone();
            equation.insert(values.len(), -F::ONE);
            equations.push(equation);
            values.push(evaluate(combination, &values));
        }
        let mut known = vec![false; values.len()];
        // Public inputs are chosen like everything else: the transcript has to absorb them.
        known[0] = true;
        let definitions = BTreeMap::new();
        Self { transcript, r1cs, facts, bits, values, known, definitions, equations }
    }

    /// Derives what can be derived from the elements of the first round and the constraints before.
    fn run(&mut self) {
        let mut open: Vec<usize> = (0..self.transcript.first).collect();
        let mut hashes: Vec<usize> = (0..self.facts.determined.len()).collect();
        loop {
            let before = self.progress();
            hashes.retain(|&k| {
                let Determined { causes, effects } = &self.facts.determined[k];
                // A sum may be known before its parts are.
                let is_fixed = |lc| self.open(lc).is_empty() || self.equations.contains(lc);
                let is_known = causes.iter().all(is_fixed);
                if is_known {
                    self.equations.extend(effects.iter().cloned());
                }
                !is_known
            });
            for equation in std::mem::take(&mut self.equations) {
                if !self.solve(equation.clone()) {
                    self.equations.push(equation);
                }
            }
            open.retain(|&k| !self.propagate(k));
            if self.progress() == before {
                return;
            }
        }
    }

    fn progress(&self) -> (usize, usize, usize) {
        let known = self.known.iter().filter(|&&known| known).count();
        (known, self.definitions.len(), self.equations.len())
    }

    fn is_known(&self, combination: &Linear<F>) -> bool {
        combination.keys().all(|&column| self.known[column])
    }

    /// The part of a combination that is not known yet.
    fn unknown(&self, combination: &Linear<F>) -> Linear<F> {
        let terms = combination.iter().filter(|&(&column, _)| !self.known[column]);
        terms.map(|(&column, &x)| (column, x)).collect()
    }

    /// Uses a constraint whose product is known to be linear; whether nothing in it is left to
    /// find.
    fn propagate(&mut self, k: usize) -> bool {
        let is_open = |matrix: &SparseMatrix| matrix.row(k).any(|(column, _)| !self.known[column]);
        match [&self.r1cs.a, &self.r1cs.b, &self.r1cs.c].map(is_open) {
            [false, false, false] => true,
            [true, true, true] => false,
            [true, true, false] => self.find_factor(k),
            [is_open, _, _] => {
                let [a, b, c] = self.transcript.rows(k);
                let (factor, open) = if is_open { (b, a) } else { (a, b) };
                let factor = evaluate(&factor, &self.values);
                let mut equation = self.unknown(&open);
                equation.values_mut().for_each(|x| *x *= factor);
                equation.retain(|_, x| !x.is_zero());
                add(&mut equation, &self.unknown(&c), -F::ONE);
                self.define(&equation);
                self.solve(equation)
            }
        }
    }

    /// A product that is known, of a bit and what is not: the bit, if the product is not zero, or
    /// if the other factor cannot be.
    fn find_factor(&mut self, k: usize) -> bool {
        let [a, b, c] = self.transcript.rows(k);
        let is_zero = evaluate(&c, &self.values).is_zero();
        let mut factors = [(&a, &b), (&b, &a)].into_iter();
        let found = factors.find(|(bit, other)| {
            let is_positive = || other.contains_key(&0) && self.transcript.width(other).is_some();
            self.transcript.is_bit(bit) && (!is_zero || is_positive())
        });
        if let Some((bit, _)) = found {
            bit.keys().for_each(|&column| self.known[column] = true);
        }
        false
    }

    /// Takes the latest column of an equation for a combination of the others.
    fn define(&mut self, equation: &Linear<F>) {
        let Some((&column, &x)) = equation.last_key_value() else { return };
        if self.bits[column] != Some(1) && equation.len() > 1 {
            let scale = -x.inverse().expect("coefficients are not zero");
            let others = equation.iter().filter(|&(&other, _)| other != column);
            let scaled = others.map(|(&other, &y)| (other, y * scale));
            self.definitions.insert(column, scaled.collect());
        }
    }

    /// Finds the values in an equation that has one solution; whether all of them are known then.
    fn solve(&mut self, equation: Linear<F>) -> bool {
        let open = self.open(&equation);
        if let (1, Some(&column)) = (open.len(), open.keys().next()) {
            self.known[column] = true;
        }
        if open.len() <= 1 {
            self.recall(&equation);
            return self.is_known(&equation);
        }
        let value = evaluate(&open, &self.values);
        let Some(parts) = self.parts(open) else { return false };
        let is_nothing = value.is_zero() && is_positive::<F>(&parts);
        if !is_nothing && !has_one_solution::<F>(&parts) {
            return false;
        }
        for part in parts {
            match part.of {
                Of::Column(column) => self.known[column] = true,
                Of::Range(k) => self.equations.push(self.facts.ranges[k].0.clone()),
            }
        }
        self.recall(&equation);
        self.is_known(&equation)
    }

    /// Columns that are combinations of what is known by now are known.
    fn recall(&mut self, combination: &Linear<F>) {
        for column in combination.keys() {
            let definition = self.definitions.get(column);
            if definition.is_some_and(|definition| self.is_known(definition)) {
                self.known[*column] = true;
            }
        }
    }

    /// What is not known of a combination, in terms of columns that are no combinations of others.
    fn open(&self, combination: &Linear<F>) -> Linear<F> {
        let mut open = self.unknown(combination);
        // Definitions name earlier columns only, so this ends.
        while let Some((column, definition)) =
            open.keys().rev().find_map(|&column| Some((column, self.definitions.get(&column)?)))
        {
            let coefficient = open.remove(&column).expect("a column of the combination");
            add(&mut open, &self.unknown(definition), coefficient);
        }
        open
    }

    /// An equation as a sum of ranged parts, if it is one: columns that are ranged, and
    /// combinations that are.
    fn parts(&self, mut open: Linear<F>) -> Option<Vec<Part<F>>> {
        let mut parts = Vec::new();
        let mut used = BTreeSet::new();
        while let Some(column) = open.keys().rev().copied().find(|&c| self.bits[c].is_none()) {
            let coefficient = open[&column];
            let ranges = self.transcript.ranges_of.get(&column)?;
            let &k = ranges.iter().find(|k| !used.contains(*k))?;
            used.insert(k);
            let (range, bits) = &self.facts.ranges[k];
            let scale = coefficient * range[&column].inverse().expect("coefficients are not zero");
            add(&mut open, &self.open(range), -scale);
            parts.push(Part { coefficient: scale, bits: *bits, of: Of::Range(k) });
        }
        parts.extend(open.into_iter().map(|(column, coefficient)| Part {
            coefficient,
            bits: self.bits[column].expect("a ranged column"),
            of: Of::Column(column),
        }));
        Some(parts)
    }

    /// Walks the constraints from `first` on, forward: products and quotients of what is known are
    /// known, and everything else has to be.
    fn walk(mut self) -> Vec<Free> {
        let first = self.transcript.first;
        let mut free = Vec::new();
        let mut causes: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        let mut rounds = self.facts.rounds[1..].iter().peekable();
        // Columns are made in the order of the constraints: what stands before them is older.
        let mut newest = self.newest(first);
        for k in first..self.r1cs.constraints() {
            while let Some((_, elements)) = rounds.next_if(|(at, _)| *at <= k) {
                for element in elements {
                    self.solve(element.clone());
                }
            }
            let [a, b, c] = self.transcript.rows(k);
            let [open_a, open_b, open_c] = [&a, &b, &c].map(|lc| self.open(lc));
            let is_zero = |lc: &Linear<F>, open: &Linear<F>| {
                open.is_empty() && evaluate(lc, &self.values).is_zero()
            };
            let is_void = is_zero(&a, &open_a) || is_zero(&b, &open_b);
            let is_factor_known = is_void || open_a.is_empty() && open_b.is_empty();
            // A column that first stands here is defined here: a product, or a quotient.
            let latest = [&open_a, &open_b, &open_c].into_iter().filter_map(|lc| lc.keys().max());
            let made = latest.max().copied().filter(|&column| column > newest);
            newest = made.unwrap_or(newest);
            let is_defined = match made {
                None => is_factor_known && open_c.is_empty(),
                Some(column) if open_c.contains_key(&column) => {
                    is_factor_known && open_c.len() == 1
                }
                Some(column) => {
                    let others = [&open_a, &open_b, &open_c].into_iter().flat_map(Linear::keys);
                    let has_others = others.filter(|&&other| other != column).count() > 0;
                    let known = if open_a.contains_key(&column) { &b } else { &a };
                    !has_others && !evaluate(known, &self.values).is_zero()
                }
            };
            match made {
                Some(column) if is_defined => self.known[column] = true,
                _ if is_defined => {}
                _ => {
                    let mut columns = BTreeSet::new();
                    for &column in [&open_a, &open_b, &open_c].into_iter().flat_map(Linear::keys) {
                        match causes.get(&column) {
                            Some(earlier) => columns.extend(earlier),
                            None if Some(column) != made => _ = columns.insert(column),
                            None => {}
                        }
                    }
                    match made {
                        Some(column) => _ = causes.insert(column, columns),
                        None => free.push(Free { constraint: k, columns }),
                    }
                }
            }
        }
        free
    }

    /// The latest column of the constraints before `first`.
    fn newest(&self, first: usize) -> usize {
        let columns = |matrix: &SparseMatrix| {
            matrix.columns[..matrix.offsets[first]].iter().max().copied().unwrap_or(0)
        };
        [&self.r1cs.a, &self.r1cs.b, &self.r1cs.c].map(columns).into_iter().max().unwrap_or(0)
            as usize
    }
}

/// A part of a packed sum.
struct Part<F> {
    coefficient: F,
    bits: u32,
    of: Of,
}

enum Of {
    Column(usize),
    /// A range of [`Facts::ranges`].
    Range(usize),
}

/// Whether parts in their ranges have no other sum than one modulo p: each coefficient, smallest
/// first, is above what all before it can come to, and all together stay below p.
fn has_one_solution<F: PrimeField>(parts: &[Part<F>]) -> bool {
    let size = |part: &Part<F>| {
        let [plus, minus] = [part.coefficient, -part.coefficient].map(F::into_bigint);
        (plus.min(minus), part.bits)
    };
    let mut sizes: Vec<_> = parts.iter().map(size).collect();
    sizes.sort();
    let mut sum = F::BigInt::from(0u64);
    for (size, bits) in sizes {
        if sum >= size || size.num_bits() + bits >= F::MODULUS_BIT_SIZE {
            return false;
        }
        sum.add_with_carry(&maximum(size, bits));
        if sum.num_bits() >= F::MODULUS_BIT_SIZE {
            return false;
        }
    }
    true
}

/// Whether parts in their ranges have a sum of zero only if each is zero.
fn is_positive<F: PrimeField>(parts: &[Part<F>]) -> bool {
    let mut sum = F::BigInt::from(0u64);
    parts.iter().all(|part| {
        let size = part.coefficient.into_bigint();
        let fits = size.num_bits() + part.bits < F::MODULUS_BIT_SIZE;
        if fits {
            sum.add_with_carry(&maximum(size, part.bits));
        }
        fits && sum.num_bits() < F::MODULUS_BIT_SIZE
    })
}

/// `size · (2^bits − 1)`.
fn maximum<B: BigInteger>(size: B, bits: u32) -> B {
    let mut most = size;
    (0..bits).for_each(|_| _ = most.mul2());
    most.sub_with_borrow(&size);
    most
}

/// `sum += scale·other`.
fn add<F: PrimeField>(sum: &mut Linear<F>, other: &Linear<F>, scale: F) {
    for (&column, &x) in other {
        let entry = sum.entry(column).or_insert(F::ZERO);
        *entry += x * scale;
        if entry.is_zero() {
            sum.remove(&column);
        }
    }
}

fn evaluate<F: PrimeField>(combination: &Linear<F>, values: &[F]) -> F {
    combination.iter().map(|(&column, &x)| values[column] * x).sum()
}
