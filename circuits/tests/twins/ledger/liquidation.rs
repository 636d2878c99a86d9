//! Auctions at and around every threshold: started, ended, bid for, early, late, with and without
//! equity.

use ark_bn254::Fr;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use zkmargin_fixtures::build::auction::{Distress, bidder, debtor};
use zkmargin_fixtures::build::{NOW_S, market, now, signed_request};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::auction::Auction;
use zkmargin_protocol::account::margin::MarginMethod;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::market::Market;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::bid::{Bid, Offer};
use zkmargin_protocol::value::units::{Cash, PPM, Time};

use super::super::draw::{Verdict, agree, both};

/// Ages at the knots of the schedule, a second before and after.
const AGES_S: [u64; 10] = [0, 1, 450, 899, 900, 901, 3_599, 3_600, 44_099, 44_100];

fn random_auction(rng: &mut ChaCha8Rng) -> Auction {
    let age_s = match rng.gen_range(0..8) {
        0 => rng.gen_range(0..100_000),
        _ => *AGES_S.choose(rng).expect("ten"),
    };
    let reserve = *[0, 1, 250_000_000, 100_000_000_000].choose(rng).expect("four");
    let start_s = if rng.gen_ratio(1, 16) { NOW_S + 1 } else { NOW_S - age_s };
    Auction {
        start: Time::new(start_s).expect("a time"),
        is_insolvent: rng.gen_ratio(1, 3),
        reserve: Cash::new(reserve).expect("small"),
    }
}

fn random_distress(rng: &mut ChaCha8Rng) -> Distress {
    let is_standard = rng.gen_ratio(1, 4);
    let held = |rng: &mut ChaCha8Rng| *[-4_321, -77, -1, 0, 1, 900].choose(rng).expect("six");
    let equity_ppm = *[-200_000, 0, 1_000, 400_000, 999_999, 1_000_000, 1_150_000, 2_000_000]
        .choose(rng)
        .expect("eight");
    Distress {
        method: if is_standard { MarginMethod::Standard } else { MarginMethod::Portfolio },
        held_e3: [held(rng), held(rng)],
        equity_ppm,
        extra_e6: rng.gen_range(-2..=2),
        auction: rng.gen_ratio(3, 4).then(|| random_auction(rng)),
    }
}

/// A bid for some or all, at the price of the whole or a micro-USDC besides.
fn random_bid(rng: &mut ChaCha8Rng, market: &Market, distress: &Distress) -> Bid {
    let share = *[9_999, 10_000, 123_457, PPM, PPM + 1].choose(rng).expect("five");
    let mut bid = Bid {
        account: debtor(),
        fraction_min_ppm: if rng.r#gen() { 0 } else { share },
        fraction_max_ppm: share,
        limit: Cash::MAX,
    };
    if rng.r#gen() {
        let holder = distress.account(market);
        let margin = market.margin_of(&holder).expect("options of the market");
        let parameters = &market.parameters().auction;
        let whole = Bid { fraction_max_ppm: PPM, ..bid.clone() };
        let offer = Offer::new(&holder, &margin, parameters, now()).expect("a small account");
        let whole = whole.fill(bidder(), &offer).expect("a small account");
        let price = whole.price * i128::from(PPM) / i128::from(whole.fraction_ppm.max(1));
        let beside = price + rng.gen_range(-2..=2);
        bid.limit = Cash::try_from(beside).expect("a few million USDC");
    }
    bid
}

fn judge(rng: &mut ChaCha8Rng) -> [Verdict; 2] {
    let market = market(2, rng.gen_range(0..8));
    let distress = random_distress(rng);
    let fund_e6 = *[0, 1, 1_000_000, 50_000_000_000].choose(rng).expect("four");
    let mut state = distress.state(&market, fund_e6);
    if rng.gen_range(0..3) == 0 {
        let snapshot =
            Snapshot { parameters: Fr::from(rng.gen_range(0..3u64)), ..state.snapshot() };
        state = State::new(snapshot).expect("a state");
    }
    let operation = match rng.gen_range(0..7) {
        0 => Operation::StartAuction(debtor()),
        1 => Operation::EndAuction(debtor()),
        2 => Operation::CountDeficit(debtor()),
        _ => {
            let bid = random_bid(rng, &market, &distress);
            signed_request(bidder(), Action::Bid(bid), 3)
        }
    };
    both((&state, &market, &Shape::TINY), &[operation])
}

#[test]
fn agree_on_auctions() {
    let reached = [
        Rule::AuctionStart,
        Rule::AuctionEnd,
        Rule::AuctionPhase,
        Rule::BidFraction,
        Rule::BidPrice,
        Rule::ParameterChange,
        Rule::Deficit,
        // The fund cannot pay.
        Rule::InitialMargin,
    ];
    agree(300, &reached, judge);
}
