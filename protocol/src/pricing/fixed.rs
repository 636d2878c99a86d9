//! Fixed point: signed numbers with 80 fractional bits in an `i128`, and the functions pricing
//! needs.
//!
//! 80 fractional bits leave ±2^47 ≈ 1.4·10^14 for amounts in USDC and an ulp of 8·10^-25. The guard
//! digits below the smallest price unit are what keeps rounded prices monotone
//! (`docs/spec/pricing/prices.md`). Every operation saturates at the ends of the range instead of
//! wrapping or panicking; a saturated value lies outside every unit of `units`, so it is refused
//! where it becomes a price or a loss. `floor` rounds toward −∞, `ceil` toward +∞, `nearest` to the
//! nearest with halves up.

mod normal;
mod wide;

pub use wide::{mul_div_ceil, mul_div_floor, mul_div_nearest};

/// Number of fractional bits of [`Fixed`].
pub const FRACTION_BITS: u32 = 80;

const HALF_ULP: u128 = 1 << (FRACTION_BITS - 1);
/// ln 2 with 112 fractional bits; the tests derive it from Σ 1/(k·2^k).
const LN_2_Q112: i128 = 3599025928123676973540407451845619;
const LN_2_EXTRA_BITS: u32 = 112 - FRACTION_BITS;

/// A number with 80 fractional bits, in `[−2^47, 2^47)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fixed(i128);

impl Fixed {
    /// 0.
    pub const ZERO: Self = Self(0);
    /// 1.
    pub const ONE: Self = Self(1 << FRACTION_BITS);
    /// Largest value, and where positive results saturate.
    pub const MAX: Self = Self(i128::MAX);
    /// Smallest value, and where negative results saturate.
    pub const MIN: Self = Self(i128::MIN);

    /// The number `bits / 2^80`.
    pub const fn from_bits(bits: i128) -> Self {
        Self(bits)
    }

    /// The number times 2^80.
    pub const fn bits(self) -> i128 {
        self.0
    }

    /// `numerator / denominator`, nearest with ties away from zero. A zero denominator saturates.
    pub const fn ratio_nearest(numerator: i128, denominator: u128) -> Self {
        let magnitude = numerator.unsigned_abs();
        let (high, low) = (magnitude >> (128 - FRACTION_BITS), magnitude << FRACTION_BITS);
        let rounded = match wide::div_rem(high, low, denominator) {
            Some((quotient, rest)) if rest >= denominator - rest => quotient.saturating_add(1),
            Some((quotient, _)) => quotient,
            None => u128::MAX,
        };
        Self::from_magnitude(rounded, numerator < 0)
    }

    const fn from_magnitude(magnitude: u128, negative: bool) -> Self {
        match (magnitude > i128::MAX as u128, negative) {
            (false, false) => Self(magnitude as i128),
            (false, true) => Self(-(magnitude as i128)),
            (true, false) => Self::MAX,
            (true, true) => Self::MIN,
        }
    }

