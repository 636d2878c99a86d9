//! Many leaves of a tree shown at once: each node between them and the root stands in the opening
//! once, where paths of neighbours would repeat it.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use super::{ARITY, SparseTree, check_index};
use crate::Reject;
use crate::value::decimal::Decimal;

/// One node above leaves that are opened. In a file it is level, index, children as decimal texts,
/// opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub struct OpenedNode {
    /// Distance from the leaves, 1 to the depth; the root is at the depth.
    pub level: u8,
    /// Index within the level; the children are `4·index` to `4·index + 3` of the level below.
    pub index: u64,
    /// The children's hashes, at level 1 the leaves.
    pub children: [Fr; ARITY],
    /// Which children are opened leaves, or have one below.
    pub opened: [bool; ARITY],
}

type Row = (u8, u64, [Decimal<Fr>; ARITY], [bool; ARITY]);

impl From<Row> for OpenedNode {
    fn from((level, index, children, opened): Row) -> Self {
        Self { level, index, children: children.map(|child| child.0), opened }
    }
}

impl From<OpenedNode> for Row {
    fn from(node: OpenedNode) -> Self {
        (node.level, node.index, node.children.map(Decimal), node.opened)
    }
}

impl SparseTree {
    /// Every node above `leaves`, ordered by level and index, the root last; the root alone above
    /// no leaves.
    ///
    /// # Errors
    /// [`crate::Rule::Range`] if an index is `4^depth` or more.
    pub fn open(&self, leaves: &BTreeSet<u64>) -> Result<Vec<OpenedNode>, Reject> {
        if let Some(&last) = leaves.last() {
            check_index(self.depth(), last)?;
        }
        let mut nodes = Vec::new();
        let mut below = leaves.clone();
        for level in 1..=self.depth() {
            let above = parents(&below, level == self.depth());
            nodes.extend(above.iter().map(|&index| self.opened_node(level, index, &below)));
            below = above;
        }
        Ok(nodes)
    }

    fn opened_node(&self, level: u8, index: u64, below: &BTreeSet<u64>) -> OpenedNode {
        let child = |k: usize| index * ARITY as u64 + k as u64;
        let children = std::array::from_fn(|k| self.at(level - 1, child(k)));
        let opened = std::array::from_fn(|k| below.contains(&child(k)));
        OpenedNode { level, index, children, opened }
    }
}

/// Number of nodes above `leaves` in a tree of this depth, the root included even above no leaves.
pub fn nodes_above(depth: u8, leaves: impl IntoIterator<Item = u64>) -> usize {
    let mut below: BTreeSet<u64> = leaves.into_iter().collect();
    let mut count = 0;
    for level in 1..=depth {
        below = parents(&below, level == depth);
        count += below.len();
    }
    count
}

/// The indices of the nodes above `below`. The root is always among them.
fn parents(below: &BTreeSet<u64>, is_root: bool) -> BTreeSet<u64> {
    let parents = below.iter().map(|child| child / ARITY as u64);
    parents.chain(is_root.then_some(0)).collect()
}
