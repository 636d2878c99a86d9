use super::super::auction_world::{bid_for_all, distressed, end, for_sale, start};
use super::super::world::{BUYER, World, index, time};
use zkmargin_fixtures::build::auction::Distress;
use zkmargin_fixtures::build::{
    EPOCH, NOW_S, ORACLE_LAG_S, deposit, domain, parameters, portfolio_book,
};
use zkmargin_fixtures::keys::signed_table;
use zkmargin_protocol::Rule;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::market::Market;
use zkmargin_protocol::market::parameters::BatchParameters;

pub const RULE: Rule = Rule::ParameterChange;

/// The world under other parameters than those of the batch before.
fn under(parameters: BatchParameters, world: World) -> World {
    let data = time(NOW_S - ORACLE_LAG_S);
    let table = signed_table(world.market.rows(), parameters, EPOCH, data, domain());
    let market = Market::new(table.expect("a table"), domain()).expect("signed");
    World { market, ..world }
}

/// Maintenance margin is no more initial margin's fraction but nearly all of it.
fn stricter() -> BatchParameters {
    BatchParameters { maintenance_factor_ppm: 1_100_000, ..parameters() }
}

/// Equity covers maintenance margin, but not that of [`stricter`].
fn healthy() -> Distress {
    Distress { equity_ppm: 1_050_000, ..Distress::default() }
}

#[test]
fn accepts_parameters_from_their_first_second_and_rejects_parameter_change_before() {
    let list = [deposit(index(BUYER), portfolio_book(1), 1)];
    let at = |effective| under(BatchParameters { effective, ..stricter() }, World::new());
    at(time(NOW_S)).accepts("in force now", &list);
    at(time(0)).accepts("in force for ever", &list);
    at(time(NOW_S + 1)).rejects(RULE, "in force in a second", &list);
}

#[test]
fn accepts_a_start_in_the_second_batch_and_rejects_parameter_change_of_one_in_the_first() {
    let list = [deposit(index(BUYER), portfolio_book(1), 1)];
    distressed(&healthy()).rejects(Rule::AuctionStart, "healthy", &[start()]);
    let changed = under(stricter(), distressed(&healthy()));
    changed.rejects(RULE, "healthy until now", &[start()]);
    let (state, trace) = changed.play(&list).expect("a deposit");
    assert_eq!(
        [trace.parameters_before, state.parameters()],
        [parameters(), stricter()].map(|p| p.hash())
    );
    World { state, ..changed }.accepts("a batch later", &[start()]);
    // Nor is an account put up that was short before: the rule does not judge under two sets.
    let short = under(stricter(), distressed(&Distress::default()));
    short.rejects(RULE, "short under both", &[start()]);
}

#[test]
fn accepts_bids_ends_and_starts_anew_in_the_first_batch() {
    let bidding = under(stricter(), distressed(&for_sale(900)));
    bidding.accepts("a bid", &[bid_for_all()]);
    let whole = under(stricter(), distressed(&Distress { equity_ppm: 3_000_000, ..for_sale(900) }));
    whole.accepts("an end", &[end()]);
    let drowned = under(stricter(), distressed(&Distress { equity_ppm: -1, ..for_sale(900) }));
    drowned.accepts("a start anew", &[start()]);
}

#[test]
fn rejects_parameter_change_of_a_start_in_the_first_batch_of_all() {
    let world = distressed(&Distress::default());
    let snapshot = Snapshot { parameters: Default::default(), ..world.state.snapshot() };
    let state = State::new(snapshot).expect("a state");
    World { state, ..world }.rejects(RULE, "nothing before", &[start()]);
}
