//! The rows of instruments are leaves of the signed risk table. Spec:
//! `docs/spec/batch/argument.md#identity-of-RiskTable`.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;

use super::point::Point;
use super::tables::Tables;
use crate::{Cs, shifted, sum};

/// Every opened child of a node has a row of its own: a node, or at level 0 an instrument; and no
/// row is without a parent but the root, which is the header's.
pub fn enforce_risk_table(cs: &mut Cs, tables: &Tables, point: &Point) {
    cs.under(Rule::InstrumentLive, |cs| {
        let asked = cs.rows("risk nodes", &tables.risk_nodes, |cs, _, node| {
            let mut terms = Vec::new();
            for (k, (child, is_opened)) in node.children().iter().zip(node.opened()).enumerate() {
                let place = shifted(cs, node.first_child(), Fr::from(k as u64));
                let key = point.compress(cs, &[&place, child]);
                terms.push(point.fraction(cs, is_opened.lc(), &key));
            }
            let key = point.compress(cs, &[node.place(), node.hash()]);
            let own = point.fraction(cs, node.has_parent().lc(), &key);
            sum(&terms).minus(&own)
        });
        // An instrument's place is its index: level 0.
        let leaves = cs.rows("instruments", &tables.instruments, |cs, _, row| {
            let key = point.compress(cs, &[row.instrument(), row.leaf()]);
            point.fraction(cs, row.is_active().lc(), &key)
        });
        let (asked, leaves) = (sum(&asked), sum(&leaves));
        cs.enforce_equal("opened children are rows", &asked, &leaves);
    });
}
