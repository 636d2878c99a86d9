use super::super::world::{price, rule_of, time};
use super::settlement_sample::{EXPIRY_S, sample, signed, underlying, window};
use zkmargin_fixtures::build::domain;
use zkmargin_fixtures::keys::oracle_set;
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::market::risk_parameters::RiskParameters;
use zkmargin_protocol::market::risk_row::RiskRow;
use zkmargin_protocol::market::risk_table::{Registry, build};
use zkmargin_protocol::market::settlement_price::{
    SettlementParameters, SettlementWindow, Settlements,
};
use zkmargin_protocol::pricing::black76::{OptionKind, Volatility};
use zkmargin_protocol::pricing::scenario::Scenario;
use zkmargin_protocol::pricing::surface::{Expiry, Fixing, SmilePoint, Surface, SurfaceData};
use zkmargin_protocol::value::units::InstrumentIndex;
use zkmargin_protocol::{Reject, Rule};

pub const RULE: Rule = Rule::SettlementPrice;

/// The window with samples at these places, the last being 30; the index at place k is 90,000
/// USDC + k.
fn with(places: impl IntoIterator<Item = u64>) -> SettlementWindow {
    let mut window = window();
    for place in places {
        let index_e3 = 90_000_000 + u32::try_from(place).expect("small") * 1_000;
        let at = EXPIRY_S - 60 * (30 - place);
        let taken = window.take(&signed(sample(at, index_e3)), domain(), &oracle_set());
        taken.expect("a place of the window");
    }
    window
}

#[test]
fn accepts_the_mean_of_all_samples_in_any_order() {
    // 1 + … + 30 = 465, over 30: 15.5 USDC.
    assert_eq!(with(1..=30).price(), Ok(price(90_015_500)));
    assert_eq!(with((1..=30).rev()).price(), Ok(price(90_015_500)));
}

#[test]
fn accepts_the_fewest_samples_and_rejects_settlement_price_of_one_less() {
    // Every third place is missing: 20 are left, and no five minutes without one.
    let two_of_three = || (1..=30).filter(|place| place % 3 != 0);
    // 465 − 3·(1 + … + 10) = 300, over 20: 15 USDC.
    assert_eq!(with(two_of_three()).price(), Ok(price(90_015_000)));
    assert_eq!(rule_of(with(two_of_three().skip(1)).price()), Some(RULE));
    assert_eq!(rule_of(window().price()), Some(RULE), "none at all");
}

#[test]
fn accepts_the_longest_gap_and_rejects_settlement_price_of_a_longer_one() {
    // Four places missing leave five minutes between their neighbours.
    for (missing, is_long) in [
        (1..=4, false),
        (1..=5, true),
        (11..=14, false),
        (11..=15, true),
        (26..=29, false),
        // The window ends at expiry, so the end counts as the start does.
        (27..=30, false),
        (26..=30, false),
        (25..=30, true),
    ] {
        let priced = with((1..=30).filter(|place| !missing.contains(place))).price();
        assert_eq!(rule_of(priced), is_long.then_some(RULE), "{missing:?}");
    }
}

#[test]
fn accepts_means_rounded_to_the_nearest_unit_halves_up() {
    let parameters =
        SettlementParameters { window_s: 180, spacing_s: 60, samples_min: 1, gap_max_s: 180 };
    for (indices_e3, mean_e3) in [
        (&[1, 2][..], 2),
        (&[1, 1, 2], 1),
        (&[1, 2, 2], 2),
        (&[3], 3),
        (&[u32::MAX, u32::MAX, u32::MAX], u32::MAX),
        (&[u32::MAX, u32::MAX - 1], u32::MAX),
    ] {
        let window = SettlementWindow::new(underlying(1), time(EXPIRY_S), parameters.clone());
        let mut window = window.expect("parameters that fit");
        for (k, &index_e3) in indices_e3.iter().enumerate() {
            let signed = signed(sample(EXPIRY_S - 60 * k as u64, index_e3));
            window.take(&signed, domain(), &oracle_set()).expect("a place");
        }
        assert_eq!(window.price(), Ok(price(mean_e3)), "{indices_e3:?}");
    }
}

