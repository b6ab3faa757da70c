//! What the crates pull in, asked of cargo itself.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::process::Command;

use commerce_tests::house::root;

/// The most crates of `commerce-core`'s tree, itself included.
const MOST: usize = 25;
/// How many more those may be that its features `tracing` and `metrics` bring.
const OBSERVERS: usize = 5;
/// What `commerce-core` must not depend on: runtimes, clients, frameworks, secrets, anything with C.
const FORBIDDEN: [&str; 33] = [
    "tokio",
    "async-std",
    "smol",
    "futures-executor",
    "sqlx",
    "sqlx-core",
    "redis",
    "reqwest",
    "hyper",
    "lapin",
    "rdkafka",
    "rskafka",
    "axum",
    "tower",
    "tracing-subscriber",
    "opentelemetry",
    "argon2",
    "jsonwebtoken",
    "ring",
    "regex",
    "rand",
    "lazy_static",
    "once_cell",
    "anyhow",
    "dashmap",
    "parking_lot",
    "icu",
    "openssl",
    "native-tls",
    "rustls",
    "diesel",
    "tonic",
    "getrandom",
];

/// The names of the crates in a tree, without the `(*)` of repeats.
fn tree(arguments: &[&str]) -> BTreeSet<String> {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let output = Command::new(cargo)
        .current_dir(root())
        .args(["tree", "--offline", "--locked", "--prefix", "none", "-e", "normal"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

fn name(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

#[test]
fn core_is_small_and_pure() {
    small_and_pure(&tree(&["-p", "commerce-core"]), MOST);
}

#[test]
fn core_is_small_and_pure_where_it_is_watched() {
    let tree = tree(&["-p", "commerce-core", "--features", "tracing,metrics"]);
    small_and_pure(&tree, MOST + OBSERVERS);
    assert!(
        tree.iter().any(|line| name(line) == "tracing") && tree.iter().any(|line| name(line) == "metrics")
    );
}

fn small_and_pure(tree: &BTreeSet<String>, most: usize) {
    assert!(tree.len() <= most, "{} crates: {tree:#?}", tree.len());
    let wrong: Vec<&String> = tree
        .iter()
        .filter(|line| {
            FORBIDDEN.contains(&name(line)) || name(line).ends_with("-sys") || name(line).starts_with("icu")
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn default_members_need_no_services() {
    let wrong: Vec<String> = tree(&[])
        .into_iter()
        .filter(|line| ["redis", "tokio-postgres"].contains(&name(line)) || name(line).starts_with("sqlx"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
