//! Twins: the native rule and its gadget on the same statement, random and at the bounds. Both must
//! give the same verdict, and where they refuse, for the same [`Rule`].
//!
//! Statements without signatures are judged by the pieces of a row that need none, which costs
//! microseconds and allows thousands; signatures take milliseconds and get hundreds.
//! `ZKMARGIN_TWINS=8` runs eight times as many.

mod twins {
    mod accounts;
    mod auction;
    mod batches;
    mod cash;
    mod coverage;
    mod custody;
    mod draw;
    mod fees;
    mod forced;
    mod forced_reduction;
    mod limits;
    mod margin;
    mod nonce;
    mod open_interest;
    mod oracle;
    mod positions;
    mod price_band;
    mod reduction;
    mod settlement;
    mod signatures;
}
