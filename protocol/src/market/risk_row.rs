//! One instrument's row of the risk table: SPAN's risk array. Spec:
//! `docs/spec/market/risk_table.md#RiskRow`.

use std::collections::BTreeMap;

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::crypto::domain::Tag;
use crate::crypto::poseidon;
use crate::market::instrument::InstrumentSpec;
use crate::pricing::scenario::SCENARIOS;
use crate::value::packing::{Layout, pack, signed_part};
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

/// The prices of a row, and whether it is settled.
pub const PRICES: Layout<6> = Layout([
    ("mark", PRICE_BITS),
    ("short minimum", PRICE_BITS),
    ("isolated initial", PRICE_BITS),
    ("isolated maintenance", PRICE_BITS),
    ("is settled", 1),
    ("forward", PRICE_BITS),
]);

impl RiskRow {
    /// [`PRICES`].
    pub fn price_word(&self) -> Fr {
        PRICES.pack([
            self.mark.get().into(),
            self.short_minimum.get().into(),
            self.isolated_initial.get().into(),
            self.isolated_maintenance.get().into(),
            self.is_settled.into(),
            self.forward.get().into(),
        ])
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
