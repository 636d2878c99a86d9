//! References to pages: a link in a page leads to a file, and to a heading where it names one; so
//! does every `docs/….md#heading` in pages and sources.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Folders of what is built, or not ours.
const SKIPPED: [&str; 3] = ["target", "node_modules", "shared"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The texts of the repository by path from its root.
fn texts() -> BTreeMap<PathBuf, String> {
    let mut texts = BTreeMap::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            if name.starts_with('.') || SKIPPED.contains(&name.as_ref()) {
                continue;
            }
            let ending = path.extension().and_then(|ending| ending.to_str());
            if path.is_dir() {
                folders.push(path);
            } else if matches!(ending, Some("md" | "rs" | "sol" | "py")) {
                let text = std::fs::read_to_string(&path).expect("a text");
                let name = path.strip_prefix(root()).expect("below the root").to_owned();
                texts.insert(name, text);
            }
        }
    }
    texts
}

/// The name by which a heading is linked to.
fn anchor(heading: &str) -> String {
    let kept = |letter: char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    let words: String = heading.trim().to_lowercase().chars().filter(|&c| kept(c)).collect();
    words.replace(' ', "-")
}

fn has_heading(page: &str, wanted: &str) -> bool {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#'))).any(|found| found == wanted)
}

/// `target`, seen from `folder`, without `..`.
fn resolved(folder: &Path, target: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in folder.join(target).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path
}

/// Targets of Markdown links, without those of the web and of indented examples.
fn links(page: &str) -> Vec<&str> {
    let lines = page.lines().filter(|line| !line.starts_with("    "));
    let targets = lines.flat_map(|line| line.split("](").skip(1));
    let targets = targets.filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://")).collect()
}

/// What is written as `docs/….md`, with its heading.
fn references(text: &str) -> Vec<&str> {
    let ends = |c: char| !(c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '#'));
    let starts = text.match_indices("docs/").map(|(at, _)| &text[at..]);
    let words = starts.map(|rest| rest.split(ends).next().expect("a first part"));
    words.map(|word| word.trim_end_matches('.')).filter(|word| word.contains(".md")).collect()
}

/// What is wrong with a reference, if anything.
fn fault(texts: &BTreeMap<PathBuf, String>, folder: &Path, target: &str) -> Option<String> {
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let path = resolved(folder, file);
    if !root().join(&path).exists() {
        return Some(format!("no file {}", path.display()));
    }
    let page = texts.get(&path).map_or("", String::as_str);
    let is_missing = !heading.is_empty() && !has_heading(page, &heading.to_lowercase());
    is_missing.then(|| format!("no heading {heading} in {}", path.display()))
}

#[test]
fn every_reference_to_a_page_resolves() {
    let texts = texts();
    let mut found = Vec::new();
    let mut count = 0;
    for (path, text) in &texts {
        let folder = path.parent().expect("a file has a folder");
        let is_page = path.extension().is_some_and(|ending| ending == "md");
        let links = if is_page { links(text) } else { Vec::new() };
        let linked = links.into_iter().map(|link| match link.strip_prefix('#') {
            Some(_) => (folder, format!("{}{link}", path.file_name().expect("a name").display())),
            None => (folder, link.to_owned()),
        });
        let referred = references(text).into_iter().map(|name| (Path::new(""), name.to_owned()));
        for (folder, target) in linked.chain(referred) {
            count += 1;
            let fault = fault(&texts, folder, &target);
            found.extend(fault.map(|fault| format!("{}: {fault}", path.display())));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(count > 200, "{count} references: the reader of pages reads nothing");
}

#[test]
fn a_reference_to_nothing_is_found() {
    let page = "# A page\n\n## The `first` part, twice\n";
    assert!(has_heading(page, "the-first-part-twice"));
    assert!(!has_heading(page, "the-first-part"));
    assert_eq!(links("[a](b.md#c) and [d](https://e)"), ["b.md#c"]);
    let words = "see `docs/README.md#The-pages`, docs/spec/README.md.";
    assert_eq!(references(words), ["docs/README.md#The-pages", "docs/spec/README.md"]);
    assert_eq!(resolved(Path::new("docs/spec"), "../README.md"), Path::new("docs/README.md"));
    assert!(fault(&BTreeMap::new(), Path::new("docs"), "nowhere.md").is_some());
    assert!(fault(&BTreeMap::new(), Path::new(""), "README.md#nowhere").is_some());
}
