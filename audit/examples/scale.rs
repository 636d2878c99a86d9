//! How long an audit takes: `cargo run --release -p zkmargin-audit --example scale -- <chains>
//! <rounds>`.
//!
//! The circuit is Poseidon-like: rows of three constraints for x⁵ over dense linear layers of three
//! lanes that are written out as witnesses, so that a row has about nine entries.

use std::process::ExitCode;
use std::time::Instant;

use ark_bn254::Fr;
use zkmargin_audit::{Report, Split};
use zkmargin_circuits::cs::{Cs, Lc, Mode};
use zkmargin_host::{OutputError, output};

fn round(cs: &mut Cs<Fr>, lanes: &[Lc<Fr>; 3], k: u64) -> [Lc<Fr>; 3] {
    let powers = lanes.each_ref().map(|lane| {
        let lane = lane.plus(&cs.constant(Fr::from(k)));
        let square = cs.product("square", &lane, &lane);
        let fourth = cs.product("fourth", &square, &square);
        cs.product("fifth", &fourth, &lane)
    });
    [[2, 3, 5], [7, 11, 13], [17, 19, 23]].map(|row: [u64; 3]| {
        let mix = row.iter().zip(&powers);
        let sum = mix.fold(cs.zero(), |sum, (&k, x)| sum.plus_scaled(x, Fr::from(k)));
        let lane = cs.witness("lane", sum.value());
        cs.enforce_equal("the layer is mixed", &lane, &sum);
        lane
    })
}

fn main() -> ExitCode {
    let mut sizes = [64, 1_000];
    for (size, text) in sizes.iter_mut().zip(std::env::args().skip(1)) {
        match text.parse() {
            Ok(number @ 1..=1_000_000) => *size = number,
            _ => {
                output::note(format_args!("{text:?}: allowed is a number from 1 to 1000000"));
                return ExitCode::from(2);
            }
        }
    }
    match run(sizes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(error);
            ExitCode::from(3)
        }
    }
}

fn run([chains, rounds]: [u64; 2]) -> Result<(), OutputError> {
    let start = Instant::now();
    let mut cs = Cs::new(Mode::Shape);
    for chain in 0..chains {
        let mut lanes = [1, 2, 3].map(|k| cs.external("input", Fr::from(chain + k)));
        for k in 0..rounds {
            lanes = round(&mut cs, &lanes, k);
        }
        let claimed = cs.external("claimed", lanes[0].value());
        cs.enforce_equal("the last lane is the one claimed", &claimed, &lanes[0]);
    }
    let (assignment, r1cs) = cs.finish();
    let r1cs = r1cs.expect("shape mode records matrices");
    output::line(format_args!("built in {} ms", start.elapsed().as_millis()))?;
    let start = Instant::now();
    let report = Report::new("scale", &r1cs, &[assignment.full()], &Split::default());
    output::line(report.expect("the circuit is sound"))?;
    output::line(format_args!("audited in {} ms", start.elapsed().as_millis()))
}
