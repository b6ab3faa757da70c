//! The checks of views bite: every break is caught by its check, and every check catches some break.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::sync::Arc;

use commerce_adapters_memory::MemoryViews;
use commerce_core::port::view::ViewStore;
use commerce_testkit::broken::{BrokenViews, ViewBreak};
use commerce_testkit::conformance::{Verdict, port, run_port, view_checks};
use pollster::block_on;

fn views(flaw: Option<ViewBreak>) -> Arc<dyn ViewStore> {
    Arc::new(BrokenViews::before(Arc::new(MemoryViews::new()), flaw))
}

#[test]
fn without_a_break_everything_passes() {
    block_on(port(view_checks(), || async { views(None) })).assert();
}

#[test]
fn every_break_is_caught_by_its_check() {
    let checks = view_checks();
    let caught = |flaw: ViewBreak| {
        let check = checks.iter().find(|check| check.name == flaw.caught_by());
        let check = check.expect("the check of a break exists");
        let verdict = block_on(run_port(check, &|| async move { views(Some(flaw)) }));
        matches!(verdict, Verdict::Failed(_))
    };
    let missed: Vec<_> = ViewBreak::ALL.iter().filter(|flaw| !caught(**flaw)).collect();
    assert!(missed.is_empty(), "breaks that their check does not catch: {missed:?}");
}

#[test]
fn every_check_catches_a_break() {
    let caught: BTreeSet<&str> = ViewBreak::ALL.iter().map(|flaw| flaw.caught_by()).collect();
    let idle: Vec<_> =
        view_checks().into_iter().map(|check| check.name).filter(|name| !caught.contains(name)).collect();
    assert!(idle.is_empty(), "checks that no break is meant for: {idle:?}");
}
