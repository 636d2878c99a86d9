//! What can be seen of a key without its secrets: every point is in its group, and all of them
//! belong to one set of secrets.

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, FftField, Field, UniformRand, Zero};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use rand::rngs::OsRng;
use rayon::prelude::*;
use zkmargin_circuits::cs::R1cs;
use zkmargin_verifier::VerifyingKey;

use super::element::Element;
use super::section::Section;
use super::{Evidence, KeyError, ProvingKey};
use crate::msm::msm;
use crate::progress::Progress;
use crate::quotient;

impl ProvingKey {
    /// Checks that every point is on its curve, in its group and not the identity.
    ///
    /// # Errors
    /// [`KeyError::NotInGroup`] with the first such point of a section.
    pub fn verify_points(&self) -> Result<(), KeyError> {
        fn all<E: Element>(section: Section, points: &[E]) -> Result<(), KeyError> {
            match points.par_iter().position_first(|point| !point.in_group()) {
                None => Ok(()),
                Some(index) => {
                    Err(KeyError::NotInGroup { section: section.name(), index: index as u64 })
                }
            }
        }
        all(Section::FixedG1, &[self.verifying.alpha_g1, self.beta_g1, self.delta_g1])?;
        all(Section::PointsA, &self.a.points)?;
        all(Section::PointsB1, &self.b.points)?;
        all(Section::PointsB2, &self.b_g2)?;
        all(Section::PointsL, &self.l.points)?;
        all(Section::PointsH, &self.h)?;
        let Evidence { c_g1, tau_g2, vanishing_g2, .. } = self.evidence;
        all(Section::EvidenceG1, &[c_g1])?;
        all(Section::EvidenceG2, &[tau_g2, vanishing_g2])
    }

    /// Checks that every point is what its place in the key of `r1cs` asks for, under one `τ`, `α`,
    /// `β`, `γ` and `δ`. A key of which any part is of other secrets is refused but with
    /// probability below 2^-120. Whether anybody knows the secrets cannot be seen. The points must
    /// be in their groups, see [`ProvingKey::verify_points`].
    ///
    /// With `s = Z(τ)/(kδ)` and `H(p) = s·p(τ)` for a polynomial `p`, which the query H gives for
    /// every `p` by its values on the coset:
    ///
    /// - `e(H(X·p), 1) = e(H(p), τ)` for a random `p`: H has the values of one polynomial basis at
    ///   `τ`, times a factor. The factor is `s`, and `Z(τ)` in G2 is right:
    ///   `e(H(X^(N-1)), τ) = e(H(1), Z(τ)) · e(H(1), 1)` and `e(1, Z(τ)) = e(k·H(1), δ)`.
    /// - With one coefficient `ρ_j` per column, `A = Σ ρ_j·A_j` and so on:
    ///   `e(A, Z(τ)) = e(k·H(A), δ)`, and the same for B and for the evidence in G1, which is C.
    /// - `e(L, δ) · e(IC, γ) · e(H(C), δ) = e(A, β) · e(α, B) · e(C, 1)`.
    ///
    /// # Errors
    /// Those of [`ProvingKey::is_for`], or [`KeyError::Inconsistent`] with the first section which
    /// does not fit those before it.
    pub fn verify_secrets(&self, r1cs: &R1cs<Fr>, progress: &dyn Progress) -> Result<(), KeyError> {
        self.is_for(r1cs)?;
        let domain = quotient::domain(r1cs).map_err(|_| KeyError::Header)?;
        progress.begin("secrets", 4);
        self.verify_fixed()?;
        progress.reach(1);
        self.verify_powers(domain)?;
        progress.reach(2);
        self.verify_columns(r1cs, domain)?;
        progress.end();
        Ok(())
    }

    /// `β` and `δ` are the same in both groups.
    fn verify_fixed(&self) -> Result<(), KeyError> {
        let (one_g1, one_g2) = (G1Affine::generator(), G2Affine::generator());
        let VerifyingKey { beta_g2, delta_g2, .. } = self.verifying;
        for (g1, g2) in [(self.beta_g1, beta_g2), (self.delta_g1, delta_g2)] {
            ensure("beta, delta in G1", &[(g1.into(), one_g2), (-one_g1.into_group(), g2)])?;
        }
        Ok(())
    }

