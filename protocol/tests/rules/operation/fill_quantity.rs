use super::super::world::{World, order_quantity, quantity};
use zkmargin_fixtures::build::OrderDraft;
use zkmargin_protocol::Rule;
use zkmargin_protocol::value::units::OrderQuantity;

pub const RULE: Rule = Rule::FillQuantity;

#[test]
fn accepts_quantities_at_both_bounds_of_an_order() {
    let world = World::new();
    for [least, fill, most] in [[500, 500, 500], [0, 1, 1], [1, 1, 2], [499, 500, 501]] {
        let operation = world.drafted(|d| set(d, [least, fill, most]));
        world.accepts(&format!("{least} ≤ {fill} ≤ {most}"), &operation);
    }
    let widest = world.drafted(|d| d.quantities = [OrderQuantity::MIN, OrderQuantity::MAX]);
    world.accepts("no bound at all", &widest);
}

fn set(draft: &mut OrderDraft, [least, fill, most]: [i64; 3]) {
    draft.quantities = [least, most].map(order_quantity);
    draft.quantity = quantity(fill);
}

#[test]
fn rejects_fill_quantity_one_unit_beyond_either_bound_and_nothing_and_less() {
    let world = World::new();
    for [least, fill, most] in
        [[501, 500, 502], [0, 500, 499], [0, 0, 500], [0, -1, 500], [0, 1, 0], [0, -500, 500]]
    {
        let operation = world.drafted(|d| set(d, [least, fill, most]));
        world.rejects(RULE, &format!("{least} ≤ {fill} ≤ {most}"), &operation);
    }
}

#[test]
fn rejects_range_of_order_quantities_below_zero_or_beyond_a_fill() {
    let (last, beyond) = ((1i128 << 39) - 1, 1i128 << 39);
    assert_eq!(OrderQuantity::try_from(last), Ok(OrderQuantity::MAX));
    for value in [-1, -500, beyond, i128::MIN, i128::MAX] {
        assert_eq!(OrderQuantity::try_from(value).expect_err("no range").rule, Rule::Range);
        // Nor is there an order that says so.
        let text = OrderQuantity::try_from(value.to_string());
        assert_eq!(text.expect_err("no range").rule, Rule::Range);
    }
    assert_eq!(OrderQuantity::try_from(quantity(-1)).expect_err("negative").rule, Rule::Range);
}
