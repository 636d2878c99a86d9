//! What a forced reduction relies on of the account that takes the contracts.

use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::Book;
use zkmargin_protocol::value::packing::signed_field;
use zkmargin_protocol::value::units::{ACCOUNT_BITS, AccountIndex};

use crate::Cs;
use crate::account::margin::{MarginVar, WIDE_BITS};
use crate::account::{AccountVar, BookVar};
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::{is_equal, is_zero};
use crate::gadgets::element::Unranged;
use crate::gadgets::integer::{Uint, ranged};
use crate::value::packing::pack;

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
#[derive(Getters)]
pub struct CounterpartyVar {
    /// Index.
    index: Uint,
    /// Underlying and method.
    book: BookVar,
    /// Whether it was or is in auction.
    is_frozen: Bool,
    /// Whether all its slots are in use.
    is_full: Bool,
    /// How many of its spreads reach half of their width.
    wide: Uint,
    /// Excess over initial margin.
    excess: Unranged,
}

impl CounterpartyVar {
    pub(super) fn external(cs: &mut Cs, input: Option<&CounterpartyInput>) -> Self {
        let index = input.map_or(0, |input| input.index.get().into());
        let names = ["book of a counterparty", "method of a counterparty"];
        let excess = input.map_or(0, |input| input.excess_e12);
        let wide = input.map_or(0, |input| input.wide.into());
        let flag = |is_set: fn(&CounterpartyInput) -> bool| input.is_some_and(is_set);
        Self {
            index: ranged(cs, "counterparty", index, ACCOUNT_BITS),
            book: BookVar::external(cs, names, input.map(|input| input.book)),
            is_frozen: Bool::external(
                cs,
                "counterparty is in auction",
                flag(|input| input.is_frozen),
            ),
            is_full: Bool::external(cs, "counterparty is full", flag(|input| input.is_full)),
            wide: ranged(cs, "wide spreads of a counterparty", wide, WIDE_BITS),
            excess: Unranged::external(
                cs,
                "excess of a counterparty",
                signed_field(excess),
                Rule::ForcedReduction,
            ),
        }
    }

    /// Whether it takes no contracts of `account`, which has `margin`, whatever they are.
    pub(super) fn is_unavailable(
        &self,
        cs: &mut Cs,
        account: &AccountVar,
        margin: &MarginVar,
    ) -> Bool {
        let has_book = is_equal(cs, self.book.underlying(), account.book().underlying());
        let is_shut = self.is_frozen.or(cs, &self.is_full);
        let is_wide = is_zero(cs, &self.wide.plus(margin.wide())).not(cs);
        has_book.not(cs).or(cs, &is_shut).or(cs, &is_wide)
    }

    /// What the transcript absorbs besides index and excess.
    pub(super) fn availability(&self) -> Uint {
        availability(&self.book, [&self.is_frozen, &self.is_full], &self.wide)
    }

    /// What its row is asked for besides the excess.
    pub fn word(&self) -> Uint {
        word(&self.index, &self.availability())
    }
}

/// book (5) ‖ is in auction (1) ‖ is full (1) ‖ wide spreads (6).
pub fn availability(book: &BookVar, [is_frozen, is_full]: [&Bool; 2], wide: &Uint) -> Uint {
    pack(&[&book.word(), is_frozen, is_full, wide])
}

/// index (24) ‖ availability (13).
pub fn word(index: &Uint, availability: &Uint) -> Uint {
    pack(&[index, availability])
}
