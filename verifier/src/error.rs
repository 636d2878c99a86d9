//! One variant a reason: why a key, a proof or a statement was refused.

use thiserror::Error;

/// The point which a [`VerifyError`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// `A` of the proof, in G1.
    ProofA,
    /// `B` of the proof, in G2.
    ProofB,
    /// `C` of the proof, in G1.
    ProofC,
    /// `α` of the key, in G1.
    Alpha,
    /// `β` of the key, in G2.
    Beta,
    /// `γ` of the key, in G2.
    Gamma,
    /// `δ` of the key, in G2.
    Delta,
    /// The key's point of the public input with this number less one; number 0 is the constant
    /// term. In G1.
    Ic(usize),
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Point::ProofA => f.write_str("proof point A"),
            Point::ProofB => f.write_str("proof point B"),
            Point::ProofC => f.write_str("proof point C"),
            Point::Alpha => f.write_str("key point alpha"),
            Point::Beta => f.write_str("key point beta"),
            Point::Gamma => f.write_str("key point gamma"),
            Point::Delta => f.write_str("key point delta"),
            Point::Ic(index) => write!(f, "key point ic[{index}]"),
        }
    }
}

/// Why a key, a proof or a statement is refused. Name and code are stable: scripts may rely on
/// them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// The number of public inputs is not the one which the key is for.
    #[error("the key takes {expected} public inputs, got {got}")]
    InputCount {
        /// Inputs of the key's circuit.
        expected: usize,
        /// Inputs given.
        got: usize,
    },
    /// A scalar is not below the order of the group.
    #[error("{what} is {value}, which is not below the scalar field's modulus")]
    NonCanonicalScalar {
        /// Which scalar.
        what: String,
        /// Its value as it was written.
        value: String,
    },
    /// A coordinate is not below the modulus of the base field.
    #[error("{point} has the coordinate {value}, which is not below the base field's modulus")]
    NonCanonicalCoordinate {
        /// Whose coordinate.
        point: Point,
        /// Its value as it was written.
        value: String,
    },
    /// A point does not satisfy its curve's equation.
    #[error("{0} is not on its curve")]
    NotOnCurve(Point),
    /// A point is on the curve, but not in the subgroup of prime order.
    #[error("{0} is not in the subgroup of prime order")]
    NotInSubgroup(Point),
    /// A point is the neutral element, which no sound key and no honest proof holds.
    #[error("{0} is the identity")]
    IdentityPoint(Point),
    /// The pairing equation does not hold: the proof does not prove this statement under this key.
    #[error("the pairing equation does not hold")]
    PairingFailed,
    /// The encoding of a key, or its number of points, has the wrong length.
    #[error("the key is {got} long, expected {expected}")]
    KeyLength {
        /// Length which the rest of the key asks for.
        expected: usize,
        /// Length found.
        got: usize,
    },
    /// `γ = ±δ`: nobody contributed to the second phase, and anyone can forge proofs.
    #[error(
        "gamma equals delta or its opposite: the set-up is unfinished and anyone can forge proofs"
    )]
    GammaEqualsDelta,
    /// A point is its group's generator or the opposite, so that its secret is one or minus one.
    #[error("{0} is the generator or its opposite: its secret is known")]
    GeneratorPoint(Point),
    /// Two public inputs share a point, so that one can be traded for the other.
    #[error("the key points ic[{0}] and ic[{1}] are equal: one input can be traded for the other")]
    DuplicateIc(usize, usize),
    /// Two public inputs have opposite points, so that both can be raised together.
    #[error("the key points ic[{0}] and ic[{1}] are opposite: both inputs can be raised together")]
    OppositeIc(usize, usize),
    /// `β` is equal or opposite to `γ` or `δ`, and anyone can forge proofs.
    #[error("{0} and {1} are equal or opposite: anyone can forge proofs")]
    RelatedPoints(Point, Point),
    /// A batch of no proofs says nothing.
    #[error("the batch is empty")]
    EmptyBatch,
    /// The statement has fewer words than its header needs, or more than its length field can say.
    #[error("the statement has {got} words, expected {expected}")]
    StatementLength {
        /// What is allowed.
        expected: &'static str,
        /// Words found.
        got: usize,
    },
    /// The statement's version word is not the protocol version of its domain.
    #[error("the statement's version word is {got}, expected {expected}")]
    StatementVersion {
        /// The domain's protocol version.
        expected: u32,
        /// The word as it is.
        got: String,
    },
    /// The statement's domain word is not the domain of this chain, contract and version.
    #[error("the statement's domain word is {got}, expected {expected}")]
    StatementDomain {
        /// The domain computed from chain, contract and version.
        expected: String,
        /// The word as it is.
        got: String,
    },
    /// The key is for development and the caller did not allow such keys.
    #[error("the key is for development: whoever made it can forge proofs")]
    DevelopmentKey,
    /// Proof and key are for different circuits.
    #[error("the proof is for circuit {proof}, the key for circuit {key}")]
    CircuitMismatch {
        /// Circuit digest of the key.
        key: String,
        /// Circuit digest of the proof.
        proof: String,
    },
    /// Proof and key state different origins.
    #[error("the proof is marked {proof}, the key {key}")]
    ProvenanceMismatch {
        /// Origin stated by the key.
        key: &'static str,
        /// Origin stated by the proof.
        proof: &'static str,
    },
    /// A contract's code is not the verifier with this key.
    #[error("the contract's code has the hash {got}, expected {expected}")]
    ContractMismatch {
        /// keccak256 of the code which the key asks for.
        expected: String,
        /// keccak256 of the code found.
        got: String,
    },
}

