//! Twin of `protocol::account::settlement`: positions of an account row that turn to cash before
//! anything else happens to it. `argument` checks that they are all those in settled instruments,
//! and the cash.

use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::positions::{SLOTS, Slot};
use zkmargin_protocol::account::settlement::Settlement;
use zkmargin_protocol::value::packing::signed_field;

use crate::Cs;
use crate::account::positions::{self, SlotVar};
use crate::gadgets::boolean::Bool;
use crate::gadgets::element::Unranged;
use crate::gadgets::integer::{Int, Uint};
use crate::value::packing::pack_all;

/// What an account's settled positions turn into.
#[derive(Getters)]
pub struct SettlementVar {
    /// Which slots are settled, a bit each.
    flags: Uint,
    /// By slot the whole position if it is settled, else 0.
    settled: Vec<Int>,
    /// `Σ settled · payoff`, signed.
    cash: Unranged,
}

impl SettlementVar {
    /// Allocates what is settled of the stored `slots`, whose values are `stored`.
    pub fn apply(
        cs: &mut Cs,
        slots: &[SlotVar],
        stored: &[Slot; SLOTS],
        settlement: &Settlement,
    ) -> Self {
        let flags: Vec<Bool> = stored
            .iter()
            .map(|(instrument, _)| {
                Bool::witness(cs, "slot is settled", settlement.instruments.contains(instrument))
            })
            .collect();
        let settled = flags
            .iter()
            .zip(slots)
            .map(|(flag, slot)| slot.quantity().only_if(cs, "position settled", flag))
            .collect();
        let cash = signed_field(settlement.cash);
        let cash = Unranged::argued(cs, "settlement cash", cash, Rule::Settlement);
        Self { flags: pack_all(&flags), settled, cash }
    }

    /// What is left of the slots.
    pub fn remaining(&self, slots: &[SlotVar]) -> Vec<SlotVar> {
        positions::left(slots, &self.settled)
    }
}
