use super::super::auction_world::{
    METHODS, auction, bid, bid_for_all, distressed, end, for_sale, insolvent, signed_bid, start,
};
use super::super::world::{World, index};
use zkmargin_fixtures::build::auction::{Distress, bidder, debtor};
use zkmargin_fixtures::build::{
    OrderDraft, cancel_all, deposit, portfolio_book, rekey, signed_move, trade,
};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::auction::Auction;
use zkmargin_protocol::account::margin::MarginMethod;
use zkmargin_protocol::account::{Book, INSURANCE_FUND};
use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::units::AccountIndex;

pub const RULE: Rule = Rule::Frozen;

/// Everything the debtor can sign, each with nonce 0.
fn everything_signed(world: &World) -> Vec<(&'static str, Operation)> {
    everything_of(debtor(), world)
}

/// Everything an account can sign, each with nonce 0.
fn everything_of(account: AccountIndex, world: &World) -> Vec<(&'static str, Operation)> {
    let row = world.market.rows().values().next().expect("two rows");
    let draft = OrderDraft::fair(row, 1);
    vec![
        ("a purchase", trade(&draft, [account, bidder()], [0, 0])),
        ("a sale", trade(&draft, [bidder(), account], [0, 0])),
        ("a withdrawal", signed_move(account, None, 1, 0)),
        ("a transfer", signed_move(account, Some(bidder()), 1, 0)),
        ("new keys", rekey(account, index(9), 0)),
        ("a cancel-all", cancel_all(account, 64, 0)),
        ("a bid for itself", signed_bid(account, bid([0, 1_000_000], i64::MAX), 0)),
    ]
}

#[test]
fn rejects_frozen_of_everything_an_account_in_auction_signs() {
    for distress in [for_sale(0), for_sale(50_000), insolvent(10)] {
        let world = distressed(&distress);
        for (what, signed) in everything_signed(&world) {
            world.rejects(RULE, what, &[signed]);
        }
    }
}

fn book_of(method: MarginMethod) -> Book {
    Book { method, ..portfolio_book(1) }
}

/// A debtor in no auction with this share of its maintenance margin.
fn debtor_with(method: MarginMethod, equity_ppm: i64, extra_e6: i64) -> World {
    distressed(&Distress { method, equity_ppm, extra_e6, ..Distress::default() })
}

#[test]
fn rejects_frozen_of_what_an_account_below_maintenance_signs_unless_that_cures_it() {
    for method in METHODS {
        for (equity_ppm, extra_e6) in [(600_000, 0), (1_000_000, -1), (-200_000, 0)] {
            let world = debtor_with(method, equity_ppm, extra_e6);
            let keys = rekey(debtor(), debtor(), 0);
            let orders = cancel_all(debtor(), 64, 0);
            for signed in [&keys, &orders] {
                let signed = std::slice::from_ref(signed);
                world.rejects(RULE, "signed below maintenance", signed);
            }
            // Whoever puts the money in may do it in any order.
            let cure = deposit(debtor(), book_of(method), 1_000_000_000_000);
            world.accepts("cured first", &[cure.clone(), keys.clone()]);
            world.accepts("cured after", &[keys, cure]);
            let drop = deposit(debtor(), book_of(method), 1);
            world.accepts("nothing is signed", std::slice::from_ref(&drop));
            world.rejects(RULE, "and still short", &[drop, orders]);
        }
    }
}

#[test]
fn accepts_what_an_account_at_maintenance_signs_while_it_is_short_of_initial_margin() {
    for method in METHODS {
        let world = debtor_with(method, 1_000_000, 1);
        let trace = world.accepts("new keys", &[rekey(debtor(), index(9), 0)]);
        assert_eq!(trace.two_sided().count(), 1, "short of initial margin");
    }
}

#[test]
fn accepts_cash_that_comes_in_and_leaves_the_auction_as_it_was() {
    for distress in [for_sale(7), insolvent(10)] {
        let world = distressed(&distress);
        let deposited = deposit(debtor(), portfolio_book(1), 5);
        let received = signed_move(bidder(), Some(debtor()), 7, 0);
        let before = world.state.account(debtor()).expect("the debtor");
        for (list, amount) in [
            (vec![deposited.clone()], 5),
            (vec![received.clone()], 7),
            (vec![deposited, received], 12),
        ] {
            let (next, trace) = world.play(&list).expect("cash comes in");
            let after = next.account(debtor()).expect("the debtor");
            assert_eq!(after.cash.get(), before.cash.get() + amount);
            let phase = |auction: Option<Auction>| auction.map(|a| (a.start, a.is_insolvent));
            assert_eq!(phase(after.auction), phase(distress.auction));
            assert_eq!(trace.two_sided().count(), 1, "the row shows the auction");
        }
    }
}

#[test]
fn rejects_frozen_in_the_batch_that_puts_an_account_up_before_and_after() {
    let world = distressed(&Distress::default());
    world.accepts("nothing signed", &[deposit(debtor(), portfolio_book(1), 5), start()]);
    for (what, signed) in everything_signed(&world) {
        world.rejects(RULE, what, &[start(), signed.clone()]);
        if what == "a bid for itself" {
            // Refused earlier: there is no auction to bid in yet.
            world.rejects(Rule::AuctionPhase, what, &[signed, start()]);
        } else {
            world.rejects(RULE, what, &[signed, start()]);
        }
    }
}

#[test]
fn accepts_what_an_account_signs_from_the_batch_after_the_end_on() {
    // Twice maintenance margin is more than initial margin, which is 1.15/0.8 of it.
    let healed =
        Distress { equity_ppm: 2_000_000, auction: auction(60, false, 0), ..Distress::default() };
    let world = distressed(&healed);
    let paid = signed_move(debtor(), None, 1, 0);
    world.rejects(RULE, "in auction", std::slice::from_ref(&paid));
    world.rejects(RULE, "in the batch of the end", &[end(), paid.clone()]);
    let (state, _) = world.play(&[end()]).expect("covered");
    World { state, ..world }.accepts("a batch later", &[paid]);
}

#[test]
fn rejects_frozen_of_a_bidder_who_is_in_auction() {
    let mut world = distressed(&for_sale(0));
    let mut snapshot = world.state.snapshot();
    let rich = snapshot.accounts.get_mut(&bidder()).expect("the bidder");
    rich.auction = auction(5, false, 0);
    world.state = State::new(snapshot).expect("a state");
    world.rejects(RULE, "in auction", &[bid_for_all()]);
}

#[test]
fn rejects_frozen_of_everything_the_insurance_fund_signs() {
    let world = distressed(&for_sale(0));
    let signed = everything_of(INSURANCE_FUND, &world);
    assert!(signed.len() > 6);
    for (what, signed) in signed {
        world.rejects(RULE, what, &[signed]);
    }
    world.accepts("cash for it", &[signed_move(bidder(), Some(INSURANCE_FUND), 1, 0)]);
}
