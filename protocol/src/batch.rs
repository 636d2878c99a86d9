//! A batch: operations applied together, margin judged at the end. Spec: `docs/spec/statement.md`.

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::action::Action;
use crate::auction::AuctionStep;
use crate::custody::Custody;
use crate::decimal;
use crate::deposit::DepositRow;
use crate::forced::ForcedAnswer;
#[cfg(feature = "forgery")]
use crate::forced::reduction::Refusal;
use crate::margin::Margin;
use crate::market::Market;
use crate::operation::Operation;
use crate::oracle::{Attestation, OracleClock, OracleSet};
use crate::packing::read_part;
use crate::parameters::BatchParameters;
use crate::positions::Positions;
use crate::price_band;
use crate::reading::check_when_read;
use crate::reduction;
use crate::request::SignedRequest;
use crate::risk_row::{RiskRow, SCENARIOS};
use crate::settlement::Settlement;
use crate::shape::Shape;
use crate::state::State;
use crate::statement::NUMBER_BITS;
use crate::trade::Trade;
use crate::transition::Ledger;
use crate::tree::opening::{OpenedNode, nodes_above};
use crate::tree::{ACCOUNT_TREE_DEPTH, INSTRUMENT_TREE_DEPTH, NodeUpdate};
use crate::units::{AccountIndex, CASH_BITS, Holders, InstrumentIndex, Time};
use crate::{Reject, Rule};

/// One account touched by a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    /// Index.
    pub index: AccountIndex,
    /// Before; `None` if the batch opened it.
    pub old: Option<Account>,
    /// What its settled positions turned into, before anything else.
    #[serde(default, skip_serializing_if = "Settlement::is_empty")]
    pub settlement: Settlement,
    /// After.
    pub new: Account,
    /// Margin after.
    pub margin: Margin,
    /// Margin before, with settled positions as cash, of an account that was and stays short of its initial margin,
    /// holds less while a forward is outside of its band, or is in auction: its row is two-sided. Where a forced reduction is
    /// refused, the margin that would be.
    pub old_margin: Option<Margin>,
    /// What happened to its auction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<AuctionStep>,
    /// How a forced request is answered; its row is two-sided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<ForcedAnswer>,
}

/// One instrument of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstrumentRow {
    /// Its row of the risk table.
    pub risk: RiskRow,
    /// Accounts that held it before the batch.
    pub old_holders: Holders,
    /// Accounts that hold it after.
    pub new_holders: Holders,
}

/// Everything a batch did: what the prover turns into a witness and the statement into words.
/// Reading one from a file checks it by [`BatchTrace::check`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct BatchTrace {
    /// Rows of each table.
    pub shape: Shape,
    /// Domain of signatures.
    #[serde(with = "decimal")]
    pub domain: Fr,
    /// Number of the batch, from 0, below 2^40.
    #[serde(deserialize_with = "read_part::<NUMBER_BITS, _, _>")]
    pub number: u64,
    /// Time of the batch.
    pub time: Time,
    /// Epoch and time of the risk table of the batch before.
    pub before: OracleClock,
    /// Cash held on L1 and deficits counted, before.
    pub custody: Custody,
    /// Deficits counted, after; below 2^63.
    #[serde(deserialize_with = "read_part::<{ CASH_BITS - 1 }, _, _>")]
    pub deficit_after: u64,
    /// Account root before.
    #[serde(with = "decimal")]
    pub old_root: Fr,
    /// Account root after.
    #[serde(with = "decimal")]
    pub new_root: Fr,
    /// Open-interest root before.
    #[serde(with = "decimal")]
    pub old_interest_root: Fr,
    /// Open-interest root after.
    #[serde(with = "decimal")]
    pub new_interest_root: Fr,
    /// The risk table's root, epoch and time, and who signed them.
    pub attestation: Attestation,
    /// The oracle's members.
    pub oracle: OracleSet,
    /// Parameters.
    pub parameters: BatchParameters,
    /// Hash of the parameters of the batch before, zero at first.
    #[serde(with = "decimal")]
    pub parameters_before: Fr,
    /// Deposits, in order.
    pub deposits: Vec<DepositRow>,
    /// Trades, in order.
    pub trades: Vec<Trade>,
    /// Requests, in order.
    pub requests: Vec<SignedRequest>,
    /// Touched accounts by increasing index.
    pub accounts: Vec<AccountRow>,
    /// Touched tree nodes, the root last.
    #[serde(with = "node_updates")]
    pub nodes: Vec<NodeUpdate>,
    /// Instruments traded, or held by a touched account before or after, by increasing index.
    pub instruments: Vec<InstrumentRow>,
    /// Nodes of the risk table above them, the root last.
    pub risk_nodes: Vec<OpenedNode>,
    /// Nodes of the open-interest tree above them, the root last.
    #[serde(with = "node_updates")]
    pub interest_nodes: Vec<NodeUpdate>,
}

