//! Shocks that see time: by tenor, by rank of expiry, and what moves add to time value.
//! Spec: `docs/spec/pricing/prices.md#Tenors`.
//!
//! An *add-on* is an amount that a scenario adds to the shocked value of one contract. It never
//! exceeds the contract's own unmoved time value in size: else worthless long options would pay for
//! the risk of short ones.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::pricing::fixed::Fixed;
use crate::pricing::shock::share;
use crate::value::units::{PPM, Time};
use crate::{Reject, Rule};

const ONE_PPM: i32 = PPM as i32;

/// A share in parts per million, from `LEAST` to `MOST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i32", into = "i32")]
pub struct Share<const LEAST: i32, const MOST: i32>(i32);

impl<const LEAST: i32, const MOST: i32> Share<LEAST, MOST> {
    /// A share in range.
    ///
    /// # Errors
    /// [`Rule::Range`].
    pub fn new(ppm: i32) -> Result<Self, Reject> {
        if !(LEAST..=MOST).contains(&ppm) {
            return Err(Reject::new(Rule::Range, "share, ppm,", ppm).within(LEAST..=MOST));
        }
        Ok(Self(ppm))
    }

    /// The share in range that is nearest.
    pub fn clamped(ppm: i32) -> Self {
        Self(ppm.clamp(LEAST, MOST))
    }

    /// Parts per million.
    pub fn ppm(self) -> i32 {
        self.0
    }

    fn value(self) -> Fixed {
        share(i64::from(self.0))
    }
}

impl<const LEAST: i32, const MOST: i32> TryFrom<i32> for Share<LEAST, MOST> {
    type Error = Reject;

    fn try_from(ppm: i32) -> Result<Self, Reject> {
        Self::new(ppm)
    }
}

impl<const LEAST: i32, const MOST: i32> From<Share<LEAST, MOST>> for i32 {
    fn from(share: Share<LEAST, MOST>) -> Self {
        share.0
    }
}

/// Where an expiry stands among the listed expiries of its underlying that are still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Seconds to the expiry.
    pub seconds: u64,
    /// Seconds to the nearest listed expiry.
    pub nearest_s: u64,
    /// How many listed expiries are nearer.
    pub rank: usize,
}

impl Place {
    /// The place at `time` of `expiry` among `live`: all listed expiries after `time`, ascending,
    /// each once.
    pub fn among(live: &[Time], time: Time, expiry: Time) -> Self {
        let rank = live.partition_point(|&other| other < expiry);
        let nearest = live.first().map_or(expiry, |&first| first.min(expiry));
        let left = |expiry: Time| expiry.get().saturating_sub(time.get());
        Self { seconds: left(expiry), nearest_s: left(nearest), rank }
    }

    /// Whether the rank has the bit.
    fn has_bit(&self, bit: u8) -> bool {
        self.rank.checked_shr(u32::from(bit)).unwrap_or(0) & 1 == 1
    }
}

/// `min(1, seconds/full_s)`.
fn ramp(seconds: u64, full_s: NonZeroU32) -> Fixed {
    let full_s = full_s.get();
    Fixed::ratio_nearest(seconds.min(u64::from(full_s)).into(), u128::from(full_s))
}

/// What the add-on may be: at least `−min(own, shocked)` and at most `own`, both time values. Then
/// the shocked value keeps its intrinsic value.
fn bounded(add_on: Fixed, own: Fixed, shocked: Fixed) -> Fixed {
    add_on.max(own.min(shocked).neg()).min(own)
}

/// Add-ons of volatility moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeValueShock {
    /// Added in an up move: share of the forward.
    pub up_forward_ppm: Share<0, 100_000>,
    /// Added in an up move: share of the unmoved time value.
    pub up_share_ppm: Share<0, ONE_PPM>,
    /// Taken in a down move: share of the shocked time value.
    pub down_share_ppm: Share<0, ONE_PPM>,
    /// Most that is added in an up move: share of the unmoved time value.
    pub bound_ppm: Share<0, ONE_PPM>,
}

impl TimeValueShock {
    /// What an up move adds to the value of an option on `forward` with `own` time value.
    pub fn up(&self, forward: Fixed, own: Fixed) -> Fixed {
        let added = self.up_forward_ppm.value().mul_nearest(forward);
        let added = added.add(self.up_share_ppm.value().mul_nearest(own));
        added.min(self.bound_ppm.value().mul_nearest(own))
    }

    /// What a down move takes from the value of an option whose time value goes from `own` to
    /// `shocked`.
    pub fn down(&self, own: Fixed, shocked: Fixed) -> Fixed {
        self.down_share_ppm.value().mul_nearest(own.min(shocked))
    }
}

/// Points of a curve over tenors.
pub const KNOTS: usize = 5;

/// A point of a curve over tenors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knot {
    /// Time to expiry, seconds.
    pub tenor_s: u32,
    /// Move of volatility: share of the whole up move.
    pub volatility_ppm: Share<{ -ONE_PPM }, ONE_PPM>,
    /// Add-on: share of the forward.
    pub add_on_ppm: Share<-100_000, 100_000>,
}

