//! A small venue for tests: one underlying, traders whose keys are known, a store in a folder that
//! goes away.
#![allow(dead_code)] // Each test program uses a part.

pub mod drill;
pub mod process;

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use zkmargin_fixtures::build::{
    NOW_S, account, account_index, parameters, portfolio_book, risk_rows,
};
use zkmargin_fixtures::keys::{oracle_keys, signed_table, trader_key, view_key};
use zkmargin_protocol::account::{INSURANCE_FUND, fee_account};
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::market::SignedRiskTable;
use zkmargin_protocol::market::oracle::Attestation;
use zkmargin_protocol::market::risk_row::RiskRow;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::deposit::Deposit;
use zkmargin_protocol::operation::order::{Order, Side};
use zkmargin_protocol::operation::recipient::Recipient;
use zkmargin_protocol::operation::request::Request;
use zkmargin_protocol::operation::trade::Trade;
use zkmargin_protocol::value::units::{
    AccountIndex, Cash, Nonce, OrderQuantity, Price, Quantity, Time,
};
use zkmargin_sequencer::{
    Access, Answer, DepositNotice, Error, Genesis, Sequencer, Source, read_groups,
};
use zkmargin_verifier::Domain;

/// Instruments of the table, the odd places (from 1) of which are of underlying 1.
pub const INSTRUMENTS: usize = 70;
/// Underlying traded.
pub const UNDERLYING: u8 = 1;

/// Opens a store for writing. A process that another thread is about to start still holds a copy of
/// the lock for a moment.
pub fn open_for_writing(store: &Path) -> Sequencer {
    let wait = Duration::from_secs(10);
    Sequencer::open_within(store, Access::Write, wait).expect("a sound store")
}

pub fn domain() -> Domain {
    Domain::new(31_337, [0x11; 20])
}

pub fn genesis(shape: Shape) -> Genesis {
    let [fund, fees] =
        [INSURANCE_FUND, fee_account()].map(|index| account(index, portfolio_book(UNDERLYING)));
    Genesis::new(domain(), shape, fund, fees)
}

pub fn at(seconds_after: u64) -> Time {
    Time::new(NOW_S + seconds_after).expect("a time")
}

/// The table of `epoch` at `time`, signed by members 0, 1 and 2.
pub fn table(epoch: u64, time: Time) -> SignedRiskTable {
    let rows = risk_rows(INSTRUMENTS, 9);
    signed_table(&rows, parameters(), epoch, time, domain().field()).expect("ranged indices")
}

/// Signs a table's message anew.
pub fn sign_table(table: &mut SignedRiskTable) {
    let mut keys = oracle_keys().map(Some);
    keys[3] = None;
    keys[4] = None;
    table.attestation =
        Attestation::sign(table.attestation.message.clone(), domain().field(), &keys);
}

/// The instruments of underlying 1, by index.
pub fn instruments() -> Vec<RiskRow> {
    let rows = risk_rows(INSTRUMENTS, 9);
    rows.into_values().filter(|row| row.spec.underlying.get() == UNDERLYING).collect()
}

/// A deposit of `usdc` for trader `index`.
pub fn deposit(index: u32, usdc: i64) -> Deposit {
    let index = account_index(index);
    Deposit {
        account: index,
        key: trader_key(index).public(),
        view_key: view_key(index),
        book: portfolio_book(UNDERLYING),
        amount: Cash::new(usdc * 1_000_000).expect("cash"),
    }
}

pub fn deposit_line(reference: &str, deposit: Deposit) -> String {
    let notice = DepositNotice { reference: reference.to_owned(), deposit };
    serde_json::to_string(&notice).expect("a notice")
}

/// A trade of 0.1 contract at the mark, before it is signed.
#[derive(Clone)]
pub struct Draft {
    pub buy: Order,
    pub sell: Order,
    pub trade_price: Price,
    pub quantity: Quantity,
    pub fees: [Price; 2],
}

pub fn price(value: u32) -> Price {
    Price::new(value).expect("a price")
}

pub fn quantity(value: i64) -> Quantity {
    Quantity::new(value).expect("a quantity")
}

pub fn order_quantity(value: u64) -> OrderQuantity {
    OrderQuantity::new(value).expect("an order's quantity")
}

pub fn nonce(value: u64) -> Nonce {
    Nonce::new(value).expect("a nonce")
}

impl Draft {
    pub fn new(row: &RiskRow, [buyer, seller]: [u32; 2], nonces: [u64; 2]) -> Self {
        let order = |account: u32, side: Side, number: u64| Order {
            account: account_index(account),
            side,
            instrument: row.instrument,
            spec: row.spec,
            limit: row.mark,
            fee_limit: price(10),
            quantity_min: order_quantity(1),
            quantity_max: order_quantity(1_000),
            nonce: nonce(number),
            expiry: at(3_600),
        };
        Self {
            buy: order(buyer, Side::Buy, nonces[0]),
            sell: order(seller, Side::Sell, nonces[1]),
            trade_price: row.mark,
            quantity: quantity(100),
            fees: [price(10), price(5)],
        }
    }

