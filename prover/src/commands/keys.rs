//! Keys: made, checked, shown.

use std::fs::File;
use std::path::Path;

use ark_bn254::Fr;
use serde_json::json;
use zkmargin_circuits::cs::R1cs;
use zkmargin_host::{FileError, file, output};
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_prover::key::{self, Header, KeyError, ProvingKey};
use zkmargin_prover::progress::{Progress, for_standard_error};
use zkmargin_prover::setup;

use super::circuit;
use crate::SetupArgs;
use crate::refusal::Refusal;

pub fn setup(args: &SetupArgs) -> Result<(), Refusal> {
    if !args.dev {
        return Err(Refusal::NoCeremony);
    }
    file::ensure_writable_folder(&args.cache)?;
    let progress = for_standard_error();
    let r1cs = circuit(args.shape, progress.as_ref());
    let path = key::path_in(&args.cache, &r1cs);
    if path.exists() && !args.replace {
        let refused = |error| Refusal::key(&path, error);
        ProvingKey::load(&path).and_then(|key| key.is_for(&r1cs)).map_err(refused)?;
        if setup::forget(&path).map_err(Refusal::Setup)? {
            output::note("removed what an interrupted setup had left of this key's secrets");
        }
        output::line(format_args!("{} is there and whole", path.display()))?;
        return Ok(());
    }
    output::note("development key: whoever runs this setup can forge proofs under it");
    setup::setup(&r1cs, &path, progress.as_ref())?;
    output::line(path.display())?;
    Ok(())
}

pub fn verify_key(path: &Path, shape: Option<Shape>) -> Result<(), Refusal> {
    let progress = for_standard_error();
    let refused = |error| Refusal::key(path, error);
    let key = ProvingKey::load(path).map_err(refused)?;
    let r1cs = circuit_of(&key.header, shape, progress.as_ref()).map_err(refused)?;
    key.is_for(&r1cs).map_err(refused)?;
    progress.begin("points", 1);
    key.verify_points().map_err(refused)?;
    progress.end();
    key.verify_secrets(&r1cs, progress.as_ref()).map_err(refused)?;
    if setup::forget_seed(path).map_err(Refusal::Setup)? {
        output::note("removed the seed of the key's secrets, which an interrupted setup had left");
    }
    output::line(format_args!(
        "every point is in its group, and all are of one set of secrets for this circuit; \
         provenance {}",
        key.header.provenance.name()
    ))?;
    Ok(())
}

/// The circuit of the shape, or the one of any shape that the key names.
fn circuit_of(
    header: &Header,
    shape: Option<Shape>,
    progress: &dyn Progress,
) -> Result<R1cs<Fr>, KeyError> {
    if let Some(shape) = shape {
        return Ok(circuit(shape, progress));
    }
    for (_, shape) in Shape::NAMED {
        let r1cs = circuit(shape, progress);
        if r1cs.digest() == header.circuit {
            return Ok(r1cs);
        }
    }
    let wanted = Shape::NAMED.map(|(name, _)| name).join(", ");
    let wanted = format!("that of one of the shapes {wanted}");
    Err(KeyError::Circuit { key: hex::encode(header.circuit), wanted })
}

pub fn inspect_key(path: &Path) -> Result<(), Refusal> {
    let mut file = File::open(path).map_err(FileError::at(path))?;
    let header = Header::read(&mut file).map_err(|error| Refusal::key(path, error))?;
    let [a, b, l, h] = header.points;
    let shown = json!({
        "circuit": hex::encode(header.circuit),
        "provenance": header.provenance.name(),
        "setup": hex::encode(header.setup),
        "reduction": "folded coset",
        "instances": header.instances,
        "witnesses": header.witnesses,
        "constraints": header.constraints,
        "domain": header.domain,
        "points": { "a": a, "b": b, "l": l, "h": h },
        "bytes": header.file_bytes(),
    });
    output::line(format_args!("{shown:#}"))?;
    Ok(())
}
