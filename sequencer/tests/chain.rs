//! What comes from L1: deposits and forced requests.

mod support;

use support::*;

use zkmargin_fixtures::build::account_index;
use zkmargin_fixtures::keys::trader_key;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::deposit::Deposit;
use zkmargin_protocol::operation::forced::reduction::Reduction;
use zkmargin_protocol::operation::forced::{ForcedAction, ForcedRequest};
use zkmargin_protocol::value::units::ForcedQuantity;
use zkmargin_sequencer::{ForcedNotice, Sequencer, Source};

#[test]
fn deposit_is_credited_once_a_reference() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    let notice = deposit_line("0xabc:1", deposit(2, 5));
    let first = answer_to(&mut sequencer, Source::Chain, notice.clone(), at(1));
    let again = answer_to(&mut sequencer, Source::Chain, notice, at(2));
    assert_eq!(first, again);
    let other =
        answer_to(&mut sequencer, Source::Chain, deposit_line("0xabc:1", deposit(2, 6)), at(2));
    assert_eq!(other["rule"], "ChainReference", "{other}");
    // The same amount under another reference is another deposit.
    answer_to(&mut sequencer, Source::Chain, deposit_line("0xabc:2", deposit(2, 5)), at(2));
    assert_eq!(balance(&sequencer, 2), 1_000_010_000_000);
}

#[test]
fn deposit_that_its_account_cannot_take_goes_back_in_a_batch_after_the_account_was_there() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    let strange = |index: u32| {
        let key = trader_key(account_index(77)).public();
        deposit_line(&format!("strange:{index}"), Deposit { key, ..deposit(index, 5) })
    };
    // Account 2 is opened in the batch under way, so what it cannot take waits for the next one.
    let answers = submit(&mut sequencer, Source::Chain, &[strange(2)], at(1));
    let [sealed, first] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(sealed["sealed"], 0);
    assert_eq!(first["is_returned"], true, "{first}");
    assert_eq!(answer_to(&mut sequencer, Source::Chain, strange(2), at(2)), *first);
    assert_eq!(balance(&sequencer, 2), 1_000_000_000_000);
    let opened = answer_to(&mut sequencer, Source::Chain, deposit_line("9", deposit(9, 1)), at(2));
    let answers = submit(&mut sequencer, Source::Chain, &[strange(9)], at(2));
    let [sealed, returned] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(sealed["sealed"], opened["batch"]);
    assert_eq!(returned["is_returned"], true, "{returned}");
    assert_eq!(balance(&sequencer, 9), 1_000_000);
    drop(sequencer);
    assert_eq!(venue.open().status().pending, 1);
}

/// A line of L1 that says what an account's owner has forced.
fn forced_line(reference: &str, account: u32, action: ForcedAction) -> String {
    let forced = ForcedRequest { account: account_index(account), action };
    let notice = ForcedNotice { reference: reference.to_owned(), forced };
    serde_json::to_string(&notice).expect("a notice")
}

#[test]
fn forced_request_closes_a_batch_in_which_its_account_has_signed() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    let withdrawn = forced_line("f:1", 2, ForcedAction::Withdrawal { amount: cash(7_000_000) });
    let signed = line(&sign_request(request(2, paid_out(1_000_000), 0)));
    let paid = answer_to(&mut sequencer, Source::Public, signed, at(1));
    let answers = submit(&mut sequencer, Source::Chain, std::slice::from_ref(&withdrawn), at(1));
    let [sealed, first] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(sealed["sealed"], paid["batch"]);
    assert_eq!(first["accepted"], true, "{first}");
    assert_eq!(answer_to(&mut sequencer, Source::Chain, withdrawn, at(2)), *first);
    assert_eq!(balance(&sequencer, 2), 1_000_000_000_000 - 8_000_000);
    // What the account signs waits for the batch after, and a reference says one thing.
    let signed = line(&sign_request(request(2, paid_out(1_000_000), 1)));
    let answers = submit(&mut sequencer, Source::Public, &[signed], at(2));
    assert_eq!(answers.len(), 2, "{answers:?}");
    let other = forced_line("f:1", 3, ForcedAction::CancelAll);
    let other = answer_to(&mut sequencer, Source::Chain, other, at(2));
    assert_eq!(other["rule"], "ChainReference", "{other}");
    let unknown = forced_line("f:2", 99, ForcedAction::CancelAll);
    let unknown = submit(&mut sequencer, Source::Chain, &[unknown], at(2));
    let unknown = unknown.last().expect("an answer");
    assert_eq!(unknown["rule"], "AccountExists", "{unknown}");
    let public = ForcedRequest { account: account_index(3), action: ForcedAction::CancelAll };
    let public = line(&Operation::Forced(public));
    let public = answer_to(&mut sequencer, Source::Public, public, at(2));
    assert_eq!(public["rule"], "Malformed", "{public}");
    drop(sequencer);
    venue.open().replay().expect("the log replays");
}

#[test]
fn cash_that_makes_a_refused_reduction_possible_closes_the_batch() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    answer_to(&mut sequencer, Source::Chain, deposit_line("9", deposit(9, 1)), at(1));
    submit(&mut sequencer, Source::Public, &trade_lines(1, 2), at(1));
    let instrument = instruments()[0].instrument;
    let forty = ForcedQuantity::new(40).expect("22 bits");
    let reduced = |reference| {
        let terms = Reduction { instrument, quantity: forty, counterparty: account_index(9) };
        forced_line(reference, 2, ForcedAction::Reduction(terms))
    };
    let held = |sequencer: &Sequencer| {
        [2, 9].map(|index| {
            let info = sequencer.account(account_index(index)).expect("a sound store");
            info.expect("an account").positions.quantity(instrument).get()
        })
    };
    // The trade that account 2 has signed closes the batch; one USDC of account 9 does not bear the
    // contracts.
    let answers = submit(&mut sequencer, Source::Chain, &[reduced("f:1")], at(2));
    assert_eq!(accepted(&answers).len(), 1, "{answers:?}");
    assert_eq!(held(&sequencer), [100, 0]);
    let more = deposit_line("9:2", deposit(9, 1_000_000));
    let answers = submit(&mut sequencer, Source::Chain, &[more], at(2));
    let [sealed, credited] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!((&sealed["operations"], &credited["accepted"]), (&1.into(), &true.into()));
    // Forced again it is honoured.
    answer_to(&mut sequencer, Source::Chain, reduced("f:2"), at(3));
    assert_eq!(held(&sequencer), [60, 40]);
    drop(sequencer);
    venue.open().replay().expect("the log replays");
}
