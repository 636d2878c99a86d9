//! The rules that change accounts. Spec: `docs/spec/ledger/transition.md`.
//!
//! A [`Ledger`] holds the accounts touched so far over an unchanged state. Operations are applied
//! whole or not at all.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::account::positions::Positions;
use crate::account::settlement::Settlement;
use crate::account::{Account, fee_account};
use crate::ledger::account_change::AccountChange;
use crate::ledger::draft::Draft;
use crate::ledger::liberties::Liberties;
use crate::ledger::state::State;
use crate::market::Market;
use crate::operation::Operation;
use crate::operation::action::Action;
use crate::operation::bid::AuctionStep;
use crate::operation::deposit::Deposit;
use crate::operation::forced::ForcedAnswer;
use crate::operation::order::SignedOrder;
use crate::operation::request::SignedRequest;
use crate::operation::trade::Trade;
use crate::value::units::{AccountIndex, Cash, InstrumentIndex, Nonce, Quantity, Time, Underlying};
use crate::{Reject, Rule};

/// What one operation did: the accounts it touched, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// Accounts before; absent ones were opened.
    pub old: BTreeMap<AccountIndex, Account>,
    /// Accounts after.
    pub new: BTreeMap<AccountIndex, Account>,
}

/// Applies one operation at `time` to a state, as a batch of it alone would. Margin is judged when
/// a batch ends, not here.
///
/// # Errors
/// The first rule the operation breaks; the state is unchanged.
pub fn apply(
    state: &State,
    market: &Market,
    time: Time,
    operation: &Operation,
) -> Result<(State, Trace), Reject> {
    let mut ledger = Ledger::new(state, market, time);
    ledger.apply(operation)?;
    let closed = |&index: &AccountIndex| Ok((index, ledger.closed(index)?));
    let new: BTreeMap<_, _> = ledger.touched.keys().map(closed).collect::<Result<_, Reject>>()?;
    let old = new
        .keys()
        .filter_map(|index| Some((*index, state.accounts().get(index)?.clone())))
        .collect();
    ledger.check_deficits()?;
    let custody = ledger.custody()?;
    let mut next = state.clone();
    next.replace(new.clone(), market, custody, &BTreeSet::new())?;
    Ok((next, Trace { old, new }))
}

/// Accounts touched by a sequence of operations, over an unchanged state.
#[derive(Clone, Debug, PartialEq)]
pub struct Ledger<'a> {
    pub(crate) state: &'a State,
    pub(crate) market: &'a Market,
    pub(crate) time: Time,
    pub(crate) touched: Draft<Account>,
    pub(crate) opening: Draft<Opening>,
    changes: Draft<AccountChange>,
    pub(crate) steps: Draft<AuctionStep>,
    pub(crate) answers: Draft<ForcedAnswer>,
    /// Cash that came from L1 less what leaves for it.
    pub(crate) received: i128,
    /// The same, when the ledger was last kept.
    received_before: i128,
    /// None in production.
    pub(crate) liberties: Liberties,
}

/// An account as a batch finds it, its settled positions turned to cash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// The account; `None` if the batch opens it.
    pub account: Option<Account>,
    /// What was settled.
    pub settlement: Settlement,
}

impl<'a> Ledger<'a> {
    /// No account touched yet.
    pub fn new(state: &'a State, market: &'a Market, time: Time) -> Self {
        Self {
            state,
            market,
            time,
            touched: Draft::new(),
            opening: Draft::new(),
            changes: Draft::new(),
            steps: Draft::new(),
            answers: Draft::new(),
            received: 0,
            received_before: 0,
            liberties: Liberties::default(),
        }
    }

    /// A rule's verdict, unless the rule is waived.
    pub(crate) fn judge(&self, verdict: Result<(), Reject>) -> Result<(), Reject> {
        match verdict {
            Err(reject) if self.liberties.waives(reject.rule) => Ok(()),
            verdict => verdict,
        }
    }

    /// The accounts touched, as the operations so far leave them.
    pub fn touched(&self) -> &BTreeMap<AccountIndex, Account> {
        &self.touched
    }

    /// An account as the batch leaves it if nothing follows.
    ///
    /// # Errors
    /// [`Rule::AccountExists`]; [`Rule::Nonce`] when its nonces are exhausted.
    pub fn closed(&self, index: AccountIndex) -> Result<Account, Reject> {
        self.change(index).close(self.account(index)?)
    }

    fn change(&self, index: AccountIndex) -> AccountChange {
        self.changes.get(&index).copied().unwrap_or_default()
    }

    /// An account as the operations so far leave it.
    ///
    /// # Errors
    /// [`Rule::AccountExists`].
    pub fn account(&self, index: AccountIndex) -> Result<&Account, Reject> {
        self.touched.get(&index).map_or_else(|| self.state.account(index), Ok)
    }

    /// Applies an operation whole, or not at all.
    ///
    /// # Errors
    /// The first rule broken.
    pub fn apply(&mut self, operation: &Operation) -> Result<(), Reject> {
        let verdict = self.take(operation);
        match verdict {
            Ok(()) => self.keep(),
            Err(_) => self.undo(),
        }
        verdict
    }

