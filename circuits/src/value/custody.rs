//! Twin of `protocol::value::custody`: what L1 holds and what is missing.

use ark_bn254::Fr;
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::statement::Header;
use zkmargin_protocol::value::custody::TOTALS;
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
    /// Deficits that the insurance fund cannot pay, in a batch with withdrawals.
    missing: Uint,
}

impl CustodyVar {
    /// Allocates the totals; `batch::custody` ties them to the batch.
    pub fn external(cs: &mut Cs, header: &Header) -> Self {
        let total = |total: i128| total.max(0) as u128;
        let (held, deficit) = (header.custody.held(), header.custody.deficit());
        let held = Uint::external(cs, "custody", total(held), TOTAL_BITS);
        let deficit = Uint::external(cs, "deficit before", total(deficit), TOTAL_BITS);
        let missing = Uint::external(cs, "missing", total(header.missing), TOTAL_BITS);
        let deficit_after = cs.under(Rule::Deficit, |cs| {
            let after = cs.witness("deficit after", Fr::from(total(header.deficit_after)));
            Uint::range_check(cs, "deficit after fits", &after, TOTAL_BITS)
        });
        Self { held, deficit, deficit_after, missing }
    }

    /// The totals of the header.
    pub fn word(&self) -> Uint {
        let CustodyVar { held, deficit, deficit_after, missing } = self;
        pack_as(&TOTALS, [held, deficit, deficit_after, missing])
    }

    /// What withdrawals of the batch get, whose deposits are `deposited`.
    pub fn share(&self, cs: &mut Cs, deposited: &Wire) -> ShareVar {
        let held = cs.under(Rule::Custody, |cs| {
            let held = self.held.plus(deposited);
            Uint::range_check(cs, "what is held with deposits fits", &held, TOTAL_BITS)
        });
        cs.under(Rule::WithdrawalShare, |cs| {
            // Nothing held and nothing missing is all of nothing.
            let is_nothing = is_zero(cs, &held.plus(&self.missing));
            let part = held.plus(is_nothing.lc());
            let whole = part.plus(&self.missing);
            // Two totals below 2^63, and one more only where both are zero.
            let [part, whole] = [part, whole].map(|lc| Uint::new_unchecked(lc, CASH_BITS));
            ShareVar { held, part, whole }
        })
    }
}

/// What a withdrawal gets of its amount: `part/whole`.
#[derive(Getters)]
pub struct ShareVar {
    /// Cash held on L1 with the batch's deposits.
    held: Uint,
    part: Uint,
    whole: Uint,
}

impl ShareVar {
    /// What leaves of a withdrawal of `amount`, rounded down: for those who stay.
    pub fn payout_floor(&self, cs: &mut Cs, amount: &Uint) -> Uint {
        cs.under(Rule::WithdrawalShare, |cs| {
            let share = cs.product("share of a withdrawal", amount, &self.part);
            let widths = Widths { quotient: CASH_BITS, remainder: CASH_BITS };
            // Neither the share, below 2^127, nor what it is divided by, 1 to 2^64, is below zero.
            let payout = div_floor(cs, "withdrawal is rounded down", &share, &self.whole, widths);
            payout.to_uint_unchecked()
        })
    }

    /// No more leaves than L1 holds with what it has received.
    pub fn enforce_held(&self, cs: &mut Cs, left: &Wire) {
        cs.under(Rule::Custody, |cs| {
            let held = self.held.minus(left);
            Uint::range_check(cs, "no more leaves than is held", &held, TOTAL_BITS);
        });
    }
}

/// An amount accepted is no more than what leaves, in a withdrawal in use.
pub fn enforce_accepted(cs: &mut Cs, is_withdrawn: &Bool, payout: &Uint, least: &Int) {
    cs.under(Rule::WithdrawalShare, |cs| {
        let room = cs.product("room of a withdrawal", is_withdrawn.lc(), &payout.minus(least));
        Uint::range_check(cs, "what leaves is accepted", &room, CASH_BITS);
    });
}
