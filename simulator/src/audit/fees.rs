//! What the venue charges, and the tiers it grants.

use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::order::Side;
use zkmargin_protocol::value::units::{AccountIndex, Price, Tier};

use super::memory::Memory;
use super::observation::Step;
use super::{Finding, demand};

/// The tier an account had when the batch began; one that the batch opens is in the first.
fn tier(step: &Step, index: AccountIndex) -> Tier {
    step.opening.get(&index).map_or(Tier::MIN, |account| account.tier)
}

/// [`crate::invariants::Invariant::FeesWithinSchedule`]
pub fn fees_within_schedule(memory: &Memory, step: &Step) -> Finding {
    let Operation::Trade(trade) = step.operation else { return Ok(()) };
    let epoch = memory.epoch.as_ref().ok_or("a trade before any market data")?;
    let underlying = trade.buy.order.instrument.underlying();
    let forward = epoch.forwards.get(&underlying).ok_or("a trade without a forward")?;
    let schedule = &step.market.parameters().fees;
    let charged = |side: Side, account: AccountIndex, fee: Price| {
        let rates = schedule.tiers[usize::from(tier(step, account).get())];
        let rate = if trade.maker == side { rates.maker_ppm } else { rates.taker_ppm };
        let (charged, of_forward) = (i128::from(fee), i128::from(*forward) * i128::from(rate));
        demand!(
            charged * 1_000_000 <= of_forward,
            "{side:?} pays {fee} of {forward} at {rate} ppm"
        );
        let of_price = i128::from(trade.price) * i128::from(schedule.cap_permille);
        demand!(
            charged * 1_000 <= of_price,
            "{side:?} pays {fee} for an option at {}",
            trade.price
        );
        Ok(())
    };
    charged(Side::Buy, trade.buy.order.account, trade.buyer_fee)?;
    charged(Side::Sell, trade.sell.order.account, trade.seller_fee)
}

/// [`crate::invariants::Invariant::TierByGrant`]
pub fn tier_by_grant(_: &Memory, step: &Step) -> Finding {
    for (index, account) in step.after {
        let before = step.before.get(index).map_or(Tier::MIN, |account| account.tier);
        let granted = match step.operation {
            Operation::GrantTier(grant) if grant.account == *index => {
                demand!(grant.tier > before, "tier {} granted to {before}", grant.tier);
                grant.tier
            }
            _ => before,
        };
        demand!(account.tier == granted, "tier {} of {index}, not {granted}", account.tier);
    }
    Ok(())
}