impl VerifyError {
    /// The reason's name, the same in messages, JSON and documentation.
    pub fn name(&self) -> &'static str {
        match self {
            VerifyError::InputCount { .. } => "InputCount",
            VerifyError::NonCanonicalScalar { .. } => "NonCanonicalScalar",
            VerifyError::NonCanonicalCoordinate { .. } => "NonCanonicalCoordinate",
            VerifyError::NotOnCurve(_) => "NotOnCurve",
            VerifyError::NotInSubgroup(_) => "NotInSubgroup",
            VerifyError::IdentityPoint(_) => "IdentityPoint",
            VerifyError::PairingFailed => "PairingFailed",
            VerifyError::KeyLength { .. } => "KeyLength",
            VerifyError::GammaEqualsDelta => "GammaEqualsDelta",
            VerifyError::GeneratorPoint(_) => "GeneratorPoint",
            VerifyError::DuplicateIc(..) => "DuplicateIc",
            VerifyError::OppositeIc(..) => "OppositeIc",
            VerifyError::RelatedPoints(..) => "RelatedPoints",
            VerifyError::EmptyBatch => "EmptyBatch",
            VerifyError::StatementLength { .. } => "StatementLength",
            VerifyError::StatementVersion { .. } => "StatementVersion",
            VerifyError::StatementDomain { .. } => "StatementDomain",
            VerifyError::DevelopmentKey => "DevelopmentKey",
            VerifyError::CircuitMismatch { .. } => "CircuitMismatch",
            VerifyError::ProvenanceMismatch { .. } => "ProvenanceMismatch",
            VerifyError::ContractMismatch { .. } => "ContractMismatch",
        }
    }

    /// The reason's number, 10 to 39, which is also the exit status of the `verifier` binary.
    pub fn code(&self) -> u8 {
        match self {
            VerifyError::InputCount { .. } => 10,
            VerifyError::NonCanonicalScalar { .. } => 11,
            VerifyError::NonCanonicalCoordinate { .. } => 12,
            VerifyError::NotOnCurve(_) => 13,
            VerifyError::NotInSubgroup(_) => 14,
            VerifyError::IdentityPoint(_) => 15,
            VerifyError::PairingFailed => 16,
            VerifyError::KeyLength { .. } => 20,
            VerifyError::GammaEqualsDelta => 21,
            VerifyError::GeneratorPoint(_) => 22,
            VerifyError::DuplicateIc(..) => 23,
            VerifyError::OppositeIc(..) => 28,
            VerifyError::RelatedPoints(..) => 29,
            VerifyError::EmptyBatch => 24,
            VerifyError::StatementLength { .. } => 25,
            VerifyError::StatementVersion { .. } => 26,
            VerifyError::StatementDomain { .. } => 27,
            VerifyError::DevelopmentKey => 30,
            VerifyError::CircuitMismatch { .. } => 31,
            VerifyError::ProvenanceMismatch { .. } => 32,
            VerifyError::ContractMismatch { .. } => 33,
        }
    }
}
