//! The table of all rules in `docs/spec/operations.md` against `enum Rule`, the pages' headings,
//! the sources and the forgeries.

use std::path::{Path, PathBuf};

use zkmargin_fixtures::synthetic::{Attack, attack};
use zkmargin_protocol::Rule;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cells of each row: rule, pages, native files, circuit files, forged.
fn rows() -> Vec<[String; 5]> {
    let page = read(&root().join("docs/spec/operations.md"));
    let (_, table) = page.split_once("\n## All rules\n").expect("the section of the table");
    let lines = table.lines().filter(|line| line.starts_with("| `"));
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    lines.map(|line| cells(line).try_into().expect("five cells")).collect()
}

fn listed(cell: &str) -> Vec<&str> {
    cell.split(", ").map(|name| name.trim_matches('`')).collect()
}

/// Sources below `folder` without their comments, by path without ending.
fn sources(folder: &Path, prefix: &str, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a plain name");
        let name = format!("{prefix}{stem}");
        if path.is_dir() {
            sources(&path, &format!("{name}/"), found);
        } else {
            let text = read(&path);
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            found.push((name, code.collect::<Vec<_>>().join("\n")));
        }
    }
}

fn names(code: &str, rule: Rule) -> bool {
    let word = format!("Rule::{}", rule.name());
    let is_whole = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric());
    code.match_indices(&word).any(|(at, _)| is_whole(&code[at + word.len()..]))
}

#[test]
fn the_table_lists_every_rule_in_order() {
    let listed: Vec<String> = rows().iter().map(|[rule, ..]| rule.replace('`', "")).collect();
    let names: Vec<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(listed, names);
}

#[test]
fn every_rule_has_a_heading_on_each_of_its_pages() {
    for [rule, pages, ..] in rows() {
        let rule = rule.trim_matches('`');
        for page in pages.split(", ") {
            let page = if page == "here" { "operations" } else { page };
            let text = read(&root().join(format!("docs/spec/{page}.md")));
            let is_heading =
                |line: &str| line.starts_with("##") && line.trim_start_matches('#').trim() == rule;
            assert!(text.lines().any(is_heading), "{page}.md has no heading {rule}");
        }
    }
}

#[test]
fn the_places_exist_and_none_of_a_circuit_is_left_out() {
    let mut circuits = Vec::new();
    sources(&root().join("circuits/src"), "", &mut circuits);
    for (&rule, [_, _, native, circuit, _]) in Rule::ALL.iter().zip(rows()) {
        for name in listed(&native) {
            assert!(root().join(format!("protocol/src/{name}.rs")).exists(), "{rule:?}: {name}");
        }
        let labelling = circuits.iter().filter(|(_, code)| names(code, rule));
        let labelling: Vec<&str> = labelling.map(|(name, _)| name.as_str()).collect();
        if let Some(reason) = circuit.strip_prefix("none: ") {
            let (Attack::Elsewhere(why) | Attack::BeforeABatch(why)) = attack(rule) else {
                panic!("{rule:?} has constraints")
            };
            assert!(why.starts_with(reason), "{rule:?}: {reason}");
            assert!(labelling.is_empty(), "{rule:?}: {labelling:?}");
            continue;
        }
        let listed = listed(&circuit);
        for name in &listed {
            assert!(circuits.iter().any(|(file, _)| file == name), "{rule:?}: {name}");
        }
        for name in labelling {
            assert!(listed.contains(&name), "{rule:?}: {name} is not listed");
        }
    }
}

#[test]
fn the_table_says_who_notices_a_forged_batch() {
    for (&rule, [.., forged]) in Rule::ALL.iter().zip(rows()) {
        let said = match attack(rule) {
            Attack::Constraint => "yes",
            Attack::Elsewhere(_) => "yes, other rules refuse",
            Attack::BeforeABatch(_) => "no",
        };
        assert_eq!(forged, said, "{rule:?}");
    }
}
