//! The operator chooses epochs: it skips the table that says the price has left its band, and under
//! the next one it fills an honest order at the old price.

use zkmargin_protocol::Reject;
use zkmargin_protocol::pricing::black76::OptionKind;

use crate::coalition::ground::{Contract, Ground, START_S, Weather, instrument};
use crate::coalition::stage::{Deal, HONEST, OWN, Stage};
use crate::coalition::{Attack, Outcome, Parameter, Point};

/// Cash of the account that fills, micro-USDC.
const OWN_E6: i128 = 5_000_000_000_000;
/// Contracts, 1/1000.
const QUANTITY_E3: i64 = 100_000;
/// Seconds from a table to the next. The order is good for sixty.
const EPOCH_S: u64 = 20;

const FORWARD: Parameter =
    Parameter { name: "forward_ppm", range: [800_000, 1_200_000], first: 1_120_000 };
const STRIKE: Parameter = Parameter { name: "strike_permille", range: [700, 1_300], first: 1_000 };
/// 1 if the honest order sells, 0 if it buys.
const SELLS: Parameter = Parameter { name: "sells", range: [0, 1], first: 1 };

/// Skips an epoch.
pub struct SkippedEpoch;

impl Attack for SkippedEpoch {
    fn name(&self) -> &'static str {
        "skipped-epoch"
    }

    fn sentence(&self) -> &'static str {
        "The operator skips the table outside of the band and fills an honest order after it."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![FORWARD, STRIKE, SELLS]
    }

    fn run(&self, ground: &Ground, point: &Point) -> Result<Outcome, Reject> {
        let strike_permille = point.get(&STRIKE);
        let call = Contract { expiry: 6, strike_permille, kind: OptionKind::Call };
        let mut stage = Stage::new(ground, &[call])?;
        stage.found(&[(OWN[0], OWN_E6)])?;
        stage.must(&[])?;
        let sells = point.get(&SELLS) == 1;
        let accounts = if sells { [OWN[0], HONEST] } else { [HONEST, OWN[0]] };
        let price = stage.row(0)?.mark;
        let deal = Deal { accounts, instrument: instrument(0)?, quantity_e3: QUANTITY_E3, price };
        let fill = stage.deal(deal, 0)?;
        let forward_ppm = point.get(&FORWARD);
        // No batch is sealed under the first of the two tables.
        stage.publish(Weather { time_s: START_S + EPOCH_S, forward_ppm })?;
        stage.publish(Weather { time_s: START_S + 2 * EPOCH_S, forward_ppm })?;
        stage.attempt(&[fill])?;
        Outcome::of_money(&stage)
    }
}
