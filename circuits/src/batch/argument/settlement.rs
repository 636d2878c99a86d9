//! Settled positions are those of settled instruments, and are paid at their mark. Spec:
//! `docs/spec/batch/argument.md#identity-of-Settlement`.

use zkmargin_protocol::Rule;

use super::claims::InstrumentClaims;
use super::point::Point;
use super::tables::Tables;
use crate::{Cs, sum};

impl InstrumentClaims {
    /// What is settled is the whole of what was held of settled instruments and nothing else, at
    /// their mark.
    pub fn enforce_settlement(&self, cs: &mut Cs, tables: &Tables, point: &Point) {
        cs.under(Rule::Settlement, |cs| {
            let rows: Vec<_> = tables.accounts.iter().zip(&self.weights).collect();
            let rows = cs.rows("accounts", &rows, |cs, _, (account, weight)| {
                let settlement = account.settlement();
                let slots = account.old_positions().slots().iter().zip(settlement.settled());
                let fractions: Vec<_> =
                    slots.map(|(slot, gone)| point.fraction(cs, gone, slot.instrument())).collect();
                let gone = cs.product("weighted settled slots", weight, &sum(&fractions));
                (gone, cs.product("weighted settlement cash", weight, settlement.cash()))
            });
            let (slots, paid): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
            let (mut claims, mut due) = (Vec::new(), Vec::new());
            let zero = cs.zero();
            for (k, row) in tables.instruments.iter().enumerate() {
                let is_live = row.is_settled().not(cs);
                cs.enforce("nothing live is settled", &self.settled[k], is_live.lc(), &zero);
                let left = &self.held[k];
                cs.enforce("nothing settled is left", left, row.is_settled().lc(), &zero);
                let gone =
                    cs.product("settled of a row in use", row.is_active().lc(), &self.settled[k]);
                claims.push(point.fraction(cs, &gone, row.instrument()));
                due.push(cs.product("cash due", &gone, row.mark()));
            }
            let (slots, claims) = (sum(&slots), sum(&claims));
            cs.enforce_equal("positions settled are rows of the table", &slots, &claims);
            let (paid, due) = (sum(&paid), sum(&due));
            cs.enforce_equal("settled positions are paid at their mark", &paid, &due);
        });
    }
}
