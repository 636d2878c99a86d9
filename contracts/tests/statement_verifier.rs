//! The contract's verdicts: what it accepts, and each refusal by its custom error.

mod chain;

use ark_bn254::{Fq, Fq2, Fr, G2Affine};
use ark_ff::{BigInt, BigInteger, Field, PrimeField};
use chain::simulator::Trapdoor;
use chain::{CHAIN_ID, Chain, FORKS, key_file};
use zkmargin_contracts::{Artifact, Evm, Failure, Fork};
use zkmargin_verifier::solidity::{self, Deployment};
use zkmargin_verifier::{Domain, PreparedKey, Proof, Statement, VerifyError};

/// Bytes before the first word in calldata: selector, proof, commitment, offset, length.
const WORDS_AT: usize = 4 + 32 * 11;
const PROOF_AT: usize = 4;
const COMMITMENT_AT: usize = 4 + 256;

/// Adds `modulus` to the word at byte `at`; the caller knows that it fits.
fn add_modulus(data: &mut [u8], at: usize, modulus: BigInt<4>) {
    let slot = &mut data[at..at + 32];
    let mut value = BigInt::<4>::new(std::array::from_fn(|limb| {
        u64::from_be_bytes(slot[24 - 8 * limb..][..8].try_into().unwrap())
    }));
    assert!(!value.add_with_carry(&modulus));
    slot.copy_from_slice(&value.to_bytes_be());
}

#[test]
fn accepts_statements_of_any_length() {
    for fork in FORKS {
        let mut chain = Chain::new(fork, "lengths");
        // Around the edges of the blocks of 32 words.
        for count in [2, 3, 31, 32, 33, 63, 64, 65, 97, 300] {
            let (statement, proof) = chain.proven(count);
            let receipt = chain.submit(&statement, &proof);
            assert!(receipt.is_ok(), "{fork:?}, {count} words: {receipt:?}");
            // Malleated, and a proof all the same.
            let malleated = Proof { a: -proof.a, b: -proof.b, c: proof.c };
            assert!(chain.submit(&statement, &malleated).is_ok());
        }
    }
}

#[test]
fn accepts_extreme_words() {
    let mut chain = Chain::new(Fork::Osaka, "extremes");
    let domain = chain.domain();
    for value in [Fr::from(0u64), -Fr::from(1u64)] {
        let mut words = vec![value; 40];
        words[0] = Fr::from(domain.version);
        words[1] = domain.field();
        let statement = Statement { words, commitment: value, domain };
        let proof = chain.trapdoor.prove(statement.public_inputs().unwrap().as_slice());
        chain.submit(&statement, &proof).unwrap();
    }
}

#[test]
fn rejects_every_changed_word() {
    let mut chain = Chain::new(Fork::Osaka, "changed words");
    let (statement, proof) = chain.proven(70);
    for index in 0..statement.words.len() {
        let mut changed = statement.clone();
        changed.words[index] += Fr::from(1u64);
        let expected = match index {
            0 => "StatementVersion",
            1 => "StatementDomain",
            _ => "StatementProofRejected",
        };
        let verdict = chain.verdict(solidity::calldata(&changed, &proof));
        assert_eq!(verdict, expected, "word {index}");
    }
    let mut longer = statement.clone();
    longer.words.push(Fr::from(0u64));
    let mut shorter = statement.clone();
    shorter.words.pop();
    let mut swapped = statement.clone();
    swapped.words.swap(5, 6);
    let commitment = Statement { commitment: -statement.commitment, ..statement };
    for other in [longer, shorter, swapped, commitment] {
        let verdict = chain.verdict(solidity::calldata(&other, &proof));
        assert_eq!(verdict, "StatementProofRejected");
    }
}

