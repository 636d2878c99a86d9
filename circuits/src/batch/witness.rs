//! From the native trace to the rows of the circuit. Nothing is decided here: rows in use are
//! copied, the rest is padding.

mod accounts;

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkmargin_protocol::account::margin::{Margin, MarginMethod};
use zkmargin_protocol::account::positions::SLOTS;
use zkmargin_protocol::account::settlement::Settlement;
use zkmargin_protocol::account::{Account, Book};
use zkmargin_protocol::batch::trace::{AccountRow, BatchTrace, InstrumentRow};
use zkmargin_protocol::crypto::eddsa::SecretKey;
use zkmargin_protocol::crypto::tree::NodeUpdate;
use zkmargin_protocol::crypto::tree::opening::OpenedNode;
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::order::{Order, Side, SignedOrder};
use zkmargin_protocol::operation::request::{Request, SignedRequest};
use zkmargin_protocol::operation::trade::Trade;
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::pricing::scenario::SCENARIOS;
use zkmargin_protocol::value::units::{
    AccountIndex, Cash, InstrumentIndex, Nonce, OrderQuantity, Price, Quantity, Time, Underlying,
};

use crate::account::AccountInput;
use crate::account::reduction::SideBeforeInput;
use crate::crypto::eddsa::SignatureVar;
use crate::ledger::two_sided::TwoSidedInput;
use crate::operation::deposit::DepositInput;
use crate::operation::fill::TradeInput;
use crate::operation::request::RequestInput;

/// The rows of all tables, padded to the shape.
pub struct BatchInput {
    /// Deposits; `None` is padding.
    pub deposits: Vec<Option<DepositInput>>,
    /// Trades.
    pub trades: Vec<TradeInput>,
    /// Requests of accounts.
    pub requests: Vec<RequestInput>,
    /// Instruments; `None` is padding.
    pub instruments: Vec<Option<InstrumentRow>>,
    /// Accounts, one-sided rows first.
    pub accounts: Vec<AccountInput>,
    /// Margins of the accounts.
    pub margins: Vec<Margin>,
    /// What the two-sided rows, the last of the accounts, show besides.
    pub two_sided: Vec<TwoSidedInput>,
    /// Tree nodes, the root first; `None` is padding.
    pub nodes: Vec<Option<NodeUpdate>>,
    /// Nodes of the risk table, the root first; `None` is padding.
    pub risk_nodes: Vec<Option<OpenedNode>>,
    /// Nodes of the open-interest tree, the root first; `None` is padding.
    pub interest_nodes: Vec<Option<NodeUpdate>>,
}

impl BatchInput {
    /// The rows of a trace. Rows beyond the shape are cut off; the constraints then refuse the
    /// batch.
    pub fn from_trace(trace: &BatchTrace) -> Self {
        let shape = &trace.shape;
        let padding = Padding::new(trace.time);
        let signer =
            |index| accounts::signer(trace, index).unwrap_or_else(|| padding.account.clone());
        let deposits = trace.deposits.iter().map(|row| {
            let index = row.deposit.account;
            let opened = trace.accounts.iter().find(|row| row.index == index);
            let is_opening = opened.is_some_and(|row| row.old.is_none());
            Some(DepositInput { row: row.clone(), found: signer(index), is_opening })
        });
        let trades = trace.trades.iter().map(|trade| TradeInput {
            is_active: true,
            trade: trade.clone(),
            signers: [&trade.buy, &trade.sell].map(|signed| signer(signed.order.account)),
            forward: forward(trace, trade),
        });
        let requests = trace.requests.iter().map(|signed| RequestInput {
            is_active: true,
            signed: signed.clone(),
            signer: signer(signed.request.account),
        });
        let one_sided = trace.one_sided().map(|row| accounts::input(trace, row));
        let two_sided = trace.two_sided().map(|(row, _)| accounts::input(trace, row));
        let mut accounts = padded(one_sided, shape.accounts, &padding.account());
        let empty = AccountInput { is_two_sided: true, ..padding.account() };
        accounts.extend(padded(two_sided, shape.two_sided, &empty));
        let margin = |row: &AccountRow| row.margin.clone();
        let mut margins = padded(trace.one_sided().map(margin), shape.accounts, &empty_margin());
        let two_sided = trace.two_sided().map(|(row, _)| margin(row));
        margins.extend(padded(two_sided, shape.two_sided, &empty_margin()));
        let two_sided =
            trace.two_sided().map(|(row, old_margin)| two_sided_input(trace, row, old_margin));
        Self {
            deposits: padded(deposits, shape.deposits, &None),
            trades: padded(trades, shape.trades, &padding.trade()),
            requests: padded(requests, shape.requests, &padding.request()),
            instruments: padded(
                trace.instruments.iter().cloned().map(Some),
                shape.instruments,
                &None,
            ),
            accounts,
            margins,
            two_sided: padded(two_sided, shape.two_sided, &padding_two_sided()),
            nodes: root_first(&trace.nodes, shape.nodes),
            risk_nodes: root_first(&trace.risk_nodes, shape.instrument_nodes),
            interest_nodes: root_first(&trace.interest_nodes, shape.instrument_nodes),
        }
    }
}

