//! Twin of `protocol::account::auction`: the auction that a leaf holds.

use ark_bn254::Fr;
use derive_getters::Getters;
use zkmargin_protocol::account::auction::Auction;
use zkmargin_protocol::value::units::{CASH_BITS, TIME_BITS};

use crate::Cs;
use crate::gadgets::boolean::Bool;
use crate::gadgets::integer::Uint;
use crate::value::packing::pack;

/// The auction of a leaf; zeros without one.
#[derive(Getters)]
pub struct AuctionVar {
    /// When it started.
    start: Uint,
    /// Whether equity was not above zero then.
    is_insolvent: Bool,
    /// Cash that bids have paid, or the deficit counted of an account without equity.
    reserve: Uint,
}

impl AuctionVar {
    /// The auction of a stored leaf.
    pub fn external(cs: &mut Cs, auction: Option<&Auction>) -> Self {
        let [start, is_insolvent, reserve] = Auction::parts(auction).map(|part| part.value);
        let start = Uint::external(cs, "old auction start", start, TIME_BITS);
        let is_insolvent = Bool::external(cs, "old auction is insolvent", is_insolvent == 1);
        let reserve = Uint::external(cs, "old auction reserve", reserve, CASH_BITS - 1);
        Self { start, is_insolvent, reserve }
    }

    /// The auction of a new leaf. `ledger::liquidation` makes start and flag those of the old leaf,
    /// of the batch's time or nothing, which are ranged.
    pub fn witness(cs: &mut Cs, auction: Option<&Auction>) -> Self {
        let [start, is_insolvent, reserve] = Auction::parts(auction).map(|part| part.value);
        let start = cs.witness("new auction start", Fr::from(start));
        let start = Uint::new_unchecked(start, TIME_BITS);
        let is_insolvent = cs.witness("new auction is insolvent", Fr::from(is_insolvent));
        let reserve = Uint::witness(cs, "new auction reserve", reserve, CASH_BITS - 1);
        let is_insolvent = Bool::new_unchecked(is_insolvent);
        Self { start, is_insolvent, reserve }
    }

    /// The deficit counted of the account.
    pub fn counted(&self, cs: &mut Cs) -> Uint {
        self.reserve.only_if(cs, "deficit of an auction", &self.is_insolvent)
    }

    /// start (40) ‖ is insolvent (1) ‖ reserve (63).
    pub fn word(&self) -> Uint {
        pack(&[&self.start, &self.is_insolvent, &self.reserve])
    }
}
