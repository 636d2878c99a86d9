//! Twin of `protocol::account::positions`.

use ark_bn254::Fr;
use ark_ff::Field;
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::positions::{POSITION_WORDS, SLOTS, SLOTS_PER_WORD, Slot};
use zkmargin_protocol::value::units::{INSTRUMENT_BITS, INSTRUMENT_SLOT_BITS, QUANTITY_BITS};

use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::enforce_is_zero;
use crate::gadgets::integer::{Int, Signed, Uint, power_of_two};
use crate::value::packing::pack_all;
use crate::{Cs, Wire};

/// One slot.
#[derive(Clone, Getters)]
pub struct SlotVar {
    /// Instrument index; 0 when empty.
    instrument: Uint,
    /// Contracts.
    quantity: Int,
    /// Whether the quantity is below zero.
    is_negative: Bool,
    /// `max(0, −quantity)`, where margin is claimed for the slots; 0 elsewhere.
    short: Uint,
}

/// The 32 slots of an account.
#[derive(Clone, Getters)]
pub struct PositionsVar {
    /// The slots in order.
    slots: Vec<SlotVar>,
    /// The slots packed four to an element.
    words: Vec<Uint>,
}

impl PositionsVar {
    /// Each instrument (16 bits) then quantity + 2^39 (40 bits), four slots to a word.
    fn pack(cs: &Cs, slots: Vec<SlotVar>) -> Self {
        let parts =
            slots.iter().flat_map(|slot| [slot.instrument.clone(), slot.quantity.offset(cs)]);
        let parts: Vec<_> = parts.collect();
        let words: Vec<_> = parts.chunks(2 * SLOTS_PER_WORD).map(pack_all).collect();
        debug_assert_eq!(words.len(), POSITION_WORDS);
        Self { slots, words }
    }
}

impl SlotVar {
    /// The slot with another quantity of the same sign, or none.
    pub fn with_quantity(&self, quantity: Int) -> Self {
        Self { quantity, ..self.clone() }
    }

    /// The slot with what is short of it. One constraint.
    pub fn with_short(&self, cs: &mut Cs) -> Self {
        let short = cs.product("short", self.is_negative.lc(), &self.quantity.negated());
        // As `Signed::negative_part`: the sign is the quantity's.
        Self { short: Uint::new_unchecked(short, QUANTITY_BITS), ..self.clone() }
    }
}

/// What is left of slots once these quantities, of their signs and no larger, are taken of them.
pub fn left(slots: &[SlotVar], taken: &[Int]) -> Vec<SlotVar> {
    let slots = slots.iter().zip(taken);
    slots
        .map(|(slot, taken)| {
            let left = slot.quantity.minus(taken);
            // What is taken is no more than is there, and of its sign.
            slot.with_quantity(Int::new_unchecked(left, QUANTITY_BITS))
        })
        .collect()
}

/// Opens the slots of a stored leaf. Their order and distinctness were proven when the leaf was
/// written, so the ranges that make the unpacking unique are all that is left to show.
pub fn open_stored(cs: &mut Cs, slots: &[Slot; SLOTS]) -> PositionsVar {
    let slots = slots
        .iter()
        .map(|(instrument, quantity)| {
            let index = u128::from(instrument.get());
            let instrument = Uint::external(cs, "old instrument", index, INSTRUMENT_BITS);
            let quantity = Signed::external(cs, "old quantity", (*quantity).into(), QUANTITY_BITS);
            SlotVar {
                instrument,
                quantity: quantity.int().clone(),
                is_negative: quantity.is_negative().clone(),
                short: Uint::constant(cs, 0, QUANTITY_BITS),
            }
        })
        .collect();
    PositionsVar::pack(cs, slots)
}

/// The positions of a new leaf.
pub struct CanonicalVar {
    /// The slots.
    pub positions: PositionsVar,
    /// Whether all of them are used.
    pub is_full: Bool,
}

/// The slots of a new leaf: used ones first and strictly increasing within the book, quantities not
/// zero; empty ones (0, 0).
///
/// With `place` the last place used within the book, a used slot's instrument is
/// `base + place + 1 + gap`. Gaps fit 12 bits and the last place too, and with it all others: every
/// index belongs to the book.
pub fn witness_canonical(cs: &mut Cs, underlying: &Uint, slots: &[Slot; SLOTS]) -> CanonicalVar {
    let base = underlying.scaled(power_of_two(INSTRUMENT_SLOT_BITS));
    let (one, zero) = (cs.one(), cs.zero());
    let mut place = zero.minus(&one);
    let mut before = Bool::constant(cs, true);
    let mut vars = Vec::with_capacity(SLOTS);
    for &(instrument, quantity) in slots {
        // A bit by what is said of the quantity in `witness_slot`.
        let is_used = cs.witness("slot is used", Fr::from(instrument.get() != 0));
        let is_used = Bool::new_unchecked(is_used);
        let index = cs.witness("new instrument", Fr::from(instrument.get()));
        cs.under(Rule::PositionSlots, |cs| {
            let (after_empty, is_empty) = (before.not(cs), is_used.not(cs));
            cs.enforce("used slots come first", is_used.lc(), after_empty.lc(), &zero);
            cs.enforce("an empty slot has no instrument", &index, is_empty.lc(), &zero);
        });
        let skipped = index.minus(&base).minus(&place).minus(&one);
        let gap = cs.product("gap of a used slot", is_used.lc(), &skipped);
        cs.under(Rule::Book, |cs| {
            Uint::range_check(cs, "instruments increase", &gap, INSTRUMENT_SLOT_BITS);
        });
        place = place.plus(is_used.lc()).plus(&gap);
        vars.push(witness_slot(cs, index, &is_used, quantity.get()));
        before = is_used;
    }
    enforce_within_book(cs, &place);
    for slot in &vars {
        cs.note_range("instruments of the book", &slot.instrument, INSTRUMENT_BITS);
    }
    CanonicalVar { positions: PositionsVar::pack(cs, vars), is_full: before }
}

/// place ≤ 2^12 − 1. It is a sum of 32 flags and gaps less 1, so it lies between −1, which stands
/// for a book without positions, and 2^18.
fn enforce_within_book(cs: &mut Cs, place: &Wire) {
    cs.under(Rule::Book, |cs| {
        let last = cs.constant(power_of_two::<Fr>(INSTRUMENT_SLOT_BITS) - Fr::ONE);
        let width = INSTRUMENT_SLOT_BITS + 1;
        Uint::range_check(cs, "last place below 2^12", &last.minus(place), width);
    });
}

fn witness_slot(cs: &mut Cs, index: Wire, is_used: &Bool, quantity: i64) -> SlotVar {
    let quantity = Signed::witness(cs, "new quantity", quantity.into(), QUANTITY_BITS);
    cs.under(Rule::PositionSlots, |cs| {
        let is_empty = is_used.not(cs);
        enforce_is_zero(cs, "a slot is used for a quantity", quantity.lc(), is_empty.lc());
    });
    SlotVar {
        // 0, or within a book by the gaps.
        instrument: Uint::new_unchecked(index, INSTRUMENT_BITS),
        short: quantity.negative_part(cs),
        quantity: quantity.int().clone(),
        is_negative: quantity.is_negative().clone(),
    }
}
