//! Twin of `protocol::crypto::tree::opening`: one node of the risk table above instruments of the
//! batch.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkmargin_protocol::crypto::tree::ARITY;
use zkmargin_protocol::crypto::tree::opening::OpenedNode;

use super::{INSTRUMENTS, LEVEL_BITS, enforce_unused, node, place, place_parts};
use crate::gadgets::boolean::Bool;
use crate::gadgets::integer::Uint;
use crate::value::packing::Part;
use crate::{Cs, Wire};

/// A node that opens nothing.
pub const PADDING: OpenedNode =
    OpenedNode { level: 1, index: 0, children: [Fr::ZERO; ARITY], opened: [false; ARITY] };

/// One node.
pub struct OpenedNodeVar {
    /// Whether the row is in use and has a parent row: false for the root and for padding.
    pub has_parent: Bool<Fr>,
    /// level · 2^24 + index.
    pub place: Wire,
    /// Level · 2^24 + index of child 0.
    pub first_child: Wire,
    /// Hashes of the children, at level 1 the leaves.
    pub children: Vec<Wire>,
    /// Which children have rows of their own.
    pub opened: Vec<Bool<Fr>>,
    /// Hash.
    pub hash: Wire,
}

impl OpenedNodeVar {
    /// Row 0: the root, at the top level with index 0.
    pub fn root(cs: &mut Cs, node: &OpenedNode) -> Self {
        let level = cs.constant(Fr::from(INSTRUMENTS.depth));
        let (index, is_used) = (cs.zero(), Bool::constant(cs, true));
        let has_parent = Bool::constant(cs, false);
        Self::children(cs, node, [level, index], has_parent, &is_used)
    }

    /// Any other row; `None` is padding.
    pub fn below_root(cs: &mut Cs, node: Option<&OpenedNode>) -> Self {
        let is_used = Bool::witness(cs, "risk node in use", node.is_some());
        let node = node.unwrap_or(&PADDING);
        let level = Uint::external(cs, "risk node level", node.level.into(), LEVEL_BITS);
        let index =
            Uint::external(cs, "risk node index", node.index.into(), INSTRUMENTS.index_bits);
        let place = [level.lc().clone(), index.lc().clone()];
        Self::children(cs, node, place, is_used.clone(), &is_used)
    }

    fn children(
        cs: &mut Cs,
        opened_node: &OpenedNode,
        [level, index]: [Wire; 2],
        has_parent: Bool<Fr>,
        is_used: &Bool<Fr>,
    ) -> Self {
        let children: Vec<_> =
            opened_node.children.iter().map(|&child| cs.external("risk child", child)).collect();
        let opened: Vec<_> = opened_node
            .opened
            .iter()
            .map(|&is_opened| Bool::witness(cs, "child is opened", is_opened))
            .collect();
        enforce_unused(cs, "padding opens nothing", is_used, &opened);
        let hash = node(cs, &children);
        let one = cs.one();
        let first_child = place(&level.minus(&one), &index.scaled(Fr::from(ARITY as u64)));
        Self { has_parent, place: place(&level, &index), first_child, children, opened, hash }
    }

    /// Flags, level and index: with the hash they fix every field of the row.
    pub fn place_parts(&self) -> Vec<Part> {
        place_parts(&self.has_parent, &self.opened, &self.place)
    }
}
