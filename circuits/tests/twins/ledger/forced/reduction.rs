//! Forced reductions: answered rightly and not, where margin is just covered and just not, by
//! counterparties of every kind.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use zkmargin_fixtures::build::auction::{Distress, bidder, debtor};
use zkmargin_fixtures::build::{
    NOW_S, account, account_index, deposit, forced_reduction, forced_withdrawal, market, market_of,
    parameters, portfolio_book, risk_rows, signed_move,
};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::auction::Auction;
use zkmargin_protocol::account::margin::{MarginMethod, SPREAD_BITS};
use zkmargin_protocol::account::positions::{Positions, SLOTS};
use zkmargin_protocol::account::{Account, INSURANCE_FUND};
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::market::Market;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::forced::reduction::Refusal;
use zkmargin_protocol::value::units::{
    AccountIndex, Cash, FORCED_BITS, InstrumentIndex, Price, Quantity, Time,
};

use super::super::super::draw::{Verdict, agree, near, regardless, synthesized};

/// Room for a counterparty in auction and for a second request.
const SHAPE: Shape = Shape { two_sided: 3, ..Shape::TINY };
/// Room for a counterparty whose slots are all in use, besides.
const WIDE: Shape = Shape { instruments: SLOTS + 2, instrument_nodes: 64, ..SHAPE };

/// Somebody else who holds contracts and may force them on the debtor.
fn other() -> AccountIndex {
    account_index(7)
}

fn random_auction(rng: &mut ChaCha8Rng) -> Auction {
    Auction {
        start: Time::new(NOW_S - 60).expect("a time"),
        is_insolvent: rng.gen_ratio(1, 4),
        reserve: Cash::default(),
    }
}

fn method(rng: &mut ChaCha8Rng) -> MarginMethod {
    if rng.gen_ratio(1, 3) { MarginMethod::Standard } else { MarginMethod::Portfolio }
}

fn held(account: &mut Account, instrument: InstrumentIndex, quantity_e3: i64) {
    let change = Quantity::new(quantity_e3).expect("40 bits");
    account.positions.add(account.book.underlying, instrument, change).expect("a free slot");
}

fn excess_e6(account: &Account, market: &Market) -> i128 {
    let margin = market.margin_of(account).expect("options of the market");
    margin.initial_excess_e12.div_euclid(1_000_000)
}

/// Adds cash, if it fits.
fn pay(account: &mut Account, change_e6: i128) {
    let cash = Cash::try_from(i128::from(account.cash) + change_e6);
    account.cash = cash.unwrap_or(account.cash);
}

/// A request of the debtor and how its parties stand to it.
struct Case {
    market: Market,
    instrument: InstrumentIndex,
    asked_e3: i64,
    debtor: Account,
    taker: Account,
}

impl Case {
    fn random(rng: &mut ChaCha8Rng, market: Market) -> Self {
        let instruments: Vec<_> = market.rows().keys().copied().collect();
        let instrument = *instruments[..2].choose(rng).expect("two");
        let quantity =
            |rng: &mut ChaCha8Rng| *[-4_321, -77, 0, 900, 6_000].choose(rng).expect("five");
        let distress = Distress {
            method: method(rng),
            held_e3: [quantity(rng), quantity(rng)],
            equity_ppm: *[-200_000, 600_000, 1_200_000, 3_000_000].choose(rng).expect("four"),
            extra_e6: 0,
            auction: rng.gen_ratio(1, 4).then(|| random_auction(rng)),
        };
        let mut taker = account(bidder(), portfolio_book(1));
        taker.book.method = method(rng);
        for &instrument in &instruments[..2] {
            held(&mut taker, instrument, quantity(rng));
        }
        taker.auction = rng.gen_ratio(1, 8).then(|| random_auction(rng));
        let debtor = distress.account(&market);
        let asked_e3 = *[0, 1, 77, 500, 4_321, (1 << FORCED_BITS) - 1].choose(rng).expect("six");
        let mut case = Self { market, instrument, asked_e3, debtor, taker };
        case.bring_near(rng);
        if rng.gen_ratio(1, 8) {
            case.widen(rng);
        }
        case
    }

