//! Twin of `protocol::operation::bid`: what a bidder signed. What it takes and pays is in `sale`.

pub mod sale;

use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::market::auction_parameters::SHARE_BITS;
use zkmargin_protocol::operation::bid::{Fill, TERMS};
use zkmargin_protocol::value::units::{ACCOUNT_BITS, CASH_BITS};

use crate::gadgets::boolean::Bool;
use crate::gadgets::integer::{Int, Signed, Uint, ranged};
use crate::value::packing::{pack, pack_as};
use crate::{Cs, sum};

/// What the bidder signed.
#[derive(Getters)]
pub struct BidVar {
    /// Who bids.
    bidder: Uint,
    fraction_min: Uint,
    fraction_max: Uint,
    /// Most that the whole may cost.
    limit: Int,
}

impl BidVar {
    /// Allocates the terms of a bid, nobody's in a row without one; `argument` holds them against
    /// the bidder's request.
    pub fn external(cs: &mut Cs, fill: Option<&Fill>, is_bid: &Bool) -> Self {
        let (bidder, min, max, limit) = fill.map_or((0, 0, 0, 0), |fill| {
            let bid = &fill.bid;
            let [min, max] = [bid.fraction_min_ppm, bid.fraction_max_ppm].map(u64::from);
            (fill.bidder.get().into(), min, max, bid.limit.into())
        });
        let bid = Self {
            bidder: ranged(cs, "bidder", bidder, ACCOUNT_BITS),
            fraction_min: ranged(cs, "least fraction", min, SHARE_BITS),
            fraction_max: ranged(cs, "greatest fraction", max, SHARE_BITS),
            limit: Signed::external(cs, "bid limit", limit, CASH_BITS).int().clone(),
        };
        bid.enforce_of_bid(cs, is_bid);
        bid
    }

    /// Without a bid there is no bidder and no fraction: who takes the contracts of a forced
    /// reduction is then its counterparty, and nobody else.
    fn enforce_of_bid(&self, cs: &mut Cs, is_bid: &Bool) {
        cs.under(Rule::AuctionPhase, |cs| {
            // A sum of ranged numbers is zero only if each is.
            let terms = [&self.bidder, &self.fraction_min, &self.fraction_max];
            let terms = sum(terms.map(Uint::lc));
            let (is_other, zero) = (is_bid.not(cs), cs.zero());
            cs.enforce("a row without a bid names nobody", is_other.lc(), &terms, &zero);
        });
    }

    /// The terms, as the bidder's request names them.
    pub fn word(&self, cs: &Cs, account: &Uint) -> Uint {
        let limit = self.limit.offset(cs);
        pack_as(&TERMS, [account, &self.fraction_min, &self.fraction_max, &limit])
    }

    /// What the transcript absorbs: bidder (24) and the terms (104) ‖ `rest`.
    pub fn absorbed(&self, cs: &Cs, rest: &Uint) -> Uint {
        pack(&[&self.word(cs, &self.bidder), rest])
    }
}
