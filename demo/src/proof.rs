//! The batch is proven and verified here.

use std::fs;
use std::path::Path;

use ark_bn254::Fr;
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::cs::{Cs, Mode, R1cs};
use zkmargin_prover::key::{self, KeyError, ProvingKey};
use zkmargin_prover::progress::{Progress, for_standard_error};
use zkmargin_prover::prove::Prover;
use zkmargin_prover::setup::setup;
use zkmargin_verifier::{
    KeyFile, KeyPolicy, PreparedKey, Proof, ProofFile, Provenance, Statement, StatementFile,
    snarkjs, verify as check,
};

use crate::narrative::{Narrative, grouped, took};
use crate::venue::Sealed;
use crate::{Outcome, keep};

/// What leaves the prover.
pub struct Proven {
    /// The proof.
    pub proof: Proof,
    /// The key it verifies under.
    pub key: KeyFile,
}

/// Builds circuit and witness, makes or loads the key, proves.
pub fn prove(
    narrative: &mut Narrative,
    sealed: &Sealed,
    keys: &Path,
    out: &Path,
) -> Outcome<Proven> {
    narrative.chapter("Proof: Groth16 over BN254");
    let inputs = sealed.statement.public_inputs()?;
    let [commitment, point, evaluation] = inputs.0;
    let public = BatchPublic { commitment, point, evaluation };
    let ((assignment, r1cs), time) = narrative.timed("circuit_s", || {
        let mut cs = Cs::new(Mode::Shape);
        synthesize(&mut cs, &public, &sealed.trace);
        cs.finish()
    });
    let r1cs = r1cs.ok_or("the circuit was not recorded")?;
    let trades = sealed.trace.shape.trades;
    narrative.say(format_args!(
        "circuit \"{}\" with witness in {}: {} constraints, {} a trade",
        sealed.trace.shape.name().unwrap_or("unnamed"),
        took(time),
        grouped(r1cs.constraints() as u64),
        grouped((r1cs.constraints() / trades.max(1)) as u64),
    ));
    narrative.figure("constraints", r1cs.constraints());
    narrative.figure("witnesses", r1cs.witnesses);

    let progress = for_standard_error();
    let key = development_key(narrative, &r1cs, keys, progress.as_ref())?;
    let prover = Prover::new(key, r1cs)?;
    let (proven, time) =
        narrative.timed("prove_s", || prover.prove(&assignment, progress.as_ref()));
    let proven = proven?;
    narrative.say(format_args!("proven in {}, {} bytes", took(time), Proof::BYTES));
    if let Some(peak) = proven.peak_rss_bytes {
        narrative.say(format_args!("highest memory so far: {} MB", peak / 1_000_000));
        narrative.figure("peak_rss_bytes", peak);
    }
    let key = KeyFile {
        circuit: proven.circuit,
        provenance: Provenance::Development,
        key: prover.key().verifying.clone(),
    };
    let proof = ProofFile {
        circuit: proven.circuit,
        provenance: Provenance::Development,
        proof: proven.proof,
    };
    keep(out, "verification_key.json", snarkjs::key_json(&key.key, key.provenance))?;
    keep(out, "proof.json", snarkjs::proof_json(&proof.proof))?;
    keep(out, "public.json", snarkjs::public_json(inputs.as_slice()))?;
    keep(out, "verifying_key.bin", key.to_bytes())?;
    keep(out, "statement.bin", StatementFile(sealed.statement.clone()).to_bytes())?;
    keep(out, "proof.bin", proof.to_bytes())?;
    Ok(Proven { proof: proof.proof, key })
}

/// Makes the circuit's key, unless an earlier run has, and loads it.
fn development_key(
    narrative: &mut Narrative,
    r1cs: &R1cs<Fr>,
    keys: &Path,
    progress: &dyn Progress,
) -> Outcome<ProvingKey> {
    let path = key::path_in(keys, r1cs);
    let is_known = path.exists();
    let (made, time) = narrative.timed("setup_s", || match is_known {
        true => Ok(()),
        false => setup(r1cs, &path, progress),
    });
    made?;
    let origin = if is_known { "kept from an earlier run".to_owned() } else { took(time) };
    let (key, time) = narrative.timed("key_load_s", || ProvingKey::load(&path));
    let key = key.map_err(|error| refused(&path, &error))?;
    let bytes = fs::metadata(&path)?.len();
    narrative.say(format_args!(
        "development key: {origin}; {} MB, loaded in {}",
        bytes / 1_000_000,
        took(time)
    ));
    narrative.say("whoever makes such a key can forge proofs; a venue needs a ceremony");
    narrative.figure("key_bytes", bytes);
    Ok(key)
}

/// Says which key is refused, and what to do.
fn refused(path: &Path, error: &KeyError) -> String {
    let remedy = error.remedy().map(|remedy| format!("; {remedy}")).unwrap_or_default();
    format!("{}: {error}{remedy}", path.display())
}

/// Verifies what was written, and refuses a changed statement.
pub fn verify(narrative: &mut Narrative, sealed: &Sealed, out: &Path) -> Outcome<()> {
    narrative.chapter("Verification from the files, native");
    let read = |name: &str| fs::read_to_string(out.join(name));
    let key = snarkjs::parse_key(&read("verification_key.json")?)?;
    let proof = snarkjs::parse_proof(&read("proof.json")?)?;
    let public = snarkjs::parse_public(&read("public.json")?)?;
    let inputs = sealed.statement.public_inputs()?;
    if public != inputs.as_slice() {
        return Err("public.json is not the statement's".into());
    }
    let (key, proof) = (PreparedKey::new(&key.key, KeyPolicy::Strict)?, proof.proof);
    let (verdict, time) = narrative.timed("verify_s", || check(&key, &public, &proof));
    verdict?;
    narrative.say(format_args!("accepted in {}", took(time)));
    let changed = changed(&sealed.statement)?;
    match check(&key, changed.public_inputs()?.as_slice(), &proof) {
        Ok(()) => Err("a changed statement was accepted".into()),
        Err(error) => {
            narrative
                .say(format_args!("the same proof for a changed new root is refused: {error}"));
            Ok(())
        }
    }
}

/// The statement with another new account root.
pub fn changed(statement: &Statement) -> Outcome<Statement> {
    /// Place of the new root in the header.
    const NEW_ROOT: usize = 3;
    let mut changed = statement.clone();
    let word = changed.words.get_mut(NEW_ROOT).ok_or("a statement without header")?;
    *word += ark_bn254::Fr::from(1u64);
    Ok(changed)
}
