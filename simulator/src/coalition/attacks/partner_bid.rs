//! The second account of a mirrored pair buys the insolvent first one for what the fund pays.

use zkmargin_protocol::Reject;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::bid::Bid;
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::value::units::{Cash, PPM};

use crate::coalition::book::{self, Purse};
use crate::coalition::ground::{Contract, Ground, START_S, Weather};
use crate::coalition::stage::{OWN, of};
use crate::coalition::{Amount, Attack, Outcome, Parameter, Point, Unit};

/// Contracts, 1/1000.
const QUANTITY_E3: i64 = 100_000;
/// Seconds from the first table to the fall.
const FALL_S: u64 = 60;

const FORWARD: Parameter =
    Parameter { name: "forward_ppm", range: [650_000, 840_000], first: 790_000 };
const STRIKE: Parameter = Parameter { name: "strike_permille", range: [700, 1_300], first: 1_000 };
const EXPIRY: Parameter = Parameter { name: "expiry", range: [1, 11], first: 6 };
const WAIT: Parameter = Parameter { name: "wait_s", range: [0, 4_000], first: 3_600 };
const FRACTION: Parameter =
    Parameter { name: "fraction_ppm", range: [10_000, PPM as i64], first: PPM as i64 };

/// Bids for itself.
pub struct PartnerBid;

impl Attack for PartnerBid {
    fn name(&self) -> &'static str {
        "partner-bid"
    }

    fn sentence(&self) -> &'static str {
        "The mirror of an insolvent account bids for it and takes no risk over."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![FORWARD, STRIKE, EXPIRY, WAIT, FRACTION]
    }

    fn run(&self, ground: &Ground, point: &Point) -> Result<Outcome, Reject> {
        let expiry = point.get(&EXPIRY).unsigned_abs() as usize;
        let strike_permille = point.get(&STRIKE);
        let put = Contract { expiry, strike_permille, kind: OptionKind::Put };
        let mut stage = book::open(ground, &[(put, -QUANTITY_E3)], Purse::BARE)?;
        let forward_ppm = point.get(&FORWARD);
        let time_s = START_S + FALL_S;
        stage.publish_calmly(Weather { time_s, forward_ppm })?;
        stage.attempt(&[Operation::StartAuction(of(OWN[0]))])?;
        let time_s = time_s + point.get(&WAIT).unsigned_abs();
        stage.publish(Weather { time_s, forward_ppm })?;
        let maintenance = stage.margin(OWN[0])?.maintenance;
        let bid = Bid {
            account: of(OWN[0]),
            fraction_min_ppm: 0,
            fraction_max_ppm: u32::try_from(point.get(&FRACTION)).unwrap_or(PPM),
            limit: Cash::MAX,
        };
        let request = stage.request(OWN[1], Action::Bid(bid), 0)?;
        stage.attempt(&[request])?;
        let mut outcome = Outcome::of_money(&stage)?;
        outcome.figures.push(("maintenance margin", Amount(maintenance, Unit::Money)));
        Ok(outcome)
    }
}
