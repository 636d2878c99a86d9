use super::super::auction_world::{distressed, end, for_sale, start};
use super::super::world::{BUYER, SELLER, World, index, time};
use zkmargin_fixtures::build::auction::{Distress, bidder, debtor};
use zkmargin_fixtures::build::{
    OrderDraft, cancel_all, deposit, forced_cancel, forced_reduction, forced_withdrawal,
    portfolio_book, rekey, settle, signed_move, trade,
};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::INSURANCE_FUND;
use zkmargin_protocol::operation::Operation;

pub const RULE: Rule = Rule::ForcedRequest;

fn forced() -> [Operation; 4] {
    let owner = index(BUYER);
    let held = *World::new().market.rows().keys().next().expect("two rows");
    [
        forced_withdrawal(owner, 7_000_000),
        forced_withdrawal(owner, i64::MAX),
        forced_cancel(owner),
        forced_reduction(owner, held, 500, index(SELLER)),
    ]
}

#[test]
fn rejects_forced_request_beside_everything_its_account_signs_before_and_after() {
    let world = World::new();
    let (owner, other) = (index(BUYER), index(SELLER));
    let draft = OrderDraft::fair(world.market.rows().values().next().expect("two rows"), 1);
    let signed = [
        ("a purchase", trade(&draft, [owner, other], [0, 0])),
        ("a sale", trade(&draft, [other, owner], [0, 0])),
        ("a withdrawal", signed_move(owner, None, 1, 0)),
        ("a transfer", signed_move(owner, Some(other), 1, 0)),
        ("new keys", rekey(owner, index(9), 0)),
        ("a cancel-all", cancel_all(owner, 64, 0)),
    ];
    for forced in forced() {
        world.accepts("alone", std::slice::from_ref(&forced));
        for (what, signed) in &signed {
            world.accepts(what, std::slice::from_ref(signed));
            world.rejects(RULE, what, &[forced.clone(), signed.clone()]);
            world.rejects(RULE, what, &[signed.clone(), forced.clone()]);
        }
    }
}

#[test]
fn rejects_forced_request_of_an_account_that_has_another_in_the_batch() {
    let world = World::new();
    for first in forced() {
        for second in forced() {
            world.rejects(RULE, "second", &[first.clone(), second]);
        }
        world.accepts("of another account", &[first, forced_cancel(index(SELLER))]);
    }
}

#[test]
fn rejects_forced_request_beside_a_step_of_the_account_s_auction() {
    let healed = Distress { equity_ppm: 2_000_000, ..for_sale(60) };
    for (distress, step) in [(Distress::default(), start()), (healed, end())] {
        let world = distressed(&distress);
        let held = *world.market.rows().keys().next().expect("two rows");
        let reduced = forced_reduction(debtor(), held, 1, bidder());
        for forced in [forced_withdrawal(debtor(), 1), reduced] {
            world.accepts("the step", std::slice::from_ref(&step));
            world.accepts("the request", std::slice::from_ref(&forced));
            world.rejects(RULE, "step after", &[forced.clone(), step.clone()]);
            world.rejects(RULE, "step before", &[step.clone(), forced]);
        }
    }
}

#[test]
fn rejects_forced_request_of_the_insurance_fund_and_accepts_the_fee_account_s() {
    let world = World::new();
    world.rejects(RULE, "the fund", &[forced_cancel(INSURANCE_FUND)]);
    world.accepts("the fee account", &[forced_cancel(index(1))]);
}

#[test]
fn accepts_cash_that_comes_in_and_what_anybody_may_do_to_the_account() {
    let world = World::new();
    let owner = index(BUYER);
    let list = [
        deposit(owner, portfolio_book(1), 5),
        signed_move(index(SELLER), Some(owner), 7, 0),
        forced_cancel(owner),
    ];
    let trace = world.accepts("cash comes in", &list);
    assert_eq!(trace.two_sided().count(), 1, "the row shows the request");
    world.rejects(Rule::Settlement, "nothing to settle", &[settle(owner, time(1))]);
}

#[test]
fn rejects_account_exists_of_an_account_that_is_not_there_before_the_batch() {
    let world = World::new();
    let opened = index(9);
    let opening = deposit(opened, portfolio_book(1), 5);
    world.rejects(Rule::AccountExists, "never opened", &[forced_cancel(opened)]);
    world.rejects(Rule::AccountExists, "opened now", &[opening.clone(), forced_cancel(opened)]);
    let (state, _) = world.play(&[opening]).expect("opened");
    World { state, ..world }.accepts("opened a batch ago", &[forced_cancel(opened)]);
}
