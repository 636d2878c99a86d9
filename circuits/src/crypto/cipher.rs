//! Twin of `protocol::crypto::cipher`.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkmargin_protocol::crypto::cipher::{CIPHER_WIDTH, SECRET_WORDS};
use zkmargin_protocol::crypto::domain::Tag;

use crate::Cs;
use crate::crypto::poseidon::{self, Lane};
use crate::gadgets::element::Element;
use crate::gadgets::integer::Uint;

/// Commitment to a view key. L1 and signed rekeys name a view key by it.
pub fn view_commitment(cs: &mut Cs, view_key: &Element) -> Element {
    let tag = cs.constant(Tag::ViewKey.field());
    Element::new(poseidon::hash(cs, &[tag, view_key.lc().clone()]))
}

/// The key stream for one account's new leaf.
pub fn key_stream(cs: &mut Cs, view_key: &Element, account: &Uint, leaf: &Element) -> Vec<Element> {
    let mut state = vec![Lane::Constant(Fr::ZERO); CIPHER_WIDTH];
    state[0] = Lane::Constant(Tag::Cipher.field());
    state[1] = Lane::Wire(view_key.lc().clone());
    state[2] = Lane::Wire(account.lc().clone());
    state[3] = Lane::Wire(leaf.lc().clone());
    let state = poseidon::permute(cs, state);
    state[1..=SECRET_WORDS].iter().cloned().map(Element::new).collect()
}

/// The secret words of a leaf, encrypted.
pub fn encrypt(
    cs: &mut Cs,
    view_key: &Element,
    account: &Uint,
    leaf: &Element,
    words: &[Uint],
) -> Vec<Element> {
    let stream = key_stream(cs, view_key, account, leaf);
    words.iter().zip(&stream).map(|(word, key)| Element::new(word.plus(key))).collect()
}
