//! What the batch makes of the totals of L1: cash that comes and leaves, deficits counted, what is
//! missing for its withdrawals.

use zkmargin_protocol::Rule;

use crate::account::AccountVar;
use crate::gadgets::comparator::is_zero;
use crate::gadgets::integer::Signed;
use crate::ledger::two_sided::TwoSidedVar;
use crate::operation::deposit::DepositVar;
use crate::operation::request::RequestVar;
use crate::value::custody::{CustodyVar, ShareVar};
use crate::{Cs, Wire, sum};

/// Width in bits of deficits less what the insurance fund has, sign included. Both have 64 bits,
/// and so has what each of a batch's withdrawals, fewer than 2^14, leaves to the fund.
const GAP_BITS: u32 = 80;

/// Cash that comes from L1.
pub fn deposited(deposits: &[DepositVar]) -> Wire {
    sum(deposits.iter().map(|deposit| deposit.credited().lc()))
}

impl CustodyVar {
    /// No more leaves than L1 holds; the deficits are those counted; and what is missing for
    /// withdrawals is what the insurance fund, whose row is then `first`, cannot pay of them.
    pub fn enforce_after(
        &self,
        cs: &mut Cs,
        share: &ShareVar,
        requests: &[RequestVar],
        two_sided: &[TwoSidedVar],
        first: &AccountVar,
    ) {
        let asked = requests.iter().map(|request| request.payout().lc());
        let forced = two_sided.iter().map(|row| row.forced().payout().lc());
        let left = sum(asked.chain(forced));
        let kept = requests.iter().map(|request| request.kept().lc());
        let kept = sum(kept.chain(two_sided.iter().map(|row| row.forced().kept().lc())));
        share.enforce_held(cs, &left);
        cs.under(Rule::Deficit, |cs| {
            let auctions = two_sided.iter().map(|row| row.liquidation());
            let changes = sum(auctions.map(|auction| auction.deficit_change().lc()));
            let after = self.deficit().plus(&changes);
            cs.enforce_equal("deficits are those counted", self.deficit_after(), &after);
            self.enforce_missing(cs, [&left, &kept], first);
        });
    }

    /// `max(0, D' - F)` in a batch with withdrawals and a deficit D' counted after it, else 0. F is
    /// the cash of the insurance fund less what the withdrawals leave to it.
    fn enforce_missing(&self, cs: &mut Cs, [left, kept]: [&Wire; 2], first: &AccountVar) {
        let (zero, one) = (cs.zero(), cs.one());
        // Neither factor is below zero, and the product is below 2^141: it is zero only if one of
        // them is.
        let withdrawn = left.plus(kept);
        let waiting = cs.product("withdrawn of a deficit", &withdrawn, self.deficit_after());
        let is_absent = one.minus(first.is_active());
        cs.enforce("the first account is in use", &waiting, &is_absent, &zero);
        cs.enforce("the first account is the fund", &waiting, first.index(), &zero);
        let is_waiting = is_zero(cs, &waiting).not(cs);
        let fund = first.new_cash().minus(kept);
        let gap = self.deficit_after().minus(&fund);
        let gap = cs.product("deficit beyond the fund", is_waiting.lc(), &gap);
        let gap = Signed::range_check(cs, "deficit beyond the fund fits", &gap, GAP_BITS);
        let missing = gap.plus(&gap.negative_part(cs));
        cs.enforce_equal("what is missing", self.missing(), &missing);
    }
}
