use std::collections::BTreeMap;

use super::super::world::{BUYER, SELLER, World, cash, index, price, quantity, rule_of, time};
use zkmargin_fixtures::build::{
    NOW_S, OrderDraft, account, deposit, market_of, portfolio_book, random_case, risk_rows, settle,
    settled, signed_move, state, trade,
};
use zkmargin_fixtures::forge::forgeries;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::margin::MarginMethod;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::market::risk_row::RiskRow;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::units::{Cash, InstrumentIndex, Quantity};

pub const RULE: Rule = Rule::Settlement;

/// The expiry of settled rows.
const EXPIRY_S: u64 = NOW_S - 100;

/// The world with the first option settled at this payoff; trader 2 holds two contracts of it.
fn settled_at(payoff_e3: u32) -> World {
    let mut rows = risk_rows(2, 1);
    let row = rows.values_mut().next().expect("two rows");
    *row = RiskRow { mark: price(payoff_e3), ..settled(row.clone()) };
    World::of(market_of(&rows))
}

fn due() -> Operation {
    settle(index(BUYER), time(EXPIRY_S))
}

/// Cash and positions of an account after the batch.
fn after(trace: &BatchTrace, account: u32) -> (i64, usize) {
    let row = trace.accounts.iter().find(|row| row.index == index(account)).expect("touched");
    (row.new.cash.get(), row.new.positions.count())
}

#[test]
fn accepts_every_way_to_touch_an_account_and_pays_once() {
    let before = 1_000_000_000_000;
    let book = portfolio_book(1);
    for payoff_e3 in [0, 1, 12_345_678] {
        let world = settled_at(payoff_e3);
        let paid = before + 2_000 * i64::from(payoff_e3);
        assert_eq!(after(&world.accepts("settle", &[due()]), BUYER), (paid, 0));
        let deposited = [deposit(index(BUYER), book, 5)];
        assert_eq!(after(&world.accepts("deposit", &deposited), BUYER), (paid + 5, 0));
        let received = [signed_move(index(SELLER), Some(index(BUYER)), 7, 0)];
        assert_eq!(after(&world.accepts("receive", &received), BUYER), (paid + 7, 0));
        let sent = [signed_move(index(BUYER), None, 9, 0)];
        assert_eq!(after(&world.accepts("withdraw", &sent), BUYER), (paid - 9, 0));
        let live = world.market.rows().values().nth(1).expect("two rows");
        let mut draft = OrderDraft::fair(live, 1);
        draft.fees = [price(0); 2];
        let traded = [trade(&draft, [BUYER, SELLER].map(index), [0, 0])];
        let cost = i64::from(live.mark.get());
        assert_eq!(after(&world.accepts("trade", &traded), BUYER), (paid - cost, 1));
        // All of them in one batch settle once, and so do two batches.
        let list = [due(), deposited[0].clone(), received[0].clone(), sent[0].clone()];
        assert_eq!(after(&world.accepts("all", &list), BUYER), (paid + 5 + 7 - 9, 0));
        let (next, _) = world.play(&[due()]).expect("due");
        let again = World { state: next, ..settled_at(payoff_e3) };
        assert_eq!(after(&again.accepts("again", &deposited), BUYER), (paid + 5, 0));
        again.rejects(RULE, "settled before", &[due()]);
    }
}

#[test]
fn rejects_settlement_of_what_is_not_due() {
    let world = settled_at(5);
    world.rejects(RULE, "another expiry", &[settle(index(BUYER), time(EXPIRY_S + 1))]);
    world.rejects(RULE, "an account without positions", &[settle(index(SELLER), time(EXPIRY_S))]);
    world.rejects(RULE, "twice in a batch", &[due(), due()]);
    let touched = deposit(index(BUYER), portfolio_book(1), 5);
    world.rejects(RULE, "settled by a deposit", &[touched, due()]);
    let missing = settle(index(77), time(EXPIRY_S));
    world.rejects(Rule::AccountExists, "no account", &[missing]);
    let live = World::new();
    let expiry = live.market.rows().values().next().expect("two rows").spec.expiry;
    live.rejects(RULE, "a live option", &[settle(index(BUYER), expiry)]);
    // Expired, but the price is not there yet: the account waits.
    let mut rows = risk_rows(2, 1);
    rows.values_mut().next().expect("two rows").spec.expiry = time(EXPIRY_S);
    let waiting = World::of(market_of(&rows));
    waiting.rejects(RULE, "no settlement price", &[due()]);
    let touched = [deposit(index(BUYER), portfolio_book(1), 5)];
    waiting.rejects(Rule::InstrumentLive, "no settlement price", &touched);
}

