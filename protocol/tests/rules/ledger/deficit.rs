use super::super::auction_world::{
    auction, bid, bid_for_all, distressed_with, end, insolvent, judged, paid_to, paid_to_fund,
    row_of, signed_bid, start,
};
use super::super::world::{BUYER, World, cash, index, price, rule_of};
use zkmargin_fixtures::build::auction::{Distress, bidder, debtor};
use zkmargin_fixtures::build::{deposit, market_of, portfolio_book, risk_rows, withdrawal};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::INSURANCE_FUND;
use zkmargin_protocol::account::auction::Auction;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::custody::Custody;

pub const RULE: Rule = Rule::Deficit;

fn count() -> Operation {
    Operation::CountDeficit(debtor())
}

/// What the debtor owes beyond what it has.
fn owed(distress: &Distress) -> i64 {
    let (_, margin) = judged(&distressed_with(distress, 0), debtor());
    i64::try_from(-margin.equity).expect("an amount")
}

/// The world a batch later.
fn after(world: &World, operations: &[Operation]) -> World {
    let (state, _) = world.play(operations).unwrap_or_else(|reject| panic!("{reject}"));
    World { state, market: world.market.clone(), ..World::new() }
}

#[test]
fn accepts_a_count_that_moves_no_cash_whatever_the_fund_has() {
    let owed = owed(&insolvent(9));
    assert!(owed > 1_000_000);
    for fund_e6 in [0, 1, owed - 1, owed, 2 * owed] {
        let world = distressed_with(&insolvent(9), fund_e6);
        let (next, trace) = world.play(&[count()]).expect("less than nothing");
        let row = row_of(&trace, 5);
        assert_eq!(trace.accounts.len(), 1, "nobody else is touched");
        assert_eq!(paid_to(&trace, debtor()), 0);
        assert_eq!(row.new.auction.expect("still in auction").reserve.get(), owed);
        assert_eq!(next.custody().deficit(), i128::from(owed));
        assert_eq!(trace.deficit_after, u64::try_from(owed).expect("not below zero"));
        assert_eq!(next.custody().held(), world.state.custody().held());
    }
}

#[test]
fn accepts_counts_of_any_equity_and_rejects_deficit_where_no_auction_started_without() {
    let at = |extra_e6, is_insolvent, counted_e6| {
        let auction = auction(9, is_insolvent, counted_e6);
        let distress = Distress { equity_ppm: 0, extra_e6, auction, ..Distress::default() };
        distressed_with(&distress, 0)
    };
    for (extra_e6, deficit) in [(-7, 7), (-1, 1), (0, 0), (1, 0), (1_000_000_000, 0)] {
        for counted_e6 in [0, 5, 1 << 50] {
            let next = after(&at(extra_e6, true, counted_e6), &[count()]);
            assert_eq!(next.state.custody().deficit(), deficit, "{extra_e6} {counted_e6}");
        }
    }
    at(-1, false, 0).rejects(RULE, "an auction with equity", &[count()]);
    let none = Distress { equity_ppm: -200_000, ..Distress::default() };
    distressed_with(&none, 0).rejects(RULE, "no auction", &[count()]);
    distressed_with(&none, 0).rejects(RULE, "put up in the batch", &[start(), count()]);
}

#[test]
fn accepts_what_is_owed_after_the_batch_of_a_start_a_deposit_and_a_bid() {
    let none = Distress { auction: None, ..insolvent(9) };
    let owed = owed(&none);
    let world = distressed_with(&none, 0);
    let paid = |amount| deposit(debtor(), portfolio_book(1), amount);
    // What is owed counts from the first batch in which it is known, and follows what comes in.
    assert_eq!(after(&world, &[start()]).state.custody().deficit(), owed.into());
    for list in [[start(), paid(7)], [paid(7), start()]] {
        assert_eq!(after(&world, &list).state.custody().deficit(), i128::from(owed - 7));
    }
    let counted = after(&world, &[start()]);
    let less = after(&counted, &[paid(7)]);
    assert_eq!(less.state.custody().deficit(), i128::from(owed - 7), "without a count");
    for amount in [owed, owed + 5] {
        let healed = after(&counted, &[paid(amount)]);
        assert_eq!(healed.state.custody().deficit(), 0, "{amount}");
    }
    // Equity above zero: the auction starts anew, and its reserve is no deficit.
    let healed = after(&after(&counted, &[paid(owed + 5)]), &[start()]);
    assert_eq!(healed.state.custody().deficit(), 0);
    let old = healed.state.account(debtor()).expect("the debtor").auction.expect("in auction");
    assert!(!old.is_insolvent && old.reserve == cash(0));
    // A bidder takes half, then the rest; then the auction ends.
    let rich = deposit(INSURANCE_FUND, portfolio_book(1), 5_000_000_000_000);
    let funded = after(&counted, &[rich]);
    let part = signed_bid(bidder(), bid([0, 500_000], i64::MAX), 0);
    let (state, trace) = funded.play(&[part]).expect("half of all");
    assert!(paid_to_fund(&trace) < 0, "the fund has paid");
    assert_eq!(state.custody().deficit(), -row_of(&trace, 5).margin.equity);
    assert!(state.custody().deficit() < i128::from(owed), "half of it has been taken over");
    let sold = after(&funded, &[bid_for_all()]);
    assert_eq!(sold.state.custody().deficit(), 0);
    assert_eq!(after(&sold, &[end()]).state.custody().deficit(), 0);
}

