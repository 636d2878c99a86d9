use super::super::world::{BUYER, SELLER, World, index, moved};
use zkmargin_fixtures::build::{
    cancel_all, deposit, domain, portfolio_book, random_batch, rekey, signed_move, trade,
};
use zkmargin_fixtures::forge::forgeries;
use zkmargin_fixtures::keys::{trader_key, view_key};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::statement::account_words;
use zkmargin_protocol::batch::trace::{AccountRow, BatchTrace};
use zkmargin_protocol::crypto::cipher::decrypt;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::bid::{AuctionStep, Bid};

pub const RULE: Rule = Rule::AccountRequests;

/// Account whose development keys are asked for.
const OTHER: u32 = 9;

fn rekeyed(nonce: u64) -> Operation {
    rekey(index(BUYER), index(OTHER), nonce)
}

/// A request signed by the key of `signer`.
fn signed_by(operation: Operation, signer: u32) -> Operation {
    let Operation::Request(signed) = operation else { unreachable!("a request") };
    Operation::Request(signed.request.sign(&trader_key(index(signer)), domain()))
}

#[test]
fn accepts_new_keys_that_hold_from_the_next_batch_on() {
    let world = World::new();
    let paid = |nonce: u64| signed_move(index(BUYER), None, 1, nonce);
    let paid_by_new = |nonce: u64| signed_by(paid(nonce), OTHER);
    // The old key signs until the batch ends, before and after the request.
    let (next, trace) = world.play(&[paid(0), rekeyed(1), paid(2)]).expect("the old key");
    let buyer = &trace.accounts[0].new;
    assert_eq!(buyer.key, trader_key(index(OTHER)).public());
    assert_eq!(buyer.view_key, view_key(index(OTHER)));
    world.rejects(Rule::Signature, "the new key too early", &[rekeyed(1), paid_by_new(2)]);
    let later = World { state: next, ..world };
    later.accepts("the new key", &[paid_by_new(3)]);
    later.rejects(Rule::Signature, "the old key", &[paid(3)]);
    let back = signed_by(rekey(index(BUYER), index(BUYER), 3), OTHER);
    let (next, _) = later.play(&[back]).expect("the way back");
    World { state: next, ..later }.accepts("the first key again", &[paid(4)]);
}

#[test]
fn accepts_the_new_leaf_under_the_new_view_key() {
    let row = &World::new().accepts("rekey", &[rekeyed(0)]).accounts[0];
    let words = account_words(row);
    let cipher = words[2..].try_into().expect("ten words");
    let secret = decrypt(view_key(index(OTHER)), row.index, words[1], cipher);
    assert_eq!(secret, row.new.secret_words());
    assert_ne!(decrypt(view_key(index(BUYER)), row.index, words[1], cipher), secret);
}

#[test]
fn accepts_deposits_under_the_keys_of_before_the_batch() {
    let world = World::new();
    let before = deposit(index(BUYER), portfolio_book(1), 1_000_000);
    let Operation::Deposit(mut after) = before.clone() else { unreachable!("a deposit") };
    after.key = trader_key(index(OTHER)).public();
    after.view_key = view_key(index(OTHER));
    let after = Operation::Deposit(after);
    world.accepts("old keys", &[rekeyed(0), before.clone()]);
    world.rejects(Rule::DepositKey, "new keys", &[rekeyed(0), after.clone()]);
    let (state, _) = world.play(&[rekeyed(0)]).expect("a rekey");
    let later = World { state, ..world };
    later.accepts("new keys", &[after]);
    later.rejects(Rule::DepositKey, "old keys", &[before]);
}

#[test]
fn accepts_requests_of_an_account_that_the_batch_opens() {
    let opened = index(4);
    let list = [
        deposit(opened, portfolio_book(1), 5),
        rekey(opened, index(OTHER), 0),
        cancel_all(opened, 64, 7),
    ];
    let trace = World::new().accepts("opened, rekeyed, cancelled", &list);
    let row = &trace.accounts[0];
    assert_eq!((row.old.is_none(), row.new.nonces.base.get()), (true, 64));
    assert_eq!(row.new.key, trader_key(index(OTHER)).public());
}