    /// What has been written stays.
    pub(crate) fn keep(&mut self) {
        self.touched.keep();
        self.opening.keep();
        self.changes.keep();
        self.steps.keep();
        self.answers.keep();
        self.received_before = self.received;
    }

    /// What has been written since the last [`Ledger::keep`] goes.
    pub(crate) fn undo(&mut self) {
        self.touched.undo();
        self.opening.undo();
        self.changes.undo();
        self.steps.undo();
        self.answers.undo();
        self.received = self.received_before;
    }

    /// Applies an operation. If a rule refuses, a part of it is written, and the caller has to
    /// [`Ledger::keep`] or [`Ledger::undo`] it.
    pub(crate) fn take(&mut self, operation: &Operation) -> Result<(), Reject> {
        self.act(operation).map_err(|reject| match operation.account() {
            Some(account) => reject.of(account),
            None => reject,
        })
    }

    fn act(&mut self, operation: &Operation) -> Result<(), Reject> {
        if let Operation::Settle(settle) = operation {
            let account = self.account(settle.account)?;
            self.judge(settle.check_due(account, self.market, self.time))?;
        }
        for index in operation.accounts() {
            self.touch(index).map_err(|reject| reject.of(index))?;
        }
        match operation {
            Operation::Deposit(deposit) => self.deposit(deposit),
            Operation::RefuseDeposit(deposit) => self.refuse_deposit(deposit),
            Operation::Trade(trade) => self.trade(trade),
            Operation::Request(signed) => self.request(signed),
            Operation::Settle(_) => Ok(()),
            Operation::GrantTier(grant) => self.grant_tier(*grant),
            Operation::StartAuction(account) => self.start_auction(*account),
            Operation::EndAuction(account) => self.end_auction(*account),
            Operation::CountDeficit(account) => self.count_deficit(*account),
            Operation::Forced(request) => self.force(request),
        }
    }

    /// What the batch found of an account it touched.
    pub fn opening(&self, index: AccountIndex) -> Option<&Opening> {
        self.opening.get(&index)
    }

    /// What happened to the auction of an account.
    pub fn step(&self, index: AccountIndex) -> Option<&AuctionStep> {
        self.steps.get(&index)
    }

    /// How a forced request of an account is answered.
    pub fn answer(&self, index: AccountIndex) -> Option<&ForcedAnswer> {
        self.answers.get(&index)
    }

    /// Settles an account when it is first touched, before anything else happens to it.
    fn touch(&mut self, index: AccountIndex) -> Result<(), Reject> {
        if self.opening.contains_key(&index) {
            return Ok(());
        }
        let mut opening = Opening::default();
        if let Some(account) = self.state.accounts().get(&index) {
            for (instrument, _) in account.positions.iter() {
                self.judge(self.check_index(instrument))?;
            }
            let mut account = account.clone();
            if !self.liberties.waives(Rule::Settlement) {
                opening.settlement = Settlement::apply(&mut account, self.market, self.time)?;
            }
            self.touched.insert(index, account.clone());
            opening.account = Some(account);
        }
        self.opening.insert(index, opening);
        Ok(())
    }

    /// What the risk table calls by this index is what its holders hold.
    fn check_index(&self, instrument: InstrumentIndex) -> Result<(), Reject> {
        let row = self.market.rows().get(&instrument);
        row.map_or(Ok(()), |row| self.state.open_interest().check_spec(row))
    }

    fn deposit(&mut self, deposit: &Deposit) -> Result<(), Reject> {
        self.judge(deposit.check_terms())?;
        if let Ok(account) = self.account(deposit.account) {
            self.judge(deposit.check_key(account))?;
        } else {
            let account = Account::open(deposit.key, deposit.view_key, deposit.book);
            self.touched.insert(deposit.account, account);
        }
        self.received += i128::from(deposit.amount);
        self.add_cash(deposit.account, deposit.amount.into())
    }

    /// A deposit that its account cannot take goes back on L1.
    fn refuse_deposit(&mut self, deposit: &Deposit) -> Result<(), Reject> {
        self.judge(deposit.check_terms())?;
        let found = self.found(deposit.account)?;
        self.judge(deposit.check_strange(&found))
    }

    /// All orders and requests of an account below `base` are void when the batch ends.
    pub(crate) fn void(&mut self, index: AccountIndex, base: Nonce) {
        self.change_later(index, &Action::CancelAll { base });
    }

    /// Notes what an action changes when the batch ends.
    fn change_later(&mut self, index: AccountIndex, action: &Action) {
        let mut change = self.change(index);
        change.take(action);
        self.changes.insert(index, change);
    }

