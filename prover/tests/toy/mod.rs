//! Circuits small enough to make a key for each test.
#![allow(dead_code)]

use std::path::Path;

use ark_bn254::Fr;
use ark_ff::{Field, One};
use zkmargin_circuits::cs::{Assignment, Cs, Mode, R1cs};
use zkmargin_protocol::Rule;
use zkmargin_prover::key::ProvingKey;
use zkmargin_prover::progress::Silent;
use zkmargin_prover::setup::setup;

/// A circuit of exactly `constraints` constraints and three public inputs: bits, short and wide
/// products, rows of a table, constants and a column that only the product uses.
pub fn toy(constraints: usize, seed: u64) -> (Assignment<Fr>, R1cs<Fr>) {
    let mut cs = Cs::new(Mode::Shape);
    let start = cs.public_input(Fr::from(seed));
    let result_value = Fr::from(seed).square() + Fr::from(seed);
    let result = cs.public_input(result_value);
    let _unused = cs.public_input(Fr::from(99));
    let one = cs.one();
    cs.under(Rule::Ledger, |cs| {
        let square = cs.product("square of the start", &start, &start);
        cs.enforce("result is start² + start", &square.plus(&start), &one, &result);
    });
    let rows: Vec<usize> = (0..constraints - 2).collect();
    let mut state = start.clone();
    cs.under(Rule::Range, |cs| {
        for &row in &rows {
            match row % 3 {
                0 => {
                    let bit = cs.witness("bit", Fr::from((seed >> (row % 7)) & 1));
                    let rest = one.minus(&bit);
                    let zero = cs.zero();
                    cs.enforce("a bit is zero or one", &bit, &rest, &zero);
                }
                1 => {
                    let right = state.scaled(Fr::from(row as u64)).plus(&one);
                    state = cs.product("next state", &state, &right);
                }
                _ => {
                    let short = cs.witness("short", Fr::from(row as u64));
                    let sum = short.plus_scaled(&state, -Fr::one());
                    cs.product("short by state", &sum, &short);
                }
            }
        }
    });
    assert_eq!(cs.constraints(), constraints);
    assert_eq!(cs.unsatisfied(), None);
    let (assignment, r1cs) = cs.finish();
    (assignment, r1cs.expect("matrices were recorded"))
}

/// Instance columns of every toy circuit, with the constant one.
pub const INSTANCES: usize = 4;

/// A key at `toy.key` in the folder.
pub fn made(r1cs: &R1cs<Fr>, folder: &Path) -> ProvingKey {
    let path = folder.join("toy.key");
    setup(r1cs, &path, &Silent).expect("setup");
    ProvingKey::load(&path).expect("a fresh key loads")
}
