//! Poseidon and its sponge.

use ark_bn254::Fr;
use ark_ff::UniformRand;
use zkmargin_circuits::crypto::poseidon as gadget;
use zkmargin_circuits::cs::Lc;
use zkmargin_protocol::crypto::poseidon as native;

use crate::{externals, rng, write};

#[test]
fn poseidon_equals_the_native_hash() {
    let mut rng = rng(1);
    for arity in 1..=16 {
        let t = arity + 1;
        let inputs: Vec<Fr> = (0..arity).map(|_| Fr::rand(&mut rng)).collect();
        let written = write(|cs| {
            let inputs = externals(cs, &inputs);
            gadget::hash(cs, &inputs).value()
        });
        assert_eq!(written.result, native::hash(&inputs), "{arity} inputs");
        assert_eq!(written.failure(), None);
        let boxes = 8 * t + native::PARTIAL_ROUNDS[t - 2];
        assert_eq!(written.constraints, 3 * boxes - 3);
        assert_eq!(written.r1cs.witnesses, arity + 3 * boxes - 3);
        let nonzeros = written.r1cs.nonzeros();
        println!("poseidon t={t}: {} constraints, {nonzeros} nonzeros", written.constraints);
        assert!(nonzeros < 40_000);
        for name in ["poseidon lane 0", "poseidon output", "poseidon x^2", "poseidon x^4", "input"]
        {
            assert!(written.forged(name, 0, Fr::rand(&mut rng)).is_some(), "forged {name}");
        }
        if [2, 5].contains(&t) {
            let report = written.audit("poseidon");
            assert_eq!(report.core, 0, "peels to nothing");
            assert_eq!(report.assertions, [0]);
        }
    }
}

#[test]
fn permutation_equals_the_native_one() {
    for t in [2, 5, 17] {
        let values: Vec<Fr> = (0..t).map(|k| Fr::from(k as u64)).collect();
        let written = write(|cs| {
            let state = externals(cs, &values).into_iter().map(gadget::Lane::Wire).collect();
            gadget::permute(cs, state).iter().map(Lc::value).collect::<Vec<_>>()
        });
        let mut expected = values;
        native::permute(&mut expected);
        assert_eq!(written.result, expected);
        assert_eq!(written.failure(), None);
        assert_eq!(written.constraints, 3 * (8 * t + native::PARTIAL_ROUNDS[t - 2]));
        let nonzeros = written.r1cs.nonzeros();
        println!("permutation t={t}: {} constraints, {nonzeros} nonzeros", written.constraints);
        assert!(nonzeros < 40_000);
    }
}

#[test]
fn sponge_equals_the_native_one() {
    let mut rng = rng(2);
    let tag = Fr::from(99u64);
    for length in [0, 1, 15, 16, 17, 32, 40] {
        let values: Vec<Fr> = (0..length).map(|_| Fr::rand(&mut rng)).collect();
        let written = write(|cs| {
            let elements = externals(cs, &values);
            gadget::sponge_hash(cs, tag, &elements).value()
        });
        assert_eq!(written.result, native::sponge_hash(tag, &values), "{length} elements");
        assert_eq!(written.failure(), None);
        let constant_lanes = 1 + 16usize.saturating_sub(length);
        let blocks = length.div_ceil(16).max(1);
        assert_eq!(written.constraints, 612 * blocks - 3 * constant_lanes);

        let pieces = write(|cs| {
            let elements = externals(cs, &values);
            let mut sponge = gadget::Sponge::new(tag, length);
            elements.chunks(7).for_each(|piece| sponge.absorb(cs, piece));
            sponge.squeeze(cs, 16).iter().map(Lc::value).collect::<Vec<_>>()
        });
        let mut sponge = native::Sponge::new(tag, length);
        sponge.absorb(&values);
        assert_eq!((pieces.failure(), pieces.result), (None, sponge.squeeze(16)));
    }
}