/// A book of one settled option, `held` contracts of it at `payoff_e3`, with this cash.
fn holding(method: MarginMethod, held: i64, payoff_e3: u32, cash_e6: i64) -> World {
    let mut book = portfolio_book(1);
    book.method = method;
    let world = settled_at(payoff_e3);
    let instrument = *world.market.rows().keys().next().expect("two rows");
    let mut holder = account(index(5), book);
    holder.positions.add(book.underlying, instrument, quantity(held)).expect("a free slot");
    holder.cash = cash(cash_e6);
    let state = state(BTreeMap::from([(index(5), holder)]), 4, &world.market);
    World { state, ..world }
}

#[test]
fn accepts_debts_that_cash_covers_and_leaves_short_writers_no_worse() {
    let settled = [settle(index(5), time(EXPIRY_S))];
    let withdrawn = [signed_move(index(5), None, 1, 0)];
    for method in [MarginMethod::Portfolio, MarginMethod::Standard] {
        // Three contracts short at 7 USDC: 21 USDC to pay.
        let covered = holding(method, -3_000, 7_000, 21_000_000);
        assert_eq!(after(&covered.accepts("covered", &settled), 5), (0, 0));
        covered.rejects(Rule::InitialMargin, "nothing left", &withdrawn);
        let lacking = holding(method, -3_000, 7_000, 20_999_999);
        let trace = lacking.accepts("lacking", &settled);
        assert_eq!(after(&trace, 5), (-1, 0));
        let row = &trace.accounts[0];
        assert!(row.old_margin.as_ref().is_some_and(|old| old.equity == -1));
        lacking.rejects(Rule::RiskReduction, "worse", &withdrawn);
        let spare = holding(method, 3_000, 7_000, 0);
        assert_eq!(after(&spare.accepts("paid out", &withdrawn), 5), (20_999_999, 0));
    }
}

#[test]
fn rejects_range_of_payments_beyond_the_width_of_cash() {
    let largest = Quantity::MAX.get();
    let value = largest * i64::from(u32::MAX / 1_024);
    for (spare, rule) in [(0, None), (1, Some(Rule::Range))] {
        let at = Cash::MAX.get() - value + spare;
        let world = holding(MarginMethod::Portfolio, largest, u32::MAX / 1_024, at);
        let played = world.play(&[settle(index(5), time(EXPIRY_S))]);
        assert_eq!(rule_of(played), rule, "{spare}");
    }
}

/// What is settled, summed again from the rows of a batch by the definition.
fn is_settled_whole(trace: &BatchTrace) -> bool {
    let row_of = |instrument: InstrumentIndex| trace.risk_row(instrument);
    trace.accounts.iter().all(|account| {
        let old = account.old.iter().flat_map(|old| old.positions.iter());
        let is_over = |instrument| row_of(instrument).is_some_and(|row| row.is_settled);
        let over: Vec<_> = old.filter(|slot| is_over(slot.0)).collect();
        let paid: i128 = over
            .iter()
            .map(|(i, q)| {
                i128::from(q.get()) * i128::from(row_of(*i).expect("in the batch").mark.get())
            })
            .sum();
        let all = over.iter().map(|slot| slot.0).eq(account.settlement.instruments.iter().copied());
        let left = account.new.positions.iter().any(|slot| is_over(slot.0));
        account.settlement.cash == paid && all && !left
    })
}

#[test]
fn accepts_random_batches_and_rejects_settlement_of_forged_ones() {
    let mut settled = 0;
    for seed in 0..60 {
        let trace = random_case(seed, Shape::TINY).trace;
        settled += trace.accounts.iter().filter(|row| !row.settlement.is_empty()).count();
        assert!(is_settled_whole(&trace), "seed {seed}");
    }
    assert!(settled > 5, "{settled} accounts were settled");
    let forged: Vec<_> = forgeries().into_iter().filter(|f| f.rule == RULE).collect();
    assert!(forged.len() >= 4, "kept, overpaid, paid and kept, live");
    for forgery in forged {
        assert!(!is_settled_whole(&forgery.trace), "{}", forgery.what);
    }
}

#[test]
fn accepts_the_second_of_expiry_and_rejects_instrument_live_of_rows_settled_early() {
    for (expiry_s, rule) in
        [(NOW_S - 1, None), (NOW_S, None), (NOW_S + 1, Some(Rule::InstrumentLive))]
    {
        let mut rows = risk_rows(2, 1);
        let row = rows.values_mut().next().expect("two rows");
        *row = settled(row.clone());
        row.spec.expiry = time(expiry_s);
        let world = World::of(market_of(&rows));
        let batch = Batch::new(&world.state, &world.market, world.shape, world.time);
        let pushed = batch.expect("fresh").push(&[deposit(index(BUYER), portfolio_book(1), 5)]);
        assert_eq!(rule_of(pushed), rule, "{expiry_s}");
    }
}

#[test]
fn rejects_instrument_live_of_trades_in_a_settled_option() {
    let world = settled_at(5_000_000);
    world.rejects(Rule::InstrumentLive, "settled", &world.drafted(|_| ()));
}