    /// One of both holds as much as there is half a spread's room for, or a little more or less.
    fn widen(&mut self, rng: &mut ChaCha8Rng) {
        let losses = self.market.rows()[&self.instrument].losses.iter().map(|loss| loss.get());
        let (least, most) =
            losses.fold((0, 0), |(least, most), loss| (least.min(loss), most.max(loss)));
        let bound = (1 << (SPREAD_BITS - 1)) / i128::from(most - least);
        let wide = if rng.r#gen() { &mut self.debtor } else { &mut self.taker };
        (wide.positions, wide.auction) = (Positions::default(), None);
        held(wide, self.instrument, near(rng, bound, bound - 5, bound + 5) as i64);
        wide.cash = Cash::new(1 << 61).expect("64 bits");
    }

    /// The contracts in question and what is received for them, by the definition.
    fn offer(&self) -> (i64, i128) {
        let position = self.debtor.positions.quantity(self.instrument).get();
        let contracts = position.signum() * position.abs().min(self.asked_e3);
        let row = &self.market.rows()[&self.instrument];
        let penalty_ppm = i128::from(self.market.parameters().forced_penalty_ppm);
        let due = i128::from(contracts.abs()) * i128::from(row.forward) * penalty_ppm;
        let penalty = due / 1_000_000 + i128::from(due % 1_000_000 != 0);
        (contracts, i128::from(contracts) * i128::from(row.mark) - penalty)
    }

    /// Brings the cash of both near to what would just do.
    fn bring_near(&mut self, rng: &mut ChaCha8Rng) {
        let (contracts, proceeds) = self.offer();
        if contracts == 0 {
            return;
        }
        let mut left = self.debtor.clone();
        held(&mut left, self.instrument, -contracts);
        pay(&mut left, proceeds);
        if rng.r#gen() {
            let short = near(rng, 0, -5, 5) - excess_e6(&left, &self.market);
            pay(&mut self.debtor, short);
        }
        let mut alone = Account { positions: Positions::default(), ..self.taker.clone() };
        alone.cash = Cash::default();
        held(&mut alone, self.instrument, contracts);
        pay(&mut alone, -proceeds);
        let free = excess_e6(&alone, &self.market) + excess_e6(&self.taker, &self.market);
        let spare = *[0, 0, 1_000_000_000, -1_000_000_000_000].choose(rng).expect("four");
        let short = near(rng, 0, -5, 5) - free + spare;
        pay(&mut self.taker, short);
    }

    fn request(&self, counterparty: AccountIndex) -> Operation {
        forced_reduction(debtor(), self.instrument, self.asked_e3, counterparty)
    }

    fn state(&self) -> State {
        let mut snapshot: Snapshot = Distress::default().state(&self.market, 1_000_000).snapshot();
        let mut holder = account(other(), portfolio_book(1));
        holder.cash = Cash::new(1_000_000_000_000).expect("a million USDC");
        held(&mut holder, self.instrument, 500);
        let all =
            [(debtor(), self.debtor.clone()), (bidder(), self.taker.clone()), (other(), holder)];
        snapshot.accounts.extend(all);
        snapshot.specs = self.market.specs();
        State::new(snapshot).expect("a state")
    }

    /// Something else that happens to one of both in the batch.
    fn beside(&self, rng: &mut ChaCha8Rng) -> Option<Operation> {
        let small = rng.gen_range(1..9);
        match rng.gen_range(0..12) {
            0 => Some(deposit(debtor(), self.debtor.book, small)),
            1 => Some(deposit(bidder(), self.taker.book, small)),
            2 => Some(signed_move(other(), Some(bidder()), small, 0)),
            3 => Some(signed_move(bidder(), Some(debtor()), small, 0)),
            4 => Some(Operation::StartAuction(bidder())),
            5 | 8 => Some(forced_reduction(other(), self.instrument, 400, debtor())),
            6 => Some(forced_withdrawal(bidder(), small)),
            7 => Some(signed_move(debtor(), Some(bidder()), small, 0)),
            _ => None,
        }
    }
}

