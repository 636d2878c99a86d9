//! Twin of `protocol::ledger::open_interest`: how many accounts hold one referenced instrument,
//! before and after the batch. `argument::open_interest` counts them, and shows where the leaves
//! stand.

use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::trace::InstrumentRow;
use zkmargin_protocol::market::instrument::SPEC_BITS;
use zkmargin_protocol::value::units::{HOLDERS_BITS, Holders};

use crate::gadgets::comparator::is_zero;
use crate::gadgets::integer::{Uint, power_of_two};
use crate::market::risk_row::RiskRowVar;
use crate::value::packing::Part;
use crate::{Cs, Wire};

/// One instrument's holders and leaves.
pub struct OpenInterestVar {
    /// Accounts that hold it before, 24 bits.
    pub old_holders: Wire,
    /// Accounts that hold it after, 24 bits.
    pub new_holders: Wire,
    /// Leaf before.
    pub old_leaf: Wire,
    /// Leaf after.
    pub new_leaf: Wire,
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
                old_leaf: leaf(cs, &row.spec, old.lc()),
                new_leaf: leaf(cs, &row.spec, new.lc()),
                old_holders: old.lc().clone(),
                new_holders: new.lc().clone(),
            }
        })
    }

    /// How many more hold it after the batch, signed.
    pub fn change(&self) -> Wire {
        self.new_holders.minus(&self.old_holders)
    }

    /// Both numbers.
    pub fn parts(&self) -> [Part; 2] {
        [&self.old_holders, &self.new_holders].map(|holders| (holders.clone(), HOLDERS_BITS))
    }
}

/// specification (77) ‖ holders (24); zero without a holder.
fn leaf(cs: &mut Cs, spec: &Wire, holders: &Wire) -> Wire {
    let is_free = is_zero(cs, holders);
    let held = is_free.not(cs);
    let spec = cs.product("specification of what is held", held.lc(), spec);
    spec.plus_scaled(holders, power_of_two(SPEC_BITS))
}
