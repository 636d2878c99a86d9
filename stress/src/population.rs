//! Who trades what: writers of options with more or less capital, and the holders who buy from
//! them.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::value::units::{AccountIndex, PPM, Price, Time, Underlying};

use crate::StressError;

/// An option as a share of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Call or put.
    pub kind: OptionKind,
    /// Strike less price, as a share of the price, parts per million.
    pub offset_ppm: i64,
    /// Of the expiry about three weeks away instead of the next.
    pub is_far: bool,
    /// Contracts for each of the book's size, negative if written.
    pub ratio: i64,
}

const fn put(offset_percent: i64, ratio: i64) -> Leg {
    let offset_ppm = offset_percent * 10_000;
    Leg { kind: OptionKind::Put, offset_ppm, is_far: false, ratio }
}

const fn call(offset_percent: i64, ratio: i64) -> Leg {
    Leg { kind: OptionKind::Call, ..put(offset_percent, ratio) }
}

const fn far(leg: Leg) -> Leg {
    Leg { is_far: true, ..leg }
}

/// A kind of book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// What it is called.
    pub name: &'static str,
    /// Its options.
    pub legs: &'static [Leg],
}

/// The kinds of books of writers; holders have their mirror images.
pub const STYLES: [Style; 9] = [
    Style { name: "naked put", legs: &[put(-10, -1)] },
    Style { name: "naked call", legs: &[call(10, -1)] },
    Style { name: "strangle", legs: &[put(-10, -1), call(10, -1)] },
    Style { name: "straddle", legs: &[put(0, -1), call(0, -1)] },
    Style { name: "put spread", legs: &[put(-5, -1), put(-15, 1)] },
    Style { name: "call spread", legs: &[call(5, -1), call(15, 1)] },
    Style { name: "iron condor", legs: &[put(-10, -1), put(-20, 1), call(10, -1), call(20, 1)] },
    Style { name: "calendar", legs: &[put(0, -1), call(0, -1), far(put(0, 1)), far(call(0, 1))] },
    Style { name: "put ratio", legs: &[put(-5, 1), put(-20, -3)] },
];

/// Capital of a writer as a multiple of the initial margin of the book.
const CAPITAL_PPM: [u32; 7] =
    [1_020_000, 1_100_000, 1_250_000, 1_500_000, 2_000_000, 3_000_000, 5_000_000];
/// Worth of the underlying for each of a book's size, USDC: every step twice the one before.
const SIZE_USDC: [i64; 6] = [50_000, 100_000, 200_000, 400_000, 800_000, 1_600_000];
/// Strikes are shifted by up to this many steps either way.
const SHIFTS: i64 = 1;
/// Size of such a step, parts per million of the price.
const SHIFT_PPM: i64 = 25_000;
/// Accounts before those of traders: insurance fund and fee account.
const FIRST: u32 = 2;

/// A writer, the holder on the other side, and their books.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The writer.
    pub writer: AccountIndex,
    /// The holder.
    pub holder: AccountIndex,
    /// The kind of book.
    pub style: Style,
    /// Added to the offset of every strike, parts per million.
    pub shift_ppm: i64,
    /// Worth of the underlying for each of the book's size, USDC.
    pub size_usdc: i64,
    /// Capital as a multiple of initial margin, parts per million.
    pub capital_ppm: u32,
}

/// `count` pairs: styles and capital in turn, sizes and shifts by chance.
///
/// # Errors
/// [`zkmargin_protocol::Rule::Range`] for more accounts than the tree has.
pub fn pairs(count: u32, seed: u64) -> Result<Vec<Pair>, StressError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let pair = |place: u32| {
        let style = STYLES[place as usize % STYLES.len()];
        let capital_ppm = CAPITAL_PPM[place as usize / STYLES.len() % CAPITAL_PPM.len()];
        Ok(Pair {
            writer: AccountIndex::new(FIRST + place)?,
            holder: AccountIndex::new(FIRST + count + place)?,
            style,
            shift_ppm: rng.gen_range(-SHIFTS..=SHIFTS) * SHIFT_PPM,
            size_usdc: SIZE_USDC.choose(&mut rng).copied().unwrap_or_default(),
            capital_ppm,
        })
    };
    (0..count).map(pair).collect()
}

/// The first account after those of `count` pairs.
pub fn first_bidder(count: u32) -> u32 {
    FIRST + 2 * count
}

impl Pair {
    /// The options of the book at a price, with the ratio of each, and the book's size in 1/1000
    /// contracts.
    ///
    /// # Errors
    /// [`StressError::Data`] without an expiry that is far enough away.
    pub fn book(
        &self,
        underlying: Underlying,
        time: Time,
        price: Price,
        expiries: &[Time],
    ) -> Result<(Vec<(InstrumentSpec, i64)>, i64), StressError> {
        const DAY_S: u64 = 86_400;
        let after = |days: u64| {
            let expiry = expiries.iter().find(|expiry| expiry.get() >= time.get() + days * DAY_S);
            expiry.copied().ok_or_else(|| StressError::data("no expiry in days", days))
        };
        let spec = |leg: &Leg| {
            let expiry = after(if leg.is_far { 18 } else { 6 })?;
            let share = i64::from(PPM) + leg.offset_ppm + self.shift_ppm;
            let strike = strike_near(i64::from(price.get()) * share / i64::from(PPM))?;
            Ok((InstrumentSpec { underlying, expiry, strike, kind: leg.kind }, leg.ratio))
        };
        let legs = self.style.legs.iter().map(spec).collect::<Result<_, StressError>>()?;
        // USDC over 1/1000 USDC a contract, in 1/1000 contracts.
        let size_e3 = self.size_usdc * 1_000_000 / i64::from(price.get().max(1));
        Ok((legs, size_e3.max(1)))
    }
}

/// The nearest multiple of 1, 2 or 5 times a power of ten that is about a hundredth of the price.
fn strike_near(price_e3: i64) -> Result<Price, StressError> {
    let mut tick = 1;
    for (round, factor) in [2, 5, 10].into_iter().cycle().enumerate() {
        let next = 10i64.pow(round as u32 / 3) * factor;
        if next * 100 > price_e3 {
            break;
        }
        tick = next;
    }
    Ok(Price::try_from(i128::from((price_e3 + tick / 2) / tick * tick))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strikes_are_multiples_of_a_round_tick() {
        let strike = |price| strike_near(price).unwrap().get();
        assert_eq!(strike(89_249_990), 89_000_000);
        assert_eq!(strike(7_234_000), 7_250_000);
        assert_eq!(strike(207_300), 208_000);
        assert_eq!(strike(150), 150);
    }

    #[test]
    fn population_depends_on_the_seed_alone_and_has_every_style_with_every_capital() {
        let drawn = pairs(126, 7).unwrap();
        let sizes = |pairs: &[Pair]| pairs.iter().map(|pair| pair.size_usdc).collect::<Vec<_>>();
        assert_eq!(sizes(&drawn), sizes(&pairs(126, 7).unwrap()));
        assert_ne!(sizes(&drawn), sizes(&pairs(126, 8).unwrap()));
        for style in STYLES {
            for capital in CAPITAL_PPM {
                let is_it = |pair: &&Pair| pair.style == style && pair.capital_ppm == capital;
                assert_eq!(drawn.iter().filter(is_it).count(), 2);
            }
        }
    }
}
