//! The operator chooses times within one table's age: an honest account's auction is dated to the
//! earliest and the bid for it to the latest, so that the price has fallen at once.

use zkmargin_fixtures::data::market::{ORACLE_MAX_AGE_S, ORACLE_SKEW_S};
use zkmargin_protocol::Reject;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::bid::Bid;
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::value::units::{Cash, PPM};

use crate::coalition::book::{self, Purse};
use crate::coalition::ground::{Contract, Ground, START_S, Weather};
use crate::coalition::stage::{OWN, Stage, of};
use crate::coalition::{Amount, Attack, Outcome, Parameter, Point, Unit};

/// Cash of the bidder, micro-USDC.
const HELPER_E6: i128 = 10_000_000_000_000;
/// Contracts, 1/1000.
const QUANTITY_E3: i64 = 100_000;

const FORWARD: Parameter =
    Parameter { name: "forward_ppm", range: [820_000, 920_000], first: 870_000 };
const STRIKE: Parameter = Parameter { name: "strike_permille", range: [700, 1_300], first: 1_000 };
/// Seconds between the dates of the start and of the bid.
const SPREAD: Parameter = Parameter {
    name: "spread_s",
    range: [0, (ORACLE_MAX_AGE_S + ORACLE_SKEW_S) as i64],
    first: (ORACLE_MAX_AGE_S + ORACLE_SKEW_S) as i64,
};
/// Seconds that pass in truth: the bid comes in the next batch.
const TRUE_S: i64 = 1;

/// Buys low within an age.
pub struct SaleInAge;

/// What the bidder alone is worth after it has bid `seconds` after the start.
fn bid_after(mut stage: Stage, seconds: i64) -> Result<i128, Reject> {
    stage.pass(seconds)?;
    let action = Action::Bid(Bid {
        account: of(OWN[0]),
        fraction_min_ppm: 0,
        fraction_max_ppm: PPM,
        limit: Cash::MAX,
    });
    let bid = stage.request(OWN[2], action, 0)?;
    stage.attempt(&[bid])?;
    stage.equity(OWN[2])
}

impl Attack for SaleInAge {
    fn name(&self) -> &'static str {
        "sale-in-age"
    }

    fn sentence(&self) -> &'static str {
        "The operator dates an auction's start early and its own bid late under one table."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![FORWARD, STRIKE, SPREAD]
    }

    fn run(&self, ground: &Ground, point: &Point) -> Result<Outcome, Reject> {
        let strike_permille = point.get(&STRIKE);
        let put = Contract { expiry: 6, strike_permille, kind: OptionKind::Put };
        let purse = Purse { helper_e6: HELPER_E6, ..Purse::BARE };
        // Here the first account and its mirror are honest; the third is the operator's.
        let mut stage = book::open(ground, &[(put, -QUANTITY_E3)], purse)?;
        let forward_ppm = point.get(&FORWARD);
        stage.publish_calmly(Weather { time_s: START_S + 60, forward_ppm })?;
        stage.pass(-i64::from(ORACLE_SKEW_S))?;
        stage.must(&[Operation::StartAuction(of(OWN[0]))])?;
        let equity = stage.equity(OWN[0])?;
        let fair = bid_after(stage.clone(), TRUE_S)?;
        let late = bid_after(stage, point.get(&SPREAD).max(TRUE_S))?;
        let figures =
            [("equity in auction", equity), ("bidder's profit in time", fair - HELPER_E6)];
        let figures = figures.map(|(name, amount)| (name, Amount(amount, Unit::Money))).to_vec();
        Ok(Outcome { gain: late - fair, figures })
    }
}
