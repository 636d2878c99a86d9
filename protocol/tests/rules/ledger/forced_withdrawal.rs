use super::super::auction_world::{METHODS, distressed, for_sale, judged, row_of};
use super::super::world::{BUYER, SELLER, World, index};
use ark_ff::{BigInteger, PrimeField};
use zkmargin_fixtures::build::auction::{Distress, debtor};
use zkmargin_fixtures::build::{deposit, forced_withdrawal, portfolio_book, signed_move};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::INSURANCE_FUND;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::operation::forced::ForcedAnswer;
use zkmargin_protocol::value::custody::Custody;
use zkmargin_protocol::value::units::Cash;

pub const RULE: Rule = Rule::ForcedWithdrawal;

/// What is taken of an account, by its balances.
fn taken(trace: &BatchTrace, account: u32) -> i64 {
    let row = row_of(trace, account);
    row.old.as_ref().expect("it was there").cash.get() - row.new.cash.get()
}

/// Free collateral by the definition: the most that leaves equity at or above initial margin.
fn free(world: &World, account: u32) -> i64 {
    let (_, margin) = judged(world, index(account));
    i64::try_from((margin.equity - margin.initial).max(0)).expect("a few million USDC")
}

#[test]
fn accepts_all_that_is_asked_for_up_to_free_collateral_and_no_more_beyond_it() {
    for method in METHODS {
        let rich = Distress { method, equity_ppm: 2_500_000, ..Distress::default() };
        let world = distressed(&rich);
        let free = free(&world, debtor().get());
        assert!(free > 1_000_000, "{method:?} has something to withdraw");
        for (asked, expected) in
            [(0, 0), (1, 1), (free - 1, free - 1), (free, free), (free + 1, free), (i64::MAX, free)]
        {
            let trace = world.accepts("forced", &[forced_withdrawal(debtor(), asked)]);
            assert_eq!(taken(&trace, debtor().get()), expected, "{method:?} of {asked}");
            let [amount, paid] = [asked, expected].map(|e6| Cash::new(e6).expect("cash"));
            let answer = row_of(&trace, debtor().get()).answer;
            assert_eq!(answer, Some(ForcedAnswer::Withdrawal { amount, paid }));
        }
    }
}

#[test]
fn accepts_nothing_of_an_account_without_free_collateral_in_auction_or_not() {
    let poor = [-200_000, 0, 600_000, 1_000_000, 1_100_000];
    for equity_ppm in poor {
        for distress in [
            Distress { equity_ppm, ..Distress::default() },
            Distress { equity_ppm, ..for_sale(60) },
        ] {
            let world = distressed(&distress);
            assert_eq!(free(&world, debtor().get()), 0, "{equity_ppm}");
            let trace = world.accepts("forced", &[forced_withdrawal(debtor(), 7)]);
            assert_eq!(taken(&trace, debtor().get()), 0, "{equity_ppm}");
            let after = row_of(&trace, debtor().get()).new.auction;
            assert_eq!(after, distress.auction, "the auction is as it was");
        }
    }
}

#[test]
fn accepts_free_collateral_of_an_account_whose_auction_nobody_has_ended() {
    let world = distressed(&Distress { equity_ppm: 2_500_000, ..for_sale(60) });
    let free = free(&world, debtor().get());
    let trace = world.accepts("forced", &[forced_withdrawal(debtor(), i64::MAX)]);
    assert_eq!(taken(&trace, debtor().get()), free);
}

#[test]
fn rejects_forced_withdrawal_when_cash_comes_in_after_a_part_was_paid() {
    let world = World::new();
    let owner = index(BUYER);
    let all = free(&world, BUYER);
    let received = signed_move(index(SELLER), Some(owner), 1, 0);
    let deposited = deposit(owner, portfolio_book(1), 1);
    for later in [received, deposited] {
        let part = forced_withdrawal(owner, all + 1);
        world.rejects(RULE, "after a part", &[part.clone(), later.clone()]);
        let trace = world.accepts("before it", &[later.clone(), part]);
        assert_eq!(taken(&trace, BUYER), all, "what came in has left, too");
        world.accepts("after all", &[forced_withdrawal(owner, all), later]);
    }
}

#[test]
fn accepts_a_share_while_a_deficit_is_counted_and_says_what_leaves() {
    let world = World::new();
    for (held, deficit) in [(1_000_000_000, 0), (1_000_000_000, 333_333_333), (1, 1 << 50)] {
        let custody = Custody::new(held, deficit).expect("totals");
        let state = State::new(Snapshot { custody, ..world.state.snapshot() }).expect("a state");
        let world = World { state, ..World::new() };
        let amount = 7_000_001;
        let request = forced_withdrawal(index(BUYER), amount);
        let (next, trace) = world.play(&[request]).expect("a share");
        let share = i128::from(amount) * held / (held + deficit);
        assert_eq!(next.custody().held(), held - share);
        assert_eq!(trace.custody_after(), next.custody());
        let fund =
            |state: &State| i128::from(state.account(INSURANCE_FUND).expect("it exists").cash);
        assert_eq!(fund(&next) - fund(&world.state), i128::from(amount) - share);
        // account (24) ‖ is used (1) ‖ kind (2) ‖ amount (63) ‖ amount that leaves (63) ‖ is
        // refused (1).
        let words = trace.words();
        let two_sided = &words[words.len() - 12 * world.shape.two_sided..];
        let bits = two_sided[0].into_bigint().to_bits_le();
        let number = |from: usize, count: usize| -> i128 {
            (0..count).map(|k| i128::from(bits[from + k]) << k).sum()
        };
        let fields = [(0, 24), (24, 1), (25, 2), (27, 63), (90, 63), (153, 103)];
        let found = fields.map(|(from, count)| number(from, count));
        assert_eq!(found, [BUYER.into(), 1, 1, amount.into(), share, 0]);
    }
}

#[test]
fn rejects_range_of_a_negative_amount_and_custody_of_more_than_l1_holds() {
    let world = World::new();
    world.rejects(Rule::Range, "negative", &[forced_withdrawal(index(BUYER), -1)]);
    let custody = Custody::new(6_999_999, 0).expect("totals");
    let state = State::new(Snapshot { custody, ..world.state.snapshot() }).expect("a state");
    let world = World { state, ..world };
    world.rejects(Rule::Custody, "too much", &[forced_withdrawal(index(BUYER), 7_000_000)]);
    world.accepts("all there is", &[forced_withdrawal(index(BUYER), 6_999_999)]);
}
