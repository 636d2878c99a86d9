//! Options that are live, expired or settled, in and out of time: whole batches that touch their
//! holder.

use std::collections::BTreeMap;

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use zkmargin_fixtures::build::{
    NOW_S, OrderDraft, account, account_index, deposit, market_of, portfolio_book, risk_rows,
    settled, state, trade,
};
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::units::{Cash, Price, Quantity, Time};

use super::super::draw::{Verdict, agree, both};

/// Two rows, each live, expired without a price, settled, or settled too early.
fn random_market(rng: &mut ChaCha8Rng) -> Market {
    let mut rows = risk_rows(2, rng.gen_range(0..16));
    for row in rows.values_mut() {
        let later_s = *[-100_000, -1, 0, 1, 100_000].choose(rng).expect("five");
        let expiry_s = NOW_S.checked_add_signed(later_s).expect("a time");
        if rng.gen_ratio(2, 3) {
            let payoff = row.mark;
            *row = settled(row.clone());
            row.mark = if rng.r#gen() { payoff } else { Price::default() };
            row.spec.expiry = Time::new(expiry_s).expect("a time");
        } else if rng.gen_ratio(1, 3) {
            row.spec.expiry = Time::new(expiry_s).expect("a time");
        }
    }
    market_of(&rows)
}

/// Accounts 2 and 3, of which 2 holds some of both.
fn random_state(rng: &mut ChaCha8Rng, market: &Market) -> State {
    let mut accounts = BTreeMap::new();
    for index in [2, 3].map(account_index) {
        let mut holder = account(index, portfolio_book(1));
        holder.cash = Cash::new(1_000_000_000_000).expect("64 bits");
        accounts.insert(index, holder);
    }
    let holder = accounts.get_mut(&account_index(2)).expect("just inserted");
    for &instrument in market.rows().keys() {
        if rng.gen_ratio(2, 3) {
            let held = rng.gen_range(1..5_000) * if rng.r#gen() { 1 } else { -1 };
            let held = Quantity::new(held).expect("small");
            holder.positions.add(holder.book.underlying, instrument, held).expect("two slots");
        }
    }
    state(accounts, 4, market)
}

fn random_operation(rng: &mut ChaCha8Rng, market: &Market) -> Operation {
    if rng.r#gen() {
        return deposit(account_index(2), portfolio_book(1), rng.gen_range(1..9));
    }
    let row = market.rows().values().nth(rng.gen_range(0..2)).expect("two rows");
    let mut draft = OrderDraft::fair(row, rng.gen_range(1..900));
    draft.fees = [Price::default(); 2];
    trade(&draft, [2, 3].map(account_index), [0, 0])
}

/// The native verdict, and that of the circuit on the batch the operator makes regardless.
fn judge(rng: &mut ChaCha8Rng) -> [Verdict; 2] {
    let market = random_market(rng);
    let state = random_state(rng, &market);
    let list = [random_operation(rng, &market)];
    both((&state, &market, &Shape::TINY), &list)
}

#[test]
fn agree_on_expired_and_settled_options() {
    agree(200, &[Rule::InstrumentLive], judge);
}
