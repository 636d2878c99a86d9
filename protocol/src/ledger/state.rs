//! The state of the rollup: accounts and their tree. Spec: `docs/spec/ledger/transition.md`.

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::crypto::tree::{ACCOUNT_TREE_DEPTH, NodeUpdate, SparseTree};
use crate::ledger::open_interest::OpenInterest;
use crate::market::Market;
use crate::market::instrument::InstrumentSpec;
use crate::market::oracle::OracleClock;
use crate::value::custody::Custody;
use crate::value::decimal;
use crate::value::packing::read_part;
use crate::value::units::{AccountIndex, InstrumentIndex, NUMBER_BITS};
use crate::{Reject, Rule};

/// All accounts, the tree over their leaves, what they hold, and how many batches led here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    domain: Fr,
    batches: u64,
    oracle: OracleClock,
    parameters: Fr,
    custody: Custody,
    accounts: BTreeMap<AccountIndex, Account>,
    tree: SparseTree,
    open_interest: OpenInterest,
}

/// What a state is rebuilt from; trees and numbers of holders follow from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Domain of signatures: chain, contract and version.
    #[serde(with = "decimal")]
    pub domain: Fr,
    /// Batches applied, below 2^40.
    #[serde(deserialize_with = "read_part::<NUMBER_BITS, _, _>")]
    pub batches: u64,
    /// Epoch and time of the last batch's risk table.
    #[serde(default)]
    pub oracle: OracleClock,
    /// Hash of the last batch's parameters, zero at first.
    #[serde(default, with = "decimal")]
    pub parameters: Fr,
    /// Cash held on L1 and deficits counted.
    #[serde(default)]
    pub custody: Custody,
    /// Accounts by index.
    pub accounts: BTreeMap<AccountIndex, Account>,
    /// Specifications of the instruments they hold.
    #[serde(default)]
    pub specs: BTreeMap<InstrumentIndex, InstrumentSpec>,
}

impl Snapshot {
    /// A rollup that starts with these accounts: L1 holds their cash, `specs` says what instruments
    /// they hold.
    ///
    /// # Errors
    /// [`Rule::Custody`] if that is less than none.
    pub fn opening(
        domain: Fr,
        accounts: BTreeMap<AccountIndex, Account>,
        specs: BTreeMap<InstrumentIndex, InstrumentSpec>,
    ) -> Result<Self, Reject> {
        let cash = accounts.values().map(|account| i128::from(account.cash)).sum();
        let custody = Custody::new(cash, 0)?;
        let (batches, oracle, parameters) = Default::default();
        Ok(Self { domain, batches, oracle, parameters, custody, accounts, specs })
    }
}

impl State {
    /// The state of a snapshot.
    ///
    /// # Errors
    /// [`Rule::IndexReuse`] for an instrument held that `specs` does not have. An entry of it that
    /// nobody holds is left out.
    pub fn new(snapshot: Snapshot) -> Result<Self, Reject> {
        let Snapshot { domain, batches, oracle, parameters, custody, accounts, specs } = snapshot;
        let open_interest = OpenInterest::count(accounts.values(), &specs)?;
        let leaves =
            accounts.iter().map(|(index, account)| (u64::from(index.get()), account.leaf()));
        let leaves = leaves.collect();
        let mut tree = SparseTree::new(ACCOUNT_TREE_DEPTH);
        tree.set_many(&leaves)?;
        Ok(Self { domain, batches, oracle, parameters, custody, accounts, tree, open_interest })
    }

    /// What the state can be rebuilt from.
    pub fn snapshot(&self) -> Snapshot {
        let Self { domain, batches, oracle, parameters, custody, accounts, .. } = self;
        let accounts = accounts.clone();
        Snapshot {
            domain: *domain,
            batches: *batches,
            oracle: *oracle,
            parameters: *parameters,
            custody: *custody,
            accounts,
            specs: self.open_interest.specs(),
        }
    }

    /// Domain of signatures.
    pub fn domain(&self) -> Fr {
        self.domain
    }

    /// Batches applied so far.
    pub fn batches(&self) -> u64 {
        self.batches
    }

    /// Epoch and time of the last batch's risk table.
    pub fn oracle(&self) -> OracleClock {
        self.oracle
    }

    /// Hash of the last batch's parameters, zero at first.
    pub fn parameters(&self) -> Fr {
        self.parameters
    }

    /// Cash held on L1 and deficits counted.
    pub fn custody(&self) -> Custody {
        self.custody
    }

    /// Root of the account tree.
    pub fn root(&self) -> Fr {
        self.tree.root()
    }

    /// The accounts.
    pub fn accounts(&self) -> &BTreeMap<AccountIndex, Account> {
        &self.accounts
    }

    /// An account.
    ///
    /// # Errors
    /// [`Rule::AccountExists`].
    pub fn account(&self, index: AccountIndex) -> Result<&Account, Reject> {
        let missing =
            || Reject::because(Rule::AccountExists, "the account does not exist").of(index);
        self.accounts.get(&index).ok_or_else(missing)
    }

    /// The tree over the accounts' leaves.
    pub fn tree(&self) -> &SparseTree {
        &self.tree
    }

    /// What is held, and by how many accounts.
    pub fn open_interest(&self) -> &OpenInterest {
        &self.open_interest
    }

    /// Replaces accounts and counts a batch under `market` that leaves `custody`; returns the nodes
    /// touched of both trees, those of the open interest above `instruments`, each root last and
    /// always.
    ///
    /// # Errors
    /// Those of [`OpenInterest`]; none for positions that the rules allow.
    pub(crate) fn replace(
        &mut self,
        accounts: BTreeMap<AccountIndex, Account>,
        market: &Market,
        custody: Custody,
        instruments: &BTreeSet<InstrumentIndex>,
    ) -> Result<[Vec<NodeUpdate>; 2], Reject> {
        let changes = accounts.iter().map(|(index, new)| (self.accounts.get(index), new));
        let held = self.open_interest.update(changes, market.rows(), instruments)?;
        let leaves = accounts
            .iter()
            .map(|(index, account)| (u64::from(index.get()), account.leaf()))
            .collect();
        let nodes = self.tree.update_showing_root(&leaves)?;
        self.accounts.extend(accounts);
        self.batches += 1;
        self.oracle = market.attestation().message.clock();
        self.parameters = market.parameters().hash();
        self.custody = custody;
        Ok([nodes, held])
    }
}
