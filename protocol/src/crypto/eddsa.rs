//! EdDSA on Baby Jubjub with Poseidon, as circomlib verifies it, made strict: one signature, one
//! encoding. See `docs/spec/crypto/hashing.md`.

use std::fmt;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInt, BigInteger, PrimeField};
use serde::{Deserialize, Serialize};

use crate::crypto::babyjubjub::{BASE8, Point, SUBGROUP_ORDER, Scalar, mul_public};
use crate::crypto::poseidon;
use crate::value::decimal::Decimal;
use crate::{Reject, Rule};

/// A point of the prime-order subgroup other than the identity: [`Rule::KeyValid`] holds.
/// In JSON two decimal strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Point", into = "Point")]
pub struct PublicKey(Point);

impl PublicKey {
    /// The key with these coordinates.
    ///
    /// # Errors
    /// [`Rule::KeyValid`] if they are not on the curve, not in the prime subgroup, or the identity.
    /// Under a key of small order anybody could sign.
    pub fn new(x: Fr, y: Fr) -> Result<Self, Reject> {
        Self::try_from(Point { x, y })
    }

    /// A key nobody checked: that of the dishonest operator of the forgery tests.
    #[cfg(feature = "forgery")]
    pub fn forged(point: Point) -> Self {
        Self(point)
    }

    /// The point.
    pub fn point(&self) -> Point {
        self.0
    }
}

impl TryFrom<Point> for PublicKey {
    type Error = Reject;

    fn try_from(point: Point) -> Result<Self, Reject> {
        let allowed = if !point.is_on_curve() {
            "a point of the curve"
        } else if point == Point::IDENTITY {
            "a point other than the identity"
        } else if !point.is_in_prime_subgroup() {
            "a point of the prime subgroup"
        } else {
            return Ok(Self(point));
        };
        let value = format_args!("({}, {})", point.x, point.y);
        Err(Reject::new(Rule::KeyValid, "public key", value).only(allowed))
    }
}

impl From<PublicKey> for Point {
    fn from(key: PublicKey) -> Self {
        key.0
    }
}

/// A signature as it came; [`verify`] makes every check. In JSON `{"r8": ["x", "y"], "s": "…"}`,
/// where parsing already refuses an `s` of l or more and an `r8` off the curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Encoded", into = "Encoded")]
pub struct Signature {
    /// The nonce point R8.
    pub r8: Point,
    /// The response S, below l if valid.
    pub s: BigInt<4>,
}

impl Signature {
    /// Whether the parts are what they must be whatever was signed: S below l and R8 on the curve.
    ///
    /// # Errors
    /// [`Rule::Signature`] with the offending part.
    pub fn check_encoding(&self) -> Result<(), Reject> {
        if self.s >= SUBGROUP_ORDER {
            let reject = Reject::new(Rule::Signature, "S of the signature", self.s);
            return Err(reject.only("a number below the subgroup order"));
        }
        if !self.r8.is_on_curve() {
            let value = format_args!("({}, {})", self.r8.x, self.r8.y);
            let reject = Reject::new(Rule::Signature, "R8 of the signature", value);
            return Err(reject.only("a point of the curve"));
        }
        Ok(())
    }
}

/// The JSON form of a [`Signature`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Encoded {
    r8: Point,
    s: Decimal<Scalar>,
}

impl TryFrom<Encoded> for Signature {
    type Error = Reject;

    fn try_from(encoded: Encoded) -> Result<Self, Reject> {
        let signature = Self { r8: encoded.r8, s: encoded.s.0.into_bigint() };
        signature.check_encoding()?;
        Ok(signature)
    }
}

impl From<Signature> for Encoded {
    fn from(signature: Signature) -> Self {
        // A valid S is below l and kept; an invalid one has no JSON form and would be refused
        // anyway.
        let s = Scalar::from_le_bytes_mod_order(&signature.s.to_bytes_le());
        Self { r8: signature.r8, s: Decimal(s) }
    }
}

/// Poseidon of (R8.x, R8.y, A.x, A.y, message), the challenge.
pub fn challenge(key: &PublicKey, message: Fr, r8: &Point) -> Fr {
    poseidon::hash(&[r8.x, r8.y, key.0.x, key.0.y, message])
}

/// Whether `signature` is one of `message` by `key`: `S·Base8 = R8 + challenge·(8·A)`.
///
/// # Errors
/// [`Rule::Signature`] if S is not below the subgroup order, R8 is not on the curve, or the
/// equation fails.
pub fn verify(key: &PublicKey, message: Fr, signature: &Signature) -> Result<(), Reject> {
    signature.check_encoding()?;
    let mut key_8 = key.0.neg().projective();
    for _ in 0..3 {
        key_8.double_in_place();
    }
    let challenge = challenge(key, message, &signature.r8).into_bigint();
    let nonce = mul_public([(BASE8.projective(), signature.s), (key_8, challenge)]);
    if nonce != signature.r8.projective() {
        let reject = Reject::new(Rule::Signature, "message signed", message);
        return Err(reject.only("one that key and signature fit"));
    }
    Ok(())
}

/// A signing key. It is never printed.
///
/// Verification is circomlib's; the derivation from the seed is ours, since BLAKE-512 has no
/// maintained implementation and only the wallet that owns a key depends on it.
#[derive(Clone)]
pub struct SecretKey {
    scalar: Scalar,
    nonce_key: [u8; 32],
    public: PublicKey,
}

impl SecretKey {
    /// The key of a seed, which must be uniform.
    ///
    /// Scalar: the first 64-byte block, little-endian mod l, that is not zero in the BLAKE3 output
    /// of the seed derived under "zkmargin 2026-11 EdDSA scalar". Nonce key: 32 bytes under
    /// "zkmargin 2026-11 EdDSA nonce".
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("zkmargin 2026-11 EdDSA scalar");
        hasher.update(seed);
        let scalar = first_scalar(&hasher);
        let nonce_key = blake3::derive_key("zkmargin 2026-11 EdDSA nonce", seed);
        // A multiple of Base8 by 1..l is in the prime subgroup and not the identity.
        let public = PublicKey(BASE8.mul(scalar.into_bigint()));
        Self { scalar, nonce_key, public }
    }

    /// The key others verify with.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// The signature of `message`; always the same. The nonce is the BLAKE3 output of the public
    /// key's coordinates and the message, 32 little-endian bytes each, keyed by the nonce key,
    /// reduced as the scalar.
    pub fn sign(&self, message: Fr) -> Signature {
        let mut hasher = blake3::Hasher::new_keyed(&self.nonce_key);
        for element in [self.public.0.x, self.public.0.y, message] {
            hasher.update(&element.into_bigint().to_bytes_le());
        }
        let nonce = first_scalar(&hasher);
        let r8 = BASE8.mul(nonce.into_bigint());
        let challenge = challenge(&self.public, message, &r8).into_bigint();
        let challenge = Scalar::from_le_bytes_mod_order(&challenge.to_bytes_le());
        let s = nonce + challenge * Scalar::from(8u64) * self.scalar;
        Signature { r8, s: s.into_bigint() }
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// The first 64-byte block of the output that is not zero modulo l.
fn first_scalar(hasher: &blake3::Hasher) -> Scalar {
    let mut output = hasher.finalize_xof();
    loop {
        let mut block = [0; 64];
        output.fill(&mut block);
        let scalar = Scalar::from_le_bytes_mod_order(&block);
        if scalar != Scalar::ZERO {
            return scalar;
        }
    }
}
