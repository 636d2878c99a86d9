//! What rows that may not grow hold after the batch. Spec:
//! `docs/spec/batch/argument.md#identity-of-RiskReduction`.

use zkmargin_protocol::Rule;

use super::ledger::Holdings;
use super::point::Point;
use super::tables::Tables;
use crate::{Cs, sum};

/// A reducing row, and any while a forward is outside of its band, holds after the batch what it
/// keeps of its slots before it, and nothing else; one whose forced reduction is refused, what it
/// held before.
pub fn enforce_reductions(cs: &mut Cs, tables: &Tables, holdings: &[Holdings], point: &Point) {
    let holdings = &holdings[tables.one_sided()..];
    let rows: Vec<_> = tables.two_sided_accounts().into_iter().zip(holdings).collect();
    let differences = cs.under(Rule::RiskReduction, |cs| {
        cs.rows("two-sided accounts", &rows, |cs, _, ((account, row), held)| {
            let before = row.before();
            let shift = point.compress(cs, &[&cs.zero(), account.index()]);
            let mut kept = Vec::new();
            for (slot, quantity) in before.slots().iter().zip(before.kept()) {
                kept.push(point.fraction(cs, quantity, &slot.instrument().plus(&shift)));
            }
            let difference = held.after.minus(&sum(&kept));
            let zero = cs.zero();
            let is_reducing = before.is_reducing().lc();
            cs.enforce("no position has grown", is_reducing, &difference, &zero);
            difference
        })
    });
    cs.under(Rule::ForcedReduction, |cs| {
        let rows: Vec<_> = tables.two_sided.iter().zip(holdings).collect();
        cs.rows("two-sided accounts", &rows, |cs, _, (row, held)| {
            let (change, zero) = (held.after.minus(&held.before), cs.zero());
            let is_refused = row.forced().reduction().is_refused();
            cs.enforce("positions stay where contracts do", is_refused, &change, &zero);
        });
    });
    cs.under(Rule::PriceBand, |cs| {
        let rows: Vec<_> = tables.two_sided.iter().zip(&differences).collect();
        cs.rows("two-sided accounts", &rows, |cs, _, (row, difference)| {
            let (is_outside, zero) = (tables.is_outside_band.lc(), cs.zero());
            // Positions that stay do not grow, and the row then shows others before the batch.
            let is_shown = row.forced().reduction().is_refused().not(cs);
            let is_watched = cs.product("row outside of the band", is_outside, &is_shown);
            cs.enforce("no position has grown after a jump", &is_watched, difference, &zero);
        });
    });
}
