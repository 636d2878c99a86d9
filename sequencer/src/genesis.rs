//! What a store is made from; the first entry of its log.

use std::collections::BTreeMap;

use ark_bn254::Fr;
use serde::{Deserialize, Deserializer, Serialize, de};

use zkmargin_protocol::account::{Account, INSURANCE_FUND, fee_account};
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::market::oracle::OracleClock;
use zkmargin_protocol::operation::recipient::Recipient;
use zkmargin_protocol::value::custody::Custody;
use zkmargin_protocol::value::decimal::Decimal;
use zkmargin_verifier::{Domain, address};

use crate::error::Error;

/// Where the rollup lives, what its batches look like, and its first accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// Chain id of EIP-155.
    pub chain_id: u64,
    /// The rollup contract. Read as people write addresses; written, signed and hashed in canonical
    /// form.
    #[serde(deserialize_with = "read_address")]
    pub contract: Recipient,
    /// Protocol version.
    pub version: u32,
    /// Shape of every batch.
    pub shape: Shape,
    /// Hash of the oracle's members; if absent, that of the first table taken.
    pub signer_set: Option<Decimal<Fr>>,
    /// Hash of the parameters; if absent, that of the first table taken.
    pub parameters: Option<Decimal<Fr>>,
    /// First accounts; at least the insurance fund and the fee account.
    pub snapshot: Snapshot,
}

impl Genesis {
    /// A rollup with nothing but an empty insurance fund and an empty fee account.
    pub fn new(domain: Domain, shape: Shape, fund: Account, fees: Account) -> Self {
        let accounts = [(INSURANCE_FUND, fund), (fee_account(), fees)].into();
        Self {
            chain_id: domain.chain_id,
            contract: Recipient(domain.contract),
            version: domain.version,
            shape,
            signer_set: None,
            parameters: None,
            snapshot: Snapshot {
                domain: domain.field(),
                batches: 0,
                oracle: OracleClock::default(),
                parameters: Fr::default(),
                custody: Custody::default(),
                accounts,
                specs: BTreeMap::new(),
            },
        }
    }

    /// The domain of signatures.
    pub fn domain(&self) -> Domain {
        Domain { chain_id: self.chain_id, contract: self.contract.0, version: self.version }
    }

    /// The first state.
    ///
    /// # Errors
    /// [`Error::Configuration`] if nobody can prove batches of the shape, or the snapshot is of
    /// another domain, lacks an account or has one that no batch could touch.
    pub fn state(&self) -> Result<State, Error> {
        let wrong = |what: &str| Err(Error::Configuration(format!("genesis: {what}")));
        let refused = |reject| Error::Configuration(format!("genesis: {reject}"));
        self.shape.check().map_err(refused)?;
        let accounts = &self.snapshot.accounts;
        if self.snapshot.domain != self.domain().field() {
            return wrong("the snapshot's domain is not that of chain, contract and version");
        }
        if !accounts.contains_key(&INSURANCE_FUND) || !accounts.contains_key(&fee_account()) {
            return wrong("accounts 0 and 1 are needed");
        }
        for (index, account) in accounts {
            account.nonces.check_movable().map_err(|reject| {
                Error::Configuration(format!("genesis: account {index}: {reject}"))
            })?;
        }
        State::new(self.snapshot.clone()).map_err(refused)
    }
}

fn read_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Recipient, D::Error> {
    let text = String::deserialize(deserializer)?;
    address::parse(&text).map(Recipient).map_err(de::Error::custom)
}
