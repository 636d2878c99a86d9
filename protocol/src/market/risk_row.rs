//! One instrument's row of the risk table: SPAN's risk array. Spec:
//! `docs/spec/market/risk_table.md#RiskRow`.

use std::collections::BTreeMap;

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::crypto::domain::Tag;
use crate::crypto::poseidon;
use crate::market::instrument::InstrumentSpec;
use crate::pricing::scenario::SCENARIOS;
use crate::value::packing::{pack, part, signed_part};
use crate::value::units::{InstrumentIndex, LOSS_BITS, Loss, PRICE_BITS, Price};

/// Rows of the risk table by instrument.
pub type RiskRows = BTreeMap<InstrumentIndex, RiskRow>;

/// Losses packed into one field element.
pub const LOSSES_PER_WORD: usize = 7;
/// Field elements holding the losses of a row.
pub const LOSS_WORDS: usize = SCENARIOS.div_ceil(LOSSES_PER_WORD);

/// Mark, losses and short charges of one contract, as the oracle's quorum signs them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskRow {
    /// Index in the registry.
    pub instrument: InstrumentIndex,
    /// Specification.
    pub spec: InstrumentSpec,
    /// Whether it has expired and `mark` is what a contract pays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_settled: bool,
    /// Mark price.
    pub mark: Price,
    /// Forward price of its expiry, which fees are a share of; the settlement price of one settled.
    pub forward: Price,
    /// Loss of one contract held long, by scenario.
    pub losses: Vec<Loss>,
    /// Least requirement of one contract short.
    pub short_minimum: Price,
    /// Initial margin of one contract short on its own, its mark included.
    pub isolated_initial: Price,
    /// Maintenance margin of one contract short on its own, its mark included.
    pub isolated_maintenance: Price,
}

impl RiskRow {
    /// Mark (32) ‖ short minimum (32) ‖ isolated initial (32) ‖ isolated maintenance (32) ‖ is
    /// settled (1) ‖ forward (32).
    pub fn price_word(&self) -> Fr {
        let prices =
            [self.mark, self.short_minimum, self.isolated_initial, self.isolated_maintenance];
        let [mark, short, initial, maintenance] = prices.map(|price| part(price.get(), PRICE_BITS));
        let [is_settled, forward] =
            [part(self.is_settled, 1), part(self.forward.get(), PRICE_BITS)];
        pack(&[mark, short, initial, maintenance, is_settled, forward])
    }

    /// Losses, seven to an element, each loss + 2^33 in 34 bits.
    ///
    /// # Panics
    /// If the row does not have [`SCENARIOS`] losses; tables are checked when they are read.
    pub fn loss_words(&self) -> [Fr; LOSS_WORDS] {
        assert_eq!(self.losses.len(), SCENARIOS, "one loss a scenario");
        std::array::from_fn(|word| {
            let end = SCENARIOS.min((word + 1) * LOSSES_PER_WORD);
            let losses = &self.losses[word * LOSSES_PER_WORD..end];
            let parts: Vec<_> =
                losses.iter().map(|loss| signed_part(loss.get(), LOSS_BITS)).collect();
            pack(&parts)
        })
    }

    /// Poseidon of tag, index, specification, price word and loss words.
    pub fn leaf(&self) -> Fr {
        let mut inputs = vec![
            Tag::RiskRow.field(),
            Fr::from(self.instrument.get()),
            self.spec.field(),
            self.price_word(),
        ];
        inputs.extend(self.loss_words());
        poseidon::hash(&inputs)
    }
}
