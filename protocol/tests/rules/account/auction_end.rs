use super::super::auction_world::{
    METHODS, MILLION, auction, bid_for_all, ceil, distressed, end, for_sale, judged,
    maintenance_e12, row_of,
};
use super::super::world::World;
use zkmargin_fixtures::build::auction::{Distress, debtor};
use zkmargin_fixtures::build::{deposit, portfolio_book};
use zkmargin_protocol::Rule;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::bid::AuctionStep;

pub const RULE: Rule = Rule::AuctionEnd;

/// The debtor with the least whole equity that covers 1.15 times maintenance margin, and
/// `spare_e6`.
fn buffered(distress: &Distress, spare_e6: i128) -> World {
    let world = distressed(distress);
    let (account, margin) = judged(&world, debtor());
    let needed = ceil(1_150_000 * maintenance_e12(&world, &account, &margin), MILLION * MILLION);
    let extra_e6 = i64::try_from(needed - margin.equity + spare_e6).expect("a few million USDC");
    distressed(&Distress { extra_e6, ..distress.clone() })
}

#[test]
fn accepts_equity_at_buffered_margin_and_rejects_auction_end_one_micro_usdc_below() {
    for method in METHODS {
        for held_e3 in [[-1_234, -4_321], [-1_234, 700], [0, -1], [0, 0]] {
            for (is_insolvent, reserve) in [(false, 0), (false, 5_000_000), (true, 0)] {
                let auction = auction(60, is_insolvent, reserve);
                let distress = Distress { method, held_e3, auction, ..Distress::default() };
                let what = format!("{distress:?}");
                for spare_e6 in [0, 1] {
                    let trace = buffered(&distress, spare_e6).accepts(&what, &[end()]);
                    let row = row_of(&trace, 5);
                    assert_eq!((&row.step, row.new.auction), (&Some(AuctionStep::End), None));
                    assert_eq!(row.old.as_ref().map(|old| old.cash), Some(row.new.cash), "{what}");
                }
                buffered(&distress, -1).rejects(RULE, &what, &[end()]);
            }
        }
    }
}

#[test]
fn rejects_auction_end_without_an_auction() {
    let world = distressed(&Distress { equity_ppm: 3_000_000, ..Distress::default() });
    world.rejects(RULE, "never in auction", &[end()]);
    let world = buffered(&for_sale(9), 0);
    let (state, _) = world.play(&[end()]).expect("covered");
    World { state, ..world }.rejects(RULE, "over already", &[end()]);
}

#[test]
fn rejects_auction_end_of_an_account_that_the_batch_makes_whole() {
    let world = buffered(&for_sale(9), -1);
    let one = deposit(debtor(), portfolio_book(1), 1);
    world.rejects(RULE, "healed before", &[one.clone(), end()]);
    let (state, _) = world.play(&[one]).expect("a deposit");
    World { state, ..world }.accepts("a batch later", &[end()]);
}

#[test]
fn rejects_auction_phase_of_a_second_step() {
    let world = buffered(&for_sale(9), 0);
    world.rejects(Rule::AuctionPhase, "twice", &[end(), end()]);
    world.rejects(Rule::BidFraction, "nothing for sale", &[bid_for_all()]);
    let world = distressed(&for_sale(9));
    world.rejects(RULE, "still short before the bid", &[bid_for_all(), end()]);
    let missing = Operation::EndAuction(super::super::world::index(7));
    world.rejects(Rule::AccountExists, "no account", &[missing]);
}

#[test]
fn accepts_the_end_after_a_bid_for_all_that_may_be_had() {
    // The fraction is rounded up so that one bid is enough; of a portfolio account no rounding of
    // its shares adds to what it is short of, because 1.15·0.8 of the worst loss of what is kept
    // beyond the fraction is less than its worth.
    for held_e3 in [[-1_234, -4_321], [-1_234, 700], [-1_000, 1_000], [-7, 3], [-77_777, 33_333]] {
        for equity_ppm in [10_000, 300_000, 900_000, 999_990, 1_149_000] {
            for age_s in [0, 450, 20_000, 40_000] {
                let auction = auction(age_s, false, 0);
                let world =
                    distressed(&Distress { held_e3, equity_ppm, auction, ..Distress::default() });
                let what = format!("{held_e3:?} {equity_ppm} {age_s}");
                let played = world.play(&[bid_for_all()]);
                let (state, _) = played.unwrap_or_else(|reject| panic!("{what}: {reject}"));
                World { state, ..world }.accepts(&what, &[end()]);
            }
        }
    }
}
