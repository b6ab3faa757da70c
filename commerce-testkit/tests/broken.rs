//! The checks bite: every break is caught by its check, and every check catches some break.

use std::collections::BTreeSet;

use commerce_testkit::broken::{Break, fixture};
use commerce_testkit::conformance::{self, Check, Verdict, lease_checks, store_checks};
use pollster::block_on;

fn checks() -> Vec<Check> {
    store_checks().into_iter().chain(lease_checks()).collect()
}

fn fails(check: &Check, flaw: Break) -> bool {
    let verdict = block_on(conformance::run(check, &|| async { fixture(Some(flaw)) }));
    matches!(verdict, Verdict::Failed(_))
}

#[test]
fn without_a_break_everything_passes() {
    for report in [
        block_on(conformance::store(|| async { fixture(None) })),
        block_on(conformance::lease(|| async { fixture(None) })),
    ] {
        report.assert();
        assert_eq!(report.skipped(), [""; 0]);
    }
}

#[test]
fn every_break_is_caught_by_its_check() {
    let checks = checks();
    let missed: Vec<_> = Break::ALL
        .iter()
        .filter(|flaw| {
            let check = checks.iter().find(|check| check.name == flaw.caught_by());
            !fails(check.expect("the check of a break exists"), **flaw)
        })
        .collect();
    assert!(missed.is_empty(), "breaks that their check does not catch: {missed:?}");
}

#[test]
fn every_check_catches_a_break() {
    let caught: BTreeSet<&str> = Break::ALL.iter().map(|flaw| flaw.caught_by()).collect();
    let idle: Vec<_> =
        checks().into_iter().map(|check| check.name).filter(|name| !caught.contains(name)).collect();
    assert!(idle.is_empty(), "checks that no break is meant for: {idle:?}");
}

#[test]
fn names_are_unique() {
    let names: BTreeSet<&str> = checks().iter().map(|check| check.name).collect();
    assert_eq!(names.len(), checks().len());
}
