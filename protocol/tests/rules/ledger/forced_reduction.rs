use super::super::auction_world::{METHODS, auction, row_of};
use super::super::reduction_world::{GIVER, Pair, Party, TAKER, answered, held, honours, refuses};
use super::super::world::{World, index, quantity, time};
use ark_ff::{BigInteger, PrimeField};
use zkmargin_fixtures::build::{
    NOW_S, banded_market, deposit, forced_reduction, market, market_of, portfolio_book, risk_rows,
    settled,
};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::margin::MarginMethod::{self, Portfolio};
use zkmargin_protocol::account::{INSURANCE_FUND, fee_account};
use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::forced::reduction::Refusal;
use zkmargin_protocol::value::units::{ForcedQuantity, InstrumentIndex, Underlying};

pub const RULE: Rule = Rule::ForcedReduction;

const PLAIN: [MarginMethod; 2] = [Portfolio; 2];

#[test]
fn accepts_part_and_all_of_a_position_at_its_mark_less_a_penalty() {
    for method in METHODS {
        for held_e3 in [2_000, -2_000] {
            for asked_e3 in [1, 1_999, 2_000, 2_001, ForcedQuantity::MAX.get().into()] {
                let pair = Pair::new([method; 2], [[held_e3, -77], [500, 3]], asked_e3);
                let what = format!("{method:?} {asked_e3} of {held_e3}");
                assert_eq!(pair.contracts().abs(), asked_e3.min(2_000), "{what}");
                assert_eq!(pair.contracts().signum(), held_e3.signum(), "{what}");
                honours(&what, &pair);
            }
        }
    }
}

#[test]
fn accepts_a_penalty_that_is_rounded_up_against_the_account() {
    // 0.2 % of 80,000.001 USDC are 160.000002 USDC a contract.
    let mut rows = risk_rows(2, 1);
    rows.values_mut().for_each(|row| row.forward = super::super::world::price(80_000_001));
    for (asked_e3, penalty_e6) in
        [(1, 160_001), (499, 79_840_001), (500, 80_000_001), (501, 80_160_002)]
    {
        for held_e3 in [2_000, -2_000] {
            let mut pair = Pair::new(PLAIN, [[held_e3, 0], [0, 0]], asked_e3);
            pair.market = market_of(&rows);
            let mark_e3 = i128::from(pair.row().mark);
            let value = i128::from(asked_e3 * held_e3.signum()) * mark_e3;
            let trace = honours("rounded", &pair);
            assert_eq!(answered(&trace).proceeds, value - penalty_e6, "{asked_e3} of {held_e3}");
        }
    }
}

#[test]
fn accepts_nothing_of_what_is_not_held_whoever_is_named() {
    // Three options of which one is of another book, and what is in no table.
    let pair = Pair { market: market(4, 1), ..Pair::new(PLAIN, [[2_000, 0], [0, 0]], 500) };
    let world = pair.world();
    let second = *pair.market.rows().keys().nth(1).expect("four options");
    let of = |book, slot| {
        let underlying = Underlying::new(book).expect("4 bits");
        InstrumentIndex::of(underlying, slot).expect("a slot")
    };
    let mut frozen = pair.clone();
    frozen.taker.auction = auction(5, false, 0);
    for world in [world, frozen.world()] {
        let nothing = |instrument, asked_e3| {
            let request = forced_reduction(index(GIVER), instrument, asked_e3, index(TAKER));
            let trace = world.accepts("nothing", &[request]);
            let answer = answered(&trace);
            assert_eq!((answer.contracts, answer.proceeds, answer.refusal), (quantity(0), 0, None));
            assert!(trace.accounts.iter().all(|row| row.old.as_ref() == Some(&row.new)));
            assert!(row_of(&trace, GIVER).old_margin.is_some(), "its row is two-sided");
        };
        nothing(second, 500);
        nothing(pair.first(), 0);
        nothing(of(2, 1), 500);
        nothing(of(1, 4_000), 500);
        nothing(InstrumentIndex::default(), 500);
    }
}

