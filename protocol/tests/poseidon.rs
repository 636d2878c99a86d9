//! Poseidon against published values, circomlib's reference, and a second implementation.

mod vectors;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use light_poseidon::{Poseidon, PoseidonHasher, parameters::bn254_x5::get_poseidon_parameters};
use proptest::prelude::*;
use serde_json::Value;
use vectors::{field, fixture, list, shared};
use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::domain::Tag;
use zkmargin_protocol::crypto::poseidon::{
    self, Constants, Sponge, WIDTH_MAX, WIDTH_MIN, capacity, constants, sponge_hash,
};
use zkmargin_protocol::value::decimal;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures");
/// Widths the second implementation knows.
const ORACLE_WIDTH_MAX: usize = 13;

fn fields(value: &Value) -> Vec<Fr> {
    list(value).iter().map(field).collect()
}

/// Hashes every vector of `file` and returns their number.
fn check_vectors(file: &Value) -> usize {
    let vectors = list(&file["vectors"]);
    for vector in vectors {
        let inputs = fields(&vector["inputs"]);
        assert_eq!(poseidon::hash(&inputs), field(&vector["hash"]), "{vector}");
    }
    vectors.len()
}

/// The circomlib hash by the plain rounds of the given constants.
fn hash_plain(constants: &Constants, inputs: &[Fr]) -> Fr {
    let mut state = vec![Fr::ZERO];
    state.extend(inputs);
    constants.permute_plain(&mut state);
    state[0]
}

fn arb_field() -> impl Strategy<Value = Fr> {
    prop_oneof![
        1 => Just(Fr::ZERO),
        1 => Just(-Fr::ONE),
        6 => any::<[u64; 4]>().prop_map(|limbs| {
            limbs.iter().fold(Fr::ZERO, |sum, limb| sum * Fr::from(u64::MAX) + Fr::from(*limb))
        }),
    ]
}

#[test]
fn agrees_with_published_values() {
    let Some(file) = shared("poseidon_published.json") else { return };
    assert_eq!(check_vectors(&file), 13);
}

#[test]
fn agrees_with_circomlib_reference() {
    let Some(file) = shared("poseidon_reference.json") else { return };
    assert_eq!(check_vectors(&file), 112);
}

#[test]
fn agrees_with_checked_in_vectors() {
    assert_eq!(check_vectors(&fixture("poseidon.json")), 16);
}

#[test]
fn agrees_with_circomlib_trees() {
    let Some(file) = shared("merkle_poseidon.json") else { return };
    let zeros = fields(&file["zero_hashes_0_to_32"]);
    assert_eq!(zeros.len(), 33);
    for pair in zeros.windows(2) {
        assert_eq!(poseidon::hash(&[pair[0], pair[0]]), pair[1]);
    }
    let trees = list(&file["trees"]);
    assert_eq!(trees.len(), 4);
    for tree in trees {
        let mut level = fields(&tree["leaves"]);
        let depth = tree["depth"].as_u64().unwrap();
        for zero in &zeros[..depth as usize] {
            level = level
                .chunks(2)
                .map(|pair| poseidon::hash(&[pair[0], *pair.get(1).unwrap_or(zero)]))
                .collect();
        }
        assert_eq!(level, [field(&tree["root"])], "depth {depth}");
    }
}

#[test]
fn rejects_published_inputs_that_are_not_elements() {
    let Some(file) = shared("poseidon_published.json") else { return };
    let rejected = &file["must_reject"];
    let inputs = list(&rejected["inputs"]);
    assert_eq!(inputs.len(), 2);
    for input in inputs {
        let text = input[0].as_str().unwrap();
        let error = decimal::parse::<Fr>(Rule::Range, "input", text).unwrap_err();
        assert_eq!(error.rule, Rule::Range);
    }
    let many = rejected["too_many_inputs"].as_u64().unwrap() as usize;
    assert!(std::panic::catch_unwind(|| poseidon::hash(&vec![Fr::ONE; many])).is_err());
}

#[test]
fn constants_agree_with_second_implementation() {
    for t in WIDTH_MIN..=ORACLE_WIDTH_MAX {
        let oracle = get_poseidon_parameters::<Fr>(t as u8).unwrap();
        let ours = constants(t);
        assert_eq!(ours.full_rounds, oracle.full_rounds);
        assert_eq!(ours.partial_rounds, oracle.partial_rounds);
        assert_eq!(ours.round_constants, oracle.ark, "round constants of width {t}");
        assert_eq!(ours.mds, oracle.mds, "matrix of width {t}");
    }
}

#[test]
fn constants_agree_with_ledger() {
    let ledger = std::fs::read_to_string(format!("{FIXTURES}/poseidon.csv")).unwrap();
    let mut expected = String::from("t,full,partial,digest\n");
    for t in WIDTH_MIN..=WIDTH_MAX {
        let constants = constants(t);
        let digest: String = constants.digest().iter().map(|byte| format!("{byte:02x}")).collect();
        expected +=
            &format!("{t},{},{},{digest}\n", constants.full_rounds, constants.partial_rounds);
    }
    assert_eq!(ledger, expected, "fixtures/poseidon.csv should read:\n{expected}");
}

