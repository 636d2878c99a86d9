//! What is held of an index stays what it is, and who holds it is counted. Spec:
//! `docs/spec/batch/argument.md#identity-of-IndexReuse`.

use zkmargin_protocol::Rule;

use super::account_tree::touched_children;
use super::point::Point;
use super::tables::Tables;
use crate::account::positions::SlotVar;
use crate::gadgets::integer::Int;
use crate::{Cs, Wire, sum};

/// Every touched child of a node has a row of its own: a node, or at level 0 an instrument; and no
/// row is without a parent but the root.
pub fn enforce_interest_tree(cs: &mut Cs, tables: &Tables, point: &Point) {
    cs.under(Rule::IndexReuse, |cs| {
        let asked = touched_children(cs, "interest nodes", &tables.interest_nodes, point);
        let rows: Vec<_> = tables.instruments.iter().zip(&tables.open_interest).collect();
        // An instrument's place is its index: level 0.
        let leaves = cs.rows("instruments", &rows, |cs, _, (row, held)| {
            let key = point.compress(cs, &[row.instrument(), held.old_leaf(), held.new_leaf()]);
            point.fraction(cs, row.is_active().lc(), &key)
        });
        cs.enforce_equal("touched holdings are rows", &asked, &sum(&leaves));
    });
}

/// The holders of an instrument change by as many slots as name it after the batch less those that
/// did before.
pub fn enforce_holders(cs: &mut Cs, tables: &Tables, point: &Point) {
    cs.under(Rule::IndexReuse, |cs| {
        let one = cs.one();
        let slots = cs.rows("accounts", &tables.accounts, |cs, _, account| {
            let mut side = |slots: &[SlotVar]| -> Wire {
                let fraction = |slot: &SlotVar| point.fraction(cs, &one, slot.instrument());
                sum(&slots.iter().map(fraction).collect::<Vec<_>>())
            };
            let after = side(account.new_positions().slots());
            let change = after.minus(&side(account.old_positions().slots()));
            cs.product("holdings of a row in use", account.is_active().lc(), &change)
        });
        let rows: Vec<_> = tables.instruments.iter().zip(&tables.open_interest).collect();
        let rows = cs.rows("instruments", &rows, |cs, _, (row, held)| {
            let change = held.change().only_if(cs, "holders of a row in use", row.is_active());
            let fraction = point.fraction(cs, &change, row.instrument());
            (change, fraction)
        });
        let (changes, counted): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        // An empty slot names index 0, and each account has as many slots before as after: what is
        // added to others is taken from there.
        let no_instrument = cs.zero();
        let emptied = point.fraction(cs, &sum(changes.iter().map(Int::lc)), &no_instrument);
        let (slots, counted) = (sum(&slots), sum(&counted).minus(&emptied));
        cs.enforce_equal("holders are counted", &slots, &counted);
    });
}
