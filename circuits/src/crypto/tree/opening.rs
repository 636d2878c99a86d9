//! Twin of `protocol::crypto::tree::opening`: one node of the risk table above instruments of the
//! batch.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use derive_getters::Getters;
use zkmargin_protocol::crypto::tree::ARITY;
use zkmargin_protocol::crypto::tree::opening::OpenedNode;

use super::{INSTRUMENTS, LEVEL_BITS, PlaceVar, enforce_unused, node, place_parts};
use crate::Cs;
use crate::gadgets::boolean::Bool;
use crate::gadgets::element::{Element, Unranged};
use crate::gadgets::integer::Uint;

/// A node that opens nothing.
pub const PADDING: OpenedNode =
    OpenedNode { level: 1, index: 0, children: [Fr::ZERO; ARITY], opened: [false; ARITY] };

/// One node.
#[derive(Getters)]
pub struct OpenedNodeVar {
    /// Whether the row is in use and has a parent row: false for the root and for padding.
    has_parent: Bool,
    /// level · 2^24 + index.
    place: Uint,
    /// Level · 2^24 + index of child 0.
    first_child: Unranged,
    /// Hashes of the children, at level 1 the leaves.
    children: Vec<Element>,
    /// Which children have rows of their own.
    opened: Vec<Bool>,
    /// Hash.
    hash: Element,
}

impl OpenedNodeVar {
    /// Row 0: the root, at the top level with index 0.
    pub fn root(cs: &mut Cs, node: &OpenedNode) -> Self {
        let place = PlaceVar::root(cs, INSTRUMENTS);
        let (is_used, has_parent) = (Bool::constant(cs, true), Bool::constant(cs, false));
        Self::over(cs, node, &place, has_parent, &is_used)
    }

    /// Any other row; `None` is padding.
    pub fn below_root(cs: &mut Cs, node: Option<&OpenedNode>) -> Self {
        let is_used = Bool::witness(cs, "risk node in use", node.is_some());
        let node = node.unwrap_or(&PADDING);
        let level = Uint::external(cs, "risk node level", node.level.into(), LEVEL_BITS);
        let index =
            Uint::external(cs, "risk node index", node.index.into(), INSTRUMENTS.index_bits);
        Self::over(cs, node, &PlaceVar { level, index }, is_used.clone(), &is_used)
    }

    fn over(
        cs: &mut Cs,
        opened_node: &OpenedNode,
        place: &PlaceVar,
        has_parent: Bool,
        is_used: &Bool,
    ) -> Self {
        let children = opened_node.children.iter();
        let children: Vec<_> =
            children.map(|&child| Element::external(cs, "risk child", child)).collect();
        let opened: Vec<_> = opened_node
            .opened
            .iter()
            .map(|&is_opened| Bool::witness(cs, "child is opened", is_opened))
            .collect();
        enforce_unused(cs, "padding opens nothing", is_used, &opened);
        let hash = node(cs, &children);
        let (place, first_child) = (place.own(), place.first_child(cs));
        Self { has_parent, place, first_child, children, opened, hash }
    }

    /// Flags, level and index: with the hash they fix every field of the row.
    pub fn place_parts(&self) -> Vec<Uint> {
        place_parts(&self.has_parent, &self.opened, &self.place)
    }
}
