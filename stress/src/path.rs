//! The price of the underlying at any second, made from recorded bars.

use std::io::Read;

use zkmargin_fixtures::data::import::rows;
use zkmargin_protocol::value::units::{Price, Time};

use crate::StressError;

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

/// The bars of a recorded file, each `length_s` after the one before.
///
/// # Errors
/// [`StressError::Fixture`] naming the line, the column and the value that is no price, no time,
/// out of its bar or not in its place.
pub fn bars(source: impl Read, file: &'static str, length_s: u64) -> Result<Vec<Bar>, StressError> {
    const NEEDED: [&str; 5] = ["open_time_ms", "open", "high", "low", "close"];
    /// Milliseconds of a second.
    const MS: i128 = 1_000;
    let mut bars: Vec<Bar> = Vec::new();
    for row in rows(source, file, &NEEDED, &[])? {
        let times = 0..=i128::from(Time::MAX) * MS;
        let start_ms = row.whole_number("open_time_ms", 0, times)?;
        if start_ms % MS != 0 {
            return Err(row.refuse("open_time_ms", "a whole second").into());
        }
        let start_s = Time::try_from(start_ms / MS)?.get();
        if let Some(last) = bars.last()
            && start_s != last.start_s + length_s
        {
            let expected = (last.start_s + length_s) * 1_000;
            let allowed = format!("{expected}, {length_s} s after the bar before");
            return Err(row.refuse("open_time_ms", allowed).into());
        }
        let price = |column| row.number(column, 3, 1..=i128::from(Price::MAX));
        let [open, high, low, close] =
            [price("open")?, price("high")?, price("low")?, price("close")?];
        if high < open.max(close) {
            return Err(row.refuse("high", "no less than open and close").into());
        }
        if low > open.min(close) {
            return Err(row.refuse("low", "no more than open and close").into());
        }
        let units = |price: i128| Ok::<_, StressError>(Price::try_from(price)?.get());
        let [open_e3, high_e3, low_e3, close_e3] =
            [units(open)?, units(high)?, units(low)?, units(close)?];
        bars.push(Bar { start_s, open_e3, high_e3, low_e3, close_e3 });
    }
    Ok(bars)
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
    /// The path through bars of `length_s`: first price, both extremes a third of the length later
    /// each, the next bar.
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

    /// The first and the last second of the path.
    pub fn span(&self) -> [u64; 2] {
        let end = |turn: Option<&(u64, u32)>| turn.map_or(0, |&(second, _)| second);
        [end(self.turns.first()), end(self.turns.last())]
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
