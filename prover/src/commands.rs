//! What the commands do.

mod keys;
mod prove;

use ark_bn254::Fr;
use zkmargin_circuits::cs::R1cs;
use zkmargin_host::output;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_prover::batch;
use zkmargin_prover::progress::Progress;

use crate::refusal::Refusal;

pub use keys::{inspect_key, setup, verify_key};
pub use prove::prove;

/// Synthesises the circuit of a shape, saying so.
fn circuit(shape: Shape, progress: &dyn Progress) -> R1cs<Fr> {
    progress.begin("circuit", 1);
    let r1cs = batch::circuit(shape);
    progress.end();
    r1cs
}

pub fn list_shapes() -> Result<(), Refusal> {
    for (name, shape) in Shape::NAMED {
        let sizes = serde_json::to_string(&shape).expect("numbers with string keys");
        output::line(format_args!("{name}: {sizes}"))?;
    }
    Ok(())
}
