//! The fixed-point kernel against 60-digit reference values.

mod common;

use common::{binary64, fixed, fixed_binary64, reference_json, scaled, shipped_json, text_of};
use num_bigint::BigInt;
use serde_json::Value;
use zkmargin_protocol::pricing::fixed::{FRACTION_BITS, Fixed};

fn rows<'a>(json: &'a Value, name: &str) -> &'a [Value] {
    json["rows"][name].as_array().unwrap()
}

/// |computed − expected| in units of 2^-100.
fn error(computed: Fixed, expected: &Value) -> BigInt {
    let expected = scaled(&text_of(expected), 100);
    let error: BigInt = (BigInt::from(computed.bits()) << 20u32) - expected;
    error.magnitude().clone().into()
}

/// Asserts an error of at most `ulps` · 2^-80 per row, and prints the largest one met.
fn check(name: &str, results: impl Iterator<Item = (BigInt, BigInt)>) {
    let (mut worst, mut count) = (BigInt::from(0), 0);
    for (error, bound) in results {
        assert!(error <= bound, "{name} row {count}: error {error} > {bound} (units of 2^-100)");
        worst = worst.max(error);
        count += 1;
    }
    assert!(count > 100, "{name}: only {count} rows");
    println!("{name}: {count} rows, largest error {worst} · 2^-100");
}

fn bound(bits: u32) -> BigInt {
    BigInt::from(1) << (100 - bits)
}

#[test]
fn accepts_reference_normal_distribution() {
    let Some(json) = reference_json("pricing/elementary_functions.json.gz") else { return };
    let rows = rows(&json, "ncdf");
    // The argument itself is rounded to 2^-81, which moves N by less than 2^-82.
    let distribution = rows
        .iter()
        .map(|row| (error(fixed_binary64(&text_of(&row[0])).normal_cdf(), &row[1]), bound(75)));
    check("N(x)", distribution);
    let density = rows
        .iter()
        .map(|row| (error(fixed_binary64(&text_of(&row[0])).normal_density(), &row[2]), bound(77)));
    check("N'(x)", density);
}

#[test]
fn accepts_reference_exponentials() {
    let Some(json) = reference_json("pricing/elementary_functions.json.gz") else { return };
    // 2^47 is the end of the range; above 32 the result saturates.
    let in_range = |row: &&Value| scaled(&text_of(&row[0]), 0) < BigInt::from(32);
    check(
        "exp",
        rows(&json, "exp").iter().filter(in_range).map(|row| {
            let scale = scaled(&text_of(&row[1]), 0).max(BigInt::from(1));
            // The argument's own rounding adds 2^-81 relative.
            (
                error(fixed_binary64(&text_of(&row[0])).exp(), &row[1]),
                (bound(78) + bound(80)) * scale,
            )
        }),
    );
}

/// A positive binary64 as a ratio of two 128-bit integers.
fn ratio(text: &str) -> Option<(u128, u128)> {
    let (mantissa, exponent) = binary64(text);
    let mantissa = u128::try_from(mantissa).unwrap();
    // Halve the mantissa while it is even, so that small denominators do.
    let halvings = mantissa.trailing_zeros().min(exponent.min(0).unsigned_abs());
    let (mantissa, exponent) = (mantissa >> halvings, exponent + halvings as i32);
    match exponent {
        0..=74 => Some((mantissa << exponent, 1)),
        -127..0 => Some((mantissa, 1 << -exponent)),
        _ => None,
    }
}

#[test]
fn accepts_reference_logarithms() {
    let Some(json) = reference_json("pricing/elementary_functions.json.gz") else { return };
    let representable: Vec<_> = rows(&json, "ln")
        .iter()
        .filter_map(|row| ratio(&text_of(&row[0])).map(|ratio| (ratio, row)))
        .collect();
    println!("ln: {} rows are ratios of 128-bit integers", representable.len());
    check(
        "ln",
        representable.into_iter().map(|((numerator, denominator), row)| {
            (error(Fixed::ln_ratio(numerator, denominator), &row[1]), bound(78))
        }),
    );
}

#[test]
fn accepts_reference_square_roots() {
    let Some(json) = reference_json("pricing/elementary_functions.json.gz") else { return };
    let end = BigInt::from(1) << 46;
    let in_range = |row: &&Value| scaled(&text_of(&row[0]), 0) < end;
    check(
        "sqrt",
        rows(&json, "sqrt").iter().filter(in_range).map(|row| {
            let argument = fixed_binary64(&text_of(&row[0]));
            let root = argument.sqrt_floor();
            // Exact in the rounded argument: root² ≤ argument < (root + ulp)².
            let square = BigInt::from(root.bits()).pow(2);
            let next = BigInt::from(root.bits() + 1).pow(2);
            let target = BigInt::from(argument.bits()) << FRACTION_BITS;
            assert!(square <= target && target < next);
            // The argument's rounding moves a root r by at most 2^-81/r.
            let expected = scaled(&text_of(&row[1]), 100) + 1;
            let slack = (BigInt::from(1) << 119) / &expected + 1;
            // 30 significant digits of the reference.
            let digits = expected / BigInt::from(10).pow(29);
            (error(root, &row[1]), bound(80) + slack + digits)
        }),
    );
}

#[test]
fn distribution_is_symmetric_and_does_not_fall() {
    let step = (1i128 << FRACTION_BITS) / 997;
    let mut last = Fixed::ZERO;
    for index in -11_000..=11_000 {
        let x = Fixed::from_bits(step * index);
        let value = x.normal_cdf();
        assert!(value >= last, "N falls at {index}/997");
        assert_eq!(value.add(x.neg().normal_cdf()), Fixed::ONE);
        last = value;
    }
    assert_eq!(last, Fixed::ONE);
}

#[test]
fn accepts_shipped_values() {
    let json = shipped_json("pricing/elementary.json");
    let rows = |name: &str| json[name].as_array().unwrap().iter();
    let text = |value: &Value| text_of(value);
    let scale = |value: &Value| scaled(&text(value), 0).max(BigInt::from(1));
    for row in rows("normal") {
        let x = fixed(&text(&row[0]));
        assert!(error(x.normal_cdf(), &row[1]) <= bound(75), "{row}");
        assert!(error(x.normal_density(), &row[2]) <= bound(77), "{row}");
    }
    for row in rows("exp") {
        let bound = bound(78) * scale(&row[1]);
        assert!(error(fixed(&text(&row[0])).exp(), &row[1]) <= bound, "{row}");
    }
    for row in rows("ln_ratio") {
        let integer = |value: &Value| text(value).parse().unwrap();
        let ln = Fixed::ln_ratio(integer(&row[0]), integer(&row[1]));
        assert!(error(ln, &row[2]) <= bound(78), "{row}");
    }
    for row in rows("sqrt") {
        assert!(error(fixed(&text(&row[0])).sqrt_floor(), &row[1]) <= bound(80), "{row}");
    }
}
