//! What margin is computed from is what the table says. Spec:
//! `docs/spec/batch/argument.md#identity-of-MarginMatrix`.

use zkmargin_protocol::Rule;
use zkmargin_protocol::pricing::scenario::SCENARIOS;

use super::claims::InstrumentClaims;
use super::tables::{BookSide, Tables};
use crate::gadgets::integer::{Int, Uint};
use crate::{Cs, Wire, sum};

impl InstrumentClaims {
    /// Losses, mark values and short charges claimed by the accounts are those of the table.
    pub fn enforce_matrix(
        &self,
        cs: &mut Cs,
        tables: &Tables,
        books: &[BookSide],
        scenario: &Wire,
    ) {
        cs.under(Rule::MarginMatrix, |cs| {
            let mut powers = vec![cs.one()];
            for k in 0..SCENARIOS + 3 {
                powers.push(cs.product("power of the scenario point", &powers[k], scenario));
            }
            let rows: Vec<_> = books.iter().zip(&self.weights).collect();
            let accounts = cs.rows("accounts", &rows, |cs, _, (side, weight)| {
                let margin = side.margin;
                let (losses, floor) = (margin.losses(), margin.short_floor());
                let mut values: Vec<_> = losses.iter().map(Int::lc).collect();
                let [initial, maintenance] =
                    [margin.isolated_initial(), margin.isolated_maintenance()];
                values.extend([
                    margin.mark_value().lc(),
                    floor.lc(),
                    initial.lc(),
                    maintenance.lc(),
                ]);
                let value = inner_product(cs, &powers, &values);
                cs.product("weighted claims", weight, &value)
            });
            let rows: Vec<_> = (0..tables.instruments.len()).collect();
            let table = cs.rows("instruments", &rows, |cs, _, &k| {
                let row = &tables.instruments[k];
                let losses = row.losses().iter().map(Int::lc);
                let values: Vec<_> = losses.chain([row.mark().lc()]).collect();
                let per_unit = inner_product(cs, &powers[..=SCENARIOS], &values);
                let charges =
                    [row.short_minimum(), row.isolated_initial(), row.isolated_maintenance()];
                let charges = charges.map(Uint::lc);
                let per_short = inner_product(cs, &powers[SCENARIOS + 1..], &charges);
                let held = cs.product("value held", &self.held[k], &per_unit);
                let short = cs.product("charges of shorts", &self.short[k], &per_short);
                cs.product("value of a row in use", row.is_active().lc(), &held.plus(&short))
            });
            let (accounts, table) = (sum(&accounts), sum(&table));
            cs.enforce_equal("claims are the table's", &accounts, &table);
        });
    }
}

/// `Σ power_k · value_k`.
fn inner_product(cs: &mut Cs, powers: &[Wire], values: &[&Wire]) -> Wire {
    debug_assert_eq!(powers.len(), values.len());
    let products: Vec<_> = powers
        .iter()
        .zip(values)
        .map(|(power, value)| cs.product("weighted by scenario", power, value))
        .collect();
    sum(&products)
}
