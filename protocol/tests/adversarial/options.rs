//! Margin that is too low by rounding or too high leg by leg, and settlement that pays nothing.

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::Fr;
use serde_json::Value;
use zkmargin_fixtures::build::{account_index, domain, now, portfolio_book};
use zkmargin_fixtures::keys::signed_table;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::account::margin::{Margin, MarginMethod, evaluate};
use zkmargin_protocol::crypto::eddsa::SecretKey;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::ledger::transition::Ledger;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::market::parameters::BatchParameters;
use zkmargin_protocol::market::risk_parameters::RiskParameters;
use zkmargin_protocol::market::risk_row::RiskRows;
use zkmargin_protocol::market::risk_table::{self, Registry};
use zkmargin_protocol::market::settlement_price::Settlements;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::settle::Settle;
use zkmargin_protocol::pricing::black76::{OptionKind, Volatility};
use zkmargin_protocol::pricing::surface::{Expiry, SmilePoint, Surface, SurfaceData};
use zkmargin_protocol::value::units::{Cash, InstrumentIndex, Price, Quantity, Time, Underlying};

use super::{DAY_S, inputs, price};

fn time(seconds: u64) -> Time {
    Time::new(seconds).unwrap()
}

#[test]
fn accepts_margin_rounded_up_once_and_not_down_in_two_stages() {
    let Some(inputs) = inputs("two_stage_margin_rounding") else { return };
    let number = |name: &str| inputs[name].as_i64().unwrap();
    let [quantity, charge, scale, bps] = ["q", "price", "scale", "bps"].map(number);
    let mut rows = table(&[put(100)], 100, DAY_S).0;
    let (&index, row) = rows.iter_mut().next().unwrap();
    row.losses.fill(Default::default());
    row.short_minimum = Price::new(u32::try_from(charge).unwrap()).unwrap();
    let parameters = BatchParameters {
        initial_factor_ppm: u32::try_from(bps * 100).unwrap(),
        ..RiskParameters::reference().batch_parameters(60, 5)
    };
    let slots = [(index, Quantity::new(-quantity).unwrap())].into_iter();
    let margin = evaluate(Cash::MIN, slots, &rows, &parameters, MarginMethod::Portfolio).unwrap();
    let exact = i128::from(quantity * charge) * i128::from(bps);
    assert_eq!(margin.initial, (exact + 9_999) / 10_000);
    // What the two roundings of the case come to, in its coarser unit.
    let two_stages = quantity * charge / scale * bps / 10_000;
    assert!(margin.initial > i128::from(two_stages * scale));
}

#[test]
fn accepts_settlement_that_pays_nothing() {
    let Some(inputs) = inputs("settle_otm_zero_payout_reverts") else { return };
    let number = |name: &str| inputs[name].as_u64().unwrap();
    let expiry = time(now().get() - 100);
    let spec = |strike| InstrumentSpec { expiry, strike: price(strike), ..call(strike) };
    let mut rows = RiskRows::new();
    for (slot, name) in [(1, "long_call_K"), (2, "short_call_K")] {
        let index = InstrumentIndex::of(underlying(), slot).unwrap();
        let settlement = price(number("settlement"));
        let row = risk_table::settled_row(index, &spec(number(name)), settlement).unwrap();
        rows.insert(index, row);
    }
    let market = market(&rows, now().get() - 20);
    let owner = account_index(9);
    let mut holder = Account::open(
        SecretKey::from_seed(&[9; 32]).public(),
        Fr::from(9),
        portfolio_book(underlying().get()),
    );
    holder.cash = Cash::new(1).unwrap();
    for (&index, held) in rows.keys().zip([1_000, -1_000]) {
        holder.positions.add(underlying(), index, Quantity::new(held).unwrap()).unwrap();
    }
    let snapshot =
        Snapshot::opening(domain(), BTreeMap::from([(owner, holder)]), market.specs()).unwrap();
    let state = State::new(snapshot).unwrap();
    let mut ledger = Ledger::new(&state, &market, now());
    ledger.apply(&Operation::Settle(Settle { account: owner, expiry })).unwrap();
    let settled = ledger.account(owner).unwrap();
    let paid = i128::from(settled.cash) - 1;
    assert_eq!(paid, i128::from(inputs["expected_payout"].as_i64().unwrap()));
    assert_eq!(settled.positions.count(), 0);
}

