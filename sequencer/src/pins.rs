//! Whose risk tables a store takes.

use ark_bn254::Fr;

use zkmargin_protocol::market::SignedRiskTable;

use crate::answer::{Reason, Refusal};
use crate::genesis::Genesis;

/// The oracle's members and the parameters that a table must be of. What the genesis leaves open,
/// the first table decides.
#[derive(Clone, Debug)]
pub(crate) struct Pins {
    signer_set: Option<Fr>,
    parameters: Option<Fr>,
    /// Parameters that a table may be of as well; the first that is puts them in the place of the
    /// others.
    announced: Option<Fr>,
}

impl Pins {
    /// What a genesis fixes.
    pub fn of(genesis: &Genesis) -> Self {
        let [signer_set, parameters] =
            [&genesis.signer_set, &genesis.parameters].map(|hash| hash.as_ref().map(|hash| hash.0));
        Self { signer_set, parameters, announced: None }
    }

    /// From now on a table may be of these parameters; of those announced before, no more.
    pub fn announce(&mut self, parameters: Fr) {
        self.announced = Some(parameters);
    }

    /// Whether the next table may change what is pinned.
    pub fn is_open(&self) -> bool {
        let are_known = self.signer_set.is_some() && self.parameters.is_some();
        !are_known || self.announced.is_some()
    }

    /// The table is of the signers and parameters the store is for.
    pub fn check_table(&self, table: &SignedRiskTable) -> Result<(), Refusal> {
        let signers = table.oracle.hash();
        if self.signer_set.is_some_and(|pinned| pinned != signers) {
            return Err(Refusal::new(Reason::SignerSet, "hash of the oracle's members", signers));
        }
        let parameters = table.parameters.hash();
        let is_announced = self.announced == Some(parameters);
        if self.parameters.is_some_and(|pinned| pinned != parameters) && !is_announced {
            return Err(Refusal::new(Reason::Parameters, "hash of the parameters", parameters));
        }
        Ok(())
    }

    /// From now on only the signers and parameters of a table that was taken are accepted, beside
    /// what is announced.
    pub fn pin(&mut self, table: &SignedRiskTable) {
        self.signer_set.get_or_insert_with(|| table.oracle.hash());
        let parameters = table.parameters.hash();
        if self.announced == Some(parameters) {
            self.announced = None;
        }
        self.parameters = Some(parameters);
    }
}
