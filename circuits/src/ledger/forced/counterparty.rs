//! What a forced reduction relies on of the account that takes the contracts.

use ark_bn254::Fr;
use zkmargin_protocol::account::{BOOK_BITS, Book};
use zkmargin_protocol::value::packing::signed_field;
use zkmargin_protocol::value::units::{ACCOUNT_BITS, AccountIndex, UNDERLYING_BITS};

use crate::account::margin::{MarginVar, WIDE_BITS};
use crate::account::{AccountVar, BookVar};
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::{is_equal, is_zero};
use crate::gadgets::integer::ranged;
use crate::value::packing::{Part, pack};
use crate::{Cs, Wire};

/// Width in bits of what a row says beside its index.
const STANDING_BITS: u32 = BOOK_BITS + 2 + WIDE_BITS;

/// A counterparty after the batch.
#[derive(Clone, Copy, Debug)]
pub struct CounterpartyInput {
    /// Index.
    pub index: AccountIndex,
    /// Underlying and method.
    pub book: Book,
    /// Whether it was or is in auction.
    pub is_frozen: bool,
    /// Whether all its slots are in use.
    pub is_full: bool,
    /// How many of its spreads reach half of their width.
    pub wide: u32,
    /// Excess over initial margin, 10^-12 USDC.
    pub excess_e12: i128,
}

/// A counterparty after the batch, zeros where there is none; `argument` finds it in its account's
/// row.
pub struct CounterpartyVar {
    /// Index, 24 bits.
    pub index: Wire,
    /// Underlying and method.
    pub book: BookVar,
    /// Whether it was or is in auction.
    pub is_frozen: Bool<Fr>,
    /// Whether all its slots are in use.
    is_full: Bool<Fr>,
    /// How many of its spreads reach half of their width, 6 bits.
    wide: Wire,
    /// Excess over initial margin, signed.
    pub excess: Wire,
}

impl CounterpartyVar {
    pub(super) fn external(cs: &mut Cs, input: Option<&CounterpartyInput>) -> Self {
        let index = input.map_or(0, |input| input.index.get().into());
        let underlying = input.map_or(0, |input| input.book.underlying.get().into());
        let is_standard = input.is_some_and(|input| input.book.method.is_standard());
        let excess = input.map_or(0, |input| input.excess_e12);
        Self {
            index: ranged(cs, "counterparty", index, ACCOUNT_BITS),
            book: BookVar {
                underlying: ranged(cs, "book of a counterparty", underlying, UNDERLYING_BITS),
                is_standard: Bool::external(cs, "method of a counterparty", is_standard),
            },
            is_frozen: Bool::external(
                cs,
                "counterparty is in auction",
                input.is_some_and(|input| input.is_frozen),
            ),
            is_full: Bool::external(
                cs,
                "counterparty is full",
                input.is_some_and(|input| input.is_full),
            ),
            wide: ranged(
                cs,
                "wide spreads of a counterparty",
                input.map_or(0, |input| input.wide.into()),
                WIDE_BITS,
            ),
            excess: cs.external("excess of a counterparty", signed_field(excess)),
        }
    }

    /// Whether it takes no contracts of `account`, which has `margin`, whatever they are.
    pub(super) fn is_unavailable(
        &self,
        cs: &mut Cs,
        account: &AccountVar,
        margin: &MarginVar,
    ) -> Bool<Fr> {
        let has_book = is_equal(cs, &self.book.underlying, &account.book.underlying);
        let is_shut = self.is_frozen.or(cs, &self.is_full);
        let is_wide = is_zero(cs, &self.wide.plus(&margin.wide)).not(cs);
        has_book.not(cs).or(cs, &is_shut).or(cs, &is_wide)
    }

    /// What the transcript absorbs beside index and excess.
    pub(super) fn part(&self) -> Part {
        let standing = standing(&self.book, [self.is_frozen.lc(), self.is_full.lc()], &self.wide);
        (standing, STANDING_BITS)
    }

    /// What its row is asked for beside the excess.
    pub fn word(&self) -> Wire {
        word(&self.index, &self.part().0)
    }
}

/// book (5) ‖ is in auction (1) ‖ is full (1) ‖ wide spreads (6).
pub fn standing(book: &BookVar, [is_frozen, is_full]: [&Wire; 2], wide: &Wire) -> Wire {
    pack(&[(&book.bits(), BOOK_BITS), (is_frozen, 1), (is_full, 1), (wide, WIDE_BITS)])
}

/// index (24) ‖ standing (13).
pub fn word(index: &Wire, standing: &Wire) -> Wire {
    pack(&[(index, ACCOUNT_BITS), (standing, STANDING_BITS)])
}
