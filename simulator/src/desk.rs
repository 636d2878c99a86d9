//! What agents share: chance, keys, resting quotes, what was sent before.

use std::collections::{BTreeMap, VecDeque};

use ark_bn254::Fr;
use ark_ff::PrimeField;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use zkmargin_fixtures::keys::{trader_key, view_key};
use zkmargin_protocol::account::margin::MarginMethod;
use zkmargin_protocol::account::nonce::WINDOW;
use zkmargin_protocol::account::{Account, Book, INSURANCE_FUND, fee_account};
use zkmargin_protocol::crypto::eddsa::{PublicKey, SecretKey};
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::order::{Order, SignedOrder};
use zkmargin_protocol::operation::request::{Request, SignedRequest};
use zkmargin_protocol::value::units::{AccountIndex, Nonce, Time, Underlying};

use crate::audit::observation::Accounts;
use crate::view::View;

/// Operations remembered for those who send them again.
const HISTORY: usize = 64;

/// A signing key and a view key.
#[derive(Clone)]
pub struct Keys {
    /// Signs.
    pub secret: SecretKey,
    /// Reads.
    pub view: Fr,
}

/// A key and a message, shortened to 64 bits each: that the owner of the key has signed the
/// message.
pub type Signed = (u64, u64);

/// The short form of what `key` signed.
pub fn signed(key: &PublicKey, message: Fr) -> Signed {
    (key.point().x.into_bigint().0[0], message.into_bigint().0[0])
}

/// What agents share.
pub struct Desk {
    /// Chance.
    pub rng: ChaCha8Rng,
    /// Domain of signatures.
    pub domain: Fr,
    /// The accounts that trade, the last of each underlying being rich.
    pub roster: Vec<AccountIndex>,
    /// Underlyings.
    pub underlyings: u8,
    /// Keys in force.
    pub keys: BTreeMap<AccountIndex, Keys>,
    /// Quotes that wait for somebody.
    pub resting: VecDeque<SignedOrder>,
    /// Operations accepted of late.
    pub history: VecDeque<Operation>,
    /// Signatures of owners that the auditor has not been told of.
    pub signed: Vec<Signed>,
    /// Keys made so far, beside the first of each account.
    pub spare_keys: u32,
    /// Keys that were asked for and are not yet in force.
    pub offered: BTreeMap<PublicKey, Keys>,
}

impl Desk {
    /// A desk with `traders` accounts from number 2.
    pub fn new(rng: ChaCha8Rng, domain: Fr, traders: u32, underlyings: u8) -> Self {
        let roster: Vec<_> = (2..2 + traders).map(account_index).collect();
        let all = roster.iter().copied().chain([INSURANCE_FUND, fee_account()]);
        let keys =
            all.map(|index| (index, Keys { secret: trader_key(index), view: view_key(index) }));
        let keys = keys.collect();
        let (resting, history, signed, offered) = Default::default();
        Self {
            rng,
            domain,
            roster,
            underlyings,
            keys,
            resting,
            history,
            signed,
            spare_keys: 0,
            offered,
        }
    }

    /// The book of an account: underlyings in turn, every fourth with standard margin.
    pub fn book(&self, index: AccountIndex) -> Book {
        let underlying = (index.get() % u32::from(self.underlyings)) as u8 + 1;
        let is_standard = index.get() / u32::from(self.underlyings) % 4 == 3;
        Book {
            underlying: Underlying::new(underlying).expect("few underlyings"),
            method: if is_standard { MarginMethod::Standard } else { MarginMethod::Portfolio },
        }
    }

    /// Some element.
    pub fn pick<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        let place = self.rng.gen_range(0..list.len().max(1));
        list.get(place).copied()
    }

    /// Some account of the roster.
    pub fn anyone(&mut self) -> AccountIndex {
        let roster = std::mem::take(&mut self.roster);
        let found = self.pick(&roster).expect("a roster");
        self.roster = roster;
        found
    }

    /// Some account of the same underlying, now and then of any.
    pub fn fellow(&mut self, of: AccountIndex) -> AccountIndex {
        let underlying = self.book(of).underlying;
        loop {
            let found = self.anyone();
            if self.book(found).underlying == underlying || self.one_in(30) {
                return found;
            }
        }
    }

    /// One in `n`.
    pub fn one_in(&mut self, n: u32) -> bool {
        self.rng.gen_ratio(1, n)
    }

    /// A nonce free in the account's window: mostly the lowest.
    pub fn nonce(&mut self, account: &Account) -> Option<Nonce> {
        let free = (0..WINDOW).filter(|k| account.nonces.bits >> k & 1 == 0);
        let free: Vec<u64> = free.collect();
        let offset = if self.one_in(8) { self.pick(&free) } else { free.first().copied() };
        Nonce::new(account.nonces.base.get() + offset?).ok()
    }

    /// Signs an order by its owner's key.
    pub fn sign_order(&mut self, order: Order) -> Option<SignedOrder> {
        let keys = self.keys.get(&order.account)?;
        let message = order.message(self.domain);
        self.signed.push(signed(&keys.secret.public(), message));
        Some(SignedOrder { order, signature: keys.secret.sign(message) })
    }

    /// Signs a request by its owner's key.
    pub fn request(
        &mut self,
        view: &View,
        account: AccountIndex,
        action: Action,
    ) -> Option<Operation> {
        let nonce = self.nonce(view.accounts.get(&account)?)?;
        let expiry = later(view.time, self.rng.gen_range(0..3_600));
        self.sign_request(Request { account, action, nonce, expiry })
    }

    /// Signs a request by its owner's key.
    pub fn sign_request(&mut self, request: Request) -> Option<Operation> {
        let keys = self.keys.get(&request.account)?;
        let message = request.message(self.domain);
        self.signed.push(signed(&keys.secret.public(), message));
        let signature = keys.secret.sign(message);
        Some(Operation::Request(SignedRequest { request, signature }))
    }

    /// The keys which accounts have now that a batch has ended.
    pub fn take_keys(&mut self, accounts: &Accounts) {
        for (index, account) in accounts {
            if let Some(keys) = self.offered.get(&account.key) {
                self.keys.insert(*index, keys.clone());
            }
        }
        self.offered.clear();
    }

    /// Remembers an accepted operation.
    pub fn remember(&mut self, operation: &Operation) {
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(operation.clone());
    }

    /// A key nobody has had.
    pub fn spare(&mut self) -> Keys {
        self.spare_keys += 1;
        let index = account_index((1 << 23) + self.spare_keys % (1 << 22));
        Keys { secret: trader_key(index), view: view_key(index) }
    }
}

/// Account `index`, below 2^24.
pub fn account_index(index: u32) -> AccountIndex {
    AccountIndex::new(index).expect("an index below 2^24")
}

/// `seconds` after `time`.
pub fn later(time: Time, seconds: u64) -> Time {
    Time::new(time.get() + seconds).expect("a time of this age")
}
