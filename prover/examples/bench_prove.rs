//! Proves a synthetic circuit (x^5 rounds with linear layers, 40 % of the witness bits) with this
//! prover and with ark-groth16 in the same run, and prints stage times and ratios.
//!
//! `cargo run --release -p zkmargin-prover --example bench_prove -- 16 18` takes the logarithms of
//! the sizes.

use std::error::Error;
use std::time::Instant;

use ark_bn254::{Bn254, Fr};
use ark_ff::UniformRand;
use ark_groth16::Groth16;
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystem, R1CS_PREDICATE_LABEL};
use ark_snark::SNARK;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use zkmargin_circuits::cs::{ArkCircuit, Assignment, Cs, Mode, R1cs};
use zkmargin_host::{OutputError, output};
use zkmargin_prover::key::ProvingKey;
use zkmargin_prover::progress::{Log, Silent};
use zkmargin_prover::prove::{Prover, peak_rss_bytes};
use zkmargin_prover::setup::setup;

/// Fills the domain of size `2^log`: 40 % bits, the others rounds of x^5 over three mixed lanes.
fn synthetic(log: u32) -> (Assignment<Fr>, R1cs<Fr>) {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let mut cs = Cs::new(Mode::Shape);
    let input = cs.public_input(Fr::rand(&mut rng));
    let (one, zero) = (cs.one(), cs.zero());
    let mix: [[Fr; 3]; 3] = std::array::from_fn(|_| std::array::from_fn(|_| Fr::rand(&mut rng)));
    let mut lanes = [input.clone(), one.clone(), input];
    while cs.constraints() + 7 < 1 << log {
        for _ in 0..2 {
            let bit = cs.witness("bit", Fr::from(rng.gen_range(0..2u64)));
            cs.enforce("bit", &bit, &one.minus(&bit), &zero);
            lanes[0] = lanes[0].plus(&bit);
        }
        let square = cs.product("square", &lanes[0], &lanes[0]);
        let fourth = cs.product("fourth", &square, &square);
        let fifth = cs.product("fifth", &fourth, &lanes[0]);
        let old = [fifth, lanes[1].clone(), lanes[2].clone()];
        // Lanes 1 and 2 are anchored often, so that their combinations stay short.
        let anchored = cs.constraints() % 40 < 5;
        lanes = mix.map(|row| {
            let mut sum = zero.clone();
            for (factor, lane) in row.iter().zip(&old) {
                sum = sum.plus_scaled(lane, *factor);
            }
            if anchored { cs.product("anchor", &sum, &one) } else { sum }
        });
    }
    let (assignment, r1cs) = cs.finish();
    (assignment, r1cs.expect("matrices were recorded"))
}

/// Processor seconds of this process so far (Linux), in steps of 10 ms.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |k: usize| fields.get(k).and_then(|t| t.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn measured<T>(name: &str, work: impl FnOnce() -> T) -> Result<(T, f64, f64), OutputError> {
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let result = work();
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    output::line(format_args!("{name:<28} {wall:8.3} s wall {cpu:8.2} s cpu"))?;
    Ok((result, wall, cpu))
}

fn main() -> Result<(), Box<dyn Error>> {
    let logs: Vec<u32> = std::env::args().skip(1).map(|a| a.parse()).collect::<Result<_, _>>()?;
    let logs = if logs.is_empty() { vec![16, 18] } else { logs };
    output::line(format_args!("{} threads", rayon::current_num_threads()))?;
    for log in logs {
        bench(log)?;
    }
    Ok(())
}

/// Seconds that one of the two provers takes.
struct Cost {
    setup_cpu: f64,
    proof_cpu: f64,
    proof_wall: f64,
}

fn bench(log: u32) -> Result<(), Box<dyn Error>> {
    let (assignment, r1cs) = synthetic(log);
    output::line(format_args!(
        "\n2^{log}: {} constraints, {} non-zeros",
        r1cs.constraints(),
        r1cs.nonzeros()
    ))?;
    let ours = bench_ours(log, &assignment, &r1cs)?;
    let theirs = bench_theirs(&assignment, &r1cs)?;
    output::line(format_args!(
        "ratio ark/ours: proof {:.2} cpu, {:.2} wall; setup {:.2} cpu",
        theirs.proof_cpu / ours.proof_cpu,
        theirs.proof_wall / ours.proof_wall,
        theirs.setup_cpu / ours.setup_cpu
    ))?;
    Ok(())
}

fn bench_ours(
    log: u32,
    assignment: &Assignment<Fr>,
    r1cs: &R1cs<Fr>,
) -> Result<Cost, Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("zkmargin-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("bench.key");
    let progress: &dyn zkmargin_prover::progress::Progress =
        if log > 18 { &Log::default() } else { &Silent };
    let (done, _, setup_cpu) = measured("our setup", || setup(r1cs, &path, progress))?;
    done?;
    let (key, ..) = measured("our key loading", || ProvingKey::load(&path))?;
    let key = key?;
    std::fs::remove_dir_all(&folder)?;
    output::line(format_args!(
        "{:<28} A {} B {} L {} H {}",
        "points",
        key.header.points[0],
        key.header.points[1],
        key.header.points[2],
        key.header.points[3]
    ))?;
    let prover = Prover::new(key, r1cs.clone())?;
    let mut ours = Vec::new();
    for _ in 0..3 {
        let (proven, wall, cpu) = measured("our proof", || prover.prove(assignment, &Silent))?;
        ours.push((cpu, wall, proven?));
    }
    ours.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (proof_cpu, proof_wall, proven) = &ours[1];
    for (stage, time) in &proven.stages {
        output::line(format_args!("    {:<24} {:8.3} s", stage.name(), time.as_secs_f64()))?;
    }
    output::line(format_args!(
        "    scalars {:?}, peak {} MB",
        proven.census,
        peak_rss_bytes().unwrap_or(0) >> 20
    ))?;
    Ok(Cost { setup_cpu, proof_cpu: *proof_cpu, proof_wall: *proof_wall })
}

fn bench_theirs(assignment: &Assignment<Fr>, r1cs: &R1cs<Fr>) -> Result<Cost, Box<dyn Error>> {
    let circuit = || ArkCircuit { r1cs, assignment };
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let (keys, _, setup_cpu) = measured("ark-groth16 setup", || {
        Groth16::<Bn254>::circuit_specific_setup(circuit(), &mut rng)
    })?;
    let (pk, vk) = keys?;
    let cs = ConstraintSystem::<Fr>::new_ref();
    circuit().generate_constraints(cs.clone())?;
    cs.finalize();
    let matrices = &cs.to_matrices()?[R1CS_PREDICATE_LABEL];
    let full = assignment.full();
    let mut theirs = Vec::new();
    for _ in 0..3 {
        let (r, s) = (Fr::rand(&mut rng), Fr::rand(&mut rng));
        let (proof, wall, cpu) = measured("ark-groth16 proof (cached)", || {
            Groth16::<Bn254>::create_proof_with_reduction_and_matrices(
                &pk,
                r,
                s,
                matrices,
                r1cs.instances,
                r1cs.constraints(),
                &full,
            )
        })?;
        assert!(Groth16::<Bn254>::verify(&vk, &assignment.instance[1..], &proof?)?);
        theirs.push((cpu, wall));
    }
    theirs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (proof_cpu, proof_wall) = theirs[1];
    Ok(Cost { setup_cpu, proof_cpu, proof_wall })
}
