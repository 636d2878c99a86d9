//! What L1 holds and what is missing. Spec: `docs/spec/value/custody.md`.
//!
//! L1 holds `C`. Were everybody paid at mark, the owners of positive equity would get `C + D`, with
//! `D` the negative equity of accounts that neither an auction nor the insurance fund has closed.
//! While `D` is not zero, who leaves gets `C/(C + D)`.

use serde::{Deserialize, Serialize};

use crate::value::packing::Layout;
use crate::value::units::{CASH_BITS, Cash};
use crate::{Reject, Rule};

/// Totals of a state, micro-USDC, below 2^63.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub struct Custody {
    custody: i128,
    deficit: i128,
}

/// [`Custody`] as written.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    custody: Cash,
    deficit: Cash,
}

impl TryFrom<Unchecked> for Custody {
    type Error = Reject;

    fn try_from(unchecked: Unchecked) -> Result<Self, Reject> {
        Self::new(unchecked.custody.into(), unchecked.deficit.into())
    }
}

impl From<Custody> for Unchecked {
    fn from(totals: Custody) -> Self {
        let cash = |total| Cash::try_from(total).expect("a checked total");
        Self { custody: cash(totals.custody), deficit: cash(totals.deficit) }
    }
}

/// What L1 holds and what is missing.
pub const TOTALS: Layout<3> = Layout([
    ("custody", CASH_BITS - 1),
    ("deficit before", CASH_BITS - 1),
    ("deficit after", CASH_BITS - 1),
]);

impl Custody {
    /// Totals of cash held on L1 and of deficits counted.
    ///
    /// # Errors
    /// [`Rule::Custody`] and [`Rule::Deficit`] for totals outside of 0..2^63.
    pub fn new(custody: i128, deficit: i128) -> Result<Self, Reject> {
        let range = 0..=(1 << (CASH_BITS - 1)) - 1;
        if !range.contains(&custody) {
            return Err(Reject::new(Rule::Custody, "cash held on L1", custody).within(range));
        }
        if !range.contains(&deficit) {
            return Err(
                Reject::new(Rule::Deficit, "sum of deficits counted", deficit).within(range)
            );
        }
        Ok(Self { custody, deficit })
    }

    /// Cash held on L1.
    pub fn held(&self) -> i128 {
        self.custody
    }

    /// Deficits counted.
    pub fn deficit(&self) -> i128 {
        self.deficit
    }

    /// What leaves of a withdrawal of `amount`, rounded down: for those who stay.
    pub fn payout_floor(&self, amount: Cash) -> Cash {
        let whole = self.custody + self.deficit;
        // Nothing held and nothing missing is all of nothing: what this batch brings may leave.
        let is_nothing = i128::from(whole == 0);
        let share = i128::from(amount).max(0) * (self.custody + is_nothing);
        let payout = share / (whole + is_nothing);
        Cash::try_from(payout).expect("no more than the amount")
    }

    /// The totals after cash has come in or left and deficits have changed.
    ///
    /// # Errors
    /// [`Rule::Custody`], [`Rule::Deficit`].
    pub fn after(&self, received: i128, counted: i128) -> Result<Self, Reject> {
        Self::new(self.custody + received, self.deficit + counted)
    }
}
