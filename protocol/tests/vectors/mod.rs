//! Reads test vectors: those checked in, and the larger published sets where they are at hand.

use std::path::Path;

use ark_bn254::Fr;
use serde_json::Value;
use zkmargin_protocol::Rule;
use zkmargin_protocol::value::decimal;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures");
const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/crypto");

fn read(path: &str) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

/// A file of `fixtures/crypto`.
pub fn fixture(name: &str) -> Value {
    read(&format!("{FIXTURES}/crypto/{name}"))
}

/// A file of the published sets, `None` with a note where they are absent.
pub fn shared(name: &str) -> Option<Value> {
    let path = format!("{SHARED}/{name}");
    if !Path::new(&path).exists() {
        println!("skipped: {name} (…/shared/data absent)");
        return None;
    }
    Some(read(&path))
}

/// A canonical field element.
pub fn field(value: &Value) -> Fr {
    decimal::parse(Rule::Range, "vector", value.as_str().unwrap()).unwrap()
}

/// A list in the file.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}
