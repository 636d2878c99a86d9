//! A seeded market: traders, market makers, liquidators, depositors, keepers and adversaries send
//! operations to batches, and an auditor that takes no verdict from the rules judges every one.
//! `docs/simulation.md` records its runs.
//!
//! Everything is a function of the seed: no clock, no other source of chance.
#![forbid(unsafe_code)]

pub mod agents;
pub mod audit;
mod coin;
pub mod desk;
pub mod feed;
pub mod invariants;
pub mod prove;
pub mod record;
pub mod run;
pub mod scale;
pub mod tally;
pub mod view;
pub mod world;
