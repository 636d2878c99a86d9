use super::super::world::{BUYER, SELLER, World, index, rule_of};
use zkmargin_fixtures::build::{deposit, portfolio_book, signed_move};
use zkmargin_protocol::Rule;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::value::custody::Custody;

pub const RULE: Rule = Rule::Custody;

/// The world with so much on L1, micro-USDC.
fn held(held_e6: i128) -> World {
    let world = World::new();
    let custody = Custody::new(held_e6, 0).expect("a total");
    let state = State::new(Snapshot { custody, ..world.state.snapshot() }).expect("a state");
    World { state, ..world }
}

#[test]
fn accepts_all_that_l1_holds_and_rejects_custody_of_a_micro_usdc_more() {
    let paid = |amount| signed_move(index(BUYER), None, amount, 0);
    let (next, _) = held(7_000_000).play(&[paid(7_000_000)]).expect("all of it");
    assert_eq!(next.custody().held(), 0);
    held(7_000_000).rejects(RULE, "one more", &[paid(7_000_001)]);
    held(6_999_999).rejects(RULE, "one less there", &[paid(7_000_000)]);
    let received = deposit(index(BUYER), portfolio_book(1), 1);
    held(6_999_999).accepts("one comes in", &[received, paid(7_000_000)]);
    let second = signed_move(index(SELLER), None, 1, 0);
    held(7_000_000).rejects(RULE, "two withdrawals", &[paid(7_000_000), second]);
}

#[test]
fn accepts_totals_below_two_to_the_63_and_rejects_custody_beyond() {
    let most = i128::from(i64::MAX);
    let received = deposit(index(BUYER), portfolio_book(1), 1);
    let (next, _) = held(most - 1).play(std::slice::from_ref(&received)).expect("fits");
    assert_eq!(next.custody().held(), most);
    held(most).rejects(RULE, "one more", &[received]);
    for total in [-1, most + 1] {
        assert_eq!(rule_of(Custody::new(total, 0)), Some(RULE));
        assert_eq!(rule_of(Custody::new(0, total)), Some(Rule::Deficit));
    }
}