#[test]
fn accepts_the_fee_account_and_one_that_the_batch_opens_as_counterparties() {
    let pair = Pair::new(PLAIN, [[500, 0], [0, 0]], 2);
    let world = pair.world();
    let to = |account| forced_reduction(index(GIVER), pair.first(), 2, account);
    let opening = deposit(index(9), portfolio_book(1), 1_000_000_000_000);
    for (counterparty, list) in
        [(fee_account(), vec![to(fee_account())]), (index(9), vec![opening.clone(), to(index(9))])]
    {
        let trace = world.accepts("taken", &list);
        let (contracts, _) = held(row_of(&trace, counterparty.get()), pair.first());
        assert_eq!(contracts, quantity(2), "{counterparty}");
    }
    world.rejects(Rule::AccountExists, "opened later", &[to(index(9)), opening]);
}

#[test]
fn accepts_contracts_that_the_batch_found_and_not_those_that_came_in_it() {
    for taker_e3 in [0, -500, 300] {
        let pair = Pair::new(PLAIN, [[2_000, 0], [taker_e3, 0]], 2_000);
        let own = forced_reduction(index(TAKER), pair.first(), 2_000, index(2));
        let mut snapshot = pair.world().state.snapshot();
        let third = Party::rich(Portfolio, [0, 0]).account(2, &pair.market);
        snapshot.accounts.insert(index(2), third);
        let world = World { state: State::new(snapshot).expect("a state"), ..pair.world() };
        for list in [[pair.request(), own.clone()], [own.clone(), pair.request()]] {
            let trace = world.accepts("taken and given", &list);
            let moved = [GIVER, TAKER, 2].map(|place| held(row_of(&trace, place), pair.first()).0);
            assert_eq!(moved, [0, 2_000, taker_e3].map(quantity), "{taker_e3}");
        }
    }
}

#[test]
fn rejects_forced_reduction_of_its_own_counterparty_and_of_the_insurance_fund() {
    let pair = Pair::new(PLAIN, [[2_000, 0], [0, 0]], 500);
    for counterparty in [index(GIVER), INSURANCE_FUND] {
        for asked_e3 in [0, 2, 500] {
            let to = forced_reduction(index(GIVER), pair.first(), asked_e3, counterparty);
            pair.world().rejects(RULE, "nobody else", &[to]);
        }
    }
}

#[test]
fn rejects_range_of_too_few_or_many_contracts_and_account_exists_of_unknown_accounts() {
    let pair = Pair::new(PLAIN, [[2_000, 0], [0, 0]], 500);
    let world = pair.world();
    let request =
        |from, asked_e3, to| [forced_reduction(index(from), pair.first(), asked_e3, index(to))];
    let most = i128::from(ForcedQuantity::MAX);
    for asked_e3 in [-1, most + 1, i128::MIN] {
        assert_eq!(ForcedQuantity::try_from(asked_e3).expect_err("22 bits").rule, Rule::Range);
    }
    world.rejects(Rule::AccountExists, "nobody takes", &request(GIVER, 500, 77));
    world.rejects(Rule::AccountExists, "nobody takes nothing", &request(GIVER, 0, 77));
    world.rejects(Rule::AccountExists, "nobody forces", &request(77, 500, TAKER));
}

#[test]
fn rejects_instrument_live_of_an_expired_option_until_it_settles() {
    let pair = Pair::new(PLAIN, [[2_000, 0], [0, 0]], 500);
    let mut rows = risk_rows(2, 1);
    rows.values_mut().for_each(|row| row.spec.expiry = time(NOW_S));
    let expired = Pair { market: market_of(&rows), ..pair.clone() };
    expired.world().rejects(Rule::InstrumentLive, "expired", &[pair.request()]);
    rows.values_mut().for_each(|row| *row = settled(row.clone()));
    let settled = Pair { market: market_of(&rows), ..pair };
    let trace = settled.world().accepts("settled", &[settled.request()]);
    assert_eq!(answered(&trace).contracts, quantity(0), "there is none left");
    assert_eq!(row_of(&trace, GIVER).new.positions.count(), 0);
}