#[test]
fn accepts_one_of_each_kind_and_rejects_account_requests_beyond() {
    let world = World::new();
    let cancelled = |nonce: u64| cancel_all(index(BUYER), 64, nonce);
    let of_another = rekey(index(SELLER), index(OTHER), 0);
    world.accepts("one of each", &[rekeyed(0), cancelled(1), of_another]);
    world.rejects(RULE, "two rekeys", &[rekeyed(0), rekeyed(1)]);
    world.rejects(RULE, "two cancel-alls", &[cancelled(0), cancelled(1)]);
    let (state, _) = world.play(&[rekeyed(0)]).expect("a rekey");
    let later = World { state, ..world };
    later.accepts("one a batch", &[signed_by(rekeyed(1), OTHER)]);
}

#[test]
fn rejects_nonce_of_anything_after_a_cancel_all() {
    let world = World::new();
    let cancelled = cancel_all(index(BUYER), 64, 0);
    let filled = trade(&world.draft(), [BUYER, SELLER].map(index), [1, 0]);
    let [paid] = moved(true, |m| m.request.nonce = zkmargin_protocol::value::units::Nonce::MIN);
    world.accepts("before", &[filled.clone(), cancelled.clone()]);
    for late in [filled, paid, rekeyed(1), signed_move(index(BUYER), None, 1, 64)] {
        world.rejects(Rule::Nonce, "after", &[cancelled.clone(), late]);
    }
    // Cash may still come in.
    let list = [cancelled, signed_move(index(SELLER), Some(index(BUYER)), 1, 0)];
    world.accepts("cash comes in", &list);
}

/// What of an account changed without the operations' doing: an auditor that shares no code with
/// the transition.
fn is_asked_for(trace: &BatchTrace, row: &AccountRow) -> bool {
    let actions = trace.requests.iter().map(|signed| &signed.request);
    let own = actions.filter(|request| request.account == row.index);
    let own: Vec<&Action> = own.map(|request| &request.action).collect();
    let rekeys: Vec<_> = own
        .iter()
        .filter_map(|action| match action {
            Action::Rekey { key, view_key } => Some((*key, *view_key)),
            _ => None,
        })
        .collect();
    let bases: Vec<_> = own
        .iter()
        .filter_map(|action| match action {
            Action::CancelAll { base } => Some(*base),
            _ => None,
        })
        .collect();
    let keys = |account: &Account| (account.key, account.view_key);
    let before = row.old.as_ref().map(keys).or_else(|| {
        let mut deposits = trace.deposits.iter().map(|row| &row.deposit);
        let deposit = deposits.find(|deposit| deposit.account == row.index)?;
        Some((deposit.key, deposit.view_key))
    });
    let window = row.new.nonces;
    let is_rekeyed = match rekeys[..] {
        [] => Some(keys(&row.new)) == before,
        [asked] => keys(&row.new) == asked,
        _ => false,
    };
    let is_cancelled = match bases[..] {
        [] => true,
        [asked] => (window.base, window.bits) == (asked, 0),
        _ => false,
    };
    let bids = own.iter().filter_map(|action| match action {
        Action::Bid(bid) => Some(bid),
        _ => None,
    });
    let is_filled = |bid: &Bid| {
        let sold = trace.accounts.iter().find(|other| other.index == bid.account);
        let step = sold.and_then(|sold| sold.step.as_ref());
        matches!(step, Some(AuctionStep::Bid(f)) if (f.bidder, &f.bid) == (row.index, bid))
    };
    is_rekeyed && is_cancelled && bids.into_iter().all(is_filled)
}

#[test]
fn accepts_random_batches_whose_keys_and_bases_are_those_asked_for() {
    let mut asked = 0;
    for seed in 0..80 {
        let trace = random_batch(seed, Shape::TINY);
        asked += trace.requests.iter().filter(|m| m.request.action.amount().is_none()).count();
        for row in &trace.accounts {
            assert!(is_asked_for(&trace, row), "seed {seed}, account {}", row.index);
        }
    }
    assert!(asked > 20, "the batches asked for changes: {asked}");
}

#[test]
fn rejects_account_requests_of_forged_batches() {
    let mut forged = 0;
    for forgery in forgeries().into_iter().filter(|forgery| forgery.rule == RULE) {
        forged += 1;
        let trace = &forgery.trace;
        let is_honest = trace.accounts.iter().all(|row| is_asked_for(trace, row));
        assert!(!is_honest, "{}", forgery.what);
    }
    assert!(forged >= 10, "keys, view keys, bases, doubles: {forged}");
}
