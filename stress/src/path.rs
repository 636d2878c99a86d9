//! The price of the underlying at any second, made from recorded bars.

use serde::Deserialize;
use zkmargin_fixtures::import::decimal;
use zkmargin_protocol::units::{Price, Time};

use crate::StressError;

/// Columns of recorded bars which we read.
#[derive(Deserialize)]
pub struct BarRecord {
    open_time_ms: u64,
    open: String,
    high: String,
    low: String,
    close: String,
}

/// First, highest, lowest and last price of a part of time; 1/1000 USDC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Start, unix seconds.
    pub start_s: u64,
    /// First price.
    pub open_e3: u32,
    /// Highest price.
    pub high_e3: u32,
    /// Lowest price.
    pub low_e3: u32,
    /// Last price.
    pub close_e3: u32,
}

impl BarRecord {
    /// The bar in our units.
    ///
    /// # Errors
    /// [`StressError::Data`] with the text that is not a price.
    pub fn bar(&self) -> Result<Bar, StressError> {
        let price = |text: &String| {
            let units = decimal(text, 3).and_then(|units| u32::try_from(units).ok());
            units.filter(|&units| units > 0).ok_or_else(|| StressError::data("price", text))
        };
        Ok(Bar {
            start_s: self.open_time_ms / 1_000,
            open_e3: price(&self.open)?,
            high_e3: price(&self.high)?,
            low_e3: price(&self.low)?,
            close_e3: price(&self.close)?,
        })
    }
}

impl Bar {
    /// First price, then the two extremes, that which lies against the bar's direction first.
    fn turns(&self) -> [u32; 3] {
        if self.close_e3 < self.open_e3 {
            [self.open_e3, self.high_e3, self.low_e3]
        } else {
            [self.open_e3, self.low_e3, self.high_e3]
        }
    }
}

/// A price path: straight lines between its turns.
#[derive(Clone, Debug)]
pub struct PricePath {
    turns: Vec<(u64, u32)>,
}

impl PricePath {
    /// The path through bars of `length_s`: first price, both extremes a third of the length later each, the next bar.
    ///
    /// # Errors
    /// [`StressError::Data`] for no bar, or a gap between two.
    pub fn of_bars(bars: &[Bar], length_s: u64) -> Result<Self, StressError> {
        let last = bars.last().ok_or_else(|| StressError::data("bars", 0))?;
        for pair in bars.windows(2) {
            if pair[1].start_s != pair[0].start_s + length_s {
                return Err(StressError::data("gap after the bar of", pair[0].start_s));
            }
        }
        let turns = |bar: &Bar| {
            let start_s = bar.start_s;
            let place = move |(k, price)| (start_s + k as u64 * length_s / 3, price);
            bar.turns().into_iter().enumerate().map(place).collect::<Vec<_>>()
        };
        let mut turns: Vec<_> = bars.iter().flat_map(turns).collect();
        turns.push((last.start_s + length_s, last.close_e3));
        Ok(Self { turns })
    }

    /// The price at a time; before the first and after the last turn that of the turn.
    ///
    /// # Errors
    /// None for prices of bars.
    pub fn price_at(&self, time: Time) -> Result<Price, StressError> {
        let after = self.turns.partition_point(|&(at, _)| at <= time.get());
        let (Some(low), Some(high)) = (after.checked_sub(1), self.turns.get(after)) else {
            let end = if after == 0 { self.turns.first() } else { self.turns.last() };
            return Ok(Price::new(end.map_or(0, |&(_, price)| price))?);
        };
        let (from, first) = self.turns[low];
        let (to, second) = *high;
        let weighted = u128::from(first) * u128::from(to - time.get())
            + u128::from(second) * u128::from(time.get() - from);
        let price = weighted / u128::from(to - from);
        Ok(Price::try_from(price as i128)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn falling_bar_turns_at_its_high_first() {
        let bar = Bar { start_s: 900, open_e3: 100, high_e3: 130, low_e3: 70, close_e3: 80 };
        let rising = Bar { start_s: 1_800, open_e3: 80, close_e3: 90, ..bar };
        let path = PricePath::of_bars(&[bar, rising], 900).unwrap();
        let at = |second| path.price_at(Time::new(second).unwrap()).unwrap().get();
        assert_eq!([0, 900, 1_050, 1_200, 1_500].map(at), [100, 100, 115, 130, 70]);
        assert_eq!([1_800, 2_100, 2_400, 2_700, 9_000].map(at), [80, 70, 130, 90, 90]);
    }

    #[test]
    fn gap_between_bars_is_refused() {
        let bar = Bar { start_s: 0, open_e3: 1, high_e3: 1, low_e3: 1, close_e3: 1 };
        let late = Bar { start_s: 1_800, ..bar };
        assert!(PricePath::of_bars(&[bar, late], 900).is_err());
        assert!(PricePath::of_bars(&[], 900).is_err());
    }
}
