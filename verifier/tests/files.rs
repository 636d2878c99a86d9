//! Files: written, read back, damaged in every way.

mod simulator;

use ark_bn254::Fr;
use simulator::Trapdoor;
use zkmargin_verifier::statement::{challenge, domain, evaluate};
use zkmargin_verifier::{
    Domain, FormatError, KeyFile, ProofFile, Provenance, Statement, StatementFile, VerifyError,
};

/// Reads one kind of file and says why not.
type Refusal = fn(&[u8]) -> Option<FormatError>;

const CIRCUIT: [u8; 32] = [7; 32];

fn files() -> (KeyFile, ProofFile, StatementFile) {
    let mut trapdoor = Trapdoor::new("files", 3);
    let statement = trapdoor.statement(Domain::new(31_337, [0xab; 20]), 5);
    let proof = trapdoor.prove(statement.public_inputs().unwrap().as_slice());
    let provenance = Provenance::Development;
    let key = KeyFile { circuit: CIRCUIT, provenance, key: trapdoor.key() };
    (key, ProofFile { circuit: CIRCUIT, provenance, proof }, StatementFile(statement))
}

#[test]
fn files_round_trip() {
    let (key, proof, statement) = files();
    assert_eq!(KeyFile::from_bytes(&key.to_bytes()), Ok(key.clone()));
    assert_eq!(ProofFile::from_bytes(&proof.to_bytes()), Ok(proof.clone()));
    assert_eq!(StatementFile::from_bytes(&statement.to_bytes()), Ok(statement));
    proof.check_matches(&key).unwrap();
    let other = ProofFile { circuit: [8; 32], ..proof.clone() };
    assert_eq!(other.check_matches(&key).unwrap_err().name(), "CircuitMismatch");
    let other = ProofFile { provenance: Provenance::Ceremony, ..proof };
    assert_eq!(other.check_matches(&key).unwrap_err().name(), "ProvenanceMismatch");
}

#[test]
fn rejects_every_truncation_and_every_flipped_bit() {
    let (key, proof, statement) = files();
    let kinds: [(Vec<u8>, Refusal); 3] = [
        (key.to_bytes(), |file| KeyFile::from_bytes(file).err()),
        (proof.to_bytes(), |file| ProofFile::from_bytes(file).err()),
        (statement.to_bytes(), |file| StatementFile::from_bytes(file).err()),
    ];
    for (file, read) in &kinds {
        for length in 0..file.len() {
            let error = read(&file[..length]).expect("a truncated file is refused");
            assert_eq!(error.name(), "Truncated", "length {length}");
        }
        for bit in 0..8 * file.len() {
            let mut flipped = file.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let error = read(&flipped).expect("a damaged file is refused");
            let expected: &[&str] = match bit / 8 {
                0..8 => &["Foreign"],
                8..12 => &["Version"],
                12..16 => &["Truncated", "TrailingBytes", "PayloadLength"],
                _ => &["Damaged"],
            };
            assert!(expected.contains(&error.name()), "bit {bit}: {error}");
        }
        let longer = [&file[..], &[0]].concat();
        assert_eq!(read(&longer).unwrap().name(), "TrailingBytes");
    }
    // Each kind is foreign to the others' readers.
    for (kind, (_, read)) in kinds.iter().enumerate() {
        let foreign = &kinds[(kind + 1) % 3].0;
        assert_eq!(read(foreign).unwrap().name(), "Foreign");
    }
}

#[test]
fn rejects_sealed_nonsense_by_its_reason() {
    use zkmargin_verifier::format::{MAGIC_KEY, MAGIC_PROOF, MAGIC_STATEMENT, open, seal};
    let (key, proof, statement) = files();
    let change = |file: Vec<u8>, magic, edit: &dyn Fn(&mut Vec<u8>)| {
        let mut payload = open(magic, &file).unwrap().to_vec();
        edit(&mut payload);
        seal(magic, &payload)
    };
    let file = change(key.to_bytes(), MAGIC_KEY, &|payload| payload[32] = 9);
    assert_eq!(KeyFile::from_bytes(&file), Err(FormatError::Provenance(9)));
    let file = change(key.to_bytes(), MAGIC_KEY, &|payload| payload.truncate(40));
    assert_eq!(KeyFile::from_bytes(&file).unwrap_err().name(), "KeyLength");
    let file = change(key.to_bytes(), MAGIC_KEY, &|payload| payload[33..97].fill(0));
    assert_eq!(KeyFile::from_bytes(&file).unwrap_err().name(), "IdentityPoint");
    let file = change(proof.to_bytes(), MAGIC_PROOF, &|payload| payload.push(0));
    assert_eq!(ProofFile::from_bytes(&file).unwrap_err().name(), "PayloadLength");
    let file = change(statement.to_bytes(), MAGIC_STATEMENT, &|payload| payload[68..100].fill(255));
    assert_eq!(StatementFile::from_bytes(&file).unwrap_err().name(), "NonCanonicalScalar");
    let file = change(statement.to_bytes(), MAGIC_STATEMENT, &|payload| payload[32..64].fill(255));
    assert_eq!(StatementFile::from_bytes(&file).unwrap_err().name(), "NonCanonicalScalar");
    let file = change(statement.to_bytes(), MAGIC_STATEMENT, &|payload| payload[64] = 255);
    assert_eq!(StatementFile::from_bytes(&file).unwrap_err().name(), "StatementLength");
    let file = change(statement.to_bytes(), MAGIC_STATEMENT, &|payload| payload[67] += 1);
    assert_eq!(StatementFile::from_bytes(&file).unwrap_err().name(), "PayloadLength");
}

