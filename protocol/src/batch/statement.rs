//! The public statement: one vector of words. Spec: `docs/spec/batch/statement.md`.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use crate::batch::shape::Shape;
use crate::batch::trace::{AccountRow, BatchTrace};
use crate::crypto::cipher;
use crate::crypto::cipher::SECRET_WORDS;
use crate::crypto::domain::Tag;
use crate::crypto::poseidon;
use crate::market::oracle::{EPOCH_BITS, OracleClock};
use crate::operation::action::Action;
use crate::operation::deposit::DEPOSIT_WORDS;
use crate::operation::recipient::RECIPIENT_BITS;
use crate::operation::request::SignedRequest;
use crate::value::custody::{Custody, TOTALS};
use crate::value::packing::{Layout, Value};
use crate::value::units::{ACCOUNT_BITS, CASH_BITS, NUMBER_BITS, TIME_BITS, Time};

/// Version of the statement; the first word.
pub const VERSION: u64 = 1;
/// Words of the header.
pub const HEADER_WORDS: usize = 14;
/// Words of one withdrawal.
pub const WITHDRAWAL_WORDS: usize = 1;
/// Words of one account: index, new leaf, encrypted leaf.
pub const ACCOUNT_WORDS: usize = 2 + SECRET_WORDS;

/// The header of the statement, in the order of its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Domain of signatures: chain, contract and version.
    pub domain: Fr,
    /// Account root before.
    pub old_root: Fr,
    /// Account root after.
    pub new_root: Fr,
    /// Root of the instrument registry.
    pub registry_root: Fr,
    /// Root of the risk table.
    pub risk_root: Fr,
    /// Epoch of the risk table.
    pub epoch: u64,
    /// Time of the risk table's data.
    pub oracle_time: Time,
    /// Time of the batch.
    pub time: Time,
    /// Number of the batch.
    pub number: u64,
    /// Hash of the oracle's members.
    pub signer_set: Fr,
    /// Hash of the parameters.
    pub parameters: Fr,
    /// Hash of the parameters of the batch before, zero at first.
    pub parameters_before: Fr,
    /// Whether a forward has left its band.
    pub is_outside_band: bool,
    /// Epoch and time of the risk table of the batch before.
    pub before: OracleClock,
    /// Cash held on L1 and deficits counted, before.
    pub custody: Custody,
    /// Deficits counted, after.
    pub deficit_after: i128,
    /// Open-interest root before.
    pub old_interest_root: Fr,
    /// Open-interest root after.
    pub new_interest_root: Fr,
}

/// When a batch and its market data are.
pub const TIMES: Layout<5> = Layout([
    ("epoch", EPOCH_BITS),
    ("oracle time", TIME_BITS),
    ("time", TIME_BITS),
    ("number", NUMBER_BITS),
    ("is outside of the band", 1),
]);

/// The market data of the batch before.
pub const CLOCK: Layout<2> = Layout([("epoch before", EPOCH_BITS), ("time before", TIME_BITS)]);

impl Header {
    /// The header's words.
    pub fn words(&self) -> [Fr; HEADER_WORDS] {
        let times = TIMES.pack([
            self.epoch.into(),
            self.oracle_time.get().into(),
            self.time.get().into(),
            self.number.into(),
            self.is_outside_band.into(),
        ]);
        let before = CLOCK.pack([self.before.epoch.into(), self.before.time.get().into()]);
        let totals = [self.custody.held(), self.custody.deficit(), self.deficit_after];
        let totals = TOTALS.pack(totals.map(|total| Value::Number(total.max(0) as u128)));
        [
            Fr::from(VERSION),
            self.domain,
            self.old_root,
            self.new_root,
            self.registry_root,
            self.risk_root,
            times,
            self.signer_set,
            self.parameters,
            before,
            totals,
            self.parameters_before,
            self.old_interest_root,
            self.new_interest_root,
        ]
    }
}

