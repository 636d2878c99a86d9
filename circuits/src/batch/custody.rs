//! What the batch makes of the totals of L1: cash that comes and leaves, deficits counted.

use zkmargin_protocol::Rule;

use crate::account::AccountVar;
use crate::gadgets::integer::Uint;
use crate::ledger::forced::ForcedVar;
use crate::ledger::liquidation::LiquidationVar;
use crate::operation::deposit::DepositVar;
use crate::operation::request::RequestVar;
use crate::value::custody::{CustodyVar, TOTAL_BITS};
use crate::{Cs, sum};

impl CustodyVar {
    /// No more leaves than L1 holds; the deficits are those counted; and what is counted in this
    /// batch is what an empty insurance fund, whose row is then `first`, could not give.
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
