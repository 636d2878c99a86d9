//! The table of all rules in `docs/spec/README.md` against `enum Rule`, the pages' headings, the
//! sources, the tests and the forgeries: what a rule has lies in one room, under one name.

use std::path::{Path, PathBuf};

use zkmargin_fixtures::forge::{Attack, attack};
use zkmargin_protocol::Rule;

/// Rules whose constraints stand elsewhere than under the path of their check, and why.
const APART: [(Rule, &str); 13] = [
    (Rule::Range, "a gadget ranges values where they enter a row"),
    (Rule::AccountExists, "an account's row shows that it exists"),
    (Rule::AccountRequests, "an identity of the argument, and flags of the account's row"),
    (Rule::InstrumentSpec, "the table is no part of a trade's row; an identity looks it up"),
    (Rule::InstrumentLive, "the check asks the market for a row, the constraint is the row's"),
    (Rule::Ledger, "an identity of the argument"),
    (Rule::AccountTree, "an identity of the argument"),
    (Rule::MarginMatrix, "an identity of the argument"),
    (Rule::WithdrawalShare, "the share follows from the totals alone"),
    (Rule::SettlementSample, "no circuit"),
    (Rule::SettlementPrice, "no circuit"),
    (Rule::SurfaceArbitrage, "no circuit"),
    (Rule::Shape, "no circuit"),
];

/// Rules whose twin test is not that of the file with the constraints, and why.
const DRAWN_WITH_OTHERS: [(Rule, &str); 14] = [
    (Rule::Range, "drawn with deposits"),
    (Rule::KeyValid, "drawn with the account's row"),
    (Rule::Signature, "drawn with the rows that are signed"),
    (Rule::InstrumentSpec, "drawn with the limits of a trade"),
    (Rule::InstrumentLive, "drawn with what is settled"),
    (Rule::Frozen, "drawn with forced reductions"),
    (Rule::AuctionStart, "drawn with the whole auction"),
    (Rule::AuctionEnd, "drawn with the whole auction"),
    (Rule::AuctionPhase, "drawn with the whole auction"),
    (Rule::BidFraction, "drawn with the whole auction"),
    (Rule::BidPrice, "drawn with the whole auction"),
    (Rule::BidShare, "drawn with the whole auction"),
    (Rule::Custody, "drawn with whole batches"),
    (Rule::LeafCipher, "drawn with the statement"),
];

/// A row of the table. A list is empty where the cell says "none".
struct Row {
    rule: Rule,
    /// Page and anchor of the heading.
    heading: String,
    check: Vec<String>,
    enforce: Vec<String>,
    /// Why nothing enforces the rule.
    reason: Option<String>,
    cases: String,
    twins: Vec<String>,
    forgeries: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn listed(cell: &str) -> Vec<String> {
    if cell.starts_with("none") {
        return Vec::new();
    }
    cell.split(", ").map(|name| name.trim_matches('`').to_owned()).collect()
}

fn row(rule: Rule, line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [link, check, enforce, cases, twins, forgeries] = cells[..] else {
        panic!("six cells: {line}")
    };
    let name = rule.name();
    let heading = link.strip_prefix(&format!("[{name}](")).and_then(|link| link.strip_suffix(')'));
    Row {
        rule,
        heading: heading.unwrap_or_else(|| panic!("a link of {name}: {link}")).to_owned(),
        check: listed(check),
        enforce: listed(enforce),
        reason: enforce.strip_prefix("none: ").map(str::to_owned),
        cases: cases.trim_matches('`').to_owned(),
        twins: listed(twins),
        forgeries: listed(forgeries),
    }
}

/// The rows of the table, which lists every rule in order.
fn rows() -> Vec<Row> {
    let page = read(&root().join("docs/spec/README.md"));
    let (_, table) = page.split_once("\n## All rules\n").expect("the section of the table");
    let lines: Vec<&str> = table.lines().filter(|line| line.starts_with("| [")).collect();
    assert_eq!(lines.len(), Rule::ALL.len(), "a row for each rule");
    Rule::ALL.iter().copied().zip(lines).map(|(rule, line)| row(rule, line)).collect()
}

/// The room of a path below `src`, `docs/spec` or a folder of tests.
fn room(path: &str) -> &str {
    path.split(['/', '.']).next().expect("a path has a first part")
}

/// Files below `folder` that end with `ending`, by path without it.
fn files(folder: &Path, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(folder).expect("below").to_str().expect("a plain name");
            match name.strip_suffix(ending) {
                _ if path.is_dir() => folders.push(path),
                Some(name) => found.push((name.to_owned(), read(&path))),
                None => {}
            }
        }
    }
    found
}

