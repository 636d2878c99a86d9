//! What a forced reduction relies on of others is so. Spec:
//! `docs/spec/batch/argument.md#identity-of-ForcedReduction`.

use zkmargin_protocol::Rule;

use super::instrument_spec::priced;
use super::multiplicities::Multiplicities;
use super::point::Point;
use super::tables::Tables;
use crate::gadgets::boolean::Bool;
use crate::ledger::forced::counterparty;
use crate::{Cs, sum};

/// What forced reductions say of their counterparties is so after the batch.
pub fn enforce_counterparties(
    cs: &mut Cs,
    tables: &Tables,
    counts: &Multiplicities,
    point: &Point,
) {
    cs.under(Rule::ForcedReduction, |cs| {
        let asked = cs.rows("two-sided accounts", &tables.two_sided, |cs, _, row| {
            let reduction = row.forced().reduction();
            let counterparty = reduction.counterparty();
            let key = point.compress(cs, &[&counterparty.word(), counterparty.excess()]);
            point.fraction(cs, reduction.is_asked(), &key)
        });
        let rows: Vec<_> = tables.accounts.iter().zip(&tables.margins).collect();
        let found = cs.rows("accounts", &rows, |cs, k, (account, margin)| {
            let is_frozen = match tables.two_sided_row(k) {
                Some(row) => row.liquidation().step().is_frozen().clone(),
                None => Bool::constant(cs, false),
            };
            let (flags, wide) = ([&is_frozen, account.is_full()], margin.claims().wide());
            let availability = counterparty::availability(account.book(), flags, wide);
            let word = counterparty::word(account.index(), &availability);
            let key = point.compress(cs, &[&word, margin.excess()]);
            point.fraction_if(cs, account.is_active(), counts.counterparties[k].lc(), &key)
        });
        let (asked, found) = (sum(&asked), sum(&found));
        cs.enforce_equal("counterparties are accounts of the batch", &asked, &found);
    });
}

/// Mark and forward of contracts that are held are those of their instrument, which is not settled:
/// settled positions are gone.
pub fn enforce_prices(cs: &mut Cs, tables: &Tables, counts: &Multiplicities, point: &Point) {
    cs.under(Rule::ForcedReduction, |cs| {
        let asked = cs.rows("two-sided accounts", &tables.two_sided, |cs, _, row| {
            let reduction = row.forced().reduction();
            let priced = priced(reduction.instrument(), reduction.forward());
            let key = point.compress(cs, &[&priced, reduction.mark()]);
            point.fraction(cs, reduction.is_held(), &key)
        });
        let rows: Vec<_> = tables.instruments.iter().zip(&counts.reductions).collect();
        let found = cs.rows("instruments", &rows, |cs, _, (row, count)| {
            let key = point.compress(cs, &[&priced(row.instrument(), row.forward()), row.mark()]);
            point.fraction_if(cs, row.is_active(), count.lc(), &key)
        });
        let (asked, found) = (sum(&asked), sum(&found));
        cs.enforce_equal("contracts are at the table's prices", &asked, &found);
    });
}