#[test]
fn rejects_price_band_of_a_counterparty_whose_position_grows() {
    let outside = |taker_e3: i64| {
        let pair = Pair::new(PLAIN, [[2_000, 0], [taker_e3, 0]], 500);
        Pair { market: banded_market(&risk_rows(2, 1), true), ..pair }
    };
    for taker_e3 in [0, 1, -499] {
        let pair = outside(taker_e3);
        pair.world().rejects(Rule::PriceBand, "opened or turned", &[pair.request()]);
    }
    honours("closed on both sides", &outside(-500));
    refuses("shown impossible", &outside(0).bearing(-1), Refusal::Counterparty);
}

#[test]
fn rejects_frozen_of_a_step_of_who_has_taken_contracts() {
    // The batch finds the counterparty below maintenance margin, and a deposit heals it.
    let mut pair = Pair::new(PLAIN, [[2_000, 0], [-4_000, 0]], 500);
    pair.taker.cash_e6 = 0;
    let world = pair.world();
    let healed = deposit(index(TAKER), portfolio_book(1), 1_000_000_000_000);
    let start = Operation::StartAuction(index(TAKER));
    let list = |list: &[&Operation]| list.iter().copied().cloned().collect::<Vec<_>>();
    let request = &pair.request();
    world.accepts("healed", &list(&[&healed, &start]));
    world.accepts("taken", &list(&[&healed, request]));
    world.rejects(Rule::Frozen, "taken, put up", &list(&[&healed, request, &start]));
    let trace = world.accepts("put up, not taken", &list(&[&healed, &start, request]));
    assert_eq!(answered(&trace).refusal, Some(Refusal::Unavailable));
    let trace = world.accepts("refused, put up", &list(&[request, &start]));
    assert_eq!(answered(&trace).refusal, Some(Refusal::Counterparty));
    let none = forced_reduction(index(GIVER), pair.first(), 0, index(TAKER));
    world.accepts("none taken, put up", &list(&[&healed, &none, &start]));
}

#[test]
fn accepts_words_that_tell_what_was_asked_for_and_whether_it_was_refused() {
    let pair = Pair::new(PLAIN, [[2_000, 0], [0, 0]], 7);
    let most = Pair { asked_e3: ForcedQuantity::MAX.get().into(), ..pair.clone() };
    for (pair, is_refused) in
        [(pair.clone(), 0), (most.clone(), 0), (pair.bearing(-1), 1), (most.bearing(-1), 1)]
    {
        let trace = pair.world().accepts("answered", &[pair.request()]);
        // account (24) ‖ is used (1) ‖ kind (2) ‖ instrument (16) ‖ contracts (22) ‖ 0 (25) ‖
        // counterparty (24) ‖ 0 (39) ‖ is refused (1).
        let words = trace.words();
        let two_sided = &words[words.len() - 12 * World::new().shape.two_sided..];
        let bits = two_sided[0].into_bigint().to_bits_le();
        let number = |(from, count): (usize, usize)| -> i64 {
            (0..count).map(|k| i64::from(bits[from + k]) << k).sum()
        };
        let fields = [(0, 24), (24, 1), (25, 2), (27, 16), (43, 22), (65, 25), (90, 24), (114, 39)];
        let found = fields.map(number);
        let asked = [pair.first().get().into(), pair.asked_e3, 0, TAKER.into(), 0];
        assert_eq!(found[..3], [GIVER.into(), 1, 3]);
        assert_eq!(found[3..], asked);
        assert_eq!([(153, 1), (154, 60), (214, 42)].map(number), [is_refused, 0, 0]);
    }
}
