//! The operator chooses a batch's time: an honest order that has expired is filled in a batch dated
//! before its expiry, once the next price is known.

use zkmargin_fixtures::data::market::{ORACLE_MAX_AGE_S, ORACLE_SKEW_S};
use zkmargin_protocol::Reject;
use zkmargin_protocol::pricing::black76::OptionKind;

use crate::coalition::ground::{Contract, Ground, START_S, Weather, instrument};
use crate::coalition::stage::{Deal, HONEST, OWN, Stage};
use crate::coalition::{Attack, Outcome, Parameter, Point};

/// Cash of the account that fills, micro-USDC.
const OWN_E6: i128 = 5_000_000_000_000;
/// Contracts, 1/1000.
const QUANTITY_E3: i64 = 100_000;

const FORWARD: Parameter =
    Parameter { name: "forward_ppm", range: [950_000, 1_050_000], first: 1_030_000 };
const STRIKE: Parameter = Parameter { name: "strike_permille", range: [700, 1_300], first: 1_000 };
/// 1 if the honest order sells, 0 if it buys.
const SELLS: Parameter = Parameter { name: "sells", range: [0, 1], first: 1 };
/// Seconds by which the batch of the fill is dated back behind the batch before it.
const BACK: Parameter = Parameter {
    name: "back_s",
    range: [0, (ORACLE_MAX_AGE_S + ORACLE_SKEW_S) as i64],
    first: (ORACLE_MAX_AGE_S + ORACLE_SKEW_S) as i64,
};

/// Fills late.
pub struct LateFill;

impl Attack for LateFill {
    fn name(&self) -> &'static str {
        "late-fill"
    }

    fn sentence(&self) -> &'static str {
        "The operator dates a batch back and fills an honest order that has expired."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![FORWARD, STRIKE, SELLS, BACK]
    }

    fn run(&self, ground: &Ground, point: &Point) -> Result<Outcome, Reject> {
        let strike_permille = point.get(&STRIKE);
        let call = Contract { expiry: 6, strike_permille, kind: OptionKind::Call };
        let mut stage = Stage::new(ground, &[call])?;
        stage.found(&[(OWN[0], OWN_E6)])?;
        let sells = point.get(&SELLS) == 1;
        let accounts = if sells { [OWN[0], HONEST] } else { [HONEST, OWN[0]] };
        let price = stage.row(0)?.mark;
        // The order expires within the first minute: `Stage::deal` signs for sixty seconds.
        let deal = Deal { accounts, instrument: instrument(0)?, quantity_e3: QUANTITY_E3, price };
        let fill = stage.deal(deal, 0)?;
        // A batch at the greatest age of the table: the order is stale by then.
        stage.pass(i64::from(ORACLE_MAX_AGE_S))?;
        stage.must(&[])?;
        stage.pass(-point.get(&BACK))?;
        stage.attempt(&[fill])?;
        let time_s = START_S + u64::from(ORACLE_MAX_AGE_S);
        stage.publish(Weather { time_s, forward_ppm: point.get(&FORWARD) })?;
        Outcome::of_money(&stage)
    }
}
