//! An account and its leaf. Spec: `docs/spec/account/account.md`.

pub mod auction;
pub mod margin;
pub mod nonce;
pub mod positions;
pub mod price_band;
pub mod reduction;
pub mod settlement;
pub mod standing;

use crate::Reject;
use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::account::auction::{AUCTION_BITS, Auction};
use crate::account::margin::{Margin, MarginMethod};
use crate::account::nonce::NonceWindow;
use crate::account::positions::Positions;
use crate::crypto::cipher::SECRET_WORDS;
use crate::crypto::domain::Tag;
use crate::crypto::eddsa::PublicKey;
use crate::crypto::poseidon;
use crate::market::Market;
use crate::value::decimal;
use crate::value::packing::{Layout, Value};
use crate::value::units::{
    AccountIndex, CASH_BITS, Cash, NONCE_BITS, TIER_BITS, Tier, UNDERLYING_BITS, Underlying,
};

/// Index of the insurance fund.
pub const INSURANCE_FUND: AccountIndex = AccountIndex::MIN;

/// Index of the account that receives fees.
pub fn fee_account() -> AccountIndex {
    AccountIndex::new(1).expect("1 is an account index")
}

/// What an account trades and how its margin is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// The one underlying traded.
    pub underlying: Underlying,
    /// How margin is computed.
    pub method: MarginMethod,
}

impl Book {
    /// underlying (4 bits) ‖ method (1 bit).
    pub fn bits(self) -> u8 {
        self.underlying.get() | (self.method.is_standard() as u8) << UNDERLYING_BITS
    }
}

/// Width in bits of [`Book::bits`].
pub const BOOK_BITS: u32 = UNDERLYING_BITS + 1;

/// A trader's margin account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Key that signs orders and requests.
    pub key: PublicKey,
    /// Key that hides the leaf and under which it is encrypted. The owner and the venue know it.
    #[serde(with = "decimal")]
    pub view_key: Fr,
    /// Underlying and margin method.
    pub book: Book,
    /// Cash balance.
    pub cash: Cash,
    /// Used nonces.
    pub nonces: NonceWindow,
    /// Option positions.
    pub positions: Positions,
    /// The auction the account is sold in; until it ends nothing the account signs is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auction: Option<Auction>,
    /// Tier of the fee schedule; it only ever rises.
    #[serde(default, skip_serializing_if = "is_first_tier")]
    pub tier: Tier,
}

fn is_first_tier(tier: &Tier) -> bool {
    *tier == Tier::MIN
}

/// The first of the words of a leaf that are encrypted on L1.
pub const STATUS: Layout<5> = Layout([
    ("cash", CASH_BITS),
    ("nonce base", NONCE_BITS),
    ("book", BOOK_BITS),
    ("auction", AUCTION_BITS),
    ("tier", TIER_BITS),
]);

impl Account {
    /// A new account without cash or positions, in the first tier.
    pub fn open(key: PublicKey, view_key: Fr, book: Book) -> Self {
        Self {
            key,
            view_key,
            book,
            cash: Cash::default(),
            nonces: NonceWindow::default(),
            positions: Positions::default(),
            auction: None,
            tier: Tier::MIN,
        }
    }

    /// [`STATUS`].
    pub fn status_word(&self) -> Fr {
        STATUS.pack([
            Value::Signed(self.cash.get()),
            self.nonces.base.get().into(),
            self.book.bits().into(),
            Auction::word(self.auction.as_ref()).into(),
            self.tier.get().into(),
        ])
    }

    /// The elements of the leaf that are encrypted on L1.
    pub fn secret_words(&self) -> [Fr; SECRET_WORDS] {
        let positions = self.positions.words();
        std::array::from_fn(|k| match k {
            0 => self.status_word(),
            1 => Fr::from(self.nonces.bits),
            _ => positions[k - 2],
        })
    }

    /// Poseidon of tag, key, view key and the secret words. The view key hides the words.
    pub fn leaf(&self) -> Fr {
        let point = self.key.point();
        let mut inputs = vec![Tag::Leaf.field(), point.x, point.y, self.view_key];
        inputs.extend(self.secret_words());
        poseidon::hash(&inputs)
    }
}

impl Market {
    /// Margin of an account by the rows, live or not.
    ///
    /// # Errors
    /// Those of [`margin::evaluate`].
    pub fn margin_of(&self, account: &Account) -> Result<Margin, Reject> {
        let positions = account.positions.iter();
        let method = account.book.method;
        margin::evaluate(account.cash, positions, self.rows(), self.parameters(), method)
    }
}
