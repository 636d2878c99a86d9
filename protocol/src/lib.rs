//! The rules of zkmargin: types, units, encoding, hashing, trees, pricing, margin and transitions.
//!
//! Invariant: nothing in this crate does IO, reads a clock, starts a service or uses floating point.
#![forbid(unsafe_code)]

pub mod account;
mod account_change;
pub mod action;
pub mod arbitrage;
pub mod auction;
mod auction_parameters;
pub mod babyjubjub;
pub mod batch;
pub mod bid;
pub mod black76;
pub mod cipher;
pub mod custody;
pub mod decimal;
pub mod deposit;
pub mod domain;
pub mod eddsa;
pub mod fee_schedule;
pub mod fixed;
pub mod forced;
pub mod instrument;
pub mod isolated;
mod liquidation;
pub mod margin;
pub mod market;
pub mod nonce;
pub mod open_interest;
pub mod operation;
pub mod oracle;
pub mod order;
pub mod packing;
pub mod parameters;
pub mod poseidon;
pub mod positions;
pub mod price_band;
mod reading;
pub mod recipient;
pub mod reduction;
mod reject;
pub mod request;
pub mod risk_parameters;
pub mod risk_row;
pub mod risk_table;
mod rule;
pub mod scenario;
pub mod settlement;
pub mod settlement_price;
pub mod shape;
pub mod shock;
pub mod standing;
pub mod state;
pub mod statement;
pub mod surface;
pub mod trade;
pub mod transition;
pub mod tree;
pub mod units;
pub mod valuation;

pub use reject::Reject;
pub use rule::Rule;
