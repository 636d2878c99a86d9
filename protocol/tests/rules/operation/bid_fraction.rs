use super::super::auction_world::{
    METHODS, MILLION, auction, bid, bid_for_all, ceil, discount_ppm, distressed, fill_of, for_sale,
    insolvent, judged, shortfall_e18, signed_bid,
};
use super::super::world::World;
use zkmargin_fixtures::build::auction::{Distress, bidder, debtor};
use zkmargin_protocol::Rule;
use zkmargin_protocol::market::auction_parameters::AuctionParameters;
use zkmargin_protocol::operation::Operation;

pub const RULE: Rule = Rule::BidFraction;

/// A bid at any price for these fractions.
fn between(least_ppm: u32, greatest_ppm: u32) -> [Operation; 1] {
    [signed_bid(bidder(), bid([least_ppm, greatest_ppm], i64::MAX), 0)]
}

/// The least fraction that covers buffered margin, from the formula: `⌈N/(N + E·d + R(1 − d))⌉` in
/// parts per million.
fn covering_ppm(world: &World, age_s: u64, reserve: i128) -> u32 {
    let (account, margin) = judged(world, debtor());
    let shortfall = shortfall_e18(world, &account, &margin);
    let discount = discount_ppm(&AuctionParameters::reference(), age_s);
    let paid = margin.equity * discount + reserve * (MILLION - discount);
    u32::try_from(ceil(shortfall * MILLION, shortfall + paid * MILLION)).expect("a share")
}

#[test]
fn accepts_what_covers_buffered_margin_and_rejects_bid_fraction_of_a_millionth_more() {
    for method in METHODS {
        for (equity_ppm, reserve) in [(600_000, 0), (600_000, 1_000_000_000), (1_100_000, 0)] {
            for age_s in [0, 1, 899, 900, 901, 44_099, 44_100] {
                let auction = auction(age_s, false, reserve);
                let distress = Distress { method, equity_ppm, auction, ..Distress::default() };
                let world = distressed(&distress);
                let most = covering_ppm(&world, age_s, reserve.into());
                let what = format!("{method:?} {equity_ppm} {reserve} {age_s}: {most}");
                for (least, greatest) in [(0, 1_000_000), (most, 1_000_000), (most, most)] {
                    let trace = world.accepts(&what, &between(least, greatest));
                    assert_eq!(fill_of(&trace).fraction_ppm, most, "{what}");
                }
                let less = world.accepts(&what, &between(0, most - 1));
                assert_eq!(fill_of(&less).fraction_ppm, most - 1, "{what}");
                if most < 1_000_000 {
                    world.rejects(RULE, &what, &between(most + 1, 1_000_000));
                }
            }
        }
    }
}

#[test]
fn rejects_bid_fraction_of_terms_out_of_order_and_never_panics() {
    for world in [distressed(&for_sale(0)), distressed(&insolvent(0))] {
        world.accepts("the least bid", &between(0, 10_000));
        world.rejects(RULE, "less than the least bid", &between(0, 9_999));
        world.rejects(RULE, "nothing", &between(0, 0));
        world.rejects(RULE, "more than all", &between(0, 1_000_001));
        world.rejects(RULE, "least above greatest", &between(20_001, 20_000));
        for wide in [(1 << 20) - 1, 1 << 20, u32::MAX] {
            world.rejects(RULE, "wide", &between(0, wide));
            world.rejects(RULE, "wide", &between(wide, 1_000_000));
        }
    }
}

#[test]
fn rejects_bid_fraction_of_accounts_that_are_short_of_nothing() {
    // Buffered margin is 1.15 of maintenance margin.
    for (equity_ppm, is_short) in [(1_149_990, true), (1_150_010, false), (3_000_000, false)] {
        let world = distressed(&Distress { equity_ppm, ..for_sale(9) });
        if is_short {
            world.accepts("short", &[bid_for_all()]);
        } else {
            world.rejects(RULE, "covered", &[bid_for_all()]);
        }
    }
}

#[test]
fn accepts_all_of_an_account_without_equity_or_with_less_than_the_dust() {
    let all = between(1_000_000, 1_000_000);
    for age_s in [0, 1_800, 3_600] {
        let trace = distressed(&insolvent(age_s)).accepts("insolvent", &all);
        assert_eq!(fill_of(&trace).fraction_ppm, 1_000_000);
        assert_eq!(super::super::auction_world::row_of(&trace, 5).new.positions.count(), 0);
    }
    // The dust is 100 USDC.
    for (extra_e6, is_dust) in [(1, true), (99_999_999, true), (100_000_000, false)] {
        let auction = auction(0, false, 0);
        let distress = Distress { equity_ppm: 0, extra_e6, auction, ..Distress::default() };
        let world = distressed(&distress);
        if is_dust {
            assert_eq!(fill_of(&world.accepts("dust", &all)).fraction_ppm, 1_000_000);
        } else {
            world.rejects(RULE, "more than the dust", &all);
        }
    }
}
