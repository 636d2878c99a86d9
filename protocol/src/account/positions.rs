//! The 32 position slots of an account. Spec: `docs/spec/account/account.md#PositionSlots`.

use std::collections::BTreeMap;

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::value::packing::{pack, part, signed_part};
use crate::value::units::{INSTRUMENT_BITS, InstrumentIndex, QUANTITY_BITS, Quantity, Underlying};
use crate::{Reject, Rule};

/// Slots of an account.
pub const SLOTS: usize = 32;
/// Slots packed into one field element.
pub const SLOTS_PER_WORD: usize = 4;
/// Field elements holding the slots of an account.
pub const POSITION_WORDS: usize = SLOTS / SLOTS_PER_WORD;

/// One slot: instrument and quantity; the empty slot is (0, 0).
pub type Slot = (InstrumentIndex, Quantity);

/// Non-zero positions by instrument, at most [`SLOTS`], all of one underlying.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    try_from = "BTreeMap<InstrumentIndex, Quantity>",
    into = "BTreeMap<InstrumentIndex, Quantity>"
)]
pub struct Positions(BTreeMap<InstrumentIndex, Quantity>);

impl TryFrom<BTreeMap<InstrumentIndex, Quantity>> for Positions {
    type Error = Reject;

    /// The positions, if they fit the slots: [`Rule::PositionSlots`] for more than [`SLOTS`], a
    /// quantity of zero, or the index of no instrument.
    fn try_from(positions: BTreeMap<InstrumentIndex, Quantity>) -> Result<Self, Reject> {
        if positions.len() > SLOTS {
            return Err(too_many(positions.len()));
        }
        for (&instrument, &quantity) in &positions {
            if instrument.get() == 0 || quantity == Quantity::default() {
                let value = format_args!("{quantity} in instrument {instrument}");
                let reject = Reject::new(Rule::PositionSlots, "position", value);
                return Err(reject.only("one that fills its slot"));
            }
        }
        Ok(Self(positions))
    }
}

fn too_many(count: usize) -> Reject {
    Reject::new(Rule::PositionSlots, "number of positions", count).at_most(SLOTS)
}

impl From<Positions> for BTreeMap<InstrumentIndex, Quantity> {
    fn from(positions: Positions) -> Self {
        positions.0
    }
}

impl Positions {
    /// Slots nobody checked: those of the dishonest operator of the forgery tests.
    #[cfg(feature = "forgery")]
    pub fn forged(positions: BTreeMap<InstrumentIndex, Quantity>) -> Self {
        Self(positions)
    }

    /// Positions in the order of their instruments.
    pub fn iter(&self) -> impl Iterator<Item = Slot> + '_ {
        self.0.iter().map(|(&instrument, &quantity)| (instrument, quantity))
    }

    /// Quantity held of an instrument.
    pub fn quantity(&self, instrument: InstrumentIndex) -> Quantity {
        self.0.get(&instrument).copied().unwrap_or_default()
    }

    /// Number of slots in use.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Adds `change` to the position in `instrument`; a position of zero leaves its slot.
    ///
    /// # Errors
    /// [`Rule::Book`] if the instrument is not of `book`; [`Rule::Range`] if the sum leaves its
    /// width; [`Rule::PositionSlots`] if a 33rd slot would be needed.
    pub fn add(
        &mut self,
        book: Underlying,
        instrument: InstrumentIndex,
        change: Quantity,
    ) -> Result<(), Reject> {
        self.change(book, instrument, change.get())
    }

    /// Takes `change` from the position in `instrument`. The opposite of the smallest quantity is
    /// no [`Quantity`], so this is not the same as adding it.
    ///
    /// # Errors
    /// Those of [`Positions::add`].
    pub fn subtract(
        &mut self,
        book: Underlying,
        instrument: InstrumentIndex,
        change: Quantity,
    ) -> Result<(), Reject> {
        self.change(book, instrument, -change.get())
    }

    fn change(
        &mut self,
        book: Underlying,
        instrument: InstrumentIndex,
        change: i64,
    ) -> Result<(), Reject> {
        if instrument.underlying() != book || instrument.get() == 0 {
            let reject = Reject::new(Rule::Book, "instrument", instrument);
            return Err(reject.only(format_args!("one of underlying {book}")));
        }
        let sum = Quantity::new(self.quantity(instrument).get() + change)?;
        if sum == Quantity::default() {
            self.0.remove(&instrument);
            return Ok(());
        }
        if !self.0.contains_key(&instrument) && self.0.len() == SLOTS {
            return Err(too_many(SLOTS + 1));
        }
        self.0.insert(instrument, sum);
        Ok(())
    }

    /// The slots: used ones by increasing instrument, then empty ones.
    pub fn slots(&self) -> [Slot; SLOTS] {
        let mut slots = [Slot::default(); SLOTS];
        for (slot, position) in slots.iter_mut().zip(self.iter()) {
            *slot = position;
        }
        slots
    }

    /// The slots packed four to an element, each instrument (16 bits) then quantity + 2^39 (40
    /// bits).
    pub fn words(&self) -> [Fr; POSITION_WORDS] {
        let slots = self.slots();
        std::array::from_fn(|word| {
            let four = &slots[word * SLOTS_PER_WORD..][..SLOTS_PER_WORD];
            let parts: Vec<_> = four
                .iter()
                .flat_map(|(instrument, quantity)| {
                    [
                        part(instrument.get(), INSTRUMENT_BITS),
                        signed_part(quantity.get(), QUANTITY_BITS),
                    ]
                })
                .collect();
            pack(&parts)
        })
    }
}