/// The forward of a trade's instrument. One without a row is the look-up's to refuse, not the
/// schedule's, so it has the greatest.
fn forward(trace: &BatchTrace, trade: &Trade) -> Price {
    trace.risk_row(trade.buy.order.instrument).map_or(Price::MAX, |row| row.forward)
}

/// Nodes whose root is the last, padded.
fn root_first<T: Clone>(nodes: &[T], count: usize) -> Vec<Option<T>> {
    padded(nodes.iter().rev().cloned().map(Some), count, &None)
}

fn padded<T: Clone>(rows: impl Iterator<Item = T>, count: usize, padding: &T) -> Vec<T> {
    let mut rows: Vec<_> = rows.take(count).collect();
    rows.resize(count, padding.clone());
    rows
}

fn two_sided_input(trace: &BatchTrace, row: &AccountRow, old_margin: &Margin) -> TwoSidedInput {
    let slots = accounts::before(trace, row).positions.slots();
    let kept = slots.map(|(instrument, held)| kept(held, row.new.positions.quantity(instrument)));
    // What is refused is not held against the book it shows.
    let is_refused = accounts::is_refused(row);
    let kept = if is_refused { [Quantity::default(); SLOTS] } else { kept };
    // A row that covers initial margin after the batch is bound by that alone, and one in auction
    // by neither.
    let is_short = [old_margin, &row.margin].iter().all(|margin| margin.initial_excess_e12 < 0);
    let is_reducing = is_short && !accounts::is_frozen(row) && !is_refused;
    TwoSidedInput {
        before: SideBeforeInput { old_margin: old_margin.clone(), is_reducing, kept },
        step: row.step.clone(),
        answer: row.answer,
        forced_reduction: accounts::forced_reduction(trace, row),
    }
}

/// What is kept of a position that becomes another: nothing if it changes sides, and no more than
/// there was.
fn kept(old: Quantity, new: Quantity) -> Quantity {
    if old.get().signum() != new.get().signum() {
        return Quantity::default();
    }
    if old.get().abs() < new.get().abs() { old } else { new }
}

fn padding_two_sided() -> TwoSidedInput {
    let kept = [Quantity::default(); SLOTS];
    TwoSidedInput {
        before: SideBeforeInput { old_margin: empty_margin(), is_reducing: false, kept },
        step: None,
        answer: None,
        forced_reduction: None,
    }
}

fn empty_margin() -> Margin {
    Margin {
        mark_value: 0,
        equity: 0,
        losses: vec![0; SCENARIOS],
        short_floor: 0,
        isolated_initial: 0,
        isolated_maintenance: 0,
        requirement: 0,
        initial: 0,
        maintenance: 0,
        initial_excess_e12: 0,
        maintenance_excess_e12: 0,
    }
}

/// Well-formed rows that no flag puts in use.
struct Padding {
    time: Time,
    account: Account,
}

impl Padding {
    fn new(time: Time) -> Self {
        let key = SecretKey::from_seed(&[0; 32]);
        let book = Book { underlying: Underlying::default(), method: MarginMethod::Portfolio };
        let account = Account::open(key.public(), Fr::ZERO, book);
        Self { time, account }
    }

    fn account(&self) -> AccountInput {
        AccountInput {
            is_active: false,
            is_new: false,
            index: AccountIndex::default(),
            old: self.account.clone(),
            settlement: Settlement::default(),
            new: self.account.clone(),
            nonces_used: 0,
            is_rekeyed: false,
            is_cancelled: false,
            is_two_sided: false,
        }
    }

    fn order(&self, side: Side) -> SignedOrder {
        let spec = InstrumentSpec {
            underlying: Underlying::default(),
            expiry: Time::default(),
            strike: Price::default(),
            kind: OptionKind::Put,
        };
        let order = Order {
            account: AccountIndex::default(),
            side,
            instrument: InstrumentIndex::default(),
            spec,
            limit: Price::default(),
            fee_limit: Price::default(),
            quantity_min: OrderQuantity::default(),
            quantity_max: OrderQuantity::default(),
            nonce: Nonce::default(),
            expiry: self.time,
        };
        SignedOrder { order, signature: SignatureVar::padding() }
    }

    fn trade(&self) -> TradeInput {
        TradeInput {
            is_active: false,
            trade: Trade {
                buy: self.order(Side::Buy),
                sell: self.order(Side::Sell),
                price: Price::default(),
                quantity: Quantity::default(),
                maker: Side::Buy,
                buyer_fee: Price::default(),
                seller_fee: Price::default(),
            },
            signers: [self.account.clone(), self.account.clone()],
            forward: Price::default(),
        }
    }

    fn request(&self) -> RequestInput {
        let request = Request {
            account: AccountIndex::default(),
            action: Action::Transfer { to: AccountIndex::default(), amount: Cash::default() },
            nonce: Nonce::default(),
            expiry: self.time,
        };
        let signed = SignedRequest { request, signature: SignatureVar::padding() };
        RequestInput { is_active: false, signed, signer: self.account.clone() }
    }
}
