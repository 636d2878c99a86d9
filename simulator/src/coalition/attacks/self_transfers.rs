//! Requests are free and a batch has few: transfers of nothing much take them all.

use zkmargin_protocol::Reject;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::value::units::Cash;

use crate::coalition::ground::{Contract, Ground};
use crate::coalition::stage::{DEPOSITOR, HONEST, OWN, Stage, of};
use crate::coalition::{Amount, Attack, Outcome, Parameter, Point, Unit};

/// Cash of each own account, micro-USDC.
const OWN_E6: i128 = 1_000_000_000;

const COUNT: Parameter = Parameter { name: "requests", range: [1, 48], first: 16 };
const AMOUNT: Parameter = Parameter { name: "amount_e6", range: [1, 1_000], first: 1 };
/// 0 sends to itself, 1 to another own account.
const TO: Parameter = Parameter { name: "to", range: [0, 1], first: 0 };

/// Fills the requests of a batch.
pub struct SelfTransfers;

impl Attack for SelfTransfers {
    fn name(&self) -> &'static str {
        "self-transfers"
    }

    fn sentence(&self) -> &'static str {
        "Free transfers take all requests of a batch, and an honest request has no room."
    }

    fn unit(&self) -> Unit {
        Unit::Rows
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![COUNT, AMOUNT, TO]
    }

    fn run(&self, ground: &Ground, point: &Point) -> Result<Outcome, Reject> {
        let call = Contract { expiry: 6, strike_permille: 1_000, kind: OptionKind::Call };
        let mut stage = Stage::new(ground, &[call])?;
        stage.found(&[(OWN[0], OWN_E6), (OWN[1], OWN_E6)])?;
        let to = of(if point.get(&TO) == 0 { OWN[0] } else { OWN[1] });
        let amount = Cash::new(point.get(&AMOUNT))?;
        let count = usize::try_from(point.get(&COUNT)).unwrap_or(0);
        let transfer = |place| stage.request(OWN[0], Action::Transfer { to, amount }, place);
        let mut operations: Vec<Operation> = (0..count).map(transfer).collect::<Result<_, _>>()?;
        let amount = Cash::new(1_000_000)?;
        let honest = Action::Transfer { to: of(DEPOSITOR), amount };
        operations.push(stage.request(HONEST, honest, 0)?);
        let groups: Vec<&[Operation]> = operations.iter().map(std::slice::from_ref).collect();
        let verdicts = stage.batch(&groups)?;
        let taken = verdicts.iter().take(count).filter(|verdict| verdict.is_ok()).count();
        let is_served = verdicts.last().is_some_and(Result::is_ok);
        let paid = stage.would_own()? - stage.owned()?[0];
        let gain = if is_served || paid > 0 { 0 } else { taken as i128 };
        let figures = vec![
            ("requests taken", Amount(taken as i128, Unit::Rows)),
            ("paid", Amount(paid, Unit::Money)),
        ];
        Ok(Outcome { gain, figures })
    }
}