    /// H is the basis of the coset at `τ` times `Z(τ)/(kδ)`.
    fn verify_powers(&self, domain: Radix2EvaluationDomain<Fr>) -> Result<(), KeyError> {
        let coset = quotient::coset(domain);
        let Evidence { tau_g2, vanishing_g2, .. } = self.evidence;
        let one_g2 = G2Affine::generator();
        // A random polynomial of degree N - 2, and its product with X.
        let mut random: Vec<Fr> = (1..domain.size()).map(|_| Fr::rand(&mut OsRng)).collect();
        random.push(Fr::ZERO);
        let mut values = coset.fft(&random);
        let points: Vec<Fr> = coset.elements().collect();
        let h = msm(&self.h, &values);
        values.par_iter_mut().zip(&points).for_each(|(value, x)| *value *= x);
        let h_shifted = msm(&self.h, &values);
        let name = Section::PointsH.name();
        ensure(name, &[(h_shifted, one_g2), (-h, tau_g2)])?;
        // X^(N-1) is g^N/X on the coset.
        let top = Fr::GENERATOR.pow([domain.size]);
        values.par_iter_mut().zip(&points).for_each(|(value, x)| {
            *value = top * x.inverse().expect("the coset does not hold zero");
        });
        let h_top = msm(&self.h, &values);
        let h_one = msm(&self.h, &vec![Fr::ONE; domain.size()]);
        if h_one.is_zero() || vanishing_g2.is_zero() {
            return Err(KeyError::Inconsistent { section: name });
        }
        ensure(
            Section::EvidenceG2.name(),
            &[(h_top, tau_g2), (-h_one, one_g2), (-h_one, vanishing_g2)],
        )?;
        let one_g1 = G1Affine::generator().into_group();
        let k = vanishing_on_coset(domain);
        ensure(name, &[(h_one * k, self.verifying.delta_g2), (-one_g1, vanishing_g2)])
    }

    /// The queries A, B and L and the points of the inputs are those of the circuit's columns.
    fn verify_columns(
        &self,
        r1cs: &R1cs<Fr>,
        domain: Radix2EvaluationDomain<Fr>,
    ) -> Result<(), KeyError> {
        let factors = self.evidence.transcript.coefficients(r1cs.instances + r1cs.witnesses);
        let VerifyingKey { alpha_g1, beta_g2, gamma_g2, delta_g2, .. } = self.verifying;
        let (one_g1, one_g2) = (G1Affine::generator().into_group(), G2Affine::generator());
        let k = vanishing_on_coset(domain);
        let h = |mut values: Vec<Fr>| {
            domain.ifft_in_place(&mut values);
            quotient::coset(domain).fft_in_place(&mut values);
            msm(&self.h, &values)
        };
        // A polynomial's value in G1 against H.
        let ensure_value = |section: Section, value: G1Projective, h: G1Projective| {
            let terms = [(value, self.evidence.vanishing_g2), (-h * k, delta_g2)];
            ensure(section.name(), &terms)
        };
        let a = self.a.scalars(&factors).multiply(&self.a.points);
        let mut values = quotient::combined(r1cs, &r1cs.a, &factors, domain.size());
        let rows = r1cs.constraints()..r1cs.constraints() + r1cs.instances;
        values[rows].copy_from_slice(&factors[..r1cs.instances]);
        ensure_value(Section::PointsA, a, h(values))?;

        let b = self.b.scalars(&factors).multiply(&self.b.points);
        let values = quotient::combined(r1cs, &r1cs.b, &factors, domain.size());
        ensure_value(Section::PointsB1, b, h(values))?;
        let b_g2 = self.b.scalars(&factors).multiply(&self.b_g2).into_affine();
        ensure(Section::PointsB2.name(), &[(b, one_g2), (-one_g1, b_g2)])?;

        let c = self.evidence.c_g1 - one_g1;
        let h_c = h(quotient::combined(r1cs, &r1cs.c, &factors, domain.size()));
        ensure_value(Section::EvidenceG1, c, h_c)?;
        self.verify_input_columns(r1cs, &factors, &h)?;
        let l = self.l.scalars(&factors).multiply(&self.l.points);
        let ic = msm(&self.verifying.ic, &factors[..r1cs.instances]);
        let terms = [(l + h_c, delta_g2), (ic, gamma_g2), (-a, beta_g2), (-c, one_g2)];
        let mut terms = terms.to_vec();
        terms.push((-alpha_g1.into_group(), b_g2));
        ensure("L in G1, alpha in G1, gamma in G2 or public inputs", &terms)
    }

    /// The points of L for the inputs are `−C_j·s`, so that those of the verifying key cannot make
    /// up for them.
    fn verify_input_columns(
        &self,
        r1cs: &R1cs<Fr>,
        factors: &[Fr],
        h: &impl Fn(Vec<Fr>) -> G1Projective,
    ) -> Result<(), KeyError> {
        let mut of_inputs = vec![Fr::ZERO; factors.len()];
        of_inputs[..r1cs.instances].copy_from_slice(&factors[..r1cs.instances]);
        let l = self.l.scalars(&of_inputs).multiply(&self.l.points);
        let h = h(quotient::combined(r1cs, &r1cs.c, &of_inputs, self.h.len()));
        match l == -h {
            true => Ok(()),
            false => Err(KeyError::Inconsistent { section: Section::PointsL.name() }),
        }
    }
}

/// `k`, the vanishing polynomial of the domain on its coset.
fn vanishing_on_coset(domain: Radix2EvaluationDomain<Fr>) -> Fr {
    domain.evaluate_vanishing_polynomial(Fr::GENERATOR)
}

/// The product of the pairings is one.
fn ensure(section: &'static str, terms: &[(G1Projective, G2Affine)]) -> Result<(), KeyError> {
    let (left, right): (Vec<_>, Vec<_>) =
        terms.iter().map(|(g1, g2)| (g1.into_affine(), *g2)).unzip();
    match Bn254::multi_pairing(left, right).is_zero() {
        true => Ok(()),
        false => Err(KeyError::Inconsistent { section }),
    }
}
