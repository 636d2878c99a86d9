//! A proof of a real circuit by arkworks' prover, from set-up to the contract.

mod chain;

use ark_bn254::{Bn254, Fr};
use ark_groth16::Groth16;
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, SynthesisError, Variable};
use ark_relations::lc;
use ark_snark::SNARK;
use chain::CHAIN_ID;
use rand::SeedableRng;
use rand::rngs::StdRng;
use zkmargin_contracts::{Artifact, Evm, Fork};
use zkmargin_verifier::solidity::{self, Deployment};
use zkmargin_verifier::{
    Domain, KeyFile, KeyPolicy, PreparedKey, Proof, Provenance, Statement, VerifyingKey,
};

/// Toy binding of four words, two of them secret: `C = w₂² + w₃` stands in for a hash, and `y` is
/// the words' polynomial at `r`.
#[derive(Clone)]
struct Toy {
    words: [Fr; 4],
    r: Fr,
}

impl Toy {
    fn commitment(&self) -> Fr {
        self.words[2] * self.words[2] + self.words[3]
    }
}

impl ConstraintSynthesizer<Fr> for Toy {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let commitment = cs.new_input_variable(|| Ok(self.commitment()))?;
        let r = cs.new_input_variable(|| Ok(self.r))?;
        let value = zkmargin_verifier::statement::evaluate(&self.words, self.r);
        let y = cs.new_input_variable(|| Ok(value))?;
        let mut words = Vec::new();
        for word in self.words {
            words.push(cs.new_witness_variable(|| Ok(word))?);
        }
        cs.enforce_r1cs_constraint(
            || lc!() + words[2],
            || lc!() + words[2],
            || lc!() + commitment - words[3],
        )?;
        let mut sum = self.words[3];
        let mut previous = words[3];
        for index in (0..3).rev() {
            let next = sum * self.r + self.words[index];
            let variable = if index == 0 { y } else { cs.new_witness_variable(|| Ok(next))? };
            cs.enforce_r1cs_constraint(
                || lc!() + previous,
                || lc!() + r,
                || lc!() + variable - words[index],
            )?;
            (sum, previous) = (next, variable);
        }
        cs.enforce_r1cs_constraint(
            || lc!() + words[0],
            || lc!() + Variable::One,
            || lc!() + Variable::One,
        )
    }
}

#[test]
fn accepts_a_circuits_proof_natively_and_on_chain() {
    let rng = &mut StdRng::seed_from_u64(7);
    let zero = Toy { words: [Fr::from(0u64); 4], r: Fr::from(0u64) };
    let (pk, vk) = Groth16::<Bn254>::circuit_specific_setup(zero, rng).unwrap();
    let key = VerifyingKey {
        alpha_g1: vk.alpha_g1,
        beta_g2: vk.beta_g2,
        gamma_g2: vk.gamma_g2,
        delta_g2: vk.delta_g2,
        ic: vk.gamma_abc_g1,
    };
    let file = KeyFile { circuit: [1; 32], provenance: Provenance::Development, key };

    let artifact = Artifact::statement_verifier().unwrap();
    let tail = solidity::code_tail(&file, Deployment::Test).unwrap();
    let creation = solidity::creation_code(&artifact.runtime_code, &tail).unwrap();
    let mut evm = Evm::new(Fork::Osaka, CHAIN_ID);
    evm.know_errors(&artifact);
    let (address, _) = evm.deploy(creation).unwrap();

    let domain = Domain::new(CHAIN_ID, address.into_array());
    let words = [Fr::from(domain.version), domain.field(), Fr::from(11u64), Fr::from(13u64)];
    let commitment = Fr::from(11u64 * 11 + 13);
    let mut statement = Statement { words: words.to_vec(), commitment, domain };
    let inputs = statement.public_inputs().unwrap();
    let toy = Toy { words, r: inputs.0[1] };
    let proof = Groth16::<Bn254>::prove(&pk, toy, rng).unwrap();
    let proof = Proof { a: proof.a, b: proof.b, c: proof.c };

    let prepared = PreparedKey::new(&file.key, KeyPolicy::Strict).unwrap();
    zkmargin_verifier::verify(&prepared, inputs.as_slice(), &proof).unwrap();
    evm.call(address, solidity::calldata(&statement, &proof)).unwrap();

    statement.words[3] += Fr::from(1u64);
    let failure = evm.call(address, solidity::calldata(&statement, &proof)).unwrap_err();
    assert_eq!(failure.name(), "StatementProofRejected");
}
