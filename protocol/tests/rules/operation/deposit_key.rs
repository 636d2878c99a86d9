use super::super::world::{BUYER, World, index};
use ark_ff::PrimeField;
use zkmargin_fixtures::build::{deposit, portfolio_book};
use zkmargin_fixtures::keys::{trader_key, view_key};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::margin::MarginMethod;
use zkmargin_protocol::batch::statement::HEADER_WORDS;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::deposit::Deposit;

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

/// Deposits that each name something else than the account has.
fn differing(account: u32) -> [Deposit; 4] {
    let mut standard = portfolio_book(1);
    standard.method = MarginMethod::Standard;
    let fair = fair(account);
    [
        Deposit { key: trader_key(index(77)).public(), ..fair.clone() },
        Deposit { view_key: view_key(index(77)), ..fair.clone() },
        Deposit { book: portfolio_book(2), ..fair.clone() },
        Deposit { book: standard, ..fair },
    ]
}

#[test]
fn rejects_deposit_key_for_each_part_that_differs() {
    let world = World::new();
    for deposit in differing(BUYER) {
        world.rejects(RULE, "existing account", &[Operation::Deposit(deposit)]);
    }
    // The account that the deposit before it opened counts as well.
    for second in differing(9) {
        let list = [fair(9), second].map(Operation::Deposit);
        world.rejects(RULE, "opened in the batch", &list);
    }
}

#[test]
fn accepts_back_what_the_account_cannot_take_and_rejects_deposit_key_of_what_it_can() {
    let world = World::new();
    for deposit in differing(BUYER) {
        let (next, trace) = world.play(&[Operation::RefuseDeposit(deposit.clone())]).expect("back");
        assert_eq!(next.accounts(), world.state.accounts(), "nothing is credited");
        assert_eq!(next.custody(), world.state.custody(), "nothing is received");
        let word = trace.words()[HEADER_WORDS].into_bigint();
        // is used (1) ‖ account (24) ‖ book (5) ‖ amount (64) ‖ is refused (1)
        assert_eq!(word.0[1] >> 30, 1, "the word says so");
        // One is credited beside another that goes back.
        let list = [Operation::Deposit(fair(BUYER)), Operation::RefuseDeposit(deposit)];
        let trace = world.accepts("both", &list);
        assert_eq!(trace.custody_after().held() - world.state.custody().held(), 1_000_000);
    }
    world.rejects(RULE, "fair", &[Operation::RefuseDeposit(fair(BUYER))]);
    let unknown = Operation::RefuseDeposit(fair(9));
    world.rejects(Rule::AccountExists, "opens the account", std::slice::from_ref(&unknown));
    for second in differing(9) {
        // It goes back in a batch after the one that opens the account.
        let list = [Operation::Deposit(fair(9)), Operation::RefuseDeposit(second)];
        world.rejects(Rule::AccountExists, "opened in the batch", &list);
    }
}
