//! Twin of `protocol::crypto::tree`: one touched node of a tree that a batch changes, of accounts
//! or of open interest.

pub mod opening;

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::tree::{
    ACCOUNT_TREE_DEPTH, ARITY, INSTRUMENT_TREE_DEPTH, NodeUpdate,
};
use zkmargin_protocol::value::units::{ACCOUNT_BITS, INSTRUMENT_BITS};

use crate::crypto::poseidon;
use crate::gadgets::boolean::Bool;
use crate::gadgets::element::{Element, Unranged};
use crate::gadgets::integer::{Uint, power_of_two};
use crate::value::packing::pack;
use crate::{Cs, sum};

/// Width in bits of a level.
pub const LEVEL_BITS: u32 = 4;

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
#[derive(Getters)]
pub struct NodeVar {
    /// Whether the row is in use and has a parent row: false for the root and for padding.
    has_parent: Bool,
    /// level · 2^24 + index.
    place: Uint,
    /// Level · 2^24 + index of child 0.
    first_child: Unranged,
    /// Children before.
    old: Vec<Element>,
    /// Children after; where not touched, equal.
    new: Vec<Element>,
    /// Which children have rows of their own.
    touched: Vec<Bool>,
    /// Hash before.
    old_hash: Element,
    /// Hash after.
    new_hash: Element,
}

/// Level and index of a node.
pub(super) struct PlaceVar {
    level: Uint,
    index: Uint,
}

impl PlaceVar {
    /// The root's, which no row holds.
    fn root(cs: &Cs, tree: Extent) -> Self {
        let level = Uint::constant(cs, tree.depth.into(), LEVEL_BITS);
        Self { level, index: Uint::constant(cs, 0, tree.index_bits) }
    }

    /// level · 2^24 + index, unique in the tree.
    fn own(&self) -> Uint {
        place(&self.level, &self.index)
    }

    /// The same of child 0. Below level 0, where padding may be, it is no place of the tree.
    fn first_child(&self, cs: &Cs) -> Unranged {
        let level = self.level.minus(&cs.one());
        let index = self.index.scaled(Fr::from(ARITY as u64));
        let place = index.plus_scaled(&level, power_of_two(ACCOUNT_BITS));
        Unranged::new(place, Rule::AccountTree)
    }
}

/// The place of a node in its tree, unique: level · 2^24 + index.
pub fn place(level: &Uint, index: &Uint) -> Uint {
    pack(&[&index.widened(ACCOUNT_BITS), level])
}

impl NodeVar {
    /// Row 0: the root, at the top level with index 0.
    pub fn root(cs: &mut Cs, update: &NodeUpdate, tree: Extent) -> Self {
        let place = PlaceVar::root(cs, tree);
        let (is_used, has_parent) = (Bool::constant(cs, true), Bool::constant(cs, false));
        Self::over(cs, update, &place, has_parent, &is_used)
    }

    /// Any other row; `None` is padding.
    pub fn below_root(cs: &mut Cs, update: Option<&NodeUpdate>, tree: Extent) -> Self {
        let is_used = Bool::witness(cs, "node row in use", update.is_some());
        let update = update.unwrap_or(&PADDING);
        let level = Uint::external(cs, "node level", update.level.into(), LEVEL_BITS);
        let index = Uint::external(cs, "node index", update.index.into(), tree.index_bits);
        Self::over(cs, update, &PlaceVar { level, index }, is_used.clone(), &is_used)
    }

    fn over(
        cs: &mut Cs,
        update: &NodeUpdate,
        place: &PlaceVar,
        has_parent: Bool,
        is_used: &Bool,
    ) -> Self {
        let (mut old, mut new, mut touched) = (Vec::new(), Vec::new(), Vec::new());
        for k in 0..ARITY {
            let before = Element::external(cs, "old child", update.old[k]);
            // An untouched child has no row below that could tell its hash, so it is the old one.
            let after = Element::argued(cs, "new child", update.new[k]);
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
        Self {
            has_parent,
            place: place.own(),
            first_child: place.first_child(cs),
            old,
            new,
            touched,
            old_hash,
            new_hash,
        }
    }

    /// Both hashes: with [`NodeVar::place_parts`] they fix every field of the row.
    pub fn hashes(&self) -> [&Element; 2] {
        [&self.old_hash, &self.new_hash]
    }

    /// Flags, level and index.
    pub fn place_parts(&self) -> Vec<Uint> {
        place_parts(&self.has_parent, &self.touched, &self.place)
    }
}

/// The hash of four children.
pub fn node(cs: &mut Cs, children: &[Element]) -> Element {
    let children: Vec<_> = children.iter().map(|child| child.lc().clone()).collect();
    Element::new(poseidon::hash(cs, &children))
}

/// A row that is not in use names no child.
fn enforce_unused(cs: &mut Cs, what: &'static str, is_used: &Bool, named: &[Bool]) {
    // Four bits sum up to zero only if all of them are.
    let zero = cs.zero();
    cs.enforce(what, &sum(named.iter().map(Bool::lc)), is_used.not(cs).lc(), &zero);
}

/// The flags of a row, then its place.
fn place_parts(has_parent: &Bool, named: &[Bool], place: &Uint) -> Vec<Uint> {
    let flags = std::iter::once(has_parent).chain(named).map(Uint::from_bit);
    flags.chain([place.clone()]).collect()
}