#[test]
fn a_wrong_constant_fails_the_checks() {
    let inputs = [Fr::from(1), Fr::from(2)];
    let right = constants(3);
    let expected = poseidon::hash(&inputs);
    assert_eq!(hash_plain(right, &inputs), expected);
    for position in 0..right.round_constants.len() {
        let mut wrong = right.clone();
        wrong.round_constants[position] += Fr::ONE;
        assert_ne!(wrong.digest(), right.digest());
        assert_ne!(hash_plain(&wrong, &inputs), expected, "round constant {position}");
    }
    for position in 0..9 {
        let mut wrong = right.clone();
        wrong.mds[position / 3][position % 3] += Fr::ONE;
        assert_ne!(wrong.digest(), right.digest());
        assert_ne!(hash_plain(&wrong, &inputs), expected, "matrix entry {position}");
    }
}

#[test]
fn rejects_arity_out_of_range() {
    for arity in [0, 17, 18] {
        let inputs = vec![Fr::ONE; arity];
        assert!(std::panic::catch_unwind(|| poseidon::hash(&inputs)).is_err(), "{arity} inputs");
    }
}

#[test]
fn hashes_of_zeros_differ_by_arity_tag_and_length() {
    let mut seen: Vec<Fr> = Vec::new();
    let zeros = [Fr::ZERO; 40];
    for arity in 1..WIDTH_MAX {
        seen.push(poseidon::hash(&zeros[..arity]));
    }
    for tag in Tag::ALL {
        for length in [0, 1, 2, 15, 16, 17, 32, 33] {
            seen.push(sponge_hash(tag.field(), &zeros[..length]));
        }
    }
    for (i, hash) in seen.iter().enumerate() {
        assert!(!seen[..i].contains(hash), "hash {i} is taken");
    }
}

#[test]
fn tags_are_distinct_and_of_bounded_length() {
    for (i, tag) in Tag::ALL.iter().enumerate() {
        assert!(tag.name().is_ascii() && (12..=23).contains(&tag.name().len()), "{tag:?}");
        let expected =
            tag.name().bytes().fold(Fr::ZERO, |sum, byte| sum * Fr::from(256) + Fr::from(byte));
        assert_eq!(tag.field(), expected);
        assert!(Tag::ALL[..i].iter().all(|other| other.field() != tag.field()), "{tag:?}");
    }
}

#[test]
fn sponge_is_the_permutation_on_blocks() {
    let tag = Tag::Statement.field();
    let elements: Vec<Fr> = (1..=33).map(Fr::from).collect();
    let mut state = vec![Fr::ZERO; WIDTH_MAX];
    state[0] = tag * Fr::from(2).pow([64]) + Fr::from(33);
    assert_eq!(capacity(tag, 33), state[0]);
    for block in elements.chunks(16) {
        for (lane, element) in block.iter().enumerate() {
            state[1 + lane] += element;
        }
        constants(WIDTH_MAX).permute_plain(&mut state);
    }
    assert_eq!(sponge_hash(tag, &elements), state[1]);
    let mut pieces = Sponge::new(tag, 33);
    pieces.absorb(&elements[..5]);
    pieces.absorb(&[]);
    pieces.absorb(&elements[5..]);
    assert_eq!(pieces.squeeze(16), state[1..]);
}

#[test]
fn sponge_rejects_other_lengths_than_announced() {
    let tag = Tag::Statement.field();
    let few = || Sponge::new(tag, 1).squeeze(1);
    assert!(std::panic::catch_unwind(few).is_err());
    let many = || Sponge::new(tag, 1).absorb(&[Fr::ONE, Fr::ONE]);
    assert!(std::panic::catch_unwind(many).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn sparse_form_agrees_with_plain_rounds(
        state in proptest::collection::vec(arb_field(), WIDTH_MAX),
    ) {
        for t in WIDTH_MIN..=WIDTH_MAX {
            let mut plain = state[..t].to_vec();
            constants(t).permute_plain(&mut plain);
            let mut sparse = state[..t].to_vec();
            poseidon::permute(&mut sparse);
            prop_assert_eq!(sparse, plain);
        }
    }

    #[test]
    fn hash_agrees_with_second_implementation(
        inputs in proptest::collection::vec(arb_field(), 12),
    ) {
        for arity in 1..ORACLE_WIDTH_MAX {
            let mut oracle = Poseidon::<Fr>::new_circom(arity).unwrap();
            let inputs = &inputs[..arity];
            prop_assert_eq!(poseidon::hash(inputs), oracle.hash(inputs).unwrap());
        }
    }
}
