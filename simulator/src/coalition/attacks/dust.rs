//! Accounts full of dust: one free transfer touches two of them and brings all their instruments
//! into the batch.

use zkmargin_protocol::Reject;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::value::units::Cash;

use crate::coalition::ground::{Contract, Ground, instrument};
use crate::coalition::stage::{Deal, HONEST, OWN, Stage, of};
use crate::coalition::{Amount, Attack, Outcome, Parameter, Point, Unit};

/// Positions of an account.
const SLOTS: usize = 32;
/// Cash of each own account, micro-USDC.
const OWN_E6: i128 = 1_000_000_000_000;
/// The accounts full of dust.
const FULL: [u32; 4] = [OWN[0], OWN[1], OWN[2], 5];
/// The accounts that write it.
const WRITERS: [u32; 4] = [20, 21, 22, 23];

const ACCOUNTS: Parameter = Parameter { name: "accounts", range: [2, 4], first: 4 };
const DUST: Parameter = Parameter { name: "dust_e3", range: [1, 100], first: 1 };

/// Fills the instruments of a batch.
pub struct Dust;

/// The contracts: one for each slot, and one more for an honest trade.
fn contracts() -> Vec<Contract> {
    let strikes = (0..).map(|k| 750 + 25 * (k % 17));
    let places = (0..=FULL.len() * SLOTS).zip(strikes);
    let kinds = [OptionKind::Call, OptionKind::Put];
    let contract = |(place, strike_permille)| Contract {
        expiry: 5 + place % 2,
        strike_permille,
        kind: kinds[place / 2 % 2],
    };
    places.map(contract).collect()
}

/// Buys dust in every slot of the own accounts, one account per batch.
fn fill(stage: &mut Stage, dust_e3: i64, accounts: usize) -> Result<(), Reject> {
    for (number, (&full, &writer)) in FULL.iter().zip(&WRITERS).take(accounts).enumerate() {
        let trades = (0..SLOTS).map(|slot| {
            let place = number * SLOTS + slot;
            let price = stage.row(place)?.mark;
            let instrument = instrument(place)?;
            let accounts = [full, writer];
            stage.deal(Deal { accounts, instrument, quantity_e3: dust_e3, price }, slot)
        });
        let trades: Vec<Operation> = trades.collect::<Result<_, Reject>>()?;
        let groups: Vec<&[Operation]> = trades.iter().map(std::slice::from_ref).collect();
        stage.batch(&groups)?;
    }
    Ok(())
}

impl Attack for Dust {
    fn name(&self) -> &'static str {
        "dust"
    }

    fn sentence(&self) -> &'static str {
        "Three free transfers between accounts full of dust take all instruments of a batch."
    }

    fn unit(&self) -> Unit {
        Unit::Rows
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![ACCOUNTS, DUST]
    }

    fn run(&self, ground: &Ground, point: &Point) -> Result<Outcome, Reject> {
        let mut stage = Stage::new(ground, &contracts())?;
        let cash: Vec<_> = FULL.iter().chain(&WRITERS).map(|&number| (number, OWN_E6)).collect();
        stage.found(&cash)?;
        let accounts = usize::try_from(point.get(&ACCOUNTS)).unwrap_or(FULL.len());
        fill(&mut stage, point.get(&DUST), accounts)?;
        stage.hold();
        let amount = Cash::new(1)?;
        let transfer =
            |pair: &[u32]| stage.request(pair[0], Action::Transfer { to: of(pair[1]), amount }, 0);
        let transfers = FULL[..accounts].windows(2).map(transfer);
        let mut operations: Vec<Operation> = transfers.collect::<Result<_, Reject>>()?;
        let place = FULL.len() * SLOTS;
        let (instrument, price) = (instrument(place)?, stage.row(place)?.mark);
        let deal = Deal { accounts: [HONEST, WRITERS[0]], instrument, quantity_e3: 100, price };
        operations.push(stage.deal(deal, 0)?);
        let groups: Vec<&[Operation]> = operations.iter().map(std::slice::from_ref).collect();
        let verdicts = stage.batch(&groups)?;
        let is_served = verdicts.last().is_some_and(Result::is_ok);
        let held: usize = FULL[..accounts]
            .iter()
            .map(|&number| Ok(stage.account(number)?.positions.count()))
            .sum::<Result<_, Reject>>()?;
        let paid = stage.would_own()? - stage.owned()?[0];
        let gain = if is_served || paid > 1 { 0 } else { held as i128 };
        let figures = vec![
            ("instruments taken", Amount(held as i128, Unit::Rows)),
            ("paid", Amount(paid, Unit::Money)),
        ];
        Ok(Outcome { gain, figures })
    }
}
