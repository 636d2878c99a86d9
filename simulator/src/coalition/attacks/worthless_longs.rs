//! Worthless long options bought to lower a margin, before the market moves as a scenario does.

use zkmargin_protocol::Reject;
use zkmargin_protocol::pricing::black76::OptionKind;

use crate::coalition::book::{self, Leg, Purse};
use crate::coalition::ground::{Contract, Ground, START_S, Weather};
use crate::coalition::stage::OWN;
use crate::coalition::{Amount, Attack, Outcome, Parameter, Point, Unit};

/// Straddles sold, 1/1000.
const QUANTITY_E3: i64 = 1_000;

const FORWARD: Parameter =
    Parameter { name: "forward_ppm", range: [865_000, 1_135_000], first: 1_135_000 };
const COUNT: Parameter = Parameter { name: "longs", range: [0, 60], first: 59 };
const STRIKE: Parameter = Parameter { name: "strike_permille", range: [300, 3_000], first: 2_811 };
const EXPIRY: Parameter = Parameter { name: "expiry", range: [1, 11], first: 6 };
const SOLD: Parameter = Parameter { name: "sold_permille", range: [800, 1_200], first: 1_000 };

/// Lowers a margin for nothing.
pub struct WorthlessLongs;

impl Attack for WorthlessLongs {
    fn name(&self) -> &'static str {
        "worthless-longs"
    }

    fn sentence(&self) -> &'static str {
        "Worthless longs lower a mirrored straddle's margin before a scenario's move."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![FORWARD, COUNT, STRIKE, EXPIRY, SOLD]
    }

    fn run(&self, ground: &Ground, point: &Point) -> Result<Outcome, Reject> {
        let expiry = point.get(&EXPIRY).unsigned_abs() as usize;
        let contract = |strike_permille, kind| Contract { expiry, strike_permille, kind };
        let sold = point.get(&SOLD);
        let straddle = [OptionKind::Call, OptionKind::Put].map(|kind| contract(sold, kind));
        let mut legs: Vec<Leg> = straddle.map(|leg| (leg, -QUANTITY_E3)).to_vec();
        let bare = book::open(ground, &legs, Purse::BARE)?;
        let strike = point.get(&STRIKE);
        let kind = if strike > 1_000 { OptionKind::Call } else { OptionKind::Put };
        let is_other = ground.spec(contract(strike, kind))?.strike
            != ground.spec(contract(sold, kind))?.strike;
        let count = point.get(&COUNT);
        if count > 0 && is_other {
            legs.push((contract(strike, kind), count * 1_000));
        }
        let mut stage = book::open(ground, &legs, Purse::BARE)?;
        let margins = [bare.margin(OWN[0])?.initial, stage.margin(OWN[0])?.initial];
        let premium = match legs.get(2) {
            Some(_) => i128::from(stage.row(2)?.mark) * i128::from(count * 1_000),
            None => 0,
        };
        let weather = Weather { time_s: START_S + 60, forward_ppm: point.get(&FORWARD) };
        stage.publish(weather)?;
        let mut outcome = Outcome::of_money(&stage)?;
        // What the coalition keeps of the move is what the bankrupt half leaves unpaid.
        outcome.gain = -stage.equity(OWN[0])?.min(0);
        outcome.figures.extend([
            ("margin without longs", Amount(margins[0], Unit::Money)),
            ("margin with longs", Amount(margins[1], Unit::Money)),
            ("premium of the longs", Amount(premium, Unit::Money)),
        ]);
        Ok(outcome)
    }
}
