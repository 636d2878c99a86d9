//! A batch: operations applied together, margin judged at the end. Spec:
//! `docs/spec/batch/statement.md`.

pub mod shape;
pub mod statement;
pub mod trace;

use std::collections::{BTreeMap, BTreeSet};

use crate::account::Account;
use crate::account::margin::Margin;
use crate::account::positions::Positions;
use crate::account::{price_band, reduction};
use crate::batch::shape::Shape;
use crate::batch::trace::{AccountRow, BatchTrace, InstrumentRow};
use crate::crypto::tree::opening::nodes_above;
use crate::crypto::tree::{ACCOUNT_TREE_DEPTH, INSTRUMENT_TREE_DEPTH};
use crate::ledger::draft::Draft;
#[cfg(feature = "forgery")]
use crate::ledger::liberties::Liberties;
use crate::ledger::state::State;
use crate::ledger::transition::Ledger;
use crate::market::Market;
use crate::operation::Operation;
use crate::operation::deposit::DepositRow;
use crate::operation::forced::ForcedAnswer;
#[cfg(feature = "forgery")]
use crate::operation::forced::reduction::Refusal;
use crate::value::units::{AccountIndex, InstrumentIndex, NUMBER_BITS, Time};
use crate::{Reject, Rule};

/// A batch being filled.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch<'a> {
    state: &'a State,
    market: &'a Market,
    shape: Shape,
    time: Time,
    ledger: Ledger<'a>,
    operations: Vec<Operation>,
    /// Whether the row of each account touched is two-sided.
    sides: Draft<bool>,
}

/// Margin of an account after the batch, and before it if the account stays short of initial
/// margin.
struct RowMargin {
    new: Margin,
    old: Option<Margin>,
}

impl<'a> Batch<'a> {
    /// An empty batch at `time`.
    ///
    /// # Errors
    /// [`Rule::OracleAge`] if the market data are stale or ahead; [`Rule::OracleOrder`] if they are
    /// older than those of the batch before; [`Rule::ParameterChange`] if the parameters are not in
    /// force yet; [`Rule::Range`] if the number of the batch leaves its width.
    pub fn new(
        state: &'a State,
        market: &'a Market,
        shape: Shape,
        time: Time,
    ) -> Result<Self, Reject> {
        let message = &market.attestation().message;
        message.check_age(time, market.parameters())?;
        message.check_order(state.oracle())?;
        market.parameters().check_effective(time)?;
        let number = state.batches();
        if number >> NUMBER_BITS != 0 {
            let reject = Reject::new(Rule::Range, "number of the batch", number);
            return Err(reject.at_most((1u64 << NUMBER_BITS) - 1));
        }
        Ok(Self::unchecked_age(state, market, shape, time))
    }

    fn unchecked_age(state: &'a State, market: &'a Market, shape: Shape, time: Time) -> Self {
        let ledger = Ledger::new(state, market, time);
        Self { state, market, shape, time, ledger, operations: Vec::new(), sides: Draft::new() }
    }

    /// An empty batch whose operations and margins may break `rule`: the dishonest operator of the
    /// forgery tests.
    #[cfg(feature = "forgery")]
    pub fn forged(
        state: &'a State,
        market: &'a Market,
        shape: Shape,
        time: Time,
        rule: Rule,
    ) -> Self {
        let mut batch = Self::unchecked_age(state, market, shape, time);
        batch.ledger.liberties = Liberties::waiving(rule);
        batch
    }

    /// Answers the forced reductions that follow in this way, right or not: the dishonest operator
    /// again.
    #[cfg(feature = "forgery")]
    pub fn claim(&mut self, refusal: Option<Refusal>) {
        self.ledger.liberties.claim(refusal);
    }

