//! Damaged files: every field of whatever is read from outside set to extremes, left out or joined
//! by another. Each is refused in words that say why, or is what the rules judge; nothing panics.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use zkmargin_fixtures::build::{
    OrderDraft, account_index, cancel_all, deposit, domain, market, now, parameters,
    portfolio_book, rekey, risk_rows, signed_move, small_state, trade,
};
use zkmargin_fixtures::forge::damage::{Change, Damage, cut_short, damages};
use zkmargin_fixtures::keys::signed_table;
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::market::risk_parameters::RiskParameters;
use zkmargin_protocol::market::risk_table::{Registry, build};
use zkmargin_protocol::market::settlement_price::{SettlementWindow, Settlements};
use zkmargin_protocol::market::{Market, SignedRiskTable};
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::pricing::surface::Surface;
use zkmargin_protocol::value::units::{InstrumentIndex, Price, Time, Underlying};

/// Reads every damaged file; `judge` takes what is well formed all the same and says whether a rule
/// accepts it. Returns how many were refused on reading, refused by a rule, and accepted.
fn judged<T: DeserializeOwned>(value: &Value, judge: impl Fn(T) -> bool + Sync) -> [usize; 3] {
    assert!(judge(serde_json::from_value(value.clone()).expect("the original")));
    for text in cut_short(value, 60) {
        serde_json::from_str::<T>(&text).map(drop).expect_err("cut short");
    }
    let verdicts: Vec<usize> = damages(value)
        .par_iter()
        .map(|damage| match serde_json::from_str::<T>(&damage.apply(value)) {
            Ok(read) => 2 - usize::from(!judge(read)),
            Err(error) => {
                let error = error.to_string();
                assert!(is_clear(&error), "{}: {error}", damage.pattern());
                if let (Change::Removed, Some(name)) = (&damage.change, field(value, damage)) {
                    let is_named = error.contains(&format!("missing field `{name}`"));
                    assert!(is_named || by_rule(&error), "{}: {error}", damage.pattern());
                }
                0
            }
        })
        .collect();
    [0, 1, 2].map(|verdict| verdicts.iter().filter(|&&found| found == verdict).count())
}

/// The name of a field beside others; items of lists and variants of an enum are none.
fn field<'a>(value: &Value, damage: &'a Damage) -> Option<&'a str> {
    let (parent, name) = damage.place.rsplit_once('/')?;
    let fields = value.pointer(parent)?.as_object()?;
    (fields.len() > 1).then_some(name)
}

fn by_rule(error: &str) -> bool {
    Rule::ALL.iter().any(|rule| error.contains(&format!("({rule:?})")))
}

/// The error is that of a rule, or says what was expected and where.
fn is_clear(error: &str) -> bool {
    let words = [
        "missing field",
        "unknown field",
        "unknown variant",
        "duplicate field",
        "invalid type",
        "invalid value",
        "invalid length",
        "expected",
        "number out of range",
        "recursion limit exceeded",
        "trailing characters",
    ];
    by_rule(error) || (words.iter().any(|word| error.contains(word)) && error.contains("line"))
}

fn at(seconds: u64) -> Time {
    Time::new(seconds).expect("40 bits")
}

/// Two expiries, the first in its settlement window.
fn surface_value() -> Value {
    let smile = json!([
        { "strike": "50000000", "volatility": 700_000 },
        { "strike": "60000000", "volatility": 600_000 },
        { "strike": "70000000", "volatility": 650_000 },
    ]);
    let fixing = json!({ "mean": "60000000", "taken": 10, "open": 20 });
    let (soon, late) = (now().get() + 1_200, now().get() + 86_400 * 20);
    json!({
        "underlying": "1",
        "time": now(),
        "expiries": [
            { "expiry": at(soon), "forward": "60100000", "fixing": fixing, "smile": smile },
            { "expiry": at(late), "forward": "60500000", "smile": smile },
        ],
    })
}

fn underlying() -> Underlying {
    Underlying::new(1).expect("4 bits")
}

/// A call and a put of each expiry, and one that has expired.
fn registry() -> (Registry, Settlements) {
    let over = at(now().get() - 60);
    let mut registry = Registry::new();
    for (k, expiry) in [over, at(now().get() + 1_200), at(now().get() + 86_400 * 20)]
        .into_iter()
        .flat_map(|expiry| [expiry; 2])
        .enumerate()
    {
        let slot = u16::try_from(k).expect("six") + 1;
        let kind = if k % 2 == 0 { OptionKind::Call } else { OptionKind::Put };
        let strike = Price::new(61_000_000).expect("32 bits");
        let index = InstrumentIndex::of(underlying(), slot).expect("12 bits");
        registry.insert(index, InstrumentSpec { underlying: underlying(), expiry, strike, kind });
    }
    let price = Price::new(62_000_000).expect("32 bits");
    (registry, BTreeMap::from([((underlying(), over), price)]))
}