#[test]
fn rejects_range_of_parameters_that_do_not_fit() {
    let fair = SettlementParameters::reference();
    assert_eq!(fair.samples(), Ok(30));
    for bad in [
        SettlementParameters { spacing_s: 0, ..fair.clone() },
        SettlementParameters { window_s: 0, ..fair.clone() },
        SettlementParameters { spacing_s: 7, ..fair.clone() },
        SettlementParameters { spacing_s: 3_600, ..fair.clone() },
        SettlementParameters { window_s: 1 << 17, spacing_s: 1, ..fair.clone() },
        SettlementParameters { samples_min: 0, ..fair.clone() },
        SettlementParameters { samples_min: 31, ..fair.clone() },
    ] {
        assert_eq!(rule_of(bad.samples()), Some(Rule::Range), "{bad:?}");
        let window = SettlementWindow::new(underlying(1), time(EXPIRY_S), bad);
        assert_eq!(rule_of(window), Some(Rule::Range));
    }
    let early = SettlementWindow::new(underlying(1), time(1_799), fair);
    assert_eq!(rule_of(early), Some(Rule::Range));
}

/// The row of a call at 90,000 USDC so many seconds before expiry, with the live forward at 92,000.
fn row(seconds: u64, fixing: Option<Fixing>) -> Result<RiskRow, Reject> {
    let spec = InstrumentSpec {
        underlying: underlying(1),
        expiry: time(EXPIRY_S),
        strike: price(90_000_000),
        kind: OptionKind::Call,
    };
    let point =
        |usdc: u32| SmilePoint { strike: price(usdc * 1_000), volatility: Volatility(1_000) };
    let expiry = Expiry {
        expiry: time(EXPIRY_S),
        forward: price(92_000_000),
        fixing,
        smile: vec![point(90_000)],
    };
    let data = SurfaceData {
        underlying: underlying(1),
        time: time(EXPIRY_S - seconds),
        expiries: vec![expiry],
    };
    let index = InstrumentIndex::new(0x1001).expect("not 0");
    let registry = Registry::from([(index, spec)]);
    let parameters = RiskParameters::reference();
    let rows = build(&[Surface::new(data)?], &registry, &Settlements::new(), &parameters)?;
    Ok(rows[&index].clone())
}

fn fixing(mean_e3: u32, taken: u32, open: u32) -> Option<Fixing> {
    Some(Fixing { mean: price(mean_e3), taken, open })
}

#[test]
fn accepts_a_fixing_in_the_window_and_rejects_settlement_price_of_others() {
    for (seconds, fixing, is_right) in [
        (1_801, None, true),
        (1_800, None, true),
        (1_799, None, false),
        (1_800, fixing(91_000_000, 1, 29), false),
        (1_799, fixing(0, 0, 30), true),
        (1_741, fixing(0, 0, 30), true),
        (1_740, fixing(91_000_000, 1, 29), true),
        (1_740, fixing(91_000_000, 1, 30), false),
        (1_740, fixing(91_000_000, 1, 28), false),
        (1_740, fixing(91_000_000, 2, 29), false),
        // Samples may be missing, none can be too many.
        (900, fixing(91_000_000, 9, 15), true),
        (900, fixing(91_000_000, 15, 15), true),
        (900, fixing(91_000_000, 16, 15), false),
        (1, fixing(91_000_000, 29, 1), true),
    ] {
        let verdict = rule_of(row(seconds, fixing));
        assert_eq!(verdict, (!is_right).then_some(RULE), "{seconds} {fixing:?}");
    }
    for malformed in [fixing(91_000_000, 5, 0), fixing(0, 5, 5), fixing(91_000_000, 0, 5)] {
        assert_eq!(rule_of(row(900, malformed)), Some(Rule::Range), "{malformed:?}");
    }
}

