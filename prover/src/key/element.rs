//! Elements of a key file as bytes.

use ark_bn254::{Fq, Fq2, g1, g2};
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::Affine;
use ark_ff::BigInt;

/// An element of a section, as bytes.
pub(crate) trait Element: Clone + Default + Send + Sync {
    const BYTES: usize;
    fn put(&self, bytes: &mut Vec<u8>);
    /// `None` unless canonical.
    fn get(bytes: &[u8]) -> Option<Self>;
    /// Whether a point is in its group.
    fn in_group(&self) -> bool;
}

impl Element for u32 {
    const BYTES: usize = 4;
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }
    fn get(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_le_bytes(bytes.try_into().ok()?))
    }
    fn in_group(&self) -> bool {
        true
    }
}

fn put_fq(element: &Fq, bytes: &mut Vec<u8>) {
    element.0.0.iter().for_each(|limb| bytes.extend(limb.to_le_bytes()));
}

fn get_fq(bytes: &[u8]) -> Option<Fq> {
    let mut limbs = [0u64; 4];
    for (limb, bytes) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
        *limb = u64::from_le_bytes(bytes.try_into().ok()?);
    }
    let element = Fq::new_unchecked(BigInt(limbs));
    (!element.is_geq_modulus()).then_some(element)
}

impl Element for Affine<g1::Config> {
    const BYTES: usize = 64;
    fn put(&self, bytes: &mut Vec<u8>) {
        put_fq(&self.x, bytes);
        put_fq(&self.y, bytes);
    }
    fn get(bytes: &[u8]) -> Option<Self> {
        Some(Self::new_unchecked(get_fq(&bytes[..32])?, get_fq(&bytes[32..])?))
    }
    fn in_group(&self) -> bool {
        !self.is_zero() && self.is_on_curve()
    }
}

impl Element for Affine<g2::Config> {
    const BYTES: usize = 128;
    fn put(&self, bytes: &mut Vec<u8>) {
        for part in [&self.x.c0, &self.x.c1, &self.y.c0, &self.y.c1] {
            put_fq(part, bytes);
        }
    }
    fn get(bytes: &[u8]) -> Option<Self> {
        let x = Fq2::new(get_fq(&bytes[..32])?, get_fq(&bytes[32..64])?);
        let y = Fq2::new(get_fq(&bytes[64..96])?, get_fq(&bytes[96..])?);
        Some(Self::new_unchecked(x, y))
    }
    fn in_group(&self) -> bool {
        !self.is_zero() && self.is_on_curve() && self.is_in_correct_subgroup_assuming_on_curve()
    }
}

/// The bytes of elements one after the other.
pub(crate) fn encode<E: Element>(elements: &[E]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(elements.len() * E::BYTES);
    elements.iter().for_each(|element| element.put(&mut bytes));
    bytes
}
