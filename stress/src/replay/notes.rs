//! What a replay notes of a step: who fell below zero, how everybody stands, the figures.

use zkmargin_protocol::account::INSURANCE_FUND;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::value::units::Time;

use super::Replay;
use crate::StressError;
use crate::bidders::Sale;
use crate::keeper;
use crate::standing::Standing;
use crate::tally::Moment;

impl Replay {
    /// Counts the accounts that the new table puts below zero, by how they stood, and those of them
    /// that could have been liquidated since they last covered their margin.
    pub(super) fn count_falls(&mut self, market: &Market) -> Result<(), StressError> {
        for (index, account) in self.venue.state.accounts() {
            let before = self.standings.get(index).copied().unwrap_or(Standing::Covered);
            if market.margin_of(account)?.equity < 0 && before != Standing::Negative {
                *self.tally.falls.entry(before).or_default() += 1;
                self.tally.avoidable += usize::from(self.neglected.contains(index));
            }
        }
        Ok(())
    }

    /// Notes how every account stands when the last round is over.
    pub(super) fn note_standings(
        &mut self,
        market: &Market,
        last: Time,
        is_outside: bool,
    ) -> Result<(), StressError> {
        let fund = i128::from(self.venue.account(INSURANCE_FUND)?.cash);
        for (&index, account) in self.venue.state.accounts() {
            let margin = market.margin_of(account)?;
            let standing = if margin.equity < 0 {
                Standing::Negative
            } else if margin.maintenance_excess_e12 >= 0 {
                Standing::Covered
            } else if account.auction.is_none() {
                Standing::NotStarted
            } else if is_outside {
                Standing::OutsideBand
            } else {
                let sale = Sale { index, account, market, time: last, fund };
                let abstention = keeper::abstention(&self.venue.state, sale, &self.bidders)?;
                abstention.map_or(Standing::Unserved, Standing::NoBidder)
            };
            if standing != Standing::Covered {
                *self.tally.waits.entry(standing).or_default() += 1;
            }
            if standing.is_undone() {
                self.neglected.insert(index);
            } else if matches!(standing, Standing::Covered | Standing::Negative) {
                self.neglected.remove(&index);
            }
            self.standings.insert(index, standing);
        }
        Ok(())
    }

    /// Notes price, auctions, fund and debts, and the open interest if it is the greatest so far.
    pub(super) fn note_moment(&mut self, market: &Market, time: Time) -> Result<(), StressError> {
        let price = self.feed.price_at(time)?;
        let (mut debt_e6, mut interest_e6) = (0, 0);
        for account in self.venue.state.accounts().values() {
            debt_e6 += (-market.margin_of(account)?.equity).max(0);
            let held = account.positions.iter().map(|(_, held)| i128::from(held).max(0));
            interest_e6 += held.sum::<i128>() * i128::from(price);
        }
        let fund_e6 = i128::from(self.venue.account(INSURANCE_FUND)?.cash);
        self.tally.interest_e6 = self.tally.interest_e6.max(interest_e6);
        let (auctions, deficit_e6) = (self.auctions(), self.venue.state.custody().deficit());
        let moment = Moment { time, price, auctions, fund_e6, debt_e6, deficit_e6 };
        self.tally.moments.push(moment);
        Ok(())
    }
}