    fn trade(&mut self, trade: &Trade) -> Result<(), Reject> {
        for signed in [&trade.buy, &trade.sell] {
            self.account(signed.order.account)?;
        }
        self.judge(trade.check_sides())?;
        for signed in [&trade.buy, &trade.sell] {
            self.check_authority(signed)?;
        }
        self.judge(trade.check_limits(self.time))?;
        self.check_instrument(trade)?;
        self.check_fees(trade)?;
        for signed in [&trade.buy, &trade.sell] {
            self.consume(signed.order.account, signed.order.nonce)?;
        }
        self.fill(trade)
    }

    fn check_authority(&self, signed: &SignedOrder) -> Result<(), Reject> {
        let account = self.account(signed.order.account)?;
        self.judge(signed.check_signature(&account.key, self.state.domain()))
    }

    /// The instrument is live, both orders signed its specification, and nobody holds another under
    /// its index.
    fn check_instrument(&self, trade: &Trade) -> Result<(), Reject> {
        for order in [&trade.buy.order, &trade.sell.order] {
            let row = match self.market.live_row(order.instrument, self.time) {
                Ok(row) => row,
                Err(reject) => return self.judge(Err(reject.of(order.account))),
            };
            if order.spec != row.spec {
                let sentence = "the order signs another specification of the instrument";
                let reject = Reject::because(Rule::InstrumentSpec, sentence);
                self.judge(Err(reject.of(order.account)))?;
            }
            let verdict = self.check_index(order.instrument);
            self.judge(verdict.map_err(|reject| reject.of(order.account)))?;
        }
        Ok(())
    }

    /// The legs of a trade: contracts and cash of both sides, the fees.
    fn fill(&mut self, trade: &Trade) -> Result<(), Reject> {
        let (buy, sell) = (&trade.buy.order, &trade.sell.order);
        self.add_position(buy.account, buy.instrument, trade.quantity)?;
        self.take_position(sell.account, sell.instrument, trade.quantity)?;
        self.add_cash(trade.buy.order.account, -trade.cash_of_buyer())?;
        self.add_cash(trade.sell.order.account, trade.cash_of_seller())?;
        self.add_cash(fee_account(), trade.fees())
    }

    fn request(&mut self, signed: &SignedRequest) -> Result<(), Reject> {
        let request = &signed.request;
        let index = request.account;
        let account = self.account(index)?;
        self.judge(request.check_terms(self.time))?;
        self.judge(signed.check_signature(&account.key, self.state.domain()))?;
        self.judge(self.check_not_forced(index))?;
        self.judge(self.change(index).check(request, account.nonces))?;
        self.consume(index, request.nonce)?;
        self.change_later(index, &request.action);
        if let Some(amount) = request.action.amount() {
            self.add_cash(index, -i128::from(amount))?;
        }
        match &request.action {
            Action::Transfer { to, amount } => self.add_cash(*to, (*amount).into()),
            Action::Bid(bid) => self.bid(index, bid),
            Action::Withdrawal { amount, least, .. } => self.withdraw(*amount, *least),
            Action::Rekey { .. } | Action::CancelAll { .. } => Ok(()),
        }
    }

    /// Adds contracts to a position; none change nothing.
    pub(crate) fn add_position(
        &mut self,
        index: AccountIndex,
        instrument: InstrumentIndex,
        change: Quantity,
    ) -> Result<(), Reject> {
        self.change_position(index, instrument, change, Positions::add)
    }

    /// Takes contracts from a position; none change nothing.
    pub(crate) fn take_position(
        &mut self,
        index: AccountIndex,
        instrument: InstrumentIndex,
        change: Quantity,
    ) -> Result<(), Reject> {
        self.change_position(index, instrument, change, Positions::subtract)
    }

    fn change_position(
        &mut self,
        index: AccountIndex,
        instrument: InstrumentIndex,
        change: Quantity,
        apply: fn(&mut Positions, Underlying, InstrumentIndex, Quantity) -> Result<(), Reject>,
    ) -> Result<(), Reject> {
        if change == Quantity::default() {
            return Ok(());
        }
        let mut account = self.account(index)?.clone();
        apply(&mut account.positions, account.book.underlying, instrument, change)
            .map_err(|reject| reject.of(index))?;
        self.touched.insert(index, account);
        Ok(())
    }

    /// Marks a nonce of an account used.
    fn consume(&mut self, index: AccountIndex, nonce: Nonce) -> Result<(), Reject> {
        let mut account = self.account(index)?.clone();
        self.judge(self.check_not_frozen(index))?;
        self.judge(self.check_not_forced(index))?;
        let of_account = |reject: Reject| reject.of(index);
        self.judge(self.change(index).check_not_void().map_err(of_account))?;
        self.judge(account.nonces.consume(nonce).map_err(of_account))?;
        self.touched.insert(index, account);
        Ok(())
    }

    pub(crate) fn add_cash(&mut self, index: AccountIndex, change: i128) -> Result<(), Reject> {
        let mut account = self.account(index)?.clone();
        let cash = Cash::try_from(i128::from(account.cash) + change);
        account.cash = cash.map_err(|reject| reject.of(index))?;
        self.touched.insert(index, account);
        Ok(())
    }
}
