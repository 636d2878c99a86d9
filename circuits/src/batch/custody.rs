//! What the batch makes of the totals of L1: cash that comes and leaves, deficits counted.

use zkmargin_protocol::Rule;

use crate::account::AccountVar;
use crate::ledger::two_sided::TwoSidedVar;
use crate::operation::deposit::DepositVar;
use crate::operation::request::RequestVar;
use crate::value::custody::CustodyVar;
use crate::{Cs, sum};

impl CustodyVar {
    /// No more leaves than L1 holds; the deficits are those counted; and what is counted in this
    /// batch is what an empty insurance fund, whose row is then `first`, could not give.
    pub fn enforce_after(
        &self,
        cs: &mut Cs,
        deposits: &[DepositVar],
        requests: &[RequestVar],
        two_sided: &[TwoSidedVar],
        first: &AccountVar,
    ) {
        let received = sum(deposits.iter().map(|deposit| deposit.credited().lc()));
        let asked = requests.iter().map(|request| request.payout().lc());
        let forced = two_sided.iter().map(|row| row.forced().payout().lc());
        self.enforce_held(cs, &received, &sum(asked.chain(forced)));
        cs.under(Rule::Deficit, |cs| {
            let auctions = two_sided.iter().map(|row| row.liquidation());
            let changes = sum(auctions.clone().map(|auction| auction.deficit_change().lc()));
            let after = self.deficit().plus(&changes);
            cs.enforce_equal("deficits are those counted", self.deficit_after(), &after);
            let counted = sum(auctions.map(|auction| auction.deficit_counted().lc()));
            let (zero, one) = (cs.zero(), cs.one());
            let is_missing = one.minus(first.is_active());
            cs.enforce("the first account is in use", &counted, &is_missing, &zero);
            cs.enforce("the first account is the fund", &counted, first.index(), &zero);
            cs.enforce("the fund is empty", &counted, first.new_cash(), &zero);
        });
    }
}
