use super::super::auction_world::{
    auction, bid, bid_for_all, distressed_with, end, for_sale, insolvent, judged, paid_to,
    paid_to_fund, row_of, signed_bid, start,
};
use super::super::world::World;
use zkmargin_fixtures::build::auction::{Distress, bidder, debtor};
use zkmargin_fixtures::build::{deposit, portfolio_book};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::INSURANCE_FUND;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::bid::AuctionStep;

pub const RULE: Rule = Rule::Deficit;

fn count() -> Operation {
    Operation::CountDeficit(debtor())
}

/// What the debtor owes beyond what it has.
fn owed(distress: &Distress) -> i64 {
    let (_, margin) = judged(&distressed_with(distress, 0), debtor());
    i64::try_from(-margin.equity).expect("an amount")
}

#[test]
fn accepts_what_the_fund_has_first_and_counts_the_rest() {
    let owed = owed(&insolvent(9));
    assert!(owed > 1_000_000);
    for (fund_e6, cover) in
        [(0, 0), (1, 1), (owed - 1, owed - 1), (owed, owed), (owed + 1, owed), (2 * owed, owed)]
    {
        let world = distressed_with(&insolvent(9), fund_e6);
        let (next, trace) = world.play(&[count()]).expect("less than nothing");
        let row = row_of(&trace, 5);
        assert_eq!(row.step, Some(AuctionStep::Count { cover: cover.into() }), "{fund_e6}");
        assert_eq!([paid_to(&trace, debtor()), -paid_to_fund(&trace)], [cover.into(); 2]);
        let reserve = row.new.auction.expect("still in auction").reserve;
        assert_eq!(reserve.get(), owed - cover, "{fund_e6}");
        assert_eq!(next.custody().deficit(), i128::from(owed - cover));
        assert_eq!(trace.deficit_after, u64::try_from(owed - cover).expect("not below zero"));
        assert_eq!(next.custody().held(), world.state.custody().held());
    }
}

#[test]
fn rejects_deficit_of_accounts_that_have_equity_or_are_in_no_auction_without_it() {
    let at = |extra_e6, is_insolvent| {
        let auction = auction(9, is_insolvent, 0);
        let distress = Distress { equity_ppm: 0, extra_e6, auction, ..Distress::default() };
        distressed_with(&distress, 0)
    };
    at(-1, true).accepts("a micro-USDC owed", &[count()]);
    at(0, true).rejects(RULE, "nothing owed", &[count()]);
    at(1, true).rejects(RULE, "equity", &[count()]);
    at(-1, false).rejects(RULE, "an auction with equity", &[count()]);
    let none = Distress { equity_ppm: -200_000, ..Distress::default() };
    distressed_with(&none, 0).rejects(RULE, "no auction", &[count()]);
    distressed_with(&none, 0).rejects(RULE, "put up in the batch", &[start(), count()]);
}

#[test]
fn rejects_deficit_while_the_fund_has_a_micro_usdc_after_the_batch() {
    let world = distressed_with(&insolvent(9), 5);
    let fees = deposit(INSURANCE_FUND, portfolio_book(1), 1);
    world.accepts("all it has", &[fees.clone(), count()]);
    world.rejects(RULE, "one comes later", &[count(), fees.clone()]);
    let rich = distressed_with(&insolvent(9), owed(&insolvent(9)));
    rich.accepts("nothing counted", &[count(), fees]);
}

#[test]
fn accepts_counts_that_follow_equity_and_end_with_the_auction_or_a_start_anew() {
    let world = distressed_with(&insolvent(9), 0);
    let (state, trace) = world.play(&[count()]).expect("a debt");
    let counted = state.custody().deficit();
    assert_eq!(counted, -trace.accounts[1].margin.equity);
    let world = World { state, ..world };
    // Cash comes in: counted anew, less is missing; with enough of it the auction starts anew and
    // nothing is.
    let paid = |amount| deposit(debtor(), portfolio_book(1), amount);
    let (state, _) = world.play(&[paid(7)]).expect("a deposit");
    assert_eq!(state.custody().deficit(), counted, "until it is counted again");
    let (state, _) = World { state, ..distressed_with(&insolvent(9), 0) }
        .play(&[count()])
        .expect("counted again");
    assert_eq!(state.custody().deficit(), counted - 7);
    let enough = i64::try_from(counted).expect("an amount") + 1;
    let (state, _) = world.play(&[paid(enough)]).expect("a deposit");
    let healed = World { state, ..distressed_with(&insolvent(9), 0) };
    let (state, _) = healed.play(&[start()]).expect("equity has changed its sign");
    assert_eq!(state.custody().deficit(), 0);
    // The fund gets enough to pay for all: the count stands until the auction ends.
    let rich = deposit(INSURANCE_FUND, portfolio_book(1), 5_000_000_000_000);
    let (state, _) = world.play(&[rich]).expect("a deposit");
    let (state, _) = World { state, ..distressed_with(&insolvent(9), 0) }
        .play(&[bid_for_all()])
        .expect("a bid for all");
    assert_eq!(state.custody().deficit(), counted);
    let (state, _) = World { state, ..distressed_with(&insolvent(9), 0) }
        .play(&[end()])
        .expect("nothing is left");
    assert_eq!(state.custody().deficit(), 0);
}

#[test]
fn accepts_a_bid_for_a_part_and_keeps_the_count() {
    let fund_e6 = owed(&insolvent(9));
    let (state, _) = distressed_with(&insolvent(9), 0).play(&[count()]).expect("a debt");
    let counted = state.custody().deficit();
    let rich = deposit(INSURANCE_FUND, portfolio_book(1), fund_e6);
    let world = World { state, ..distressed_with(&insolvent(9), 0) };
    let part = signed_bid(bidder(), bid([0, 500_000], i64::MAX), 0);
    let (state, trace) = world.play(&[rich, part]).expect("half of all");
    assert!(paid_to_fund(&trace) < i128::from(fund_e6), "the fund has paid");
    assert_eq!(state.custody().deficit(), counted, "a bid for a part lets nobody out whole");
}

#[test]
fn rejects_auction_phase_of_a_count_as_a_second_step() {
    let world = distressed_with(&insolvent(9), 0);
    world.rejects(Rule::AuctionPhase, "twice", &[count(), count()]);
    distressed_with(&for_sale(9), 0).rejects(RULE, "equity", &[count()]);
}
