//! Twin of `protocol::batch::statement`.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::statement::PLACE;
use zkmargin_protocol::crypto::cipher::SECRET_WORDS;
use zkmargin_protocol::crypto::domain::Tag;
use zkmargin_protocol::value::units::ACCOUNT_BITS;

use crate::account::AccountVar;
use crate::crypto::cipher;
use crate::crypto::poseidon;
use crate::gadgets::element::Element;
use crate::gadgets::integer::Uint;
use crate::ledger::two_sided::TwoSidedVar;
use crate::value::packing::{pack, pack_as};
use crate::{Cs, Wire};

/// [`PLACE`]; new leaf; encrypted leaf. Zero in padding.
pub fn account_words(cs: &mut Cs, account: &AccountVar) -> Vec<Wire> {
    cs.under(Rule::LeafCipher, |cs| {
        let (index, leaf, is_active) = (account.index(), account.new_leaf(), account.is_active());
        let view_key = account.new_keys().view_key();
        let cipher = cipher::encrypt(cs, view_key, index, leaf, account.secret_words());
        debug_assert_eq!(cipher.len(), SECRET_WORDS);
        // Index and leaf are zero in padding already.
        let place = pack_as(&PLACE, [index, is_active]);
        let mut words = vec![place.lc().clone(), leaf.lc().clone()];
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
    rows: &[TwoSidedVar],
) -> Vec<Vec<Wire>> {
    let first = accounts.len() - rows.len();
    for (words, row) in accounts[first..].iter_mut().zip(rows) {
        // Packed so by `account_words`.
        let place = Uint::new_unchecked(words[0].clone(), ACCOUNT_BITS + 1);
        let answer = row.forced().word(cs);
        words[0] = pack(&[&place, &answer]).lc().clone();
        cs.note_determined(&[&words[0]], &[&place, &answer]);
    }
    accounts
}

/// The public inputs: commitment, challenge point, and the words' polynomial at that point.
pub struct PublicVar {
    commitment: Element,
    point: Element,
    evaluation: Element,
}

impl PublicVar {
    /// Allocates `(C, r, y)`; `point` and the native evaluation come from the statement.
    pub fn new(cs: &mut Cs, commitment: Fr, point: Fr, evaluation: Fr) -> Self {
        Self {
            commitment: Element::new(cs.public_input(commitment)),
            point: Element::new(cs.public_input(point)),
            evaluation: Element::new(cs.public_input(evaluation)),
        }
    }

    /// `C` is the commitment to `words` and `y = Σ words_k · r^k`; returns `C`.
    pub fn enforce_statement(&self, cs: &mut Cs, words: &[Wire]) -> Element {
        cs.under(Rule::Statement, |cs| {
            let commitment = poseidon::sponge_hash(cs, Tag::Statement.field(), words);
            cs.enforce_equal("commitment to the words", &commitment, &self.commitment);
            let (last, front) = words.split_last().expect("a statement has a header");
            let mut sum = last.clone();
            for word in front.iter().rev() {
                sum = cs.product("Horner step", &sum, &self.point).plus(word);
            }
            cs.enforce_equal("evaluation of the words", &sum, &self.evaluation);
            Element::new(commitment)
        })
    }
}