check_when_read!(BatchTrace);

impl BatchTrace {
    /// Cash held on L1 after the batch, and deficits counted.
    ///
    /// # Panics
    /// If the batch takes out more than L1 holds, which no sealed batch does.
    pub fn custody_after(&self) -> Custody {
        let received: i128 = self.deposits.iter().map(DepositRow::credited).sum();
        let asked = self.requests.iter().filter_map(|signed| match signed.request.action {
            Action::Withdrawal { amount, .. } => Some(amount),
            _ => None,
        });
        let answers = self.accounts.iter().filter_map(|row| row.answer.as_ref());
        let taken = asked.chain(answers.map(ForcedAnswer::paid));
        let left = taken.map(|amount| i128::from(self.custody.payout_floor(amount)));
        let held = self.custody.held() + received - left.sum::<i128>();
        Custody::new(held, self.deficit_after.into()).expect("a sealed batch")
    }

    /// The accounts whose margin is proven after the batch only.
    pub fn one_sided(&self) -> impl Iterator<Item = &AccountRow> {
        self.accounts.iter().filter(|row| row.old_margin.is_none())
    }

    /// The accounts whose margin is proven before and after the batch, with their margin before.
    pub fn two_sided(&self) -> impl Iterator<Item = (&AccountRow, &Margin)> {
        self.accounts.iter().filter_map(|row| Some((row, row.old_margin.as_ref()?)))
    }

    /// The risk table's row of an instrument of the batch.
    pub fn risk_row(&self, index: InstrumentIndex) -> Option<&RiskRow> {
        let mut rows = self.instruments.iter().map(|row| &row.risk);
        rows.find(|row| row.instrument == index)
    }

    /// The trace has the lengths and places that circuit and statement rely on. Whether it follows from its
    /// operations is for the circuit to judge.
    ///
    /// # Errors
    /// [`Rule::Shape`] for more rows than the shape has, or a shape nobody can prove; [`Rule::MarginMatrix`] and
    /// [`Rule::InstrumentLive`] for other than 33 losses or a node that the risk table does not have;
    /// [`Rule::AccountTree`] and [`Rule::IndexReuse`] for a node that the account tree or the open-interest tree does not have.
    pub fn check(&self) -> Result<(), Reject> {
        self.shape.check()?;
        self.shape.check_fits(&Shape {
            trades: self.trades.len(),
            requests: self.requests.len(),
            deposits: self.deposits.len(),
            accounts: self.one_sided().count(),
            two_sided: self.two_sided().count(),
            nodes: self.nodes.len(),
            instruments: self.instruments.len(),
            instrument_nodes: self.risk_nodes.len().max(self.interest_nodes.len()),
        })?;
        for AccountRow { margin, old_margin, index, .. } in &self.accounts {
            let is_complete = |margin: &Margin| margin.losses.len() == SCENARIOS;
            if !is_complete(margin) || !old_margin.iter().all(is_complete) {
                return Err(Reject::value(Rule::MarginMatrix, "losses of account", index));
            }
        }
        for InstrumentRow { risk: RiskRow { losses, instrument, .. }, .. } in &self.instruments {
            if losses.len() != SCENARIOS {
                return Err(Reject::value(Rule::InstrumentLive, "losses of", instrument));
            }
        }
        for NodeUpdate { level, index, .. } in &self.nodes {
            check_place(Rule::AccountTree, ACCOUNT_TREE_DEPTH, *level, *index)?;
        }
        for OpenedNode { level, index, .. } in &self.risk_nodes {
            check_place(Rule::InstrumentLive, INSTRUMENT_TREE_DEPTH, *level, *index)?;
        }
        for NodeUpdate { level, index, .. } in &self.interest_nodes {
            check_place(Rule::IndexReuse, INSTRUMENT_TREE_DEPTH, *level, *index)?;
        }
        Ok(())
    }
}

