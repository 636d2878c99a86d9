//! The venue of a replay: its state, and batches of signed operations under the rules.

use ark_bn254::Fr;
use zkmargin_fixtures::keys::{trader_key, view_key};
use zkmargin_protocol::account::{Account, Book};
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::market::Market;
use zkmargin_protocol::market::risk_row::RiskRow;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::deposit::Deposit;
use zkmargin_protocol::operation::order::{Order, Side};
use zkmargin_protocol::operation::request::Request;
use zkmargin_protocol::operation::trade::Trade;
use zkmargin_protocol::value::units::{
    AccountIndex, Cash, Nonce, OrderQuantity, Price, Quantity, Time,
};
use zkmargin_protocol::{Reject, Rule};

use crate::StressError;

/// Rows for a whole population: nobody proves these batches.
const SHAPE: Shape = Shape {
    trades: 1 << 12,
    requests: 1 << 12,
    deposits: 1 << 12,
    accounts: 1 << 12,
    two_sided: 1 << 12,
    nodes: 1 << 12,
    instruments: 1 << 10,
    instrument_nodes: 1 << 12,
};

/// Seconds for which an order or request may wait.
const PATIENCE_S: u64 = 60;

/// The venue of a replay.
pub struct Venue {
    /// All accounts.
    pub state: State,
}

impl Venue {
    /// A venue without accounts.
    ///
    /// # Errors
    /// None for an empty state.
    pub fn new(domain: Fr) -> Result<Self, StressError> {
        let opening = Snapshot::opening(domain, Default::default(), Default::default())?;
        Ok(Self { state: State::new(opening)? })
    }

    /// An account.
    ///
    /// # Errors
    /// [`Rule::AccountExists`].
    pub fn account(&self, index: AccountIndex) -> Result<&Account, StressError> {
        Ok(self.state.account(index)?)
    }

    /// Fills a batch at `time` and seals it; without an operation there is none.
    ///
    /// # Errors
    /// Those of `fill`, and of the batch.
    pub fn post(
        &mut self,
        market: &Market,
        time: Time,
        fill: impl FnOnce(&mut Posting) -> Result<(), StressError>,
    ) -> Result<Option<BatchTrace>, StressError> {
        let batch = Batch::new(&self.state, market, SHAPE, time)?;
        let mut posting = Posting { batch, domain: self.state.domain(), time };
        fill(&mut posting)?;
        if posting.batch.operations().is_empty() {
            return Ok(None);
        }
        let (state, trace) = posting.batch.seal()?;
        self.state = state;
        Ok(Some(trace))
    }
}

/// A batch being filled.
pub struct Posting<'a> {
    batch: Batch<'a>,
    domain: Fr,
    time: Time,
}

/// A trade at the mark: buyer, seller, contracts.
pub struct Fill<'a> {
    /// The two accounts.
    pub sides: [AccountIndex; 2],
    /// The option.
    pub row: &'a RiskRow,
    /// Contracts, above zero.
    pub quantity: Quantity,
}

impl Posting<'_> {
    /// Adds operations, all or none.
    ///
    /// # Errors
    /// The rule that refused them.
    pub fn push(&mut self, operations: &[Operation]) -> Result<(), Reject> {
        self.batch.push(operations)
    }

    /// Trades at the marks without fees, signed by both sides, all or none.
    ///
    /// # Errors
    /// The rule that refused them.
    pub fn trade(&mut self, fills: &[Fill]) -> Result<(), Reject> {
        let mut operations = Vec::new();
        for (place, fill) in fills.iter().enumerate() {
            let nonces = [self.nonce(fill.sides[0], place)?, self.nonce(fill.sides[1], place)?];
            let buy = self.order(fill, Side::Buy, nonces[0])?;
            let sell = self.order(fill, Side::Sell, nonces[1])?;
            let (price, quantity) = (fill.row.mark, fill.quantity);
            let [buyer_fee, seller_fee] = [Price::MIN; 2];
            operations.push(Operation::Trade(Box::new(Trade {
                buy: buy.sign(&trader_key(fill.sides[0]), self.domain),
                sell: sell.sign(&trader_key(fill.sides[1]), self.domain),
                price,
                quantity,
                maker: Side::Sell,
                buyer_fee,
                seller_fee,
            })));
        }
        self.push(&operations)
    }

    fn order(&self, fill: &Fill, side: Side, nonce: Nonce) -> Result<Order, Reject> {
        let account = if side == Side::Buy { fill.sides[0] } else { fill.sides[1] };
        Ok(Order {
            account,
            side,
            instrument: fill.row.instrument,
            spec: fill.row.spec,
            limit: fill.row.mark,
            fee_limit: Price::MIN,
            quantity_min: OrderQuantity::MIN,
            quantity_max: OrderQuantity::try_from(fill.quantity)?,
            nonce,
            expiry: Time::new(self.time.get() + PATIENCE_S)?,
        })
    }

    /// A signed request of an account.
    ///
    /// # Errors
    /// The rule that refused it.
    pub fn request(&mut self, account: AccountIndex, action: Action) -> Result<(), Reject> {
        let nonce = self.nonce(account, 0)?;
        let expiry = Time::new(self.time.get() + PATIENCE_S)?;
        let request = Request { account, action, nonce, expiry };
        let signed = request.sign(&trader_key(account), self.domain);
        self.push(&[Operation::Request(signed)])
    }

    /// Cash for an account, which it opens.
    ///
    /// # Errors
    /// The rule that refused it.
    pub fn deposit(
        &mut self,
        account: AccountIndex,
        book: Book,
        amount: Cash,
    ) -> Result<(), Reject> {
        let (key, view_key) = (trader_key(account).public(), view_key(account));
        self.push(&[Operation::Deposit(Deposit { account, key, view_key, book, amount })])
    }

    /// The unused nonce of an account after `skipped` others.
    fn nonce(&self, index: AccountIndex, skipped: usize) -> Result<Nonce, Reject> {
        let window = self.batch.ledger().account(index)?.nonces;
        let mut unused = (0..u64::BITS).filter(|bit| window.bits >> bit & 1 == 0);
        let bit = unused.nth(skipped);
        let bit = bit.ok_or_else(|| {
            Reject::because(Rule::Nonce, "the account has no nonce left").of(index)
        })?;
        Nonce::new(window.base.get() + u64::from(bit))
    }
}