impl Knot {
    fn new(tenor_s: u32, volatility_ppm: i32, add_on_ppm: i32) -> Self {
        Self {
            tenor_s,
            volatility_ppm: Share::clamped(volatility_ppm),
            add_on_ppm: Share::clamped(add_on_ppm),
        }
    }
}

/// How far volatility and time value move by tenor: linear in its logarithm between the knots, flat
/// beyond them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Knot>", into = "Vec<Knot>")]
pub struct TenorCurve([Knot; KNOTS]);

impl TenorCurve {
    /// A curve.
    ///
    /// # Errors
    /// [`Rule::Range`] for another number of knots, or tenors that are 0 or do not ascend.
    pub fn new(knots: Vec<Knot>) -> Result<Self, Reject> {
        let knots: [Knot; KNOTS] = knots.try_into().map_err(|list: Vec<_>| {
            Reject::new(Rule::Range, "number of knots", list.len()).only(KNOTS)
        })?;
        let mut least = 1;
        for knot in &knots {
            if knot.tenor_s < least {
                let reject = Reject::new(Rule::Range, "tenor of a knot, seconds,", knot.tenor_s);
                return Err(reject.at_least(least));
            }
            least = knot.tenor_s.saturating_add(1);
        }
        Ok(Self(knots))
    }

    /// The knots, ascending.
    pub fn knots(&self) -> &[Knot; KNOTS] {
        &self.0
    }

    /// Move of volatility and add-on at `seconds`. Error below 2^-76.
    pub fn at(&self, seconds: u64) -> [Fixed; 2] {
        let of = |knot: &Knot| [knot.volatility_ppm.value(), knot.add_on_ppm.value()];
        let above = self.0.partition_point(|knot| u64::from(knot.tenor_s) <= seconds);
        let [Some(low), Some(high)] =
            [above.checked_sub(1), Some(above)].map(|k| k.and_then(|k| self.0.get(k)))
        else {
            return of(&self.0[above.min(KNOTS - 1)]);
        };
        let log = |seconds: u64| Fixed::ln_ratio(seconds.into(), low.tenor_s.into());
        let part = log(seconds).div_nearest(log(high.tenor_s.into()));
        let [from, to] = [of(low), of(high)];
        std::array::from_fn(|k| from[k].add(to[k].sub(from[k]).mul_nearest(part)))
    }
}

impl TryFrom<Vec<Knot>> for TenorCurve {
    type Error = Reject;

    fn try_from(knots: Vec<Knot>) -> Result<Self, Reject> {
        Self::new(knots)
    }
}

impl From<TenorCurve> for Vec<Knot> {
    fn from(curve: TenorCurve) -> Self {
        curve.0.to_vec()
    }
}

/// Moves by tenor: both forwards together, or volatility alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenorShock {
    /// Term: move of a forward while the nearest expiry is far off.
    pub forward_ppm: Share<0, 500_000>,
    /// Term: move of a forward when the nearest expiry is there.
    pub forward_last_ppm: Share<0, 500_000>,
    /// Term: in the last seconds before its expiry a forward moves less and less.
    pub fade_s: NonZeroU32,
    /// Term: what is left to a whole up move of volatility comes back, while the nearest expiry
    /// fades, in proportion to the time to expiry up to these seconds.
    pub lift_s: NonZeroU32,
    /// Term: the curve.
    pub term: TenorCurve,
    /// Twist: the curve.
    pub twist: TenorCurve,
    /// Least factor of a volatility.
    pub least_ppm: Share<0, ONE_PPM>,
}

/// What a scenario by tenor does to an expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenorMove {
    /// Share that is added to the forward.
    pub forward: Fixed,
    /// Share of the whole up move of volatility.
    pub volatility: Fixed,
    /// Add-on before its bound: share of the forward.
    pub add_on: Fixed,
}

impl TenorShock {
    /// The term move, with the forward rising or falling.
    pub fn term(&self, place: &Place, is_rising: bool) -> TenorMove {
        let faded = Fixed::ONE.sub(ramp(place.nearest_s, self.fade_s));
        let [near, last] = [self.forward_ppm, self.forward_last_ppm].map(Share::value);
        let forward = near.add(last.sub(near).mul_nearest(faded));
        let forward = forward.mul_nearest(ramp(place.seconds, self.fade_s));
        let [mut volatility, add_on] = self.term.at(place.seconds);
        if place.seconds > u64::from(self.fade_s.get()) {
            let left = Fixed::ONE.sub(volatility).max(Fixed::ZERO);
            let lifted = ramp(place.seconds, self.lift_s).mul_nearest(faded);
            volatility = volatility.add(left.mul_nearest(lifted));
        }
        let forward = if is_rising { forward } else { forward.neg() };
        TenorMove { forward, volatility, add_on }
    }

