use super::super::auction_world::{
    METHODS, MILLION, auction, bid, ceil, discount_ppm, distressed, distressed_with, fill_of,
    for_sale, insolvent, judged, maintenance_e12, paid_to, paid_to_fund, row_of, signed_bid,
};
use super::super::world::World;
use zkmargin_fixtures::build::auction::{Distress, bidder, debtor};
use zkmargin_protocol::Rule;
use zkmargin_protocol::market::auction_parameters::AuctionParameters;
use zkmargin_protocol::operation::Operation;

pub const RULE: Rule = Rule::BidPrice;

/// A bid for up to `fraction_ppm` that pays at most `limit_e6` for the whole.
fn limited(fraction_ppm: u32, limit_e6: i128) -> [Operation; 1] {
    let limit = i64::try_from(limit_e6).expect("an amount");
    [signed_bid(bidder(), bid([0, fraction_ppm], limit), 0)]
}

/// The exact price of the whole in 10^-18 USDC, from the formulas of the page.
fn whole_e18(world: &World, age_s: u64) -> i128 {
    let (account, margin) = judged(world, debtor());
    let parameters = AuctionParameters::reference();
    let reserve = i128::from(account.auction.expect("in auction").reserve);
    if margin.equity <= 0 {
        let passed = i128::from(age_s.min(3_600)) * MILLION / 3_600;
        let maintenance = maintenance_e12(world, &account, &margin);
        return margin.equity * MILLION * MILLION - maintenance * passed;
    }
    let left = if margin.equity > reserve { reserve } else { 0 };
    (margin.equity - left) * discount_ppm(&parameters, age_s) * MILLION
}

#[test]
fn accepts_a_limit_at_the_price_of_the_whole_and_rejects_bid_price_one_micro_usdc_below() {
    for method in METHODS {
        for (equity_ppm, is_insolvent) in
            [(600_000, false), (123_456, false), (-200_001, true), (0, true)]
        {
            for age_s in [0, 1, 899, 900, 901, 3_599, 3_600, 20_011, 44_099, 44_100, 99_999] {
                for reserve in [0, if is_insolvent { 0 } else { 12_345_679 }] {
                    let auction = auction(age_s, is_insolvent, reserve);
                    let distress = Distress { method, equity_ppm, auction, ..Distress::default() };
                    let world = distressed(&distress);
                    let what = format!("{method:?} {equity_ppm} {age_s} {reserve}");
                    let whole = whole_e18(&world, age_s);
                    let limit = ceil(whole, MILLION * MILLION);
                    let trace = world.accepts(&what, &limited(10_000, limit));
                    // A hundredth of it, rounded up.
                    assert_eq!(
                        fill_of(&trace).price,
                        ceil(whole, 100 * MILLION * MILLION),
                        "{what}"
                    );
                    world.rejects(RULE, &what, &limited(10_000, limit - 1));
                }
            }
        }
    }
}

#[test]
fn accepts_a_reserve_of_what_is_paid_until_equity_has_lost_it() {
    for (reserve, lost, left) in [(0, false, 0), (50_000_000, false, 50_000_000), (0, true, 0)] {
        // Equity of one micro-USDC above the reserve, or exactly as much.
        let equity_e6 = 50_000_000 + i64::from(!lost);
        let auction = auction(0, false, if lost { equity_e6 } else { reserve });
        let distress =
            Distress { equity_ppm: 0, extra_e6: equity_e6, auction, ..Distress::default() };
        let world = distressed(&distress);
        let trace = world.accepts("a part", &limited(10_000, i64::MAX.into()));
        let fill = fill_of(&trace);
        let cash = i128::from(world.state.account(debtor()).expect("the debtor").cash);
        assert_eq!(fill.cash, ((cash - left) * 10_000).div_euclid(MILLION));
        let after = row_of(&trace, 5).new.auction.expect("still in auction");
        assert_eq!(i128::from(after.reserve), left + fill.price);
    }
}

#[test]
fn accepts_a_price_that_the_fund_has_and_rejects_initial_margin_of_a_fund_that_has_less() {
    for age_s in [0, 1_800, 3_600] {
        for fraction_ppm in [1_000_000, 123_457] {
            let world = distressed(&insolvent(age_s));
            let asked = limited(fraction_ppm, i64::MAX.into());
            let trace = world.accepts("plenty", &asked);
            let paid = -paid_to_fund(&trace);
            assert_eq!(paid, -fill_of(&trace).price);
            assert!(
                paid > 0 && row_of(&trace, 5).new.auction.is_some_and(|a| a.reserve.get() == 0)
            );
            let fund_e6 = i64::try_from(paid).expect("an amount");
            let exact = distressed_with(&insolvent(age_s), fund_e6).accepts("exact", &asked);
            assert_eq!(row_of(&exact, 0).new.cash.get(), 0);
            let short = distressed_with(&insolvent(age_s), fund_e6 - 1);
            short.rejects(Rule::InitialMargin, "one micro-USDC less", &asked);
            // A smaller part may still be had.
            short.accepts("a smaller part", &limited(fraction_ppm - 1_000, i64::MAX.into()));
        }
    }
}

#[test]
fn accepts_the_price_into_the_account_and_not_into_the_fund_while_there_is_equity() {
    let trace = distressed(&for_sale(450)).accepts("a part", &limited(1_000_000, i64::MAX.into()));
    assert_eq!(paid_to_fund(&trace), 0);
    let fill = fill_of(&trace);
    assert!(fill.price > 0);
    assert_eq!(paid_to(&trace, debtor()), fill.price - fill.cash);
    assert_eq!(paid_to(&trace, bidder()), fill.cash - fill.price);
}