    /// The sum.
    #[allow(
        clippy::should_implement_trait,
        reason = "operator traits are not const and hide saturation"
    )]
    pub const fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference.
    #[allow(
        clippy::should_implement_trait,
        reason = "operator traits are not const and hide saturation"
    )]
    pub const fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The negated number.
    #[allow(
        clippy::should_implement_trait,
        reason = "operator traits are not const and hide saturation"
    )]
    pub const fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }

    /// `⌊self · other⌋` in units of 2^-80.
    pub const fn mul_floor(self, other: Self) -> Self {
        self.mul_biased(other, 0)
    }

    /// `⌈self · other⌉` in units of 2^-80.
    pub const fn mul_ceil(self, other: Self) -> Self {
        self.mul_biased(other, 2 * HALF_ULP - 1)
    }

    /// `self · other` to the nearest 2^-80.
    pub const fn mul_nearest(self, other: Self) -> Self {
        self.mul_biased(other, HALF_ULP)
    }

    const fn mul_biased(self, other: Self, bias: u128) -> Self {
        let (high, low) = wide::mul_signed(self.0, other.0);
        Self(shift_down(high, low, bias))
    }

    /// `self / other` to the nearest 2^-80, ties away from zero. A zero divisor saturates.
    pub const fn div_nearest(self, other: Self) -> Self {
        let (numerator, denominator) = (self.0, other.0.unsigned_abs());
        let numerator = if other.0 < 0 { numerator.saturating_neg() } else { numerator };
        Self::ratio_nearest(numerator, denominator)
    }

    /// `⌊self · units⌋` as an integer: the number in a unit of `1/units`.
    pub const fn units_floor(self, units: u32) -> i128 {
        self.units_biased(units, 0)
    }

    /// `⌈self · units⌉` as an integer.
    pub const fn units_ceil(self, units: u32) -> i128 {
        self.units_biased(units, 2 * HALF_ULP - 1)
    }

    /// `self · units` to the nearest integer.
    pub const fn units_nearest(self, units: u32) -> i128 {
        self.units_biased(units, HALF_ULP)
    }

    const fn units_biased(self, units: u32, bias: u128) -> i128 {
        let (high, low) = wide::mul_signed(self.0, units as i128);
        shift_down(high, low, bias)
    }

    /// √self, rounded down; 0 for negative numbers. Error below 2^-80.
    pub const fn sqrt_floor(self) -> Self {
        if self.0 <= 0 {
            return Self::ZERO;
        }
        let bits = self.0 as u128;
        Self(wide::sqrt_floor(bits >> (128 - FRACTION_BITS), bits << FRACTION_BITS) as i128)
    }

    /// √(numerator/denominator), rounded down. Error below 2^-80. A zero denominator gives 0.
    pub const fn sqrt_ratio_floor(numerator: u64, denominator: u32) -> Self {
        if denominator == 0 {
            return Self::ZERO;
        }
        // √(n/d)·2^80 = √(n·d·2^160)/d, and flooring twice is flooring once. n·d < 2^96.
        let product = numerator as u128 * denominator as u128;
        let root = wide::sqrt_floor(product << (2 * FRACTION_BITS - 128), 0);
        Self((root / denominator as u128) as i128)
    }

    /// e^self. Error at most `2^-78 · max(1, e^self)`; 0 below −60, saturated above 32.
    pub const fn exp(self) -> Self {
        if self.0 > 32 << FRACTION_BITS {
            return Self::MAX;
        }
        if self.0 < -(60 << FRACTION_BITS) {
            return Self::ZERO;
        }
        // self = halvings · ln 2 + rest, |rest| ≤ ln 2 / 2.
        let log2_e = Self::ONE.div_nearest(Self(LN_2_Q112 >> LN_2_EXTRA_BITS));
        let doublings = self.mul_nearest(log2_e).units_nearest(1);
        let rest = Self(self.0 - ln_2_times(doublings));
        let mut sum = Self::ZERO;
        let mut index = EXP_TERMS.len();
        while index > 0 {
            index -= 1;
            sum = EXP_TERMS[index].add(sum.mul_nearest(rest));
        }
        if doublings >= 0 {
            Self(sum.0 << doublings)
        } else {
            Self((sum.0 + (1 << (-doublings - 1))) >> -doublings)
        }
    }

    /// ln(numerator / denominator). Error at most 2^-78. A zero numerator gives [`Fixed::MIN`], a
    /// zero denominator [`Fixed::MAX`].
    pub const fn ln_ratio(numerator: u128, denominator: u128) -> Self {
        if numerator == 0 {
            return Self::MIN;
        }
        if denominator == 0 {
            return Self::MAX;
        }
        let (mut a, exponent_a) = normalized(numerator);
        let (mut b, exponent_b) = normalized(denominator);
        let mut doublings = exponent_a - exponent_b;
        // a/b lies in (1/2, 2); bring it to [3/4, 3/2].
        if a > b + b / 2 {
            b *= 2;
            doublings += 1;
        } else if a < b - b / 4 {
            a *= 2;
            doublings -= 1;
        }
        // ln(a/b) = 2·artanh(z), z = (a − b)/(a + b) in [−1/7, 1/5].
        let z = Self::ratio_nearest(a as i128 - b as i128, a + b);
        let square = z.mul_nearest(z);
        let mut sum = Self::ZERO;
        let mut index = ARTANH_TERMS.len();
        while index > 0 {
            index -= 1;
            sum = ARTANH_TERMS[index].add(sum.mul_nearest(square));
        }
        Self(2 * z.mul_nearest(sum).0 + ln_2_times(doublings))
    }
}

/// `⌊((high, low) + bias) / 2^80⌋`, saturated.
const fn shift_down(high: i128, low: u128, bias: u128) -> i128 {
    let (low, carry) = low.overflowing_add(bias);
    let high = high.saturating_add(carry as i128);
    if high >= 1 << (FRACTION_BITS - 1) {
        return i128::MAX;
    }
    if high < -(1 << (FRACTION_BITS - 1)) {
        return i128::MIN;
    }
    high << (128 - FRACTION_BITS) | (low >> FRACTION_BITS) as i128
}

/// `count · ln 2` to the nearest 2^-80, for |count| < 2^13.
const fn ln_2_times(count: i128) -> i128 {
    (count * LN_2_Q112 + (1 << (LN_2_EXTRA_BITS - 1))) >> LN_2_EXTRA_BITS
}

/// `value` scaled to [2^124, 2^125) and the power of two taken out, for a positive value.
const fn normalized(value: u128) -> (u128, i128) {
    let exponent = 3 - value.leading_zeros() as i128;
    let scaled = if exponent > 0 { value >> exponent } else { value << -exponent };
    (scaled, exponent)
}

