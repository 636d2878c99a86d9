//! How large a world is.

use zkmargin_protocol::batch::shape::Shape;

use crate::feed::Listing;

/// How large a world is.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Traders beside fund and fee account.
    pub traders: u32,
    /// Options listed.
    pub listing: Listing,
    /// Rows of a batch.
    pub shape: Shape,
    /// Most operations tried in a batch.
    pub attempts: usize,
}

impl Scale {
    /// Two underlyings, sixteen options to come, batches of up to 160 operations.
    pub const WIDE: Self = Self {
        traders: 46,
        listing: Listing { underlyings: 2, expiries: 2, strikes: 2, interval_s: 14_400, calm: 40 },
        shape: Shape {
            trades: 96,
            requests: 64,
            deposits: 24,
            accounts: 48,
            two_sided: 24,
            nodes: 240,
            instruments: 48,
            instrument_nodes: 192,
        },
        attempts: 160,
    };
    /// The same with short batches and many jumps: time passes, and accounts get into auction.
    pub const STORM: Self =
        Self { listing: Listing { calm: 8, ..Self::WIDE.listing }, attempts: 40, ..Self::WIDE };
    /// A call and a put, batches of the tiny circuit.
    pub const NARROW: Self = Self {
        traders: 12,
        listing: Listing { underlyings: 1, expiries: 1, strikes: 1, interval_s: 7_200, calm: 6 },
        shape: Shape::TINY,
        attempts: 9,
    };
}
