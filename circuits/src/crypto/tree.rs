//! Twin of `protocol::crypto::tree`: one touched node of a tree that a batch changes, of accounts
//! or of open interest.

pub mod opening;

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkmargin_protocol::crypto::tree::{
    ACCOUNT_TREE_DEPTH, ARITY, INSTRUMENT_TREE_DEPTH, NodeUpdate,
};
use zkmargin_protocol::value::units::{ACCOUNT_BITS, INSTRUMENT_BITS};

use crate::gadgets::boolean::Bool;
use crate::gadgets::integer::{Uint, power_of_two};
use crate::gadgets::poseidon;
use crate::value::packing::Part;
use crate::{Cs, Wire, sum};

/// Width in bits of a level.
const LEVEL_BITS: u32 = 4;

/// How far a tree reaches.
#[derive(Clone, Copy)]
pub struct Extent {
    /// Levels between leaves and root.
    depth: u8,
    /// Width in bits of an index above the leaves: four times as much and 3 is an index of the
    /// level below.
    index_bits: u32,
}

/// The account tree.
pub const ACCOUNTS: Extent = Extent { depth: ACCOUNT_TREE_DEPTH, index_bits: ACCOUNT_BITS - 2 };
/// The trees over the instrument index.
pub const INSTRUMENTS: Extent =
    Extent { depth: INSTRUMENT_TREE_DEPTH, index_bits: INSTRUMENT_BITS - 2 };

/// A node that touches nothing.
pub const PADDING: NodeUpdate = NodeUpdate {
    level: 1,
    index: 0,
    old: [Fr::ZERO; ARITY],
    new: [Fr::ZERO; ARITY],
    touched: [false; ARITY],
};

/// One touched node.
pub struct NodeVar {
    /// Whether the row is in use and has a parent row: false for the root and for padding.
    pub has_parent: Bool<Fr>,
    /// level · 2^24 + index.
    pub place: Wire,
    /// Level · 2^24 + index of child 0.
    pub first_child: Wire,
    /// Children before.
    pub old: Vec<Wire>,
    /// Children after; where not touched, equal.
    pub new: Vec<Wire>,
    /// Which children have rows of their own.
    pub touched: Vec<Bool<Fr>>,
    /// Hash before.
    pub old_hash: Wire,
    /// Hash after.
    pub new_hash: Wire,
}

/// The place of a node in its tree, unique: level · 2^24 + index.
pub fn place(level: &Wire, index: &Wire) -> Wire {
    index.plus_scaled(level, power_of_two(ACCOUNT_BITS))
}

impl NodeVar {
    /// Row 0: the root, at the top level with index 0.
    pub fn root(cs: &mut Cs, update: &NodeUpdate, tree: Extent) -> Self {
        let level = cs.constant(Fr::from(tree.depth));
        let (index, is_used) = (cs.zero(), Bool::constant(cs, true));
        let has_parent = Bool::constant(cs, false);
        Self::children(cs, update, [level, index], has_parent, &is_used)
    }

    /// Any other row; `None` is padding.
    pub fn below_root(cs: &mut Cs, update: Option<&NodeUpdate>, tree: Extent) -> Self {
        let is_used = Bool::witness(cs, "node row in use", update.is_some());
        let update = update.unwrap_or(&PADDING);
        let level = Uint::external(cs, "node level", update.level.into(), LEVEL_BITS);
        let index = Uint::external(cs, "node index", update.index.into(), tree.index_bits);
        let place = [level.lc().clone(), index.lc().clone()];
        Self::children(cs, update, place, is_used.clone(), &is_used)
    }

    fn children(
        cs: &mut Cs,
        update: &NodeUpdate,
        [level, index]: [Wire; 2],
        has_parent: Bool<Fr>,
        is_used: &Bool<Fr>,
    ) -> Self {
        let (mut old, mut new, mut touched) = (Vec::new(), Vec::new(), Vec::new());
        for k in 0..ARITY {
            let before = cs.external("old child", update.old[k]);
            // An untouched child has no row below that could tell its hash, so it is the old one.
            let after = cs.argued("new child", update.new[k]);
            let is_touched = Bool::witness(cs, "child is touched", update.touched[k]);
            let zero = cs.zero();
            cs.enforce("untouched child", is_touched.not(cs).lc(), &after.minus(&before), &zero);
            old.push(before);
            new.push(after);
            touched.push(is_touched);
        }
        enforce_unused(cs, "padding touches nothing", is_used, &touched);
        let old_hash = node(cs, &old);
        let new_hash = node(cs, &new);
        let one = cs.one();
        let first_child = place(&level.minus(&one), &index.scaled(Fr::from(ARITY as u64)));
        Self {
            has_parent,
            place: place(&level, &index),
            first_child,
            old,
            new,
            touched,
            old_hash,
            new_hash,
        }
    }

    /// Both hashes: with [`NodeVar::place_parts`] they fix every field of the row.
    pub fn hashes(&self) -> [Wire; 2] {
        [self.old_hash.clone(), self.new_hash.clone()]
    }

    /// Flags, level and index.
    pub fn place_parts(&self) -> Vec<Part> {
        place_parts(&self.has_parent, &self.touched, &self.place)
    }
}

/// The hash of four children.
pub fn node(cs: &mut Cs, children: &[Wire]) -> Wire {
    poseidon::hash(cs, children)
}

/// A row that is not in use names no child.
fn enforce_unused(cs: &mut Cs, what: &'static str, is_used: &Bool<Fr>, named: &[Bool<Fr>]) {
    // Four bits sum up to zero only if all of them are.
    let named: Vec<_> = named.iter().map(|is_named| is_named.lc().clone()).collect();
    let zero = cs.zero();
    cs.enforce(what, &sum(&named), is_used.not(cs).lc(), &zero);
}

/// The flags of a row, then its place.
fn place_parts(has_parent: &Bool<Fr>, named: &[Bool<Fr>], place: &Wire) -> Vec<Part> {
    let flags = std::iter::once(has_parent).chain(named).map(|flag| (flag.lc().clone(), 1));
    flags.chain([(place.clone(), LEVEL_BITS + ACCOUNT_BITS)]).collect()
}