/// A tree of this depth has a node at this place, above its leaves.
fn check_place(rule: Rule, depth: u8, level: u8, index: u64) -> Result<(), Reject> {
    let above = depth.checked_sub(level).filter(|_| level > 0);
    if above.is_none_or(|above| index >> (2 * above) != 0) {
        return Err(Reject::value(rule, "tree node", format!("{level} {index}")));
    }
    Ok(())
}

/// A batch being filled.
#[derive(Clone)]
pub struct Batch<'a> {
    state: &'a State,
    market: &'a Market,
    shape: Shape,
    time: Time,
    ledger: Ledger<'a>,
    operations: Vec<Operation>,
    two_sided: BTreeSet<AccountIndex>,
    waived: Option<Rule>,
}

/// Margin of an account after the batch, and before it if the account stays short of initial margin.
struct RowMargin {
    new: Margin,
    old: Option<Margin>,
}

impl<'a> Batch<'a> {
    /// An empty batch at `time`.
    ///
    /// # Errors
    /// [`Rule::OracleAge`] if the market data are stale or ahead; [`Rule::OracleOrder`] if they are older than those
    /// of the batch before; [`Rule::ParameterChange`] if the parameters are not in force yet;
    /// [`Rule::Range`] if the number of the batch leaves its width.
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
            return Err(Reject::value(Rule::Range, "number of the batch", number));
        }
        Ok(Self::unchecked_age(state, market, shape, time))
    }

    fn unchecked_age(state: &'a State, market: &'a Market, shape: Shape, time: Time) -> Self {
        let ledger = Ledger::new(state, market, time);
        Self {
            state,
            market,
            shape,
            time,
            ledger,
            operations: Vec::new(),
            two_sided: BTreeSet::new(),
            waived: None,
        }
    }

    /// An empty batch whose operations and margins may break `rule`: the dishonest operator of the forgery tests.
    #[cfg(feature = "forgery")]
    pub fn forged(
        state: &'a State,
        market: &'a Market,
        shape: Shape,
        time: Time,
        rule: Rule,
    ) -> Self {
        let mut batch = Self::unchecked_age(state, market, shape, time);
        batch.ledger.waive(rule);
        batch.waived = Some(rule);
        batch
    }

    /// Answers the forced reductions that follow in this way, right or not: the dishonest operator again.
    #[cfg(feature = "forgery")]
    pub fn claim(&mut self, refusal: Option<Refusal>) {
        self.ledger.claim(refusal);
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
    /// The first rule broken, by an operation, by a touched account's margin or window of nonces, by the number of
    /// holders of an instrument, or by the shape.
    pub fn push(&mut self, operations: &[Operation]) -> Result<(), Reject> {
        let mut draft = self.clone();
        let mut touched = BTreeSet::new();
        for operation in operations {
            draft.ledger.apply(operation)?;
            draft.operations.push(operation.clone());
            touched.extend(operation.accounts());
        }
        // There may be no insurance fund yet.
        touched.retain(|index| draft.ledger.touched().contains_key(index));
        touched.extend(draft.ledger.answered_with(&touched));
        for index in touched {
            let is_two_sided = draft.judge_account(index)?.old.is_some();
            draft.two_sided.remove(&index);
            draft.two_sided.extend(is_two_sided.then_some(index));
            draft.judge(draft.ledger.closed(index)?.nonces.check_movable())?;
        }
        draft.check_holders()?;
        draft.ledger.check_deficits()?;
        draft.ledger.custody()?;
        draft.shape.check_fits(&draft.used())?;
        *self = draft;
        Ok(())
    }

    /// The accounts that hold each instrument can be counted after the batch.
    fn check_holders(&self) -> Result<(), Reject> {
        let stored = self.state.accounts();
        let changes = self.ledger.touched().iter().map(|(index, new)| (stored.get(index), new));
        self.state.open_interest().check_update(changes)
    }

    /// The margin of an account as it stands: it covers initial margin, or the account was short of that before and is
    /// left no worse, or it is in auction and nothing it signed is applied.
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
                self.judge(reduction::check(
                    [&old, &new],
                    [&before.positions, &account.positions],
                ))?;
                return Ok(RowMargin { new, old: Some(old) });
            }
        }
        self.judge(Err(short))?;
        Ok(RowMargin { new, old: None })
    }

    /// An account as the batch found it, if it was in auction then or is put up for one.
    fn frozen(&self, index: AccountIndex) -> Option<&Account> {
        let before = self.ledger.opening(index)?.account.as_ref()?;
        let is_frozen = before.auction.is_some() || self.ledger.step(index).is_some();
        is_frozen.then_some(before)
    }

    /// [`Batch::judge_margin`]; an account with a forced request is shown from both sides, or where contracts could not be
    /// taken, after the batch and as it or its counterparty would then be.
    fn judge_account(&self, index: AccountIndex) -> Result<RowMargin, Reject> {
        let mut margin = self.judge_band(index)?;
        if let Some(answer) = self.ledger.answer(index) {
            self.judge(self.ledger.check_answer(index, &margin.new))?;
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

    /// [`Batch::judge_margin`]; while a forward is outside of its band, an account left with other positions than it had
    /// needs both sides to show that none has grown.
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
        self.judge(price_band::check([held, after]))?;
        if let (None, Some(before)) = (&margin.old, before) {
            margin.old = Some(self.margin_of(before)?);
        }
        Ok(margin)
    }

    /// A rule's verdict, unless the rule is waived.
    fn judge(&self, verdict: Result<(), Reject>) -> Result<(), Reject> {
        verdict.or_else(
            |reject| {
                if self.waived == Some(reject.rule) { Ok(()) } else { Err(reject) }
            },
        )
    }

    /// The margin of an account whose positions are all live.
    fn margin_of(&self, account: &Account) -> Result<Margin, Reject> {
        for (instrument, _) in account.positions.iter() {
            let is_kept = self.waived == Some(Rule::Settlement)
                && self.market.settled_row(instrument, self.time).is_some();
            if !is_kept {
                self.judge(self.market.live_row(instrument, self.time).map(drop))?;
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
        let instruments = self.instruments();
        Shape {
            trades: count(|o| matches!(o, Operation::Trade(_))),
            requests: count(|o| matches!(o, Operation::Request(_))),
            deposits: count(|o| matches!(o, Operation::Deposit(_) | Operation::RefuseDeposit(_))),
            accounts: self.ledger.touched().len() - self.two_sided.len(),
            two_sided: self.two_sided.len(),
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
        let risk = self.market.rows().get(&index).cloned();
        let risk = risk.ok_or_else(|| Reject::value(Rule::InstrumentLive, "no row", index))?;
        let [old_holders, new_holders] =
            [self.state, next].map(|state| state.open_interest().holders(index));
        Ok(InstrumentRow { risk, old_holders, new_holders })
    }
}

/// The leaves of instruments in the risk table.
fn places(instruments: &BTreeSet<InstrumentIndex>) -> impl Iterator<Item = u64> {
    instruments.iter().map(|index| index.get().into())
}

/// Tree nodes with their children as decimal texts.
mod node_updates {
    use ark_bn254::Fr;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::decimal::Decimal;
    use crate::tree::{ARITY, NodeUpdate};

    type Children = [Decimal<Fr>; ARITY];
    type Row = (u8, u64, Children, Children, [bool; ARITY]);

    pub fn serialize<S: Serializer>(
        nodes: &[NodeUpdate],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let row = |node: &NodeUpdate| -> Row {
            let NodeUpdate { level, index, old, new, touched } = *node;
            (level, index, old.map(Decimal), new.map(Decimal), touched)
        };
        nodes.iter().map(row).collect::<Vec<_>>().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<NodeUpdate>, D::Error> {
        let node = |(level, index, old, new, touched): Row| {
            let [old, new] = [old, new].map(|children| children.map(|child| child.0));
            NodeUpdate { level, index, old, new, touched }
        };
        Ok(Vec::<Row>::deserialize(deserializer)?.into_iter().map(node).collect())
    }
}