#[test]
fn damaged_risk_parameters_never_panic_when_a_table_is_built() {
    let surface: Surface = serde_json::from_value(surface_value()).expect("a surface");
    let (registry, settlements) = registry();
    let value = json!(RiskParameters::reference());
    let own = RiskParameters::reference().batch_parameters(60, 5).hash();
    let [unread, refused, accepted] = judged(&value, |parameters: RiskParameters| {
        let is_own = parameters == RiskParameters::reference();
        assert_eq!(parameters.batch_parameters(60, 5).hash() == own, is_own);
        let window = SettlementWindow::new(underlying(), now(), parameters.settlement.clone());
        drop(window.map(|window| window.fixing(now())));
        build(std::slice::from_ref(&surface), &registry, &settlements, &parameters).is_ok()
    });
    println!("parameters: {unread} unread, {refused} refused, {accepted} accepted");
    assert!(unread > 300 && refused > 20 && accepted > 100);
}

#[test]
fn damaged_surfaces_never_panic_when_a_table_is_built() {
    let (registry, settlements) = registry();
    let parameters = RiskParameters::reference();
    let [unread, refused, accepted] = judged(&surface_value(), |surface: Surface| {
        build(&[surface], &registry, &settlements, &parameters).is_ok()
    });
    println!("surfaces: {unread} unread, {refused} refused, {accepted} accepted");
    assert!(unread > 100 && refused > 20);
}

#[test]
fn damaged_tables_are_refused_unless_they_say_the_same() {
    let table = signed_table(&risk_rows(2, 1), parameters(), 77, now(), domain());
    let value = json!(table.expect("16-bit indices"));
    let own = market(2, 1);
    let [unread, refused, accepted] = judged(&value, |table: SignedRiskTable| {
        let Ok(market) = Market::new(table, domain()) else { return false };
        assert_eq!(market.rows(), own.rows());
        true
    });
    println!("tables: {unread} unread, {refused} refused, {accepted} accepted");
    assert!(unread > 500 && refused > 300);
}

/// One operation of each kind.
fn operations() -> Vec<Operation> {
    let [buyer, seller] = [2, 3].map(account_index);
    let market = market(2, 1);
    let draft = OrderDraft::fair(market.rows().values().next().expect("two rows"), 500);
    vec![
        deposit(account_index(4), portfolio_book(1), 250_000_000),
        trade(&draft, [buyer, seller], [0, 0]),
        signed_move(buyer, None, 1_500_000, 1),
        signed_move(buyer, Some(seller), 1_500_000, 2),
        rekey(seller, account_index(9), 3),
        cancel_all(buyer, 64, 4),
    ]
}

#[test]
fn damaged_snapshots_never_panic_when_a_batch_is_made() {
    let market = market(2, 1);
    let room = Shape { requests: 8, accounts: 8, nodes: 60, instruments: 8, ..Shape::TINY };
    let value = json!(small_state(&market).snapshot());
    let [unread, refused, accepted] = judged(&value, |snapshot: Snapshot| {
        let Ok(state) = State::new(snapshot) else { return false };
        let Ok(mut batch) = Batch::new(&state, &market, room, now()) else { return false };
        // Each on its own: one that is refused leaves the batch as it was.
        let pushed = operations().into_iter().map(|operation| batch.push(&[operation]).is_ok());
        let taken = pushed.filter(|&is_taken| is_taken).count();
        batch.seal().is_ok() && taken == operations().len()
    });
    println!("snapshots: {unread} unread, {refused} refused, {accepted} accepted");
    assert!(unread > 300 && refused > 20);
}

#[test]
fn damaged_operations_never_panic_and_requests_are_signed_whole() {
    let market = market(2, 1);
    let state = small_state(&market);
    let mut counts = [0; 3];
    for operation in operations() {
        let found = judged(&json!(operation), |damaged: Operation| {
            let batch = Batch::new(&state, &market, Shape::TINY, now());
            let mut batch = batch.expect("fresh oracle data");
            batch.push(&[damaged]).is_ok() && batch.seal().is_ok()
        });
        // What a deposit says comes from L1; price, quantity and fees of a fill are the venue's
        // within the orders' limits.
        let is_whole = matches!(operation, Operation::Request(_));
        assert!(!is_whole || found[2] == 0, "{operation:?}");
        counts = std::array::from_fn(|k| counts[k] + found[k]);
    }
    println!("operations: {counts:?}");
    assert!(counts[0] > 300 && counts[1] > 50);
}
