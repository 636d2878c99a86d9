//! Units and widths of every value. `docs/spec/value/units.md` shows the same table.
//!
//! A newtype guarantees its range: it can only be made by `new`, which checks. Circuits assert the
//! same widths.

use serde::{Deserialize, Serialize};

use crate::{Reject, Rule};

/// Parts per million in one.
pub const PPM: u32 = 1_000_000;
/// Width in bits of a batch number.
pub const NUMBER_BITS: u32 = 40;
/// Width in bits of the penalty of a forced reduction: parts per million of the forward, at most
/// all of it.
pub const PENALTY_BITS: u32 = 20;
/// Width in bits of [`Cash`], sign included.
pub const CASH_BITS: u32 = 64;
/// Width in bits of [`Quantity`], sign included.
pub const QUANTITY_BITS: u32 = 40;
/// Width in bits of [`Price`].
pub const PRICE_BITS: u32 = 32;
/// Width in bits of [`Loss`], sign included.
pub const LOSS_BITS: u32 = 34;
/// Width in bits of [`Time`].
pub const TIME_BITS: u32 = 40;
/// Width in bits of [`Nonce`].
pub const NONCE_BITS: u32 = 40;
/// Width in bits of [`InstrumentIndex`]: underlying (4) ‖ slot (12).
pub const INSTRUMENT_BITS: u32 = 16;
/// Width in bits of the slot part of an [`InstrumentIndex`].
pub const INSTRUMENT_SLOT_BITS: u32 = 12;
/// Width in bits of [`ForcedQuantity`].
pub const FORCED_BITS: u32 = 22;
/// Width in bits of [`Underlying`].
pub const UNDERLYING_BITS: u32 = 4;
/// Width in bits of [`Tier`].
pub const TIER_BITS: u32 = 2;
/// Width in bits of [`AccountIndex`].
pub const ACCOUNT_BITS: u32 = 24;
/// Width in bits of [`Holders`].
pub const HOLDERS_BITS: u32 = 24;