    pub fn sign(self) -> Operation {
        let sign = |order: Order| {
            let key = trader_key(order.account);
            order.sign(&key, domain().field())
        };
        let Self { buy, sell, trade_price, quantity, fees: [buyer_fee, seller_fee] } = self;
        let (buy, sell) = (sign(buy), sign(sell));
        let (price, maker) = (trade_price, Side::Sell);
        let trade = Trade { buy, sell, price, quantity, maker, buyer_fee, seller_fee };
        Operation::Trade(Box::new(trade))
    }
}

pub fn cash(micro_usdc: i64) -> Cash {
    Cash::new(micro_usdc).expect("cash")
}

/// A withdrawal of so much to an address on L1.
pub fn paid_out(micro_usdc: i64) -> Action {
    Action::Withdrawal { to: Recipient([7; 20]), amount: cash(micro_usdc), least: None }
}

pub fn transfer(to: u32, micro_usdc: i64) -> Action {
    Action::Transfer { to: account_index(to), amount: cash(micro_usdc) }
}

pub fn request(account: u32, action: Action, number: u64) -> Request {
    Request { account: account_index(account), action, nonce: nonce(number), expiry: at(3_600) }
}

pub fn sign_request(request: Request) -> Operation {
    let key = trader_key(request.account);
    Operation::Request(request.sign(&key, domain().field()))
}

pub fn line(operation: &Operation) -> String {
    serde_json::to_string(operation).expect("an operation")
}

/// `count` valid trades among `traders` (2, 3, …), whose n-th operation has nonce n. Buyers become
/// sellers, so that positions stay small.
pub fn trade_lines(count: usize, traders: u32) -> Vec<String> {
    let rows = instruments();
    let mut nonces = vec![0; traders as usize];
    let mut next = |trader: u32| {
        let number = &mut nonces[trader as usize];
        *number += 1;
        *number - 1
    };
    (0..count)
        .map(|k| {
            let first = (k as u32) % traders;
            let second = (first + 1) % traders;
            let sides = if (k / traders as usize).is_multiple_of(2) {
                [first, second]
            } else {
                [second, first]
            };
            let numbers = sides.map(&mut next);
            line(&Draft::new(&rows[k % 3], sides.map(|side| side + 2), numbers).sign())
        })
        .collect()
}

/// A store in a folder of its own.
pub struct Venue {
    pub folder: TempDir,
}

impl Venue {
    pub fn create(shape: Shape) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let venue = Self { folder };
        Sequencer::create(&venue.store(), genesis(shape)).expect("a new store");
        venue
    }

    /// With a table 20 seconds old, and `traders` (2, 3, …) of 1,000,000 USDC each.
    pub fn open_for_trade(shape: Shape, traders: u32) -> Self {
        let venue = Self::create(shape);
        let mut sequencer = venue.open();
        let taken = sequencer.take_table(table(1, Time::new(NOW_S - 20).unwrap()), at(0));
        taken.expect("a working disk").expect("a sound table");
        let lines: Vec<String> = (2..2 + traders)
            .map(|index| deposit_line(&format!("first-{index}"), deposit(index, 1_000_000)))
            .collect();
        let answers = submit(&mut sequencer, Source::Chain, &lines, at(0));
        assert_eq!(accepted(&answers).len(), lines.len(), "{answers:?}");
        venue
    }

    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    pub fn open(&self) -> Sequencer {
        open_for_writing(&self.store())
    }

    pub fn look(&self) -> Result<Sequencer, Error> {
        Sequencer::open(&self.store(), Access::Read)
    }
}

/// Sends lines; the answers as a client reads them.
pub fn submit(
    sequencer: &mut Sequencer,
    source: Source,
    lines: &[String],
    now: Time,
) -> Vec<Value> {
    let input = Cursor::new(lines.join("\n").into_bytes());
    let mut published = Vec::new();
    let publish = |answers: &[Answer]| {
        published.extend(answers.iter().map(|a| serde_json::to_value(a).expect("an answer")));
        Ok(())
    };
    sequencer
        .submit(source, read_groups(input, 16).expect("a thread"), || Ok(now), publish)
        .expect("a working disk");
    published
}

/// The receipts among answers, without their line numbers.
pub fn accepted(answers: &[Value]) -> Vec<Value> {
    let receipts = answers.iter().filter(|answer| answer["accepted"] == true).cloned();
    receipts
        .map(|mut answer| {
            answer.as_object_mut().expect("an object").remove("line");
            answer
        })
        .collect()
}

/// The one answer to one line.
pub fn answer_to(sequencer: &mut Sequencer, source: Source, line: String, now: Time) -> Value {
    let mut answers = submit(sequencer, source, &[line], now);
    assert_eq!(answers.len(), 1, "{answers:?}");
    answers.remove(0)
}

pub fn balance(sequencer: &Sequencer, index: u32) -> i64 {
    let info = sequencer.account(account_index(index)).expect("a sound store");
    info.expect("an account").cash.get()
}

pub fn fee_index() -> AccountIndex {
    fee_account()
}
