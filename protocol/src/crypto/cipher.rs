//! Encryption of a leaf under the account's view key. Spec:
//! `docs/spec/crypto/cipher.md#LeafCipher`.
//!
//! The key stream is one Poseidon permutation over (tag, view key, account, new leaf). The leaf
//! hash is public and different for every content, so no key stream is ever used for two contents.
//! The view key in the leaf hides the content.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use crate::crypto::domain::Tag;
use crate::crypto::poseidon;
use crate::value::units::AccountIndex;

/// Elements of a leaf that change while the account trades, in the order they are encrypted:
/// the status word, the nonce bits, the eight position words.
pub const SECRET_WORDS: usize = 10;
/// Lanes of the key-stream permutation: one stays hidden, ten encrypt, one is spare.
pub const CIPHER_WIDTH: usize = SECRET_WORDS + 2;

/// Commitment to a view key. L1 and signed rekeys name a view key by it.
pub fn view_commitment(view_key: Fr) -> Fr {
    poseidon::hash(&[Tag::ViewKey.field(), view_key])
}

/// The key stream for one account's new leaf.
pub fn key_stream(view_key: Fr, account: AccountIndex, leaf: Fr) -> [Fr; SECRET_WORDS] {
    let mut state = [Fr::ZERO; CIPHER_WIDTH];
    state[0] = Tag::Cipher.field();
    state[1] = view_key;
    state[2] = Fr::from(account.get());
    state[3] = leaf;
    poseidon::permute(&mut state);
    std::array::from_fn(|k| state[k + 1])
}

/// The secret words of a leaf, encrypted.
pub fn encrypt(
    view_key: Fr,
    account: AccountIndex,
    leaf: Fr,
    words: [Fr; SECRET_WORDS],
) -> [Fr; SECRET_WORDS] {
    let stream = key_stream(view_key, account, leaf);
    std::array::from_fn(|k| words[k] + stream[k])
}

/// The inverse of [`encrypt`].
pub fn decrypt(
    view_key: Fr,
    account: AccountIndex,
    leaf: Fr,
    cipher: [Fr; SECRET_WORDS],
) -> [Fr; SECRET_WORDS] {
    let stream = key_stream(view_key, account, leaf);
    std::array::from_fn(|k| cipher[k] - stream[k])
}
