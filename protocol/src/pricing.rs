//! Exact option prices, surfaces, scenarios. Spec: `docs/spec/pricing/prices.md`.

pub mod arbitrage;
pub mod black76;
pub mod fixed;
pub mod scenario;
pub mod shock;
pub mod surface;
