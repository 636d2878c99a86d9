//! Accounts change by what was asked for, and as it was. Spec:
//! `docs/spec/batch/argument.md#identity-of-AccountRequests`.

use zkmargin_protocol::Rule;
use zkmargin_protocol::value::units::ACCOUNT_BITS;

use super::point::Point;
use super::tables::Tables;
use crate::gadgets::integer::power_of_two;
use crate::{Cs, shifted, sum};

/// The accounts whose keys or nonce base change are those that asked for it, and they change to
/// what was asked for.
pub fn enforce_requests(cs: &mut Cs, tables: &Tables, point: &Point) {
    cs.under(Rule::AccountRequests, |cs| {
        let mut asked = Vec::new();
        for request in &tables.requests {
            let [place, first, second, third] = request.action().change(cs, request.account());
            let key = point.compress(cs, &[&place, &first, &second, &third]);
            let is_asked = request.is_active().and(cs, request.action().changes_account());
            asked.push(point.fraction(cs, is_asked.lc(), &key));
        }
        let rows = tables.two_sided_accounts();
        let bid = cs.rows("two-sided accounts", &rows, |cs, _, (account, row)| {
            let row = row.liquidation();
            let place = shifted(cs, row.bid().bidder(), power_of_two(ACCOUNT_BITS + 1));
            let key = point.compress(cs, &[&place, &row.bid().word(cs, account.index())]);
            point.fraction(cs, row.step().is_bid().lc(), &key)
        });
        let changed = cs.rows("accounts", &tables.accounts, |cs, k, account| {
            let [x, y, view_key] = account.new_keys().elements();
            let rekeyed = point.compress(cs, &[account.index(), x, y, view_key]);
            let rekeyed = point.fraction(cs, account.is_rekeyed().lc(), &rekeyed);
            let nonces = account.nonces();
            let place = shifted(cs, account.index(), power_of_two(ACCOUNT_BITS));
            let cancelled = point.compress(cs, &[&place, nonces.new_base(), nonces.base()]);
            // A forced cancel-all is shown in the row itself.
            let is_asked = match tables.two_sided_row(k) {
                Some(row) => nonces.is_cancelled().minus(row.forced().is_voided()),
                None => nonces.is_cancelled().lc().clone(),
            };
            let cancelled = point.fraction(cs, &is_asked, &cancelled);
            let changed = rekeyed.plus(&cancelled);
            cs.product("changes of a row in use", account.is_active().lc(), &changed)
        });
        let (asked, changed) = (sum(&asked), sum(changed.iter().chain(&bid)));
        cs.enforce_equal("changes are those asked for", &asked, &changed);
    });
}
