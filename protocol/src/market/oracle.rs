//! The oracle quorum over one epoch of the risk table. Spec:
//! `docs/spec/market/oracle.md#OracleQuorum`.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::crypto::domain::Tag;
use crate::crypto::eddsa::{self, PublicKey, SecretKey, Signature};
use crate::crypto::poseidon;
use crate::market::parameters::BatchParameters;
use crate::pricing::black76::PRICE_UNITS;
use crate::value::decimal;
use crate::value::packing::{Layout, read_part};
use crate::value::units::{PRICE_BITS, TIME_BITS, Time};
use crate::{Reject, Rule};

/// Members of an oracle set.
pub const ORACLE_SIGNERS: usize = 5;
/// Width in bits of an epoch number.
pub const EPOCH_BITS: u32 = 40;

/// The oracle's members and how many must sign. Reading one from a file checks it as
/// [`OracleSet::new`] does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "OracleSetData", into = "OracleSetData")]
pub struct OracleSet {
    keys: [PublicKey; ORACLE_SIGNERS],
    threshold: u8,
}

/// An oracle set as it is written to a file, unchecked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OracleSetData {
    keys: [PublicKey; ORACLE_SIGNERS],
    threshold: u8,
}

impl TryFrom<OracleSetData> for OracleSet {
    type Error = Reject;

    fn try_from(data: OracleSetData) -> Result<Self, Reject> {
        Self::new(data.keys, data.threshold)
    }
}

impl From<OracleSet> for OracleSetData {
    fn from(set: OracleSet) -> Self {
        Self { keys: set.keys, threshold: set.threshold }
    }
}

impl OracleSet {
    /// A set of distinct keys of which `threshold` (1..=5) must sign.
    ///
    /// # Errors
    /// [`Rule::OracleQuorum`] for a repeated key or an impossible threshold.
    pub fn new(keys: [PublicKey; ORACLE_SIGNERS], threshold: u8) -> Result<Self, Reject> {
        let hashes: BTreeSet<_> = keys.iter().map(|key| (key.point().x, key.point().y)).collect();
        if hashes.len() != ORACLE_SIGNERS {
            let reject = Reject::new(Rule::OracleQuorum, "number of different keys", hashes.len());
            return Err(reject.only(ORACLE_SIGNERS));
        }
        if !(1..=ORACLE_SIGNERS).contains(&usize::from(threshold)) {
            let reject = Reject::new(Rule::OracleQuorum, "threshold", threshold);
            return Err(reject.within(1..=ORACLE_SIGNERS));
        }
        Ok(Self { keys, threshold })
    }

    /// The members' keys.
    pub fn keys(&self) -> &[PublicKey; ORACLE_SIGNERS] {
        &self.keys
    }

    /// Signatures needed.
    pub fn threshold(&self) -> u8 {
        self.threshold
    }

    /// Every signature of `hash` present is valid, and at least the threshold are present. The
    /// set's keys are distinct and each has one place, so no member counts twice.
    ///
    /// # Errors
    /// [`Rule::OracleQuorum`].
    pub fn check_quorum(
        &self,
        hash: Fr,
        signatures: &[Option<Signature>; ORACLE_SIGNERS],
    ) -> Result<(), Reject> {
        let mut count = 0;
        for (key, signature) in self.keys.iter().zip(signatures) {
            let Some(signature) = signature else { continue };
            eddsa::verify(key, hash, signature)
                .map_err(|reject| Reject { rule: Rule::OracleQuorum, ..reject })?;
            count += 1;
        }
        if count < self.threshold {
            let reject = Reject::new(Rule::OracleQuorum, "number of signatures", count);
            return Err(reject.at_least(self.threshold));
        }
        Ok(())
    }

    /// Poseidon of tag, threshold and keys.
    pub fn hash(&self) -> Fr {
        let mut inputs = vec![Tag::SignerSet.field(), Fr::from(self.threshold)];
        for key in &self.keys {
            inputs.extend([key.point().x, key.point().y]);
        }
        poseidon::hash(&inputs)
    }
}

