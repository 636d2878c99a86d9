use super::super::world::{BUYER, SELLER, World, index, price, rule_of};
use zkmargin_fixtures::build::{
    OrderDraft, deposit, grant_tier, parameters, portfolio_book, signed_move, state, trade,
};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::market::fee_schedule::{FeeRates, FeeSchedule};
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::order::Side;
use zkmargin_protocol::value::packing::PACKED_BITS;
use zkmargin_protocol::value::units::{Price, Tier};

pub const RULE: Rule = Rule::FeeSchedule;

/// Rates of the reference by hand: of the forward of 80,000 USDC the fee in 1/1000 USDC, maker and
/// taker by tier.
const FEES: [[u32; 2]; 4] = [[24_000, 24_000], [16_000, 24_000], [8_000, 20_000], [0, 16_000]];

fn tier(value: u8) -> Tier {
    Tier::new(value).expect("a tier")
}

/// The small world with buyer and seller in these tiers.
fn tiered(tiers: [u8; 2]) -> World {
    let mut world = World::new();
    let mut accounts = world.state.accounts().clone();
    for (account, value) in [BUYER, SELLER].into_iter().zip(tiers) {
        accounts.get_mut(&index(account)).expect("a trader").tier = tier(value);
    }
    world.state = state(accounts, 4, &world.market);
    world
}

/// A trade at 8,000 USDC under orders that allow any fee.
fn charged(world: &World, maker: Side, fees: [u32; 2]) -> [Operation; 1] {
    priced(world, maker, 8_000_000, fees)
}

fn priced(world: &World, maker: Side, at: u32, fees: [u32; 2]) -> [Operation; 1] {
    world.drafted(|d: &mut OrderDraft| {
        d.limits = [Price::MAX, Price::MIN];
        d.fee_limits = [Price::MAX; 2];
        (d.price, d.maker, d.fees) = (price(at), maker, fees.map(price));
    })
}

#[test]
fn accepts_fees_at_the_rate_of_tier_and_role() {
    for buyers in 0..4 {
        for sellers in 0..4 {
            let world = tiered([buyers, sellers]);
            let [of_buyer, of_seller] = [buyers, sellers].map(|tier| FEES[usize::from(tier)]);
            for (maker, fees) in [
                (Side::Buy, [of_buyer[0], of_seller[1]]),
                (Side::Sell, [of_buyer[1], of_seller[0]]),
            ] {
                world.accepts("at the rate", &charged(&world, maker, fees));
                world.accepts("below it", &charged(&world, maker, fees.map(|fee| fee / 2)));
            }
        }
    }
}

#[test]
fn rejects_fee_schedule_one_unit_above_a_rate() {
    for held in 0..4 {
        let world = tiered([held; 2]);
        let [as_maker, as_taker] = FEES[usize::from(held)];
        for (maker, fees) in [
            (Side::Buy, [as_maker + 1, 0]),
            (Side::Buy, [0, as_taker + 1]),
            (Side::Sell, [as_taker + 1, 0]),
            (Side::Sell, [0, as_maker + 1]),
            (Side::Sell, [u32::MAX, 0]),
        ] {
            world.rejects(RULE, "one unit above", &charged(&world, maker, fees));
        }
    }
}

#[test]
fn rejects_fee_schedule_above_an_eighth_of_the_price() {
    let world = World::new();
    // 0.807 USDC: an eighth is 100.875 units, rounded down for the trader.
    world.accepts("at the cap", &priced(&world, Side::Sell, 807, [100, 100]));
    world.rejects(RULE, "the buyer's above it", &priced(&world, Side::Sell, 807, [101, 0]));
    world.rejects(RULE, "the seller's above it", &priced(&world, Side::Sell, 807, [0, 101]));
    world.accepts("nothing for nothing", &priced(&world, Side::Sell, 7, [0, 0]));
    world.rejects(RULE, "something for nothing", &priced(&world, Side::Sell, 7, [1, 0]));
}

#[test]
fn accepts_tiers_that_rise_and_count_from_the_next_batch() {
    let world = World::new();
    let buyer = index(BUYER);
    let dear = charged(&world, Side::Buy, [FEES[0][0], 0]);
    let [grant] = [grant_tier(buyer, 3)];
    let list = [grant.clone(), dear[0].clone()];
    let (next, trace) = world.play(&list).expect("the tier before the batch counts");
    let row = trace.accounts.iter().find(|row| row.index == buyer).expect("the buyer");
    assert_eq!((row.old.as_ref().map(|old| old.tier), row.new.tier), (Some(tier(0)), tier(3)));
    let after = World { state: next, ..World::new() };
    after.rejects(RULE, "the dearest again", &[grant_tier(buyer, 0)]);
    after.rejects(RULE, "granted before", &[grant]);
    let dear = after.drafted(|d| (d.maker, d.fees[0]) = (Side::Buy, price(1)));
    let [Operation::Trade(trade)] = &dear else { unreachable!("a trade") };
    let schedule = &after.market.parameters().fees;
    let refused =
        schedule.check_fee(trade.buyer_fee, tier(3), true, [price(80_000_000), trade.price]);
    assert_eq!(rule_of(refused), Some(RULE), "makers of the last tier pay nothing");
    world.accepts("step by step", &[1, 2, 3].map(|value| grant_tier(buyer, value)));
}

