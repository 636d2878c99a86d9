//! Deposits from L1. Spec: `docs/spec/operation/operations.md#Deposit`.

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::account::{Account, BOOK_BITS, Book};
use crate::crypto::cipher;
use crate::crypto::eddsa::PublicKey;
use crate::value::decimal;
use crate::value::packing::Layout;
use crate::value::units::{ACCOUNT_BITS, AccountIndex, CASH_BITS, Cash};
use crate::{Reject, Rule};

/// Cash received on L1 for an account; opens the account if it does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deposit {
    /// Account credited.
    pub account: AccountIndex,
    /// The account's key.
    pub key: PublicKey,
    /// The account's view key; L1 sees its commitment only.
    #[serde(with = "decimal")]
    pub view_key: Fr,
    /// The account's book.
    pub book: Book,
    /// Amount, > 0.
    pub amount: Cash,
}

/// What a batch did with a deposit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepositRow {
    /// The deposit.
    pub deposit: Deposit,
    /// Whether it goes back on L1, for the account has other keys or another book.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_refused: bool,
}

impl DepositRow {
    /// The amount credited, micro-USDC.
    pub fn credited(&self) -> i128 {
        if self.is_refused { 0 } else { self.deposit.amount.into() }
    }
}

/// Words of the statement which one deposit takes.
pub const DEPOSIT_WORDS: usize = 4;

/// The first word of a deposit in the statement.
pub const WORD: Layout<5> = Layout([
    ("is used", 1),
    ("account", ACCOUNT_BITS),
    ("book", BOOK_BITS),
    ("amount", CASH_BITS),
    ("is refused", 1),
]);

impl Deposit {
    /// The amount is positive.
    ///
    /// # Errors
    /// [`Rule::Range`].
    pub fn check_terms(&self) -> Result<(), Reject> {
        if self.amount <= Cash::default() {
            let reject = Reject::new(Rule::Range, "amount deposited", self.amount);
            return Err(reject.at_least(1).of(self.account));
        }
        Ok(())
    }

    /// The deposit names the keys and book of the existing account.
    ///
    /// # Errors
    /// [`Rule::DepositKey`].
    pub fn check_key(&self, account: &Account) -> Result<(), Reject> {
        let names_account = self.key == account.key
            && self.view_key == account.view_key
            && self.book == account.book;
        if !names_account {
            let sentence = "the deposit names other keys or another book than the account has";
            return Err(Reject::because(Rule::DepositKey, sentence).of(self.account));
        }
        Ok(())
    }

    /// The deposit does not name the keys and book of the existing account.
    ///
    /// # Errors
    /// [`Rule::DepositKey`].
    pub fn check_strange(&self, account: &Account) -> Result<(), Reject> {
        match self.check_key(account) {
            Ok(()) => {
                let sentence = "the deposit names the account's keys and book and can be credited";
                Err(Reject::because(Rule::DepositKey, sentence).of(self.account))
            }
            Err(_) => Ok(()),
        }
    }

    /// [`WORD`]; then key x, key y, view-key commitment.
    pub fn words(&self, is_refused: bool) -> [Fr; DEPOSIT_WORDS] {
        let amount = self.amount.get().max(0) as u64;
        let packed = WORD.pack([
            true.into(),
            self.account.get().into(),
            self.book.bits().into(),
            amount.into(),
            is_refused.into(),
        ]);
        let point = self.key.point();
        [packed, point.x, point.y, cipher::view_commitment(self.view_key)]
    }
}
