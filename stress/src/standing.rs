//! How an account stands between two tables, and whether its fall below zero could have been
//! avoided.

use std::collections::BTreeMap;

use zkmargin_protocol::value::units::AccountIndex;

use crate::bidders::Abstention;

/// How an account stood when the last round of a step was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Not below zero, and at maintenance margin or above it.
    Covered,
    /// In auction, and no liquidator bid, for this reason.
    NoBidder(Abstention),
    /// In auction while the oracle says that the market has jumped, so that nobody could buy.
    OutsideBand,
    /// In auction, and somebody would have bid again: as many rounds as there are were not enough.
    Unserved,
    /// Below maintenance margin and in no auction.
    NotStarted,
    /// Below zero already.
    Negative,
}

impl Standing {
    /// Whether the rounds left something undone for an account below maintenance margin and not
    /// below zero: an auction to start, one to start anew, a bid. If the account falls below zero
    /// before it covers its margin again, it could have been liquidated in time.
    pub fn is_undone(self) -> bool {
        use Abstention::NotForSale;
        matches!(self, Self::NoBidder(NotForSale) | Self::Unserved | Self::NotStarted)
    }

    /// All, in order.
    pub const ALL: [Self; 10] = [
        Self::Covered,
        Self::NoBidder(Abstention::Absent),
        Self::NoBidder(Abstention::NotForSale),
        Self::NoBidder(Abstention::NotWorthIt),
        Self::NoBidder(Abstention::NoCapital),
        Self::NoBidder(Abstention::NoSlots),
        Self::OutsideBand,
        Self::Unserved,
        Self::NotStarted,
        Self::Negative,
    ];
}

/// Numbers of accounts by how they stood.
pub type Counts = BTreeMap<Standing, usize>;

/// How every account stands, for the falls of the next step.
pub type Standings = BTreeMap<AccountIndex, Standing>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undone_are_starts_and_bids() {
        let listed: Vec<_> =
            Standing::ALL.into_iter().filter(|standing| standing.is_undone()).collect();
        let undone = [Standing::NoBidder(Abstention::NotForSale), Standing::Unserved];
        assert_eq!(listed, [undone.as_slice(), &[Standing::NotStarted]].concat());
        assert!(Standing::ALL.is_sorted());
    }
}
