use super::super::world::{
    BUYER, SELLER, World, cash, index, moved, order_quantity, price, time, transfer,
};
use ark_bn254::Fr;
use ark_ff::{BigInteger, Field};
use zkmargin_fixtures::build::{cancel_all, domain, rekey};
use zkmargin_fixtures::keys::{trader_key, view_key};
use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::babyjubjub::SUBGROUP_ORDER;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::order::Order;
use zkmargin_protocol::operation::recipient::Recipient;
use zkmargin_protocol::operation::request::SignedRequest;
use zkmargin_protocol::value::units::{Nonce, OrderQuantity};

pub const RULE: Rule = Rule::Signature;

#[test]
fn accepts_orders_and_requests_of_their_accounts() {
    let world = World::new();
    world.accepts("trade", &world.drafted(|_| ()));
    world.accepts("withdrawal", &moved(true, |_| ()));
    world.accepts("transfer", &moved(false, |_| ()));
}

#[test]
fn rejects_signature_after_any_term_of_an_order_changed() {
    let world = World::new();
    // Each change would be allowed if it were signed.
    let changes: [fn(&mut Order); 8] = [
        |o| o.spec.strike = price(o.spec.strike.get() + 1),
        |o| o.limit = price(o.limit.get() + 1),
        |o| o.limit = price(o.limit.get() - 1),
        |o| o.fee_limit = price(o.fee_limit.get() + 1),
        |o| o.quantity_min = order_quantity(1),
        |o| o.quantity_max = OrderQuantity::new(o.quantity_max.get() + 1).expect("39 bits"),
        |o| o.nonce = Nonce::new(1).expect("a nonce"),
        |o| o.expiry = time(o.expiry.get() + 1),
    ];
    for (which, change) in changes.into_iter().enumerate() {
        world.rejects(
            RULE,
            &format!("buyer {which}"),
            &world.changed(|t| change(&mut t.buy.order)),
        );
        world.rejects(
            RULE,
            &format!("seller {which}"),
            &world.changed(|t| change(&mut t.sell.order)),
        );
    }
}

#[test]
fn rejects_signature_after_any_term_of_a_request_changed() {
    let world = World::new();
    let changes: [fn(&mut SignedRequest); 6] = [
        |m| m.request.action = transfer(index(1), 7_000_000),
        |m| {
            let amount = cash(7_000_000);
            m.request.action = Action::Withdrawal { to: Recipient([7; 20]), amount, least: None };
        },
        |m| match &mut m.request.action {
            Action::Transfer { amount, .. } | Action::Withdrawal { amount, .. } => {
                *amount = cash(amount.get() + 1);
            }
            _ => unreachable!("cash moves"),
        },
        |m| m.request.nonce = Nonce::new(1).expect("a nonce"),
        |m| m.request.expiry = time(m.request.expiry.get() + 1),
        |m| m.request.account = index(SELLER),
    ];
    for is_withdrawal in [false, true] {
        for (which, change) in changes.into_iter().enumerate() {
            let [Operation::Request(mut signed)] = moved(is_withdrawal, |_| ()) else {
                unreachable!("a request")
            };
            change(&mut signed);
            world.rejects(RULE, &format!("change {which}"), &[Operation::Request(signed)]);
        }
    }
}

#[test]
fn rejects_signature_after_any_term_of_an_account_change_changed() {
    let world = World::new();
    let keys_of = |key: u32, view: u32| Action::Rekey {
        key: trader_key(index(key)).public(),
        view_key: view_key(index(view)),
    };
    let number = |value: u64| Nonce::new(value).expect("a nonce");
    let rekeyed = rekey(index(BUYER), index(9), 0);
    let cancelled = cancel_all(index(BUYER), 64, 0);
    world.accepts("rekey", std::slice::from_ref(&rekeyed));
    world.accepts("cancel-all", std::slice::from_ref(&cancelled));
    let changes: [(&Operation, Action); 6] = [
        (&rekeyed, keys_of(8, 9)),
        (&rekeyed, keys_of(9, 8)),
        (&rekeyed, Action::CancelAll { base: number(64) }),
        (&cancelled, Action::CancelAll { base: number(65) }),
        (&cancelled, keys_of(9, 9)),
        (&cancelled, transfer(index(64), 1)),
    ];
    for (which, (operation, action)) in changes.into_iter().enumerate() {
        let Operation::Request(signed) = operation else { unreachable!("a request") };
        let mut signed = signed.clone();
        signed.request.action = action;
        world.rejects(RULE, &format!("action {which}"), &[Operation::Request(signed)]);
    }
    for operation in [rekeyed, cancelled] {
        let Operation::Request(signed) = operation else { unreachable!("a request") };
        let terms: [fn(&mut SignedRequest); 3] = [
            |m| m.request.nonce = Nonce::new(1).expect("a nonce"),
            |m| m.request.expiry = time(m.request.expiry.get() + 1),
            |m| m.request.account = index(SELLER),
        ];
        for change in terms {
            let mut changed = signed.clone();
            change(&mut changed);
            world.rejects(RULE, "terms", &[Operation::Request(changed)]);
        }
    }
}

#[test]
fn rejects_signature_for_another_key_domain_or_encoding() {
    let world = World::new();
    let stranger = trader_key(index(9));
    let own = trader_key(index(BUYER));
    let list = [
        world.changed(|t| t.buy = t.buy.order.clone().sign(&stranger, domain())),
        world.changed(|t| t.buy = t.buy.order.clone().sign(&own, domain() + Fr::ONE)),
        world.changed(|t| {
            t.sell.signature.s.add_with_carry(&SUBGROUP_ORDER);
        }),
        world.changed(|t| t.sell.signature.r8 = t.buy.signature.r8),
        world.changed(|t| t.sell.signature.r8.y += Fr::ONE),
        world.changed(|t| t.sell.signature = t.buy.signature),
    ];
    for (which, operation) in list.iter().enumerate() {
        world.rejects(RULE, &format!("case {which}"), operation);
    }
}