#[test]
fn accepts_a_new_account_in_the_first_tier() {
    let world = World::new();
    let opened = index(6);
    let mut draft = world.draft();
    (draft.fee_limits, draft.fees) = ([Price::MAX; 2], [price(FEES[0][1]), price(0)]);
    (draft.limits[0], draft.price) = (Price::MAX, price(8_000_000));
    let list = [
        deposit(opened, portfolio_book(1), 1_000_000_000_000),
        grant_tier(opened, 3),
        trade(&draft, [opened, index(SELLER)], [0, 0]),
    ];
    let trace = world.accepts("granted while it is opened", &list);
    let row = trace.accounts.iter().find(|row| row.index == opened).expect("the account");
    assert_eq!(row.new.tier, tier(3));
    world.rejects(Rule::AccountExists, "an account that is not there", &[grant_tier(opened, 1)]);
}

#[test]
fn accepts_leaves_of_the_first_tier_as_they_were() {
    let account = World::new().state.account(index(BUYER)).expect("a trader").clone();
    let raised = Account { tier: tier(1), ..account.clone() };
    assert_ne!(account.leaf(), raised.leaf());
    let text = serde_json::to_string(&account).expect("a text");
    assert!(!text.contains("tier"), "the first tier is not written");
    let text = serde_json::to_string(&raised).expect("a text");
    assert_eq!(serde_json::from_str::<Account>(&text).expect("an account"), raised);
    assert!(
        serde_json::from_str::<Account>(&text.replace("\"tier\":\"1\"", "\"tier\":\"4\"")).is_err()
    );
}

#[test]
fn rejects_range_of_a_schedule_that_cannot_be_read() {
    let reference = FeeSchedule::reference();
    let read = |schedule: &FeeSchedule| {
        let text = serde_json::to_string(schedule).expect("a text");
        serde_json::from_str::<FeeSchedule>(&text).map_err(|error| error.to_string())
    };
    assert_eq!(read(&reference).as_ref(), Ok(&reference));
    let dearer = |which: usize, rates: FeeRates| {
        let mut schedule = reference.clone();
        schedule.tiers[which] = rates;
        schedule
    };
    for schedule in [
        dearer(1, FeeRates { maker_ppm: 301, taker_ppm: 300 }),
        dearer(3, FeeRates { maker_ppm: 0, taker_ppm: 251 }),
        FeeSchedule { cap_permille: 1_001, ..reference.clone() },
    ] {
        assert_eq!(rule_of(schedule.check()), Some(Rule::Range));
        let error = read(&schedule).expect_err("checked when read");
        assert!(error.contains("(Range)"), "{error}");
    }
    let dearest = FeeRates { maker_ppm: u16::MAX, taker_ppm: u16::MAX };
    let widest = FeeSchedule { tiers: [dearest; 4], cap_permille: 1_000 };
    assert_eq!(read(&widest).as_ref(), Ok(&widest));
    let [forward, at] = [Price::MAX; 2];
    let fee = widest.fee_floor(tier(0), true, [forward, at]);
    assert_eq!(u64::from(fee.get()), (u64::from(u32::MAX) * 65_535) / 1_000_000);
}

#[test]
fn accepts_words_with_every_number_at_its_place() {
    use ark_bn254::Fr;
    use ark_ff::{BigInteger, Field, PrimeField};
    let mut schedule = FeeSchedule::reference();
    for (k, rates) in schedule.tiers.iter_mut().enumerate() {
        let k = k as u16;
        *rates = FeeRates { maker_ppm: 1_000 - 2 * k, taker_ppm: 999 - 2 * k };
    }
    let mut expected = Fr::from(u64::from(schedule.cap_permille));
    for rates in schedule.tiers.iter().rev() {
        for rate in [rates.taker_ppm, rates.maker_ppm] {
            expected = expected * Fr::from(1u64 << 16) + Fr::from(u64::from(rate));
        }
    }
    assert_eq!(schedule.word(), expected);
    assert!(schedule.word().into_bigint().num_bits() <= PACKED_BITS);
    // Another schedule is another set of parameters, under which no auction starts at once.
    let other =
        zkmargin_protocol::market::parameters::BatchParameters { fees: schedule, ..parameters() };
    assert_ne!(other.hash(), parameters().hash());
    // The tier is the highest part of the status word: 64 + 40 + 5 + 104 bits are below it.
    let account = World::new().state.account(index(BUYER)).expect("a trader").clone();
    let raised = Account { tier: tier(3), ..account.clone() };
    let step = Fr::from(2u64).pow([213]);
    assert_eq!(raised.status_word(), account.status_word() + Fr::from(3u64) * step);
    let moved = World::new().accepts("a transfer", &[signed_move(index(BUYER), None, 1, 0)]);
    assert!(moved.accounts.iter().all(|row| row.new.tier == tier(0)));
}
