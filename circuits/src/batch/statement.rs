//! Twin of `protocol::batch::statement`.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::cipher::SECRET_WORDS;
use zkmargin_protocol::crypto::domain::Tag;
use zkmargin_protocol::value::units::ACCOUNT_BITS;

use crate::account::AccountVar;
use crate::crypto::cipher;
use crate::gadgets::poseidon;
use crate::ledger::forced::{ANSWER_BITS, ForcedVar};
use crate::value::packing::pack;
use crate::{Cs, Wire};

/// account (24) ‖ is used (1); new leaf; encrypted leaf. Zero in padding.
pub fn account_words(cs: &mut Cs, account: &AccountVar) -> Vec<Wire> {
    cs.under(Rule::LeafCipher, |cs| {
        let AccountVar { new_keys, index, new_leaf, secret_words, is_active, .. } = account;
        let cipher = cipher::encrypt(cs, &new_keys.view_key, index, new_leaf, secret_words);
        debug_assert_eq!(cipher.len(), SECRET_WORDS);
        // Index and leaf are zero in padding already.
        let place = pack(&[(index, ACCOUNT_BITS), (is_active.lc(), 1)]);
        let mut words = vec![place, new_leaf.clone()];
        for word in &cipher {
            words.push(cs.product("cipher word of a row in use", is_active.lc(), word));
        }
        words
    })
}

/// The words of all accounts, in the first of each two-sided one the answer to a forced request
/// above its 25 bits.
pub fn with_answers(
    cs: &mut Cs,
    mut accounts: Vec<Vec<Wire>>,
    forced: &[ForcedVar],
) -> Vec<Vec<Wire>> {
    let first = accounts.len() - forced.len();
    for (words, answer) in accounts[first..].iter_mut().zip(forced) {
        let (place, answer) = (words[0].clone(), answer.word(cs));
        words[0] = pack(&[(&place, ACCOUNT_BITS + 1), (&answer, ANSWER_BITS)]);
        cs.note_determined(&[&words[0]], &[&place, &answer]);
    }
    accounts
}

/// The public inputs: commitment, challenge point, and the words' polynomial at that point.
pub struct PublicVar {
    commitment: Wire,
    point: Wire,
    evaluation: Wire,
}

impl PublicVar {
    /// Allocates `(C, r, y)`; `point` and the native evaluation come from the statement.
    pub fn new(cs: &mut Cs, commitment: Fr, point: Fr, evaluation: Fr) -> Self {
        Self {
            commitment: cs.public_input(commitment),
            point: cs.public_input(point),
            evaluation: cs.public_input(evaluation),
        }
    }

    /// `C` is the commitment to `words` and `y = Σ words_k · r^k`; returns `C`.
    pub fn enforce_statement(&self, cs: &mut Cs, words: &[Wire]) -> Wire {
        cs.under(Rule::Statement, |cs| {
            let commitment = poseidon::sponge_hash(cs, Tag::Statement.field(), words);
            cs.enforce_equal("commitment to the words", &commitment, &self.commitment);
            let (last, front) = words.split_last().expect("a statement has a header");
            let mut sum = last.clone();
            for word in front.iter().rev() {
                sum = cs.product("Horner step", &sum, &self.point).plus(word);
            }
            cs.enforce_equal("evaluation of the words", &sum, &self.evaluation);
            commitment
        })
    }
}