fn names(text: &str, rule: Rule) -> bool {
    let word = format!("Rule::{}", rule.name());
    let is_whole = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric());
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n");
    code.match_indices(&word).any(|(at, _)| is_whole(&code[at + word.len()..]))
}

#[test]
fn every_rule_has_one_heading_in_the_room_of_its_check() {
    let pages = files(&root().join("docs/spec"), ".md");
    for Row { rule, heading, check, .. } in rows() {
        let name = rule.name();
        let is_heading =
            |line: &str| line.starts_with('#') && line.trim_start_matches('#').trim() == name;
        let with = pages.iter().filter(|(_, text)| text.lines().any(is_heading));
        let with: Vec<String> =
            with.map(|(page, _)| format!("{page}.md#{}", name.to_lowercase())).collect();
        assert_eq!(with, [heading.as_str()], "{name}");
        assert_eq!(room(&heading), room(&check[0]), "{name}");
    }
}

#[test]
fn check_and_constraints_have_one_path() {
    for Row { rule, check, enforce, .. } in rows() {
        let is_apart = APART.iter().any(|&(apart, _)| apart == rule);
        assert_eq!(enforce.first() != check.first(), is_apart, "{rule:?}: {check:?} {enforce:?}");
    }
}

#[test]
fn the_places_exist_and_none_of_a_circuit_is_left_out() {
    let circuits = files(&root().join("circuits/src"), ".rs");
    for Row { rule, check, enforce, reason, .. } in rows() {
        for name in check {
            assert!(root().join(format!("protocol/src/{name}.rs")).exists(), "{rule:?}: {name}");
        }
        let labelling = circuits.iter().filter(|(_, code)| names(code, rule));
        let labelling: Vec<&str> = labelling.map(|(name, _)| name.as_str()).collect();
        if let Some(reason) = reason {
            let (Attack::Elsewhere(why) | Attack::BeforeABatch(why)) = attack(rule) else {
                panic!("{rule:?} has constraints")
            };
            assert!(why.starts_with(&reason), "{rule:?}: {reason}");
        }
        for name in &enforce {
            assert!(circuits.iter().any(|(file, _)| file == name), "{rule:?}: {name}");
        }
        for name in labelling {
            assert!(enforce.iter().any(|file| file == name), "{rule:?}: {name} is not listed");
        }
    }
}

/// `AccountExists` as a file is named.
fn file_name(rule: Rule) -> String {
    let mut name = String::new();
    for letter in rule.name().chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

#[test]
fn cases_lie_in_the_room_of_the_check_under_the_name_of_the_rule() {
    for Row { rule, check, cases, .. } in rows() {
        assert_eq!(cases, format!("{}/{}", room(&check[0]), file_name(rule)));
        let file = root().join(format!("protocol/tests/rules/{cases}.rs"));
        assert!(read(&file).contains(&format!("RULE: Rule = Rule::{};", rule.name())), "{rule:?}");
    }
}

#[test]
fn a_twin_has_the_path_of_the_constraints() {
    for Row { rule, enforce, twins, .. } in rows() {
        for twin in &twins {
            assert!(root().join(format!("circuits/tests/twins/{twin}.rs")).exists(), "{twin}");
        }
        let drawn = DRAWN_WITH_OTHERS.iter().any(|&(drawn, _)| drawn == rule);
        assert_eq!(twins.is_empty(), enforce.is_empty(), "{rule:?}");
        // A whole batch is the twin of an identity.
        let is_twin = enforce.first().is_some_and(|file| {
            twins.contains(file) || file.starts_with("batch/argument/") && twins == ["batch"]
        });
        assert_eq!(!is_twin && !twins.is_empty(), drawn, "{rule:?}: {enforce:?} {twins:?}");
    }
}

#[test]
fn forgeries_lie_in_the_room_of_the_check() {
    let folder = root().join("fixtures/src/forge/forgery");
    for Row { rule, check, forgeries, .. } in rows() {
        let is_forged = !matches!(attack(rule), Attack::BeforeABatch(_));
        assert_eq!(!forgeries.is_empty(), is_forged, "{rule:?}");
        for file in forgeries {
            assert_eq!(room(&file), room(&check[0]), "{rule:?}");
            assert!(names(&read(&folder.join(format!("{file}.rs"))), rule), "{rule:?}: {file}");
        }
    }
}