#[test]
fn rejects_words_at_or_above_the_modulus() {
    let mut chain = Chain::new(Fork::Osaka, "canonical words");
    let (mut statement, _) = chain.proven(70);
    statement.words[7] = Fr::from(0u64);
    let proof = chain.trapdoor.prove(statement.public_inputs().unwrap().as_slice());
    let good = solidity::calldata(&statement, &proof);
    assert_eq!(chain.verdict(good.clone()), "accepted");
    for index in 2..statement.words.len() {
        let mut data = good.clone();
        add_modulus(&mut data, WORDS_AT + 32 * index, Fr::MODULUS);
        assert_eq!(chain.verdict(data), "StatementNotCanonical", "word {index}");
        let mut data = good.clone();
        data[WORDS_AT + 32 * index..][..32].fill(255);
        assert_eq!(chain.verdict(data), "StatementNotCanonical", "word {index}");
    }
    let mut data = good;
    add_modulus(&mut data, COMMITMENT_AT, Fr::MODULUS);
    assert_eq!(chain.verdict(data), "StatementNotCanonical");
}

/// An alias whose proof is right for its own challenge: only the range check stands in its way.
#[test]
fn forged_alias_with_its_own_challenge_is_refused() {
    use sha3::{Digest, Keccak256};
    let mut chain = Chain::new(Fork::Osaka, "alias");
    let (statement, _) = chain.proven(40);
    for index in [2, 31, 32, 39] {
        let good = chain.trapdoor.prove(&[Fr::from(1u64); 3]);
        let mut data = solidity::calldata(&statement, &good);
        add_modulus(&mut data, WORDS_AT + 32 * index, Fr::MODULUS);
        let mut preimage = data[WORDS_AT + 32..][..32].to_vec();
        preimage.extend_from_slice(&data[COMMITMENT_AT..][..32]);
        preimage.extend_from_slice(&data[WORDS_AT - 32..]);
        let r = Fr::from_be_bytes_mod_order(&Keccak256::digest(preimage));
        let y = zkmargin_verifier::statement::evaluate(&statement.words, r);
        let proof = chain.trapdoor.prove(&[statement.commitment, r, y]);
        data[PROOF_AT..][..256].copy_from_slice(&proof.to_bytes());
        assert_eq!(chain.verdict(data), "StatementNotCanonical", "word {index}");
    }
}

#[test]
fn rejects_other_chain_contract_and_version() {
    let mut chain = Chain::new(Fork::Osaka, "replay");
    let (statement, proof) = chain.proven(10);
    let data = solidity::calldata(&statement, &proof);
    assert_eq!(chain.verdict(data.clone()), "accepted");

    let artifact = Artifact::statement_verifier().unwrap();
    let tail = solidity::code_tail(&key_file(&chain.trapdoor), Deployment::Test).unwrap();
    let creation = solidity::creation_code(&artifact.runtime_code, &tail).unwrap();
    // The same key and code at the next address of the same chain.
    let (other, _) = chain.evm.deploy(creation.clone()).unwrap();
    let failure = chain.evm.call(other, data.clone()).unwrap_err();
    assert_eq!(failure.name(), "StatementDomain");
    // The same address on another chain.
    let mut evm = Evm::new(Fork::Osaka, CHAIN_ID + 1);
    evm.know_errors(&artifact);
    let (same, _) = evm.deploy(creation).unwrap();
    assert_eq!(same, chain.address);
    assert_eq!(evm.call(same, data).unwrap_err().name(), "StatementDomain");
    // A proof made for another version, posted as such.
    let domain = Domain { version: 2, ..chain.domain() };
    let statement = chain.trapdoor.statement(domain, 10);
    let proof = chain.trapdoor.prove(statement.public_inputs().unwrap().as_slice());
    let verdict = chain.verdict(solidity::calldata(&statement, &proof));
    assert_eq!(verdict, "StatementVersion");
}

