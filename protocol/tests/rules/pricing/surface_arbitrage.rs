use super::super::world::{price, rule_of, time};
use zkmargin_protocol::Rule;
use zkmargin_protocol::market::risk_parameters::RiskParameters;
use zkmargin_protocol::market::risk_table::{Registry, build};
use zkmargin_protocol::market::settlement_price::Settlements;
use zkmargin_protocol::pricing::arbitrage::{ArbitrageParameters, check, measure};
use zkmargin_protocol::pricing::black76::{Volatility, YEAR_SECONDS};
use zkmargin_protocol::pricing::fixed::Fixed;
use zkmargin_protocol::pricing::surface::{Expiry, SmilePoint, Surface, SurfaceData};
use zkmargin_protocol::value::units::Underlying;

pub const RULE: Rule = Rule::SurfaceArbitrage;

/// Expiries after so many years, forward 100 USDC, strikes in USDC with volatilities in 10^-6.
fn surface(expiries: &[(u64, &[(u32, u32)])]) -> Surface {
    let now = 1_770_000_000;
    let expiries = expiries.iter().map(|(years, smile)| Expiry {
        expiry: time(now + years * u64::from(YEAR_SECONDS)),
        forward: price(100_000),
        fixing: None,
        smile: smile
            .iter()
            .map(|&(strike, volatility)| SmilePoint {
                strike: price(strike * 1_000),
                volatility: Volatility(volatility),
            })
            .collect(),
    });
    let underlying = Underlying::new(1).expect("4 bits");
    let data = SurfaceData { underlying, time: time(now), expiries: expiries.collect() };
    Surface::new(data).expect("in range")
}

fn verdict(surface: &Surface, butterfly_ppm: u32, calendar_ppm: u32) -> Option<Rule> {
    rule_of(check(surface, &ArbitrageParameters { butterfly_ppm, calendar_ppm }))
}

#[test]
fn accepts_a_surface_without_arbitrage_at_no_tolerance() {
    let smile: &[_] = &[(60, 700_000), (80, 620_000), (100, 600_000), (130, 630_000)];
    let clean = surface(&[(1, smile), (2, smile), (3, smile)]);
    assert_eq!(verdict(&clean, 0, 0), None);
    let found = measure(&clean);
    assert_eq!([found.butterfly.share, found.calendar.share], [Fixed::ZERO; 2]);
}

/// At the money a call is worth 2·N(σ√τ/2) − 1 of the forward; far from it, at 0.1 %, what it is in
/// the money. For σ = 2·N⁻¹(0.65) = 0.7706409… a year out: 0.3, and 0.25 on the chord of 0.5 and 0.
#[test]
fn accepts_a_butterfly_at_the_tolerance_and_rejects_surface_arbitrage_beyond() {
    let with = |middle| surface(&[(1, &[(50, 1_000), (100, middle), (150, 1_000)])]);
    let found = measure(&with(770_641)).butterfly;
    assert_eq!((found.ppm_ceil(), found.strike), (50_001, price(100_000)));
    assert_eq!(verdict(&with(770_641), 50_001, 0), None);
    assert_eq!(verdict(&with(770_641), 50_000, 0), Some(RULE));
    assert_eq!(verdict(&with(770_640), 50_000, 0), None);
    // A call that rises with the strike: worth nothing at 101 USDC, 0.37 of the forward at 102.
    let rising = surface(&[(1, &[(101, 1_000), (102, 1_000_000)])]);
    assert_eq!(verdict(&rising, 300_000, 0), Some(RULE));
}

/// A call of one year at 30 % is worth 0.1192354 of the forward; one of two years at 19.4224 % is
/// worth 0.01 less.
#[test]
fn accepts_a_calendar_spread_at_the_tolerance_and_rejects_surface_arbitrage_beyond() {
    let with = |late| surface(&[(1, &[(100, 300_000)]), (2, &[(100, late)])]);
    assert_eq!(verdict(&with(194_224), 0, 10_000), None);
    assert_eq!(verdict(&with(194_223), 0, 10_000), Some(RULE));
    assert_eq!(verdict(&with(194_223), 0, 10_001), None);
    // Beyond the later strikes there is nothing to compare with.
    let apart = surface(&[(1, &[(100, 300_000)]), (2, &[(120, 1_000)])]);
    assert_eq!(verdict(&apart, 0, 0), None);
}

#[test]
fn rejects_surface_arbitrage_where_a_table_is_built() {
    let dirty = surface(&[(1, &[(50, 1_000), (100, 770_641), (150, 1_000)])]);
    let parameters = RiskParameters::reference();
    let table = build(&[dirty], &Registry::new(), &Settlements::new(), &parameters);
    assert_eq!(rule_of(table), Some(RULE));
}
