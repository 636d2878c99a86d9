//! Account rows: the leaf before and after, cash at its bounds, accounts that a batch opens.

use rand::Rng;
use rand::seq::SliceRandom;
use zkmargin_circuits::account::{AccountInput, AccountVar};
use zkmargin_fixtures::synthetic::{account, account_index, portfolio_book};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::nonce::NonceWindow;
use zkmargin_protocol::settlement::Settlement;
use zkmargin_protocol::units::{Cash, InstrumentIndex, Nonce, Quantity};

use super::draw::{agree, circuit, near, witness};

#[test]
fn agree_on_accounts() {
    agree(100, &[Rule::AccountExists], |rng| {
        let index = account_index(rng.gen_range(0..1 << 24));
        let [min, max] = [Cash::MIN, Cash::MAX].map(i128::from);
        let mut old = account(index, portfolio_book(1));
        let is_new = rng.gen_ratio(2, 3);
        // What an account opened by the batch must not start with, each alone.
        match rng.gen_range(0..8) {
            _ if !is_new => old.cash = Cash::try_from(near(rng, 0, min, max)).expect("clamped"),
            0 => old.cash = *[Cash::MIN, Cash::MAX].choose(rng).expect("two"),
            1 => old.nonces.base = Nonce::new(1).expect("a nonce"),
            2 => old.nonces = NonceWindow { bits: 1 << 63, ..NonceWindow::default() },
            3 => {
                let first = InstrumentIndex::of(old.book.underlying, 1).expect("a slot");
                let added = old.positions.add(old.book.underlying, first, Quantity::MIN);
                added.expect("a free slot");
            }
            _ => {}
        }
        let opened = Account::open(old.key, old.view_key, old.book);
        let is_sound = !is_new || old == opened;
        let new = Account {
            cash: Cash::try_from(near(rng, 0, min, max)).expect("clamped"),
            ..old.clone()
        };
        let leaves = [old.leaf(), new.leaf()];
        let mut cs = witness();
        let settlement = Settlement::default();
        let input =
            AccountInput { is_active: true, is_new, index, old, settlement, new, nonces_used: 0 };
        let var = AccountVar::new(&mut cs, &input);
        assert_eq!(var.new_leaf.value(), leaves[1]);
        let zero = 0u64.into();
        assert_eq!(var.old_leaf.value(), if is_new { zero } else { leaves[0] });
        [(!is_sound).then_some(Rule::AccountExists), circuit(&cs)]
    });
}