#[test]
fn rejects_every_other_encoding() {
    let mut chain = Chain::new(Fork::Osaka, "encoding");
    let (statement, proof) = chain.proven(4);
    let good = solidity::calldata(&statement, &proof);
    for length in [good.len() - 1, good.len() - 32, WORDS_AT, WORDS_AT - 32, 260, 4, 3, 0] {
        let failure = chain.evm.call(chain.address, good[..length].to_vec()).unwrap_err();
        // The decoder refuses without a reason what cannot be the arguments at all.
        assert!(matches!(failure, Failure::Revert { .. }), "length {length}: {failure}");
    }
    for extra in [1, 32] {
        let mut data = good.clone();
        data.resize(data.len() + extra, 0);
        assert_eq!(chain.verdict(data), "StatementEncoding", "{extra} more");
    }
    // The words moved by one behind a gap, with the offset to match.
    let mut data = good.clone();
    data[WORDS_AT - 33] += 32;
    data.splice(WORDS_AT - 32..WORDS_AT - 32, [0; 32]);
    assert_eq!(chain.verdict(data), "StatementEncoding");
    // One word fewer declared than posted.
    let mut data = good.clone();
    data[WORDS_AT - 1] -= 1;
    assert_eq!(chain.verdict(data), "StatementEncoding");
    // A header of one word.
    let one = Statement { words: statement.words[..1].to_vec(), ..statement };
    assert_eq!(chain.verdict(solidity::calldata(&one, &proof)), "StatementLength");
    let mut data = good;
    data[0] ^= 1;
    assert_eq!(chain.verdict(data), "");
}

#[test]
fn rejects_bad_points() {
    let mut chain = Chain::new(Fork::Osaka, "bad points");
    let (statement, proof) = chain.proven(4);
    let good = solidity::calldata(&statement, &proof);
    let mut zero = good.clone();
    zero[PROOF_AT..][..256].fill(0);
    assert_eq!(chain.verdict(zero), "StatementProofIdentity");
    for (start, length) in [(0, 64), (64, 128), (192, 64)] {
        let mut data = good.clone();
        data[PROOF_AT + start..][..length].fill(0);
        assert_eq!(chain.verdict(data), "StatementProofIdentity", "point at {start}");
    }
    for word in 0..8 {
        let mut data = good.clone();
        data[PROOF_AT + 32 * word + 31] ^= 1;
        assert_eq!(chain.verdict(data), "StatementProofMalformed", "word {word} off the curve");
        let mut data = good.clone();
        add_modulus(&mut data, PROOF_AT + 32 * word, Fq::MODULUS);
        assert_eq!(chain.verdict(data), "StatementProofMalformed", "word {word} plus q");
    }
    // On the twist, outside the subgroup.
    let outside = (1u64..)
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(Fq::from(x), Fq::ONE), true))
        .find(|point| !point.is_in_correct_subgroup_assuming_on_curve())
        .unwrap();
    let verdict =
        chain.verdict(solidity::calldata(&statement, &Proof { b: outside, ..proof.clone() }));
    assert_eq!(verdict, "StatementProofMalformed");
    // Halves of B's coordinates in the other order.
    let mut data = good;
    let (x1, x0) = data[PROOF_AT + 64..PROOF_AT + 128].split_at_mut(32);
    x1.swap_with_slice(x0);
    assert_eq!(chain.verdict(data), "StatementProofMalformed");
    let other = chain.trapdoor.prove(&[Fr::from(1u64); 3]);
    for mix in [
        Proof { a: other.a, ..proof.clone() },
        Proof { b: other.b, ..proof.clone() },
        Proof { c: other.c, ..proof.clone() },
        Proof { a: -proof.a, ..proof },
        other,
    ] {
        let verdict = chain.verdict(solidity::calldata(&statement, &mix));
        assert_eq!(verdict, "StatementProofRejected");
    }
}

/// A chain without a precompile: the call succeeds and returns nothing. The contract must not read
/// what lay in memory before.
#[test]
fn rejects_on_a_chain_without_precompiles() {
    let artifact = Artifact::statement_verifier().unwrap();
    for precompile in [6u8, 7, 8] {
        // PUSH1 precompile, GAS, STATICCALL: the address becomes one without code.
        let call = [0x60, precompile, 0x5a, 0xfa];
        let mut code = artifact.runtime_code.clone();
        let mut patched = 0;
        for at in 0..code.len() - 4 {
            if code[at..at + 4] == call {
                code[at + 1] = 0xf6;
                patched += 1;
            }
        }
        assert_eq!(patched, if precompile == 8 { 1 } else { 3 }, "precompile {precompile}");
        let mut chain = Chain::with_code(Fork::Osaka, "no precompile", &artifact, &code);
        let (statement, proof) = chain.proven(4);
        let verdict = chain.verdict(solidity::calldata(&statement, &proof));
        assert_eq!(verdict, "StatementPrecompile", "precompile {precompile}");
    }
}