macro_rules! ranged {
    ($(#[$doc:meta])* $name:ident($inner:ty) = $what:literal, $min:expr, $max:expr) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash,
            Serialize, Deserialize,
        )]
        #[serde(try_from = "String", into = "String")]
        pub struct $name($inner);

        impl $name {
            /// Smallest value.
            pub const MIN: Self = Self($min);
            /// Largest value.
            pub const MAX: Self = Self($max);

            /// The value, if it lies in the range of the unit.
            ///
            /// # Errors
            /// [`Rule::Range`] with the value.
            pub fn new(value: $inner) -> Result<Self, Reject> {
                if !($min..=$max).contains(&value) {
                    return Err(Self::outside(value));
                }
                Ok(Self(value))
            }

            fn outside(value: impl std::fmt::Display) -> Reject {
                Reject::new(Rule::Range, $what, value).within(Self::MIN.0..=Self::MAX.0)
            }

            /// The bare number in the unit.
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl TryFrom<i128> for $name {
            type Error = Reject;

            fn try_from(value: i128) -> Result<Self, Reject> {
                Self::new(<$inner>::try_from(value).map_err(|_| Self::outside(value))?)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Reject;

            fn try_from(text: String) -> Result<Self, Reject> {
                let inner = text.parse::<$inner>().map_err(|_| Self::outside(&text))?;
                if inner.to_string() != text {
                    return Err(Reject::new(Rule::Range, $what, &text).only(inner));
                }
                Self::new(inner)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0.to_string()
            }
        }

        impl From<$name> for i128 {
            fn from(value: $name) -> Self {
                Self::from(value.0)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

ranged!(
    /// Cash, collateral, fees and margin amounts: micro-USDC, signed 64 bits.
    Cash(i64) = "cash", i64::MIN, i64::MAX
);
ranged!(
    /// Number of contracts held or traded: 1/1000 contract, signed 40 bits.
    Quantity(i64) = "quantity", -(1 << (QUANTITY_BITS - 1)), (1 << (QUANTITY_BITS - 1)) - 1
);
ranged!(
    /// Least or greatest number of contracts an order allows: 1/1000 contract, unsigned 39 bits, so
    /// that each is a [`Quantity`].
    OrderQuantity(u64) = "quantity of an order", 0, (1 << (QUANTITY_BITS - 1)) - 1
);
ranged!(
    /// Number of contracts forced on another account at once: 1/1000 contract, unsigned 22 bits.
    /// While no scenario moves an option by 2^28 (268,000 USDC), their gains and losses span less
    /// than 2^51 micro-USDC, half of what margin has room for.
    ForcedQuantity(u32) = "quantity forced", 0, (1 << FORCED_BITS) - 1
);
ranged!(
    /// Price, mark, strike, forward: 1/1000 USDC per contract, unsigned 32 bits.
    Price(u32) = "price", 0, u32::MAX
);
ranged!(
    /// Loss of one unit of an instrument in one scenario: 1/1000 USDC per contract, signed 34 bits,
    /// positive is a loss of the holder.
    Loss(i64) = "loss", -(1 << (LOSS_BITS - 1)), (1 << (LOSS_BITS - 1)) - 1
);
ranged!(
    /// Unix time in seconds, 40 bits.
    Time(u64) = "time", 0, (1 << TIME_BITS) - 1
);
ranged!(
    /// Number of an order or request within its account, 40 bits.
    Nonce(u64) = "nonce", 0, (1 << NONCE_BITS) - 1
);
ranged!(
    /// Index of an underlying, 4 bits.
    Underlying(u8) = "underlying", 0, (1 << UNDERLYING_BITS) - 1
);
ranged!(
    /// Tier of the fee schedule an account is in, 2 bits. 0 is the dearest.
    Tier(u8) = "fee tier", 0, (1 << TIER_BITS) - 1
);
ranged!(
    /// Index of an account, 24 bits. 0 is the insurance fund, 1 the fee account.
    AccountIndex(u32) = "account index", 0, (1 << ACCOUNT_BITS) - 1
);
ranged!(
    /// Number of accounts that hold an instrument, 24 bits.
    Holders(u32) = "number of holders", 0, (1 << HOLDERS_BITS) - 1
);
ranged!(
    /// Index of an instrument: underlying (4) ‖ slot (12). 0 means "no instrument".
    InstrumentIndex(u16) = "instrument index", 0, u16::MAX
);

impl InstrumentIndex {
    /// The instrument of `underlying` in `slot` (12 bits).
    ///
    /// # Errors
    /// [`Rule::Range`] if the slot is too wide or the index would be 0.
    pub fn of(underlying: Underlying, slot: u16) -> Result<Self, Reject> {
        let index = u16::from(underlying.get()) << INSTRUMENT_SLOT_BITS | slot;
        if slot >> INSTRUMENT_SLOT_BITS != 0 || index == 0 {
            let slots = u16::from(underlying == Underlying::MIN)..=(1 << INSTRUMENT_SLOT_BITS) - 1;
            return Err(Reject::new(Rule::Range, "instrument slot", slot).within(slots));
        }
        Ok(Self(index))
    }

    /// The underlying part.
    pub fn underlying(self) -> Underlying {
        Underlying((self.0 >> INSTRUMENT_SLOT_BITS) as u8)
    }

    /// The slot part, 12 bits.
    pub fn slot(self) -> u16 {
        self.0 & ((1 << INSTRUMENT_SLOT_BITS) - 1)
    }
}

impl From<AccountIndex> for u32 {
    fn from(index: AccountIndex) -> Self {
        index.0
    }
}

impl From<OrderQuantity> for Quantity {
    fn from(value: OrderQuantity) -> Self {
        // 39 bits without a sign are 40 bits with one.
        Self(value.0 as i64)
    }
}

impl TryFrom<Quantity> for OrderQuantity {
    type Error = Reject;

    fn try_from(value: Quantity) -> Result<Self, Reject> {
        Self::try_from(i128::from(value))
    }
}
