//! What the auditor is shown.

use std::collections::BTreeMap;

use ark_bn254::Fr;
use zkmargin_protocol::Reject;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::account::settlement::Settlement;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::market::oracle::OracleClock;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::bid::AuctionStep;
use zkmargin_protocol::value::custody::Custody;
use zkmargin_protocol::value::units::{AccountIndex, InstrumentIndex, Time};

/// Accounts by index.
pub type Accounts = BTreeMap<AccountIndex, Account>;

/// One operation and what came of it.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    /// Domain of signatures.
    pub domain: Fr,
    /// Market data of the batch.
    pub market: &'a Market,
    /// Time of the batch.
    pub time: Time,
    /// Accounts when the batch began.
    pub opening: &'a Accounts,
    /// Accounts before the operation.
    pub before: &'a Accounts,
    /// Accounts after it.
    pub after: &'a Accounts,
    /// Cash held on L1 and deficits counted when the batch began.
    pub custody: Custody,
    /// Operations in the batch before and after.
    pub counts: [usize; 2],
    /// The operation.
    pub operation: &'a Operation,
    /// What the rules said.
    pub verdict: &'a Result<(), Reject>,
    /// What they said to a refused operation when it was tried again.
    pub again: &'a Result<(), Reject>,
    /// What they report as settled of accounts first touched.
    pub settled: &'a BTreeMap<AccountIndex, Settlement>,
    /// What they report as the step of an auction.
    pub auction: Option<&'a AuctionStep>,
}

/// A state, as far as the auditor looks into it.
#[derive(Clone)]
pub struct Ends {
    /// Root of the account tree.
    pub root: Fr,
    /// Root of the open-interest tree.
    pub interest_root: Fr,
    /// Batches so far.
    pub batches: u64,
    /// How far the oracle has come.
    pub clock: OracleClock,
    /// Cash held on L1 and deficits counted.
    pub custody: Custody,
    /// Accounts.
    pub accounts: Accounts,
}

impl Ends {
    /// What the auditor sees of `state`.
    pub fn of(state: &State) -> Self {
        Self {
            root: state.root(),
            interest_root: state.open_interest().root(),
            batches: state.batches(),
            clock: state.oracle(),
            custody: state.custody(),
            accounts: state.accounts().clone(),
        }
    }
}

/// A batch and what came of it.
#[derive(Clone, Copy)]
pub struct Seal<'a> {
    /// Market data of the batch.
    pub market: &'a Market,
    /// State before.
    pub before: &'a Ends,
    /// Accounts as the last operation left them.
    pub standing: &'a Accounts,
    /// State after.
    pub after: &'a Ends,
    /// Accepted operations.
    pub operations: &'a [Operation],
    /// What the batch says it did.
    pub trace: &'a BatchTrace,
    /// The words of the statement.
    pub words: &'a [Fr],
    /// The batch made anew from its operations: root after, and whether the trace is the same.
    pub again: &'a Result<(Fr, bool), Reject>,
}

/// What an account holds, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Micro-USDC.
    pub cash: i128,
    /// 1/1000 contracts, none of zero.
    pub contracts: BTreeMap<InstrumentIndex, i128>,
}

impl Holding {
    /// What `account` holds.
    pub fn of(account: &Account) -> Self {
        let contracts = account.positions.iter().map(|(k, q)| (k, i128::from(q.get()))).collect();
        Self { cash: account.cash.get().into(), contracts }
    }

    /// Contracts held of an instrument.
    pub fn held(&self, instrument: InstrumentIndex) -> i128 {
        self.contracts.get(&instrument).copied().unwrap_or(0)
    }

    /// Adds contracts.
    pub fn add(&mut self, instrument: InstrumentIndex, change: i128) {
        let sum = self.held(instrument) + change;
        if sum == 0 {
            self.contracts.remove(&instrument);
        } else {
            self.contracts.insert(instrument, sum);
        }
    }
}
