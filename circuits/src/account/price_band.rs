//! Twin of `protocol::account::price_band`, for the rows that show one side only.

use zkmargin_protocol::Rule;

use crate::Cs;
use crate::account::AccountVar;
use crate::value::header::HeaderVar;

/// While a forward is outside of its band, the account is left with no position, or with the very
/// words stored before the batch: nothing else can be told from one side.
pub fn enforce_one_sided(cs: &mut Cs, account: &AccountVar, header: &HeaderVar) {
    cs.under(Rule::PriceBand, |cs| {
        let [old, new] = [account.old_positions(), account.new_positions()];
        let zero = cs.zero();
        // Used slots come first: without a quantity in the first there is none.
        let is_outside = header.is_outside_band().lc();
        let held = cs.product("held after a jump", is_outside, new.slots()[0].quantity());
        for (new, old) in new.words().iter().zip(old.words()) {
            cs.enforce("positions are the same", &held, &new.minus(old), &zero);
        }
    });
}
