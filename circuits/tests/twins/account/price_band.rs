//! Positions after a jump of the market: whole batches, for what is kept of a position is tied to
//! the new leaf by the argument.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use zkmargin_fixtures::build::{
    OrderDraft, account_index, banded_market, deposit, portfolio_book, risk_rows, settled,
    signed_move, trade,
};
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::units::Price;

use super::super::draw::{Verdict, agree, holders, regardless, synthesized};

/// Every account may need both sides.
const SHAPE: Shape = Shape { two_sided: 3, ..Shape::TINY };

fn random_market(rng: &mut ChaCha8Rng) -> Market {
    let mut rows = risk_rows(2, rng.gen_range(0..16));
    if rng.gen_ratio(1, 4) {
        let last = rows.values_mut().next_back().expect("two rows");
        *last = settled(last.clone());
    }
    banded_market(&rows, rng.gen_ratio(3, 4))
}

fn random_operation(rng: &mut ChaCha8Rng, market: &Market) -> Operation {
    let live: Vec<_> = market.rows().values().filter(|row| !row.is_settled).collect();
    match rng.gen_range(0..8) {
        0 => deposit(account_index(2), portfolio_book(1), 7),
        1 => signed_move(account_index(2), None, 7, 0),
        _ => {
            let row = live.choose(rng).expect("one lives");
            let traded = *[1, 499, 500, 501, 900, 901].choose(rng).expect("six");
            let mut draft = OrderDraft::fair(row, traded);
            draft.fees = [Price::default(); 2];
            let sides = if rng.r#gen() { [2, 3] } else { [3, 2] };
            trade(&draft, sides.map(account_index), [0, 0])
        }
    }
}

/// The native verdict, and that of the circuit on the batch the operator makes regardless;
/// sometimes with rows that show one side only.
fn judge(rng: &mut ChaCha8Rng) -> [Verdict; 2] {
    let market = random_market(rng);
    let state = holders(rng, &market, [2, 3], [0, -900, -500, 500, 900]);
    let list = [random_operation(rng, &market)];
    let sealed = regardless((&state, &market, &SHAPE), &list, |_| ());
    let (verdict, mut trace) = sealed.expect("only the waived rule is broken");
    if verdict.is_some() && rng.r#gen() {
        trace.accounts.iter_mut().for_each(|row| row.old_margin = None);
    }
    [verdict, synthesized(&trace)]
}

#[test]
fn agree_on_positions_after_a_jump() {
    agree(200, &[Rule::PriceBand], judge);
}
