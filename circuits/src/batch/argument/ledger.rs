//! For every account and instrument, and for cash, the change equals the sum of the legs. Spec:
//! `docs/spec/batch/argument.md#identity-of-Ledger`.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::{INSURANCE_FUND, fee_account};
use zkmargin_protocol::value::units::INSTRUMENT_BITS;

use super::point::Point;
use super::tables::Tables;
use crate::account::positions::SlotVar;
use crate::gadgets::element::Element;
use crate::gadgets::integer::power_of_two;
use crate::{Cs, Wire, sum};

/// What an account row holds: `Σ_slots q/(γ − key)`.
pub struct Holdings {
    /// Before the batch, less what an auction or a forced reduction has taken.
    pub before: Element,
    /// After it.
    pub after: Element,
}

/// For every account and instrument, and for cash, the change equals the sum of the legs. Returns
/// what account rows hold.
pub fn enforce_ledger(cs: &mut Cs, tables: &Tables, point: &Point) -> Vec<Holdings> {
    cs.under(Rule::Ledger, |cs| {
        let cash = cs.constant(power_of_two(INSTRUMENT_BITS));
        let rows = cs.rows("accounts", &tables.accounts, |cs, k, account| {
            let shift = point.compress(cs, &[&cs.zero(), account.index()]);
            let change = account.new_cash().minus(&account.opening_cash());
            let cash = point.fraction(cs, &change, &cash.plus(&shift));
            let side = |cs: &mut Cs, slots: &[SlotVar]| {
                let fraction = |slot: &SlotVar| {
                    point.fraction(cs, slot.quantity(), &slot.instrument().plus(&shift))
                };
                sum(&slots.iter().map(fraction).collect::<Vec<_>>())
            };
            let after = side(cs, account.new_positions().slots());
            let before = match tables.two_sided_row(k) {
                Some(row) => side(cs, &row.left(account.opening_slots())),
                None => side(cs, account.opening_slots()),
            };
            let change = cash.plus(&after).minus(&before);
            let change = cs.product("change of a row in use", account.is_active().lc(), &change);
            let [before, after] = [before, after].map(Element::new);
            (change, Holdings { before, after })
        });
        let (changes, holdings): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let mut legs = trade_legs(cs, tables, point, &cash);
        legs.extend(cash_legs(cs, tables, point, &cash));
        legs.extend(auction_legs(cs, tables, point, &cash));
        let (changes, legs) = (sum(&changes), sum(&legs));
        cs.enforce_equal("changes are the legs", &changes, &legs);
        holdings
    })
}

/// Of every auction the contracts a bidder takes and the cash of all three parties, and of every
/// forced reduction those of its counterparty; what is sold has left the slots of its account
/// already. No row has both. A forced withdrawal takes cash of the same account. The insurance fund
/// also gets what does not leave of withdrawals.
fn auction_legs(cs: &mut Cs, tables: &Tables, point: &Point, cash: &Wire) -> Vec<Wire> {
    let rows = tables.two_sided_accounts();
    let mut legs = cs.rows("two-sided accounts", &rows, |cs, _, (account, row)| {
        let (auction, answer) = (row.liquidation(), row.forced());
        let forced = answer.reduction();
        let seller = point.compress(cs, &[cash, account.index()]);
        let received = auction.cash_of_account().plus(forced.received()).minus(answer.paid());
        let mut legs = vec![point.fraction(cs, &received, &seller)];
        let taker = auction.bid().bidder().plus(forced.taker());
        let taker = point.compress(cs, &[&cs.zero(), &taker]);
        let paid = auction.cash_of_bidder().minus(forced.received());
        legs.push(point.fraction(cs, &paid, &cash.plus(&taker)));
        let shares = auction.sale().shares().iter().zip(forced.shares());
        for (slot, (sold, taken)) in account.opening_slots().iter().zip(shares) {
            legs.push(point.fraction(cs, &sold.plus(taken), &slot.instrument().plus(&taker)));
        }
        sum(&legs)
    });
    let of_auctions = tables.two_sided.iter().map(|row| row.liquidation().cash_of_fund().lc());
    let kept = tables.requests.iter().map(|request| request.kept().lc());
    let kept = kept.chain(tables.two_sided.iter().map(|row| row.forced().kept().lc()));
    let fund = sum(of_auctions.chain(kept));
    let account = cs.constant(Fr::from(INSURANCE_FUND.get()));
    let receiver = point.compress(cs, &[cash, &account]);
    legs.push(point.fraction(cs, &fund, &receiver));
    legs
}

/// Contracts and cash of both sides of every trade, and the fees of all trades.
fn trade_legs(cs: &mut Cs, tables: &Tables, point: &Point, cash: &Wire) -> Vec<Wire> {
    let mut legs = cs.rows("trades", &tables.trades, |cs, _, trade| {
        let buyer = point.compress(cs, &[&cs.zero(), trade.buy().account()]);
        let seller = point.compress(cs, &[&cs.zero(), trade.sell().account()]);
        let instrument = trade.fill().instrument();
        let legs = [
            point.fraction(cs, trade.quantity(), &instrument.plus(&buyer)),
            point.fraction(cs, &trade.quantity().negated(), &instrument.plus(&seller)),
            point.fraction(cs, &trade.cash_of_buyer().negated(), &cash.plus(&buyer)),
            point.fraction(cs, trade.cash_of_seller(), &cash.plus(&seller)),
        ];
        sum(&legs)
    });
    let fees: Vec<_> = tables.trades.iter().map(|trade| trade.fees().lc().clone()).collect();
    let account = cs.constant(Fr::from(fee_account().get()));
    let receiver = point.compress(cs, &[cash, &account]);
    legs.push(point.fraction(cs, &sum(&fees), &receiver));
    legs
}

/// Cash of deposits, transfers and withdrawals.
fn cash_legs(cs: &mut Cs, tables: &Tables, point: &Point, cash: &Wire) -> Vec<Wire> {
    let mut legs = Vec::new();
    for request in &tables.requests {
        let payer = point.compress(cs, &[cash, request.account()]);
        legs.push(point.fraction(cs, &request.paid().negated(), &payer));
        let recipient = request.action().recipient(cs);
        let receiver = point.compress(cs, &[cash, &recipient]);
        legs.push(point.fraction(cs, request.transferred(), &receiver));
    }
    for deposit in &tables.deposits {
        let receiver = point.compress(cs, &[cash, deposit.account()]);
        legs.push(point.fraction(cs, deposit.credited(), &receiver));
    }
    legs
}
