//! Twin of `protocol::operation::deposit`.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::{Account, BOOK_BITS};
use zkmargin_protocol::crypto::cipher as protocol_cipher;
use zkmargin_protocol::operation::deposit::DepositRow;
use zkmargin_protocol::value::units::{ACCOUNT_BITS, CASH_BITS};

use crate::crypto::cipher;
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::{enforce_nonzero_if, is_zero};
use crate::gadgets::integer::Uint;
use crate::value::packing::pack;
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

/// One deposit.
pub struct DepositVar {
    /// Whether the row is in use.
    pub is_active: Bool<Fr>,
    /// Account named, 24 bits.
    pub account: Wire,
    /// Key x, key y, view key and book of that account; `argument` looks them up.
    pub found: [Wire; 4],
    /// Whether the batch opens the account; `argument` looks that up too.
    pub is_opening: Bool<Fr>,
    /// Cash credited; 0 in padding and of a deposit that goes back.
    pub credited: Wire,
    /// Words of the statement; 0 in padding.
    pub words: Vec<Wire>,
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
        let named = [x, y, view_commitment, book.lc().clone()];
        cs.under(Rule::Range, |cs| {
            enforce_nonzero_if(cs, "amount is positive", amount.lc(), &is_active);
        });
        let (found, is_opening) = find(cs, input, &is_refused, &named);
        let is_credited = is_refused.not(cs).and(cs, &is_active);
        let credited = cs.product("cash credited", is_credited.lc(), amount.lc());
        let one = cs.one();
        // is used (1) ‖ account (24) ‖ book (5) ‖ amount (64) ‖ is refused (1)
        let packed = pack(&[
            (&one, 1),
            (account.lc(), ACCOUNT_BITS),
            (&named[3], BOOK_BITS),
            (amount.lc(), CASH_BITS),
            (is_refused.lc(), 1),
        ]);
        let [x, y, view_commitment, _] = &named;
        let words = [&packed, x, y, view_commitment]
            .map(|word| cs.product("deposit word", is_active.lc(), word));
        let account = account.lc().clone();
        Self { is_active, account, found, is_opening, credited, words: words.to_vec() }
    }

    /// What the transcript absorbs beside the statement: the keys found; the book found (5) ‖
    /// whether it is opened (1) ‖ account (24), which the statement does not have in padding.
    pub fn absorbed(&self) -> [Wire; 4] {
        let [x, y, view_key, book] = self.found.clone();
        let account = (&self.account, ACCOUNT_BITS);
        [x, y, view_key, pack(&[(&book, BOOK_BITS), (self.is_opening.lc(), 1), account])]
    }
}

/// The keys and book found, which are those named unless the deposit goes back; then its account
/// was there before the batch, for an account is opened by what is credited. A deposit names a view
/// key by its commitment, so that of the key found is computed.
fn find(
    cs: &mut Cs,
    input: Option<&DepositInput>,
    is_refused: &Bool<Fr>,
    named: &[Wire; 4],
) -> ([Wire; 4], Bool<Fr>) {
    cs.under(Rule::DepositKey, |cs| {
        let found = input.map(|input| &input.found);
        let point = found.map(|account| account.key.point());
        let view_key = found.map(|account| account.view_key);
        let [x, y, view_key] =
            [point.map(|p| p.x), point.map(|p| p.y), view_key].map(Option::unwrap_or_default);
        let [x, y, view_key] = [x, y, view_key].map(|value| cs.argued("key found", value));
        let commitment = cipher::view_commitment(cs, &view_key);
        let book = found.map_or(0, |account| account.book.bits().into());
        let book = Uint::witness(cs, "book found", book, BOOK_BITS);
        let mut are_equal = cs.one();
        for (found, named) in [&x, &y, &commitment, book.lc()].into_iter().zip(named) {
            let is_equal = is_zero(cs, &found.minus(named));
            are_equal = cs.product("keys found are those named", &are_equal, is_equal.lc());
        }
        cs.enforce_equal("credited under these keys", &are_equal, is_refused.not(cs).lc());
        let is_opening = input.is_some_and(|input| input.is_opening);
        let is_opening = Bool::witness(cs, "deposit opens its account", is_opening);
        let zero = cs.zero();
        cs.enforce("refused of an account there before", is_refused.lc(), is_opening.lc(), &zero);
        ([x, y, view_key, book.lc().clone()], is_opening)
    })
}
