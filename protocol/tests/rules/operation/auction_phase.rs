use super::super::auction_world::{
    auction, bid, bid_for_all, distressed, for_sale, insolvent, signed_bid, start,
};
use super::super::world::{World, index, time};
use zkmargin_fixtures::build::auction::{Distress, bidder, debtor};
use zkmargin_protocol::Rule;
use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::operation::bid::Bid;

pub const RULE: Rule = Rule::AuctionPhase;

#[test]
fn accepts_bids_in_auction_and_rejects_auction_phase_of_others() {
    distressed(&for_sale(0)).accepts("in auction", &[bid_for_all()]);
    distressed(&insolvent(0)).accepts("insolvent", &[bid_for_all()]);
    distressed(&Distress::default()).rejects(RULE, "not put up yet", &[bid_for_all()]);
    let healthy = distressed(&Distress { equity_ppm: 3_000_000, ..Distress::default() });
    healthy.rejects(RULE, "healthy", &[bid_for_all()]);
    let for_fund = Bid { account: index(0), ..bid([0, 1_000_000], i64::MAX) };
    healthy.rejects(RULE, "the insurance fund", &[signed_bid(bidder(), for_fund, 0)]);
    let for_none = Bid { account: index(77), ..bid([0, 1_000_000], i64::MAX) };
    healthy.rejects(Rule::AccountExists, "no account", &[signed_bid(bidder(), for_none, 0)]);
}

#[test]
fn accepts_the_second_of_the_start_and_rejects_auction_phase_before_it() {
    for distress in [for_sale(0), insolvent(0)] {
        let world = distressed(&distress);
        world.accepts("the same second", &[bid_for_all()]);
        let mut early = World { time: time(world.time.get() - 1), ..world };
        early.rejects(RULE, "a second before", &[bid_for_all()]);
        early.time = time(early.time.get() + 2);
        early.accepts("a second later", &[bid_for_all()]);
    }
}

#[test]
fn accepts_bids_long_after_the_end_of_the_schedule() {
    for age_s in [44_100, 1_000_000_000] {
        distressed(&for_sale(age_s)).accepts("nothing is asked for", &[bid_for_all()]);
        distressed(&insolvent(age_s)).accepts("all is paid", &[bid_for_all()]);
    }
}

#[test]
fn rejects_auction_phase_when_equity_has_changed_its_sign_since_the_start() {
    for (equity_ppm, extra_e6, is_insolvent) in
        [(0, 1, false), (0, 0, true), (0, -1, true), (600_000, 0, false), (-200_000, 0, true)]
    {
        for was_insolvent in [false, true] {
            let auction = auction(9, was_insolvent, 0);
            let distress = Distress { equity_ppm, extra_e6, auction, ..Distress::default() };
            let what = format!("{distress:?}");
            let world = distressed(&distress);
            if was_insolvent == is_insolvent {
                world.accepts(&what, &[bid_for_all()]);
            } else {
                world.rejects(RULE, &what, &[bid_for_all()]);
                world.rejects(RULE, &what, &[start(), bid_for_all()]);
                let (state, _) = world.play(&[start()]).expect("a start anew");
                World { state, ..world }.accepts(&what, &[bid_for_all()]);
            }
        }
    }
}

#[test]
fn rejects_auction_phase_of_a_second_step_in_a_batch() {
    let world = distressed(&for_sale(0));
    let part = |nonce| signed_bid(bidder(), bid([0, 10_000], i64::MAX), nonce);
    world.rejects(RULE, "two bids", &[part(0), part(1)]);
    let (state, _) = world.play(&[part(0)]).expect("the first");
    World { state, ..world }.accepts("one a batch", &[part(1)]);
    // Two accounts in auction take a step each.
    let mut snapshot = distressed(&for_sale(0)).state.snapshot();
    let second = snapshot.accounts[&debtor()].clone();
    snapshot.accounts.insert(index(6), second);
    let state = State::new(snapshot).expect("a state");
    let world = World { state, ..distressed(&for_sale(0)) };
    let other = Bid { account: index(6), ..bid([0, 10_000], i64::MAX) };
    let trace = world.accepts("two accounts", &[part(0), signed_bid(bidder(), other, 1)]);
    assert_eq!(trace.two_sided().count(), 2);
    assert_eq!(trace.accounts.len(), 4, "fund, bidder and both debtors");
}