#[test]
fn accepts_equity_as_wide_as_a_deficit_and_rejects_range_beyond() {
    let at = |cash_e6| {
        let none = Distress { held_e3: [0; 2], auction: auction(9, true, 0), ..insolvent(9) };
        let world = distressed_with(&none, 0);
        let mut snapshot = world.state.snapshot();
        snapshot.accounts.get_mut(&debtor()).expect("the debtor").cash = cash(cash_e6);
        World { state: State::new(snapshot).expect("a state"), ..world }
    };
    for (cash_e6, deficit) in [(i64::MIN + 1, i64::MAX), (i64::MAX, 0)] {
        let next = after(&at(cash_e6), &[count()]);
        assert_eq!(next.state.custody().deficit(), i128::from(deficit));
    }
    at(i64::MIN).rejects(Rule::Range, "2^63", &[count()]);
}

#[test]
fn rejects_deficit_of_more_than_63_bits_in_all() {
    let world = distressed_with(&insolvent(9), 0);
    let room = i128::from(i64::MAX) - i128::from(owed(&insolvent(9)));
    let counting = |others: i128| {
        let custody = Custody::new(1 << 60, others).expect("63 bits");
        let state = State::new(Snapshot { custody, ..world.state.snapshot() }).expect("a state");
        World { state, market: world.market.clone(), ..World::new() }
    };
    let next = after(&counting(room), &[count()]);
    assert_eq!(next.state.custody().deficit(), i128::from(i64::MAX));
    counting(room + 1).rejects(RULE, "one more", &[count()]);
    assert_eq!(rule_of(Custody::new(0, -1)), Some(RULE));
}

#[test]
fn rejects_auction_phase_of_a_count_as_a_second_step() {
    let world = distressed_with(&insolvent(9), 0);
    world.rejects(Rule::AuctionPhase, "twice", &[count(), count()]);
    world.rejects(Rule::AuctionPhase, "with a bid", &[count(), bid_for_all()]);
}

/// The debtor's options at other marks: it is short of both.
fn marked(permille: u32) -> World {
    let mut rows = risk_rows(2, 1);
    for row in rows.values_mut() {
        row.mark = price(row.mark.get() / 1_000 * permille);
    }
    World { market: market_of(&rows), ..World::new() }
}

#[test]
fn accepts_a_wick_and_back_from_which_nobody_gains() {
    let steady = marked(1_000);
    let fund_e6 = 50_000_000_000;
    let own = Distress { equity_ppm: 1_500_000, ..Distress::default() };
    let state = own.state(&steady.market, fund_e6);
    let equity = |world: &World| judged(world, debtor()).1.equity;
    let funds = |state: &State| state.account(INSURANCE_FUND).expect("it exists").cash.get();
    let before = World { state: state.clone(), ..marked(1_000) };
    let mut fees = Vec::new();
    for deep in [30_000, 40_000, 50_000] {
        // Below maintenance margin, then below zero, counted again and again.
        let permille = (1_100..20_000).step_by(100).find(|&permille| {
            let world = World { state: state.clone(), ..marked(permille) };
            world.play(&[start()]).is_ok()
        });
        let falling = marked(permille.expect("a move that starts an auction"));
        let mut now = state.clone();
        for (world, list) in [
            (&falling, [start()]),
            (&marked(deep), [start()]),
            (&marked(deep), [count()]),
            (&marked(deep), [count()]),
        ] {
            let world = World { state: now, market: world.market.clone(), ..World::new() };
            (now, _) = world.play(&list).unwrap_or_else(|reject| panic!("{deep}: {reject}"));
        }
        let low = World { state: now.clone(), ..marked(deep) };
        assert!(equity(&low) < 0, "{deep}");
        assert_eq!(now.custody().deficit(), -equity(&low), "{deep}");
        // Back again: one count and nothing is missing.
        let back = World { state: now, ..marked(1_000) };
        let none = after(&back, &[count()]);
        assert_eq!(none.state.custody().deficit(), 0, "{deep}");
        let healed = after(&back, &[end()]);
        let fee = funds(&healed.state) - fund_e6;
        assert!(fee > 0, "the start with equity has a fee");
        assert_eq!(equity(&before) - equity(&healed), i128::from(fee), "{deep}");
        assert_eq!(healed.state.custody(), state.custody(), "{deep}");
        fees.push(fee);
    }
    assert!(fees.iter().all(|fee| *fee == fees[0]), "whatever the depth: {fees:?}");
}

