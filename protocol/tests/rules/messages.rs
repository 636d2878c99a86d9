//! What a refusal says: whose it is, what was found, what is allowed, the rule.

use super::reduction_world::{GIVER, Pair};
use super::world::{
    BUYER, ROOM, World, index, moved, order_quantity, price, quantity, time, withdrawal,
};
use zkmargin_fixtures::build::{forced_cancel, signed_move};
use zkmargin_protocol::account::margin::MarginMethod;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::forced::reduction::Refusal;
use zkmargin_protocol::value::custody::Custody;
use zkmargin_protocol::value::units::{Nonce, Tier, Time};
use zkmargin_protocol::{Reject, Rule};

fn message<T>(result: Result<T, Reject>) -> String {
    result.map(drop).expect_err("refused").to_string()
}

/// What a fresh world says to operations.
fn said(operations: &[Operation]) -> String {
    message(World::new().play(operations))
}

#[test]
fn an_order_says_whose_it_is_and_its_bound() {
    let world = World::new();
    let over = world.drafted(|draft| {
        draft.quantities = [5, 10].map(order_quantity);
        draft.quantity = quantity(12);
    });
    let under = world.drafted(|draft| {
        draft.quantities = [5, 10].map(order_quantity);
        draft.quantity = quantity(4);
    });
    let dear = world.drafted(|draft| {
        draft.limits = [90_000, 80_000].map(price);
        draft.price = price(90_001);
    });
    let cheap = world.drafted(|draft| {
        draft.limits = [90_000, 80_000].map(price);
        draft.price = price(79_999);
    });
    for (operations, expected) in [
        (over, "account 2: fill quantity is 12, at most 10 is allowed (FillQuantity)"),
        (under, "account 2: fill quantity is 4, at least 5 is allowed (FillQuantity)"),
        (dear, "account 2: price is 90001, at most 90000 is allowed (LimitPrice)"),
        (cheap, "account 3: price is 79999, at least 80000 is allowed (LimitPrice)"),
    ] {
        assert_eq!(said(&operations), expected);
    }
}

#[test]
fn a_request_says_whose_it_is_even_where_its_value_knows_nothing_of_accounts() {
    let late = moved(true, |signed| signed.request.nonce = Nonce::new(64).unwrap());
    let none = moved(true, |signed| signed.request.action = withdrawal(0));
    let richest = signed_move(index(BUYER), Some(index(77)), 1, 0);
    let twice = [forced_cancel(index(BUYER)), forced_cancel(index(BUYER))];
    for (operations, expected) in [
        (&late[..], "account 2: nonce is 64, from 0 to 63 is allowed (Nonce)"),
        (&none[..], "account 2: amount moved is 0, at least 1 is allowed (Range)"),
        (&[richest], "account 77: the account does not exist (AccountExists)"),
        (&twice, "account 2: the account has a forced request in the batch (ForcedRequest)"),
    ] {
        assert_eq!(said(operations), expected);
    }
}

#[test]
fn an_account_short_of_margin_says_what_it_has_and_what_it_needs() {
    let all = moved(true, |signed| signed.request.action = withdrawal(2_000_000_000_000));
    let reject = World::new().play(&all).expect_err("more than all cash");
    assert_eq!((reject.account, reject.rule), (Some(BUYER), Rule::InitialMargin));
    let [found, bound] = [reject.value.as_deref(), reject.bound.as_deref()].map(Option::unwrap);
    let expected =
        format!("account {BUYER}: equity is {found}, {bound} is allowed (InitialMargin)");
    assert_eq!(reject.to_string(), expected);
}

#[test]
fn a_forced_reduction_says_in_words_what_is_wrong() {
    let pair = Pair::new([MarginMethod::Portfolio; 2], [[2_000, 0], [0, 0]], 1_000);
    let world = pair.world();
    let mut batch = Batch::new(&world.state, &world.market, ROOM, world.time).unwrap();
    batch.claim(Some(Refusal::Account));
    assert_eq!(
        message(batch.push(&[pair.request()])),
        format!("account {GIVER}: the forced reduction can still be honoured (ForcedReduction)")
    );
}

#[test]
fn a_value_says_its_range_or_its_one_spelling() {
    let text = |text: &str| Time::try_from(text.to_owned());
    let used = Shape { trades: ROOM.trades + 1, ..ROOM };
    for (found, expected) in [
        (message(Tier::new(4)), "fee tier is 4, from 0 to 3 is allowed (Range)"),
        (message(text("007")), "time is 007, only 7 is allowed (Range)"),
        (message(text("soon")), "time is soon, from 0 to 1099511627775 is allowed (Range)"),
        (message(ROOM.check_fits(&used)), "number of trades is 41, at most 40 is allowed (Shape)"),
        (
            message(Custody::new(-1, 0)),
            "cash held on L1 is -1, from 0 to 9223372036854775807 is allowed (Custody)",
        ),
    ] {
        assert_eq!(found, expected);
    }
}

#[test]
fn a_closer_look_names_the_account_first() {
    let reject = Reject::because(Rule::Frozen, "the account is in auction");
    assert_eq!(reject.to_string(), "the account is in auction (Frozen)");
    let reject = reject.of(index(7)).of(index(8));
    assert_eq!(reject.to_string(), "account 7: the account is in auction (Frozen)");
    let reject = Reject::new(Rule::OrderExpiry, "expiry of the order", time(9)).at_least(time(10));
    let expected = "expiry of the order is 9, at least 10 is allowed (OrderExpiry)";
    assert_eq!(reject.to_string(), expected);
}
