//! Twins: the native rule and its gadget on the same statement, random and at the bounds. Both must
//! give the same verdict, and where they refuse, for the same [`Rule`].
//!
//! Statements without signatures are judged by the pieces of a row that need none, which costs
//! microseconds and allows thousands; signatures take milliseconds and get hundreds.
//! `ZKMARGIN_TWINS=8` runs eight times as many.

mod twins {
    mod account;
    mod batch;
    mod coverage;
    mod draw;
    mod ledger {
        mod forced;
        mod liquidation;
        mod open_interest;
    }
    mod market {
        mod fee_schedule;
        mod oracle;
        mod parameters;
    }
    mod operation {
        mod deposit;
        mod order;
        mod request;
        mod trade;
    }
    mod value {
        mod custody;
    }
}
