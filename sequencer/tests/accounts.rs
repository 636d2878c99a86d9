//! Tiers, keys and cancellations of an account hold from the next batch on.

mod support;

use support::*;

use zkmargin_fixtures::build::account_index;
use zkmargin_fixtures::keys::{trader_key, view_key};
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::grant_tier::GrantTier;
use zkmargin_protocol::value::units::Tier;
use zkmargin_sequencer::Source;

#[test]
fn accepts_tiers_of_the_venue_alone_which_hold_from_the_next_batch_on() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    let grant = |account: u32, tier: u8| {
        let (account, tier) = (account_index(account), Tier::new(tier).unwrap());
        GrantTier { account, tier }
    };
    let text = |grant| serde_json::to_string(&grant).unwrap();
    let public = line(&Operation::GrantTier(grant(2, 1)));
    let answer = answer_to(&mut sequencer, Source::Public, public.clone(), at(1));
    assert_eq!(answer["accepted"], false, "{answer}");
    let answer = answer_to(&mut sequencer, Source::Venue, public, at(1));
    assert_eq!(answer["accepted"], false, "{answer}");
    let first = answer_to(&mut sequencer, Source::Venue, text(grant(2, 2)), at(1));
    assert_eq!(first["accepted"], true, "{first}");
    let again = answer_to(&mut sequencer, Source::Venue, text(grant(2, 2)), at(1));
    assert_eq!(first["sequence"], again["sequence"], "one grant");
    for (rule, refused) in [
        (Rule::FeeSchedule, grant(2, 1)),
        (Rule::FeeSchedule, grant(3, 0)),
        (Rule::AccountExists, grant(9, 1)),
    ] {
        let answer = answer_to(&mut sequencer, Source::Venue, text(refused), at(1));
        assert_eq!(answer["rule"], rule.name(), "{answer}");
    }
    sequencer.seal().unwrap();
    assert_eq!(sequencer.replay().unwrap().batches, 1);
    drop(sequencer);
    let account = venue.open().account(account_index(2)).unwrap().unwrap();
    assert_eq!(account.tier, Tier::new(2).unwrap());
}

#[test]
fn accepts_rekeys_and_cancel_alls_which_hold_from_the_next_batch_on() {
    let venue = Venue::open_for_trade(Shape::SMALL, 2);
    let mut sequencer = venue.open();
    let other = account_index(9);
    let rekey = Action::Rekey { key: trader_key(other).public(), view_key: view_key(other) };
    let cancel = Action::CancelAll { base: nonce(64) };
    let paid = |account: u32, number: u64| request(account, paid_out(1_000_000), number);
    let by_other = |number: u64| {
        let signed = paid(2, number).sign(&trader_key(other), domain().field());
        line(&Operation::Request(signed))
    };
    let by_own = |account: u32, number: u64| line(&sign_request(paid(account, number)));
    let mut answered = |text: &str, rule: Option<Rule>| {
        let answer = answer_to(&mut sequencer, Source::Public, text.to_owned(), at(1));
        assert_eq!(answer["accepted"], rule.is_none(), "{answer}");
        if let Some(rule) = rule {
            assert_eq!(answer["rule"], rule.name(), "{answer}");
        }
    };
    answered(&line(&sign_request(request(2, rekey.clone(), 0))), None);
    answered(&line(&sign_request(request(2, rekey, 1))), Some(Rule::AccountRequests));
    answered(&line(&sign_request(request(3, cancel, 0))), None);
    answered(&by_own(2, 2), None);
    answered(&by_other(3), Some(Rule::Signature));
    answered(&by_own(3, 1), Some(Rule::Nonce));
    drop(sequencer);
    let mut sequencer = venue.open();
    sequencer.seal().unwrap();
    let mut answered = |text: &str, is_accepted: bool| {
        let answer = answer_to(&mut sequencer, Source::Public, text.to_owned(), at(2));
        assert_eq!(answer["accepted"], is_accepted, "{answer}");
    };
    answered(&by_own(2, 4), false);
    answered(&by_other(5), true);
    answered(&by_own(3, 2), false);
    answered(&by_own(3, 64), true);
    assert_eq!(sequencer.replay().unwrap().batches, 1);
    // The store itself holds the new key.
    drop(sequencer);
    let account = venue.open().account(account_index(2)).unwrap().unwrap();
    let key = serde_json::to_value(trader_key(other).public()).unwrap();
    assert_eq!(serde_json::to_value(account).unwrap()["key"], key);
}