#[test]
fn names_its_key_and_circuit() {
    use sha3::{Digest, Keccak256};
    let mut chain = Chain::new(Fork::Osaka, "names");
    let tail = solidity::code_tail(&key_file(&chain.trapdoor), Deployment::Test).unwrap();
    let mut view = |signature: &str| {
        let data = Keccak256::digest(signature)[..4].to_vec();
        chain.evm.call(chain.address, data).unwrap().output
    };
    assert_eq!(view("keyDigest()"), solidity::key_digest(&tail));
    assert_eq!(view("circuitDigest()"), [0xc1; 32]);
    assert_eq!(view("provenance()"), [0; 32]);
}

#[test]
fn deployed_code_is_compared_with_its_key() {
    let mut chain = Chain::new(Fork::Osaka, "deployed");
    let runtime = Artifact::statement_verifier().unwrap().runtime_code;
    let file = key_file(&chain.trapdoor);
    let code = chain.evm.code(chain.address);
    let check = |code: &[u8], file| solidity::check_deployed(code, &runtime, file);
    check(&code, &file).unwrap();
    let mut flipped = code.clone();
    for at in [0, runtime.len(), code.len() - 33, code.len() - 1] {
        flipped[at] ^= 1;
        assert_eq!(check(&flipped, &file).unwrap_err().name(), "ContractMismatch", "byte {at}");
        flipped[at] ^= 1;
    }
    assert!(check(&code[1..], &file).is_err());
    let other = key_file(&Trapdoor::new("another key", 3));
    assert_eq!(check(&code, &other).unwrap_err().name(), "ContractMismatch");
    let other = zkmargin_verifier::KeyFile { circuit: [2; 32], ..file.clone() };
    assert_eq!(check(&code, &other).unwrap_err().name(), "ContractMismatch");
}

#[test]
fn inherited_verification_returns_to_its_caller() {
    use sha3::{Digest, Keccak256};
    let artifact = Artifact::inheriting_verifier().unwrap();
    let code = artifact.runtime_code.clone();
    let mut chain = Chain::with_code(Fork::Osaka, "inheriting", &artifact, &code);
    let (statement, proof) = chain.proven(5);
    let call = |name: &str, statement: &Statement| {
        let mut data = solidity::calldata(statement, &proof);
        let signature = solidity::SIGNATURE.replace("verifyStatement", name);
        data[..4].copy_from_slice(&Keccak256::digest(signature)[..4]);
        data
    };
    let receipt = chain.evm.call(chain.address, call("accept", &statement)).unwrap();
    let copied = &solidity::calldata(&statement, &proof)[WORDS_AT - 32..];
    assert_eq!(&receipt.output[32..], copied, "the code after the verification returned the words");
    let accepted = Keccak256::digest("accepted()")[..4].to_vec();
    assert_eq!(chain.evm.call(chain.address, accepted.clone()).unwrap().output[31], 1);
    let mut changed = statement.clone();
    changed.words[4] += Fr::from(1u64);
    assert_eq!(chain.verdict(call("accept", &changed)), "StatementProofRejected");
    assert_eq!(chain.evm.call(chain.address, accepted).unwrap().output[31], 1);
    assert_eq!(chain.verdict(call("acceptTooLate", &statement)), "StatementMemory");
}

