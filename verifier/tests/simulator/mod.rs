//! A set-up whose secrets the tests keep, and with them proofs of any statement: the simulator of
//! Groth16's zero-knowledge proof. It makes thousands of genuine proofs without a circuit, and the
//! forgeries.
#![allow(dead_code)]

use ark_bn254::{Fr, G1Projective, G2Projective};
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::{Field, PrimeField};
use zkmargin_verifier::{Domain, Proof, Statement, VerifyingKey};

/// Secrets of a set-up.
pub struct Trapdoor {
    pub alpha: Fr,
    pub beta: Fr,
    pub gamma: Fr,
    pub delta: Fr,
    pub ic: Vec<Fr>,
    draws: u64,
    seed: String,
}

impl Trapdoor {
    /// A set-up for `inputs` public inputs; the same seed gives the same set-up and proofs.
    pub fn new(seed: &str, inputs: usize) -> Self {
        let zero = Fr::from(0u64);
        let mut trapdoor = Trapdoor {
            alpha: zero,
            beta: zero,
            gamma: zero,
            delta: zero,
            ic: Vec::new(),
            draws: 0,
            seed: seed.to_string(),
        };
        trapdoor.alpha = trapdoor.draw();
        trapdoor.beta = trapdoor.draw();
        trapdoor.gamma = trapdoor.draw();
        trapdoor.delta = trapdoor.draw();
        trapdoor.ic = (0..=inputs).map(|_| trapdoor.draw()).collect();
        trapdoor
    }

    /// A pseudo-random scalar.
    pub fn draw(&mut self) -> Fr {
        self.draws += 1;
        let hash = blake3::hash(format!("{}/{}", self.seed, self.draws).as_bytes());
        Fr::from_be_bytes_mod_order(hash.as_bytes())
    }

    pub fn key(&self) -> VerifyingKey {
        VerifyingKey {
            alpha_g1: (G1Projective::generator() * self.alpha).into_affine(),
            beta_g2: (G2Projective::generator() * self.beta).into_affine(),
            gamma_g2: (G2Projective::generator() * self.gamma).into_affine(),
            delta_g2: (G2Projective::generator() * self.delta).into_affine(),
            ic: (self.ic.iter()).map(|ic| (G1Projective::generator() * ic).into_affine()).collect(),
        }
    }

    /// A proof of `inputs`.
    pub fn prove(&mut self, inputs: &[Fr]) -> Proof {
        let (a, b) = (self.draw(), self.draw());
        self.prove_with(inputs, a, b)
    }

    /// The proof of `inputs` with the logarithms `a` and `b` of its points `A` and `B`.
    pub fn prove_with(&self, inputs: &[Fr], a: Fr, b: Fr) -> Proof {
        assert_eq!(inputs.len() + 1, self.ic.len());
        let terms = self.ic[1..].iter().zip(inputs).map(|(ic, input)| *ic * input);
        let x: Fr = self.ic[0] + terms.sum::<Fr>();
        let c = (a * b - self.alpha * self.beta - x * self.gamma)
            * self.delta.inverse().expect("delta is not zero");
        Proof {
            a: (G1Projective::generator() * a).into_affine(),
            b: (G2Projective::generator() * b).into_affine(),
            c: (G1Projective::generator() * c).into_affine(),
        }
    }

    /// A statement of `count` words for `domain`, drawn at random behind the header's two words.
    pub fn statement(&mut self, domain: Domain, count: usize) -> Statement {
        let mut words = vec![Fr::from(domain.version), domain.field()];
        while words.len() < count {
            words.push(self.draw());
        }
        Statement { words, commitment: self.draw(), domain }
    }
}
