//! 256-bit intermediates of 128-bit products, and the integer operations built on them.

/// `a · b` as (high, low) halves.
pub(super) const fn mul(a: u128, b: u128) -> (u128, u128) {
    const LOW: u128 = u64::MAX as u128;
    let (a1, a0) = (a >> 64, a & LOW);
    let (b1, b0) = (b >> 64, b & LOW);
    let low = a0 * b0;
    // Each summand is below 2^64 · (2^64 − 1) plus a carry below 2^64, so no sum wraps.
    let middle = a1 * b0 + (low >> 64);
    let cross = a0 * b1 + (middle & LOW);
    let high = a1 * b1 + (middle >> 64) + (cross >> 64);
    (high, cross << 64 | low & LOW)
}

/// `a · b` of signed factors in two's complement, as (high, low) halves.
pub(super) const fn mul_signed(a: i128, b: i128) -> (i128, u128) {
    let (high, low) = mul(a as u128, b as u128);
    let high = high.wrapping_sub(if a < 0 { b as u128 } else { 0 });
    let high = high.wrapping_sub(if b < 0 { a as u128 } else { 0 });
    (high as i128, low)
}

/// Quotient and remainder of `(high, low) / divisor`; `None` if the quotient does not fit 128 bits
/// (which includes a zero divisor).
pub(super) const fn div_rem(high: u128, low: u128, divisor: u128) -> Option<(u128, u128)> {
    if high >= divisor {
        return None;
    }
    if high == 0 {
        return Some((low / divisor, low % divisor));
    }
    // Schoolbook division bit by bit: the remainder stays below the divisor.
    let (mut quotient, mut remainder, mut bit) = (0u128, high, 128);
    while bit > 0 {
        bit -= 1;
        let overflow = remainder >> 127 == 1;
        remainder = remainder << 1 | low >> bit & 1;
        quotient <<= 1;
        if overflow || remainder >= divisor {
            remainder = remainder.wrapping_sub(divisor);
            quotient |= 1;
        }
    }
    Some((quotient, remainder))
}

/// `⌊√(high, low)⌋`.
pub(super) const fn sqrt_floor(high: u128, low: u128) -> u128 {
    let (mut root, mut bit) = (0u128, 128);
    while bit > 0 {
        bit -= 1;
        let candidate = root | 1 << bit;
        let (square_high, square_low) = mul(candidate, candidate);
        if square_high < high || square_high == high && square_low <= low {
            root = candidate;
        }
    }
    root
}

/// `⌊a · b / c⌋` with an exact product; `None` if `c` is 0 or the result exceeds 128 bits.
pub const fn mul_div_floor(a: u128, b: u128, c: u128) -> Option<u128> {
    let (high, low) = mul(a, b);
    match div_rem(high, low, c) {
        Some((quotient, _)) => Some(quotient),
        None => None,
    }
}

/// `⌈a · b / c⌉` with an exact product; `None` if `c` is 0 or the result exceeds 128 bits.
pub const fn mul_div_ceil(a: u128, b: u128, c: u128) -> Option<u128> {
    let (high, low) = mul(a, b);
    match div_rem(high, low, c) {
        Some((quotient, 0)) => Some(quotient),
        Some((quotient, _)) => quotient.checked_add(1),
        None => None,
    }
}

/// `a · b / c` to the nearest integer, halves up, with an exact product; `None` if `c` is 0 or the
/// result exceeds 128 bits.
pub const fn mul_div_nearest(a: u128, b: u128, c: u128) -> Option<u128> {
    let (high, low) = mul(a, b);
    match div_rem(high, low, c) {
        // 2 · remainder ≥ c, without the doubling that could wrap.
        Some((quotient, remainder)) if remainder >= c - remainder => quotient.checked_add(1),
        Some((quotient, _)) => Some(quotient),
        None => None,
    }
}
