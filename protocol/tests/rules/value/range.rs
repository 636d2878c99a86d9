use super::super::world::{
    BUYER, SELLER, World, cash, index, moved, quantity, rule_of, transfer, withdrawal,
};
use zkmargin_fixtures::build::{deposit, now, portfolio_book};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::positions::Positions;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::ledger::transition;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::units::{
    AccountIndex, Cash, InstrumentIndex, Loss, Nonce, Price, Quantity, Time, Underlying,
};

pub const RULE: Rule = Rule::Range;

#[test]
fn rejects_range_one_beyond_each_unit() {
    macro_rules! bounds {
        ($($unit:ty: $min:expr, $max:expr;)*) => {$(
            let (min, max): (i128, i128) = ($min, $max);
            let ends = [(min, true), (max, true), (min - 1, false), (max + 1, false)];
            for (value, is_inside) in ends {
                let judged = <$unit>::try_from(value);
                let expected = (!is_inside).then_some(RULE);
                assert_eq!(rule_of(judged), expected, "{} {value}", stringify!($unit));
                let text = <$unit>::try_from(value.to_string());
                assert_eq!(rule_of(text), expected, "{} \"{value}\"", stringify!($unit));
            }
        )*};
    }
    // The widths of docs/spec, written out.
    bounds! {
        Cash: -9_223_372_036_854_775_808, 9_223_372_036_854_775_807;
        Quantity: -549_755_813_888, 549_755_813_887;
        Price: 0, 4_294_967_295;
        Loss: -8_589_934_592, 8_589_934_591;
        Time: 0, 1_099_511_627_775;
        Nonce: 0, 1_099_511_627_775;
        Underlying: 0, 15;
        AccountIndex: 0, 16_777_215;
        InstrumentIndex: 0, 65_535;
    }
    for text in ["", "+1", "01", "-0", " 1", "1e3", "0x1"] {
        assert_eq!(rule_of(Price::try_from(text.to_owned())), Some(RULE), "{text:?}");
    }
}

/// The small state with the buyer's cash replaced.
fn with_cash(cash_e6: i64) -> World {
    let mut world = World::new();
    let mut accounts = world.state.accounts().clone();
    accounts.get_mut(&index(BUYER)).expect("the buyer").cash = cash(cash_e6);
    world.state = State::new(Snapshot { accounts, ..world.state.snapshot() }).expect("a state");
    world
}

#[test]
fn rejects_range_of_cash_at_the_upper_bound() {
    let world = with_cash(i64::MAX - 5);
    let pay = |amount| [deposit(index(BUYER), portfolio_book(1), amount)];
    let trace = world.accepts("to the bound", &pay(5));
    assert_eq!(trace.accounts[0].new.cash, Cash::MAX);
    world.rejects(RULE, "one micro-USDC beyond", &pay(6));
}

#[test]
fn rejects_range_of_cash_at_the_lower_bound() {
    // Margin would refuse such a debt when the batch ends; the operation alone stops at the width.
    let world = with_cash(i64::MIN + 7_000_000);
    let [paid] = moved(true, |_| ());
    let apply =
        |operation: &Operation| transition::apply(&world.state, &world.market, now(), operation);
    let (next, _) = apply(&paid).expect("to the bound");
    assert_eq!(next.account(index(BUYER)).expect("the buyer").cash, Cash::MIN);
    let [beyond] = moved(true, |m| m.request.action = withdrawal(7_000_001));
    assert_eq!(rule_of(apply(&beyond)), Some(RULE));
}

#[test]
fn rejects_range_of_amounts_that_are_not_positive() {
    let world = World::new();
    for (amount, is_accepted) in [(i64::MIN, false), (-1, false), (0, false), (1, true)] {
        let operations = [
            [deposit(index(BUYER), portfolio_book(1), amount)],
            moved(true, |m| m.request.action = withdrawal(amount)),
            moved(false, |m| m.request.action = transfer(index(SELLER), amount)),
        ];
        for operation in operations {
            match is_accepted {
                true => drop(world.accepts("one micro-USDC", &operation)),
                false => world.rejects(RULE, "not positive", &operation),
            }
        }
    }
}

#[test]
fn rejects_range_of_the_number_of_a_batch_before_it_takes_an_operation() {
    let world = World::new();
    let mut snapshot = world.state.snapshot();
    snapshot.batches = (1 << 40) - 1;
    let world = World { state: State::new(snapshot).expect("a state"), ..world };
    let pay = [deposit(index(BUYER), portfolio_book(1), 5)];
    let (state, trace) = world.play(&pay).expect("the last batch");
    assert_eq!(trace.number, (1 << 40) - 1);
    let next = Batch::new(&state, &world.market, world.shape, now());
    assert_eq!(rule_of(next.map(drop)), Some(RULE));
}

#[test]
fn accepts_the_end_of_a_position_at_its_lower_bound() {
    let book = Underlying::new(1).expect("an underlying");
    let instrument = InstrumentIndex::of(book, 1).expect("a slot");
    let mut positions = Positions::default();
    positions.add(book, instrument, Quantity::MIN).expect("the bound itself");
    positions.subtract(book, instrument, Quantity::MIN).expect("all of it");
    assert_eq!(positions, Positions::default());
    let beyond = positions.subtract(book, instrument, Quantity::MIN);
    assert_eq!(rule_of(beyond), Some(RULE), "the opposite of the bound is no quantity");
}

#[test]
fn rejects_range_of_a_position_one_beyond_its_width() {
    let book = Underlying::new(1).expect("an underlying");
    let instrument = InstrumentIndex::of(book, 1).expect("a slot");
    for (bound, step) in [(Quantity::MAX, 1), (Quantity::MIN, -1)] {
        let mut positions = Positions::default();
        positions.add(book, instrument, bound).expect("the bound itself");
        let beyond = positions.add(book, instrument, quantity(step));
        assert_eq!(rule_of(beyond), Some(RULE));
        assert_eq!(positions.quantity(instrument), bound, "unchanged");
        positions.add(book, instrument, quantity(-step)).expect("back inside");
    }
}

#[test]
fn accepts_a_transfer_and_its_way_back() {
    let world = World::new();
    let [there] = moved(false, |_| ());
    let [back] = moved(false, |m| {
        m.request.account = index(SELLER);
        m.request.action = transfer(index(BUYER), 7_000_000);
    });
    for row in world.accepts("there and back", &[there, back]).accounts {
        assert_eq!(row.old.expect("both existed").cash, row.new.cash);
    }
}
