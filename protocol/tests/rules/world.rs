//! The small world all tables are played in: traders 2 and 3 of underlying 1, a market of two
//! instruments.

use zkmargin_fixtures::build::{
    OrderDraft, account, account_index, domain, market, now, portfolio_book, signed_move,
    small_state, trade,
};
use zkmargin_fixtures::keys::trader_key;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::account::margin::MarginMethod;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::recipient::Recipient;
use zkmargin_protocol::operation::request::SignedRequest;
use zkmargin_protocol::operation::trade::Trade;
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::value::units::{AccountIndex, Cash, OrderQuantity, Price, Quantity, Time};
use zkmargin_protocol::{Reject, Rule};

/// Room for whatever a table plays.
pub const ROOM: Shape = Shape {
    trades: 40,
    requests: 40,
    deposits: 40,
    accounts: 16,
    two_sided: 16,
    nodes: 200,
    instruments: 64,
    instrument_nodes: 64,
};

pub struct World {
    pub market: Market,
    pub state: State,
    pub time: Time,
    pub shape: Shape,
}

impl World {
    pub fn new() -> Self {
        Self::of(market(2, 1))
    }

    /// The small world in another market.
    pub fn of(market: Market) -> Self {
        let state = small_state(&market);
        Self { market, state, time: now(), shape: ROOM }
    }

    pub fn draft(&self) -> OrderDraft {
        OrderDraft::fair(self.market.rows().values().next().expect("two instruments"), 500)
    }

    /// Plays operations as one batch.
    pub fn play(&self, operations: &[Operation]) -> Result<(State, BatchTrace), Reject> {
        let mut batch = Batch::new(&self.state, &self.market, self.shape, self.time)?;
        batch.push(operations)?;
        batch.seal()
    }

    pub fn accepts(&self, what: &str, operations: &[Operation]) -> BatchTrace {
        self.play(operations).unwrap_or_else(|reject| panic!("{what}: {reject}")).1
    }

    pub fn rejects(&self, rule: Rule, what: &str, operations: &[Operation]) {
        match self.play(operations) {
            Ok(_) => panic!("{what}: accepted"),
            Err(reject) => assert_eq!(reject.rule, rule, "{what}: {reject}"),
        }
    }

    /// A trade of a changed draft, signed as it is.
    pub fn drafted(&self, change: impl FnOnce(&mut OrderDraft)) -> [Operation; 1] {
        let mut draft = self.draft();
        change(&mut draft);
        [trade(&draft, [BUYER, SELLER].map(account_index), [0, 0])]
    }

    /// A fair trade, changed after it was signed.
    pub fn changed(&self, change: impl FnOnce(&mut Trade)) -> [Operation; 1] {
        let [Operation::Trade(mut trade)] = self.drafted(|_| ()) else { unreachable!("a trade") };
        change(&mut trade);
        [Operation::Trade(trade)]
    }
}

/// The buyer of a drafted trade.
pub const BUYER: u32 = 2;
/// The seller of a drafted trade.
pub const SELLER: u32 = 3;

/// A transfer from buyer to seller, or a withdrawal of the buyer, changed before it is signed.
pub fn moved(is_withdrawal: bool, change: impl FnOnce(&mut SignedRequest)) -> [Operation; 1] {
    let [from, to] = [BUYER, SELLER].map(account_index);
    let Operation::Request(mut signed) =
        signed_move(from, (!is_withdrawal).then_some(to), 7_000_000, 0)
    else {
        unreachable!("a request")
    };
    change(&mut signed);
    let signer = trader_key(signed.request.account);
    [Operation::Request(signed.request.sign(&signer, domain()))]
}

/// Cash for another account.
pub fn transfer(to: AccountIndex, amount_e6: i64) -> Action {
    Action::Transfer { to, amount: cash(amount_e6) }
}

/// Cash for an address on L1.
pub fn withdrawal(amount_e6: i64) -> Action {
    Action::Withdrawal { to: Recipient([7; 20]), amount: cash(amount_e6), least: None }
}

/// Another specification of the same underlying, by each part that may differ.
pub const OTHER_SPECS: [fn(&mut InstrumentSpec); 3] = [
    |s| s.expiry = time(s.expiry.get() + 1),
    |s| s.strike = price(s.strike.get() + 1),
    |s| {
        s.kind = match s.kind {
            OptionKind::Call => OptionKind::Put,
            OptionKind::Put => OptionKind::Call,
        }
    },
];

pub fn index(value: u32) -> AccountIndex {
    AccountIndex::new(value).expect("an index")
}

pub fn price(value: u32) -> Price {
    Price::new(value).expect("a price")
}

pub fn quantity(value: i64) -> Quantity {
    Quantity::new(value).expect("a quantity")
}

pub fn order_quantity(value: i64) -> OrderQuantity {
    OrderQuantity::try_from(i128::from(value)).expect("an order's quantity")
}

pub fn cash(value: i64) -> Cash {
    Cash::new(value).expect("cash")
}

pub fn time(value: u64) -> Time {
    Time::new(value).expect("a time")
}

/// The rule a result was refused by.
pub fn rule_of<T>(result: Result<T, Reject>) -> Option<Rule> {
    result.err().map(|reject| reject.rule)
}

/// Account 5 holds these quantities of the two options, and its equity is `excess_e6` above its
/// initial margin.
pub fn holder(
    market: &Market,
    method: MarginMethod,
    quantities: [i64; 2],
    excess_e6: i128,
) -> Account {
    let mut book = portfolio_book(1);
    book.method = method;
    let mut holder = account(index(5), book);
    for (&instrument, held) in market.rows().keys().zip(quantities) {
        holder.positions.add(book.underlying, instrument, quantity(held)).expect("a free slot");
    }
    let margin = market.margin_of(&holder).expect("listed options");
    let needed = margin.initial - margin.equity + excess_e6;
    holder.cash = cash(i64::try_from(needed).expect("a few million USDC"));
    holder
}
