//! Real batches on chain: a deposit, a trade and a request in the tiny shape, proven under a
//! development key. The contract accepts each with its proof and refuses everything else that could
//! be sent in its place.

use std::sync::LazyLock;

use ark_bn254::{Fq, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInt, BigInteger, PrimeField};
use zkmargin_contracts::{Artifact, DeployedVerifier, Evm, Failure, Fork};
use zkmargin_fixtures::build::tiny_batch;
use zkmargin_fixtures::data::trades;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::statement::commitment;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_prover::batch;
use zkmargin_prover::key::ProvingKey;
use zkmargin_prover::progress::Silent;
use zkmargin_prover::prove::Prover;
use zkmargin_prover::setup::setup;
use zkmargin_verifier::solidity::{self, Deployment};
use zkmargin_verifier::{Domain, KeyFile, Proof, Provenance, Statement};

/// Places in the calldata: selector, proof, commitment, offset, number of words, words.
const PROOF_AT: usize = 4;
const COMMITMENT_AT: usize = PROOF_AT + 256;
const COUNT_AT: usize = COMMITMENT_AT + 64;
const WORDS_AT: usize = COUNT_AT + 32;

/// Two batches with their proofs.
struct Proven {
    key: KeyFile,
    statements: [Statement; 2],
    proofs: [Proof; 2],
}