    /// The accounts touched so far.
    pub fn ledger(&self) -> &Ledger<'a> {
        &self.ledger
    }

    /// The operations accepted so far.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Adds operations that belong together: all or none. Margin is judged after the last of them.
    ///
    /// What is accepted here is accepted by [`Batch::seal`], whatever else is pushed in between.
    ///
    /// # Errors
    /// The first rule broken, by an operation, by a touched account's margin or window of nonces,
    /// by the number of holders of an instrument, or by the shape.
    pub fn push(&mut self, operations: &[Operation]) -> Result<(), Reject> {
        let count = self.operations.len();
        let verdict = self.take(operations);
        match verdict {
            Ok(()) => {
                self.ledger.keep();
                self.sides.keep();
            }
            Err(_) => {
                self.ledger.undo();
                self.sides.undo();
                self.operations.truncate(count);
            }
        }
        verdict
    }

    /// Adds operations. If a rule refuses, a part of them is written.
    fn take(&mut self, operations: &[Operation]) -> Result<(), Reject> {
        let mut touched = BTreeSet::new();
        for operation in operations {
            self.ledger.take(operation)?;
            self.operations.push(operation.clone());
            touched.extend(operation.accounts());
        }
        // There may be no insurance fund yet.
        touched.retain(|index| self.ledger.touched().contains_key(index));
        touched.extend(self.ledger.answered_with(&touched));
        for index in touched {
            let is_two_sided = self.judge_account(index)?.old.is_some();
            self.sides.insert(index, is_two_sided);
            let movable = self.ledger.closed(index)?.nonces.check_movable();
            self.ledger.judge(movable.map_err(|reject| reject.of(index)))?;
        }
        self.check_holders()?;
        self.ledger.check_deficits()?;
        self.ledger.custody()?;
        self.shape.check_fits(&self.used())
    }

    /// The accounts that hold each instrument can be counted after the batch.
    fn check_holders(&self) -> Result<(), Reject> {
        let stored = self.state.accounts();
        let changes = self.ledger.touched().iter().map(|(index, new)| (stored.get(index), new));
        self.state.open_interest().check_update(changes)
    }

    /// The margin of an account, with all operations so far: it covers initial margin, or the
    /// account was short of that before and is left no worse, or it is in auction and nothing it
    /// signed is applied.
    fn judge_margin(&self, index: AccountIndex) -> Result<RowMargin, Reject> {
        let account = self.ledger.account(index)?;
        let new = self.margin_of(account)?;
        if let Some(before) = self.frozen(index) {
            return Ok(RowMargin { new, old: Some(self.margin_of(before)?) });
        }
        let Err(short) = new.check_initial() else { return Ok(RowMargin { new, old: None }) };
        let opening = self.ledger.opening(index);
        if let Some(before) = opening.and_then(|opening| opening.account.as_ref()) {
            let old = self.margin_of(before)?;
            if old.check_initial().is_err() {
                self.ledger.judge(reduction::check(
                    [&old, &new],
                    [&before.positions, &account.positions],
                ))?;
                return Ok(RowMargin { new, old: Some(old) });
            }
        }
        self.ledger.judge(Err(short))?;
        Ok(RowMargin { new, old: None })
    }

    /// An account as the batch found it, if it was in auction then or is put up for one.
    fn frozen(&self, index: AccountIndex) -> Option<&Account> {
        let before = self.ledger.opening(index)?.account.as_ref()?;
        let is_frozen = before.auction.is_some() || self.ledger.step(index).is_some();
        is_frozen.then_some(before)
    }

    /// [`Batch::judge_margin`]; an account with a forced request is shown from both sides, or where
    /// contracts could not be taken, after the batch and as it or its counterparty would then be.
    fn judge_account(&self, index: AccountIndex) -> Result<RowMargin, Reject> {
        self.judge_both(index).map_err(|reject| reject.of(index))
    }

    fn judge_both(&self, index: AccountIndex) -> Result<RowMargin, Reject> {
        let mut margin = self.judge_band(index)?;
        if let Some(answer) = self.ledger.answer(index) {
            self.ledger.judge(self.ledger.check_answer(index, &margin.new))?;
            let shown = match answer {
                ForcedAnswer::Reduction(answer) => self.ledger.shown_book(index, answer)?,
                ForcedAnswer::Withdrawal { .. } | ForcedAnswer::CancelAll { .. } => None,
            };
            if let Some(shown) = shown {
                margin.old = Some(self.margin_of(&shown)?);
            } else if margin.old.is_none() {
                margin.old = Some(self.margin_of(&self.ledger.found(index)?)?);
            }
        }
        Ok(margin)
    }

    /// [`Batch::judge_margin`]; while a forward is outside of its band, an account left with other
    /// positions than it had needs both sides to show that none has grown.
    fn judge_band(&self, index: AccountIndex) -> Result<RowMargin, Reject> {
        let mut margin = self.judge_margin(index)?;
        let after = &self.ledger.account(index)?.positions;
        let stored = self.state.accounts().get(&index);
        let is_same = after.count() == 0 || stored.is_some_and(|old| old.positions == *after);
        if !self.market.attestation().message.is_outside_band || is_same {
            return Ok(margin);
        }
        let before = self.ledger.opening(index).and_then(|opening| opening.account.as_ref());
        let none = Positions::default();
        let held = before.map_or(&none, |before| &before.positions);
        self.ledger.judge(price_band::check([held, after]))?;
        if let (None, Some(before)) = (&margin.old, before) {
            margin.old = Some(self.margin_of(before)?);
        }
        Ok(margin)
    }

    /// The margin of an account whose positions are all live.
    fn margin_of(&self, account: &Account) -> Result<Margin, Reject> {
        for (instrument, _) in account.positions.iter() {
            let is_kept = self.ledger.liberties.waives(Rule::Settlement)
                && self.market.settled_row(instrument, self.time).is_some();
            if !is_kept {
                self.ledger.judge(self.market.live_row(instrument, self.time).map(drop))?;
            }
        }
        self.market.margin_of(account)
    }

    /// Rows of each table in use.
    pub fn used(&self) -> Shape {
        let count = |is_kind: fn(&Operation) -> bool| {
            self.operations.iter().filter(|operation| is_kind(operation)).count()
        };
        let touched = self.ledger.touched().keys();
        let two_sided = self.sides.values().filter(|&&is_two_sided| is_two_sided).count();
        let instruments = self.instruments();
        Shape {
            trades: count(|o| matches!(o, Operation::Trade(_))),
            requests: count(|o| matches!(o, Operation::Request(_))),
            deposits: count(|o| matches!(o, Operation::Deposit(_) | Operation::RefuseDeposit(_))),
            accounts: self.ledger.touched().len() - two_sided,
            two_sided,
            nodes: nodes_above(ACCOUNT_TREE_DEPTH, touched.map(|index| index.get().into())),
            instruments: instruments.len(),
            instrument_nodes: nodes_above(INSTRUMENT_TREE_DEPTH, places(&instruments)),
        }
    }

    fn instruments(&self) -> BTreeSet<InstrumentIndex> {
        let touched = self.ledger.touched();
        let stored = touched.keys().filter_map(|index| self.state.accounts().get(index));
        let accounts = touched.values().chain(stored);
        let held = accounts.flat_map(|account| account.positions.iter().map(|slot| slot.0));
        let traded = self.operations.iter().filter_map(|operation| match operation {
            Operation::Trade(trade) => Some(trade.buy.order.instrument),
            _ => None,
        });
        held.chain(traded).collect()
    }

    /// Ends the batch: margins, new root, trace.
    ///
    /// # Errors
    /// The first rule broken; the state is unchanged.
    pub fn seal(self) -> Result<(State, BatchTrace), Reject> {
        let mut next = self.state.clone();
        let mut closing = BTreeMap::new();
        let mut accounts = Vec::new();
        for &index in self.ledger.touched().keys() {
            let margin = self.judge_account(index)?;
            let new = self.ledger.closed(index)?;
            closing.insert(index, new.clone());
            let old = self.state.accounts().get(&index).cloned();
            let opening = self.ledger.opening(index);
            accounts.push(AccountRow {
                index,
                old,
                settlement: opening.map(|o| o.settlement.clone()).unwrap_or_default(),
                new,
                margin: margin.new,
                old_margin: margin.old,
                step: self.ledger.step(index).cloned(),
                answer: self.ledger.answer(index).copied(),
            });
        }
        let custody = self.ledger.custody()?;
        let instruments = self.instruments();
        let [nodes, interest_nodes] = next.replace(closing, self.market, custody, &instruments)?;
        let trace = BatchTrace {
            shape: self.shape,
            domain: self.state.domain(),
            number: self.state.batches(),
            time: self.time,
            before: self.state.oracle(),
            custody: self.state.custody(),
            deficit_after: u64::try_from(custody.deficit()).expect("a checked total"),
            old_root: self.state.root(),
            new_root: next.root(),
            old_interest_root: self.state.open_interest().root(),
            new_interest_root: next.open_interest().root(),
            attestation: self.market.attestation().clone(),
            oracle: self.market.oracle().clone(),
            parameters: self.market.parameters().clone(),
            parameters_before: self.state.parameters(),
            deposits: self.select(|o| match o {
                Operation::Deposit(deposit) | Operation::RefuseDeposit(deposit) => {
                    let is_refused = matches!(o, Operation::RefuseDeposit(_));
                    Some(DepositRow { deposit: deposit.clone(), is_refused })
                }
                _ => None,
            }),
            trades: self.select(|o| match o {
                Operation::Trade(trade) => Some((**trade).clone()),
                _ => None,
            }),
            requests: self.select(|o| match o {
                Operation::Request(signed) => Some(signed.clone()),
                _ => None,
            }),
            accounts,
            nodes,
            instruments: instruments
                .iter()
                .map(|&index| self.instrument_row(index, &next))
                .collect::<Result<_, _>>()?,
            risk_nodes: self.market.tree().open(&places(&instruments).collect())?,
            interest_nodes,
        };
        Ok((next, trace))
    }

    fn select<T>(&self, pick: impl Fn(&Operation) -> Option<T>) -> Vec<T> {
        self.operations.iter().filter_map(pick).collect()
    }

    fn instrument_row(
        &self,
        index: InstrumentIndex,
        next: &State,
    ) -> Result<InstrumentRow, Reject> {
        let risk = self.market.rows().get(&index).cloned().ok_or_else(|| {
            Reject::new(Rule::InstrumentLive, "instrument", index).only("one in the risk table")
        })?;
        let [old_holders, new_holders] =
            [self.state, next].map(|state| state.open_interest().holders(index));
        Ok(InstrumentRow { risk, old_holders, new_holders })
    }
}

/// The leaves of instruments in the risk table.
fn places(instruments: &BTreeSet<InstrumentIndex>) -> impl Iterator<Item = u64> {
    instruments.iter().map(|index| index.get().into())
}
