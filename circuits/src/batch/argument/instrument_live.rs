//! Every instrument held is a row of the table. Spec:
//! `docs/spec/batch/argument.md#identity-of-InstrumentLive`.

use zkmargin_protocol::Rule;

use super::claims::InstrumentClaims;
use super::point::Point;
use super::tables::{BookSide, Tables};
use crate::{Cs, Wire, sum};

impl InstrumentClaims {
    /// The claims are the weighted sums over all slots, so every instrument held is a row of the
    /// table.
    pub fn enforce_holdings(
        &self,
        cs: &mut Cs,
        tables: &Tables,
        books: &[BookSide],
        point: &Point,
        mix: &Wire,
    ) {
        cs.under(Rule::InstrumentLive, |cs| {
            let rows: Vec<_> = books.iter().zip(&self.weights).collect();
            let slots = cs.rows("accounts", &rows, |cs, _, (side, weight)| {
                let mut fractions = Vec::new();
                for slot in side.slots {
                    let mixed =
                        cs.product("mixed holding", mix, slot.short()).plus(slot.quantity());
                    fractions.push(point.fraction(cs, &mixed, slot.instrument()));
                }
                cs.product("weighted holdings", weight, &sum(&fractions))
            });
            let mut claims = Vec::new();
            for (k, row) in tables.instruments.iter().enumerate() {
                let mixed = cs.product("mixed claim", mix, &self.short[k]).plus(&self.held[k]);
                let mixed = cs.product("claim of a row in use", row.is_active().lc(), &mixed);
                claims.push(point.fraction(cs, &mixed, row.instrument()));
            }
            let (slots, claims) = (sum(&slots), sum(&claims));
            cs.enforce_equal("positions held are rows of the table", &slots, &claims);
        });
    }
}
