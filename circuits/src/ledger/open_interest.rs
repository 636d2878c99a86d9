//! Twin of `protocol::ledger::open_interest`: how many accounts hold one referenced instrument,
//! before and after the batch. `argument::open_interest` counts them, and shows where the leaves
//! stand.

use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::trace::InstrumentRow;
use zkmargin_protocol::ledger::open_interest::LEAF;
use zkmargin_protocol::value::units::{HOLDERS_BITS, Holders};

use crate::Cs;
use crate::gadgets::comparator::is_zero;
use crate::gadgets::element::Element;
use crate::gadgets::integer::{Int, Uint};
use crate::market::risk_row::RiskRowVar;
use crate::value::packing::pack_as;

/// One instrument's holders and leaves.
#[derive(Getters)]
pub struct OpenInterestVar {
    /// Accounts that hold it before.
    old_holders: Uint,
    /// Accounts that hold it after.
    new_holders: Uint,
    /// Leaf before.
    old_leaf: Element,
    /// Leaf after.
    new_leaf: Element,
}

impl OpenInterestVar {
    /// Allocates both numbers. Each leaf has the specification of the risk table's `row`: an index
    /// that is held stands for what it stood for. `None` is padding.
    pub fn new(cs: &mut Cs, input: Option<&InstrumentRow>, row: &RiskRowVar) -> Self {
        let number = |holders: Option<Holders>| holders.map_or(0, |holders| holders.get().into());
        let old = number(input.map(|row| row.old_holders));
        let new = number(input.map(|row| row.new_holders));
        cs.under(Rule::IndexReuse, |cs| {
            let old = Uint::external(cs, "holders before", old, HOLDERS_BITS);
            let new = Uint::witness(cs, "holders after", new, HOLDERS_BITS);
            Self {
                old_leaf: leaf(cs, row.spec(), &old),
                new_leaf: leaf(cs, row.spec(), &new),
                old_holders: old,
                new_holders: new,
            }
        })
    }

    /// How many more hold it after the batch.
    pub fn change(&self) -> Int {
        self.new_holders.sub(&self.old_holders)
    }
}

/// The leaf of an index; zero without a holder.
fn leaf(cs: &mut Cs, spec: &Uint, holders: &Uint) -> Element {
    let is_free = is_zero(cs, holders);
    let held = is_free.not(cs);
    let spec = spec.only_if(cs, "specification of what is held", &held);
    Element::new(pack_as(&LEAF, [&spec, holders]).lc().clone())
}
