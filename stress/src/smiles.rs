//! Forwards and volatilities at any time of a replay: recorded chains with a line between
//! snapshots, or a model.

mod modelled;
mod recorded;

use zkmargin_protocol::pricing::black76::Volatility;
use zkmargin_protocol::pricing::surface::{Expiry, SmilePoint, VOLATILITY_MAX, VOLATILITY_MIN};
use zkmargin_protocol::value::units::{Price, Time};

pub use self::modelled::Modelled;
pub use self::recorded::Recorded;
use crate::StressError;

/// Seconds of a week.
const WEEK_S: u64 = 604_800;
/// 1970-01-02 08:00, a Friday: options expire that many seconds into a week.
const FRIDAY_S: u64 = 86_400 + 28_800;
/// Expiries of a modelled surface.
const EXPIRIES: u64 = 6;

/// Where forwards and volatilities come from.
#[derive(Clone, Debug)]
pub enum Smiles {
    /// Recorded chains.
    Recorded(Recorded),
    /// A model.
    Modelled(Modelled),
}

impl Smiles {
    /// The expiries there are, all after `time`.
    pub fn expiries(&self, time: Time) -> Vec<Time> {
        match self {
            Self::Recorded(recorded) => recorded.expiries(time),
            Self::Modelled(_) => {
                let week = (time.get() - FRIDAY_S) / WEEK_S + 1;
                let friday = |k| Time::new((week + k) * WEEK_S + FRIDAY_S).ok();
                (0..EXPIRIES).filter_map(friday).collect()
            }
        }
    }

    /// Takes note of the price at a time, later than any before.
    pub fn observe(&mut self, time: Time, price: Price) {
        if let Self::Modelled(model) = self {
            model.observe(time, price);
        }
    }

    /// Forward of an expiry and volatilities at `strikes`, which are in order.
    ///
    /// # Errors
    /// Those of the units; [`StressError::Data`] for an expiry that is not there.
    pub fn expiry(
        &self,
        time: Time,
        price: Price,
        expiry: Time,
        strikes: impl Iterator<Item = Price>,
    ) -> Result<Expiry, StressError> {
        let forward = match self {
            Self::Recorded(recorded) => recorded.forward(time, price, expiry)?,
            Self::Modelled(_) => price,
        };
        let point = |strike| {
            let volatility = match self {
                Self::Recorded(recorded) => recorded.volatility(time, expiry, strike, forward)?,
                Self::Modelled(model) => model.volatility(time, expiry, strike, forward),
            };
            Ok(SmilePoint { strike, volatility: volatility.clamp(VOLATILITY_MIN, VOLATILITY_MAX) })
        };
        let smile = strikes.map(point).collect::<Result<_, StressError>>()?;
        Ok(Expiry { expiry, forward, fixing: None, smile })
    }
}

/// `price · numerator/denominator`, rounded down.
pub fn scaled(price: Price, numerator: Price, denominator: Price) -> Result<Price, StressError> {
    let product = u128::from(price.get()) * u128::from(numerator.get());
    let units = product / u128::from(denominator.get().max(1));
    Ok(Price::try_from(i128::try_from(units).unwrap_or(i128::MAX))?)
}

/// Volatility of an expiry recorded with another forward, at the same share of it: sticky
/// moneyness.
///
/// # Errors
/// None for prices of a surface.
pub fn at_moneyness(
    recorded: &Expiry,
    strike: Price,
    forward: Price,
) -> Result<Volatility, StressError> {
    Ok(recorded.volatility(scaled(strike, recorded.forward, forward)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(units: u32) -> Price {
        Price::new(units).unwrap()
    }

    #[test]
    fn modelled_volatility_rises_with_a_fall_and_stays_under_its_cap() {
        let start = Time::new(1_700_000_000).unwrap();
        let later = Time::new(1_700_000_600).unwrap();
        let mut smiles = Smiles::Modelled(Modelled::reference(Volatility(500_000)));
        smiles.observe(start, price(100_000));
        let month = Time::new(1_700_000_600 + 30 * 86_400).unwrap();
        let at = |smiles: &Smiles, units| {
            let strikes = [price(units)].into_iter();
            smiles.expiry(later, price(units), month, strikes).unwrap().smile[0].volatility.0
        };
        assert_eq!(at(&smiles, 100_000), 500_000);
        smiles.observe(later, price(90_000));
        // The mean has moved by 0.24 % of the way.
        assert!(at(&smiles, 90_000).abs_diff(800_000) < 1_000, "{}", at(&smiles, 90_000));
        assert_eq!(at(&smiles, 10_000), 2_000_000);
    }

    #[test]
    fn expiries_of_the_model_are_fridays_at_eight() {
        let smiles = Smiles::Modelled(Modelled::reference(Volatility(500_000)));
        // 2020-03-12 is a Thursday; 2020-03-13 08:00 UTC a Friday.
        let thursday = Time::new(1_583_971_200).unwrap();
        assert_eq!(smiles.expiries(thursday)[0].get(), 1_584_086_400);
        let friday = Time::new(1_584_086_400).unwrap();
        assert_eq!(smiles.expiries(friday)[0].get(), 1_584_086_400 + WEEK_S);
    }
}
