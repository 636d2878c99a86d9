//! From a batch to circuit, statement and assignment.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use thiserror::Error;
use zkmargin_circuits::Cs;
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::cs::{Assignment, Mode, R1cs};
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::statement::commitment;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::crypto::eddsa::SecretKey;
use zkmargin_protocol::market::auction_parameters::AuctionParameters;
use zkmargin_protocol::market::fee_schedule::FeeSchedule;
use zkmargin_protocol::market::oracle::{
    Attestation, ORACLE_SIGNERS, OracleClock, OracleMessage, OracleSet,
};
use zkmargin_protocol::market::parameters::BatchParameters;
use zkmargin_protocol::value::custody::Custody;
use zkmargin_protocol::value::units::Time;
use zkmargin_verifier::{Domain, PublicInputs, Statement, VerifyError};

use crate::prove::ProveError;

/// A statement that is not the one of the batch.
#[derive(Debug, Error)]
pub enum StatementError {
    /// The batch was signed for another chain, contract or version.
    #[error("the batch is for domain {batch}, the statement for {statement}")]
    Domain {
        /// Domain word of the batch.
        batch: Fr,
        /// Domain word of the statement.
        statement: Fr,
    },
    /// A word differs.
    #[error("word {index} of the statement is not that of the batch")]
    Word {
        /// Number of the first word that differs; the length if one is a prefix of the other.
        index: usize,
    },
    /// The words are right and their commitment is not.
    #[error("the statement's commitment does not belong to its words")]
    Commitment,
    /// The statement is malformed.
    #[error(transparent)]
    Malformed(#[from] VerifyError),
}

/// The statement of a batch for a chain and contract.
///
/// # Errors
/// [`StatementError::Domain`] if the batch was signed for another domain.
pub fn statement(trace: &BatchTrace, domain: Domain) -> Result<Statement, StatementError> {
    if trace.domain != domain.field() {
        return Err(StatementError::Domain { batch: trace.domain, statement: domain.field() });
    }
    let words = trace.words();
    let commitment = commitment(&words);
    Ok(Statement { words, commitment, domain })
}

/// Checks that `statement` is exactly the statement of the batch; returns its public inputs.
///
/// # Errors
/// [`StatementError`] with the first difference.
pub fn public_inputs(
    trace: &BatchTrace,
    statement: &Statement,
) -> Result<PublicInputs, StatementError> {
    let own = self::statement(trace, statement.domain)?;
    let pairs = own.words.iter().zip(&statement.words);
    let differing = pairs.enumerate().find(|(_, (own, stated))| own != stated);
    if let Some((index, _)) = differing {
        return Err(StatementError::Word { index });
    }
    if own.words.len() != statement.words.len() {
        return Err(StatementError::Word { index: own.words.len().min(statement.words.len()) });
    }
    if own.commitment != statement.commitment {
        return Err(StatementError::Commitment);
    }
    Ok(statement.public_inputs()?)
}

/// A batch of `shape` in which nothing happens and nothing holds: it only has the right numbers of
/// rows.
fn blank(shape: Shape) -> BatchTrace {
    let keys = std::array::from_fn(|k| SecretKey::from_seed(&[k as u8 + 1; 32]).public());
    BatchTrace {
        shape,
        domain: Fr::ZERO,
        number: 0,
        time: Time::default(),
        before: OracleClock::default(),
        custody: Custody::default(),
        deficit_after: 0,
        old_root: Fr::ZERO,
        new_root: Fr::ZERO,
        old_interest_root: Fr::ZERO,
        new_interest_root: Fr::ZERO,
        attestation: Attestation {
            message: OracleMessage {
                registry_root: Fr::ZERO,
                risk_root: Fr::ZERO,
                epoch: 0,
                time: Time::default(),
                is_outside_band: false,
            },
            signatures: std::array::from_fn(|_: usize| None),
        },
        oracle: OracleSet::new(keys, ORACLE_SIGNERS as u8).expect("distinct keys"),
        parameters: BatchParameters {
            initial_factor_ppm: 0,
            maintenance_factor_ppm: 0,
            oracle_max_age_s: 0,
            oracle_skew_s: 0,
            effective: Time::default(),
            forced_penalty_ppm: 2_000,
            auction: AuctionParameters::reference(),
            fees: FeeSchedule::reference(),
            rest: Fr::ZERO,
        },
        parameters_before: Fr::ZERO,
        deposits: Vec::new(),
        trades: Vec::new(),
        requests: Vec::new(),
        accounts: Vec::new(),
        nodes: Vec::new(),
        instruments: Vec::new(),
        risk_nodes: Vec::new(),
        interest_nodes: Vec::new(),
    }
}

/// The circuit for batches of `shape`.
///
/// # Panics
/// Never: shape mode records matrices.
pub fn circuit(shape: Shape) -> R1cs<Fr> {
    let trace = blank(shape);
    let mut cs = Cs::new(Mode::Shape);
    synthesize(&mut cs, &BatchPublic::at(&trace, Fr::ZERO), &trace);
    cs.finish().1.expect("shape mode records matrices")
}

/// The assignment of a batch.
///
/// # Errors
/// [`ProveError::Unsatisfied`] with the first rule the batch breaks.
pub fn assignment(trace: &BatchTrace, inputs: &PublicInputs) -> Result<Assignment<Fr>, ProveError> {
    let [commitment, point, evaluation] = inputs.0;
    let mut cs = Cs::new(Mode::Witness);
    synthesize(&mut cs, &BatchPublic { commitment, point, evaluation }, trace);
    match cs.unsatisfied() {
        Some(failure) => Err(failure.into()),
        None => Ok(cs.finish().0),
    }
}
