use zkmargin_fixtures::build::random_batch;
use zkmargin_fixtures::forge::forgeries;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::margin::Margin;
use zkmargin_protocol::account::positions::Slot;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::{AccountRow, BatchTrace};
use zkmargin_protocol::market::risk_row::RiskRow;
use zkmargin_protocol::operation::forced::ForcedAnswer;
use zkmargin_protocol::operation::forced::reduction::{Reduction, Refusal};
use zkmargin_protocol::value::units::Quantity;

pub const RULE: Rule = Rule::MarginMatrix;

/// The claims of a row summed again from the instruments of the batch: losses, mark value, short
/// charges.
fn is_sum(trace: &BatchTrace, account: &AccountRow) -> bool {
    let after: Vec<Slot> = account.new.positions.iter().collect();
    let old_margin = account.old_margin.as_ref();
    is_sum_over(trace, &after, &account.margin)
        && old_margin.is_none_or(|claim| is_sum_over(trace, &shown(account), claim))
}

/// What the other margin of a two-sided row is of: what the batch found, or the book that a refused
/// reduction shows.
fn shown(account: &AccountRow) -> Vec<Slot> {
    let is_left = |slot: &Slot| !account.settlement.instruments.contains(&slot.0);
    let before = account.old.iter().flat_map(|old| old.positions.iter()).filter(is_left);
    let Some(ForcedAnswer::Reduction(answer)) = account.answer else { return before.collect() };
    let Reduction { instrument, .. } = answer.terms;
    let with = |(held, quantity): Slot| {
        let given = if held == instrument { answer.contracts.get() } else { 0 };
        (held, Quantity::new(quantity.get() - given).expect("40 bits"))
    };
    match answer.refusal {
        None | Some(Refusal::Unavailable) => before.collect(),
        Some(Refusal::Account) => account.new.positions.iter().map(with).collect(),
        Some(Refusal::Counterparty) => vec![(instrument, answer.contracts)],
    }
}

fn is_sum_over(trace: &BatchTrace, held: &[Slot], claim: &Margin) -> bool {
    let row_of =
        |instrument| trace.risk_row(instrument).expect("held instruments are in the batch");
    let sum = |of: &dyn Fn(&RiskRow, i128) -> i128| -> i128 {
        held.iter().map(|&(i, q)| of(row_of(i), i128::from(q.get()))).sum()
    };
    let short = |q: i128| if q < 0 { -q } else { 0 };
    let losses: Vec<i128> =
        (0..33).map(|scenario| sum(&|row, q| q * i128::from(row.losses[scenario].get()))).collect();
    claim.losses == losses
        && claim.mark_value == sum(&|row, q| q * i128::from(row.mark.get()))
        && claim.short_floor == sum(&|row, q| short(q) * i128::from(row.short_minimum.get()))
        && claim.isolated_initial
            == sum(&|row, q| short(q) * i128::from(row.isolated_initial.get()))
}

#[test]
fn accepts_claims_of_random_batches() {
    let mut held = 0;
    for seed in 0..40 {
        let trace = random_batch(seed, Shape::TINY);
        for account in &trace.accounts {
            held += account.new.positions.count();
            assert!(is_sum(&trace, account), "seed {seed}, account {}", account.index);
        }
    }
    assert!(held > 40, "positions were held: {held}");
}

#[test]
fn rejects_margin_matrix_of_forged_claims() {
    let forged: Vec<_> = forgeries().into_iter().filter(|f| f.rule == RULE).collect();
    assert!(forged.len() >= 3, "losses, mark value, short charge");
    for forgery in forged {
        let trace = &forgery.trace;
        assert!(!trace.accounts.iter().all(|row| is_sum(trace, row)), "{}", forgery.what);
    }
}
