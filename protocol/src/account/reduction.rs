//! What an account short of its initial margin may still do. Spec:
//! `docs/spec/account/margin.md#RiskReduction`.

use crate::account::margin::Margin;
use crate::account::positions::Positions;
use crate::{Reject, Rule};

/// An account, short of initial margin before and after, is left no worse: short by no more, and no
/// position has grown. Both pairs are (before, after).
///
/// # Errors
/// [`Rule::RiskReduction`].
pub fn check(margin: [&Margin; 2], positions: [&Positions; 2]) -> Result<(), Reject> {
    let [before, after] = margin.map(|margin| margin.initial_excess_e12);
    if after < before {
        let what = "excess over initial margin in 10^-12 USDC";
        return Err(Reject::new(Rule::RiskReduction, what, after).at_least(before));
    }
    check_not_grown(Rule::RiskReduction, positions)
}

/// No position is larger after than before, or on the other side.
///
/// # Errors
/// `rule`.
pub fn check_not_grown(rule: Rule, [before, after]: [&Positions; 2]) -> Result<(), Reject> {
    for (instrument, quantity) in after.iter() {
        let (held, left) = (before.quantity(instrument).get(), quantity.get());
        if held.signum() != left.signum() || held.abs() < left.abs() {
            let value = format_args!("{left} in instrument {instrument}");
            let reject = Reject::new(rule, "position", value);
            return Err(reject.within(held.min(0)..=held.max(0)));
        }
    }
    Ok(())
}
