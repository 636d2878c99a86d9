//! Every signature was checked against its account's key. Spec:
//! `docs/spec/batch/argument.md#identity-of-Keys`.

use zkmargin_protocol::Rule;

use super::multiplicities::Multiplicities;
use super::point::Point;
use super::tables::Tables;
use crate::gadgets::integer::Uint;
use crate::market::fee_schedule::TierVar;
use crate::value::packing::pack;
use crate::{Cs, sum};

/// account (24) ‖ tier (2).
fn signer(account: &Uint, tier: &TierVar) -> Uint {
    pack(&[account, &tier.number()])
}

/// Every signature was checked against the key of the account it speaks for, and every trade
/// against its tier.
pub fn enforce_keys(cs: &mut Cs, tables: &Tables, counts: &Multiplicities, point: &Point) {
    cs.under(Rule::AccountExists, |cs| {
        let mut asked = Vec::new();
        for trade in &tables.trades {
            for order in [trade.buy(), trade.sell()] {
                let signer = signer(order.account(), order.tier());
                let key = point.compress(cs, &[&signer, &order.key().x, &order.key().y]);
                asked.push(point.fraction(cs, trade.fill().is_active().lc(), &key));
            }
        }
        for request in &tables.requests {
            let signer = signer(request.account(), request.tier());
            let key = point.compress(cs, &[&signer, &request.key().x, &request.key().y]);
            asked.push(point.fraction(cs, request.is_active().lc(), &key));
        }
        let mut found = Vec::new();
        for (account, count) in tables.accounts.iter().zip(&counts.signatures) {
            let [x, y, _] = account.old_keys().elements();
            let signer = signer(account.index(), account.old_tier());
            let key = point.compress(cs, &[&signer, x, y]);
            found.push(point.fraction_if(cs, account.is_active(), count.lc(), &key));
        }
        let (asked, found) = (sum(&asked), sum(&found));
        cs.enforce_equal("keys are those of the accounts", &asked, &found);
    });
}
