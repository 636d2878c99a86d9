//! The constraint system all circuits are written on.
//!
//! A [`Lc`] is a linear combination of variables together with its value. Every [`Cs::enforce`] is
//! checked the moment it is written, so an unsatisfied witness names its rule, row and place. In
//! [`Mode::Shape`] the three matrices are recorded in canonical form (terms sorted by variable, no
//! zero, no duplicate); in [`Mode::Witness`] only values are computed and rows of a table may run
//! in parallel. Both modes execute the same code, so variables and constraints always come in the
//! same order.

mod ark;
mod combination;
#[cfg(feature = "forgery")]
pub mod forgery;
mod r1cs;
mod recorder;

use ark_ff::PrimeField;
use rayon::prelude::*;
use zkmargin_protocol::Rule;

pub use self::ark::ArkCircuit;
pub use self::combination::{Lc, Variable};
pub use self::r1cs::{Assignment, Label, R1cs, Role, SparseMatrix, Unsatisfied};
use self::recorder::Recorder;

/// What a constraint system records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Matrices, names and values.
    Shape,
    /// Values only.
    Witness,
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
        match self.recorder {
            Some(_) => Lc::variable(variable, value),
            None => Lc::untracked(value),
        }
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
        Lc::untracked(F::ZERO)
    }

    /// A combination whose value the caller has computed already. The parts are made in shape mode
    /// only, where the value is that of the parts.
    pub fn combination<'a, I: IntoIterator<Item = (&'a Lc<F>, F)>>(
        &self,
        value: F,
        parts: impl FnOnce() -> I,
    ) -> Lc<F> {
        if self.recorder.is_some() { Lc::sum(parts()) } else { Lc::untracked(value) }
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
        if let Some(recorder) = &mut self.recorder {
            recorder.witness(index, name, role);
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
        if a.value() * b.value() != c.value() && self.unsatisfied.is_none() {
            self.unsatisfied = Some(Unsatisfied { index: self.constraints, label });
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.constraint(self.constraints, label, [a, b, c]);
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
        let c = self.witness(what, a.value() * b.value());
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
        let (instances, witnesses) = (self.instance.len(), self.witness.len());
        let r1cs = self.recorder.map(|recorder| recorder.finish(instances, witnesses));
        (Assignment { instance: self.instance, witness: self.witness }, r1cs)
    }
}
