//! Look-ups by multiplicity: what one table says of a row of another is what stands there. Spec:
//! `docs/spec/argument.md#Keys` to `#ForcedReduction`.

use zkmargin_protocol::Rule;
use zkmargin_protocol::value::units::{ACCOUNT_BITS, INSTRUMENT_BITS, PRICE_BITS, TIER_BITS};

use super::{Multiplicities, Point, Tables};
use crate::gadgets::integer::power_of_two;
use crate::ledger::forced::counterparty;
use crate::ledger::forced::reduction::ForcedReductionVar;
use crate::market::fee_schedule::TierVar;
use crate::value::packing::pack;
use crate::{Cs, Wire, sum};

/// account (24) ‖ tier (2).
fn signer(account: &Wire, tier: &TierVar) -> Wire {
    pack(&[(account, ACCOUNT_BITS), (&tier.lc(), TIER_BITS)])
}

/// Every signature was checked against the key of the account it speaks for, and every trade
/// against its tier.
pub fn enforce_keys(cs: &mut Cs, tables: &Tables, counts: &Multiplicities, point: &Point) {
    cs.under(Rule::AccountExists, |cs| {
        let mut asked = Vec::new();
        for trade in &tables.trades {
            for order in [&trade.buy, &trade.sell] {
                let signer = signer(&order.account, &order.tier);
                let key = point.compress(cs, &[&signer, &order.key.x, &order.key.y]);
                asked.push(point.fraction(cs, trade.fill.is_active.lc(), &key));
            }
        }
        for request in &tables.requests {
            let signer = signer(&request.account, &request.tier);
            let key = point.compress(cs, &[&signer, &request.key.x, &request.key.y]);
            asked.push(point.fraction(cs, request.is_active.lc(), &key));
        }
        let mut found = Vec::new();
        for (account, count) in tables.accounts.iter().zip(&counts.signatures) {
            let [x, y, _] = account.old_keys.elements();
            let signer = signer(&account.index, &account.old_tier);
            let key = point.compress(cs, &[&signer, x, y]);
            found.push(point.fraction_if(cs, &account.is_active, count.lc(), &key));
        }
        let (asked, found) = (sum(&asked), sum(&found));
        cs.enforce_equal("keys are those of the accounts", &asked, &found);
    });
}

/// The keys and the book found for every deposit are those of the account it names, and so is
/// whether the batch opens it.
pub fn enforce_deposit_keys(cs: &mut Cs, tables: &Tables, counts: &Multiplicities, point: &Point) {
    cs.under(Rule::DepositKey, |cs| {
        let mut asked = Vec::new();
        for deposit in &tables.deposits {
            let place =
                deposit.account.plus_scaled(deposit.is_opening.lc(), power_of_two(ACCOUNT_BITS));
            let [x, y, view_key, book] = &deposit.found;
            let key = point.compress(cs, &[&place, x, y, view_key, book]);
            asked.push(point.fraction(cs, deposit.is_active.lc(), &key));
        }
        let mut found = Vec::new();
        for (account, count) in tables.accounts.iter().zip(&counts.deposits) {
            let book = account.book.bits();
            let [x, y, view_key] = account.old_keys.elements();
            let place = account.index.plus_scaled(account.is_new.lc(), power_of_two(ACCOUNT_BITS));
            let key = point.compress(cs, &[&place, x, y, view_key, &book]);
            found.push(point.fraction_if(cs, &account.is_active, count.lc(), &key));
        }
        let (asked, found) = (sum(&asked), sum(&found));
        cs.enforce_equal("deposits name the account's keys", &asked, &found);
    });
}

/// Every trade's specification and forward are those of its instrument.
pub fn enforce_specs(cs: &mut Cs, tables: &Tables, counts: &Multiplicities, point: &Point) {
    cs.under(Rule::InstrumentSpec, |cs| {
        let mut asked = Vec::new();
        for trade in &tables.trades {
            let fill = &trade.fill;
            let key = point.compress(cs, &[&priced(&fill.instrument, &fill.forward), &fill.spec]);
            asked.push(point.fraction(cs, trade.fill.is_active.lc(), &key));
        }
        let mut found = Vec::new();
        for (row, count) in tables.instruments.iter().zip(&counts.trades) {
            let key = point.compress(cs, &[&priced(&row.instrument, &row.forward), &row.spec]);
            found.push(point.fraction_if(cs, &row.is_active, count.lc(), &key));
        }
        let (asked, found) = (sum(&asked), sum(&found));
        cs.enforce_equal("specifications are those of the table", &asked, &found);
    });
}

/// What forced reductions say of their counterparties is so after the batch.
pub fn enforce_counterparties(
    cs: &mut Cs,
    tables: &Tables,
    counts: &Multiplicities,
    point: &Point,
) {
    cs.under(Rule::ForcedReduction, |cs| {
        let asked = cs.rows("two-sided accounts", &tables.forced, |cs, _, answer| {
            let ForcedReductionVar { is_asked, counterparty, .. } = &answer.reduction;
            let key = point.compress(cs, &[&counterparty.word(), &counterparty.excess]);
            point.fraction(cs, is_asked.lc(), &key)
        });
        let one_sided = tables.accounts.len() - tables.liquidations.len();
        let rows: Vec<_> = tables.accounts.iter().zip(&tables.excesses).collect();
        let found = cs.rows("accounts", &rows, |cs, k, (account, excess)| {
            let is_frozen = match k.checked_sub(one_sided) {
                Some(k) => tables.liquidations[k].step.is_frozen.lc().clone(),
                None => cs.zero(),
            };
            let flags = [&is_frozen, account.is_full.lc()];
            let wide = &tables.margins[k].wide;
            let standing = counterparty::standing(&account.book, flags, wide);
            let word = counterparty::word(&account.index, &standing);
            let key = point.compress(cs, &[&word, excess]);
            point.fraction_if(cs, &account.is_active, counts.counterparties[k].lc(), &key)
        });
        let (asked, found) = (sum(&asked), sum(&found));
        cs.enforce_equal("counterparties are accounts of the batch", &asked, &found);
    });
}

/// Mark and forward of contracts that are held are those of their instrument, which is not settled:
/// settled positions are gone.
pub fn enforce_prices(cs: &mut Cs, tables: &Tables, counts: &Multiplicities, point: &Point) {
    cs.under(Rule::ForcedReduction, |cs| {
        let asked = cs.rows("two-sided accounts", &tables.forced, |cs, _, answer| {
            let ForcedReductionVar { is_held, instrument, prices: [mark, forward], .. } =
                &answer.reduction;
            let key = point.compress(cs, &[&priced(instrument, forward), mark]);
            point.fraction(cs, is_held.lc(), &key)
        });
        let rows: Vec<_> = tables.instruments.iter().zip(&counts.reductions).collect();
        let found = cs.rows("instruments", &rows, |cs, _, (row, count)| {
            let key = point.compress(cs, &[&priced(&row.instrument, &row.forward), &row.mark]);
            point.fraction_if(cs, &row.is_active, count.lc(), &key)
        });
        let (asked, found) = (sum(&asked), sum(&found));
        cs.enforce_equal("contracts are at the table's prices", &asked, &found);
    });
}

/// instrument (16) ‖ forward (32).
fn priced(instrument: &Wire, forward: &Wire) -> Wire {
    pack(&[(instrument, INSTRUMENT_BITS), (forward, PRICE_BITS)])
}
