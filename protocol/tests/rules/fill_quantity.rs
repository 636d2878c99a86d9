use super::world::{World, quantity};
use zkmargin_fixtures::synthetic::OrderDraft;
use zkmargin_protocol::Rule;
use zkmargin_protocol::units::Quantity;

pub const RULE: Rule = Rule::FillQuantity;

#[test]
fn accepts_quantities_at_both_bounds_of_an_order() {
    let world = World::new();
    for [least, fill, most] in [[500, 500, 500], [0, 1, 1], [1, 1, 2], [499, 500, 501]] {
        let operation = world.drafted(|d| set(d, [least, fill, most]));
        world.accepts(&format!("{least} ≤ {fill} ≤ {most}"), &operation);
    }
    let widest = world.drafted(|d| d.quantities = [Quantity::default(), Quantity::MAX]);
    world.accepts("no bound at all", &widest);
}

fn set(draft: &mut OrderDraft, [least, fill, most]: [i64; 3]) {
    draft.quantities = [least, most].map(quantity);
    draft.quantity = quantity(fill);
}

#[test]
fn rejects_fill_quantity_one_unit_beyond_either_bound_and_nothing_and_less() {
    let world = World::new();
    for [least, fill, most] in
        [[501, 500, 502], [0, 500, 499], [0, 0, 500], [0, -1, 500], [-1, 500, 500], [-500, -1, 500]]
    {
        let operation = world.drafted(|d| set(d, [least, fill, most]));
        world.rejects(RULE, &format!("{least} ≤ {fill} ≤ {most}"), &operation);
    }
}
