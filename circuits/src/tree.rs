//! Twin of `protocol::tree`: one touched node of the account tree, and one path of the risk table.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkmargin_protocol::tree::{ACCOUNT_TREE_DEPTH, ARITY, NodeUpdate};
use zkmargin_protocol::units::ACCOUNT_BITS;

use crate::gadgets::boolean::Bool;
use crate::gadgets::integer::Uint;
use crate::gadgets::poseidon;
use crate::packing::power_of_two;
use crate::{Cs, Wire};

/// Width in bits of a level.
const LEVEL_BITS: u32 = 4;
/// Width in bits of an index above the leaves: four times as much and 3 is an index of the level below.
const INDEX_BITS: u32 = ACCOUNT_BITS - 2;

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

/// The place of a node in the account tree, unique: level · 2^24 + index.
pub fn place(level: &Wire, index: &Wire) -> Wire {
    index.plus_scaled(level, power_of_two(ACCOUNT_BITS))
}

impl NodeVar {
    /// Row 0: the root, at the top level with index 0.
    pub fn root(cs: &mut Cs, update: &NodeUpdate) -> Self {
        let level = cs.constant(Fr::from(ACCOUNT_TREE_DEPTH));
        let (index, is_used) = (cs.zero(), Bool::constant(cs, true));
        let has_parent = Bool::constant(cs, false);
        Self::children(cs, update, [level, index], has_parent, &is_used)
    }

    /// Any other row; `None` is padding.
    pub fn below_root(cs: &mut Cs, update: Option<&NodeUpdate>) -> Self {
        let is_used = Bool::witness(cs, "node row in use", update.is_some());
        let update = update.unwrap_or(&PADDING);
        let level = Uint::external(cs, "node level", update.level.into(), LEVEL_BITS);
        let index = Uint::external(cs, "node index", update.index.into(), INDEX_BITS);
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
            cs.enforce("padding touches nothing", is_touched.lc(), is_used.not(cs).lc(), &zero);
            old.push(before);
            new.push(after);
            touched.push(is_touched);
        }
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

    /// Flags, level and index in one element, and both hashes: they fix every field of the row.
    pub fn absorbed(&self) -> Vec<Wire> {
        let mut flags = self.has_parent.lc().clone();
        for (k, touched) in self.touched.iter().enumerate() {
            flags = flags.plus_scaled(touched.lc(), power_of_two(k as u32 + 1));
        }
        let packed = flags.plus_scaled(&self.place, power_of_two(1 + ARITY as u32));
        vec![packed, self.old_hash.clone(), self.new_hash.clone()]
    }
}

/// The hash of four children.
pub fn node(cs: &mut Cs, children: &[Wire]) -> Wire {
    poseidon::hash(cs, children)
}

/// The root over `leaf` at the place whose bits are given, least significant first, two a level.
pub fn root_of_path(cs: &mut Cs, bits: &[Bool<Fr>], leaf: &Wire, path: &[[Fr; ARITY - 1]]) -> Wire {
    let mut current = leaf.clone();
    for (pair, siblings) in bits.chunks(2).zip(path) {
        let siblings = siblings.map(|sibling| cs.external("sibling", sibling));
        let children = place_among(cs, [&pair[0], &pair[1]], &current, &siblings);
        current = node(cs, &children);
    }
    current
}

/// The four children when `current` stands at place `2·high + low` among its siblings.
fn place_among(
    cs: &mut Cs,
    [low, high]: [&Bool<Fr>; 2],
    current: &Wire,
    [first, second, third]: &[Wire; ARITY - 1],
) -> Vec<Wire> {
    let both = cs.product("path bits", low.lc(), high.lc());
    let neither = cs.one().minus(low.lc()).minus(high.lc()).plus(&both);
    let shift = cs.product("child 0 is current", &neither, &current.minus(first));
    let child_0 = first.plus(&shift);
    let lower = low.select(cs, current, first);
    let child_1 = high.select(cs, second, &lower);
    let upper = low.select(cs, third, current);
    let child_2 = high.select(cs, &upper, second);
    let shift = cs.product("child 3 is current", &both, &current.minus(third));
    vec![child_0, child_1, child_2, third.plus(&shift)]
}