/// Half of the window at 91,000, the forward at 92,000: 91,500 is to be expected, and a move of the
/// forward moves half of it. At 0.1 % the option is worth what it is in the money.
#[test]
fn accepts_rows_in_which_only_the_open_part_moves() {
    let row = row(900, fixing(91_000_000, 15, 15)).expect("a fixing that fits");
    assert_eq!(row.mark, price(1_500_000));
    let expected = |forward_ppm: i64| 91_500_000 + 46_000 * (forward_ppm - 1_000_000) / 1_000;
    let mut moved = 0;
    for (scenario, loss) in RiskParameters::reference().grid.scenarios().iter().zip(&row.losses) {
        let Scenario::Move { forward_ppm, damping_ppm, .. } = *scenario else { continue };
        let worth = (expected(forward_ppm.into()) - 90_000_000).max(0);
        let full = (1_500_000 - worth) * i64::from(damping_ppm);
        let gap = (loss.get() * 1_000_000 - full).abs();
        // A volatility moved up to 40 % is worth at most σ·√τ·F/√(2π) = 73 USDC more.
        assert!(gap <= 73_000 * i64::from(damping_ppm), "{forward_ppm}: {loss} {full}");
        moved += 1;
    }
    assert_eq!(moved, 31);
}

#[test]
fn accepts_fixings_of_a_window() {
    let window = with(1..=30);
    assert_eq!(window.fixing(time(EXPIRY_S - 1_800)), Ok(None));
    assert_eq!(window.fixing(time(EXPIRY_S)), Ok(None));
    assert_eq!(window.fixing(time(EXPIRY_S - 1_741)), Ok(fixing(0, 0, 30)));
    assert_eq!(window.fixing(time(EXPIRY_S - 1_740)), Ok(fixing(90_001_000, 1, 29)));
    assert_eq!(window.fixing(time(EXPIRY_S - 900)), Ok(fixing(90_008_000, 15, 15)));
    assert_eq!(window.fixing(time(EXPIRY_S - 1)), Ok(fixing(90_015_000, 29, 1)));
    assert!(row(900, window.fixing(time(EXPIRY_S - 900)).expect("a fixing")).is_ok());
}

/// A table of the second of expiry, with a later expiry alive.
#[test]
fn accepts_rows_of_the_settlement_price_from_expiry_on_and_none_while_it_waits() {
    let later = Expiry {
        expiry: time(EXPIRY_S + 86_400),
        forward: price(92_000_000),
        fixing: None,
        smile: vec![SmilePoint { strike: price(90_000_000), volatility: Volatility(500_000) }],
    };
    let spec = |strike_e3, kind, expiry_s| InstrumentSpec {
        underlying: underlying(1),
        expiry: time(expiry_s),
        strike: price(strike_e3),
        kind,
    };
    let specs = [
        spec(90_000_000, OptionKind::Call, EXPIRY_S),
        spec(90_015_500, OptionKind::Call, EXPIRY_S),
        spec(91_000_000, OptionKind::Put, EXPIRY_S),
        spec(90_000_000, OptionKind::Call, EXPIRY_S + 86_400),
    ];
    let place = |k: usize| InstrumentIndex::new(0x1001 + k as u16).expect("not 0");
    let registry: Registry = specs.into_iter().enumerate().map(|(k, s)| (place(k), s)).collect();
    let data =
        SurfaceData { underlying: underlying(1), time: time(EXPIRY_S), expiries: vec![later] };
    let surfaces = [Surface::new(data).expect("a surface")];
    let parameters = RiskParameters::reference();
    let settled = with(1..=30).price().expect("all samples");
    let prices = Settlements::from([((underlying(1), time(EXPIRY_S)), settled)]);
    let rows = build(&surfaces, &registry, &prices, &parameters).expect("all instruments");
    for (k, payoff_e3) in [15_500, 0, 984_500].into_iter().enumerate() {
        let row = &rows[&place(k)];
        assert!(row.is_settled && row.losses.iter().all(|loss| loss.get() == 0));
        assert_eq!(row.mark, price(payoff_e3));
        let charges = [row.short_minimum, row.isolated_initial, row.isolated_maintenance];
        assert_eq!(charges, [price(0); 3]);
    }
    assert!(!rows[&place(3)].is_settled);
    let waiting = build(&surfaces, &registry, &Settlements::new(), &parameters);
    assert_eq!(waiting.expect("the live ones").into_keys().collect::<Vec<_>>(), [place(3)]);
}