/// An honest answer, or one of four whatever is true.
fn claim(rng: &mut ChaCha8Rng) -> Option<Option<Refusal>> {
    let reasons = [Refusal::Unavailable, Refusal::Account, Refusal::Counterparty];
    match rng.gen_range(0..8) {
        k @ 0..=2 => Some(Some(reasons[k])),
        3 => Some(None),
        _ => None,
    }
}

fn judged(rng: &mut ChaCha8Rng, case: &Case, list: &[Operation], shape: &Shape) -> [Verdict; 2] {
    let claimed = claim(rng);
    let prepare = |batch: &mut Batch| {
        if let Some(refusal) = claimed {
            batch.claim(refusal);
        }
    };
    match regardless((&case.state(), &case.market, shape), list, prepare) {
        Some((verdict, trace)) => [verdict, synthesized(&trace)],
        None => [None, None],
    }
}

/// A case in which contracts are worth no more than the penalty, so that an account short of
/// standard margin is neither better nor worse without them.
fn worthless(rng: &mut ChaCha8Rng) -> Case {
    let mut rows = risk_rows(2, rng.gen_range(0..8));
    let penalty_ppm = parameters().forced_penalty_ppm;
    for row in rows.values_mut() {
        row.mark = Price::new(row.forward.get() / 1_000_000 * penalty_ppm).expect("32 bits");
    }
    let market = market_of(&rows);
    let mut case = Case::random(rng, market);
    let (method, held_e3) = (MarginMethod::Standard, [6_000, -4_321]);
    let distress = Distress { method, held_e3, ..Distress::default() };
    case.instrument = *rows.keys().next().expect("two options");
    case.debtor = distress.account(&case.market);
    case
}

fn judge(rng: &mut ChaCha8Rng) -> [Verdict; 2] {
    let market = market(2, rng.gen_range(0..8));
    let case = if rng.gen_ratio(1, 6) { worthless(rng) } else { Case::random(rng, market) };
    let nobody = *[debtor(), INSURANCE_FUND].choose(rng).expect("two");
    let counterparty = if rng.gen_ratio(1, 16) { nobody } else { bidder() };
    let mut list = vec![case.request(counterparty)];
    list.extend(case.beside(rng));
    if rng.r#gen() {
        list.reverse();
    }
    judged(rng, &case, &list, &SHAPE)
}

/// As [`judge`], with a counterparty of another book or near to its last slot.
fn judge_availability(rng: &mut ChaCha8Rng) -> [Verdict; 2] {
    let market = market(2 * SLOTS + 2, rng.gen_range(0..8));
    let mut case = Case::random(rng, market);
    if rng.gen_ratio(1, 4) {
        case.taker = account(bidder(), portfolio_book(2));
        pay(&mut case.taker, 10_000_000_000);
        return judged(rng, &case, &[case.request(bidder())], &WIDE);
    }
    let book = case.taker.book.underlying;
    let of_book = case.market.rows().keys().filter(|index| index.underlying() == book);
    let instruments: Vec<_> = of_book.copied().collect();
    let from = rng.gen_range(0..2);
    let count = SLOTS - rng.gen_range(0..2);
    (case.taker.positions, case.taker.auction) = (Positions::default(), None);
    for &instrument in &instruments[from..from + count] {
        held(&mut case.taker, instrument, 10);
    }
    pay(&mut case.taker, 1_000_000_000_000);
    judged(rng, &case, &[case.request(bidder())], &WIDE)
}

#[test]
fn agree_on_forced_reductions() {
    let reached = [
        Rule::AuctionStart,
        Rule::ForcedReduction,
        Rule::ForcedRequest,
        Rule::Frozen,
        Rule::InitialMargin,
        Rule::RiskReduction,
    ];
    agree(600, &reached, judge);
}

#[test]
fn agree_on_who_takes_contracts() {
    agree(160, &[Rule::ForcedReduction, Rule::InitialMargin], judge_availability);
}
