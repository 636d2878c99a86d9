//! An account below maintenance margin signs something first in every batch, so that nobody may
//! start its auction.

use zkmargin_fixtures::keys::{trader_key, view_key};
use zkmargin_protocol::Reject;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::value::units::{Cash, Nonce};

use crate::coalition::book::{self, Purse};
use crate::coalition::ground::{Contract, Ground, START_S, Weather};
use crate::coalition::stage::{OWN, Stage, of};
use crate::coalition::{Amount, Attack, Outcome, Parameter, Point, Unit};

/// Contracts, 1/1000.
const QUANTITY_E3: i64 = 100_000;
/// Batches for which the account tries to stay out.
const BATCHES: i128 = 20;

const FORWARD: Parameter =
    Parameter { name: "forward_ppm", range: [700_000, 950_000], first: 900_000 };
const STRIKE: Parameter = Parameter { name: "strike_permille", range: [700, 1_300], first: 1_000 };
/// 0 is a rekey to the same keys, 1 a transfer to itself, 2 a cancel-all, 3 a transfer to its
/// mirror.
const EXCUSE: Parameter = Parameter { name: "excuse", range: [0, 3], first: 0 };

/// Dodges its auction.
pub struct Dodger;

fn excuse(stage: &Stage, kind: i64) -> Result<Operation, Reject> {
    let (own, account) = (OWN[0], stage.account(OWN[0])?);
    let amount = Cash::new(1)?;
    let action = match kind {
        0 => Action::Rekey { key: trader_key(of(own)).public(), view_key: view_key(of(own)) },
        1 => Action::Transfer { to: of(own), amount },
        2 => Action::CancelAll { base: Nonce::new(account.nonces.base.get() + 64)? },
        _ => Action::Transfer { to: of(OWN[1]), amount },
    };
    stage.request(own, action, 0)
}

impl Attack for Dodger {
    fn name(&self) -> &'static str {
        "dodger"
    }

    fn sentence(&self) -> &'static str {
        "An account below maintenance margin signs first in every batch and is never sold."
    }

    fn unit(&self) -> Unit {
        Unit::Batches
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![FORWARD, STRIKE, EXCUSE]
    }

    fn run(&self, ground: &Ground, point: &Point) -> Result<Outcome, Reject> {
        let strike_permille = point.get(&STRIKE);
        let put = Contract { expiry: 6, strike_permille, kind: OptionKind::Put };
        let mut stage = book::open(ground, &[(put, -QUANTITY_E3)], Purse::BARE)?;
        let forward_ppm = point.get(&FORWARD);
        stage.publish_calmly(Weather { time_s: START_S + 60, forward_ppm })?;
        let (mut dodged, mut deepest) = (0, 0);
        for _ in 0..BATCHES {
            stage.pass(5)?;
            let excuse = excuse(&stage, point.get(&EXCUSE))?;
            stage.batch(&[&[excuse], &[Operation::StartAuction(of(OWN[0]))]])?;
            let margin = stage.margin(OWN[0])?;
            let is_below = margin.maintenance_excess_e12 < 0;
            if !is_below || stage.account(OWN[0])?.auction.is_some() {
                break;
            }
            dodged += 1;
            deepest = deepest.max(margin.maintenance - margin.equity);
        }
        let figures = vec![("below maintenance", Amount(deepest, Unit::Money))];
        Ok(Outcome { gain: dodged, figures })
    }
}
