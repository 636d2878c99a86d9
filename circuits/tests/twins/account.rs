//! Account rows: the leaf before and after, cash at its bounds, accounts that a batch opens, keys
//! that change.

mod margin;
mod nonce;
mod positions;
mod price_band;
mod reduction;
mod settlement;

use ark_bn254::Fr;
use ark_ff::Field;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use zkmargin_circuits::account::{AccountInput, AccountVar};
use zkmargin_circuits::gadgets::curve::PointVar;
use zkmargin_fixtures::build::{account, account_index, portfolio_book};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::account::nonce::NonceWindow;
use zkmargin_protocol::account::settlement::Settlement;
use zkmargin_protocol::crypto::babyjubjub::{BASE8, Point};
use zkmargin_protocol::operation::grant_tier::GrantTier;
use zkmargin_protocol::value::units::{Cash, InstrumentIndex, Nonce, Quantity, Tier};

use super::draw::{agree, circuit, near, witness};

fn tier(rng: &mut ChaCha8Rng) -> Tier {
    Tier::new(rng.gen_range(0..=Tier::MAX.get())).expect("2 bits")
}

#[test]
fn agree_on_accounts() {
    agree(200, &[Rule::FeeSchedule, Rule::AccountExists, Rule::AccountRequests], |rng| {
        let index = account_index(rng.gen_range(0..1 << 24));
        let [min, max] = [Cash::MIN, Cash::MAX].map(i128::from);
        let mut old = account(index, portfolio_book(1));
        let is_new = rng.gen_ratio(2, 3);
        // What an account opened by the batch must not start with, each alone.
        match rng.gen_range(0..8) {
            _ if !is_new => {
                old.cash = Cash::try_from(near(rng, 0, min, max)).expect("clamped");
                old.tier = tier(rng);
            }
            0 => old.cash = *[Cash::MIN, Cash::MAX].choose(rng).expect("two"),
            1 => old.nonces.base = Nonce::new(1).expect("a nonce"),
            2 => old.nonces = NonceWindow { bits: 1 << 63, ..NonceWindow::default() },
            3 => {
                let first = InstrumentIndex::of(old.book.underlying, 1).expect("a slot");
                let added = old.positions.add(old.book.underlying, first, Quantity::MIN);
                added.expect("a free slot");
            }
            4 => old.tier = Tier::MAX,
            _ => {}
        }
        let opened = Account::open(old.key, old.view_key, old.book);
        let is_sound = !is_new || old == opened;
        let mut new = Account {
            cash: Cash::try_from(near(rng, 0, min, max)).expect("clamped"),
            ..old.clone()
        };
        new.tier = if rng.gen_ratio(1, 3) { tier(rng) } else { old.tier };
        let is_rekeyed = rng.gen_ratio(1, 4);
        let other = account(account_index(7), old.book);
        match rng.gen_range(0..6) {
            0 => new.key = other.key,
            1 => new.view_key = other.view_key,
            _ => {}
        }
        let is_kept = (old.key, old.view_key) == (new.key, new.view_key);
        // The row asks for a request; that there is one is for the argument to judge.
        let grant = GrantTier { account: index, tier: new.tier };
        let judged = if new.tier != old.tier && grant.check(old.tier).is_err() {
            Some(Rule::FeeSchedule)
        } else if !is_sound {
            Some(Rule::AccountExists)
        } else {
            (!is_kept && !is_rekeyed).then_some(Rule::AccountRequests)
        };
        let leaves = [old.leaf(), new.leaf()];
        let mut cs = witness();
        let input = AccountInput {
            is_active: true,
            is_new,
            index,
            old,
            settlement: Settlement::default(),
            new,
            nonces_used: 0,
            is_rekeyed,
            is_cancelled: false,
            is_two_sided: false,
        };
        let var = AccountVar::new(&mut cs, &input);
        assert_eq!(var.new_leaf().value(), leaves[1]);
        let zero = 0u64.into();
        assert_eq!(var.old_leaf().value(), if is_new { zero } else { leaves[0] });
        [judged, circuit(&cs)]
    });
}

#[test]
fn forged_key_outside_the_subgroup_is_unsatisfied() {
    let key_valid = |point: &Point| {
        let mut cs = witness();
        cs.under(Rule::KeyValid, |cs| {
            PointVar::external(cs, "key", point).enforce_in_prime_subgroup(cs);
        });
        circuit(&cs)
    };
    assert_eq!(key_valid(&BASE8), None);
    let (x, y, one) = (BASE8.x, BASE8.y, Fr::ONE);
    for (x, y) in [(-x, -y), (Fr::from(0u64), one), (Fr::from(0u64), -one), (x, y + one)] {
        assert_eq!(key_valid(&Point { x, y }), Some(Rule::KeyValid), "({x}, {y})");
    }
}
