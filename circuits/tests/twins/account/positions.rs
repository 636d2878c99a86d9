//! The slots of a new leaf.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use zkmargin_circuits::account::positions::witness_canonical;
use zkmargin_circuits::gadgets::integer::Uint;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::positions::{Positions, SLOTS, Slot};
use zkmargin_protocol::value::units::{InstrumentIndex, Quantity, UNDERLYING_BITS, Underlying};

use super::super::draw::{Verdict, agree, circuit, near, witness};

fn random_quantity(rng: &mut ChaCha8Rng) -> Quantity {
    let [min, max] = [Quantity::MIN, Quantity::MAX].map(i128::from);
    let bound = rng.gen_range(-50_000..50_000);
    let number = near(rng, bound, min, max);
    Quantity::try_from(if number == 0 { 1 } else { number }).expect("clamped")
}

/// Canonical slots of a book, then half the time one thing changed.
fn random_slots(rng: &mut ChaCha8Rng) -> (Underlying, [Slot; SLOTS]) {
    let book = Underlying::new(*[0, 1, 7, 15].choose(rng).expect("four")).expect("4 bits");
    let count = *[0, 1, 2, 5, 31, 32].choose(rng).expect("six");
    let mut positions = Positions::default();
    while positions.count() < count {
        let slot = match rng.gen_range(0..4) {
            0 => rng.gen_range(1..40),
            1 => 4_095 - rng.gen_range(0..40),
            _ => rng.gen_range(1..4_096),
        };
        let instrument = InstrumentIndex::of(book, slot).expect("not 0");
        let held = random_quantity(rng);
        if positions.quantity(instrument) == Quantity::default() {
            positions.add(book, instrument, held).expect("a free slot");
        }
    }
    let mut slots = positions.slots();
    if rng.r#gen() {
        break_one(rng, &mut slots, book);
    }
    (book, slots)
}

fn break_one(rng: &mut ChaCha8Rng, slots: &mut [Slot; SLOTS], book: Underlying) {
    let (one, other) = (rng.gen_range(0..SLOTS), rng.gen_range(0..SLOTS));
    let foreign = |value: u32| InstrumentIndex::new((value & 0xffff) as u16).expect("16 bits");
    let first = u32::from(book.get()) << 12;
    match rng.gen_range(0..6) {
        0 => slots.swap(one, other),
        1 => slots[one] = slots[other],
        2 => slots[one].1 = Quantity::default(),
        3 => slots[one].0 = InstrumentIndex::default(),
        4 => slots[one].0 = foreign(first + 4_096),
        _ => slots[one].0 = foreign(first.wrapping_sub(1)),
    }
}

/// Slots are canonical if native positions built from them have these slots. Where they are not,
/// the first fault, slot by slot: a used one behind an empty one, an order that is not within the
/// book, a use without a quantity.
fn judge_natively(book: Underlying, slots: &[Slot; SLOTS]) -> Verdict {
    let mut rebuilt = Positions::default();
    let used = slots.iter().filter(|(instrument, _)| instrument.get() != 0);
    let added = used.clone().try_for_each(|&(instrument, q)| rebuilt.add(book, instrument, q));
    let is_canonical = added.is_ok() && rebuilt.slots() == *slots;
    let fault = first_fault(book, slots);
    assert_eq!(fault.is_none(), is_canonical, "{book} {slots:?}");
    fault
}

fn first_fault(book: Underlying, slots: &[Slot; SLOTS]) -> Verdict {
    let base = i64::from(book.get()) << 12;
    let (mut last, mut after_empty) = (base - 1, false);
    for &(instrument, quantity) in slots {
        let index = i64::from(instrument.get());
        let is_used = index != 0;
        if is_used && after_empty {
            return Some(Rule::PositionSlots);
        }
        if is_used && !(last + 1..last + 1 + 4_096).contains(&index) {
            return Some(Rule::Book);
        }
        if is_used != (quantity.get() != 0) {
            return Some(Rule::PositionSlots);
        }
        if is_used {
            last = index;
        }
        after_empty = !is_used;
    }
    (last > base + 4_095).then_some(Rule::Book)
}

#[test]
fn agree_on_position_slots() {
    agree(2_000, &[Rule::PositionSlots, Rule::Book], |rng| {
        let (book, slots) = random_slots(rng);
        let mut cs = witness();
        let underlying = Uint::constant(&cs, book.get().into(), UNDERLYING_BITS);
        witness_canonical(&mut cs, &underlying, &slots);
        [judge_natively(book, &slots), circuit(&cs)]
    });
}
