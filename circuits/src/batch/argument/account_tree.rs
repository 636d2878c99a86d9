//! The account rows are the touched leaves of the account tree. Spec:
//! `docs/spec/batch/argument.md#identity-of-AccountTree`.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;

use super::point::Point;
use super::tables::Tables;
use crate::crypto::tree::{self, LEVEL_BITS, NodeVar};
use crate::gadgets::integer::Uint;
use crate::{Cs, Wire, shifted, sum};

/// Every touched child of a node has a row of its own: a node, or at level 0 an account; and no row
/// is without a parent but the root.
pub fn enforce_tree(cs: &mut Cs, tables: &Tables, point: &Point) {
    cs.under(Rule::AccountTree, |cs| {
        let asked = touched_children(cs, "nodes", &tables.nodes, point);
        let level = Uint::constant(cs, 0, LEVEL_BITS);
        let leaves = cs.rows("accounts", &tables.accounts, |cs, _, account| {
            let place = tree::place(&level, account.index());
            let key = point.compress(cs, &[&place, account.old_leaf(), account.new_leaf()]);
            point.fraction(cs, account.is_active().lc(), &key)
        });
        cs.enforce_equal("touched children are rows", &asked, &sum(&leaves));
    });
}

/// What the nodes of a tree touch less what they are themselves: the leaves touched.
pub fn touched_children(
    cs: &mut Cs,
    table: &'static str,
    nodes: &[NodeVar],
    point: &Point,
) -> Wire {
    let rows = cs.rows(table, nodes, |cs, _, node| {
        let mut terms = Vec::new();
        for k in 0..node.old().len() {
            let place = shifted(cs, node.first_child(), Fr::from(k as u64));
            let key = point.compress(cs, &[&place, &node.old()[k], &node.new()[k]]);
            terms.push(point.fraction(cs, node.touched()[k].lc(), &key));
        }
        let key = point.compress(cs, &[node.place(), node.old_hash(), node.new_hash()]);
        let own = point.fraction(cs, node.has_parent().lc(), &key);
        sum(&terms).minus(&own)
    });
    sum(&rows)
}