/// 1/k!, enough for e^(ln 2 / 2) to 2^-84.
const EXP_TERMS: [Fixed; 20] = {
    let mut terms = [Fixed::ZERO; 20];
    let (mut value, mut index) = (1i128 << 120, 0);
    while index < terms.len() {
        terms[index] = Fixed((value + (1 << 39)) >> 40);
        index += 1;
        value /= index as i128;
    }
    terms
};

/// 1/(2k + 1), enough for artanh(1/5) to 2^-84.
const ARTANH_TERMS: [Fixed; 18] = {
    let mut terms = [Fixed::ZERO; 18];
    let mut index = 0;
    while index < terms.len() {
        terms[index] = Fixed::ratio_nearest(1, 2 * index as u128 + 1);
        index += 1;
    }
    terms
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ln_2_is_its_series() {
        // ln 2 = Σ 1/(k·2^k); 120 fractional bits, at most 120 truncations of one unit each.
        let sum: i128 = (1..=120).map(|k: i128| (1 << (120 - k)) / k).sum();
        assert!((sum - (LN_2_Q112 << 8)).abs() <= 128 + 120);
    }

    #[test]
    fn rounding_names_hold_on_both_sides_of_zero() {
        let (half, ulp) = (Fixed::from_bits(1 << 79), Fixed::from_bits(1));
        assert_eq!(ulp.mul_floor(half).bits(), 0);
        assert_eq!(ulp.mul_ceil(half).bits(), 1);
        assert_eq!(ulp.mul_nearest(half).bits(), 1);
        assert_eq!(ulp.neg().mul_floor(half).bits(), -1);
        assert_eq!(ulp.neg().mul_ceil(half).bits(), 0);
        assert_eq!(ulp.neg().mul_nearest(half).bits(), 0);
        assert_eq!(Fixed::ratio_nearest(-7, 2).units_floor(1), -4);
        assert_eq!(Fixed::ratio_nearest(-7, 2).units_ceil(1), -3);
        assert_eq!(mul_div_floor(7, 3, 2), Some(10));
        assert_eq!(mul_div_ceil(7, 3, 2), Some(11));
        assert_eq!(mul_div_nearest(7, 3, 2), Some(11));
        assert_eq!(mul_div_nearest(7, 3, 4), Some(5));
        assert_eq!(mul_div_floor(u128::MAX, u128::MAX, u128::MAX), Some(u128::MAX));
        assert_eq!(mul_div_floor(u128::MAX, 2, 1), None);
        assert_eq!(mul_div_ceil(1, 1, 0), None);
        assert_eq!(mul_div_nearest(1, 1, 0), None);
    }

    #[test]
    fn ends_of_the_range_saturate() {
        assert_eq!(Fixed::MAX.mul_nearest(Fixed::MAX), Fixed::MAX);
        assert_eq!(Fixed::MAX.mul_nearest(Fixed::MIN), Fixed::MIN);
        assert_eq!(Fixed::MIN.mul_floor(Fixed::MIN), Fixed::MAX);
        assert_eq!(Fixed::MIN.neg(), Fixed::MAX);
        assert_eq!(Fixed::ONE.div_nearest(Fixed::ZERO), Fixed::MAX);
        assert_eq!(Fixed::ONE.neg().div_nearest(Fixed::ZERO), Fixed::MIN);
        assert_eq!(Fixed::MIN.div_nearest(Fixed::ONE), Fixed::MIN);
        assert_eq!(Fixed::MAX.exp(), Fixed::MAX);
        assert_eq!(Fixed::MIN.exp(), Fixed::ZERO);
        assert_eq!(Fixed::MAX.normal_cdf(), Fixed::ONE);
        assert_eq!(Fixed::MIN.normal_cdf(), Fixed::ZERO);
        assert_eq!(Fixed::ln_ratio(0, 1), Fixed::MIN);
        assert_eq!(Fixed::ln_ratio(1, 0), Fixed::MAX);
    }

    #[test]
    fn wide_products_and_quotients_agree() {
        let mut state = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834u128;
        for round in 0..2000 {
            state = state.wrapping_mul(0xda94_2042_e4dd_58b5).rotate_left(67).wrapping_add(round);
            let a = state >> (round % 127);
            let b = state.rotate_left(31) >> (round % 113) | 1;
            let rest = a % b;
            let (high, low) = wide::mul(a, b);
            let (low, carry) = low.overflowing_add(rest);
            assert_eq!(wide::div_rem(high + u128::from(carry), low, b), Some((a, rest)));
            assert_eq!(wide::sqrt_floor(wide::mul(a, a).0, wide::mul(a, a).1), a);
        }
    }
}
