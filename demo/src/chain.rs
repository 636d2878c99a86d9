//! The contract on an EVM in this process.

use std::path::Path;

use zkmargin_contracts::{Artifact, Evm, Fork};
use zkmargin_verifier::Domain;
use zkmargin_verifier::solidity::{Deployment, calldata, code_tail, creation_code};

use crate::narrative::{Narrative, grouped};
use crate::proof::{Proven, changed};
use crate::venue::Sealed;
use crate::{Outcome, keep};

/// Deploys the verifier, submits the batch, and submits it again with a changed statement.
pub fn verify(
    narrative: &mut Narrative,
    domain: Domain,
    sealed: &Sealed,
    proven: &Proven,
    out: &Path,
) -> Outcome<()> {
    narrative.chapter("Verification by the contract in an EVM");
    let mut evm = Evm::new(Fork::Osaka, domain.chain_id);
    let expected = evm.next_address();
    if expected.into_array() != domain.contract {
        return Err(format!("the contract would be created at {expected}").into());
    }
    let artifact = Artifact::statement_verifier()?;
    evm.know_errors(&artifact);
    let tail = code_tail(&proven.key, Deployment::Test)?;
    let (address, gas) = evm.deploy(creation_code(&artifact.runtime_code, &tail)?)?;
    narrative.say(format_args!("deployed at {address} for {} gas", grouped(gas)));
    let data = calldata(&sealed.statement, &proven.proof);
    keep(out, "calldata.hex", hex::encode(&data) + "\n")?;
    let receipt = evm.call(address, data.clone())?;
    let trades = sealed.trace.trades.len().max(1) as u64;
    narrative.say(format_args!(
        "accepted for {} gas, {} a trade, with {} bytes of calldata",
        grouped(receipt.gas),
        grouped(receipt.gas / trades),
        grouped(data.len() as u64)
    ));
    narrative.figure("gas", receipt.gas);
    narrative.figure("calldata_bytes", data.len());
    match evm.call(address, calldata(&changed(&sealed.statement)?, &proven.proof)) {
        Ok(_) => Err("the contract accepted a changed statement".into()),
        Err(failure) => {
            narrative.say(format_args!("with a changed new root: {failure}"));
            Ok(())
        }
    }
}
