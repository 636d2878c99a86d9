//! Prime fields small enough to enumerate. A gadget generic in its field runs over them unchanged.

#![expect(missing_docs, reason = "the derive writes undocumented items")]

use ark_ff::fields::{Fp64, MontBackend, MontConfig};

#[derive(MontConfig)]
#[modulus = "17"]
#[generator = "3"]
pub struct F17Config;
/// Integers modulo 17.
pub type F17 = Fp64<MontBackend<F17Config, 1>>;

#[derive(MontConfig)]
#[modulus = "127"]
#[generator = "3"]
pub struct F127Config;
/// Integers modulo 127 = 2^7 − 1.
pub type F127 = Fp64<MontBackend<F127Config, 1>>;

#[derive(MontConfig)]
#[modulus = "257"]
#[generator = "3"]
pub struct F257Config;
/// Integers modulo 257 = 2^8 + 1.
pub type F257 = Fp64<MontBackend<F257Config, 1>>;

#[derive(MontConfig)]
#[modulus = "65521"]
#[generator = "17"]
pub struct F65521Config;
/// Integers modulo 65521, the largest prime below 2^16.
pub type F65521 = Fp64<MontBackend<F65521Config, 1>>;
