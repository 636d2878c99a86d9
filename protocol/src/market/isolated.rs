//! Margin of one contract short on its own. Spec: `docs/spec/account/margin.md#Standard`.

use crate::market::instrument::InstrumentSpec;
use crate::market::risk_parameters::IsolatedParameters;
use crate::pricing::black76::OptionKind;
use crate::pricing::fixed::mul_div_ceil;
use crate::value::units::{PPM, Price};
use crate::{Reject, Rule};

const SCALE: u128 = PPM as u128;

impl IsolatedParameters {
    /// Initial margin, mark included, rounded up once at the end: mark + F·max(initial − otm/F,
    /// minimum), otm = max(0, K − F) of a call, max(0, F − K) of a put; for a put at least
    /// `put_initial` times its maintenance.
    ///
    /// # Errors
    /// [`Rule::Range`] if it exceeds the largest price.
    pub fn initial(
        &self,
        spec: &InstrumentSpec,
        forward: Price,
        mark: Price,
    ) -> Result<Price, Reject> {
        let (f, k) = (u128::from(forward.get()), u128::from(spec.strike.get()));
        let out = match spec.kind {
            OptionKind::Call => k.saturating_sub(f),
            OptionKind::Put => f.saturating_sub(k),
        };
        let charge = (u128::from(self.initial_ppm) * f).saturating_sub(out * SCALE);
        let charge = charge.max(u128::from(self.initial_minimum_ppm) * f);
        let own = u128::from(mark.get()) * SCALE + charge;
        match spec.kind {
            OptionKind::Call => ceil(own, 1),
            OptionKind::Put => {
                let least =
                    self.maintenance_scaled(spec, forward, mark) * u128::from(self.put_initial_ppm);
                ceil((own * SCALE).max(least), SCALE)
            }
        }
    }

    /// Maintenance margin, mark included, rounded up once at the end: mark + share·F of a call,
    /// mark + max(share·F, share·mark) of a put.
    ///
    /// # Errors
    /// [`Rule::Range`] if it exceeds the largest price.
    pub fn maintenance(
        &self,
        spec: &InstrumentSpec,
        forward: Price,
        mark: Price,
    ) -> Result<Price, Reject> {
        ceil(self.maintenance_scaled(spec, forward, mark), 1)
    }

    /// Maintenance margin times 10^6, exact.
    fn maintenance_scaled(&self, spec: &InstrumentSpec, forward: Price, mark: Price) -> u128 {
        let (f, mark) = (u128::from(forward.get()), u128::from(mark.get()));
        let charge = match spec.kind {
            OptionKind::Call => u128::from(self.call_maintenance_ppm) * f,
            OptionKind::Put => {
                (u128::from(self.put_maintenance_ppm) * f).max(u128::from(self.put_mark_ppm) * mark)
            }
        };
        mark * SCALE + charge
    }
}

/// `⌈scaled / (10^6 · further)⌉` as a price.
fn ceil(scaled: u128, further: u128) -> Result<Price, Reject> {
    let units = mul_div_ceil(scaled, 1, SCALE * further).unwrap_or(u128::MAX);
    u32::try_from(units)
        .map_err(|_| Reject::new(Rule::Range, "isolated margin", units).at_most(Price::MAX))
        .and_then(Price::new)
}
