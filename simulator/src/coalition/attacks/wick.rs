//! A fall and a return: the deficit of the bankrupt half is counted while the price is down.

use zkmargin_protocol::Reject;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::value::units::PPM;

use crate::coalition::book::{self, Purse};
use crate::coalition::ground::{Contract, Ground, START_S, Weather};
use crate::coalition::stage::{OWN, of};
use crate::coalition::{Attack, Outcome, Parameter, Point};

/// Contracts, 1/1000.
const QUANTITY_E3: i64 = 100_000;
/// Seconds from a table to the next.
const EPOCH_S: u64 = 60;

const FORWARD: Parameter =
    Parameter { name: "forward_ppm", range: [600_000, 850_000], first: 720_000 };
const STRIKE: Parameter = Parameter { name: "strike_permille", range: [700, 1_300], first: 1_000 };
const EXPIRY: Parameter = Parameter { name: "expiry", range: [1, 11], first: 6 };
const SPARE: Parameter = Parameter { name: "spare_ppm", range: [0, 1_000_000], first: 0 };
const COUNTS: Parameter = Parameter { name: "counts", range: [1, 4], first: 1 };

/// Rides a wick.
pub struct Wick;

impl Attack for Wick {
    fn name(&self) -> &'static str {
        "wick"
    }

    fn sentence(&self) -> &'static str {
        "The fund pays a deficit that is counted in a wick, and the price returns."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![FORWARD, STRIKE, EXPIRY, SPARE, COUNTS]
    }

    fn run(&self, ground: &Ground, point: &Point) -> Result<Outcome, Reject> {
        let expiry = point.get(&EXPIRY).unsigned_abs() as usize;
        let strike_permille = point.get(&STRIKE);
        let put = Contract { expiry, strike_permille, kind: OptionKind::Put };
        let purse = Purse { spare_ppm: point.get(&SPARE), ..Purse::BARE };
        let mut stage = book::open(ground, &[(put, -QUANTITY_E3)], purse)?;
        let bankrupt = of(OWN[0]);
        let forward_ppm = point.get(&FORWARD);
        let mut time_s = START_S + EPOCH_S;
        stage.publish(Weather { time_s, forward_ppm })?;
        stage.attempt(&[Operation::StartAuction(bankrupt)])?;
        // A deeper fall before each further count.
        let step_ppm = (i64::from(PPM) - forward_ppm) / 10;
        for count in 0..point.get(&COUNTS) {
            if count > 0 {
                time_s += EPOCH_S;
                stage.publish(Weather { time_s, forward_ppm: forward_ppm - step_ppm * count })?;
            }
            stage.pass(1)?;
            stage.attempt(&[Operation::CountDeficit(bankrupt)])?;
        }
        time_s += EPOCH_S;
        stage.publish_calmly(Weather { time_s, ..Weather::RECORDED })?;
        stage.attempt(&[Operation::EndAuction(bankrupt)])?;
        Outcome::of_money(&stage)
    }
}
