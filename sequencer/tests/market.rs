//! Oracle tables, parameters and the beginning of a store.

mod support;

use support::*;

use zkmargin_fixtures::build::{NOW_S, account_index};
use zkmargin_fixtures::forge::damage::{cut_short, damages};
use zkmargin_fixtures::keys::trader_key;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::value::units::Time;
use zkmargin_sequencer::{Error, Genesis, Sequencer, Source};

#[test]
fn oracle_tables_are_checked_and_close_the_batch() {
    let venue = Venue::create(Shape::SMALL);
    let mut sequencer = venue.open();
    let refused = |sequencer: &mut Sequencer, table, now| {
        sequencer.take_table(table, now).unwrap().unwrap_err().rule
    };
    let notice = deposit_line("1", deposit(2, 1_000));
    let answer = answer_to(&mut sequencer, Source::Chain, notice.clone(), at(0));
    assert_eq!(answer["rule"], "NoMarket");
    let mut altered = table(1, at(0));
    altered.rows[0].mark = price(1);
    assert_eq!(refused(&mut sequencer, altered, at(0)), "OracleQuorum");
    let mut few = table(1, at(0));
    few.attestation.signatures[0] = None;
    assert_eq!(refused(&mut sequencer, few, at(0)), "OracleQuorum");
    assert_eq!(refused(&mut sequencer, table(1, at(0)), at(601)), "OracleAge");
    assert_eq!(refused(&mut sequencer, table(1, at(6)), at(0)), "OracleAge");
    sequencer.take_table(table(5, at(0)), at(0)).unwrap().unwrap();
    let sequence = sequencer.status().sequence;
    let (sealed, again) = sequencer.take_table(table(5, at(0)), at(900)).unwrap().unwrap();
    assert_eq!((sealed, again, sequencer.status().sequence), (None, sequence, sequence));
    assert_eq!(refused(&mut sequencer, table(5, at(1)), at(1)), "OracleEpoch");
    assert_eq!(refused(&mut sequencer, table(4, at(1)), at(1)), "OracleEpoch");
    assert_eq!(
        refused(&mut sequencer, table(6, Time::new(NOW_S - 1).unwrap()), at(1)),
        "OracleEpoch"
    );
    let mut looser = table(6, at(1));
    looser.parameters.initial_factor_ppm = 1;
    assert_eq!(refused(&mut sequencer, looser, at(1)), "Parameters");
    let mut others = table(6, at(1));
    let mut keys = *others.oracle.keys();
    keys[4] = trader_key(account_index(4)).public();
    others.oracle = zkmargin_protocol::market::oracle::OracleSet::new(keys, 3).unwrap();
    assert_eq!(refused(&mut sequencer, others, at(1)), "SignerSet");
    answer_to(&mut sequencer, Source::Chain, notice, at(1));
    let (sealed, _) = sequencer.take_table(table(6, at(2)), at(2)).unwrap().unwrap();
    assert_eq!(sealed.expect("a pending deposit").sealed, 0);
    drop(sequencer);
    assert_eq!(venue.open().status().oracle_epoch, Some(6));
    assert_eq!(venue.open().replay().unwrap().batches, 1);
}

#[test]
fn parameters_change_once_they_are_announced() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let under = |initial_factor_ppm, epoch, age_s| {
        let mut table = table(epoch, at(age_s));
        table.parameters.initial_factor_ppm = initial_factor_ppm;
        table
    };
    let [old_ppm, new_ppm] = [table(1, at(0)).parameters.initial_factor_ppm, 1_300_000];
    let hash = |ppm| under(ppm, 1, 0).parameters.hash();
    let mut sequencer = venue.open();
    let taken = |sequencer: &mut Sequencer, ppm, epoch| {
        let table = under(ppm, epoch, epoch);
        sequencer.take_table(table, at(epoch)).unwrap().map(drop).map_err(|refusal| refusal.rule)
    };
    let refused = Err("Parameters".to_owned());
    assert_eq!(taken(&mut sequencer, new_ppm, 2), refused);
    // A later announcement takes the place of an earlier one.
    sequencer.announce_parameters(hash(new_ppm + 1), at(2)).unwrap();
    sequencer.announce_parameters(hash(new_ppm), at(2)).unwrap();
    assert_eq!(taken(&mut sequencer, new_ppm + 1, 3), refused);
    // Those in force go on until the first table of the others, which a new process takes as well.
    assert_eq!(taken(&mut sequencer, old_ppm, 4), Ok(()));
    drop(sequencer);
    let mut sequencer = venue.open();
    assert_eq!(taken(&mut sequencer, new_ppm, 5), Ok(()));
    drop(sequencer);
    let mut sequencer = venue.open();
    assert_eq!(taken(&mut sequencer, old_ppm, 6), refused);
    submit(&mut sequencer, Source::Public, &trade_lines(1, 2), at(7));
    sequencer.seal().unwrap().expect("a pending trade");
    assert_eq!(sequencer.state().parameters(), hash(new_ppm));
    assert_eq!(sequencer.replay().unwrap().batches, 2);
}

#[test]
fn damaged_genesis_is_refused_or_holds_a_state() {
    let value = serde_json::to_value(genesis(Shape::TINY)).unwrap();
    for text in cut_short(&value, 60) {
        serde_json::from_str::<Genesis>(&text).map(drop).unwrap_err();
    }
    let (mut refused, mut held) = (0, 0);
    for damage in damages(&value) {
        let Ok(genesis) = serde_json::from_str::<Genesis>(&damage.apply(&value)) else {
            refused += 1;
            continue;
        };
        match genesis.state() {
            Ok(state) => {
                held += 1;
                assert_eq!(genesis.shape.check(), Ok(()), "{}", damage.pattern());
                assert_eq!(state.domain(), genesis.domain().field(), "{}", damage.pattern());
            }
            Err(error) => {
                refused += 1;
                assert!(matches!(error, Error::Configuration(_)), "{}: {error}", damage.pattern());
            }
        }
    }
    assert!(refused > 300 && held > 20, "{refused} refused, {held} hold");
}

#[test]
fn genesis_must_make_sense_and_stores_are_not_overwritten() {
    let venue = Venue::create(Shape::TINY);
    let exists = Sequencer::create(&venue.store(), genesis(Shape::TINY));
    assert!(matches!(exists, Err(Error::Exists(_))));
    let other = venue.folder.path().join("other");
    let mut foreign = genesis(Shape::TINY);
    foreign.chain_id += 1;
    let mut lacking = genesis(Shape::TINY);
    lacking.snapshot.accounts.remove(&fee_index());
    let endless = genesis(Shape { trades: usize::MAX, ..Shape::TINY });
    let rootless = genesis(Shape { nodes: 0, ..Shape::TINY });
    for wrong in [foreign, lacking, endless, rootless] {
        assert!(matches!(Sequencer::create(&other, wrong), Err(Error::Configuration(_))));
        assert!(!other.exists());
    }
    let text = serde_json::to_string(&genesis(Shape::TINY)).unwrap();
    let read: Genesis = serde_json::from_str(&text).unwrap();
    Sequencer::create(&other, read).unwrap();
    let missing =
        Sequencer::open(&venue.folder.path().join("none"), zkmargin_sequencer::Access::Read);
    assert!(matches!(missing, Err(Error::Missing(_))));
}
