//! Forced requests at and around free collateral and the last nonces, besides cash that comes in,
//! signatures and steps of auctions.

mod reduction;

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use zkmargin_fixtures::build::auction::{Distress, bidder, debtor};
use zkmargin_fixtures::build::{
    NOW_S, deposit, forced_cancel, forced_withdrawal, market, portfolio_book, signed_move,
};
use zkmargin_fixtures::keys::trader_key;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::INSURANCE_FUND;
use zkmargin_protocol::account::auction::Auction;
use zkmargin_protocol::account::margin::MarginMethod;
use zkmargin_protocol::account::nonce::{NonceWindow, WINDOW};
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::custody::Custody;
use zkmargin_protocol::value::units::{Cash, Nonce, Time};

use super::super::draw::{Verdict, agree, both, near};

fn random_distress(rng: &mut ChaCha8Rng) -> Distress {
    let is_standard = rng.gen_ratio(1, 4);
    let held = |rng: &mut ChaCha8Rng| *[-4_321, -77, 0, 900].choose(rng).expect("four");
    let equity_ppm = [-200_000, 0, 999_999, 1_437_500, 1_500_000, 3_000_000].choose(rng);
    let auction = Auction {
        start: Time::new(NOW_S - 60).expect("a time"),
        is_insolvent: rng.gen_ratio(1, 4),
        reserve: Cash::new(1_000_000).expect("small"),
    };
    Distress {
        method: if is_standard { MarginMethod::Standard } else { MarginMethod::Portfolio },
        held_e3: [held(rng), held(rng)],
        equity_ppm: *equity_ppm.expect("six"),
        extra_e6: rng.gen_range(-2..=2),
        auction: rng.gen_ratio(1, 3).then_some(auction),
    }
}

/// The state of the debtor, at any place of its nonces, now and then with a deficit counted.
fn random_state(rng: &mut ChaCha8Rng, market: &Market) -> State {
    let state = random_distress(rng).state(market, 1_000_000);
    let mut snapshot = state.snapshot();
    if rng.gen_ratio(1, 3) {
        snapshot.custody = Custody::new(1 << 50, rng.gen_range(0..1 << 50)).expect("63 bits");
    }
    let last = i128::from(Nonce::MAX.get());
    let base = near(rng, last - i128::from(WINDOW) + 1, 0, last) as u64;
    let base = if rng.r#gen() { 0 } else { base };
    let window = NonceWindow { base: Nonce::new(base).expect("40 bits"), bits: 0 };
    snapshot.accounts.get_mut(&debtor()).expect("the debtor").nonces = window;
    State::new(snapshot).expect("a state")
}

fn random_request(rng: &mut ChaCha8Rng, state: &State, market: &Market) -> Operation {
    let index = if rng.gen_ratio(1, 16) { INSURANCE_FUND } else { debtor() };
    let account = state.account(index).expect("it exists");
    let margin = market.margin_of(account).expect("options of the market");
    let free = (margin.equity - margin.initial).max(0);
    match rng.gen_range(0..5) {
        0 => forced_cancel(index),
        1 => forced_withdrawal(index, i64::MAX),
        _ => forced_withdrawal(index, near(rng, free, 0, free + 5) as i64),
    }
}

/// Something else that happens to the account in the batch.
fn random_other(rng: &mut ChaCha8Rng, state: &State) -> Option<Operation> {
    let base = state.account(debtor()).expect("it exists").nonces.base.get();
    match rng.gen_range(0..8) {
        0 => Some(deposit(debtor(), portfolio_book(1), rng.gen_range(1..3))),
        1 => Some(signed_move(bidder(), Some(debtor()), rng.gen_range(1..3), 0)),
        2 => Some(signed_move(debtor(), Some(bidder()), 1, base)),
        3 => Some(Operation::StartAuction(debtor())),
        4 => {
            let Operation::Deposit(mut named) = deposit(debtor(), portfolio_book(1), 5) else {
                unreachable!("a deposit")
            };
            if rng.gen_ratio(3, 4) {
                named.key = trader_key(bidder()).public();
            }
            Some(Operation::RefuseDeposit(named))
        }
        _ => None,
    }
}

fn judge(rng: &mut ChaCha8Rng) -> [Verdict; 2] {
    let market = market(2, rng.gen_range(0..8));
    let state = random_state(rng, &market);
    let mut list = vec![random_request(rng, &state, &market)];
    list.extend(random_other(rng, &state));
    if rng.r#gen() {
        list.reverse();
    }
    both((&state, &market, &Shape::TINY), &list)
}

#[test]
fn agree_on_forced_requests() {
    let reached = [Rule::ForcedRequest, Rule::ForcedWithdrawal, Rule::DepositKey];
    agree(300, &reached, judge);
}