/// Proven once for all tests of this file.
static PROVEN: LazyLock<Proven> = LazyLock::new(|| {
    let manifest = trades::manifest().unwrap();
    let domain = Domain::new(manifest.chain_id, manifest.contract.0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.key");
    let r1cs = batch::circuit(Shape::TINY);
    setup(&r1cs, &path, &Silent).unwrap();
    let prover = Prover::new(ProvingKey::load(&path).unwrap(), r1cs).unwrap();
    let prove = |trace: &BatchTrace| {
        let statement = batch::statement(trace, domain).unwrap();
        let inputs = statement.public_inputs().unwrap();
        let assignment = batch::assignment(trace, &inputs).unwrap();
        (statement, prover.prove(&assignment, &Silent).unwrap())
    };
    let [(first, one), (second, two)] = [true, false].map(|kind| prove(&tiny_batch(kind)));
    Proven {
        key: KeyFile {
            circuit: one.circuit,
            provenance: Provenance::Development,
            key: prover.key().verifying.clone(),
        },
        statements: [first, second],
        proofs: [one.proof, two.proof],
    }
});

/// The verifier on the chain and at the address which the batches are for.
fn deployed() -> DeployedVerifier {
    let domain = PROVEN.statements[0].domain;
    DeployedVerifier::new(Fork::Osaka, &domain, &PROVEN.key, Deployment::Test).unwrap()
}

/// The custom error's name; empty where the decoder reverts without one.
fn verdict(chain: &mut DeployedVerifier, data: Vec<u8>) -> String {
    match chain.call(data) {
        Ok(_) => "accepted".into(),
        Err(Failure::Revert { name, .. }) => name,
        Err(other) => other.to_string(),
    }
}

/// The first batch with its proof, as it is sent.
fn good() -> Vec<u8> {
    solidity::calldata(&PROVEN.statements[0], &PROVEN.proofs[0])
}

/// Adds `number` to the word at byte `at`; the sum has 256 bits.
fn add(data: &mut [u8], at: usize, number: &BigInt<4>) {
    let slot = &mut data[at..at + 32];
    let mut value = BigInt::<4>::new(std::array::from_fn(|limb| {
        u64::from_be_bytes(slot[24 - 8 * limb..][..8].try_into().unwrap())
    }));
    assert!(!value.add_with_carry(number));
    slot.copy_from_slice(&value.to_bytes_be());
}

#[test]
fn accepts_each_batch_with_its_proof() {
    for fork in [Fork::Osaka, Fork::Amsterdam] {
        let Proven { key, statements, proofs } = &*PROVEN;
        let domain = statements[0].domain;
        let mut chain = DeployedVerifier::new(fork, &domain, key, Deployment::Test).unwrap();
        for (statement, proof) in statements.iter().zip(proofs) {
            let receipt = chain.submit(statement, proof).unwrap();
            assert_eq!((receipt.output.len(), receipt.logs.len()), (0, 0));
        }
    }
}

#[test]
fn rejects_each_changed_word() {
    let chain = &mut deployed();
    let (statement, proof) = (&PROVEN.statements[0], &PROVEN.proofs[0]);
    for index in 0..statement.words.len() {
        let expected = match index {
            0 => "StatementVersion",
            1 => "StatementDomain",
            _ => "StatementProofRejected",
        };
        let mut words = statement.words.clone();
        words[index] += Fr::from(1u64);
        // With the proven commitment, and with the one that these words have.
        for commitment in [statement.commitment, commitment(&words)] {
            let changed = Statement { words: words.clone(), commitment, ..*statement };
            let found = verdict(chain, solidity::calldata(&changed, proof));
            assert_eq!(found, expected, "word {index}");
        }
    }
    let changed =
        Statement { commitment: statement.commitment + Fr::from(1u64), ..statement.clone() };
    let found = verdict(chain, solidity::calldata(&changed, proof));
    assert_eq!(found, "StatementProofRejected", "the commitment");
}

#[test]
fn rejects_each_scalar_plus_the_modulus() {
    let chain = &mut deployed();
    for index in 0..PROVEN.statements[0].words.len() {
        let mut data = good();
        add(&mut data, WORDS_AT + 32 * index, &Fr::MODULUS);
        let expected = match index {
            0 => "StatementVersion",
            1 => "StatementDomain",
            _ => "StatementNotCanonical",
        };
        assert_eq!(verdict(chain, data), expected, "word {index}");
    }
    let mut data = good();
    add(&mut data, COMMITMENT_AT, &Fr::MODULUS);
    assert_eq!(verdict(chain, data), "StatementNotCanonical", "the commitment");
}

#[test]
fn rejects_a_proof_of_another_batch() {
    let chain = &mut deployed();
    let Proven { statements, proofs, .. } = &*PROVEN;
    assert_ne!(statements[0].words, statements[1].words);
    for (statement, proof) in [(0, 1), (1, 0)] {
        let data = solidity::calldata(&statements[statement], &proofs[proof]);
        assert_eq!(verdict(chain, data), "StatementProofRejected");
    }
    // The words of one batch with the commitment of the other.
    let [first, second] = statements;
    let mixed = Statement { commitment: second.commitment, ..first.clone() };
    for proof in proofs {
        let data = solidity::calldata(&mixed, proof);
        assert_eq!(verdict(chain, data), "StatementProofRejected");
    }
}

#[test]
fn rejects_another_chain_and_another_contract() {
    let statement = &PROVEN.statements[0];
    let home = statement.domain;
    let mut contract = home.contract;
    contract[19] ^= 1;
    for domain in
        [Domain::new(home.chain_id + 1, home.contract), Domain::new(home.chain_id, contract)]
    {
        let chain = &mut DeployedVerifier::new(Fork::Osaka, &domain, &PROVEN.key, Deployment::Test)
            .unwrap();
        assert_eq!(verdict(chain, good()), "StatementDomain");
        // The statement as this chain and contract want it is not the one that was proven.
        let mut moved = Statement { domain, ..statement.clone() };
        moved.words[1] = domain.field();
        for commitment in [statement.commitment, commitment(&moved.words)] {
            moved.commitment = commitment;
            let data = solidity::calldata(&moved, &PROVEN.proofs[0]);
            assert_eq!(verdict(chain, data), "StatementProofRejected");
        }
    }
}

#[test]
fn rejects_cut_and_padded_calldata() {
    let chain = &mut deployed();
    let good = good();
    for cut in [1, 32] {
        // The decoder reverts without a reason: fewer words are there than are declared.
        assert_eq!(verdict(chain, good[..good.len() - cut].to_vec()), "", "{cut} bytes cut");
        for byte in [0, 0xff] {
            let padded = [&good[..], &vec![byte; cut]].concat();
            assert_eq!(verdict(chain, padded), "StatementEncoding", "{cut} bytes more");
        }
    }
    // The declared number goes with the words: another statement, even if what is cut or added is
    // zero.
    let count = PROVEN.statements[0].words.len() as u64;
    let declared = |mut data: Vec<u8>, count: u64| {
        data[COUNT_AT + 24..WORDS_AT].copy_from_slice(&count.to_be_bytes());
        data
    };
    let shorter = declared(good[..good.len() - 32].to_vec(), count - 1);
    assert_eq!(verdict(chain, shorter), "StatementProofRejected");
    let longer = declared([&good[..], &[0; 32]].concat(), count + 1);
    assert_eq!(verdict(chain, longer), "StatementProofRejected");
    for wrong in [count - 1, count + 1] {
        let expected = if wrong < count { "StatementEncoding" } else { "" };
        assert_eq!(verdict(chain, declared(good.clone(), wrong)), expected, "{wrong} declared");
    }
}

#[test]
fn rejects_changed_points() {
    let chain = &mut deployed();
    let proof = &PROVEN.proofs[0];
    let other = &PROVEN.proofs[1];
    let with = |edit: &dyn Fn(&mut Proof)| {
        let mut changed = proof.clone();
        edit(&mut changed);
        solidity::calldata(&PROVEN.statements[0], &changed)
    };
    for (what, data) in [
        ("A negated", with(&|proof| proof.a = -proof.a)),
        ("B negated", with(&|proof| proof.b = -proof.b)),
        ("C negated", with(&|proof| proof.c = -proof.c)),
        ("A and C swapped", with(&|proof| std::mem::swap(&mut proof.a, &mut proof.c))),
        ("A of another batch", with(&|proof| proof.a = other.a)),
        ("B of another batch", with(&|proof| proof.b = other.b)),
        ("C of another batch", with(&|proof| proof.c = other.c)),
        ("A the generator", with(&|proof| proof.a = G1Affine::generator())),
        ("B the generator", with(&|proof| proof.b = G2Affine::generator())),
        ("C the generator", with(&|proof| proof.c = G1Affine::generator())),
    ] {
        assert_eq!(verdict(chain, data), "StatementProofRejected", "{what}");
    }
    for (what, data) in [
        ("A", with(&|proof| proof.a = G1Affine::zero())),
        ("B", with(&|proof| proof.b = G2Affine::zero())),
        ("C", with(&|proof| proof.c = G1Affine::zero())),
    ] {
        assert_eq!(verdict(chain, data), "StatementProofIdentity", "{what} the identity");
    }
    for word in 0..8 {
        for number in [BigInt::from(1u64), Fq::MODULUS] {
            let mut data = good();
            add(&mut data, PROOF_AT + 32 * word, &number);
            assert_eq!(verdict(chain, data), "StatementProofMalformed", "word {word}");
        }
    }
}

/// The batches are signed for the address at which a transaction creates the contract.
#[test]
fn batches_are_for_the_first_contract_of_the_chain() {
    let domain = PROVEN.statements[0].domain;
    let mut evm = Evm::new(Fork::Osaka, domain.chain_id);
    assert_eq!(evm.next_address().into_array(), domain.contract);
    let artifact = Artifact::statement_verifier().unwrap();
    evm.know_errors(&artifact);
    let tail = solidity::code_tail(&PROVEN.key, Deployment::Test).unwrap();
    let creation = solidity::creation_code(&artifact.runtime_code, &tail).unwrap();
    let (address, _) = evm.deploy(creation).unwrap();
    evm.call(address, good()).unwrap();
}

#[test]
fn rejects_addresses_and_keys_which_cannot_be_deployed() {
    let home = PROVEN.statements[0].domain;
    // Precompiles answer at 1 to 17 and at 256, some of them with success to any calldata.
    for number in [1u16, 2, 4, 8, 17, 256] {
        let mut contract = [0; 20];
        contract[18..].copy_from_slice(&number.to_be_bytes());
        let domain = Domain::new(home.chain_id, contract);
        let refused =
            DeployedVerifier::new(Fork::Osaka, &domain, &PROVEN.key, Deployment::Test).err();
        assert!(refused.unwrap().to_string().starts_with("no contract"), "{number}");
    }
    let refused = DeployedVerifier::new(Fork::Osaka, &home, &PROVEN.key, Deployment::Production);
    assert!(refused.err().unwrap().to_string().contains("development"));
}
