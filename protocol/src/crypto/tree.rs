//! A Merkle tree of arity 4 whose node is the Poseidon hash of its four children; an empty leaf is
//! zero.
//!
//! A tree is used at one depth only. The level of a node is therefore known, and a node can not
//! pass for a leaf.

pub mod opening;

use std::collections::BTreeMap;

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use rayon::prelude::*;

use crate::crypto::poseidon;
use crate::{Reject, Rule};

/// Children of a node.
pub const ARITY: usize = 4;
/// Depth of the account tree: 2^24 accounts.
pub const ACCOUNT_TREE_DEPTH: u8 = 12;
/// Depth of the risk tree and of the instrument registry: 2^16 instruments.
pub const INSTRUMENT_TREE_DEPTH: u8 = 8;
/// Greatest depth whose indices fit 64 bits.
pub const DEPTH_MAX: u8 = 31;

/// Nodes hashed by one thread before another is asked.
const NODES_PER_THREAD: usize = 16;

/// One node of a tree before and after an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeUpdate {
    /// Distance from the leaves, 1 to the depth; the root is at the depth.
    pub level: u8,
    /// Index within the level; the children are `4·index` to `4·index + 3` of the level below.
    pub index: u64,
    /// The children before.
    pub old: [Fr; ARITY],
    /// The children after; equal to the old ones where not touched.
    pub new: [Fr; ARITY],
    /// Which children are named by the update, or have a leaf below that is.
    pub touched: [bool; ARITY],
}

/// The hash of four children.
pub fn node(children: &[Fr; ARITY]) -> Fr {
    poseidon::hash(children)
}

/// A tree of a fixed depth which stores only what is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SparseTree {
    /// Nodes that are not empty, from the leaves to the root.
    levels: Vec<BTreeMap<u64, Fr>>,
    /// The hash of an empty subtree of each height.
    empty: Vec<Fr>,
}

impl SparseTree {
    /// The empty tree with room for `4^depth` leaves.
    ///
    /// # Panics
    /// If the depth is above 31. Depths are constants of the callers.
    pub fn new(depth: u8) -> Self {
        assert!(depth <= DEPTH_MAX, "tree depth {depth} is above 31");
        let mut empty = vec![Fr::ZERO];
        for level in 0..usize::from(depth) {
            empty.push(node(&[empty[level]; ARITY]));
        }
        Self { levels: vec![BTreeMap::new(); empty.len()], empty }
    }

    /// Levels between leaves and root.
    pub fn depth(&self) -> u8 {
        (self.empty.len() - 1) as u8
    }

    /// The hash of the whole tree.
    pub fn root(&self) -> Fr {
        self.at(self.depth(), 0)
    }

    /// The leaf at `index`, zero if it is empty.
    ///
    /// # Errors
    /// [`Rule::Range`] if the index is `4^depth` or more.
    pub fn get(&self, index: u64) -> Result<Fr, Reject> {
        check_index(self.depth(), index)?;
        Ok(self.at(0, index))
    }

    /// The leaves that are not empty, by index.
    pub fn leaves(&self) -> &BTreeMap<u64, Fr> {
        &self.levels[0]
    }

    /// Puts `leaf` at `index`; zero empties it.
    ///
    /// # Errors
    /// [`Rule::Range`] if the index is `4^depth` or more.
    pub fn set(&mut self, index: u64, leaf: Fr) -> Result<(), Reject> {
        self.set_many(&BTreeMap::from([(index, leaf)]))
    }

    /// Puts all `leaves` by index, hashing each node above them once.
    ///
    /// # Errors
    /// [`Rule::Range`] if an index is `4^depth` or more; the tree is unchanged.
    pub fn set_many(&mut self, leaves: &BTreeMap<u64, Fr>) -> Result<(), Reject> {
        self.update_with_trace(leaves).map(drop)
    }

    /// As [`SparseTree::set_many`], returning every node above the leaves named, ordered by level
    /// and index. A leaf that is named counts as touched even if its value stays.
    ///
    /// # Errors
    /// [`Rule::Range`] if an index is `4^depth` or more; the tree is unchanged.
    pub fn update_with_trace(
        &mut self,
        leaves: &BTreeMap<u64, Fr>,
    ) -> Result<Vec<NodeUpdate>, Reject> {
        if let Some((&last, _)) = leaves.last_key_value() {
            check_index(self.depth(), last)?;
        }
        let mut trace = Vec::new();
        let mut changed: Vec<(u64, Fr)> =
            leaves.iter().map(|(&index, &leaf)| (index, leaf)).collect();
        for level in 1..=self.depth() {
            let nodes: Vec<NodeUpdate> = changed
                .chunk_by(|a, b| a.0 / ARITY as u64 == b.0 / ARITY as u64)
                .map(|siblings| self.node_update(level, siblings))
                .collect();
            self.store(level - 1, &changed);
            changed = nodes
                .par_iter()
                .with_min_len(NODES_PER_THREAD)
                .map(|update| (update.index, node(&update.new)))
                .collect();
            trace.extend(nodes);
        }
        self.store(self.depth(), &changed);
        Ok(trace)
    }

