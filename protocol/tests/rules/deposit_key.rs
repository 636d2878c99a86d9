use super::world::{BUYER, World, index};
use zkmargin_fixtures::keys::{trader_key, view_key};
use zkmargin_fixtures::synthetic::{deposit, portfolio_book};
use zkmargin_protocol::Rule;
use zkmargin_protocol::deposit::Deposit;
use zkmargin_protocol::margin::MarginMethod;
use zkmargin_protocol::operation::Operation;

pub const RULE: Rule = Rule::DepositKey;

fn fair(account: u32) -> Deposit {
    let Operation::Deposit(fair) = deposit(index(account), portfolio_book(1), 1_000_000) else {
        unreachable!("a deposit")
    };
    fair
}

#[test]
fn accepts_the_keys_and_book_of_the_account_and_any_for_a_new_one() {
    let world = World::new();
    world.accepts("existing", &[Operation::Deposit(fair(BUYER))]);
    let another = Deposit { key: trader_key(index(77)).public(), ..fair(9) };
    let trace = world.accepts("new", &[Operation::Deposit(another.clone())]);
    assert_eq!(trace.accounts[0].new.key, another.key);
}

#[test]
fn rejects_deposit_key_for_each_part_that_differs() {
    let world = World::new();
    let mut standard = portfolio_book(1);
    standard.method = MarginMethod::Standard;
    let differing = |account: u32| {
        let fair = fair(account);
        [
            Deposit { key: trader_key(index(77)).public(), ..fair.clone() },
            Deposit { view_key: view_key(index(77)), ..fair.clone() },
            Deposit { book: portfolio_book(2), ..fair.clone() },
            Deposit { book: standard, ..fair },
        ]
    };
    for deposit in differing(BUYER) {
        world.rejects(RULE, "existing account", &[Operation::Deposit(deposit)]);
    }
    // The account that the deposit before it opened counts as well.
    for second in differing(9) {
        let list = [fair(9), second].map(Operation::Deposit);
        world.rejects(RULE, "opened in the batch", &list);
    }
}
