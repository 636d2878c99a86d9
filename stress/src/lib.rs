//! Crashes replayed through the rules of the protocol: `docs/stress.md`.
//!
//! A population of accounts trades options, prices fall as they once did, accounts below
//! maintenance margin are auctioned, liquidators bid while it pays and the insurance fund pays
//! while it can. Every step is a batch of the real rules under a table signed by the development
//! oracle. Nothing here depends on a clock or on chance beyond a seed.
#![forbid(unsafe_code)]

pub mod audit;
pub mod bidders;
pub mod error;
pub mod events;
pub mod feed;
pub mod keeper;
pub mod openings;
pub mod path;
pub mod plot;
pub mod population;
pub mod replay;
pub mod report;
pub mod settings;
pub mod smiles;
pub mod standing;
pub mod tally;
pub mod venue;

pub use error::StressError;
