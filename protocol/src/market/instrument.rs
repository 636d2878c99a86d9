//! What an instrument is: a cash-settled European option.

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::pricing::black76::OptionKind;
use crate::value::packing::Layout;
use crate::value::units::{PRICE_BITS, Price, TIME_BITS, Time, UNDERLYING_BITS, Underlying};
use crate::{Reject, Rule};

/// Width in bits of a packed [`InstrumentSpec`].
pub const SPEC_BITS: u32 = UNDERLYING_BITS + TIME_BITS + PRICE_BITS + 1;

/// The contract an instrument index stands for. Orders sign it, so an index cannot be re-pointed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstrumentSpec {
    /// The asset whose price settles the option.
    pub underlying: Underlying,
    /// When the option expires and settles.
    pub expiry: Time,
    /// The strike.
    pub strike: Price,
    /// Call or put.
    pub kind: OptionKind,
}

/// A specification in one word.
pub const WORD: Layout<4> = Layout([
    ("underlying", UNDERLYING_BITS),
    ("expiry", TIME_BITS),
    ("strike", PRICE_BITS),
    ("is a call", 1),
]);

impl InstrumentSpec {
    /// [`WORD`] as a number.
    pub fn packed(&self) -> u128 {
        WORD.number([
            self.underlying.get().into(),
            self.expiry.get().into(),
            self.strike.get().into(),
            (self.kind == OptionKind::Call).into(),
        ])
    }

    /// [`InstrumentSpec::packed`] in a field element.
    pub fn field(&self) -> Fr {
        Fr::from(self.packed())
    }

    /// The option has not expired at `time`.
    ///
    /// # Errors
    /// [`Rule::InstrumentLive`].
    pub fn check_live(&self, time: Time) -> Result<(), Reject> {
        if self.expiry <= time {
            let reject = Reject::new(Rule::InstrumentLive, "expiry of an instrument", self.expiry);
            return Err(reject.at_least(time.get() + 1));
        }
        Ok(())
    }

    /// What one contract pays its holder at `settlement`. Exact.
    pub fn payoff(&self, settlement: Price) -> Price {
        let (high, low) = match self.kind {
            OptionKind::Call => (settlement, self.strike),
            OptionKind::Put => (self.strike, settlement),
        };
        let units = high.get().saturating_sub(low.get());
        // A difference of prices, cut off at 0, is a price.
        Price::new(units).unwrap_or_default()
    }
}
