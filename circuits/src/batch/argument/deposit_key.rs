//! A deposit finds the keys and book of the account it names. Spec:
//! `docs/spec/batch/argument.md#identity-of-DepositKey`.

use zkmargin_protocol::Rule;
use zkmargin_protocol::value::units::ACCOUNT_BITS;

use super::multiplicities::Multiplicities;
use super::point::Point;
use super::tables::Tables;
use crate::gadgets::integer::power_of_two;
use crate::{Cs, sum};

/// The keys and the book found for every deposit are those of the account it names, and so is
/// whether the batch opens it.
pub fn enforce_deposit_keys(cs: &mut Cs, tables: &Tables, counts: &Multiplicities, point: &Point) {
    cs.under(Rule::DepositKey, |cs| {
        let mut asked = Vec::new();
        for deposit in &tables.deposits {
            let is_opening = deposit.found().is_opening();
            let place = deposit.account().plus_scaled(is_opening, power_of_two(ACCOUNT_BITS));
            let ([x, y, view_key], book) = (deposit.found().keys(), deposit.found().book());
            let key = point.compress(cs, &[&place, x, y, view_key, book]);
            asked.push(point.fraction(cs, deposit.is_active().lc(), &key));
        }
        let mut found = Vec::new();
        for (account, count) in tables.accounts.iter().zip(&counts.deposits) {
            let book = account.book().word();
            let [x, y, view_key] = account.old_keys().elements();
            let place =
                account.index().plus_scaled(account.is_new().lc(), power_of_two(ACCOUNT_BITS));
            let key = point.compress(cs, &[&place, x, y, view_key, &book]);
            found.push(point.fraction_if(cs, account.is_active(), count.lc(), &key));
        }
        let (asked, found) = (sum(&asked), sum(&found));
        cs.enforce_equal("deposits name the account's keys", &asked, &found);
    });
}
