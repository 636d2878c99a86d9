//! What an account short of its initial margin may still do. Spec:
//! `docs/spec/account/margin.md#RiskReduction`.

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};

use crate::account::margin::Margin;
use crate::account::positions::Positions;
use crate::value::packing::signed_field;
use crate::{Reject, Rule};

/// Width in bits of what two ratios of equity (below 2^78) to initial margin in 10^-12 USDC (below
/// 2^99) differ by, cross-multiplied.
pub const RATIO_BITS: u32 = 178;

/// An account, short of initial margin before and after, is left no worse, and no position has
/// grown. Both pairs are (before, after).
///
/// # Errors
/// [`Rule::RiskReduction`].
pub fn check(margin: [&Margin; 2], positions: [&Positions; 2]) -> Result<(), Reject> {
    check_excess(margin)?;
    check_ratio(margin)?;
    check_not_grown(Rule::RiskReduction, positions)
}

/// An account left short of initial margin has signed nothing in the batch if it was found below
/// maintenance margin: it signs its way out of that, or an auction does.
///
/// # Errors
/// [`Rule::Frozen`].
pub fn check_signed(before: &Margin, has_signed: bool) -> Result<(), Reject> {
    if has_signed && before.maintenance_excess_e12 < 0 {
        let what = "equity of an account that has signed and is left short of initial margin";
        let reject = Reject::new(Rule::Frozen, what, before.equity);
        return Err(reject.at_least(before.maintenance));
    }
    Ok(())
}

/// Whether [`check`] would find the margin no worse.
pub fn is_no_worse(margin: [&Margin; 2]) -> bool {
    check_excess(margin).is_ok() && check_ratio(margin).is_ok()
}

/// The account is short of initial margin by no more than before.
fn check_excess(margin: [&Margin; 2]) -> Result<(), Reject> {
    let [before, after] = margin.map(|margin| margin.initial_excess_e12);
    if after < before {
        let what = "excess over initial margin in 10^-12 USDC";
        return Err(Reject::new(Rule::RiskReduction, what, after).at_least(before));
    }
    Ok(())
}

/// Equity has not fallen, or no faster than initial margin: `E'·IM ≥ E·IM'`, exact.
///
/// Where the excess is no lower, the ratio is kept for E > 0 if and only if one of the two holds,
/// and equity for E ≤ 0: `docs/spec/account/margin.md#RiskReduction`.
fn check_ratio([before, after]: [&Margin; 2]) -> Result<(), Reject> {
    let product = |equity, initial| signed_field(equity) * signed_field(initial);
    let kept = product(after.equity, before.initial_e12());
    let gain: Fr = kept - product(before.equity, after.initial_e12());
    // A negative difference is a number near the modulus.
    let is_kept = gain.into_bigint().num_bits() <= RATIO_BITS;
    if after.equity < before.equity && !is_kept {
        let ratio = |margin: &Margin| format!("{}/{}", margin.equity, margin.initial);
        let what = "equity over initial margin";
        let reject = Reject::new(Rule::RiskReduction, what, ratio(after));
        return Err(reject.at_least(ratio(before)));
    }
    Ok(())
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