/// Three accounts owe 60, 80 and 40, three others have 250, 600 and 150, the fund 100, in USDC.
fn shared_world() -> (World, [i64; 3]) {
    let usdc = 1_000_000;
    let world = World::new();
    let mut snapshot = world.state.snapshot();
    let blank = |account: u32| zkmargin_fixtures::build::account(index(account), portfolio_book(1));
    let owing =
        |owed_e6: i64| Auction { reserve: cash(owed_e6), ..auction(9, true, 0).expect("one") };
    snapshot.accounts.clear();
    let claims = [250 * usdc, 600 * usdc, 150 * usdc];
    for (account, has_e6) in (BUYER..).zip(claims) {
        let mut rich = blank(account);
        rich.cash = cash(has_e6);
        snapshot.accounts.insert(index(account), rich);
    }
    for (account, owed_e6) in (10..).zip([60 * usdc, 80 * usdc, 40 * usdc]) {
        let mut poor = blank(account);
        (poor.cash, poor.auction) = (cash(-owed_e6), Some(owing(owed_e6)));
        snapshot.accounts.insert(index(account), poor);
    }
    let mut fund = zkmargin_fixtures::build::account(INSURANCE_FUND, portfolio_book(1));
    fund.cash = cash(100 * usdc);
    snapshot.accounts.insert(INSURANCE_FUND, fund);
    snapshot.specs.clear();
    let total = |usdc_in_all: i64| i128::from(usdc_in_all * usdc);
    snapshot.custody = Custody::new(total(920), total(180)).expect("totals");
    (World { state: State::new(snapshot).expect("a state"), ..world }, claims)
}

#[test]
fn accepts_the_same_share_in_every_order_and_in_one_batch() {
    let (world, claims) = shared_world();
    let all = |place: usize| {
        let from = index(BUYER + u32::try_from(place).expect("three"));
        withdrawal(from, claims[place], 0, 0)
    };
    let paid = |next: &State, world: &World| {
        (world.state.custody().held() - next.custody().held()) / 1_000_000
    };
    let expected = [230, 552, 138];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut state = world.state.clone();
        for place in order {
            let world = World { state, ..World::new() };
            let (next, trace) = world.play(&[all(place)]).expect("a share");
            assert_eq!(paid(&next, &world), expected[place], "{order:?}");
            assert_eq!(row_of(&trace, 0).index, INSURANCE_FUND, "its row is opened");
            state = next;
        }
        assert_eq!(state.custody().held(), 0, "{order:?}");
        // What stays pays for all that is owed.
        let fund = state.account(INSURANCE_FUND).expect("it exists");
        assert_eq!(i128::from(fund.cash), state.custody().deficit());
        let world = World { state: world.state.clone(), ..World::new() };
        let (next, trace) = world.play(&order.map(all)).expect("in one batch");
        assert_eq!((paid(&next, &world), trace.missing), (920, 80_000_000));
        assert_eq!(next.root(), state.root(), "the same accounts");
    }
}

#[test]
fn accepts_a_recount_in_the_batch_of_the_withdrawals_whatever_comes_first() {
    let (world, _) = shared_world();
    let asked = withdrawal(index(BUYER), 250_000_000, 0, 0);
    let brought = deposit(index(10), portfolio_book(1), 60_000_000);
    for list in [[asked.clone(), brought.clone()], [brought, asked]] {
        let (next, trace) = world.play(&list).expect("less is missing");
        // 980 on L1 and 120 owed, of which the fund pays 100.
        assert_eq!(trace.missing, 20_000_000);
        let left = 250_000_000_i128 * 980 / 1_000;
        assert_eq!(next.custody().held(), 980_000_000 - left);
    }
}
