use std::collections::BTreeMap;

use super::super::world::{World, holder, index, rule_of};
use zkmargin_fixtures::build::{deposit, market, portfolio_book, signed_move, state, trade};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::margin::{Margin, MarginMethod};

pub const RULE: Rule = Rule::InitialMargin;

/// Account 5 holds these quantities of the two options and, after paying 1 USDC out, `spare_e6`
/// above its margin.
fn after_paying_one(method: MarginMethod, quantities: [i64; 2], spare_e6: i128) -> World {
    let market = market(2, 1);
    let holder = holder(&market, method, quantities, spare_e6 + 1_000_000);
    let state = state(BTreeMap::from([(index(5), holder)]), 4, &market);
    World { market, state, ..World::new() }
}

#[test]
fn accepts_equity_at_initial_margin_and_rejects_initial_margin_one_micro_usdc_below() {
    let paid = [signed_move(index(5), None, 1_000_000, 0)];
    for method in [MarginMethod::Portfolio, MarginMethod::Standard] {
        for quantities in [[-1_234, -77], [-1_234, 500], [700, -3], [5, 9], [0, 0]] {
            let what = format!("{method:?} {quantities:?}");
            let trace = after_paying_one(method, quantities, 0).accepts(&what, &paid);
            let margin = &trace.accounts[0].margin;
            assert_eq!(margin.equity, margin.initial, "{what}");
            after_paying_one(method, quantities, 1).accepts(&what, &paid);
            after_paying_one(method, quantities, -1).rejects(RULE, &what, &paid);
        }
    }
}

#[test]
fn rejects_initial_margin_of_a_new_account_and_of_one_that_was_not_short() {
    // Account 5 has one micro-USDC more than it needs before 1 USDC leaves.
    let world = after_paying_one(MarginMethod::Portfolio, [-1_234, -77], -999_999);
    world.rejects(RULE, "two leave", &[signed_move(index(5), None, 2, 0)]);
    world.accepts("one leaves", &[signed_move(index(5), None, 1, 0)]);
    let world = World::new();
    let opened =
        [deposit(index(6), portfolio_book(1), 1), trade(&world.draft(), [2, 6].map(index), [0, 0])];
    world.rejects(RULE, "a new account sells without cash", &opened);
}

#[test]
fn accepts_margin_met_exactly_whatever_the_sign() {
    let margin = |equity, initial| Margin {
        mark_value: 0,
        equity,
        losses: Vec::new(),
        short_floor: 0,
        isolated_initial: 0,
        isolated_maintenance: 0,
        requirement: 0,
        initial,
        maintenance: 0,
        initial_excess_e12: (equity - initial) * 1_000_000,
        maintenance_excess_e12: equity * 1_000_000,
    };
    for (equity, initial, is_met) in
        [(0, 0, true), (-1, 0, false), (-5, -5, true), (-6, -5, false), (7, 8, false), (8, 8, true)]
    {
        let judged = margin(equity, initial).check_initial();
        assert_eq!(rule_of(judged), (!is_met).then_some(RULE), "{equity} {initial}");
    }
}
