//! Why a forced reduction is refused: each reason at its bound, which comes first, and what in the
//! same batch makes it untrue.

use super::super::auction_world::{METHODS, MILLION, auction, row_of};
use super::super::reduction_world::{GIVER, Pair, TAKER, answered, held, honours, refuses};
use super::super::world::{World, cash, index, price, quantity, rule_of};
use super::forced_reduction::RULE;
use zkmargin_fixtures::build::{
    account, deposit, forced_reduction, market, market_of, portfolio_book, risk_rows, signed_move,
};
use zkmargin_protocol::account::margin::MarginMethod::{self, Portfolio, Standard};
use zkmargin_protocol::account::{Account, Book};
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::forced::reduction::Refusal;
use zkmargin_protocol::value::units::InstrumentIndex;

const PLAIN: [MarginMethod; 2] = [Portfolio; 2];
/// Books of twentieths of contracts, whose initial margin is whole micro-USDC, and two that are
/// not.
const BOOKS: [[i64; 2]; 7] = [
    [2_000, -2_000],
    [-2_000, 2_000],
    [2_000, 1_000],
    [-2_000, 0],
    [-2_000, -400],
    [1_999, -1_777],
    [-1_999, 1_777],
];
/// Contracts asked for.
const ASKED: [i64; 3] = [20, 780, 2_000];

/// Every method and book of one side with the plain other side.
fn pairs(place: impl Fn(MarginMethod, [i64; 2], i64) -> Pair) -> Vec<(String, Pair)> {
    let mut pairs = Vec::new();
    for method in METHODS {
        for held_e3 in BOOKS {
            for asked_e3 in ASKED {
                let what = format!("{method:?} {asked_e3} of {held_e3:?}");
                pairs.push((what, place(method, held_e3, asked_e3)));
            }
        }
    }
    pairs
}

#[test]
fn rejects_forced_reduction_in_its_answer_where_the_counterparty_cannot_bear_the_contracts() {
    let [mut exact, mut fitting] = [0; 2];
    for giver_e3 in [2_000, -2_000] {
        let of = |method, taken, asked_e3| {
            Pair::new([Portfolio, method], [[giver_e3, 0], taken], asked_e3)
        };
        for (what, pair) in pairs(of) {
            let (at, below) = (pair.clone().bearing(0), pair.bearing(-1));
            assert!((0..MILLION).contains(&at.borne_e12()) && below.borne_e12() < 0, "{what}");
            exact += usize::from(at.borne_e12() == 0);
            honours(&what, &at);
            refuses(&what, &below, Refusal::Counterparty);
            fitting += usize::from(below.taken_e12() >= 0);
        }
    }
    assert!(exact > 40, "bounds met to the last 10^-12: {exact}");
    // What the contracts take off the risk of its book is not counted.
    assert!(fitting > 40, "would be covered with them: {fitting}");
}

#[test]
fn rejects_forced_reduction_in_its_answer_where_the_account_is_left_short_and_shorter() {
    let [mut exact, mut better, mut worse] = [0; 3];
    for (what, pair) in
        pairs(|method, held, asked_e3| Pair::new([method, Portfolio], [held, [0, 0]], asked_e3))
    {
        let (at, below) = (pair.clone().leaving(0), pair.leaving(-1));
        assert!((0..MILLION).contains(&at.left_e12()) && below.left_e12() < 0, "{what}");
        exact += usize::from(at.left_e12() == 0);
        honours(&what, &at);
        if below.left_e12() < below.giver.excess_e12(&below.market) {
            worse += 1;
            refuses(&what, &below, Refusal::Account);
        } else {
            // It is short already, by more.
            better += 1;
            honours(&what, &below);
        }
    }
    assert!(exact > 10 && better > 5 && worse > 5, "{exact} {better} {worse}");
}

#[test]
fn rejects_forced_reduction_in_its_answer_of_an_account_in_auction_that_is_left_short() {
    for (what, mut pair) in
        pairs(|method, held, asked_e3| Pair::new([method, Portfolio], [held, [0, 0]], asked_e3))
    {
        pair.giver.auction = auction(60, false, 0);
        let trace = honours(&what, &pair.clone().leaving(0));
        assert_eq!(row_of(&trace, GIVER).new.auction, pair.giver.auction, "{what}: goes on");
        refuses(&what, &pair.leaving(-1), Refusal::Account);
    }
}

