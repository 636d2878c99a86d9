//! Twin of `protocol::value::custody`: what L1 holds and what is missing.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::value::custody::Custody;
use zkmargin_protocol::value::units::CASH_BITS;

use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_zero;
use crate::gadgets::division::{Widths, div_floor};
use crate::gadgets::integer::Uint;
use crate::value::packing::pack;
use crate::{Cs, Wire};

/// Width in bits of a total.
pub const TOTAL_BITS: u32 = CASH_BITS - 1;

/// Totals of the header.
pub struct CustodyVar {
    /// Cash held on L1 before, 63 bits.
    pub held: Wire,
    /// Deficits counted before, 63 bits.
    pub deficit: Wire,
    /// Deficits counted after, 63 bits.
    pub deficit_after: Wire,
}

impl CustodyVar {
    /// Allocates the totals; `batch::custody` ties them to the batch.
    pub fn external(cs: &mut Cs, before: &Custody, deficit_after: i128) -> Self {
        let total = |total: i128| total.max(0) as u128;
        let mut ranged = |name, value| Uint::external(cs, name, value, TOTAL_BITS).lc().clone();
        let held = ranged("custody", total(before.held()));
        let deficit = ranged("deficit before", total(before.deficit()));
        let after = cs.under(Rule::Deficit, |cs| {
            let after = cs.witness("deficit after", Fr::from(total(deficit_after)));
            Uint::range_check(cs, "deficit after fits", &after, TOTAL_BITS);
            after
        });
        Self { held, deficit, deficit_after: after }
    }

    /// custody (63) ‖ deficit before (63) ‖ deficit after (63).
    pub fn word(&self) -> Wire {
        pack(&[
            (&self.held, TOTAL_BITS),
            (&self.deficit, TOTAL_BITS),
            (&self.deficit_after, TOTAL_BITS),
        ])
    }

    /// What leaves of a withdrawal of `amount`, 63 bits, rounded down: for those who stay.
    pub fn payout_floor(&self, cs: &mut Cs, amount: &Wire) -> Wire {
        cs.under(Rule::WithdrawalShare, |cs| {
            let whole = self.held.plus(&self.deficit);
            // Nothing held and nothing missing is all of nothing: what this batch brings may leave.
            let is_nothing = is_zero(cs, &whole);
            let held = self.held.plus(is_nothing.lc());
            let share = cs.product("share of a withdrawal", amount, &held);
            let widths = Widths { quotient: CASH_BITS, remainder: CASH_BITS };
            let whole = whole.plus(is_nothing.lc());
            div_floor(cs, "withdrawal is rounded down", &share, &whole, widths).lc().clone()
        })
    }
}

/// An amount accepted is no more than what leaves, in a withdrawal in use.
pub fn enforce_accepted(cs: &mut Cs, is_withdrawn: &Bool<Fr>, payout: &Wire, least: &Wire) {
    cs.under(Rule::WithdrawalShare, |cs| {
        let room = cs.product("room of a withdrawal", is_withdrawn.lc(), &payout.minus(least));
        Uint::range_check(cs, "what leaves is accepted", &room, CASH_BITS);
    });
}