#[test]
fn statement_is_bound_to_its_domain() {
    let (_, _, StatementFile(good)) = files();
    let reason = |statement: &Statement| statement.public_inputs().unwrap_err().name();
    for domain in
        [Domain { chain_id: 1, ..good.domain }, Domain { contract: [0xac; 20], ..good.domain }]
    {
        assert_eq!(reason(&Statement { domain, ..good.clone() }), "StatementDomain");
    }
    let domain = Domain { version: 2, ..good.domain };
    assert_eq!(reason(&Statement { domain, ..good.clone() }), "StatementVersion");
    let words = good.words[..1].to_vec();
    assert_eq!(reason(&Statement { words, ..good.clone() }), "StatementLength");

    // Every word and the commitment move the challenge; a zero word at either end does too.
    let base = good.public_inputs().unwrap();
    for index in 2..good.words.len() {
        let mut changed = good.clone();
        changed.words[index] += Fr::from(1u64);
        let inputs = changed.public_inputs().unwrap();
        assert_ne!(inputs.0[1], base.0[1]);
        assert_ne!(inputs.0[2], base.0[2]);
    }
    let mut longer = good.clone();
    longer.words.push(Fr::from(0u64));
    assert_ne!(longer.public_inputs().unwrap(), base);
    assert_eq!(evaluate(&longer.words, base.0[1]), base.0[2], "the value alone would not notice");
    let commitment = good.commitment + Fr::from(1u64);
    assert_ne!(Statement { commitment, ..good }.public_inputs().unwrap().0[1], base.0[1]);
}

/// Expected values by another program, `statement.py` beside this file.
#[test]
fn challenge_and_value_match_an_independent_computation() {
    let number = |text: &str| {
        let digits = text.bytes().map(|byte| u64::from(byte - b'0'));
        digits.fold(Fr::from(0u64), |value, digit| value * Fr::from(10u64) + Fr::from(digit))
    };
    let field = domain(31_337, [0x11; 20], 1);
    assert_eq!(field, number(DOMAIN));
    let words = [Fr::from(1u64), field, Fr::from(2u64), -Fr::from(1u64)];
    let r = challenge(field, Fr::from(5u64), &words);
    assert_eq!(r, number(CHALLENGE));
    assert_eq!(evaluate(&words, r), number(VALUE));
    assert_ne!(VerifyError::PairingFailed.code(), 0);
}

const DOMAIN: &str =
    "12583708035361732568340935809999670871416841317017543445861597561780947616961";
const CHALLENGE: &str =
    "20870040235047273917075837449711132178667066294437912642589057624041993226635";
const VALUE: &str = "9038287197596345830879702448656889584666530296283379532174221234777131514338";

#[test]
fn codes_are_distinct_and_names_are_unique() {
    use std::collections::BTreeSet;
    use zkmargin_verifier::Point;
    let text = String::new;
    let errors = [
        VerifyError::InputCount { expected: 1, got: 2 },
        VerifyError::NonCanonicalScalar { what: text(), value: text() },
        VerifyError::NonCanonicalCoordinate { point: Point::Alpha, value: text() },
        VerifyError::NotOnCurve(Point::Alpha),
        VerifyError::NotInSubgroup(Point::Beta),
        VerifyError::IdentityPoint(Point::Gamma),
        VerifyError::PairingFailed,
        VerifyError::KeyLength { expected: 1, got: 2 },
        VerifyError::GammaEqualsDelta,
        VerifyError::GeneratorPoint(Point::Delta),
        VerifyError::DuplicateIc(1, 2),
        VerifyError::OppositeIc(1, 2),
        VerifyError::RelatedPoints(Point::Beta, Point::Gamma),
        VerifyError::EmptyBatch,
        VerifyError::StatementLength { expected: "2", got: 1 },
        VerifyError::StatementVersion { expected: 1, got: text() },
        VerifyError::StatementDomain { expected: text(), got: text() },
        VerifyError::DevelopmentKey,
        VerifyError::CircuitMismatch { key: text(), proof: text() },
        VerifyError::ProvenanceMismatch { key: "a", proof: "b" },
        VerifyError::ContractMismatch { expected: text(), got: text() },
    ];
    let formats = [
        FormatError::Truncated { expected: 1, got: 2 },
        FormatError::TrailingBytes { expected: 1, got: 2 },
        FormatError::Foreign { expected: text(), got: text() },
        FormatError::Version { expected: 1, got: 2 },
        FormatError::Damaged,
        FormatError::Provenance(2),
        FormatError::PayloadLength { expected: 1, got: 2 },
    ];
    let codes = errors.iter().map(VerifyError::code).chain(formats.iter().map(FormatError::code));
    let codes: BTreeSet<u8> = codes.collect();
    let names = errors.iter().map(VerifyError::name).chain(formats.iter().map(FormatError::name));
    let names: BTreeSet<&str> = names.collect();
    assert_eq!(codes.len(), errors.len() + formats.len());
    assert_eq!(names.len(), errors.len() + formats.len());
    // 0 is good, 1 a panic of other tools, 2 wrong usage, 3 a file which cannot be read.
    assert!(codes.iter().all(|code| *code >= 10));
}
