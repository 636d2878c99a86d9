//! The world of forced reductions: account 5 is to be rid of contracts of the first option, account
//! 3 is named to take them. What a table expects is computed here from marks, forwards and margins
//! by the formulas of `docs/spec/ledger/forced.md#ForcedReduction`.

use std::collections::BTreeMap;

use super::auction_world::{MILLION, ceil, row_of};
use super::world::{World, cash, index, quantity};
use zkmargin_fixtures::build::{account, forced_reduction, market, portfolio_book, state};
use zkmargin_protocol::account::Account;
use zkmargin_protocol::account::auction::Auction;
use zkmargin_protocol::account::margin::{Margin, MarginMethod};
use zkmargin_protocol::batch::trace::{AccountRow, BatchTrace};
use zkmargin_protocol::market::Market;
use zkmargin_protocol::market::risk_row::RiskRow;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::forced::ForcedAnswer;
use zkmargin_protocol::operation::forced::reduction::{Reduced, Reduction, Refusal};
use zkmargin_protocol::value::units::{ForcedQuantity, InstrumentIndex, Quantity};

/// The account whose owner forces.
pub const GIVER: u32 = 5;
/// The account named to take the contracts.
pub const TAKER: u32 = 3;

/// One of the two accounts.
#[derive(Clone, Debug)]
pub struct Party {
    pub method: MarginMethod,
    /// What it holds of the first two options of the market, 1/1000 contract.
    pub held_e3: [i64; 2],
    pub cash_e6: i64,
    pub auction: Option<Auction>,
}

impl Party {
    /// Cash enough for whatever a table plays.
    pub fn rich(method: MarginMethod, held_e3: [i64; 2]) -> Self {
        Self { method, held_e3, cash_e6: 1_000_000_000_000, auction: None }
    }

    /// The account in this place.
    pub fn account(&self, place: u32, market: &Market) -> Account {
        let mut book = portfolio_book(1);
        book.method = self.method;
        let mut holder = account(index(place), book);
        for (&instrument, held) in market.rows().keys().zip(self.held_e3) {
            holder.positions.add(book.underlying, instrument, quantity(held)).expect("room");
        }
        Account { cash: cash(self.cash_e6), auction: self.auction, ..holder }
    }

    /// Equity above initial margin, 10^-12 USDC.
    pub fn excess_e12(&self, market: &Market) -> i128 {
        let margin = market.margin_of(&self.account(GIVER, market)).expect("options of the market");
        margin.initial_excess_e12
    }
}

/// Both accounts and a request.
#[derive(Clone, Debug)]
pub struct Pair {
    pub market: Market,
    pub giver: Party,
    pub taker: Party,
    /// Contracts asked for, 1/1000.
    pub asked_e3: i64,
}

impl Pair {
    /// Two accounts with plenty, in a market of two options.
    pub fn new(methods: [MarginMethod; 2], held_e3: [[i64; 2]; 2], asked_e3: i64) -> Self {
        let [giver, taker] = [0, 1].map(|k| Party::rich(methods[k], held_e3[k]));
        Self { market: market(2, 1), giver, taker, asked_e3 }
    }

    pub fn row(&self) -> &RiskRow {
        self.market.rows().values().next().expect("two options")
    }

    pub fn first(&self) -> InstrumentIndex {
        self.row().instrument
    }

    pub fn world(&self) -> World {
        let parties = [(GIVER, &self.giver), (TAKER, &self.taker)];
        let accounts =
            parties.map(|(place, party)| (index(place), party.account(place, &self.market)));
        let state = state(BTreeMap::from(accounts), 4, &self.market);
        World { market: self.market.clone(), state, ..World::new() }
    }

    /// The request.
    pub fn request(&self) -> Operation {
        forced_reduction(index(GIVER), self.first(), self.asked_e3, index(TAKER))
    }

    /// What is asked for.
    pub fn terms(&self) -> Reduction {
        let quantity = ForcedQuantity::try_from(i128::from(self.asked_e3)).expect("22 bits");
        let counterparty = index(TAKER);
        Reduction { instrument: self.first(), quantity, counterparty }
    }

    /// Contracts in question: with the sign of the position, no more of them than are held.
    pub fn contracts(&self) -> i64 {
        let held = self.giver.held_e3[0];
        held.signum() * held.abs().min(self.asked_e3)
    }

    /// What the giver receives: their mark, less 0.2 % of the forward rounded up.
    pub fn proceeds(&self) -> i128 {
        let (contracts, row) = (i128::from(self.contracts()), self.row());
        let penalty = ceil(contracts.abs() * i128::from(row.forward) * 2_000, MILLION);
        contracts * i128::from(row.mark) - penalty
    }

