//! Files of other programs: forms which mean the same are taken, others refused with a hint.
#![cfg(feature = "cli")]

mod program;
mod simulator;

use std::path::Path;

use program::{Files, verifier};
use serde_json::{Value, json};
use zkmargin_host::broken::said;
use zkmargin_verifier::Provenance;

/// What is done to good files.
type Change = fn(&mut Triple);

/// The three files of a good proof.
struct Triple {
    files: Files,
    key: Value,
    public: Value,
    proof: Value,
}

impl Triple {
    fn new() -> Self {
        let files = Files::new(Provenance::Ceremony);
        let output = files.run("export", &["--out", "."]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let read = |name: &str| {
            let text = std::fs::read_to_string(files.path(name)).unwrap();
            serde_json::from_str(&text).unwrap()
        };
        let [key, public, proof] = ["verification_key.json", "public.json", "proof.json"].map(read);
        Self { files, key, public, proof }
    }

    /// Status and message for the triple as it is now, each file encoded.
    fn judged_as(&self, encode: impl Fn(&str) -> Vec<u8>) -> (i32, String) {
        let write = |name: &str, value: &Value| {
            std::fs::write(self.files.path(name), encode(&value.to_string())).unwrap();
        };
        write("k", &self.key);
        write("i", &self.public);
        write("p", &self.proof);
        judged(self.files.folder.path())
    }

    fn judged(&self) -> (i32, String) {
        self.judged_as(|text| text.as_bytes().to_vec())
    }
}

fn judged(folder: &Path) -> (i32, String) {
    let arguments = ["snarkjs", "--key", "k", "--public", "i", "--proof", "p"];
    let output = verifier(folder).args(arguments).output().unwrap();
    (output.status.code().unwrap(), said(&output))
}

fn rename(value: &mut Value, from: &str, to: &str) {
    let fields = value.as_object_mut().unwrap();
    let field = fields.remove(from).unwrap();
    fields.insert(to.into(), field);
}

/// Exchanges the parts of each coordinate.
fn exchange(point: &mut Value) {
    for pair in &mut point.as_array_mut().unwrap()[..2] {
        pair.as_array_mut().unwrap().reverse();
    }
}

#[test]
fn accepts_forms_which_mean_the_same() {
    let forms: [(&str, Change); 6] = [
        ("as written", |_| ()),
        ("groth", |triple| {
            triple.key["protocol"] = "groth".into();
            triple.proof["protocol"] = "groth".into();
        }),
        ("alfa", |triple| {
            rename(&mut triple.key, "vk_alpha_1", "vk_alfa_1");
            triple.key["vk_alfabeta_12"] = json!([]);
        }),
        ("bn254", |triple| triple.key["curve"] = "bn254".into()),
        ("alt_bn128", |triple| triple.proof["curve"] = "alt_bn128".into()),
        ("combined", |triple| {
            triple.proof = json!({ "proof": triple.proof, "pub_signals": triple.public });
        }),
    ];
    for (name, change) in forms {
        let mut triple = Triple::new();
        change(&mut triple);
        let (status, message) = triple.judged();
        assert_eq!(status, 0, "{name}: {message}");
        // The form changes nothing about the verdict.
        triple.public[0] = "1".into();
        if name == "combined" {
            let (status, message) = triple.judged();
            assert_eq!(status, 55, "{message}");
            assert!(message.contains("public input 0"), "{message}");
            triple.proof["pub_signals"][0] = "1".into();
        }
        assert_eq!(triple.judged().0, 16, "{name}");
    }
}

#[test]
fn rejects_exchanged_coordinates_with_a_hint() {
    let mut triple = Triple::new();
    exchange(&mut triple.proof["pi_b"]);
    let (status, message) = triple.judged();
    assert_eq!(status, 13, "{message}");
    assert!(message.contains("NotOnCurve") && message.contains("c0 and c1 exchanged"), "{message}");
    for name in ["vk_beta_2", "vk_gamma_2", "vk_delta_2"] {
        let mut triple = Triple::new();
        exchange(&mut triple.key[name]);
        let (status, message) = triple.judged();
        assert_eq!(status, 13, "{name}: {message}");
        assert!(message.contains("c0 and c1 exchanged"), "{name}: {message}");
    }
    // A point that is wrong either way gets no hint.
    let mut triple = Triple::new();
    triple.proof["pi_b"][0][0] = "1".into();
    let (status, message) = triple.judged();
    assert_eq!(status, 13, "{message}");
    assert!(!message.contains("exchanged"), "{message}");
}

#[test]
fn rejects_a_form_which_says_things_twice_or_not_at_all() {
    let changes: [(i32, Change); 6] = [
        (50, |triple| triple.key["vk_alfa_1"] = triple.key["vk_alpha_1"].clone()),
        (50, |triple| rename(&mut triple.key, "vk_alpha_1", "vk_alefa_1")),
        (52, |triple| triple.key["protocol"] = "plonk".into()),
        (52, |triple| triple.key["provenance"] = "elsewhere".into()),
        (50, |triple| triple.proof = json!({ "proof": triple.proof })),
        (50, |triple| {
            triple.proof = json!({ "proof": triple.proof, "pub_signals": [], "protocol": "groth" });
        }),
    ];
    for (code, change) in changes {
        let mut triple = Triple::new();
        change(&mut triple);
        let (status, message) = triple.judged();
        assert_eq!(status, code, "{message}");
    }
}

#[test]
fn a_mark_before_utf8_is_skipped_and_utf16_is_named() {
    let triple = Triple::new();
    let (status, message) = triple.judged_as(|text| format!("\u{feff}{text}").into_bytes());
    assert_eq!(status, 0, "{message}");
    let utf16 = |text: &str, encode: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(encode).collect()
    };
    let encodings: [fn(u16) -> [u8; 2]; 2] = [u16::to_le_bytes, u16::to_be_bytes];
    for encode in encodings {
        for mark in ["\u{feff}", ""] {
            let (status, message) =
                triple.judged_as(|text| utf16(&format!("{mark}{text}"), encode));
            assert_eq!(status, 54, "{message}");
            assert!(message.contains("UTF-16"), "{message}");
        }
    }
    let (status, message) = triple.judged_as(|text| [text.as_bytes(), b" \xff"].concat());
    assert_eq!(status, 54, "{message}");
    assert!(message.contains("not UTF-8"), "{message}");
}
