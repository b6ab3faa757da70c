//! Which module may know which: value ← kernel ← contexts ← checkout ← app; port sees value and kernel.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use commerce_tests::house::{packages, sources};

const INNER: [&str; 3] = ["value", "kernel", "port"];
/// The kernel builds events, whose ids come from a port that itself knows the kernel's neighbours only.
const EXCEPTIONS: [(&str, &str); 1] = [("kernel", "port::ids")];
/// Compiled for tests only.
const TEST_HELPERS: [&str; 2] = ["history", "permission_coverage"];

/// Whether code of one top-level module may name `path`, which starts with a top-level module.
fn allowed(from: &str, path: &str) -> bool {
    let to = path.split("::").next().unwrap_or_default();
    if from == to || EXCEPTIONS.iter().any(|(who, what)| *who == from && path.starts_with(what)) {
        return true;
    }
    match from {
        "value" => false,
        "kernel" => to == "value",
        "port" => matches!(to, "value" | "kernel"),
        "checkout" => to != "app",
        "app" => true,
        _context => INNER.contains(&to),
    }
}

/// The paths behind every occurrence of a prefix such as `crate::`, groups taken apart.
fn paths(code: &str, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (start, _) in code.match_indices(prefix) {
        let before = code[..start].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[start + prefix.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            found.extend(members(group));
        } else {
            found.push(path(rest));
        }
    }
    found
}

/// The path at the start of a text.
fn path(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect()
}

/// The paths of a group whose opening brace was read already.
fn members(group: &str) -> Vec<String> {
    let (mut depth, mut fresh, mut found) = (0, true, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && !c.is_whitespace() => {
                found.push(path(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    found
}

/// Arrows of a file of `commerce-core/src` that point the wrong way.
fn wrong_arrows(file: &str, code: &str, modules: &BTreeSet<String>) -> Vec<String> {
    let from = file.split(['/', '.']).next().unwrap_or_default();
    if matches!(file, "lib.rs" | "prelude.rs") || TEST_HELPERS.contains(&from) {
        return Vec::new();
    }
    let depth = file.matches('/').count() + usize::from(!file.ends_with("/mod.rs"));
    let mut named = paths(code, "crate::");
    named.extend(paths(code, "$crate::"));
    // From here or from a module inside the file, that many steps up are the crate.
    for steps in [depth, depth + 1] {
        named.extend(paths(code, &"super::".repeat(steps)));
    }
    named
        .into_iter()
        .filter(|path| modules.contains(path.split("::").next().unwrap_or_default()))
        .filter(|path| !allowed(from, path))
        .map(|path| format!("{file}: {path}"))
        .collect()
}

fn modules() -> BTreeSet<String> {
    let top = |source: commerce_tests::house::Source| {
        let inside = source.path.trim_start_matches("commerce-core/src/").to_owned();
        inside.split(['/', '.']).next().unwrap().to_owned()
    };
    let helpers = TEST_HELPERS.map(str::to_owned);
    let all = sources("commerce-core/src").into_iter().map(top);
    all.filter(|name| name != "lib" && !helpers.contains(name)).collect()
}

#[test]
fn arrows_point_inwards() {
    let modules = modules();
    assert!(INNER.iter().all(|inner| modules.contains(*inner)), "{modules:?}");
    let wrong: Vec<String> = sources("commerce-core/src")
        .iter()
        .flat_map(|source| {
            wrong_arrows(source.path.trim_start_matches("commerce-core/src/"), &source.code(), &modules)
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn adapters_know_no_context() {
    let mut wrong = Vec::new();
    for package in packages().iter().filter(|name| name.starts_with("commerce-adapters-")) {
        for source in sources(&format!("{package}/src")) {
            for path in paths(&source.code(), "commerce_core::") {
                let first = path.split("::").next().unwrap_or_default();
                if !INNER.contains(&first) {
                    wrong.push(format!("{}: {path}", source.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_check_finds_made_up_arrows() {
    let modules: BTreeSet<String> =
        ["value", "kernel", "port", "orders", "inventory", "pricing", "checkout", "app"]
            .map(str::to_owned)
            .into();
    let wrong = |file: &str, code: &str| wrong_arrows(file, code, &modules).len();
    assert_eq!(wrong("orders/state.rs", "use crate::inventory::Reservation;"), 1);
    assert_eq!(wrong("orders/state.rs", "use crate::{value::Money, inventory::{A, B}, app::X};"), 2);
    assert_eq!(wrong("orders/state.rs", "fn f(x: crate::pricing::Book) {}"), 1);
    assert_eq!(wrong("orders/state.rs", "use super::super::pricing::price;"), 1);
    assert_eq!(wrong("orders/mod.rs", "use super::pricing::price;"), 1);
    assert_eq!(wrong("orders/deep/state.rs", "use super::super::super::pricing::price;"), 1);
    assert_eq!(wrong("orders/state.rs", "mod tests { use super::super::super::pricing::price; }"), 1);
    assert_eq!(wrong("kernel/batch.rs", "use crate::port::ids::Ids; use crate::port::store::Store;"), 1);
    assert_eq!(wrong("kernel/batch.rs", "use crate::orders::Order;"), 1);
    assert_eq!(wrong("value/money.rs", "use crate::kernel::pool::PoolKey;"), 1);
    assert_eq!(wrong("port/store.rs", "use crate::orders::Order; use crate::kernel::commit::Commit;"), 1);
    assert_eq!(wrong("checkout/steps.rs", "use crate::app::X; use crate::orders::Order;"), 1);
    assert_eq!(wrong("app/execute.rs", "use crate::checkout::A; use crate::orders::Order;"), 0);
    let fine = "use crate::port::payment::A; use crate::{kernel::B, event_types}; use super::event::C;";
    assert_eq!(wrong("orders/state.rs", fine), 0);
    assert_eq!(paths("use commerce_core::orders::Order;", "commerce_core::"), ["orders::Order"]);
}
