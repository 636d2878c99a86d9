//! Two accounts with mirrored books. When the first is short of initial margin, it closes its book
//! with the second at prices that pay away the margin which that frees.

use zkmargin_protocol::Reject;
use zkmargin_protocol::account::margin::MarginMethod;
use zkmargin_protocol::market::parameters::BatchParameters;
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::value::units::{PPM, Time};

use crate::coalition::book::{self, Closing, Leg, Purse};
use crate::coalition::ground::{Contract, Ground, START_S, Weather};
use crate::coalition::stage::Stage;
use crate::coalition::{Attack, Outcome, Parameter, Point};

/// Contracts of each leg, 1/1000.
const QUANTITY_E3: i64 = 100_000;
/// Parts per million in one.
const ONE: i64 = PPM as i64;

/// What leaves the first account short.
#[derive(Clone, Copy)]
enum Strain {
    /// The market moves.
    Move,
    /// The margin factors rise.
    Factors,
    /// The nearer expiry of two passes.
    Expiry,
}

/// The attack after one kind of strain.
pub struct Pair {
    name: &'static str,
    sentence: &'static str,
    strain: Strain,
    /// Forwards when the book is closed.
    forward: Parameter,
}

const fn forward(range: [i64; 2], first: i64) -> Parameter {
    Parameter { name: "forward_ppm", range, first }
}

/// After a small fall: the account is above maintenance margin, and nobody may start an auction.
pub const CALM: Pair = Pair {
    name: "pair-calm",
    sentence: "A mirrored pair closes above maintenance margin at a price that pays it away.",
    strain: Strain::Move,
    forward: forward([905_000, 1_000_000], 970_000),
};
/// After a fall beyond the price band.
pub const JUMP: Pair = Pair {
    name: "pair-jump",
    sentence: "A mirrored pair does the same outside of the price band.",
    strain: Strain::Move,
    forward: forward([820_000, 895_000], 880_000),
};
/// After a fall that leaves the account insolvent, before its auction.
pub const INSOLVENT: Pair = Pair {
    name: "pair-insolvent",
    sentence: "A mirrored pair does the same when one account is insolvent.",
    strain: Strain::Move,
    forward: forward([650_000, 820_000], 780_000),
};
/// After a rise of the margin factors: first starts of auctions are barred for a batch.
pub const FACTORS: Pair = Pair {
    name: "pair-factors",
    sentence: "A mirrored pair does the same after the margin factors have risen.",
    strain: Strain::Factors,
    forward: forward([970_000, 1_000_000], 1_000_000),
};
/// After the nearer expiry of a calendar of forwards.
pub const EXPIRY: Pair = Pair {
    name: "pair-expiry",
    sentence: "A mirrored calendar of forwards does the same when its nearer expiry has passed.",
    strain: Strain::Expiry,
    forward: forward([970_000, 1_000_000], 1_000_000),
};

const PAID: Parameter = Parameter { name: "paid_ppm", range: [0, ONE], first: ONE };
const PART: Parameter = Parameter { name: "part_ppm", range: [1, ONE], first: ONE };
const EXPIRY_PLACE: Parameter = Parameter { name: "expiry", range: [1, 11], first: 6 };
const STRIKE: Parameter = Parameter { name: "strike_permille", range: [700, 1_300], first: 1_000 };
const FACTOR: Parameter =
    Parameter { name: "factor_ppm", range: [1_000_000, 2_000_000], first: 1_300_000 };
/// 1 if the margin is paid away by a transfer, 0 if by the price.
const TRANSFER: Parameter = Parameter { name: "by_transfer", range: [0, 1], first: 0 };
/// 1 for standard margin, 0 for portfolio margin.
const STANDARD: Parameter = Parameter { name: "standard", range: [0, 1], first: 0 };
const SPARE: Parameter = Parameter { name: "spare_ppm", range: [0, 500_000], first: 0 };

impl Pair {
    fn legs(&self, point: &Point) -> Vec<Leg> {
        let contract =
            |expiry, kind| Contract { expiry, strike_permille: point.get(&STRIKE), kind };
        let far = point.get(&EXPIRY_PLACE).unsigned_abs() as usize;
        match self.strain {
            Strain::Move => vec![(contract(far, OptionKind::Put), -QUANTITY_E3)],
            Strain::Factors => vec![(contract(far, OptionKind::Call), -QUANTITY_E3)],
            // Long the near forward, short the far one.
            Strain::Expiry => vec![
                (contract(0, OptionKind::Call), QUANTITY_E3),
                (contract(0, OptionKind::Put), -QUANTITY_E3),
                (contract(far, OptionKind::Call), -QUANTITY_E3),
                (contract(far, OptionKind::Put), QUANTITY_E3),
            ],
        }
    }

    fn strain(&self, stage: &mut Stage, point: &Point) -> Result<(), Reject> {
        let forward_ppm = point.get(&self.forward);
        match self.strain {
            Strain::Move => stage.publish(Weather { time_s: START_S + 60, forward_ppm }),
            Strain::Factors => {
                let raised = |factor: u32| {
                    let factor = u64::from(factor) * point.get(&FACTOR).unsigned_abs();
                    u32::try_from(factor / u64::from(PPM)).unwrap_or(u32::MAX)
                };
                stage.parameters = BatchParameters {
                    initial_factor_ppm: raised(stage.parameters.initial_factor_ppm),
                    maintenance_factor_ppm: raised(stage.parameters.maintenance_factor_ppm),
                    effective: Time::new(START_S)?,
                    ..stage.parameters.clone()
                };
                stage.publish(Weather { time_s: START_S + 60, forward_ppm })
            }
            Strain::Expiry => {
                let expiry = stage.row(0)?.spec.expiry;
                stage.settle(expiry, forward_ppm)?;
                stage.publish(Weather { time_s: expiry.get() + 60, forward_ppm })
            }
        }
    }
}

impl Attack for Pair {
    fn name(&self) -> &'static str {
        self.name
    }

    fn sentence(&self) -> &'static str {
        self.sentence
    }

    fn parameters(&self) -> Vec<Parameter> {
        let closing = [PAID, PART, TRANSFER];
        let mut parameters = vec![self.forward, EXPIRY_PLACE, STRIKE, STANDARD, SPARE];
        parameters.extend(closing);
        if matches!(self.strain, Strain::Factors) {
            parameters.push(FACTOR);
        }
        parameters
    }

    fn run(&self, ground: &Ground, point: &Point) -> Result<Outcome, Reject> {
        let is_standard = point.get(&STANDARD) == 1;
        let method = if is_standard { MarginMethod::Standard } else { MarginMethod::Portfolio };
        let purse = Purse { spare_ppm: point.get(&SPARE), method, ..Purse::BARE };
        let mut stage = book::open(ground, &self.legs(point), purse)?;
        self.strain(&mut stage, point)?;
        let closing = Closing {
            part_ppm: point.get(&PART),
            paid_ppm: point.get(&PAID),
            by_transfer: point.get(&TRANSFER) == 1,
        };
        book::close(&mut stage, closing)?;
        Outcome::of_money(&stage)
    }
}
