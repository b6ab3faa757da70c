//! Bugs of a store that break a clause of its contract, of the kinds that shops hardly ever meet.

use commerce_testkit::broken::{Break, fixture};
use commerce_testkit::conformance::{Verdict, run, store_checks};
use pollster::block_on;

use super::Seeded;

/// The check that is meant for the break fails.
fn fails(flaw: Break) -> Result<String, String> {
    let name = flaw.caught_by();
    let check = store_checks().into_iter().find(|check| check.name == name);
    let check = check.ok_or_else(|| format!("there is no check {name}"))?;
    match block_on(run(&check, &|| async move { fixture(Some(flaw)) })) {
        Verdict::Failed(_) => Ok(format!("conformance, {name}")),
        passed => Err(format!("{name}: {passed:?}")),
    }
}

macro_rules! breaks {
    ($($name:ident: $flaw:ident,)+) => {
        vec![$(Seeded { name: stringify!($name), hunt: Box::new(|| fails(Break::$flaw)) },)+]
    };
}

pub(crate) fn bugs() -> Vec<Seeded> {
    breaks! {
        a_snapshot_that_loses_an_event: LoadSkipsAnEvent,
        a_snapshot_of_another_schema_that_is_used: IgnoresSnapshotSchema,
        a_page_of_the_log_that_is_out_of_order: LogRunsBackwards,
        a_cursor_that_skips: SlicesLoseEvents,
        a_cursor_that_reads_twice: PagesOverlap,
        an_event_that_shows_behind_its_reader: PositionsBeforeEvents,
        an_erasure_that_keeps_values: EraseKeepsValues,
        an_erasure_that_forgets_later_values: EraseForgetsLater,
        a_lease_that_is_ignored: IgnoresTokens,
        a_lease_that_never_ends: TimerLeaseNeverEnds,
        a_fingerprint_that_is_ignored: IgnoresFingerprints,
        an_expected_version_that_is_ignored: IgnoresExpects,
        a_pool_outside_the_lock: PoolsOutsideTheLock,
    }
}
