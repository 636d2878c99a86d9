//! Expired options: paid once, at what they are worth, by those who wrote them.

use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;

use super::memory::Memory;
use super::observation::{Holding, Step};
use super::parties::{parties, payoff};
use super::{Finding, demand};

/// [`crate::invariants::Invariant::SettledAtPayoff`]
pub fn settled_at_payoff(memory: &Memory, step: &Step) -> Finding {
    for index in parties(step.operation) {
        let Some(before) = step.before.get(&index) else { continue };
        let held = Holding::of(before);
        let mut expected = (std::collections::BTreeSet::new(), 0);
        if memory.fresh.contains(&index) {
            for (&instrument, quantity) in &held.contracts {
                if let Some((spec, price)) = memory.settled(step.market, instrument, step.time) {
                    expected.0.insert(instrument);
                    expected.1 += quantity * payoff(&spec, price);
                }
            }
        }
        let reported = step.settled.get(&index);
        let reported = reported.map(|s| (s.instruments.clone(), s.cash)).unwrap_or_default();
        demand!(reported == expected, "account {index} {reported:?}, expected {expected:?}");
    }
    if is_quiet(step.operation) {
        for (index, wanted) in memory.expected(step) {
            let found = step.after.get(&index).map(Holding::of).unwrap_or_default();
            demand!(found == wanted, "account {index} has {found:?}, expected {wanted:?}");
        }
    }
    Ok(())
}

/// Whether settlement is all that can move cash or contracts.
fn is_quiet(operation: &Operation) -> bool {
    match operation {
        Operation::Settle(_) | Operation::EndAuction(_) | Operation::GrantTier(_) => true,
        Operation::Request(signed) => {
            matches!(signed.request.action, Action::Rekey { .. } | Action::CancelAll { .. })
        }
        _ => false,
    }
}

/// [`crate::invariants::Invariant::SettledOnce`]
pub fn settled_once(memory: &Memory, step: &Step) -> Finding {
    for (&index, settlement) in step.settled {
        for instrument in &settlement.instruments {
            let Some(spec) = memory.specs.get(instrument) else {
                return Err(format!("{instrument} of account {index} was never listed"));
            };
            let count = memory.settlements.get(&(index, *spec)).copied().unwrap_or(0);
            demand!(count == 1, "{instrument} of account {index} settled {count} times");
        }
    }
    Ok(())
}

/// [`crate::invariants::Invariant::SettlementZeroSum`]
pub fn settlement_zero_sum(memory: &Memory, step: &Step) -> Finding {
    for (spec, paid) in &memory.paid {
        let Some(&price) = memory.prices.get(&(spec.underlying, spec.expiry)) else { continue };
        let held = step.after.values().flat_map(|account| account.positions.iter());
        let held = held.filter(|(index, _)| memory.specs.get(index) == Some(spec));
        let owed: i128 = held.map(|(_, q)| i128::from(q) * payoff(spec, price)).sum();
        demand!(paid.cash + owed == 0, "{} paid, {owed} still to pay of {spec:?}", paid.cash);
    }
    Ok(())
}
