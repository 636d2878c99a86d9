//! The catalogued circuits: files read back equal, and what the sweep says of a deletion is what
//! deleting does.

use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha20Rng;
use zkmargin_audit::deletion::survivors;
use zkmargin_audit::{Determinacy, Split, Tangent, iden3, matrices};
use zkmargin_circuits::catalogue::circuits;
use zkmargin_circuits::cs::Mode;

#[test]
fn exported_circuits_read_back_with_equal_digest() {
    for circuit in circuits() {
        let (assignment, r1cs) = circuit.build(Mode::Shape, 0).finish();
        let (r1cs, assignment) = (r1cs.unwrap(), assignment.full());
        matrices::check_canonical(&r1cs).unwrap();
        let read = iden3::read_r1cs::<ark_bn254::Fr>(&iden3::write_r1cs(&r1cs)).unwrap();
        assert_eq!(r1cs.digest(), read.digest(), "{}", circuit.name);
        let witness = iden3::read_wtns::<ark_bn254::Fr>(&iden3::write_wtns(&assignment)).unwrap();
        assert_eq!(read.first_unsatisfied(&witness), None, "{}", circuit.name);
    }
}

#[test]
fn sampled_deletions_agree_with_the_sweep() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let (mut killed, mut survived) = (0, 0);
    for circuit in circuits() {
        for branch in 0..circuit.branches {
            let (assignment, r1cs) = circuit.build(Mode::Shape, branch).finish();
            let (r1cs, assignment) = (r1cs.unwrap(), assignment.full());
            let split = Split { outputs: circuit.outputs };
            let tangent = Tangent::new(&r1cs, &assignment).unwrap();
            let found = Determinacy::new(&tangent, &split).unwrap();
            let surviving = survivors(&tangent, &found, b"sample");
            let count = r1cs.constraints();
            for row in sample(&mut rng, count, count.min(16)) {
                let mutant = matrices::without(&r1cs, row);
                let tangent = Tangent::new(&mutant, &assignment).unwrap();
                let rank = Determinacy::new(&tangent, &split).unwrap().rank;
                let survives = surviving.binary_search(&row).is_ok();
                assert_eq!(rank, found.rank - usize::from(!survives), "{} {row}", circuit.name);
                if survives { survived += 1 } else { killed += 1 }
            }
        }
    }
    assert!(killed >= 100 && survived >= 100, "{killed} {survived}");
}
