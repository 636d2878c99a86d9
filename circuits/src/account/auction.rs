//! Twin of `protocol::account::auction`: the auction that a leaf holds.

use ark_bn254::Fr;
use zkmargin_protocol::account::auction::Auction;
use zkmargin_protocol::value::units::{CASH_BITS, TIME_BITS};

use crate::gadgets::boolean::Bool;
use crate::gadgets::integer::Uint;
use crate::value::packing::pack;
use crate::{Cs, Wire};

/// The auction of a leaf; zeros without one.
pub struct AuctionVar {
    /// When it started, 40 bits.
    pub start: Wire,
    /// Whether equity was not above zero then.
    pub is_insolvent: Bool<Fr>,
    /// Cash that bids have paid, or the deficit counted of an account without equity, 63 bits.
    pub reserve: Wire,
}

impl AuctionVar {
    /// The auction of a stored leaf.
    pub fn external(cs: &mut Cs, auction: Option<&Auction>) -> Self {
        let [start, is_insolvent, reserve] = Auction::parts(auction).map(|part| part.value);
        let start = Uint::external(cs, "old auction start", start, TIME_BITS);
        let is_insolvent = Bool::external(cs, "old auction is insolvent", is_insolvent == 1);
        let reserve = Uint::external(cs, "old auction reserve", reserve, CASH_BITS - 1);
        Self { start: start.lc().clone(), is_insolvent, reserve: reserve.lc().clone() }
    }

    /// The auction of a new leaf; `ledger::liquidation` says what it is.
    pub fn witness(cs: &mut Cs, auction: Option<&Auction>) -> Self {
        let [start, is_insolvent, reserve] = Auction::parts(auction).map(|part| part.value);
        let start = cs.witness("new auction start", Fr::from(start));
        let is_insolvent = cs.witness("new auction is insolvent", Fr::from(is_insolvent));
        let reserve = Uint::witness(cs, "new auction reserve", reserve, CASH_BITS - 1);
        let is_insolvent = Bool::new_unchecked(is_insolvent);
        Self { start, is_insolvent, reserve: reserve.lc().clone() }
    }

    /// The deficit counted of the account.
    pub fn counted(&self, cs: &mut Cs) -> Wire {
        cs.product("deficit of an auction", self.is_insolvent.lc(), &self.reserve)
    }

    /// start (40) ‖ is insolvent (1) ‖ reserve (63).
    pub fn word(&self) -> Wire {
        pack(&[
            (&self.start, TIME_BITS),
            (self.is_insolvent.lc(), 1),
            (&self.reserve, CASH_BITS - 1),
        ])
    }
}
