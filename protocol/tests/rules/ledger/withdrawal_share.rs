use super::super::world::{BUYER, SELLER, World, cash, index};
use zkmargin_fixtures::build::{deposit, portfolio_book, signed_move, withdrawal};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::INSURANCE_FUND;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::value::custody::Custody;
use zkmargin_protocol::value::units::AccountIndex;

pub const RULE: Rule = Rule::WithdrawalShare;

/// The world with these totals: cash on L1, the deficits counted and what the fund has, micro-USDC.
fn with_totals(held_e6: i128, deficit_e6: i128, fund_e6: i64) -> World {
    let world = World::new();
    let custody = Custody::new(held_e6, deficit_e6).expect("totals");
    let mut snapshot = Snapshot { custody, ..world.state.snapshot() };
    snapshot.accounts.get_mut(&INSURANCE_FUND).expect("the fund").cash = cash(fund_e6);
    World { state: State::new(snapshot).expect("a state"), ..world }
}

fn cash_of(state: &State, account: AccountIndex) -> i64 {
    state.account(account).expect("it exists").cash.get()
}

#[test]
fn accepts_a_share_rounded_down_and_rejects_withdrawal_share_of_one_that_is_not_accepted() {
    let (amount, most) = (7_000_001, i128::from(i64::MAX));
    for (held, deficit, fund) in [
        (1_000_000_000, 0, 0),
        (1_000_000_000, 1, 0),
        (1_000_000_000, 1, 1),
        (1_000_000_000, 333_333_333, 0),
        (1_000_000_000, 333_333_333, 333_333_332),
        (1_000_000_000, 333_333_333, i64::MAX),
        (10_000_000, 1_000_000_000_000, 0),
        (1, most, 0),
        (most, most, 0),
        (most, most, i64::MAX - 1),
    ] {
        let world = with_totals(held, deficit, fund);
        let missing = (deficit - i128::from(fund)).max(0);
        let share = i128::from(amount) * held / (held + missing);
        let least = i64::try_from(share).expect("no more than the amount");
        let what = format!("{held} {deficit} {fund}: {least}");
        for accepted in [least, 0, -5] {
            let asked = [withdrawal(index(BUYER), amount, accepted, 0)];
            let (next, trace) =
                world.play(&asked).unwrap_or_else(|reject| panic!("{what}: {reject}"));
            assert_eq!(next.custody().held(), held - share, "{what}");
            assert_eq!(
                (i128::from(trace.missing), trace.custody_after()),
                (missing, next.custody())
            );
            let paid = cash_of(&world.state, index(BUYER)) - cash_of(&next, index(BUYER));
            assert_eq!(paid, amount, "{what}");
            let kept = cash_of(&next, INSURANCE_FUND) - cash_of(&world.state, INSURANCE_FUND);
            assert_eq!(kept, amount - least, "{what}");
        }
        world.rejects(RULE, &what, &[withdrawal(index(BUYER), amount, least + 1, 0)]);
        let plain = [signed_move(index(BUYER), None, amount, 0)];
        if missing == 0 {
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
    let (next, _) = with_totals(0, 0, 0).play(&list).expect("nothing is missing");
    assert_eq!(next.custody().held(), 0);
    with_totals(0, 1, 1).accepts("the fund pays for it", &list);
    with_totals(0, 1, 0).rejects(RULE, "a micro-USDC is missing", &list);
}

#[test]
fn accepts_a_share_of_what_deposits_bring() {
    let world = with_totals(1_000_000, 3_000_000, 0);
    let asked = withdrawal(index(BUYER), 1_000, 0, 0);
    for list in [
        [deposit(index(SELLER), portfolio_book(1), 2_000_000), asked.clone()],
        [asked, deposit(index(SELLER), portfolio_book(1), 2_000_000)],
    ] {
        let (next, _) = world.play(&list).expect("a share");
        assert_eq!(next.custody().held(), 3_000_000 - 500, "500 of 1,000");
    }
}

#[test]
fn rejects_withdrawal_share_of_an_earlier_withdrawal_when_more_is_missing() {
    let world = with_totals(1 << 40, 100, 100);
    let asked = |from, amount, nonce| withdrawal(index(from), amount, amount, nonce);
    let (first, second) = (asked(BUYER, 50, 0), asked(SELLER, 60, 0));
    world.accepts("all of both", &[first.clone(), second.clone()]);
    // The deposit leaves the fund what it has; what the fund spends is missing for both.
    let poor = with_totals(1 << 40, 101, 100);
    poor.rejects(RULE, "one is missing", &[first]);
    poor.rejects(RULE, "one is missing", &[second]);
    let brought = deposit(INSURANCE_FUND, portfolio_book(1), 1);
    poor.accepts("it comes in", &[brought, asked(BUYER, 50, 0)]);
}

#[test]
fn rejects_account_exists_of_a_share_without_an_insurance_fund() {
    let world = with_totals(1 << 40, 1, 0);
    let mut snapshot = world.state.snapshot();
    snapshot.accounts.remove(&INSURANCE_FUND);
    let world = World { state: State::new(snapshot).expect("a state"), ..world };
    let asked = [withdrawal(index(BUYER), 50, 0, 0)];
    world.rejects(Rule::AccountExists, "no fund", &asked);
}