#[test]
fn accepts_what_leaves_an_account_as_short_as_it_was_and_no_shorter() {
    // Short on its own, a contract needs its mark and so much more; given up it costs the penalty,
    // 160 USDC.
    for (charge_e3, refusal) in [(160_000, None), (159_999, Some(Refusal::Account))] {
        let mut rows = risk_rows(2, 1);
        for row in rows.values_mut() {
            row.isolated_initial = price(row.mark.get() + charge_e3);
        }
        let pair = Pair::new([Standard, Portfolio], [[-2_000, 0], [0, 0]], 1_000);
        let pair = Pair { market: market_of(&rows), ..pair }.leaving(-5_000_000);
        let change = pair.left_e12() - pair.giver.excess_e12(&pair.market);
        assert_eq!(change, (i128::from(charge_e3) - 160_000) * 1_000 * MILLION);
        match refusal {
            None => drop(honours("as short", &pair)),
            Some(refusal) => drop(refuses("shorter", &pair, refusal)),
        }
    }
}

/// The world with an account changed.
fn changed(world: World, place: u32, change: impl FnOnce(&mut Account)) -> World {
    let mut snapshot = Snapshot { specs: world.market.specs(), ..world.state.snapshot() };
    change(snapshot.accounts.entry(index(place)).or_insert_with(|| {
        let mut rich = account(index(place), portfolio_book(1));
        rich.cash = cash(1_000_000_000_000);
        rich
    }));
    World { state: State::new(snapshot).expect("a state"), ..world }
}

/// A pair in a market of 34 options of their book, and the world whose taker holds 0.001 of so
/// many.
fn slots(used: usize) -> (Pair, World, Vec<InstrumentIndex>) {
    let pair = Pair { market: market(68, 1), ..Pair::new(PLAIN, [[2_000, 0], [0, 0]], 500) };
    let own = pair.market.rows().keys().copied().filter(|k| k.underlying().get() == 1);
    let listed: Vec<_> = own.collect();
    let world = changed(pair.world(), TAKER, |taker| {
        for &instrument in &listed[34 - used..] {
            let book = taker.book.underlying;
            taker.positions.add(book, instrument, quantity(1)).expect("a free slot");
        }
    });
    (pair, world, listed)
}

#[test]
fn rejects_forced_reduction_in_its_answer_where_no_slot_of_the_counterparty_is_free() {
    for (used, refusal) in [(31, None), (32, Some(Refusal::Unavailable))] {
        let (pair, world, _) = slots(used);
        let trace = world.accepts("slots", &[pair.request()]);
        assert_eq!(answered(&trace), pair.answer(refusal), "{used}");
        let moved = row_of(&trace, TAKER).new.positions.count() - used;
        assert_eq!(moved, usize::from(refusal.is_none()), "{used}");
    }
    // The slot of the option itself is none that is free.
    let (pair, world, listed) = slots(31);
    let world = changed(world, TAKER, |taker| {
        taker.positions.add(taker.book.underlying, listed[0], quantity(1)).expect("the last slot");
    });
    let trace = world.accepts("its own slot", &[pair.request()]);
    assert_eq!(answered(&trace), pair.answer(Some(Refusal::Unavailable)));
}

#[test]
fn rejects_forced_reduction_in_its_answer_where_the_counterparty_has_another_book() {
    let pair = Pair { market: market(4, 1), ..Pair::new(PLAIN, [[2_000, 0], [0, 0]], 500) };
    let book = portfolio_book(2);
    let world = changed(pair.world(), TAKER, |taker| taker.book = book);
    let trace = world.accepts("another book", &[pair.request()]);
    assert_eq!(answered(&trace), pair.answer(Some(Refusal::Unavailable)));
    // Another method is no other book.
    honours("standard", &Pair::new([Portfolio, Standard], [[2_000, 0], [0, 0]], 500));
}

#[test]
fn rejects_forced_reduction_in_its_answer_for_the_first_of_all_reasons() {
    let mut pair = Pair::new(PLAIN, [[-2_000, 2_000], [0, 0]], 2_000).bearing(-1).leaving(-1);
    pair.giver.auction = auction(60, false, 0);
    pair.taker.auction = auction(5, false, 0);
    refuses("all three", &pair, Refusal::Unavailable);
    pair.taker.auction = None;
    refuses("two", &pair, Refusal::Account);
    pair = pair.leaving(0);
    refuses("one", &pair, Refusal::Counterparty);
    honours("none", &pair.bearing(0));
}

/// A micro-USDC that comes in, from L1 and from another account.
fn income(place: u32) -> [Operation; 2] {
    let deposited = deposit(index(place), portfolio_book(1), 1);
    [deposited, signed_move(index(2), Some(index(place)), 1, 0)]
}