    /// As [`SparseTree::update_with_trace`], the root's node last even if no leaf is named.
    ///
    /// # Errors
    /// [`Rule::Range`] if an index is `4^depth` or more; the tree is unchanged.
    pub fn update_showing_root(
        &mut self,
        leaves: &BTreeMap<u64, Fr>,
    ) -> Result<Vec<NodeUpdate>, Reject> {
        let mut nodes = self.update_with_trace(leaves)?;
        if nodes.is_empty() {
            nodes.push(self.root_untouched());
        }
        Ok(nodes)
    }

    /// The root's node, untouched: what an update without leaves shows.
    fn root_untouched(&self) -> NodeUpdate {
        let level = self.depth();
        let children = std::array::from_fn(|k| self.at(level - 1, k as u64));
        NodeUpdate { level, index: 0, old: children, new: children, touched: [false; ARITY] }
    }

    /// The siblings on the way from the leaf at `index` to the root, in the order of their indices.
    ///
    /// # Errors
    /// [`Rule::Range`] if the index is `4^depth` or more.
    pub fn path(&self, index: u64) -> Result<Vec<[Fr; ARITY - 1]>, Reject> {
        check_index(self.depth(), index)?;
        let siblings = |level: u8| {
            let child = index >> (2 * level);
            let first = child & !(ARITY as u64 - 1);
            let position = child - first;
            std::array::from_fn(|i| {
                let i = i as u64;
                self.at(level, first + i + u64::from(i >= position))
            })
        };
        Ok((0..self.depth()).map(siblings).collect())
    }

    fn at(&self, level: u8, index: u64) -> Fr {
        let level = usize::from(level);
        self.levels[level].get(&index).copied().unwrap_or(self.empty[level])
    }

    /// The node at `level` above `siblings`, which are new children of this one node.
    fn node_update(&self, level: u8, siblings: &[(u64, Fr)]) -> NodeUpdate {
        let index = siblings[0].0 / ARITY as u64;
        let first = index * ARITY as u64;
        let old = std::array::from_fn(|i| self.at(level - 1, first + i as u64));
        let mut update = NodeUpdate { level, index, old, new: old, touched: [false; ARITY] };
        for &(child, value) in siblings {
            let position = (child - first) as usize;
            update.new[position] = value;
            update.touched[position] = true;
        }
        update
    }

    fn store(&mut self, level: u8, values: &[(u64, Fr)]) {
        let level = usize::from(level);
        for &(index, value) in values {
            // Equal trees have equal maps: what is empty is not stored.
            if value == self.empty[level] {
                self.levels[level].remove(&index);
            } else {
                self.levels[level].insert(index, value);
            }
        }
    }
}

/// The root of a tree with `leaf` at `index` and these siblings, from the leaves up.
pub fn root_of_path(index: u64, leaf: Fr, path: &[[Fr; ARITY - 1]]) -> Fr {
    path.iter().enumerate().fold(leaf, |child, (level, siblings)| {
        let position = index.checked_shr(2 * level as u32).unwrap_or(0) as usize % ARITY;
        node(&std::array::from_fn(|i| match i {
            i if i < position => siblings[i],
            i if i == position => child,
            i => siblings[i - 1],
        }))
    })
}

/// Whether the tree of this depth and root holds `leaf` at `index`.
///
/// # Errors
/// [`Rule::Range`] if the index is `4^depth` or more, which would be a second name of another leaf;
/// [`Rule::AccountTree`] if the path is not of the tree's depth or leads to another root.
pub fn verify_path(
    depth: u8,
    root: Fr,
    index: u64,
    leaf: Fr,
    path: &[[Fr; ARITY - 1]],
) -> Result<(), Reject> {
    check_index(depth, index)?;
    if path.len() != usize::from(depth) {
        let reject = Reject::new(Rule::AccountTree, "length of a tree path", path.len());
        return Err(reject.only(depth));
    }
    let found = root_of_path(index, leaf, path);
    if found != root {
        return Err(Reject::new(Rule::AccountTree, "root of a tree path", found).only(root));
    }
    Ok(())
}

fn check_index(depth: u8, index: u64) -> Result<(), Reject> {
    if depth > DEPTH_MAX || index >> (2 * depth) != 0 {
        let reject = Reject::new(Rule::Range, "index in a tree", index);
        return Err(reject.only(format_args!("one of {depth} levels")));
    }
    Ok(())
}
