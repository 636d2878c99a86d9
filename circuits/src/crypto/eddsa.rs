//! EdDSA on Baby Jubjub with Poseidon, the twin of `zkmargin_protocol::crypto::eddsa::verify`.

use ark_bn254::Fr;
use ark_ff::{BigInt, Field, PrimeField};
use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::babyjubjub::BASE8;
use zkmargin_protocol::crypto::eddsa::Signature;

use super::poseidon;
use crate::cs::{Cs, Lc};
use crate::gadgets::boolean::Bool;
use crate::gadgets::curve::PointVar;
use crate::gadgets::fixed_base::fixed_base_mul;
use crate::gadgets::variable_base::multiply_by_8_and;

/// A signature from outside; nothing is checked until [`enforce_signature`].
#[derive(Clone, Debug)]
pub struct SignatureVar {
    /// The nonce point R8.
    pub r8: PointVar,
    /// The response S.
    pub s: Lc<Fr>,
}

impl SignatureVar {
    /// The signature as external witnesses. An S that is no field element becomes −1, which is
    /// refused like it.
    pub fn external(cs: &mut Cs<Fr>, signature: &Signature) -> Self {
        let r8 = PointVar::external(cs, "signature r8", &signature.r8);
        let s = cs.external("signature s", Fr::from_bigint(signature.s).unwrap_or(-Fr::ONE));
        Self { r8, s }
    }

    /// What to put where there is no signature to check.
    pub fn padding() -> Signature {
        Signature { r8: BASE8, s: BigInt::one() }
    }
}

/// A key is in the prime-order subgroup and not the identity, if `is_checked`.
pub fn enforce_key_valid(cs: &mut Cs<Fr>, is_checked: &Bool, key: &PointVar) {
    cs.under(Rule::KeyValid, |cs| {
        let base = PointVar::constant(cs, &BASE8);
        PointVar::select(cs, is_checked, key, &base).enforce_in_prime_subgroup(cs);
    });
}

/// Enforces, if `is_active`, that `signature` is one of `message` by `public_key`: `S < l` and
/// `S·Base8 = R8 + h·8·A` with h = Poseidon(R8.x, R8.y, A.x, A.y, message). Returns h, which
/// fixes key and message.
///
/// - Precondition: an active key is in the prime subgroup and not the identity (checked when its
///   account was made). An inactive signature is [`SignatureVar::padding`]; key and message are
///   then anything.
/// - Violation: under [`Rule::Signature`], "scalar below the subgroup order" for S, else "signature
///   equation".
/// - Cost: 2,632 constraints.
/// - Proof: `S·Base8` and `8·h·A` are points of the prime subgroup, by [`fixed_base_mul`] and
///   [`multiply_by_8_and`]; their difference by complete addition is R8, so R8 is on the curve
///   without a check of its own. An inactive row multiplies Base8 and frees the last equation; all
///   else holds for the padding, so that nothing outside of the row is constrained. `h` is far from
///   the multiples of l except once in 2^99.
pub fn enforce_signature(
    cs: &mut Cs<Fr>,
    public_key: &PointVar,
    message: &Lc<Fr>,
    signature: &SignatureVar,
    is_active: &Bool<Fr>,
) -> Lc<Fr> {
    cs.under(Rule::Signature, |cs| {
        let r8 = &signature.r8;
        let inputs = [&r8.x, &r8.y, &public_key.x, &public_key.y, message].map(Clone::clone);
        let challenge = poseidon::hash(cs, &inputs);
        let base = PointVar::constant(cs, &BASE8);
        let key = PointVar::select(cs, is_active, public_key, &base);
        let key_part = multiply_by_8_and(cs, &key, &challenge);
        let nonce = fixed_base_mul(cs, &signature.s).add(cs, &key_part.negated());
        let zero = cs.zero();
        cs.enforce("signature equation", is_active.lc(), &nonce.x.minus(&r8.x), &zero);
        cs.enforce("signature equation", is_active.lc(), &nonce.y.minus(&r8.y), &zero);
        challenge
    })
}
