//! The floor plan of `protocol` and `circuits`: what stands in a room looks only at rooms before
//! it, and no two files look at each other, by themselves or in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The rooms of both crates, from the ground up.
const ROOMS: [&str; 11] = [
    "cs",
    "gadgets",
    "value",
    "crypto",
    "pricing",
    "market",
    "account",
    "operation",
    "ledger",
    "batch",
    "catalogue",
];

/// Each file, by its path within the crate, with what it looks at.
type Plan = BTreeMap<String, BTreeSet<String>>;

/// Sources below `folder` by path, without comments and unit tests.
fn sources(folder: &Path, prefix: &str, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a plain name");
        if path.is_dir() {
            sources(&path, &format!("{prefix}{stem}::"), found);
            continue;
        }
        let name = match stem {
            "mod" => prefix.trim_end_matches("::").to_owned(),
            stem => format!("{prefix}{stem}"),
        };
        let text = std::fs::read_to_string(&path).expect("a source");
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        found.insert(name, code.collect::<Vec<_>>().join("\n"));
    }
}

fn plan(crate_name: &str) -> Plan {
    let mut texts = BTreeMap::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(crate_name).join("src");
    sources(&root, "", &mut texts);
    texts.remove("lib");
    let file_of = |path: &str| -> Option<String> {
        let ends = path.match_indices("::").map(|(end, _)| end).chain([path.len()]);
        let known = ends.map(|end| &path[..end]).filter(|path| texts.contains_key(*path));
        known.last().map(str::to_owned)
    };
    let looks_at = |(name, text): (&String, &String)| {
        let paths = paths(name, text);
        let files = paths.iter().filter_map(|path| file_of(path)).filter(|file| file != name);
        (name.clone(), files.collect())
    };
    texts.iter().map(looks_at).collect()
}

/// The paths within the crate that the text of file `name` writes, from the crate's root.
fn paths(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices("crate::") {
        expand("", &text[start + "crate::".len()..], &mut found);
    }
    let parent = name.rsplit_once("::").map_or("", |(parent, _)| parent);
    for (start, _) in text.match_indices("super::") {
        expand(parent, &text[start + "super::".len()..], &mut found);
    }
    found
}

/// Adds the paths that `rest` begins with, all those of a group in braces; returns what follows.
fn expand<'a>(prefix: &str, rest: &'a str, found: &mut Vec<String>) -> &'a str {
    let is_end = |c: char| !(c.is_alphanumeric() || c == '_' || c == ':');
    let (path, mut rest) = rest.split_at(rest.find(is_end).unwrap_or(rest.len()));
    let path = format!("{prefix}::{path}");
    let path = path.trim_matches(':');
    let Some(group) = rest.strip_prefix('{') else {
        found.push(path.to_owned());
        return rest;
    };
    rest = group.trim_start();
    while !rest.starts_with('}') {
        rest = expand(path, rest, found).trim_start().trim_start_matches(',').trim_start();
    }
    &rest[1..]
}

fn floor(file: &str) -> usize {
    let floor = ROOMS.iter().position(|room| file.split("::").next() == Some(room));
    floor.unwrap_or_else(|| panic!("{file} stands in no room"))
}

/// The files that can be put in an order in which each looks at earlier ones only.
fn ordered(plan: &Plan) -> BTreeSet<&String> {
    let mut done = BTreeSet::new();
    loop {
        let is_next = |(file, seen): &(&String, &BTreeSet<String>)| {
            !done.contains(*file) && seen.iter().all(|file| done.contains(file))
        };
        let next: Vec<_> = plan.iter().filter(is_next).map(|(file, _)| file).collect();
        if next.is_empty() {
            return done;
        }
        done.extend(next);
    }
}

#[test]
fn no_room_looks_up_and_no_files_look_in_a_circle() {
    for crate_name in ["protocol", "circuits"] {
        let plan = plan(crate_name);
        let all: Vec<_> = plan
            .iter()
            .flat_map(|(file, seen)| seen.iter().map(move |other| (file, other)))
            .collect();
        assert!(all.len() > 100, "{crate_name}: imports are found");
        let rooms: BTreeSet<_> = plan.keys().map(|file| floor(file)).collect();
        let (files, arrows) = (plan.len(), all.len());
        println!("{crate_name}: {files} files, {arrows} arrows, {} rooms", rooms.len());
        let upward: Vec<_> =
            all.iter().filter(|(file, other)| floor(file) < floor(other)).collect();
        println!("{crate_name}: {} arrows upward", upward.len());
        assert_eq!(upward, Vec::<&(&String, &String)>::new(), "{crate_name}: looks up");
        let in_order = ordered(&plan);
        let circles: Vec<_> = plan.keys().filter(|file| !in_order.contains(file)).collect();
        println!("{crate_name}: {} files in a circle, or looking at one", circles.len());
        assert_eq!(circles, Vec::<&String>::new(), "{crate_name}: in a circle, or looking at one");
    }
}

#[test]
fn finds_a_circle_and_who_looks_at_it() {
    let files = [("a", "b"), ("b", "c"), ("c", "b"), ("d", "e")]
        .map(|(file, other)| (file.to_owned(), BTreeSet::from([other.to_owned()])));
    let mut plan = Plan::from(files);
    plan.insert("e".to_owned(), BTreeSet::new());
    assert_eq!(ordered(&plan).into_iter().collect::<Vec<_>>(), ["d", "e"]);
}

#[test]
fn finds_every_path_of_a_group() {
    let text = "use crate::{Cs, a::{self, b}};\nuse super::c::D;\nlet e = crate::f::g(1);";
    let found = ["Cs", "a::self", "a::b", "f::g", "room::c::D"];
    assert_eq!(paths("room::file", text), found);
}
