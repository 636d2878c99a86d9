//! What a batch did, as its proof shows it. Spec: `docs/spec/batch/statement.md`.

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::account::margin::Margin;
use crate::account::settlement::Settlement;
use crate::batch::shape::Shape;
use crate::crypto::tree::opening::OpenedNode;
use crate::crypto::tree::{ACCOUNT_TREE_DEPTH, INSTRUMENT_TREE_DEPTH, NodeUpdate};
use crate::market::oracle::{Attestation, OracleClock, OracleSet};
use crate::market::parameters::BatchParameters;
use crate::market::risk_row::RiskRow;
use crate::operation::action::Action;
use crate::operation::bid::AuctionStep;
use crate::operation::deposit::DepositRow;
use crate::operation::forced::ForcedAnswer;
use crate::operation::request::SignedRequest;
use crate::operation::trade::Trade;
use crate::pricing::scenario::SCENARIOS;
use crate::value::custody::Custody;
use crate::value::decimal;
use crate::value::packing::read_part;
use crate::value::reading::check_when_read;
use crate::value::units::{AccountIndex, CASH_BITS, Holders, InstrumentIndex, NUMBER_BITS, Time};
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
    /// Margin before, with settled positions as cash, of an account that was and stays short of its
    /// initial margin, holds less while a forward is outside of its band, or is in auction: its row
    /// is two-sided. Where a forced reduction is refused, the margin that would be.
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

    /// The trace has the lengths and places that circuit and statement rely on. Whether it follows
    /// from its operations is for the circuit to judge.
    ///
    /// # Errors
    /// [`Rule::Shape`] for more rows than the shape has, or a shape nobody can prove;
    /// [`Rule::MarginMatrix`] and [`Rule::InstrumentLive`] for other than 33 losses or a node that
    /// the risk table does not have; [`Rule::AccountTree`] and [`Rule::IndexReuse`] for a node that
    /// the account tree or the open-interest tree does not have.
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
                let sentence = "a margin does not have one loss for each scenario";
                return Err(Reject::because(Rule::MarginMatrix, sentence).of(*index));
            }
        }
        for InstrumentRow { risk: RiskRow { losses, instrument, .. }, .. } in &self.instruments {
            if losses.len() != SCENARIOS {
                let value = format_args!("{} in instrument {instrument}", losses.len());
                let reject = Reject::new(Rule::InstrumentLive, "number of losses", value);
                return Err(reject.only(SCENARIOS));
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
        let value = format_args!("number {index} of level {level}");
        return Err(Reject::new(rule, "tree node", value).only("one above the leaves"));
    }
    Ok(())
}

/// Tree nodes with their children as decimal texts.
mod node_updates {
    use ark_bn254::Fr;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::crypto::tree::{ARITY, NodeUpdate};
    use crate::value::decimal::Decimal;

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