    /// The giver with the contracts gone.
    pub fn left(&self) -> Party {
        let mut left = self.giver.clone();
        left.held_e3[0] -= self.contracts();
        left.cash_e6 += i64::try_from(self.proceeds()).expect("a few million USDC");
        left
    }

    /// A book of the taker's with nothing but the contracts.
    pub fn alone(&self) -> Party {
        let cash_e6 = -i64::try_from(self.proceeds()).expect("a few million USDC");
        Party { held_e3: [self.contracts(), 0], cash_e6, ..self.taker.clone() }
    }

    /// What the giver has above initial margin with the contracts gone, 10^-12 USDC.
    pub fn left_e12(&self) -> i128 {
        self.left().excess_e12(&self.market)
    }

    /// What the taker has above initial margin once it has covered the contracts by themselves,
    /// 10^-12 USDC.
    pub fn borne_e12(&self) -> i128 {
        self.taker.excess_e12(&self.market) + self.alone().excess_e12(&self.market)
    }

    /// What the taker has above initial margin with the contracts in its book, 10^-12 USDC.
    pub fn taken_e12(&self) -> i128 {
        let mut taken = self.taker.clone();
        taken.held_e3[0] += self.contracts();
        taken.cash_e6 += self.alone().cash_e6;
        taken.excess_e12(&self.market)
    }

    /// The giver left with the least cash that covers initial margin, and `spare_e6`.
    pub fn leaving(mut self, spare_e6: i64) -> Self {
        self.giver.cash_e6 += spare_e6 - whole_e6(self.left_e12());
        self
    }

    /// The taker with the least cash that bears the contracts, and `spare_e6`.
    pub fn bearing(mut self, spare_e6: i64) -> Self {
        self.taker.cash_e6 += spare_e6 - whole_e6(self.borne_e12());
        self
    }

    /// The answer by the definition.
    pub fn answer(&self, refusal: Option<Refusal>) -> Reduced {
        let (contracts, proceeds) = (quantity(self.contracts()), self.proceeds());
        Reduced { terms: self.terms(), contracts, proceeds, refusal }
    }
}

/// Whole micro-USDC of an excess, rounded down.
fn whole_e6(excess_e12: i128) -> i64 {
    i64::try_from(excess_e12.div_euclid(MILLION)).expect("a few million USDC")
}

/// How a batch answers the giver.
pub fn answered(trace: &BatchTrace) -> Reduced {
    match row_of(trace, GIVER).answer {
        Some(ForcedAnswer::Reduction(answer)) => answer,
        other => panic!("{other:?} is no answer to a reduction"),
    }
}

/// What a row's account holds of an instrument, and its cash.
pub fn held(row: &AccountRow, instrument: InstrumentIndex) -> (Quantity, i128) {
    (row.new.positions.quantity(instrument), row.new.cash.into())
}

/// Plays the request: it is honoured to the last micro-USDC, and nobody else is touched.
pub fn honours(what: &str, pair: &Pair) -> BatchTrace {
    let trace = pair.world().accepts(what, &[pair.request()]);
    assert_eq!(answered(&trace), pair.answer(None), "{what}");
    let (contracts, proceeds) = (pair.contracts(), pair.proceeds());
    for (place, party, sign) in [(GIVER, &pair.giver, -1), (TAKER, &pair.taker, 1)] {
        let expected = (
            quantity(party.held_e3[0] + sign * contracts),
            i128::from(party.cash_e6) - i128::from(sign) * proceeds,
        );
        assert_eq!(held(row_of(&trace, place), pair.first()), expected, "{what}: {place}");
    }
    assert_eq!(trace.accounts.len(), 2, "{what}");
    assert_eq!(*old_margin(&trace), judged(pair, &pair.giver), "{what}: as it was found");
    trace
}

/// Plays the request: it is refused for this reason, and both accounts stay as they are.
pub fn refuses(what: &str, pair: &Pair, refusal: Refusal) -> BatchTrace {
    let trace = pair.world().accepts(what, &[pair.request()]);
    assert_eq!(answered(&trace), pair.answer(Some(refusal)), "{what}");
    for row in &trace.accounts {
        assert_eq!(row.old.as_ref(), Some(&row.new), "{what}: {}", row.index);
    }
    let shown = match refusal {
        Refusal::Unavailable => pair.giver.clone(),
        Refusal::Account => pair.left(),
        Refusal::Counterparty => pair.alone(),
    };
    assert_eq!(*old_margin(&trace), judged(pair, &shown), "{what}: the margin that would be");
    trace
}

fn old_margin(trace: &BatchTrace) -> &Margin {
    row_of(trace, GIVER).old_margin.as_ref().expect("a two-sided row")
}

fn judged(pair: &Pair, party: &Party) -> Margin {
    let account = party.account(GIVER, &pair.market);
    pair.market.margin_of(&account).expect("options of the market")
}
