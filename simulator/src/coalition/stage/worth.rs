//! What the coalition owns on a stage, and what others have lost.

use zkmargin_protocol::Reject;
use zkmargin_protocol::account::{INSURANCE_FUND, fee_account};
use zkmargin_protocol::ledger::state::State;

use super::{FUND_E6, OWN, Stage, of};

/// What others have lost to the coalition, micro-USDC; negative if they have gained.
#[derive(Clone, Copy, Debug)]
pub struct Losses {
    /// The insurance fund.
    pub fund: i128,
    /// Traders and depositors, at the marks.
    pub others: i128,
    /// The fee account, which gains the fees.
    pub fees: i128,
}

impl Stage<'_> {
    /// What an account is worth at the marks of the last table, micro-USDC.
    ///
    /// # Errors
    /// Those of the rules.
    pub fn equity(&self, number: u32) -> Result<i128, Reject> {
        Ok(self.margin(number)?.equity)
    }

    /// What the coalition's accounts are worth in `state` at the last marks: what it owns, and what
    /// it leaves unpaid. Both are at least zero.
    fn worth(&self, state: &State) -> Result<[i128; 2], Reject> {
        let mut worth = [0; 2];
        for number in OWN {
            let Some(account) = state.accounts().get(&of(number)) else { continue };
            let equity = self.market.margin_of(account)?.equity;
            worth[usize::from(equity < 0)] += equity.abs();
        }
        Ok(worth)
    }

    /// What the coalition owns and what it leaves unpaid, micro-USDC.
    ///
    /// # Errors
    /// Those of the rules.
    pub fn owned(&self) -> Result<[i128; 2], Reject> {
        self.worth(&self.state)
    }

    /// What it would own had it only held.
    ///
    /// # Errors
    /// Those of the rules.
    pub fn would_own(&self) -> Result<i128, Reject> {
        Ok(self.worth(&self.held)?[0])
    }

    /// Cash that it brought.
    pub fn brought(&self) -> i128 {
        self.own_e6
    }

    /// What everybody else has lost.
    ///
    /// # Errors
    /// Those of the rules.
    pub fn losses(&self) -> Result<Losses, Reject> {
        let mut losses = Losses { fund: FUND_E6, others: self.others_e6, fees: 0 };
        for (&index, account) in self.state.accounts() {
            let equity = self.market.margin_of(account)?.equity;
            match index {
                _ if OWN.contains(&index.get()) => {}
                INSURANCE_FUND => losses.fund -= equity,
                _ if index == fee_account() => losses.fees -= equity,
                _ => losses.others -= equity,
            }
        }
        Ok(losses)
    }
}
