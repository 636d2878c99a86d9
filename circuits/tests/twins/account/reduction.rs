//! Accounts short of initial margin: what they may still do, judged over whole batches, for what is
//! kept of a position is tied to the new leaf by the argument.

use std::collections::BTreeMap;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use zkmargin_fixtures::build::{
    OrderDraft, account, account_index, deposit, market, portfolio_book, signed_move, small_state,
    state, trade,
};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::margin::{MarginMethod, evaluate};
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::units::{Cash, Price, Quantity};

use super::super::draw::{Verdict, agree, both};

/// Account 5 with one or two positions, short of initial margin by little or by much, or not at
/// all.
fn short_state(rng: &mut ChaCha8Rng, market: &Market) -> (State, BTreeMap<usize, i64>) {
    let index = account_index(5);
    let mut book = portfolio_book(1);
    if rng.r#gen() {
        book.method = MarginMethod::Standard;
    }
    let mut holder = account(index, book);
    let mut held = BTreeMap::new();
    for (place, &instrument) in market.rows().keys().enumerate() {
        let quantity = rng.gen_range(-900..900);
        held.insert(place, quantity);
        let quantity = Quantity::new(quantity).expect("small");
        holder.positions.add(book.underlying, instrument, quantity).expect("two slots");
    }
    let positions = holder.positions.iter();
    let margin = evaluate(holder.cash, positions, market.rows(), market.parameters(), book.method)
        .expect("listed");
    let lacking = match rng.gen_range(0..5) {
        0 => 0,
        1 => rng.gen_range(-3..=3),
        _ => rng.gen_range(1..10_000_000_000_000),
    };
    let cash = margin.initial - margin.equity - lacking;
    holder.cash = Cash::try_from(cash).expect("a few million USDC");
    let rich = small_state(market).account(account_index(3)).expect("a trader").clone();
    (state(BTreeMap::from([(account_index(3), rich), (index, holder)]), 4, market), held)
}

fn random_operation(
    rng: &mut ChaCha8Rng,
    state: &State,
    market: &Market,
    held: &BTreeMap<usize, i64>,
) -> Operation {
    let index = account_index(5);
    match rng.gen_range(0..8) {
        0 => {
            let book = state.account(index).expect("account 5").book;
            deposit(index, book, rng.gen_range(1..3))
        }
        1 => signed_move(index, None, rng.gen_range(1..3), 0),
        _ => {
            let place = rng.gen_range(0..2);
            let row = market.rows().values().nth(place).expect("two options");
            // What closes the position, one more or less, or anything.
            let closing = -held[&place] + rng.gen_range(-1..=1);
            let bought = if rng.gen_ratio(2, 3) { closing } else { rng.gen_range(-900..900) };
            let bought = if bought == 0 { 1 } else { bought };
            let mut draft = OrderDraft::fair(row, bought.abs());
            let gift = if bought > 0 { 0 } else { 100_000_000 };
            draft.price = if rng.gen_ratio(1, 3) { row.mark } else { price(gift) };
            draft.limits = [draft.price; 2];
            draft.fees = [price(0); 2];
            let sides = if bought > 0 { [5, 3] } else { [3, 5] };
            trade(&draft, sides.map(account_index), [0, 0])
        }
    }
}

fn price(price_e3: u32) -> Price {
    Price::new(price_e3).expect("32 bits")
}

fn judge(rng: &mut ChaCha8Rng) -> [Verdict; 2] {
    let market = market(2, rng.gen_range(0..16));
    let (state, held) = short_state(rng, &market);
    let operation = random_operation(rng, &state, &market, &held);
    both((&state, &market, &Shape::TINY), &[operation])
}

#[test]
fn agree_on_accounts_short_of_initial_margin() {
    agree(200, &[Rule::InitialMargin, Rule::RiskReduction], judge);
}