    /// The twist: the forward stays.
    pub fn twist(&self, place: &Place) -> TenorMove {
        let [volatility, add_on] = self.twist.at(place.seconds);
        TenorMove { forward: Fixed::ZERO, volatility, add_on }
    }

    /// Factor of a volatility whose whole up move is `up`.
    pub fn factor(&self, volatility: Fixed, up: Fixed) -> Fixed {
        Fixed::ONE.add(volatility.mul_nearest(up)).max(self.least_ppm.value())
    }
}

impl TenorMove {
    /// Add-on of an option on `forward` whose time value goes from `own` to `shocked`.
    pub fn bounded_add_on(&self, forward: Fixed, own: Fixed, shocked: Fixed) -> Fixed {
        bounded(self.add_on.mul_nearest(forward), own, shocked)
    }
}

/// Expiries that move against each other, by a bit of their ranks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RankShock {
    /// Move of a forward.
    pub forward_ppm: Share<0, 500_000>,
    /// Factor of the resulting loss.
    pub static_ppm: Share<0, { 10 * ONE_PPM }>,
    /// Its change with τ in years.
    pub slope_ppm: Share<0, { 10 * ONE_PPM }>,
    /// Add-on of a wing where the forward rises: share of the forward.
    pub wing_ppm: Share<0, 100_000>,
    /// |ln(strike/forward)| from which on an option is wholly in a wing.
    pub wing_width_ppm: Share<1, ONE_PPM>,
}

impl RankShock {
    /// Share that is added to the forward of an expiry.
    pub fn forward(&self, place: &Place, bit: u8, is_rising: bool) -> Fixed {
        let forward = self.forward_ppm.value();
        if place.has_bit(bit) == is_rising { forward.neg() } else { forward }
    }

    /// Factor of the loss `years` before expiry.
    pub fn factor(&self, years: Fixed) -> Fixed {
        self.static_ppm.value().add(self.slope_ppm.value().mul_nearest(years))
    }

    /// Add-on of an option with `log_strike` = ln(strike/forward), whose time value goes from `own`
    /// to `shocked`: above the forward it is added where the forward rises and taken where it
    /// falls, below the other way round.
    pub fn bounded_add_on(
        &self,
        option: [Fixed; 2],
        is_up: bool,
        factor: Fixed,
        [own, shocked]: [Fixed; 2],
    ) -> Fixed {
        let [forward, log_strike] = option;
        let place = log_strike.div_nearest(self.wing_width_ppm.value());
        let place = place.max(Fixed::ONE.neg()).min(Fixed::ONE);
        let wing = self.wing_ppm.value().mul_nearest(forward).mul_nearest(place);
        let wing = if is_up { wing } else { wing.neg() };
        let moved = own.sub(factor.mul_nearest(own.sub(shocked))).max(Fixed::ZERO);
        bounded(wing, own, moved)
    }
}

impl TimeValueShock {
    /// The numbers of the fit in `docs/risk-fit.md`.
    pub fn reference() -> Self {
        Self {
            up_forward_ppm: Share::clamped(8_000),
            up_share_ppm: Share::clamped(110_000),
            down_share_ppm: Share::clamped(200_000),
            bound_ppm: Share::clamped(ONE_PPM),
        }
    }

    /// No add-ons.
    pub fn none() -> Self {
        let none = Share::clamped(0);
        Self {
            up_forward_ppm: Share::clamped(0),
            up_share_ppm: none,
            down_share_ppm: none,
            bound_ppm: none,
        }
    }
}

impl TenorShock {
    /// The numbers of the fit in `docs/risk-fit.md`.
    pub fn reference() -> Self {
        let hours = |hours: u32| NonZeroU32::MIN.saturating_add(hours * 3_600 - 1);
        let curve = |moves: [(i32, i32); KNOTS]| {
            let tenors = [1, 7, 21, 110, 290].map(|days: u32| days * 86_400);
            let knot = |k: usize| Knot::new(tenors[k], moves[k].0, moves[k].1);
            TenorCurve(std::array::from_fn(knot))
        };
        Self {
            forward_ppm: Share::clamped(70_000),
            forward_last_ppm: Share::clamped(180_000),
            fade_s: hours(8),
            lift_s: hours(48),
            term: curve([
                (0, -6_000),
                (600_000, -5_200),
                (600_000, 6_000),
                (600_000, 2_400),
                (900_000, 2_400),
            ]),
            twist: curve([
                (-600_000, -2_400),
                (-100_000, 1_800),
                (400_000, -2_200),
                (600_000, 1_200),
                (800_000, 6_000),
            ]),
            least_ppm: Share::clamped(50_000),
        }
    }
}

impl RankShock {
    /// The numbers of the fit in `docs/risk-fit.md`.
    pub fn reference() -> Self {
        Self {
            forward_ppm: Share::clamped(45_000),
            static_ppm: Share::clamped(550_000),
            slope_ppm: Share::clamped(2_200_000),
            wing_ppm: Share::clamped(2_000),
            wing_width_ppm: Share::clamped(50_000),
        }
    }
}