/// A vertical spread that is written, one contract a leg, and the most it can lose, micro-USDC.
fn spread() -> Option<([InstrumentSpec; 2], [i64; 2], i128)> {
    let inputs = inputs("spread_margin_called")?;
    let legs: [&Value; 2] =
        inputs["legs"].as_array().unwrap().iter().collect::<Vec<_>>().try_into().unwrap();
    assert!(legs.iter().all(|leg| leg["type"] == "put"));
    let specs = legs.map(|leg| put(leg["K"].as_u64().unwrap()));
    let quantities = legs.map(|leg| leg["qty"].as_i64().unwrap() * 1_000);
    let largest = i128::from(inputs["max_loss_per_unit"].as_i64().unwrap()) * 1_000_000;
    Some((specs, quantities, largest))
}

/// Margin of the spread with this forward and so long to live.
fn spread_margin(forward: u64, seconds: u64, method: MarginMethod) -> Option<Margin> {
    let (specs, quantities, _) = spread()?;
    let (rows, indices) = table(&specs, forward, seconds);
    let slots = indices.iter().zip(quantities);
    let slots = slots.map(|(&index, held)| (index, Quantity::new(held).unwrap()));
    let parameters = RiskParameters::reference().batch_parameters(60, 5);
    Some(evaluate(Cash::MIN, slots, &rows, &parameters, method).unwrap())
}

/// The stated contingency is the short minimum, 0.5 % of the forward; it is a floor, not an
/// addition.
#[test]
fn accepts_spread_margin_up_to_the_largest_loss() {
    let Some((.., largest)) = spread() else { return };
    for forward in [200, 380, 395, 400, 420, 600] {
        for seconds in [3_600, DAY_S, 30 * DAY_S, 300 * DAY_S] {
            let margin = spread_margin(forward, seconds, MarginMethod::Portfolio).unwrap();
            // Both marks and losses are rounded to a unit of a thousandth USDC a contract.
            let bound = largest.max(margin.short_floor) + 2_000;
            assert!(margin.initial <= bound, "{} at {forward}, {seconds}", margin.initial);
            assert_eq!(margin.short_floor, i128::from(forward) * 5_000);
        }
    }
}

/// Not so of a standard account, by decision 0007: each leg written is margined on its own.
#[test]
fn standard_margin_of_a_spread_exceeds_its_largest_loss() {
    let Some((.., largest)) = spread() else { return };
    let [standard, portfolio] = [MarginMethod::Standard, MarginMethod::Portfolio]
        .map(|method| spread_margin(395, 30 * DAY_S, method).unwrap().initial);
    assert!(standard > 2 * largest && portfolio <= largest, "{standard}, {portfolio}");
}

fn underlying() -> Underlying {
    Underlying::new(1).unwrap()
}

fn put(strike: u64) -> InstrumentSpec {
    InstrumentSpec { kind: OptionKind::Put, ..call(strike) }
}

fn call(strike: u64) -> InstrumentSpec {
    let (underlying, expiry) = (underlying(), now());
    InstrumentSpec { underlying, expiry, strike: price(strike), kind: OptionKind::Call }
}

/// The table of these options with `seconds` to live at a volatility of 60 %, and their indices.
fn table(specs: &[InstrumentSpec], forward: u64, seconds: u64) -> (RiskRows, Vec<InstrumentIndex>) {
    let (time, expiry) = (now(), time(now().get() + seconds));
    let smile = specs.iter().map(|spec| spec.strike).collect::<BTreeSet<_>>().into_iter();
    let smile = smile.map(|strike| SmilePoint { strike, volatility: Volatility(600_000) });
    let data = Expiry { expiry, forward: price(forward), fixing: None, smile: smile.collect() };
    let data = SurfaceData { underlying: underlying(), time, expiries: vec![data] };
    let surface = Surface::new(data).unwrap();
    let indices: Vec<_> =
        (1..).take(specs.len()).map(|k| InstrumentIndex::of(underlying(), k).unwrap()).collect();
    let listed = indices.iter().zip(specs);
    let registry: Registry =
        listed.map(|(&index, spec)| (index, InstrumentSpec { expiry, ..*spec })).collect();
    let parameters = RiskParameters::reference();
    let rows = risk_table::build(&[surface], &registry, &Settlements::new(), &parameters);
    (rows.unwrap(), indices)
}

fn market(rows: &RiskRows, seconds: u64) -> Market {
    let parameters = RiskParameters::reference().batch_parameters(60, 5);
    let table = signed_table(rows, parameters, 1, time(seconds), domain()).unwrap();
    Market::new(table, domain()).unwrap()
}
