//! What auctions do to the accounts of a batch. Spec: `docs/spec/ledger/liquidation.md`.

use crate::account::auction::{self, Auction, Started};
use crate::account::margin::Margin;
use crate::account::{Account, INSURANCE_FUND};
use crate::ledger::transition::Ledger;
use crate::operation::bid::{AuctionStep, Bid, Offer};
use crate::value::custody::Custody;
use crate::value::units::{AccountIndex, Cash};
use crate::{Reject, Rule};

/// An account as the batch found it, with its margin then.
struct Found {
    account: Account,
    margin: Margin,
}

impl Ledger<'_> {
    /// The account was in no auction before the batch and is put up for none in it.
    pub(crate) fn check_not_frozen(&self, index: AccountIndex) -> Result<(), Reject> {
        let found = self.opening.get(&index).and_then(|opening| opening.account.as_ref());
        let was_frozen = found.is_some_and(|account| account.auction.is_some());
        if was_frozen || self.steps.contains_key(&index) {
            return Err(Reject::because(Rule::Frozen, "the account is in auction").of(index));
        }
        Ok(())
    }

    /// An account of the state as the batch found it.
    pub(crate) fn found(&self, index: AccountIndex) -> Result<Account, Reject> {
        let found = self.opening.get(&index).and_then(|opening| opening.account.clone());
        let sentence = "the account did not exist before the batch";
        found.ok_or_else(|| Reject::because(Rule::AccountExists, sentence).of(index))
    }

    /// An account of the state as the batch found it, and its margin then.
    fn found_margin(&self, index: AccountIndex) -> Result<Found, Reject> {
        let account = self.found(index)?;
        let margin = self.market.margin_of(&account)?;
        Ok(Found { account, margin })
    }

    /// The batch before was proven under the same parameters: a change of them gives every account
    /// one batch to answer.
    fn check_same_parameters(&self, index: AccountIndex) -> Result<(), Reject> {
        if self.state.parameters() != self.market.parameters().hash() {
            let sentence = "no auction starts in the first batch under new parameters";
            return Err(Reject::because(Rule::ParameterChange, sentence).of(index));
        }
        Ok(())
    }

    /// An account's auction takes one step a batch, and none in that of a forced request.
    fn take_step(&mut self, index: AccountIndex, step: AuctionStep) -> Result<(), Reject> {
        self.judge(self.check_not_forced(index))?;
        if self.steps.contains_key(&index) {
            let sentence = "its auction has already taken a step in the batch";
            return Err(Reject::because(Rule::AuctionPhase, sentence).of(index));
        }
        self.steps.insert(index, step);
        Ok(())
    }

    pub(crate) fn start_auction(&mut self, index: AccountIndex) -> Result<(), Reject> {
        let Found { account: found, margin } = self.found_margin(index)?;
        if index == INSURANCE_FUND {
            let sentence = "the insurance fund enters no auction";
            self.judge(Err(Reject::because(Rule::AuctionStart, sentence).of(index)))?;
        }
        if self.account(index)?.nonces != found.nonces {
            let sentence = "the account has signed in the batch";
            self.judge(Err(Reject::because(Rule::Frozen, sentence).of(index)))?;
        }
        let parameters = &self.market.parameters().auction;
        let auction = found.auction.as_ref();
        if auction.is_none() {
            self.judge(self.check_same_parameters(index))?;
        }
        self.judge(auction::check_start(auction, &margin, parameters))?;
        let Started { auction, fee } = auction::start(auction, &margin, parameters, self.time)?;
        self.take_step(index, AuctionStep::Start { fee })?;
        self.set_auction(index, Some(auction))?;
        self.add_cash(index, -fee)?;
        self.add_cash(INSURANCE_FUND, fee)
    }

    pub(crate) fn end_auction(&mut self, index: AccountIndex) -> Result<(), Reject> {
        let Found { account: found, margin } = self.found_margin(index)?;
        let parameters = &self.market.parameters().auction;
        self.judge(auction::check_end(found.auction.as_ref(), &margin, parameters))?;
        self.take_step(index, AuctionStep::End)?;
        self.set_auction(index, None)
    }

    /// The legs of a bid: contracts and cash of both sides; of an account without equity the fund
    /// pays the price.
    pub(crate) fn bid(&mut self, bidder: AccountIndex, bid: &Bid) -> Result<(), Reject> {
        let Found { account: found, margin } = self.found_margin(bid.account)?;
        let parameters = &self.market.parameters().auction;
        let offer = Offer::new(&found, &margin, parameters, self.time)?;
        self.judge(bid.check_phase(&offer))?;
        self.judge(bid.check_fraction(&offer))?;
        self.judge(bid.check_price(&offer))?;
        let fill = bid.fill(bidder, &offer)?;
        for (&instrument, &share) in &fill.shares {
            self.take_position(bid.account, instrument, share)?;
            self.add_position(bidder, instrument, share)?;
        }
        self.add_cash(bidder, fill.cash - fill.price)?;
        self.add_cash(bid.account, -fill.cash)?;
        if let Some(auction) = found.auction {
            let payee = if auction.is_insolvent { INSURANCE_FUND } else { bid.account };
            self.add_cash(payee, fill.price)?;
            self.set_auction(bid.account, Some(auction.after_bid(margin.equity, fill.price)?))?;
        }
        self.take_step(bid.account, AuctionStep::Bid(fill))
    }

    /// The fund gives what it has, up to the deficit; the rest is counted.
    pub(crate) fn count_deficit(&mut self, index: AccountIndex) -> Result<(), Reject> {
        let Found { account: found, margin } = self.found_margin(index)?;
        let equity = i128::from(Cash::try_from(margin.equity)?);
        self.judge(auction::check_count(found.auction.as_ref(), equity))?;
        let fund = i128::from(self.account(INSURANCE_FUND)?.cash);
        let cover = fund.clamp(0, (-equity).max(0));
        let reserve = Cash::try_from((-equity).max(0) - cover)?;
        self.take_step(index, AuctionStep::Count { cover })?;
        self.add_cash(INSURANCE_FUND, -cover)?;
        self.add_cash(index, cover)?;
        self.set_auction(index, found.auction.map(|auction| Auction { reserve, ..auction }))
    }

    /// No deficit is counted in the batch while the insurance fund has cash.
    ///
    /// # Errors
    /// [`Rule::Deficit`].
    pub(crate) fn check_deficits(&self) -> Result<(), Reject> {
        let is_counted = |(index, step): (&AccountIndex, &AuctionStep)| {
            let auction = self.account(*index).ok().and_then(|account| account.auction);
            matches!(step, AuctionStep::Count { .. }) && auction.is_some_and(|a| a.counted() > 0)
        };
        if self.steps.iter().any(is_counted) {
            let fund = self.account(INSURANCE_FUND)?.cash;
            if fund != Cash::default() {
                let reject = Reject::new(Rule::Deficit, "cash beside a counted deficit", fund);
                return self.judge(Err(reject.only(0).of(INSURANCE_FUND)));
            }
        }
        Ok(())
    }

    /// Of a withdrawal its share of what L1 holds leaves, the rest is for the insurance fund.
    pub(crate) fn withdraw(&mut self, amount: Cash, least: Option<Cash>) -> Result<(), Reject> {
        let payout = self.state.custody().payout_floor(amount);
        let least = least.unwrap_or(amount);
        if payout < least {
            let reject = Reject::new(Rule::WithdrawalShare, "payout of the withdrawal", payout);
            self.judge(Err(reject.at_least(least)))?;
        }
        self.received -= i128::from(payout);
        let kept = i128::from(amount) - i128::from(payout);
        if kept == 0 { Ok(()) } else { self.add_cash(INSURANCE_FUND, kept) }
    }

    /// What L1 holds after the batch and the deficits counted then.
    ///
    /// # Errors
    /// [`Rule::Custody`], [`Rule::Deficit`].
    pub(crate) fn custody(&self) -> Result<Custody, Reject> {
        let counted = |account: &Account| account.auction.map_or(0, |auction| auction.counted());
        let change = |(index, new): (&AccountIndex, &Account)| {
            counted(new) - self.state.accounts().get(index).map_or(0, counted)
        };
        let counted = self.touched.iter().map(change).sum();
        let after = self.state.custody().after(self.received, counted);
        after.or_else(|reject| self.judge(Err(reject)).map(|()| self.state.custody()))
    }

    fn set_auction(&mut self, index: AccountIndex, auction: Option<Auction>) -> Result<(), Reject> {
        let account = Account { auction, ..self.account(index)?.clone() };
        self.touched.insert(index, account);
        Ok(())
    }
}
