//! Indices that stand for what is held of them or for another option, and accounts that hold it or
//! do not: whole batches.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use zkmargin_fixtures::build::{
    OrderDraft, account_index, deposit, market, market_of, portfolio_book, settled, trade,
};
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::market::risk_row::RiskRows;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::units::{Price, Time};

use super::super::draw::{Verdict, agree, both, holders};

/// Now and then another option in the place of one.
fn relisted(rng: &mut ChaCha8Rng, market: &Market) -> RiskRows {
    let mut rows = market.rows().clone();
    for row in rows.values_mut() {
        match rng.gen_range(0..6) {
            0 => row.spec.strike = Price::new(row.spec.strike.get() + 1).expect("32 bits"),
            1 => row.spec.expiry = Time::new(row.spec.expiry.get() + 1).expect("40 bits"),
            2 => *row = settled(row.clone()),
            _ => {}
        }
    }
    rows
}

fn random_operation(rng: &mut ChaCha8Rng, rows: &RiskRows) -> Operation {
    let mut parties = [2, 3, 4].map(account_index);
    parties.shuffle(rng);
    let live: Vec<_> = rows.values().filter(|row| !row.is_settled).collect();
    match live.choose(rng) {
        Some(row) if rng.gen_ratio(2, 3) => {
            let contracts = *[250, 500].choose(rng).expect("two");
            let mut draft = OrderDraft::fair(row, contracts);
            draft.fees = [Price::default(); 2];
            trade(&draft, [parties[0], parties[1]], [0, 0])
        }
        _ => deposit(parties[0], portfolio_book(1), rng.gen_range(1..9)),
    }
}

/// The native verdict, and that of the circuit on the batch the operator makes regardless.
fn judge(rng: &mut ChaCha8Rng) -> [Verdict; 2] {
    let before = market(2, rng.gen_range(0..16));
    let state = holders(rng, &before, [2, 3, 4], [0, 0, 0, -500, 500]);
    let rows = relisted(rng, &before);
    let list = [random_operation(rng, &rows)];
    both((&state, &market_of(&rows), &Shape::TINY), &list)
}

#[test]
fn agree_on_indices_that_stand_for_another_option() {
    agree(200, &[Rule::IndexReuse], judge);
}
