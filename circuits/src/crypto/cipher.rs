//! Twin of `protocol::crypto::cipher`.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkmargin_protocol::crypto::cipher::{CIPHER_WIDTH, SECRET_WORDS};
use zkmargin_protocol::crypto::domain::Tag;

use crate::gadgets::poseidon::{self, Lane};
use crate::{Cs, Wire};

/// Commitment to a view key. L1 and signed rekeys name a view key by it.
pub fn view_commitment(cs: &mut Cs, view_key: &Wire) -> Wire {
    let tag = cs.constant(Tag::ViewKey.field());
    poseidon::hash(cs, &[tag, view_key.clone()])
}

/// The key stream for one account's new leaf.
pub fn key_stream(cs: &mut Cs, view_key: &Wire, account: &Wire, leaf: &Wire) -> Vec<Wire> {
    let mut state = vec![Lane::Constant(Fr::ZERO); CIPHER_WIDTH];
    state[0] = Lane::Constant(Tag::Cipher.field());
    state[1] = Lane::Wire(view_key.clone());
    state[2] = Lane::Wire(account.clone());
    state[3] = Lane::Wire(leaf.clone());
    let state = poseidon::permute(cs, state);
    state[1..=SECRET_WORDS].to_vec()
}

/// The secret words of a leaf, encrypted.
pub fn encrypt(
    cs: &mut Cs,
    view_key: &Wire,
    account: &Wire,
    leaf: &Wire,
    words: &[Wire],
) -> Vec<Wire> {
    let stream = key_stream(cs, view_key, account, leaf);
    words.iter().zip(&stream).map(|(word, key)| word.plus(key)).collect()
}
