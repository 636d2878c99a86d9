//! The recorded chains and the risk table made from them.

use std::path::Path;

use ark_bn254::Fr;
use zkmargin_fixtures::data::market::{
    SNAPSHOT_TIME_S, btc, chain, eth, risk_rows, signed_risk_table, surfaces,
};
use zkmargin_protocol::market::SignedRiskTable;
use zkmargin_protocol::pricing::scenario::SCENARIOS;
use zkmargin_protocol::value::units::Time;

use crate::narrative::{Narrative, took};
use crate::{Outcome, keep};

/// Loads the chains, prices every instrument in every scenario, has the oracle sign.
pub fn build(narrative: &mut Narrative, domain: Fr, out: &Path) -> Outcome<SignedRiskTable> {
    narrative.chapter("Market: Deribit options as recorded on 2026-02-08 at 15:34:49 UTC");
    let chain = chain()?;
    for (name, underlying) in [("Bitcoin", btc()), ("Ether", eth())] {
        let count = chain.keys().filter(|index| index.underlying() == underlying).count();
        let surfaces = surfaces(&chain)?;
        let surface = surfaces.iter().find(|surface| surface.underlying() == underlying);
        let expiries = surface.map_or(&[][..], |surface| surface.expiries());
        let [first, last] = [expiries.first(), expiries.last()]
            .map(|expiry| expiry.map_or(0, |expiry| expiry.forward.get() / 1_000));
        narrative.say(format_args!(
            "{name}: {count} options, {} expiries, forwards {first} to {last} USD",
            expiries.len()
        ));
    }
    let (rows, time) = narrative.timed("risk_table_s", || risk_rows(&chain));
    let rows = rows?;
    narrative.figure("instruments", rows.len());
    narrative.say(format_args!(
        "risk table: {} instruments x {SCENARIOS} scenarios by fixed-point Black-76 in {}",
        rows.len(),
        took(time)
    ));
    let table = signed_risk_table(&rows, domain, Time::new(SNAPSHOT_TIME_S)?)?;
    let signatures = table.attestation.signatures.iter().flatten().count();
    narrative.say(format_args!(
        "oracle: {signatures} of {} members signed risk root {}",
        table.oracle.keys().len(),
        table.attestation.message.risk_root
    ));
    narrative.figure("risk_root", table.attestation.message.risk_root.to_string());
    keep(out, "risk_table.json", serde_json::to_vec(&table)?)?;
    Ok(table)
}
