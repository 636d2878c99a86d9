//! One epoch of market data: the risk table of all underlyings under the oracle's signatures.

pub mod auction_parameters;
pub mod fee_schedule;
pub mod instrument;
pub mod isolated;
pub mod oracle;
pub mod parameters;
pub mod risk_parameters;
pub mod risk_row;
pub mod risk_table;
pub mod settlement_price;
pub mod valuation;

use std::collections::BTreeMap;

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::crypto::tree::{INSTRUMENT_TREE_DEPTH, SparseTree};
use crate::market::instrument::InstrumentSpec;
use crate::market::oracle::{Attestation, OracleSet};
use crate::market::parameters::BatchParameters;
use crate::market::risk_row::{RiskRow, RiskRows};
use crate::pricing::scenario::SCENARIOS;
use crate::value::units::{InstrumentIndex, Time};
use crate::{Reject, Rule};

/// A risk table and its attestation, as it is written to a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedRiskTable {
    /// Rows in any order, one an instrument.
    pub rows: Vec<RiskRow>,
    /// The oracle's signatures over its root.
    pub attestation: Attestation,
    /// The oracle's members.
    pub oracle: OracleSet,
    /// The parameters the table was built with.
    pub parameters: BatchParameters,
}

/// A checked risk table: the root is that of the rows, a quorum signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market {
    rows: RiskRows,
    tree: SparseTree,
    attestation: Attestation,
    oracle: OracleSet,
    parameters: BatchParameters,
}

impl Market {
    /// Checks a table against its attestation.
    ///
    /// # Errors
    /// [`Rule::InstrumentLive`] for a repeated or incomplete row; [`Rule::OracleQuorum`] if the
    /// root or a signature does not fit.
    pub fn new(table: SignedRiskTable, domain: Fr) -> Result<Self, Reject> {
        let SignedRiskTable { rows: list, attestation, oracle, parameters } = table;
        let mut rows = RiskRows::new();
        for row in list {
            let index = row.instrument;
            let is_complete = row.losses.len() == SCENARIOS
                && index.get() != 0
                && index.underlying() == row.spec.underlying;
            if !is_complete || rows.insert(index, row).is_some() {
                let reject = Reject::new(Rule::InstrumentLive, "instrument of a row", index);
                return Err(reject.only("one complete row of each"));
            }
        }
        let tree = risk_tree(&rows)?;
        if tree.root() != attestation.message.risk_root {
            let reject = Reject::new(Rule::OracleQuorum, "root of the rows", tree.root());
            return Err(reject.only(attestation.message.risk_root));
        }
        attestation.check_quorum(domain, &oracle)?;
        Ok(Self { rows, tree, attestation, oracle, parameters })
    }

    /// The rows.
    pub fn rows(&self) -> &RiskRows {
        &self.rows
    }

    /// What the rows' instruments are.
    pub fn specs(&self) -> BTreeMap<InstrumentIndex, InstrumentSpec> {
        self.rows.iter().map(|(&index, row)| (index, row.spec)).collect()
    }

    /// The tree over the rows' leaves.
    pub fn tree(&self) -> &SparseTree {
        &self.tree
    }

    /// The oracle's signatures.
    pub fn attestation(&self) -> &Attestation {
        &self.attestation
    }

    /// The oracle's members.
    pub fn oracle(&self) -> &OracleSet {
        &self.oracle
    }

    /// The parameters.
    pub fn parameters(&self) -> &BatchParameters {
        &self.parameters
    }

    /// The row of an instrument that has expired at `time` and is settled.
    pub fn settled_row(&self, instrument: InstrumentIndex, time: Time) -> Option<&RiskRow> {
        self.rows.get(&instrument).filter(|row| row.is_settled && row.spec.expiry <= time)
    }

    /// The row of an instrument that is listed, has not expired at `time` and is not settled.
    ///
    /// # Errors
    /// [`Rule::InstrumentLive`].
    pub fn live_row(&self, instrument: InstrumentIndex, time: Time) -> Result<&RiskRow, Reject> {
        let reject = || Reject::new(Rule::InstrumentLive, "instrument", instrument);
        let row = self.rows.get(&instrument);
        let row = row.ok_or_else(|| reject().only("one in the risk table"))?;
        row.spec.check_live(time)?;
        if row.is_settled {
            return Err(reject().only("one that is not settled"));
        }
        Ok(row)
    }
}

/// The tree of arity 4 over the 16-bit instrument index whose leaves are the rows'.
///
/// # Errors
/// Those of the tree; none for ranged indices.
pub fn risk_tree(rows: &RiskRows) -> Result<SparseTree, Reject> {
    let leaves = rows.iter().map(|(index, row)| (u64::from(index.get()), row.leaf())).collect();
    let mut tree = SparseTree::new(INSTRUMENT_TREE_DEPTH);
    tree.set_many(&leaves)?;
    Ok(tree)
}
