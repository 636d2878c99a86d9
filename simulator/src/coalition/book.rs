//! A mirrored book: what the first account is long, the second is short.

use zkmargin_protocol::Reject;
use zkmargin_protocol::account::margin::MarginMethod;
use zkmargin_protocol::account::positions::Positions;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::value::units::{Cash, InstrumentIndex, PPM, Price, Quantity};

use super::ground::{Contract, Ground, instrument};
use super::stage::{Deal, OWN, Stage, of};

/// Parts per million in one, as an amount.
const ONE: i128 = PPM as i128;

/// A contract and how much of it the first account holds, 1/1000; negative if it is short.
pub type Leg = (Contract, i64);

/// How much cash the accounts bring.
#[derive(Clone, Copy, Debug)]
pub struct Purse {
    /// Cash of the first account above fees and initial margin, parts per million of the margin.
    pub spare_ppm: i64,
    /// Cash of the third account, micro-USDC.
    pub helper_e6: i128,
    /// How margin is computed.
    pub method: MarginMethod,
}

impl Purse {
    /// Just the initial margin and the fees.
    pub const BARE: Self = Self { spare_ppm: 0, helper_e6: 0, method: MarginMethod::Portfolio };
}

/// What of a book is closed, and at what price.
#[derive(Clone, Copy, Debug)]
pub struct Closing {
    /// Part of each position, parts per million.
    pub part_ppm: i64,
    /// What the first account pays the second beyond the marks, parts per million of the initial
    /// margin of the part.
    pub paid_ppm: i64,
    /// Whether that is paid by a transfer and the trades are at the marks.
    pub by_transfer: bool,
}

/// The positions of the first or the second account.
fn positions(legs: &[Leg], sign: i64) -> Result<Positions, Reject> {
    let mut positions = Positions::default();
    for (place, &(_, quantity_e3)) in legs.iter().enumerate() {
        let index = instrument(place)?;
        positions.add(index.underlying(), index, Quantity::new(sign * quantity_e3)?)?;
    }
    Ok(positions)
}

/// Two accounts with just enough cash trade the book with each other at the marks. From here on
/// they could hold.
///
/// # Errors
/// Those of the rules.
pub fn open<'g>(ground: &'g Ground, legs: &[Leg], purse: Purse) -> Result<Stage<'g>, Reject> {
    let contracts: Vec<Contract> = legs.iter().map(|leg| leg.0).collect();
    let mut stage = Stage::new(ground, &contracts)?;
    stage.method = purse.method;
    let mut fees_e6 = 0;
    for (place, &(_, quantity_e3)) in legs.iter().enumerate() {
        let row = stage.row(place)?;
        fees_e6 += i128::from(stage.fee(row, row.mark)) * i128::from(quantity_e3.abs());
    }
    let cash = |sign, spare_ppm: i64| {
        let initial = stage.margin_of(&positions(legs, sign)?)?.initial;
        Ok(initial + initial * i128::from(spare_ppm) / ONE + fees_e6)
    };
    let cash_e6 =
        [(OWN[0], cash(1, purse.spare_ppm)?), (OWN[1], cash(-1, 0)?), (OWN[2], purse.helper_e6)];
    stage.found(&cash_e6)?;
    let trades = legs.iter().enumerate().map(|(place, &(_, quantity_e3))| {
        let price = stage.row(place)?.mark;
        let accounts = if quantity_e3 > 0 { [OWN[0], OWN[1]] } else { [OWN[1], OWN[0]] };
        let instrument = instrument(place)?;
        let quantity_e3 = quantity_e3.abs();
        stage.deal(Deal { accounts, instrument, quantity_e3, price }, place)
    });
    let trades: Vec<Operation> = trades.collect::<Result<_, Reject>>()?;
    stage.must(&trades)?;
    stage.hold();
    Ok(stage)
}

/// What the first account holds of options that may be traded.
fn held(stage: &Stage) -> Result<Vec<(InstrumentIndex, i64)>, Reject> {
    let positions = stage.account(OWN[0])?.positions.iter().collect::<Vec<_>>();
    let live = positions
        .into_iter()
        .filter(|&(index, _)| stage.market.live_row(index, stage.time).is_ok())
        .map(|(index, quantity)| (index, quantity.get()));
    Ok(live.collect())
}

/// The first account closes a part of its book with the second, at prices that pay the second a
/// share of the margin which that frees. Whether the rules accept it.
///
/// # Errors
/// Those of the rules for trades that cannot be written down.
pub fn close(stage: &mut Stage, closing: Closing) -> Result<bool, Reject> {
    let initial = stage.margin(OWN[0])?.initial;
    let freed_e6 = initial * i128::from(closing.part_ppm) / ONE;
    let mut parts = Vec::new();
    let mut fees_e6 = 0;
    for (index, quantity_e3) in held(stage)? {
        let part = i128::from(quantity_e3) * i128::from(closing.part_ppm) / ONE;
        let row = stage.market.live_row(index, stage.time)?;
        fees_e6 += i128::from(stage.fee(row, Price::MAX)) * part.abs();
        parts.push((row.clone(), part));
    }
    // Short positions first: a price has no upper bound but its width.
    parts.sort_by_key(|(_, part)| *part);
    let mut left_e6 = ((freed_e6 - fees_e6) * i128::from(closing.paid_ppm) / ONE).max(0);
    let mut trades = Vec::new();
    for (row, part) in parts.iter().filter(|(_, part)| *part != 0) {
        let mark = i128::from(row.mark);
        let room = if *part > 0 { mark } else { i128::from(Price::MAX) - mark };
        let shift = if closing.by_transfer { 0 } else { (left_e6 / part.abs()).min(room) };
        left_e6 -= shift * part.abs();
        let price = Price::try_from(mark - shift * part.signum())?;
        let accounts = if *part > 0 { [OWN[1], OWN[0]] } else { [OWN[0], OWN[1]] };
        let quantity_e3 = Quantity::try_from(part.abs())?.get();
        let deal = Deal { accounts, instrument: row.instrument, quantity_e3, price };
        trades.push(stage.deal(deal, trades.len())?);
    }
    if closing.by_transfer && left_e6 > 0 {
        let transfer = Action::Transfer { to: of(OWN[1]), amount: Cash::try_from(left_e6)? };
        trades.push(stage.request(OWN[0], transfer, trades.len())?);
    }
    stage.attempt(&trades)
}
