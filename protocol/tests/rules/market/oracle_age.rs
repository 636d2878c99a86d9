use super::super::world::{World, time};
use zkmargin_fixtures::build::{NOW_S, ORACLE_LAG_S, parameters};
use zkmargin_protocol::Rule;

pub const RULE: Rule = Rule::OracleAge;

#[test]
fn accepts_both_ends_of_the_age_and_rejects_oracle_age_one_second_beyond() {
    let data_s = NOW_S - ORACLE_LAG_S;
    let oldest_s = data_s + u64::from(parameters().oracle_max_age_s);
    let ahead_s = data_s - u64::from(parameters().oracle_skew_s);
    for (batch_s, is_fresh) in [
        (oldest_s, true),
        (oldest_s + 1, false),
        (data_s, true),
        (ahead_s, true),
        (ahead_s - 1, false),
        (0, false),
        ((1 << 40) - 1, false),
    ] {
        let world = World { time: time(batch_s), ..World::new() };
        match is_fresh {
            true => drop(world.accepts("fresh", &[])),
            false => world.rejects(RULE, "stale or ahead", &[]),
        }
    }
}
