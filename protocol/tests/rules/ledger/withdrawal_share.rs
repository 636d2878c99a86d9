use super::super::world::{BUYER, World, index};
use zkmargin_fixtures::build::{deposit, portfolio_book, signed_move, withdrawal};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::INSURANCE_FUND;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::value::custody::Custody;

pub const RULE: Rule = Rule::WithdrawalShare;

/// The world with these totals: cash on L1 and the deficits counted, micro-USDC.
fn with_totals(held_e6: i128, deficit_e6: i128) -> World {
    let world = World::new();
    let custody = Custody::new(held_e6, deficit_e6).expect("totals");
    let state = State::new(Snapshot { custody, ..world.state.snapshot() }).expect("a state");
    World { state, ..world }
}

#[test]
fn accepts_a_share_rounded_down_and_rejects_withdrawal_share_of_one_that_is_not_accepted() {
    let amount = 7_000_001;
    for (held, deficit) in [
        (1_000_000_000, 0),
        (1_000_000_000, 1),
        (1_000_000_000, 333_333_333),
        (10_000_000, 1_000_000_000_000),
        (1, i128::from(i64::MAX)),
        (i128::from(i64::MAX), i128::from(i64::MAX)),
    ] {
        let world = with_totals(held, deficit);
        let share = i128::from(amount) * held / (held + deficit);
        let least = i64::try_from(share).expect("no more than the amount");
        let what = format!("{held} {deficit}: {least}");
        for accepted in [least, 0, -5] {
            let asked = [withdrawal(index(BUYER), amount, accepted, 0)];
            let (next, _) = world.play(&asked).unwrap_or_else(|reject| panic!("{what}: {reject}"));
            assert_eq!(next.custody().held(), held - share, "{what}");
            let cash = |state: &State, account| state.account(account).expect("it exists").cash;
            let paid = cash(&world.state, index(BUYER)).get() - cash(&next, index(BUYER)).get();
            assert_eq!(paid, amount, "{what}");
            let kept = cash(&next, INSURANCE_FUND).get() - cash(&world.state, INSURANCE_FUND).get();
            assert_eq!(kept, amount - least, "{what}");
        }
        world.rejects(RULE, &what, &[withdrawal(index(BUYER), amount, least + 1, 0)]);
        let plain = [signed_move(index(BUYER), None, amount, 0)];
        if deficit == 0 {
            world.accepts(&what, &plain);
        } else {
            world.rejects(RULE, &what, &plain);
        }
    }
}

#[test]
fn accepts_all_of_what_the_first_batch_brings_and_rejects_withdrawal_share_of_it_beside_a_deficit()
{
    let brought = deposit(index(BUYER), portfolio_book(1), 7_000_001);
    let list = [brought, signed_move(index(BUYER), None, 7_000_001, 0)];
    let (next, _) = with_totals(0, 0).play(&list).expect("nothing is missing");
    assert_eq!(next.custody().held(), 0);
    with_totals(0, 1).rejects(RULE, "a micro-USDC is missing", &list);
}