/// What the oracle signs: one epoch of the risk table of all underlyings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OracleMessage {
    /// Root of the instrument registry the table was built from.
    #[serde(with = "decimal")]
    pub registry_root: Fr,
    /// Root of the risk table.
    #[serde(with = "decimal")]
    pub risk_root: Fr,
    /// Number of the table, below 2^40.
    #[serde(deserialize_with = "read_part::<EPOCH_BITS, _, _>")]
    pub epoch: u64,
    /// Time of the market data.
    pub time: Time,
    /// Whether a forward has left the band around that of the epoch before:
    /// [`crate::account::price_band`].
    pub is_outside_band: bool,
}

/// How far the oracle has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OracleClock {
    /// Number of the table, below 2^40.
    #[serde(deserialize_with = "read_part::<EPOCH_BITS, _, _>")]
    pub epoch: u64,
    /// Time of its market data.
    pub time: Time,
}

/// What the oracle signs besides the roots. The unit is there so that nobody signs prices without
/// saying of what.
pub const TERMS: Layout<4> = Layout([
    ("epoch", EPOCH_BITS),
    ("time", TIME_BITS),
    ("is outside of the band", 1),
    ("price units in one USDC", PRICE_BITS),
]);

impl OracleMessage {
    /// Epoch and time.
    pub fn clock(&self) -> OracleClock {
        OracleClock { epoch: self.epoch, time: self.time }
    }

    /// Poseidon of tag, domain, registry root, risk root and [`TERMS`].
    pub fn hash(&self, domain: Fr) -> Fr {
        let (time, is_outside_band) = (self.time.get(), self.is_outside_band);
        let packed = TERMS.pack([
            self.epoch.into(),
            time.into(),
            is_outside_band.into(),
            PRICE_UNITS.into(),
        ]);
        poseidon::hash(&[Tag::Oracle.field(), domain, self.registry_root, self.risk_root, packed])
    }

    /// Neither epoch nor time goes back behind the batch before, and an epoch has one time.
    ///
    /// # Errors
    /// [`Rule::OracleOrder`].
    pub fn check_order(&self, before: OracleClock) -> Result<(), Reject> {
        if self.epoch < before.epoch {
            let reject = Reject::new(Rule::OracleOrder, "epoch", self.epoch);
            return Err(reject.at_least(before.epoch));
        }
        let reject = || Reject::new(Rule::OracleOrder, "time of the oracle", self.time);
        if self.epoch == before.epoch && self.time != before.time {
            return Err(reject().only(before.time));
        }
        if self.time < before.time {
            return Err(reject().at_least(before.time));
        }
        Ok(())
    }

    /// The message's time is neither stale nor ahead at batch time `now`.
    ///
    /// # Errors
    /// [`Rule::OracleAge`].
    pub fn check_age(&self, now: Time, parameters: &BatchParameters) -> Result<(), Reject> {
        let oldest = now.get().saturating_sub(u64::from(parameters.oracle_max_age_s));
        let newest = now.get() + u64::from(parameters.oracle_skew_s);
        if !(oldest..=newest).contains(&self.time.get()) {
            let reject = Reject::new(Rule::OracleAge, "time of the oracle", self.time);
            return Err(reject.within(oldest..=newest));
        }
        Ok(())
    }
}

/// A message with the signatures of the members that signed it, by place in the set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// What was signed.
    pub message: OracleMessage,
    /// `signatures[k]` is by member `k`.
    pub signatures: [Option<Signature>; ORACLE_SIGNERS],
}

impl Attestation {
    /// Signs with the keys given by place in the set.
    pub fn sign(
        message: OracleMessage,
        domain: Fr,
        keys: &[Option<SecretKey>; ORACLE_SIGNERS],
    ) -> Self {
        let hash = message.hash(domain);
        let signatures =
            std::array::from_fn(|k| keys[k].as_ref().map(|key: &SecretKey| key.sign(hash)));
        Self { message, signatures }
    }

    /// The message is signed by a quorum of the set: [`OracleSet::check_quorum`].
    ///
    /// # Errors
    /// [`Rule::OracleQuorum`].
    pub fn check_quorum(&self, domain: Fr, set: &OracleSet) -> Result<(), Reject> {
        set.check_quorum(self.message.hash(domain), &self.signatures)
    }
}
