//! What no source file may be or hold.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;

use commerce_tests::house::{Source, packages, root, sources};

/// Nowhere in what `commerce-core` ships.
const FORBIDDEN: [&str; 14] = [
    "f32",
    "f64",
    "Utc::now",
    "SystemTime::now",
    "Instant::now",
    "Uuid::now_v7",
    "tokio",
    "sqlx",
    "redis::",
    "anyhow",
    "todo!",
    "unimplemented!",
    "dbg!",
    "println!",
];
/// Nowhere outside of tests.
const PANICS: [&str; 4] = [".unwrap()", ".expect(\"", "panic!(", "unreachable!("];
/// In no file, comments included.
const NOTES: [&str; 3] = ["TODO", "FIXME", "HACK"];

fn all_sources() -> Vec<Source> {
    packages().iter().flat_map(|package| sources(&format!("{package}/src"))).collect()
}

/// Occurrences of any of the texts as words of their own, by line.
fn occurrences(path: &str, text: &str, words: &[&str]) -> Vec<String> {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut found = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        for what in words {
            let stands_alone = line.match_indices(what).any(|(at, _)| {
                let starts = what.starts_with(|c: char| c.is_alphanumeric());
                let ends = what.ends_with(|c: char| c.is_alphanumeric());
                let before = word(line[..at].chars().next_back());
                let after = word(line[at + what.len()..].chars().next());
                !(starts && before || ends && after)
            });
            if stands_alone {
                found.push(format!("{path}:{number}: {what}: {}", line.trim()));
            }
        }
    }
    found
}

#[test]
fn files_are_short() {
    let mut lengths: Vec<(usize, String)> =
        all_sources().iter().map(|source| (source.text.lines().count(), source.path.clone())).collect();
    lengths.sort();
    let (longest, path) = lengths.last().unwrap();
    assert!(*longest <= 500, "{path} has {longest} lines");
    let median = lengths[lengths.len() / 2].0;
    assert!(median <= 150, "the median of {} files is {median} lines", lengths.len());
}

#[test]
fn core_holds_nothing_forbidden() {
    let found: Vec<String> = sources("commerce-core/src")
        .iter()
        .flat_map(|source| {
            let code = source.shipped();
            // Reading any JSON offers every type of serde's data model to a macro of serde's own.
            let serde = |line: &&str| !line.contains("bool i8 i16 i32 i64");
            let code = code.lines().map(|line| if serde(&line) { line } else { "" });
            let code = code.collect::<Vec<_>>().join("\n");
            let mut found = occurrences(&source.path, &code, &FORBIDDEN);
            found.extend(occurrences(&source.path, &code, &PANICS));
            found
        })
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn nothing_is_left_to_do() {
    let found: Vec<String> =
        all_sources().iter().flat_map(|source| occurrences(&source.path, &source.text, &NOTES)).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn unsafe_code_is_forbidden_everywhere() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("[workspace.lints.rust]\nunsafe_code = \"forbid\""));
    let mut members = packages();
    members.extend(
        ["examples", "examples/custom_store_conformance", "tests", "tests/servers", "benches"]
            .map(str::to_owned),
    );
    for member in members {
        let manifest = fs::read_to_string(root().join(&member).join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{member} has lints of its own");
    }
}

#[test]
fn the_check_finds_made_up_sins() {
    let sins = "let x: f64 = y.unwrap();\nlet now = Utc::now();\nuse tokio::spawn;";
    assert_eq!(occurrences("a.rs", sins, &FORBIDDEN).len(), 3);
    assert_eq!(occurrences("a.rs", sins, &PANICS).len(), 1);
    assert_eq!(occurrences("a.rs", "// TODO: later", &NOTES).len(), 1);
    assert_eq!(occurrences("a.rs", "unwrap_or(0); tokio_like; a_f64", &FORBIDDEN).len(), 0);
    let text = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n  fn b() { c.unwrap() }\n}\n".to_owned();
    let source = Source { path: "commerce-core/src/a.rs".to_owned(), text };
    assert!(occurrences(&source.path, &source.shipped(), &PANICS).is_empty());
}
