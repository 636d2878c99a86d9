//! Gadgets against the native rules, at their bounds, and under forged witnesses.

mod curve;
mod eddsa;
mod integer;
mod poseidon;

use ark_ff::PrimeField;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use zkmargin_audit::{Report, Split, Verdict};
use zkmargin_circuits::cs::{Assignment, Cs, Label, Lc, Mode, R1cs};

/// A gadget written down in both modes.
struct Written<F: PrimeField, T> {
    result: T,
    constraints: usize,
    unsatisfied: Option<Label>,
    assignment: Assignment<F>,
    r1cs: R1cs<F>,
}

/// Writes `body` in both modes and demands the same variables, the same verdict at once and from
/// the matrices.
fn write<F: PrimeField, T>(body: impl Fn(&mut Cs<F>) -> T) -> Written<F, T> {
    let mut fast = Cs::new(Mode::Witness);
    body(&mut fast);
    let mut cs = Cs::new(Mode::Shape);
    let result = body(&mut cs);
    let constraints = cs.constraints();
    let failure = cs.unsatisfied();
    assert_eq!(fast.unsatisfied().map(|u| u.index), failure.map(|u| u.index), "modes disagree");
    let (fast, _) = fast.finish();
    let (assignment, r1cs) = cs.finish();
    let r1cs = r1cs.expect("shape mode");
    assert_eq!(fast, assignment, "modes differ");
    let found = r1cs.first_unsatisfied(&assignment.full());
    assert_eq!(found.map(|u| u.index), failure.map(|u| u.index), "matrices differ from values");
    assert_eq!(r1cs.constraints(), constraints);
    Written { result, constraints, unsatisfied: failure.map(|u| u.label), assignment, r1cs }
}

impl<F: PrimeField, T> Written<F, T> {
    /// What the first constraint says that does not hold.
    fn failure(&self) -> Option<&'static str> {
        self.unsatisfied.map(|label| label.what)
    }

    /// Audits the witness written: every derived variable is determined and none can change alone.
    fn audit(&self, name: &str) -> Report {
        let assignments = [self.assignment.full()];
        let report = Report::new(name, &self.r1cs, &assignments, &Split::default()).expect("audit");
        assert_eq!(report.verdict, Verdict::Proven, "{report}");
        report
    }

    /// The value of the `k`-th witness called `name`.
    fn named(&self, name: &str, k: usize) -> F {
        let mut named = (0..self.r1cs.witnesses).filter(|&w| self.r1cs.name(w).0 == name);
        self.assignment.witness[named.nth(k).expect("a witness of that name")]
    }

    /// The label that fails when the `k`-th witness called `name` is `value` instead.
    fn forged(&self, name: &str, k: usize, value: F) -> Option<&'static str> {
        let mut named = (0..self.r1cs.witnesses).filter(|&w| self.r1cs.name(w).0 == name);
        let column = self.r1cs.instances + named.nth(k).expect("a witness of that name");
        let mut assignment = self.assignment.full();
        assert_ne!(assignment[column], value, "not a forgery");
        assignment[column] = value;
        self.r1cs.first_unsatisfied(&assignment).map(|u| u.label.what)
    }
}

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn externals<F: PrimeField>(cs: &mut Cs<F>, values: &[F]) -> Vec<Lc<F>> {
    values.iter().map(|&value| cs.external("input", value)).collect()
}
