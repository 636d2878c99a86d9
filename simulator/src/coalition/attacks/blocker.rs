//! The owner's second account bids for the least fraction first in every batch. An auction takes
//! one step per batch, so larger bids are refused.

use zkmargin_protocol::Reject;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::bid::Bid;
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::value::units::{Cash, PPM};

use crate::coalition::book::{self, Purse};
use crate::coalition::ground::{Contract, Ground, START_S, Weather};
use crate::coalition::stage::{HONEST, OWN, Stage, of};
use crate::coalition::{Amount, Attack, Outcome, Parameter, Point, Unit};

/// Contracts, 1/1000.
const QUANTITY_E3: i64 = 100_000;
/// Cash of the account that blocks, micro-USDC.
const HELPER_E6: i128 = 10_000_000_000_000;
/// Batches in which the honest bidder tries.
const BATCHES: u32 = 10;

const FORWARD: Parameter =
    Parameter { name: "forward_ppm", range: [700_000, 920_000], first: 850_000 };
const STRIKE: Parameter = Parameter { name: "strike_permille", range: [700, 1_300], first: 1_000 };
const FRACTION: Parameter =
    Parameter { name: "fraction_ppm", range: [1, PPM as i64], first: 10_000 };

/// Blocks the sale.
pub struct Blocker;

/// What is left of the book after honest bids, with or without the block, in ppm.
fn left(mut stage: Stage, fraction_ppm: Option<i64>) -> Result<i128, Reject> {
    let size = |stage: &Stage| {
        let positions = &stage.account(OWN[0])?.positions;
        Ok(positions.iter().map(|(_, held)| i128::from(held).abs()).sum::<i128>())
    };
    let whole: i128 = size(&stage)?;
    let bid = |fraction_max_ppm| {
        Action::Bid(Bid {
            account: of(OWN[0]),
            fraction_min_ppm: 0,
            fraction_max_ppm,
            limit: Cash::MAX,
        })
    };
    for _ in 0..BATCHES {
        stage.pass(5)?;
        let honest = stage.request(HONEST, bid(PPM), 0)?;
        let first = match fraction_ppm {
            Some(ppm) => vec![stage.request(OWN[2], bid(u32::try_from(ppm).unwrap_or(PPM)), 0)?],
            None => Vec::new(),
        };
        stage.batch(&[&first, &[honest]])?;
    }
    let left: i128 = size(&stage)?;
    Ok(left * i128::from(PPM) / whole.max(1))
}

impl Attack for Blocker {
    fn name(&self) -> &'static str {
        "blocker"
    }

    fn sentence(&self) -> &'static str {
        "An own small bid comes first in every batch, and larger bids are refused."
    }

    fn unit(&self) -> Unit {
        Unit::Share
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![FORWARD, STRIKE, FRACTION]
    }

    fn run(&self, ground: &Ground, point: &Point) -> Result<Outcome, Reject> {
        let strike_permille = point.get(&STRIKE);
        let put = Contract { expiry: 6, strike_permille, kind: OptionKind::Put };
        let purse = Purse { helper_e6: HELPER_E6, ..Purse::BARE };
        let mut stage = book::open(ground, &[(put, -QUANTITY_E3)], purse)?;
        let forward_ppm = point.get(&FORWARD);
        stage.publish_calmly(Weather { time_s: START_S + 60, forward_ppm })?;
        stage.must(&[Operation::StartAuction(of(OWN[0]))])?;
        let blocked = left(stage.clone(), Some(point.get(&FRACTION)))?;
        let free = left(stage, None)?;
        let figures = [("left", blocked), ("left without the block", free)];
        let figures = figures.map(|(name, left)| (name, Amount(left, Unit::Share))).to_vec();
        Ok(Outcome { gain: blocked - free, figures })
    }
}
