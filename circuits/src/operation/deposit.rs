//! Twin of `protocol::operation::deposit`.

use ark_bn254::Fr;
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::{Account, BOOK_BITS};
use zkmargin_protocol::crypto::cipher as protocol_cipher;
use zkmargin_protocol::operation::deposit::{DepositRow, WORD};
use zkmargin_protocol::value::units::{ACCOUNT_BITS, CASH_BITS};

use crate::crypto::cipher;
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::{enforce_nonzero_if, is_zero};
use crate::gadgets::element::Element;
use crate::gadgets::integer::Uint;
use crate::value::packing::{pack, pack_as};
use crate::{Cs, Wire};

/// What the witness of one deposit is made from.
#[derive(Clone, Debug)]
pub struct DepositInput {
    /// The deposit, and whether it goes back.
    pub row: DepositRow,
    /// The account it names, as it was before the batch or is opened.
    pub found: Account,
    /// Whether the batch opens the account.
    pub is_opening: bool,
}

/// What a deposit finds of the account it names; `argument` looks it up.
#[derive(Getters)]
pub struct FoundVar {
    /// Key x, key y and view key.
    keys: [Element; 3],
    /// Underlying and method.
    book: Uint,
    /// Whether the batch opens the account.
    is_opening: Bool,
}

/// One deposit.
#[derive(Getters)]
pub struct DepositVar {
    /// Whether the row is in use.
    is_active: Bool,
    /// Account named.
    account: Uint,
    /// What is found of that account.
    found: FoundVar,
    /// Cash credited; 0 in padding and of a deposit that goes back.
    credited: Uint,
    /// Words of the statement; 0 in padding.
    words: Vec<Wire>,
}

impl DepositVar {
    /// Allocates a deposit; `None` is padding.
    pub fn new(cs: &mut Cs, input: Option<&DepositInput>) -> Self {
        let deposit = input.map(|input| &input.row.deposit);
        let zero = Fr::from(0u64);
        let is_active = Bool::witness(cs, "deposit row in use", deposit.is_some());
        let index = deposit.map_or(0, |d| d.account.get().into());
        let account = Uint::external(cs, "credited account", index, ACCOUNT_BITS);
        let amount = deposit.map_or(0, |d| u128::from(d.amount.get().max(0) as u64));
        let amount = Uint::external(cs, "deposit amount", amount, CASH_BITS - 1);
        let is_refused = input.is_some_and(|input| input.row.is_refused);
        let is_refused = Bool::external(cs, "deposit is refused", is_refused);
        let book = deposit.map_or(0, |d| d.book.bits().into());
        let book = Uint::external(cs, "deposit book", book, BOOK_BITS);
        let point = deposit.map(|d| d.key.point());
        let x = cs.external("deposit key", point.map_or(zero, |p| p.x));
        let y = cs.external("deposit key", point.map_or(zero, |p| p.y));
        // The statement holds the commitment alone; in padding it is that of the view key 0.
        let view_key = deposit.map_or(zero, |d| d.view_key);
        let commitment = protocol_cipher::view_commitment(view_key);
        let view_commitment = cs.external("deposit view commitment", commitment);
        let named = NamedVar { keys: [x, y, view_commitment].map(Element::new), book };
        cs.under(Rule::Range, |cs| {
            enforce_nonzero_if(cs, "amount is positive", amount.lc(), &is_active);
        });
        let found = FoundVar::find(cs, input, &is_refused, &named);
        let is_credited = is_refused.not(cs).and(cs, &is_active);
        let credited = amount.only_if(cs, "cash credited", &is_credited);
        let is_used = Bool::constant(cs, true);
        let amount = amount.widened(CASH_BITS);
        let packed = pack_as(&WORD, [&is_used, &account, &named.book, &amount, &is_refused]);
        let [x, y, view_commitment] = &named.keys;
        let words = [packed.lc(), x.lc(), y.lc(), view_commitment.lc()]
            .map(|word| cs.product("deposit word", is_active.lc(), word));
        Self { is_active, account, found, credited, words: words.to_vec() }
    }

    /// What the transcript absorbs besides the statement: the keys found; the book found (5) ‖
    /// whether it is opened (1) ‖ account (24), which the statement does not have in padding.
    pub fn absorbed(&self) -> [Wire; 4] {
        let [x, y, view_key] = self.found.keys.each_ref().map(|key| key.lc().clone());
        let rest = pack(&[&self.found.book, &self.found.is_opening, &self.account]);
        [x, y, view_key, rest.lc().clone()]
    }
}

/// The keys and book that a deposit names: key x, key y and the commitment to the view key.
struct NamedVar {
    keys: [Element; 3],
    book: Uint,
}

impl FoundVar {
    /// The keys and book found, which are those named unless the deposit goes back; then its
    /// account was there before the batch, for an account is opened by what is credited. A deposit
    /// names a view key by its commitment, so that of the key found is computed.
    fn find(
        cs: &mut Cs,
        input: Option<&DepositInput>,
        is_refused: &Bool,
        named: &NamedVar,
    ) -> Self {
        cs.under(Rule::DepositKey, |cs| {
            let found = input.map(|input| &input.found);
            let point = found.map(|account| account.key.point());
            let view_key = found.map(|account| account.view_key);
            let keys = [point.map(|p| p.x), point.map(|p| p.y), view_key];
            let keys = keys.map(|key| Element::argued(cs, "key found", key.unwrap_or_default()));
            let [x, y, view_key] = &keys;
            let commitment = cipher::view_commitment(cs, view_key);
            let book = found.map_or(0, |account| account.book.bits().into());
            let book = Uint::witness(cs, "book found", book, BOOK_BITS);
            let [named_x, named_y, named_view] = &named.keys;
            let mut are_equal = cs.one();
            for (found, named) in [
                (x.lc(), named_x.lc()),
                (y.lc(), named_y.lc()),
                (commitment.lc(), named_view.lc()),
                (book.lc(), named.book.lc()),
            ] {
                let is_equal = is_zero(cs, &found.minus(named));
                are_equal = cs.product("keys found are those named", &are_equal, is_equal.lc());
            }
            let is_credited = is_refused.not(cs);
            cs.enforce_equal("credited under these keys", &are_equal, is_credited.lc());
            let is_opening = input.is_some_and(|input| input.is_opening);
            let is_opening = Bool::witness(cs, "deposit opens its account", is_opening);
            let (what, zero) = ("refused of an account there before", cs.zero());
            cs.enforce(what, is_refused.lc(), is_opening.lc(), &zero);
            Self { keys, book, is_opening }
        })
    }
}
