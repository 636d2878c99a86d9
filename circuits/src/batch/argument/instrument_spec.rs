//! A trade has the specification and forward of its instrument. Spec:
//! `docs/spec/batch/argument.md#identity-of-InstrumentSpec`.

use zkmargin_protocol::Rule;

use super::multiplicities::Multiplicities;
use super::point::Point;
use super::tables::Tables;
use crate::gadgets::integer::Uint;
use crate::value::packing::pack;
use crate::{Cs, sum};

/// Every trade's specification and forward are those of its instrument.
pub fn enforce_specs(cs: &mut Cs, tables: &Tables, counts: &Multiplicities, point: &Point) {
    cs.under(Rule::InstrumentSpec, |cs| {
        let mut asked = Vec::new();
        for trade in &tables.trades {
            let fill = trade.fill();
            let key =
                point.compress(cs, &[&priced(fill.instrument(), fill.forward()), fill.spec()]);
            asked.push(point.fraction(cs, trade.fill().is_active().lc(), &key));
        }
        let mut found = Vec::new();
        for (row, count) in tables.instruments.iter().zip(&counts.trades) {
            let key = point.compress(cs, &[&priced(row.instrument(), row.forward()), row.spec()]);
            found.push(point.fraction_if(cs, row.is_active(), count.lc(), &key));
        }
        let (asked, found) = (sum(&asked), sum(&found));
        cs.enforce_equal("specifications are those of the table", &asked, &found);
    });
}

/// instrument (16) ‖ forward (32).
pub fn priced(instrument: &Uint, forward: &Uint) -> Uint {
    pack(&[instrument, forward])
}
