//! Twin of `protocol::deposit`.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::BOOK_BITS;
use zkmargin_protocol::cipher;
use zkmargin_protocol::deposit::Deposit;
use zkmargin_protocol::units::{ACCOUNT_BITS, CASH_BITS};

use crate::gadgets::boolean::Bool;
use crate::gadgets::integer::Uint;
use crate::packing::pack;
use crate::trade::enforce_nonzero_if;
use crate::{Cs, Wire};

/// One deposit.
pub struct DepositVar {
    /// Whether the row is in use.
    pub is_active: Bool<Fr>,
    /// Account credited, 24 bits.
    pub account: Wire,
    /// Underlying and method, 5 bits.
    pub book: Wire,
    /// Key, both coordinates.
    pub key: [Wire; 2],
    /// View-key commitment.
    pub view_commitment: Wire,
    /// Cash credited; 0 in padding.
    pub credited: Wire,
    /// Words of the statement; 0 in padding.
    pub words: Vec<Wire>,
}

impl DepositVar {
    /// Allocates a deposit; `None` is padding.
    pub fn new(cs: &mut Cs, deposit: Option<&Deposit>) -> Self {
        let zero = Fr::from(0u64);
        let is_active = Bool::witness(cs, "deposit row in use", deposit.is_some());
        let field = |f: fn(&Deposit) -> u64| deposit.map_or(0, |d| u128::from(f(d)));
        let index = field(|d| d.account.get().into());
        let account = Uint::external(cs, "credited account", index, ACCOUNT_BITS);
        let book = Uint::external(cs, "deposit book", field(|d| d.book.bits().into()), BOOK_BITS);
        let amount = field(|d| d.amount.get().max(0) as u64);
        let amount = Uint::external(cs, "deposit amount", amount, CASH_BITS - 1);
        let point = deposit.map(|d| d.key.point());
        let x = cs.external("deposit key", point.map_or(zero, |p| p.x));
        let y = cs.external("deposit key", point.map_or(zero, |p| p.y));
        let commitment = deposit.map_or(zero, |d| cipher::view_commitment(d.view_key));
        let view_commitment = cs.external("deposit view commitment", commitment);
        cs.under(Rule::Range, |cs| {
            enforce_nonzero_if(cs, "amount is positive", amount.lc(), &is_active);
        });
        let credited = cs.product("cash credited", is_active.lc(), amount.lc());
        let one = cs.one();
        // is used (1) ‖ account (24) ‖ book (5) ‖ amount (64)
        let packed = pack(&[
            (&one, 1),
            (account.lc(), ACCOUNT_BITS),
            (book.lc(), BOOK_BITS),
            (amount.lc(), CASH_BITS),
        ]);
        let words = [&packed, &x, &y, &view_commitment]
            .map(|word| cs.product("deposit word", is_active.lc(), word));
        Self {
            is_active,
            account: account.lc().clone(),
            book: book.lc().clone(),
            key: [x, y],
            view_commitment,
            credited,
            words: words.to_vec(),
        }
    }
}
