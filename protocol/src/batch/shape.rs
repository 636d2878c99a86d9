//! Shapes: how many rows each table of a circuit has. Spec: `docs/spec/batch/statement.md#Shape`.

use serde::{Deserialize, Serialize};

use crate::{Reject, Rule};

/// Rows of each table. A batch with fewer is padded with rows that change nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// Trades.
    pub trades: usize,
    /// Requests of accounts.
    pub requests: usize,
    /// Deposits.
    pub deposits: usize,
    /// Accounts touched whose margin is proven after the batch only.
    pub accounts: usize,
    /// Accounts touched whose margin is proven before and after the batch.
    pub two_sided: usize,
    /// Nodes of the account tree touched, the root included.
    pub nodes: usize,
    /// Instruments traded or held.
    pub instruments: usize,
    /// Nodes above them, the root included, of the risk table and as many of the open-interest
    /// tree.
    pub instrument_nodes: usize,
}

impl Shape {
    /// For tests: at most 2^17 constraints.
    pub const TINY: Self = Self {
        trades: 1,
        requests: 2,
        deposits: 1,
        accounts: 4,
        two_sided: 1,
        nodes: 16,
        instruments: 2,
        instrument_nodes: 15,
    };
    /// For demonstrations: at most 2^20 constraints.
    pub const SMALL: Self = Self {
        trades: 40,
        requests: 4,
        deposits: 4,
        accounts: 40,
        two_sided: 4,
        nodes: 110,
        instruments: 28,
        instrument_nodes: 112,
    };
    /// For the venue: at most 2^23 constraints.
    pub const LARGE: Self = Self {
        trades: 256,
        requests: 16,
        deposits: 16,
        accounts: 256,
        two_sided: 16,
        nodes: 1024,
        instruments: 128,
        instrument_nodes: 256,
    };

    /// Most rows of a table of any shape: more would exceed every machine that could prove them.
    pub const ROWS_MAX: usize = 1 << 12;

    /// The named shapes.
    pub const NAMED: [(&'static str, Self); 3] =
        [("tiny", Self::TINY), ("small", Self::SMALL), ("large", Self::LARGE)];

    /// The shape called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(known, _)| *known == name).map(|&(_, shape)| shape)
    }

    /// The name of this shape, if it has one.
    pub fn name(&self) -> Option<&'static str> {
        Self::NAMED.iter().find(|(_, shape)| shape == self).map(|&(name, _)| name)
    }

    /// The shape has a row for the root's node of each tree and no table beyond
    /// [`Shape::ROWS_MAX`].
    ///
    /// # Errors
    /// [`Rule::Shape`] with the rows.
    pub fn check(&self) -> Result<(), Reject> {
        if self.nodes.min(self.instrument_nodes) == 0 {
            return Err(Reject::new(Rule::Shape, "number of tree nodes", 0).at_least(1));
        }
        match self.tables().into_iter().find(|&(_, rows)| rows > Self::ROWS_MAX) {
            Some((table, rows)) => {
                Err(Reject::new(Rule::Shape, table, rows).at_most(Self::ROWS_MAX))
            }
            None => Ok(()),
        }
    }

    /// `used` has at most as many rows of each table as `self`.
    ///
    /// # Errors
    /// [`Rule::Shape`] with the first table that overflows.
    pub fn check_fits(&self, used: &Self) -> Result<(), Reject> {
        let mut tables = used.tables().into_iter().zip(self.tables());
        match tables.find(|((_, used), (_, room))| used > room) {
            Some(((table, used), (_, room))) => {
                Err(Reject::new(Rule::Shape, table, used).at_most(room))
            }
            None => Ok(()),
        }
    }

    /// The tables by name.
    fn tables(&self) -> [(&'static str, usize); 8] {
        [
            ("number of trades", self.trades),
            ("number of requests", self.requests),
            ("number of deposits", self.deposits),
            ("number of accounts", self.accounts),
            ("number of two-sided accounts", self.two_sided),
            ("number of tree nodes", self.nodes),
            ("number of instruments", self.instruments),
            ("number of instrument nodes", self.instrument_nodes),
        ]
    }
}