#[test]
fn generator_refuses_what_must_not_be_deployed() {
    use ark_ec::AffineRepr;
    let trapdoor = Trapdoor::new("generator", 3);
    let good = key_file(&trapdoor);
    let reason = |edit: &dyn Fn(&mut zkmargin_verifier::KeyFile)| {
        let mut file = good.clone();
        edit(&mut file);
        let tail = solidity::code_tail(&file, Deployment::Test).unwrap_err();
        assert_eq!(solidity::source(&file, Deployment::Test).unwrap_err(), tail);
        tail.name()
    };
    assert_eq!(reason(&|file| file.key.gamma_g2 = file.key.delta_g2), "GammaEqualsDelta");
    assert_eq!(reason(&|file| file.key.delta_g2 = G2Affine::generator()), "GeneratorPoint");
    assert_eq!(reason(&|file| file.key.alpha_g1 = ark_bn254::G1Affine::zero()), "IdentityPoint");
    assert_eq!(reason(&|file| file.key.ic[2] = -file.key.ic[1]), "OppositeIc");
    assert_eq!(reason(&|file| file.key.beta_g2 = -file.key.delta_g2), "RelatedPoints");
    assert_eq!(reason(&|file| file.key.ic[2] = file.key.ic[1]), "DuplicateIc");
    assert_eq!(reason(&|file| file.key.ic.truncate(3)), "InputCount");
    let four = Trapdoor::new("generator", 4);
    assert_eq!(reason(&|file| file.key = four.key()), "InputCount");
    let production = solidity::code_tail(&good, Deployment::Production);
    assert_eq!(production, Err(VerifyError::DevelopmentKey));
}

/// Random damage to good calldata: the contract and the native verifier agree, and on the reason.
/// `DIFFERENTIAL_ROUNDS` sets the number of tries.
#[test]
fn native_and_contract_agree_on_damaged_proofs() {
    let mut chain = Chain::new(Fork::Osaka, "differential");
    let key = chain.trapdoor.key();
    let key = PreparedKey::new(&key, zkmargin_verifier::KeyPolicy::Strict).unwrap();
    let (statement, proof) = chain.proven(6);
    let good = proof.to_bytes();
    let spare = chain.trapdoor.prove(&[Fr::from(2u64); 3]).to_bytes();
    let inputs = statement.public_inputs().unwrap();
    let mut counts = std::collections::BTreeMap::<String, u32>::new();
    let rounds = std::env::var("DIFFERENTIAL_ROUNDS").map_or(240, |rounds| rounds.parse().unwrap());
    for round in 0u32..rounds {
        let dice = *blake3::hash(&round.to_be_bytes()).as_bytes();
        let mut bytes = good;
        let word = 32 * usize::from(dice[0] % 8);
        match dice[1] % 6 {
            0 => bytes[word + usize::from(dice[2] % 32)] ^= 1 << (dice[3] % 8),
            1 => bytes[word..word + 32].fill(0),
            2 => bytes[..64].copy_from_slice(&spare[..64]),
            3 => bytes[64..192].copy_from_slice(&spare[64..192]),
            4 => bytes[192..].copy_from_slice(&spare[..64]),
            _ => bytes = if dice[2].is_multiple_of(2) { good } else { spare },
        }
        let native = Proof::from_bytes(&bytes)
            .and_then(|proof| zkmargin_verifier::verify(&key, inputs.as_slice(), &proof));
        let expected = match native {
            Ok(()) => "accepted",
            Err(VerifyError::PairingFailed) => "StatementProofRejected",
            Err(VerifyError::IdentityPoint(_)) => "StatementProofIdentity",
            Err(_) => "StatementProofMalformed",
        };
        let mut data = solidity::calldata(&statement, &proof);
        data[PROOF_AT..][..256].copy_from_slice(&bytes);
        let verdict = chain.verdict(data);
        // With one coordinate zero, the contract calls a point the identity which is off the curve.
        let off_curve_at_zero =
            expected == "StatementProofMalformed" && verdict == "StatementProofIdentity";
        if !(off_curve_at_zero && dice[1] % 6 == 1) {
            assert_eq!(verdict, expected, "round {round}");
        }
        *counts.entry(verdict).or_default() += 1;
    }
    assert_eq!(counts.len(), 4, "every verdict occurred: {counts:?}");
}
