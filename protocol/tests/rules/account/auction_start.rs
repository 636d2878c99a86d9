use super::super::auction_world::{
    METHODS, MILLION, auction, bid_for_all, ceil, distressed, distressed_with, judged, paid_to,
    paid_to_fund, row_of, shortfall_e18, start,
};
use super::super::world::{index, rule_of};
use zkmargin_fixtures::build::auction::{Distress, bidder, debtor};
use zkmargin_fixtures::build::{deposit, now, portfolio_book, state};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::INSURANCE_FUND;
use zkmargin_protocol::account::auction::{self, Auction};
use zkmargin_protocol::account::margin::MarginMethod;
use zkmargin_protocol::market::auction_parameters::AuctionParameters;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::bid::AuctionStep;
use zkmargin_protocol::value::units::{Cash, Time};

pub const RULE: Rule = Rule::AuctionStart;

const BOOKS: [[i64; 2]; 4] = [[-1_234, -4_321], [-1_234, 700], [-1_000, 1_000], [0, -1]];

#[test]
fn accepts_equity_one_micro_usdc_below_maintenance_margin_and_rejects_auction_start_at_it() {
    for method in METHODS {
        for held_e3 in BOOKS {
            let what = format!("{method:?} {held_e3:?}");
            let at = |extra_e6| {
                let equity_ppm = 1_000_000;
                distressed(&Distress { method, held_e3, equity_ppm, extra_e6, auction: None })
            };
            let (_, margin) = judged(&at(0), debtor());
            assert_eq!(margin.equity, margin.maintenance, "{what}");
            at(0).rejects(RULE, &what, &[start()]);
            at(1).rejects(RULE, &what, &[start()]);
            at(-1).accepts(&what, &[start()]);
        }
    }
}

#[test]
fn rejects_auction_start_of_accounts_without_a_requirement_that_owe_nothing() {
    // Nothing held: equity is the cash, margin is none.
    let owing = |extra_e6| {
        let held_e3 = [0, 0];
        distressed(&Distress { held_e3, extra_e6, ..Distress::default() })
    };
    owing(0).rejects(RULE, "nothing", &[start()]);
    owing(1).rejects(RULE, "a micro-USDC", &[start()]);
    let trace = owing(-1).accepts("a debt", &[start()]);
    let auction = row_of(&trace, 5).new.auction;
    assert_eq!(
        auction,
        Some(Auction { start: now(), is_insolvent: true, reserve: Cash::default() })
    );
}

#[test]
fn rejects_auction_start_of_the_insurance_fund() {
    let mut world = distressed(&Distress::default());
    let drowned = Distress::default().account(&world.market);
    let accounts = [INSURANCE_FUND, debtor()].map(|index| (index, drowned.clone()));
    world.state = state(accounts.into(), 4, &world.market);
    world.accepts("an account like the fund", &[start()]);
    world.rejects(RULE, "the fund", &[Operation::StartAuction(INSURANCE_FUND)]);
}

#[test]
fn rejects_account_exists_of_accounts_that_the_batch_did_not_find() {
    let world = distressed(&Distress::default());
    let put_up = Operation::StartAuction(index(7));
    world.rejects(Rule::AccountExists, "none", std::slice::from_ref(&put_up));
    let opened = deposit(index(7), portfolio_book(1), 5);
    world.rejects(Rule::AccountExists, "opened here", &[opened, put_up]);
    world.rejects(RULE, "a healthy one", &[Operation::StartAuction(bidder())]);
}

#[test]
fn accepts_what_the_batch_finds_not_what_it_brings() {
    let world = distressed(&Distress::default());
    let enough = deposit(debtor(), portfolio_book(1), 10_000_000_000_000);
    let fee = paid_to_fund(&world.accepts("found short", &[start()]));
    for list in [[start(), enough.clone()], [enough.clone(), start()]] {
        assert_eq!(paid_to_fund(&world.accepts("healed by the batch", &list)), fee);
    }
    let (state, _) = world.play(&[enough]).expect("a deposit");
    super::super::world::World { state, ..world }.rejects(RULE, "found whole", &[start()]);
}

