use super::super::world::{BUYER, SELLER, World, index, moved, transfer};
use zkmargin_fixtures::build::{deposit, portfolio_book, signed_move, trade};
use zkmargin_protocol::Rule;

pub const RULE: Rule = Rule::AccountExists;
const NOBODY: u32 = 9;

#[test]
fn accepts_an_account_that_a_deposit_opened_in_the_same_batch() {
    let world = World::new();
    let opened = deposit(index(NOBODY), portfolio_book(1), 1_000_000);
    let paid = signed_move(index(BUYER), Some(index(NOBODY)), 1, 0);
    let trace = world.accepts("deposit, then transfer", &[opened, paid]);
    assert!(trace.accounts[1].old.is_none());
    assert_eq!(trace.accounts[1].new.cash.get(), 1_000_001);
}

#[test]
fn rejects_account_exists_wherever_an_operation_names_nobody() {
    let world = World::new();
    for sides in [[BUYER, NOBODY], [NOBODY, SELLER], [NOBODY, NOBODY]] {
        let operation = trade(&world.draft(), sides.map(index), [0, 0]);
        world.rejects(RULE, "trade", &[operation]);
    }
    let to_nobody = moved(false, |m| m.request.action = transfer(index(NOBODY), 7_000_000));
    world.rejects(RULE, "transfer to nobody", &to_nobody);
    for is_withdrawal in [false, true] {
        let by_nobody = moved(is_withdrawal, |m| m.request.account = index(NOBODY));
        world.rejects(RULE, "paid by nobody", &by_nobody);
    }
    // A deposit comes too late for an operation before it.
    let opened = deposit(index(NOBODY), portfolio_book(1), 1_000_000);
    let [early] = to_nobody;
    world.rejects(RULE, "before the deposit", &[early, opened]);
}
