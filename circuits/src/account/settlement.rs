//! Twin of `protocol::account::settlement`: positions of an account row that turn to cash before
//! anything else happens to it. `argument` checks that they are all those in settled instruments,
//! and the cash.

use ark_bn254::Fr;
use zkmargin_protocol::account::positions::{SLOTS, Slot};
use zkmargin_protocol::account::settlement::Settlement;
use zkmargin_protocol::value::packing::signed_field;

use crate::account::positions::{self, SlotVar};
use crate::gadgets::boolean::Bool;
use crate::value::packing::pack;
use crate::{Cs, Wire};

/// Width in bits of the packed flags.
pub const FLAG_BITS: u32 = SLOTS as u32;

/// What an account's settled positions turn into.
pub struct SettlementVar {
    /// Which slots are settled, a bit each.
    pub flags: Wire,
    /// By slot the whole position if it is settled, else 0.
    pub settled: Vec<Wire>,
    /// `Σ settled · payoff`, signed.
    pub cash: Wire,
}

impl SettlementVar {
    /// Allocates what is settled of the stored `slots`, whose values are `stored`.
    pub fn apply(
        cs: &mut Cs,
        slots: &[SlotVar],
        stored: &[Slot; SLOTS],
        settlement: &Settlement,
    ) -> Self {
        let flags: Vec<Bool<Fr>> = stored
            .iter()
            .map(|(instrument, _)| {
                Bool::witness(cs, "slot is settled", settlement.instruments.contains(instrument))
            })
            .collect();
        let settled = flags
            .iter()
            .zip(slots)
            .map(|(flag, slot)| cs.product("position settled", flag.lc(), &slot.quantity))
            .collect();
        let parts: Vec<_> = flags.iter().map(|flag| (flag.lc(), 1)).collect();
        let cash = cs.argued("settlement cash", signed_field(settlement.cash));
        Self { flags: pack(&parts), settled, cash }
    }

    /// What is left of the slots.
    pub fn remaining(&self, slots: &[SlotVar]) -> Vec<SlotVar> {
        positions::left(slots, &self.settled)
    }
}
