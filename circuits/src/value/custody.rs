//! Twin of `protocol::value::custody`: what L1 holds and what is missing.

use ark_bn254::Fr;
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::value::custody::{Custody, TOTALS};
use zkmargin_protocol::value::units::CASH_BITS;

use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_zero;
use crate::gadgets::division::{Widths, div_floor};
use crate::gadgets::integer::{Int, Uint};
use crate::value::packing::pack_as;
use crate::{Cs, Wire};

/// Width in bits of a total.
pub const TOTAL_BITS: u32 = CASH_BITS - 1;

/// Totals of the header.
#[derive(Getters)]
pub struct CustodyVar {
    /// Cash held on L1 before.
    held: Uint,
    /// Deficits counted before.
    deficit: Uint,
    /// Deficits counted after.
    deficit_after: Uint,
}

impl CustodyVar {
    /// Allocates the totals; `batch::custody` ties them to the batch.
    pub fn external(cs: &mut Cs, before: &Custody, deficit_after: i128) -> Self {
        let total = |total: i128| total.max(0) as u128;
        let held = Uint::external(cs, "custody", total(before.held()), TOTAL_BITS);
        let deficit = Uint::external(cs, "deficit before", total(before.deficit()), TOTAL_BITS);
        let deficit_after = cs.under(Rule::Deficit, |cs| {
            let after = cs.witness("deficit after", Fr::from(total(deficit_after)));
            Uint::range_check(cs, "deficit after fits", &after, TOTAL_BITS)
        });
        Self { held, deficit, deficit_after }
    }

    /// The totals of the header.
    pub fn word(&self) -> Uint {
        pack_as(&TOTALS, [&self.held, &self.deficit, &self.deficit_after])
    }

    /// No more leaves than L1 holds with what it has received.
    pub fn enforce_held(&self, cs: &mut Cs, received: &Wire, left: &Wire) {
        cs.under(Rule::Custody, |cs| {
            let held = self.held.plus(received).minus(left);
            Uint::range_check(cs, "no more leaves than is held", &held, TOTAL_BITS);
        });
    }

    /// What leaves of a withdrawal of `amount`, rounded down: for those who stay.
    pub fn payout_floor(&self, cs: &mut Cs, amount: &Uint) -> Uint {
        cs.under(Rule::WithdrawalShare, |cs| {
            let whole = self.held.plus(&self.deficit);
            // Nothing held and nothing missing is all of nothing: what this batch brings may leave.
            let is_nothing = is_zero(cs, &whole);
            let held = self.held.plus(is_nothing.lc());
            let share = cs.product("share of a withdrawal", amount, &held);
            let widths = Widths { quotient: CASH_BITS, remainder: CASH_BITS };
            let whole = whole.plus(is_nothing.lc());
            // Neither the share nor what it is divided by is below zero.
            let payout = div_floor(cs, "withdrawal is rounded down", &share, &whole, widths);
            payout.to_uint_unchecked()
        })
    }
}

/// An amount accepted is no more than what leaves, in a withdrawal in use.
pub fn enforce_accepted(cs: &mut Cs, is_withdrawn: &Bool, payout: &Uint, least: &Int) {
    cs.under(Rule::WithdrawalShare, |cs| {
        let room = cs.product("room of a withdrawal", is_withdrawn.lc(), &payout.minus(least));
        Uint::range_check(cs, "what leaves is accepted", &room, CASH_BITS);
    });
}
