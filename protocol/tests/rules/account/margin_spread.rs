use super::super::world::{price, quantity, rule_of};
use zkmargin_fixtures::build::{parameters, risk_rows};
use zkmargin_protocol::account::margin::{Margin, MarginMethod, evaluate};
use zkmargin_protocol::value::units::{Cash, Loss, Price};
use zkmargin_protocol::{Reject, Rule};

pub const RULE: Rule = Rule::MarginSpread;

/// 2^19 of an option that loses 2^32 − 1 in one scenario and gains 2^32 in another, and one of an
/// option that loses `more` in the first: the spread is 2^52 − 2^19 + more.
fn spread_of(more: i64) -> Result<Margin, Reject> {
    let mut rows = risk_rows(2, 1);
    let loss = |value: i64| Loss::new(value).expect("34 bits");
    for row in rows.values_mut() {
        row.losses.fill(Loss::default());
        row.short_minimum = Price::MIN;
        row.mark = price(1);
    }
    let indices: Vec<_> = rows.keys().copied().collect();
    let wide = rows.get_mut(&indices[0]).expect("two rows");
    (wide.losses[4], wide.losses[9]) = (loss((1 << 32) - 1), loss(-(1 << 32)));
    rows.get_mut(&indices[1]).expect("two rows").losses[4] = loss(more);
    let positions = [(indices[0], quantity(1 << 19)), (indices[1], quantity(1))];
    let cash = Cash::default();
    evaluate(cash, positions.into_iter(), &rows, &parameters(), MarginMethod::Portfolio)
}

#[test]
fn accepts_the_widest_spread_and_rejects_margin_spread_one_beyond() {
    let widest = spread_of((1 << 19) - 1).expect("2^52 − 1");
    assert_eq!(widest.requirement - widest.losses[9], (1 << 52) - 1);
    assert_eq!(rule_of(spread_of(1 << 19)), Some(RULE));
}
