//! Twin of `protocol::custody`: what L1 holds and what is missing.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::ledger::custody::Custody;
use zkmargin_protocol::value::units::CASH_BITS;

use crate::account::AccountVar;
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_zero;
use crate::gadgets::division::{Widths, div_floor};
use crate::gadgets::integer::Uint;
use crate::ledger::forced::ForcedVar;
use crate::ledger::liquidation::LiquidationVar;
use crate::operation::deposit::DepositVar;
use crate::operation::request::RequestVar;
use crate::value::packing::pack;
use crate::{Cs, Wire, sum};

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
    /// Allocates the totals; [`Self::enforce_after`] ties them to the batch.
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

    /// No more leaves than L1 holds; the deficits are those counted; and what is counted in this batch is what an empty
    /// insurance fund, whose row is then `first`, could not give.
    pub fn enforce_after(
        &self,
        cs: &mut Cs,
        (deposits, requests, forced): (&[DepositVar], &[RequestVar], &[ForcedVar]),
        liquidations: &[LiquidationVar],
        first: &AccountVar,
    ) {
        cs.under(Rule::Custody, |cs| {
            let received = sum(deposits.iter().map(|deposit| &deposit.credited));
            let asked = requests.iter().map(|request| &request.payout);
            let left = sum(asked.chain(forced.iter().map(|answer| &answer.payout)));
            let held = self.held.plus(&received).minus(&left);
            Uint::range_check(cs, "no more leaves than is held", &held, TOTAL_BITS);
        });
        cs.under(Rule::Deficit, |cs| {
            let changes = sum(liquidations.iter().map(|row| &row.deficit_change));
            let after = self.deficit.plus(&changes);
            cs.enforce_equal("deficits are those counted", &self.deficit_after, &after);
            let counted = sum(liquidations.iter().map(|row| &row.deficit_counted));
            let (zero, one) = (cs.zero(), cs.one());
            let is_missing = one.minus(first.is_active.lc());
            cs.enforce("the first account is in use", &counted, &is_missing, &zero);
            cs.enforce("the first account is the fund", &counted, &first.index, &zero);
            cs.enforce("the fund is empty", &counted, &first.new_cash, &zero);
        });
    }
}

/// An amount accepted is no more than what leaves, in a withdrawal in use.
pub fn enforce_accepted(cs: &mut Cs, is_withdrawn: &Bool<Fr>, payout: &Wire, least: &Wire) {
    cs.under(Rule::WithdrawalShare, |cs| {
        let room = cs.product("room of a withdrawal", is_withdrawn.lc(), &payout.minus(least));
        Uint::range_check(cs, "what leaves is accepted", &room, CASH_BITS);
    });
}
