use super::super::auction_world::{
    auction, bid, bid_for_all, distressed, end, for_sale, insolvent, signed_bid, start,
};
use super::super::world::{World, index};
use zkmargin_fixtures::build::auction::{Distress, bidder, debtor};
use zkmargin_fixtures::build::{
    OrderDraft, cancel_all, deposit, portfolio_book, rekey, signed_move, trade,
};
use zkmargin_protocol::Rule;
use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::operation::Operation;

pub const RULE: Rule = Rule::Frozen;

/// Everything an account can sign, each with nonce 0.
fn everything_signed(world: &World) -> Vec<(&'static str, Operation)> {
    let row = world.market.rows().values().next().expect("two rows");
    let draft = OrderDraft::fair(row, 1);
    vec![
        ("a purchase", trade(&draft, [debtor(), bidder()], [0, 0])),
        ("a sale", trade(&draft, [bidder(), debtor()], [0, 0])),
        ("a withdrawal", signed_move(debtor(), None, 1, 0)),
        ("a transfer", signed_move(debtor(), Some(bidder()), 1, 0)),
        ("new keys", rekey(debtor(), index(9), 0)),
        ("a cancel-all", cancel_all(debtor(), 64, 0)),
        ("a bid for itself", signed_bid(debtor(), bid([0, 1_000_000], i64::MAX), 0)),
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
            assert_eq!(after.auction, distress.auction);
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
