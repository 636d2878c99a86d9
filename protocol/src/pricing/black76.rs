//! Undiscounted Black-76 prices of European options on a forward.
//!
//! With s = vol·√τ, d1 = ln(F/K)/s + s/2 and d2 = d1 − s, the out-of-the-money side is priced,
//! call: F·N(d1) − K·N(d2), put: K·N(−d2) − F·N(−d1), clamped to [0, min(F, K)]; the other side is
//! its intrinsic value more, so put-call parity holds exactly. Absolute error at most 2^-74·(F +
//! K).
//!
//! Why a rounded price is monotone in F, K and vol: a price that rounds differently for two
//! neighbouring inputs lies half a unit or more away from 0, from its intrinsic value and from
//! min(F, K), which are whole units. There one step of the input moves the exact price by more than
//! the error bound (`docs/spec/pricing/prices.md`, "Monotone prices").

use serde::{Deserialize, Serialize};

use crate::pricing::fixed::Fixed;
use crate::value::units::{Price, Time};
use crate::{Reject, Rule};

/// Call or put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptionKind {
    /// Pays max(0, settlement − strike).
    Call,
    /// Pays max(0, strike − settlement).
    Put,
}

/// Seconds in the year of 365 days that option times are measured in.
pub const YEAR_SECONDS: u32 = 31_536_000;
/// Price units in one USDC.
pub const PRICE_UNITS: u32 = 1_000;
/// Volatility units in 100 %.
pub const VOLATILITY_UNITS: u32 = 1_000_000;

/// Implied volatility a year in units of 10^-6: 1,000,000 is 100 %.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Volatility(pub u32);

impl Volatility {
    /// The volatility as a number, to the nearest 2^-80.
    pub const fn value(self) -> Fixed {
        Fixed::ratio_nearest(self.0 as i128, VOLATILITY_UNITS as u128)
    }
}

/// A price in USDC, to the nearest 2^-80.
pub const fn price_value(price: Price) -> Fixed {
    Fixed::ratio_nearest(price.get() as i128, PRICE_UNITS as u128)
}

/// A value in USDC as a [`Price`]: to the nearest unit, halves up.
///
/// # Errors
/// [`Rule::Range`] if the value is negative or above the largest price.
pub fn price_nearest(value: Fixed) -> Result<Price, Reject> {
    Price::try_from(value.units_nearest(PRICE_UNITS))
}

/// √τ of `seconds` in years, rounded down to 2^-80.
pub const fn root_years(seconds: u64) -> Fixed {
    Fixed::sqrt_ratio_floor(seconds, YEAR_SECONDS)
}

/// The standard deviation vol·√τ of the log forward at expiry.
pub const fn deviation(volatility: Fixed, root_years: Fixed) -> Fixed {
    volatility.mul_nearest(root_years)
}

/// Intrinsic value: max(0, F − K) of a call, max(0, K − F) of a put.
pub fn intrinsic(kind: OptionKind, forward: Fixed, strike: Fixed) -> Fixed {
    match kind {
        OptionKind::Call => forward.sub(strike).max(Fixed::ZERO),
        OptionKind::Put => strike.sub(forward).max(Fixed::ZERO),
    }
}

/// Undiscounted value in USDC of one option on `forward` (USDC, ≥ 0) struck at `strike` (USDC, ≥ 0)
/// with [`deviation`] `deviation` (≥ 0). With no deviation, forward or strike it is the intrinsic
/// value.
pub fn value(kind: OptionKind, forward: Fixed, strike: Fixed, deviation: Fixed) -> Fixed {
    let floor = intrinsic(kind, forward, strike);
    if deviation <= Fixed::ZERO || forward <= Fixed::ZERO || strike <= Fixed::ZERO {
        return floor;
    }
    floor.add(time_value(forward, strike, deviation))
}

/// Value of the out-of-the-money option; of either one at the money.
fn time_value(forward: Fixed, strike: Fixed, deviation: Fixed) -> Fixed {
    let log = Fixed::ln_ratio(forward.bits() as u128, strike.bits() as u128);
    let d1 = log.div_nearest(deviation).add(Fixed::from_bits(deviation.bits() / 2));
    let d2 = d1.sub(deviation);
    let value = if forward <= strike {
        forward.mul_nearest(d1.normal_cdf()).sub(strike.mul_nearest(d2.normal_cdf()))
    } else {
        let (tail1, tail2) = (d1.neg().normal_cdf(), d2.neg().normal_cdf());
        strike.mul_nearest(tail2).sub(forward.mul_nearest(tail1))
    };
    value.clamp(Fixed::ZERO, forward.min(strike))
}

/// The undiscounted price of an option `seconds` before expiry, to the nearest price unit, halves
/// up.
///
/// # Errors
/// [`Rule::Range`] if the price exceeds the largest price (it never does: price ≤ max(F, K)).
pub fn price(
    kind: OptionKind,
    forward: Price,
    strike: Price,
    volatility: Volatility,
    seconds: u64,
) -> Result<Price, Reject> {
    if seconds > Time::MAX.get() {
        let reject = Reject::new(Rule::Range, "number of seconds to expiry", seconds);
        return Err(reject.at_most(Time::MAX));
    }
    let deviation = deviation(volatility.value(), root_years(seconds));
    price_nearest(value(kind, price_value(forward), price_value(strike), deviation))
}