#[test]
fn rejects_forced_reduction_when_cash_comes_in_that_makes_a_refusal_untrue() {
    let pair = Pair::new(PLAIN, [[2_000, -2_000], [0, 0]], 2_000);
    assert!(pair.left_e12() < pair.giver.excess_e12(&pair.market), "the hedge is worth something");
    let bearing = |e6| (TAKER, Refusal::Counterparty, pair.clone().bearing(e6));
    let leaving = |e6| (GIVER, Refusal::Account, pair.clone().leaving(e6));
    for [(place, refusal, at), (_, _, below)] in
        [[bearing(-1), bearing(-2)], [leaving(-1), leaving(-2)]]
    {
        for income in income(place) {
            let worlds = [&at, &below].map(|pair| changed(pair.world(), 2, |_| ()));
            let list = [at.request(), income.clone()];
            worlds[0].rejects(RULE, "could be honoured", &list);
            let trace = worlds[1].accepts("not enough", &list);
            assert_eq!(answered(&trace), pair.answer(Some(refusal)));
            let trace = worlds[0].accepts("before it", &[income, at.request()]);
            assert_eq!(answered(&trace), pair.answer(None));
        }
    }
}

#[test]
fn rejects_forced_reduction_of_the_operation_alone_that_makes_a_refusal_untrue() {
    let pair = Pair::new(PLAIN, [[2_000, 0], [0, 0]], 500).bearing(-1);
    let world = pair.world();
    let mut batch =
        Batch::new(&world.state, &world.market, world.shape, world.time).expect("fresh");
    batch.push(&[pair.request()]).expect("a refusal is an answer");
    let [deposited, _] = income(TAKER);
    assert_eq!(rule_of(batch.push(&[deposited])), Some(RULE));
    batch.push(&[deposit(index(GIVER), portfolio_book(1), 1)]).expect("it changes nothing");
    let (_, trace) = batch.seal().expect("without the deposit");
    assert_eq!(answered(&trace).refusal, Some(Refusal::Counterparty));
}

#[test]
fn rejects_forced_reduction_when_a_slot_becomes_free_that_makes_a_refusal_untrue() {
    let (pair, world, listed) = slots(32);
    let world = changed(world, 2, |_| ());
    let freed = forced_reduction(index(TAKER), listed[33], 1, index(2));
    world.rejects(RULE, "free later", &[pair.request(), freed.clone()]);
    let trace = world.accepts("free before", &[freed, pair.request()]);
    assert_eq!(answered(&trace), pair.answer(None));
}

#[test]
fn rejects_forced_reduction_of_a_refused_account_that_takes_contracts() {
    // Account 2 forces contracts on the giver, whose own request is refused, or honoured.
    let pair = Pair::new(PLAIN, [[2_000, 0], [0, 0]], 2_000);
    let other = forced_reduction(index(2), pair.first(), 7, index(GIVER));
    let world = |pair: &Pair| {
        changed(pair.world(), 2, |account| {
            let Book { underlying, .. } = account.book;
            account.positions.add(underlying, pair.first(), quantity(100)).expect("room");
        })
    };
    let refused = pair.clone().bearing(-1_000_000_000);
    for list in [[refused.request(), other.clone()], [other.clone(), refused.request()]] {
        world(&refused).rejects(RULE, "refused", &list);
    }
    let trace = world(&pair).accepts("honoured", &[pair.request(), other]);
    assert_eq!(held(row_of(&trace, GIVER), pair.first()).0, quantity(7));
}

#[test]
fn rejects_forced_reduction_in_its_answer_of_the_second_where_the_counterparty_bears_one() {
    let pair = Pair::new(PLAIN, [[2_000, 0], [0, 0]], 500).bearing(0);
    let world = changed(pair.world(), 2, |account| {
        account.positions.add(account.book.underlying, pair.first(), quantity(500)).expect("room");
    });
    let second = forced_reduction(index(2), pair.first(), 500, index(TAKER));
    let trace = world.accepts("both", &[second, pair.request()]);
    assert_eq!(answered(&trace), pair.answer(Some(Refusal::Counterparty)));
    assert_eq!(held(row_of(&trace, TAKER), pair.first()).0, quantity(500));
}

/// Half the room that margin has for a book leaves the other half for any contracts that may be
/// forced.
#[test]
fn rejects_forced_reduction_in_its_answer_where_one_of_both_takes_half_the_room_for_spreads() {
    for is_giver in [true, false] {
        let mut pair = Pair::new(PLAIN, [[2_000, 0], [0, 0]], 500);
        let losses: Vec<_> = pair.row().losses.iter().map(|loss| i128::from(*loss)).collect();
        let [least, most] =
            [losses.iter().min(), losses.iter().max()].map(|loss| *loss.expect("33"));
        let span = most.max(0) - least.min(0);
        let widest = i64::try_from(((1 << 51) - 1) / span).expect("40 bits");
        for held_e3 in [widest, widest + 1] {
            let party = if is_giver { &mut pair.giver } else { &mut pair.taker };
            (party.held_e3, party.cash_e6) = ([held_e3, 0], 1 << 61);
            if held_e3 == widest {
                honours("there is room", &pair);
            } else {
                refuses("there may be none", &pair, Refusal::Unavailable);
            }
        }
    }
}
