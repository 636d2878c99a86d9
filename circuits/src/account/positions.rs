//! Twin of `protocol::account::positions`.

use ark_bn254::Fr;
use ark_ff::Field;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::positions::{POSITION_WORDS, SLOTS, SLOTS_PER_WORD, Slot};
use zkmargin_protocol::value::units::{INSTRUMENT_BITS, INSTRUMENT_SLOT_BITS, QUANTITY_BITS};

use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::enforce_is_zero;
use crate::gadgets::integer::{Int, Uint, power_of_two};
use crate::value::packing::pack;
use crate::{Cs, Wire, shifted};

/// One slot.
#[derive(Clone)]
pub struct SlotVar {
    /// Instrument index, 16 bits; 0 when empty.
    pub instrument: Wire,
    /// Signed quantity, 40 bits.
    pub quantity: Wire,
    /// Whether the quantity is below zero.
    pub is_negative: Bool<Fr>,
    /// `max(0, −quantity)`, where margin is claimed for the slots; 0 elsewhere.
    pub short: Wire,
}

/// The 32 slots of an account.
#[derive(Clone)]
pub struct PositionsVar {
    /// The slots in order.
    pub slots: Vec<SlotVar>,
    /// The slots packed four to an element.
    pub words: Vec<Wire>,
}

impl PositionsVar {
    /// Each instrument (16 bits) then quantity + 2^39 (40 bits), four slots to a word.
    fn pack(cs: &Cs, slots: Vec<SlotVar>) -> Self {
        let half = power_of_two(QUANTITY_BITS - 1);
        let words: Vec<_> = slots
            .chunks(SLOTS_PER_WORD)
            .map(|four| {
                let quantities: Vec<_> =
                    four.iter().map(|slot| shifted(cs, &slot.quantity, half)).collect();
                let parts: Vec<_> = four
                    .iter()
                    .zip(&quantities)
                    .flat_map(|(slot, quantity)| {
                        [(&slot.instrument, INSTRUMENT_BITS), (quantity, QUANTITY_BITS)]
                    })
                    .collect();
                pack(&parts)
            })
            .collect();
        debug_assert_eq!(words.len(), POSITION_WORDS);
        Self { slots, words }
    }
}

/// What is left of slots once these quantities are taken of them.
pub fn left(slots: &[SlotVar], taken: &[Wire]) -> Vec<SlotVar> {
    let left = |(slot, taken): (&SlotVar, &Wire)| SlotVar {
        quantity: slot.quantity.minus(taken),
        ..slot.clone()
    };
    slots.iter().zip(taken).map(left).collect()
}

/// Opens the slots of a stored leaf. Their order and distinctness were proven when the leaf was
/// written, so the ranges that make the unpacking unique are all that is left to show.
pub fn open_stored(cs: &mut Cs, slots: &[Slot; SLOTS]) -> PositionsVar {
    let slots = slots
        .iter()
        .map(|(instrument, quantity)| {
            let index =
                Uint::external(cs, "old instrument", u128::from(instrument.get()), INSTRUMENT_BITS);
            let quantity = Int::external(cs, "old quantity", (*quantity).into(), QUANTITY_BITS);
            let is_negative = quantity.is_negative().clone();
            let (instrument, quantity) = (index.lc().clone(), quantity.lc().clone());
            SlotVar { instrument, quantity, is_negative, short: cs.zero() }
        })
        .collect();
    PositionsVar::pack(cs, slots)
}

/// The slots of a new leaf: used ones first and strictly increasing within the book, quantities not
/// zero; empty ones (0, 0). `underlying` has 4 bits. Returns whether all are used as well.
///
/// With `place` the last place used within the book, a used slot's instrument is
/// `base + place + 1 + gap`. Gaps fit 12 bits and the last place too, and with it all others: every
/// index belongs to the book.
pub fn witness_canonical(
    cs: &mut Cs,
    underlying: &Wire,
    slots: &[Slot; SLOTS],
) -> (PositionsVar, Bool<Fr>) {
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
    (PositionsVar::pack(cs, vars), before)
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

fn witness_slot(cs: &mut Cs, instrument: Wire, is_used: &Bool<Fr>, quantity: i64) -> SlotVar {
    let quantity = Int::witness(cs, "new quantity", quantity.into(), QUANTITY_BITS);
    cs.under(Rule::PositionSlots, |cs| {
        let is_empty = is_used.not(cs);
        enforce_is_zero(cs, "a slot is used for a quantity", quantity.lc(), is_empty.lc());
    });
    let short = quantity.negative_part(cs).lc().clone();
    let is_negative = quantity.is_negative().clone();
    SlotVar { instrument, quantity: quantity.lc().clone(), is_negative, short }
}
