//! What the auditor remembers.

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::Fr;
use zkmargin_protocol::crypto::eddsa::PublicKey;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::market::oracle::OracleClock;
use zkmargin_protocol::market::parameters::BatchParameters;
use zkmargin_protocol::market::settlement_price::Settlements;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::bid::AuctionStep;
use zkmargin_protocol::operation::forced::{ForcedAction, ForcedRequest};
use zkmargin_protocol::value::units::{AccountIndex, InstrumentIndex, Nonce, Price, Time};

use super::forced::taken;
use super::observation::{Accounts, Holding, Step};
use super::parties::{parties, payoff, payout, signers};
use super::reduction::Outcome;
use crate::desk::Signed;
use crate::feed::Epoch;

/// What has been settled of one option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paid {
    /// 1/1000 contracts of all accounts settled.
    pub contracts: i128,
    /// Micro-USDC they received.
    pub cash: i128,
}

/// What the auditor remembers.
#[derive(Clone, Default)]
pub struct Memory {
    /// Micro-USDC deposited so far.
    pub deposited: i128,
    /// Micro-USDC withdrawn so far.
    pub withdrawn: i128,
    /// Micro-USDC that settled options paid so far, over all accounts.
    pub settled_cash: i128,
    /// What has been settled of options that somebody still holds.
    pub paid: BTreeMap<InstrumentSpec, Paid>,
    /// How often an account settled an option.
    pub settlements: BTreeMap<(AccountIndex, InstrumentSpec), u32>,
    /// Settlement prices of the epoch.
    pub prices: Settlements,
    /// What an index stands for.
    pub specs: BTreeMap<InstrumentIndex, InstrumentSpec>,
    /// Options somebody holds, when the epoch began.
    pub holders: BTreeSet<InstrumentIndex>,
    /// The last epoch.
    pub epoch: Option<Box<Epoch>>,
    /// How often each nonce was used.
    pub nonces: BTreeMap<(AccountIndex, Nonce), u32>,
    /// What owners have signed.
    pub signed: BTreeSet<Signed>,
    /// Epoch and time of the last batch's market data.
    pub clock: OracleClock,
    /// Parameters of the last batch.
    pub parameters: Option<BatchParameters>,
    /// What bids have paid in each auction.
    pub bids: BTreeMap<AccountIndex, i128>,
    /// Of this batch: what touched accounts held when it began, settled options as cash.
    pub opened: BTreeMap<AccountIndex, Holding>,
    /// Of this batch: accounts first touched by the last operation.
    pub fresh: BTreeSet<AccountIndex>,
    /// Of this batch: steps of auctions.
    pub steps: BTreeMap<AccountIndex, u32>,
    /// Of this batch: accounts whose deficits were counted.
    pub counted: BTreeSet<AccountIndex>,
    /// Of this batch: keys asked for.
    pub keys: BTreeMap<AccountIndex, (PublicKey, Fr)>,
    /// Of this batch: bases asked for.
    pub bases: BTreeMap<AccountIndex, Nonce>,
    /// Of this batch: requests forced on an account.
    pub forced_counts: BTreeMap<AccountIndex, u32>,
    /// Of this batch: accounts that paid less than was forced.
    pub forced_in_part: BTreeSet<AccountIndex>,
    /// Of this batch: micro-USDC that leave for a forced request.
    pub forced_paid: BTreeMap<AccountIndex, i128>,
    /// Of this batch: what the reductions forced on accounts come to.
    pub reductions: BTreeMap<AccountIndex, Outcome>,
}

impl Memory {
    /// Learns what an accepted operation did.
    pub fn take(&mut self, step: &Step) {
        self.fresh.clear();
        for index in parties(step.operation) {
            self.open(index, step);
        }
        for (account, nonce) in signers(step.operation) {
            *self.nonces.entry((account, nonce)).or_default() += 1;
        }
        match step.operation {
            Operation::Deposit(deposit) => self.deposited += i128::from(deposit.amount.get()),
            Operation::StartAuction(account) => {
                *self.steps.entry(*account).or_default() += 1;
                self.bids.remove(account);
            }
            Operation::EndAuction(account) => *self.steps.entry(*account).or_default() += 1,
            Operation::CountDeficit(account) => {
                self.counted.insert(*account);
                *self.steps.entry(*account).or_default() += 1;
            }
            Operation::Request(signed) => {
                self.take_request(signed.request.account, &signed.request.action, step);
            }
            Operation::Forced(request) => self.take_forced(request, step),
            Operation::Trade(_)
            | Operation::Settle(_)
            | Operation::RefuseDeposit(_)
            | Operation::GrantTier(_) => {}
        }
    }

