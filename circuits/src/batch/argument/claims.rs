//! What the instrument rows claim to be held of them. Spec:
//! `docs/spec/batch/argument.md#second-round-what-is-held-of-each-instrument`.

use std::collections::BTreeMap;

use ark_bn254::Fr;

use super::tables::{BookSide, Tables};
use crate::gadgets::element::Element;
use crate::{Cs, Wire};

/// What is held of each instrument, weighted by side of a book.
pub struct InstrumentClaims {
    /// `w^k` of side `k`, 0 in padding.
    pub weights: Vec<Element>,
    /// By instrument row: `Σ_k weight_k · quantity`.
    pub held: Vec<Element>,
    /// By instrument row: `Σ_k weight_k · short quantity`.
    pub short: Vec<Element>,
    /// By instrument row: `Σ_k weight_k · quantity settled`, over the account rows.
    pub settled: Vec<Element>,
}

impl InstrumentClaims {
    /// Row weights, and the claims; the claims are bound by [`Self::enforce_holdings`].
    pub fn new(cs: &mut Cs, tables: &Tables, books: &[BookSide], weight: &Wire) -> Self {
        let mut power = cs.one();
        let mut weights = Vec::new();
        for side in books {
            weights.push(Element::new(cs.product(
                "weight of a row in use",
                side.is_active,
                &power,
            )));
            power = cs.product("power of the weight", &power, weight);
        }
        let sums = hint_holdings(books, &weights);
        let gone = hint_settled(tables, &weights);
        let (mut held, mut short, mut settled) = (Vec::new(), Vec::new(), Vec::new());
        for row in &tables.instruments {
            let (is_active, instrument) = (row.is_active().value(), row.instrument().value());
            let found = sums.get(&instrument).filter(|_| is_active);
            let (long, written) = found.copied().unwrap_or_default();
            let gone = gone.get(&instrument).filter(|_| is_active).copied();
            held.push(Element::argued(cs, "weighted holding", long));
            short.push(Element::argued(cs, "weighted short holding", written));
            settled.push(Element::argued(
                cs,
                "weighted settled quantity",
                gone.unwrap_or_default(),
            ));
        }
        Self { weights, held, short, settled }
    }
}

/// Weighted sums of quantity and short quantity by instrument.
fn hint_holdings(books: &[BookSide], weights: &[Element]) -> BTreeMap<Fr, (Fr, Fr)> {
    let mut sums: BTreeMap<Fr, (Fr, Fr)> = BTreeMap::new();
    for (side, weight) in books.iter().zip(weights) {
        for slot in side.slots {
            let sum = sums.entry(slot.instrument().value()).or_default();
            sum.0 += weight.value() * slot.quantity().value();
            sum.1 += weight.value() * slot.short().value();
        }
    }
    sums
}

/// Weighted sums of settled quantity by instrument.
fn hint_settled(tables: &Tables, weights: &[Element]) -> BTreeMap<Fr, Fr> {
    let mut sums: BTreeMap<Fr, Fr> = BTreeMap::new();
    for (account, weight) in tables.accounts.iter().zip(weights) {
        for (slot, gone) in
            account.old_positions().slots().iter().zip(account.settlement().settled())
        {
            *sums.entry(slot.instrument().value()).or_default() += weight.value() * gone.value();
        }
    }
    sums
}