#[test]
fn accepts_the_fee_on_what_would_be_sold_without_discount() {
    let mut paid = 0;
    for method in METHODS {
        for equity_ppm in [1, 50_000, 600_000, 999_999] {
            let world = distressed(&Distress { method, equity_ppm, ..Distress::default() });
            let (account, margin) = judged(&world, debtor());
            let shortfall = shortfall_e18(&world, &account, &margin);
            // The least whole share f with f·(N + E) ≥ N, and a tenth of f·E rounded down.
            let sold = ceil(shortfall * MILLION, shortfall + margin.equity * MILLION * MILLION);
            let fee = margin.equity * sold * 100_000 / (MILLION * MILLION);
            let trace = world.accepts("below maintenance margin", &[start()]);
            assert_eq!(row_of(&trace, 5).step, Some(AuctionStep::Start { fee }));
            assert_eq!([paid_to_fund(&trace), paid_to(&trace, debtor())], [fee, -fee]);
            assert!(fee * 10 <= margin.equity, "no more than a tenth of equity");
            paid += fee;
        }
    }
    assert!(paid > 1_000_000_000, "{paid} of fees");
    for equity_ppm in [0, -1, -500_000] {
        let world = distressed(&Distress { equity_ppm, ..Distress::default() });
        assert_eq!(paid_to_fund(&world.accepts("nothing left", &[start()])), 0);
    }
}

#[test]
fn accepts_a_start_anew_when_equity_has_changed_its_sign_and_takes_no_second_fee() {
    let sides = [(600_000, false), (1, false), (0, true), (-1, true), (-200_000, true)];
    for (equity_ppm, is_insolvent) in sides {
        for was_insolvent in [false, true] {
            let what = format!("{equity_ppm} {was_insolvent}");
            let auction = auction(500, was_insolvent, if was_insolvent { 0 } else { 77 });
            let world = distressed(&Distress { equity_ppm, auction, ..Distress::default() });
            if was_insolvent == is_insolvent {
                world.rejects(RULE, &what, &[start()]);
                continue;
            }
            let trace = world.accepts(&what, &[start()]);
            let row = row_of(&trace, 5);
            assert_eq!(row.step, Some(AuctionStep::Start { fee: 0 }), "{what}");
            // What bids have paid before is for sale again.
            let anew = Auction { start: now(), is_insolvent, reserve: Cash::default() };
            assert_eq!(row.new.auction, Some(anew), "{what}");
            assert_eq!([paid_to_fund(&trace), paid_to(&trace, debtor())], [0, 0], "{what}");
        }
    }
}

#[test]
fn accepts_a_start_anew_above_maintenance_margin() {
    // It was insolvent and is whole again: it may start anew, or end.
    let auction = auction(500, true, 0);
    let world = distressed(&Distress { equity_ppm: 3_000_000, auction, ..Distress::default() });
    world.accepts("whole", &[start()]);
    world.accepts("whole", &[super::super::auction_world::end()]);
}

#[test]
fn rejects_auction_phase_of_a_second_start_and_of_a_bid_in_the_batch_of_the_start() {
    let world = distressed_with(&Distress::default(), 0);
    world.rejects(Rule::AuctionPhase, "twice", &[start(), start()]);
    world.rejects(Rule::AuctionPhase, "a bid", &[start(), bid_for_all()]);
    let method = MarginMethod::Standard;
    let world = distressed_with(&Distress { method, ..Distress::default() }, 0);
    world.accepts("once, of an empty fund", &[start()]);
}

#[test]
fn rejects_range_of_an_auction_that_would_start_at_time_0() {
    // A start of 0 is how a leaf says that there is no auction.
    let (_, margin) = judged(&distressed(&Distress::default()), debtor());
    let parameters = AuctionParameters::reference();
    let at = |seconds| {
        let time = Time::new(seconds).expect("40 bits");
        auction::start(None, &margin, &parameters, time)
    };
    assert_eq!(rule_of(at(0)), Some(Rule::Range));
    assert_eq!(at(1).expect("the first second").auction.start.get(), 1);
}