    fn take_forced(&mut self, request: &ForcedRequest, step: &Step) {
        let index = request.account;
        *self.forced_counts.entry(index).or_default() += 1;
        match request.action {
            ForcedAction::Withdrawal { amount } => {
                let taken = taken(&self.start(index, step.before), step, request);
                let paid = payout(taken, step.custody);
                self.withdrawn += paid;
                self.forced_paid.insert(index, paid);
                if taken < amount.into() {
                    self.forced_in_part.insert(index);
                }
            }
            ForcedAction::CancelAll => {
                let base = step.before.get(&index).map_or(0, |a| a.nonces.base.get());
                _ = self.bases.insert(index, Nonce::new(base + 64).unwrap_or(Nonce::MAX));
            }
            ForcedAction::Reduction(terms) => {
                let outcome = Outcome::of(self, step, index, terms);
                _ = self.reductions.insert(index, outcome);
            }
        }
    }

    /// The account of an accepted operation that is a forced reduction, and what this comes to.
    pub fn reduction(&self, step: &Step) -> Option<(AccountIndex, &Outcome)> {
        let Operation::Forced(request) = step.operation else { return None };
        Some((request.account, self.reductions.get(&request.account)?))
    }

    fn take_request(&mut self, account: AccountIndex, action: &Action, step: &Step) {
        match action {
            Action::Withdrawal { amount, .. } => {
                self.withdrawn += payout((*amount).into(), step.custody)
            }
            Action::Rekey { key, view_key } => _ = self.keys.insert(account, (*key, *view_key)),
            Action::CancelAll { base } => _ = self.bases.insert(account, *base),
            Action::Bid(bid) => {
                *self.steps.entry(bid.account).or_default() += 1;
                if let Some(AuctionStep::Bid(fill)) = step.auction {
                    *self.bids.entry(bid.account).or_default() += fill.price.max(0);
                }
            }
            Action::Transfer { .. } => {}
        }
    }

    /// First touch of an account: its settled options turn to cash.
    fn open(&mut self, index: AccountIndex, step: &Step) {
        if self.opened.contains_key(&index) || !step.opening.contains_key(&index) {
            return;
        }
        let Some(account) = step.before.get(&index) else { return };
        let held = Holding::of(account);
        let mut opened = held.clone();
        for (&instrument, &quantity) in &held.contracts {
            let Some((spec, price)) = self.settled(step.market, instrument, step.time) else {
                continue;
            };
            let cash = quantity * payoff(&spec, price);
            opened.cash += cash;
            opened.contracts.remove(&instrument);
            let paid = self.paid.entry(spec).or_default();
            paid.contracts += quantity;
            paid.cash += cash;
            self.settled_cash += cash;
            *self.settlements.entry((index, spec)).or_default() += 1;
        }
        self.opened.insert(index, opened);
        self.fresh.insert(index);
    }

    /// The option of an index and its settlement price, if it has expired at `time` and the table
    /// says it is settled.
    pub fn settled(
        &self,
        market: &Market,
        instrument: InstrumentIndex,
        time: Time,
    ) -> Option<(InstrumentSpec, Price)> {
        let row = market.rows().get(&instrument)?;
        let spec = *self.specs.get(&instrument)?;
        let price = *self.prices.get(&(spec.underlying, spec.expiry))?;
        (row.is_settled && spec.expiry <= time).then_some((spec, price))
    }

    /// What a party of an accepted operation held before its terms: settled, if this operation
    /// touched it first.
    pub fn start(&self, index: AccountIndex, before: &Accounts) -> Holding {
        if self.fresh.contains(&index) {
            return self.opened.get(&index).cloned().unwrap_or_default();
        }
        before.get(&index).map(Holding::of).unwrap_or_default()
    }

    /// Forgets what is of one batch.
    pub fn close_batch(&mut self, clock: OracleClock, parameters: &BatchParameters) {
        self.clock = clock;
        self.parameters = Some(parameters.clone());
        self.opened.clear();
        self.fresh.clear();
        self.steps.clear();
        self.counted.clear();
        self.keys.clear();
        self.bases.clear();
        self.forced_counts.clear();
        self.forced_in_part.clear();
        self.forced_paid.clear();
        self.reductions.clear();
    }

    /// Learns the market data of an epoch, and forgets options that nobody holds any more.
    pub fn take_epoch(&mut self, epoch: &Epoch) {
        self.specs.retain(|index, _| self.holders.contains(index));
        self.specs.extend(&epoch.registry);
        let known: BTreeSet<_> = self.specs.values().copied().collect();
        self.paid.retain(|spec, paid| known.contains(spec) || *paid != Paid::default());
        self.prices.clone_from(&epoch.settlements);
        self.epoch = Some(Box::new(epoch.clone()));
    }
}
