//! What an accepted operation should do to its parties, by other arithmetic than the rules'.

use std::collections::BTreeMap;

use zkmargin_protocol::account::{INSURANCE_FUND, fee_account};
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::bid::{AuctionStep, Fill};
use zkmargin_protocol::operation::forced::ForcedAction;
use zkmargin_protocol::operation::forced::reduction::Reduction;
use zkmargin_protocol::operation::trade::Trade;
use zkmargin_protocol::value::units::{AccountIndex, InstrumentIndex};

use super::forced::taken;
use super::memory::Memory;
use super::observation::{Holding, Step};
use super::parties::{parties, payout};
use super::reduction::Outcome;

/// What the parties hold.
#[derive(Default)]
struct Holdings(BTreeMap<AccountIndex, Holding>);

impl Holdings {
    fn pay(&mut self, index: AccountIndex, cash: i128) {
        self.0.entry(index).or_default().cash += cash;
    }

    fn give(&mut self, index: AccountIndex, instrument: InstrumentIndex, change: i128) {
        self.0.entry(index).or_default().add(instrument, change);
    }

    fn trade(&mut self, trade: &Trade) {
        let (price, quantity) = (i128::from(trade.price), i128::from(trade.quantity));
        let [buyer_fee, seller_fee] = [trade.buyer_fee, trade.seller_fee].map(i128::from);
        let [buyer, seller] = [&trade.buy, &trade.sell].map(|signed| signed.order.account);
        self.pay(buyer, -quantity * (price + buyer_fee));
        self.pay(seller, quantity * (price - seller_fee));
        self.pay(fee_account(), quantity * (buyer_fee + seller_fee));
        self.give(buyer, trade.buy.order.instrument, quantity);
        self.give(seller, trade.buy.order.instrument, -quantity);
    }

    /// A fill of an auction; `payee` receives the price, or pays it if it is negative.
    fn fill(&mut self, fill: &Fill, payee: AccountIndex) {
        let [bidder, sold] = [fill.bidder, fill.bid.account];
        self.pay(bidder, fill.cash - fill.price);
        self.pay(sold, -fill.cash);
        self.pay(payee, fill.price);
        for (&instrument, share) in &fill.shares {
            self.give(bidder, instrument, share.get().into());
            self.give(sold, instrument, -i128::from(share.get()));
        }
    }

    fn reduce(&mut self, account: AccountIndex, outcome: &Outcome) {
        let Reduction { instrument, counterparty, .. } = outcome.terms;
        for (index, sign) in [(account, -1), (counterparty, 1)] {
            self.give(index, instrument, sign * outcome.contracts);
            self.pay(index, -sign * outcome.proceeds);
        }
    }

    fn request(&mut self, payer: AccountIndex, action: &Action, step: &Step) {
        match action {
            Action::Transfer { to, amount } => {
                self.pay(payer, -i128::from(*amount));
                self.pay(*to, (*amount).into());
            }
            Action::Withdrawal { amount, .. } => {
                self.pay(payer, -i128::from(*amount));
                let kept = i128::from(*amount) - payout((*amount).into(), step.custody);
                if kept != 0 {
                    self.pay(INSURANCE_FUND, kept);
                }
            }
            Action::Bid(bid) => {
                let Some(AuctionStep::Bid(fill)) = step.auction else { return };
                let was = step.opening.get(&bid.account).and_then(|account| account.auction);
                let is_insolvent = was.is_some_and(|auction| auction.is_insolvent);
                self.fill(fill, if is_insolvent { INSURANCE_FUND } else { bid.account });
            }
            Action::Rekey { .. } | Action::CancelAll { .. } => {}
        }
    }
}

impl Memory {
    /// What each party of an accepted operation should hold after it.
    pub fn expected(&self, step: &Step) -> BTreeMap<AccountIndex, Holding> {
        let all = parties(step.operation).into_iter();
        let mut held = Holdings(all.map(|k| (k, self.start(k, step.before))).collect());
        match (step.operation, step.auction) {
            (Operation::Deposit(deposit), _) => held.pay(deposit.account, deposit.amount.into()),
            (Operation::Trade(trade), _) => held.trade(trade),
            (Operation::StartAuction(account), Some(AuctionStep::Start { fee })) => {
                held.pay(*account, -fee);
                held.pay(INSURANCE_FUND, *fee);
            }
            (Operation::CountDeficit(account), Some(AuctionStep::Count { cover })) => {
                held.pay(*account, *cover);
                held.pay(INSURANCE_FUND, -cover);
            }
            (Operation::Forced(request), _) => match (request.action, self.reduction(step)) {
                (ForcedAction::Withdrawal { .. }, _) => {
                    let taken = taken(&self.start(request.account, step.before), step, request);
                    held.pay(request.account, -taken);
                    held.pay(INSURANCE_FUND, taken - payout(taken, step.custody));
                }
                (ForcedAction::Reduction(_), Some((index, outcome))) if outcome.is_done() => {
                    held.reduce(index, outcome);
                }
                _ => {}
            },
            (Operation::Request(signed), _) => {
                held.request(signed.request.account, &signed.request.action, step);
            }
            _ => {}
        }
        held.0
    }
}
