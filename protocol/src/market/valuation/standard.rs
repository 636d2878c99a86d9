//! Derive's standard margin in full, spreads included: the yardstick for the sum of isolated
//! margins that accounts are held to. No rule reads it. Spec:
//! `docs/spec/account/margin.md#Standard`.
//!
//! All amounts are exact integers in micro-USDC: quantity (1/1000) times price (1/1000).

use crate::market::instrument::InstrumentSpec;
use crate::pricing::black76::OptionKind;
use crate::value::units::{PPM, Price, Quantity};

/// A position and the margin of one contract short of it on its own, initial or maintenance.
#[derive(Clone, Copy, Debug)]
pub struct IsolatedPosition {
    /// The option; its underlying and expiry are those of the book.
    pub spec: InstrumentSpec,
    /// How much is held, negative if short.
    pub quantity: Quantity,
    /// Isolated margin of one contract.
    pub isolated: Price,
}

/// All positions of one underlying and expiry.
#[derive(Clone, Debug)]
pub struct StandardExpiry {
    /// Forward of the expiry.
    pub forward: Price,
    /// The positions.
    pub positions: Vec<IsolatedPosition>,
}

impl StandardExpiry {
    /// `Σ max(0, −q)·isolated`.
    pub fn isolated(&self) -> i128 {
        let short = |position: &IsolatedPosition| {
            (-i128::from(position.quantity)).max(0) * i128::from(position.isolated)
        };
        self.positions.iter().map(short).sum()
    }

    /// What the book pays its holder at `settlement`, negative if the holder pays.
    pub fn payoff(&self, settlement: Price) -> i128 {
        let one = |position: &IsolatedPosition| {
            i128::from(position.quantity) * i128::from(position.spec.payoff(settlement))
        };
        self.positions.iter().map(one).sum()
    }

    /// The largest loss at settlement, not below 0. It lies at 0 or at a strike, as payoffs are
    /// linear in between; above all strikes it grows without bound if more calls are short than
    /// long, which is charged as `unpaired_ppm`/10^6 forwards a call, rounded up.
    pub fn loss_max_ceil(&self, unpaired_ppm: u32) -> i128 {
        let strikes = self.positions.iter().map(|position| position.spec.strike);
        let prices = strikes.chain([Price::MIN]);
        let loss = prices.map(|price| -self.payoff(price)).fold(0, i128::max);
        let calls = self.positions.iter().filter(|held| held.spec.kind == OptionKind::Call);
        let calls: i128 = calls.map(|held| i128::from(held.quantity)).sum();
        let charge = (-calls).max(0) * i128::from(self.forward) * i128::from(unpaired_ppm);
        let ppm = i128::from(PPM);
        loss + (charge + ppm - 1).div_euclid(ppm)
    }

    /// The smaller of the two.
    pub fn requirement_ceil(&self, unpaired_ppm: u32) -> i128 {
        self.isolated().min(self.loss_max_ceil(unpaired_ppm))
    }
}

/// The cash an account of these books needs: no expiry covers another.
pub fn requirement_ceil(expiries: &[StandardExpiry], unpaired_ppm: u32) -> i128 {
    expiries.iter().map(|expiry| expiry.requirement_ceil(unpaired_ppm)).sum()
}
