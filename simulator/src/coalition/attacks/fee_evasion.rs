//! A trade at no price, whose fee is capped at a share of the price; the premium goes by transfer.

use zkmargin_protocol::Reject;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::value::units::{Cash, PPM, Price};

use crate::coalition::ground::{Contract, Ground, instrument};
use crate::coalition::stage::{Deal, OWN, Stage, of};
use crate::coalition::{Amount, Attack, Outcome, Parameter, Point, Unit};

/// Cash of each account, micro-USDC.
const OWN_E6: i128 = 10_000_000_000_000;
/// Contracts, 1/1000.
const QUANTITY_E3: i64 = 1_000;

const PRICE: Parameter = Parameter { name: "price_ppm", range: [0, PPM as i64], first: 0 };
const STRIKE: Parameter = Parameter { name: "strike_permille", range: [500, 1_300], first: 1_000 };
const EXPIRY: Parameter = Parameter { name: "expiry", range: [0, 11], first: 6 };

/// Evades fees.
pub struct FeeEvasion;

impl Attack for FeeEvasion {
    fn name(&self) -> &'static str {
        "fee-evasion"
    }

    fn sentence(&self) -> &'static str {
        "Two traders trade one contract at price 0, and the premium goes by transfer."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![PRICE, STRIKE, EXPIRY]
    }

    fn run(&self, ground: &Ground, point: &Point) -> Result<Outcome, Reject> {
        let expiry = point.get(&EXPIRY).unsigned_abs() as usize;
        let strike_permille = point.get(&STRIKE);
        let call = Contract { expiry, strike_permille, kind: OptionKind::Call };
        let mut stage = Stage::new(ground, &[call])?;
        stage.found(&[(OWN[0], OWN_E6), (OWN[1], OWN_E6)])?;
        let (accounts, instrument) = ([OWN[0], OWN[1]], instrument(0)?);
        let mark = stage.row(0)?.mark;
        let quantity_e3 = QUANTITY_E3;
        let mut open = stage.clone();
        open.must(&[stage.deal(Deal { accounts, instrument, quantity_e3, price: mark }, 0)?])?;
        let reduced = i128::from(mark) * i128::from(point.get(&PRICE)) / i128::from(PPM);
        let price = Price::try_from(reduced)?;
        let trade = stage.deal(Deal { accounts, instrument, quantity_e3, price }, 0)?;
        let rest = Cash::try_from((i128::from(mark) - reduced) * i128::from(quantity_e3))?;
        let transfer = Action::Transfer { to: of(OWN[1]), amount: rest };
        let mut operations = vec![trade];
        if rest > Cash::default() {
            operations.push(stage.request(OWN[0], transfer, 1)?);
        }
        if !stage.attempt(&operations)? {
            stage = open.clone();
        }
        let fees = stage.brought() - open.owned()?[0];
        let gain = stage.owned()?[0] - open.owned()?[0];
        Ok(Outcome { gain, figures: vec![("fees in the open", Amount(fees, Unit::Money))] })
    }
}