/// Words of a statement of `shape`: header, deposits, withdrawals, one-sided accounts, two-sided
/// accounts.
pub fn word_count(shape: &Shape) -> usize {
    HEADER_WORDS
        + shape.deposits * DEPOSIT_WORDS
        + shape.requests * WITHDRAWAL_WORDS
        + (shape.accounts + shape.two_sided) * ACCOUNT_WORDS
}

/// The word of a withdrawal.
pub const WITHDRAWAL: Layout<3> =
    Layout([("amount that leaves", CASH_BITS), ("recipient", RECIPIENT_BITS), ("is used", 1)]);

/// The first word of an account; of a two-sided one an answer stands above.
pub const PLACE: Layout<2> = Layout([("account", ACCOUNT_BITS), ("is used", 1)]);

/// [`WITHDRAWAL`] of a withdrawal, zero of other requests.
pub fn withdrawal_word(signed: &SignedRequest, custody: &Custody) -> Fr {
    let Action::Withdrawal { to, amount, .. } = signed.request.action else { return Fr::ZERO };
    // No part of a balance is negative.
    let leaving = Fr::from(custody.payout_floor(amount).get() as u64);
    leaving + to.field() * WITHDRAWAL.place(1) + WITHDRAWAL.place(2)
}

/// [`PLACE`]; new leaf; encrypted leaf.
pub fn account_words(row: &AccountRow) -> [Fr; ACCOUNT_WORDS] {
    let leaf = row.new.leaf();
    let secret = row.new.secret_words();
    let cipher = cipher::encrypt(row.new.view_key, row.index, leaf, secret);
    std::array::from_fn(|k| match k {
        0 => PLACE.pack([row.index.get().into(), true.into()]),
        1 => leaf,
        _ => cipher[k - 2],
    })
}

impl BatchTrace {
    /// The header of the batch's statement.
    pub fn header(&self) -> Header {
        let message = &self.attestation.message;
        Header {
            domain: self.domain,
            old_root: self.old_root,
            new_root: self.new_root,
            registry_root: message.registry_root,
            risk_root: message.risk_root,
            epoch: message.epoch,
            oracle_time: message.time,
            time: self.time,
            number: self.number,
            signer_set: self.oracle.hash(),
            parameters: self.parameters.hash(),
            parameters_before: self.parameters_before,
            is_outside_band: message.is_outside_band,
            before: self.before,
            custody: self.custody,
            deficit_after: self.deficit_after.into(),
            old_interest_root: self.old_interest_root,
            new_interest_root: self.new_interest_root,
        }
    }

    /// The whole statement; unused rows are zero.
    pub fn words(&self) -> Vec<Fr> {
        let shape = &self.shape;
        let mut words = self.header().words().to_vec();
        let deposits = self.deposits.iter();
        words.extend(deposits.flat_map(|row| row.deposit.words(row.is_refused)));
        words.resize(HEADER_WORDS + shape.deposits * DEPOSIT_WORDS, Fr::ZERO);
        words.extend(self.requests.iter().map(|signed| withdrawal_word(signed, &self.custody)));
        let first_account = word_count(shape) - (shape.accounts + shape.two_sided) * ACCOUNT_WORDS;
        words.resize(first_account, Fr::ZERO);
        words.extend(self.one_sided().flat_map(account_words));
        words.resize(first_account + shape.accounts * ACCOUNT_WORDS, Fr::ZERO);
        words.extend(self.two_sided().flat_map(|(row, _)| self.with_answer(row)));
        words.resize(word_count(shape), Fr::ZERO);
        words
    }

    /// The words of a two-sided account; in the first the answer to a forced request (129) follows.
    fn with_answer(&self, row: &AccountRow) -> [Fr; ACCOUNT_WORDS] {
        let mut words = account_words(row);
        if let Some(answer) = &row.answer {
            words[0] += answer.word(self.custody.payout_floor(answer.paid())) * PLACE.place(2);
        }
        words
    }
}

/// The commitment `C` to the words of a statement.
pub fn commitment(words: &[Fr]) -> Fr {
    poseidon::sponge_hash(Tag::Statement.field(), words)
}
