//! Market data: prices that stay, contracts that stay, jumps that are declared.

use std::collections::BTreeSet;

use zkmargin_protocol::market::risk_parameters::RiskParameters;
use zkmargin_protocol::value::units::{Time, Underlying};

use super::margin::ONE_PPM;
use super::memory::Memory;
use super::observation::Seal;
use super::parties::payoff;
use super::{Finding, demand};
use crate::feed::{Epoch, MAX_AGE_S};

/// [`crate::invariants::Invariant::OracleForward`]
pub fn oracle_forward(memory: &Memory, seal: &Seal) -> Finding {
    let message = &seal.market.attestation().message;
    let (before, now) = (memory.clock, seal.after.clock);
    demand!(now == message.clock(), "the state is at {now:?}");
    let is_forward = now.epoch >= before.epoch && now.time >= before.time;
    demand!(is_forward, "the oracle went from {before:?} to {now:?}");
    let is_one = now.epoch != before.epoch || now.time == before.time;
    demand!(is_one, "epoch {} has two times", now.epoch);
    let (time_s, data_s) = (seal.trace.time.get(), message.time.get());
    let is_fresh = data_s <= time_s + 5 && time_s <= data_s + u64::from(MAX_AGE_S);
    demand!(is_fresh, "data of {data_s} in a batch of {time_s}");
    Ok(())
}

/// [`crate::invariants::Invariant::SettlementPriceFixed`]
pub fn settlement_price_fixed(memory: &Memory, epoch: &Epoch) -> Finding {
    for (key, price) in &epoch.settlements {
        let old = memory.prices.get(key).unwrap_or(price);
        demand!(old == price, "{key:?} settled at {old}, then at {price}");
        let samples = epoch.samples.get(key);
        let sum: i128 = samples.map_or(0, |all| all.values().map(|p| i128::from(*p)).sum());
        let count = samples.map_or(0, |all| all.len() as i128).max(1);
        let mean = (2 * sum + count).div_euclid(2 * count);
        demand!(mean == i128::from(*price), "{key:?} settled at {price}, the mean is {mean}");
    }
    for row in epoch.market.rows().values().filter(|row| row.is_settled) {
        let Some(price) = epoch.settlements.get(&(row.spec.underlying, row.spec.expiry)) else {
            return Err(format!("{} is settled without a price", row.instrument));
        };
        let paid = i128::from(row.mark);
        demand!(paid == payoff(&row.spec, *price), "{} pays {paid}", row.instrument);
    }
    Ok(())
}

/// [`crate::invariants::Invariant::SpecFixed`]
pub fn spec_fixed(memory: &Memory, epoch: &Epoch) -> Finding {
    for index in &memory.holders {
        let old = memory.specs.get(index);
        let new = epoch.registry.get(index);
        demand!(old == new, "{index} was {old:?} and is {new:?}");
    }
    for row in epoch.market.rows().values() {
        let listed = epoch.registry.get(&row.instrument);
        demand!(listed == Some(&row.spec), "row of {} is of {listed:?}", row.instrument);
    }
    Ok(())
}

/// Expiries to come.
fn expiries(epoch: &Epoch, underlying: Underlying) -> BTreeSet<Time> {
    let now = epoch.market.attestation().message.time;
    let specs = epoch.registry.values().filter(|spec| spec.underlying == underlying);
    specs.map(|spec| spec.expiry).filter(|expiry| *expiry > now).collect()
}

/// [`crate::invariants::Invariant::BandDeclared`]
pub fn band_declared(memory: &Memory, epoch: &Epoch) -> Finding {
    let Some(before) = &memory.epoch else { return Ok(()) };
    let band_ppm = i128::from(RiskParameters::reference().band_ppm);
    let has_left = |(underlying, new): (&_, &_)| {
        let Some(old) = before.forwards.get(underlying) else { return false };
        let (old, new) = (i128::from(*old), i128::from(*new));
        // A forward is that of an expiry: where none is to come in both epochs, there is nothing to
        // compare.
        let (was, is) = (expiries(before, *underlying), expiries(epoch, *underlying));
        !was.is_disjoint(&is) && (new - old).abs() * ONE_PPM > old * band_ppm
    };
    let expected = epoch.forwards.iter().any(has_left);
    let found = epoch.market.attestation().message.is_outside_band;
    demand!(found == expected, "declared {found}, expected {expected}");
    Ok(())
}
