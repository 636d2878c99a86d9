use super::super::world::{BUYER, World, index, moved, time};
use zkmargin_fixtures::build::{NOW_S, OrderDraft, cancel_all, domain, rekey, trade};
use zkmargin_fixtures::keys::trader_key;
use zkmargin_protocol::Rule;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::order::Side;
use zkmargin_protocol::value::units::Time;

pub const RULE: Rule = Rule::OrderExpiry;

fn changed(operation: Operation, expiry: Time) -> [Operation; 1] {
    let Operation::Request(mut signed) = operation else { unreachable!("a request") };
    signed.request.expiry = expiry;
    [Operation::Request(signed.request.sign(&trader_key(index(BUYER)), domain()))]
}

#[test]
fn accepts_the_last_second_and_rejects_order_expiry_one_later() {
    let world = World::new();
    for (expiry, is_live) in
        [(Time::default(), false), (time(NOW_S - 1), false), (time(NOW_S), true), (Time::MAX, true)]
    {
        let list = [
            world.drafted(|d| d.expiry = expiry),
            moved(true, |m| m.request.expiry = expiry),
            moved(false, |m| m.request.expiry = expiry),
            changed(rekey(index(BUYER), index(9), 0), expiry),
            changed(cancel_all(index(BUYER), 64, 0), expiry),
        ];
        for operation in list {
            match is_live {
                true => drop(world.accepts("live", &operation)),
                false => world.rejects(RULE, "expired", &operation),
            }
        }
    }
}

#[test]
fn rejects_order_expiry_of_either_side_alone() {
    let world = World::new();
    let expired = OrderDraft { expiry: time(NOW_S - 1), ..world.draft() };
    let accounts = [2, 3].map(index);
    for side in [Side::Buy, Side::Sell] {
        let Operation::Trade(mut fill) = trade(&world.draft(), accounts, [0, 0]) else {
            unreachable!("a trade")
        };
        match side {
            Side::Buy => fill.buy = expired.order(side, accounts[0], 0),
            Side::Sell => fill.sell = expired.order(side, accounts[1], 0),
        }
        world.rejects(RULE, "one side", &[Operation::Trade(fill)]);
    }
}
