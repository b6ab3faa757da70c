//! Parts of commits: what a broken store leaves of a refused one, or applies one by one.

use commerce_core::kernel::commit::{Append, Commit};

use super::flaw::Break;
use super::state::State;

impl State {
    /// What a refusal leaves where it should leave nothing.
    pub(super) fn leave(&mut self, commit: Commit) {
        let left = match self.flaw {
            Some(Break::LeavesEvents) => Commit { append: events(commit.append), ..Commit::default() },
            Some(Break::LeavesKeys) => {
                Commit { claim: commit.claim, release: commit.release, ..Commit::default() }
            }
            Some(Break::LeavesPools) => Commit { moves: commit.moves, ..Commit::default() },
            Some(Break::LeavesTimers) => Commit { timers: commit.timers, ..Commit::default() },
            Some(Break::LeavesMark | Break::RemembersRefusals) => {
                Commit { mark: commit.mark, ..Commit::default() }
            }
            Some(Break::LeavesErasure) => Commit { erase: commit.erase, ..Commit::default() },
            Some(Break::LeavesSnapshots) => {
                let snapshots =
                    commit.append.into_iter().filter_map(|append| Some((append.stream, append.snapshot?)));
                self.snapshots.extend(snapshots);
                return;
            }
            _ => return,
        };
        self.apply(left, self.last);
    }
}

/// Appends that have events, without their snapshots.
fn events(appends: Vec<Append>) -> Vec<Append> {
    let with_events = appends.into_iter().filter(|append| !append.events.is_empty());
    with_events.map(|append| Append { snapshot: None, ..append }).collect()
}

/// A commit in parts: one per append, then the rest.
pub(super) fn parts(mut commit: Commit) -> Vec<Commit> {
    let appends = std::mem::take(&mut commit.append);
    let single = |append| Commit { append: vec![append], ..Commit::default() };
    appends.into_iter().map(single).chain([commit]).collect()
}

/// The part of a commit whose check a broken store makes too early; the rest is checked in time.
pub(super) fn early(flaw: Option<Break>, commit: &Commit) -> Commit {
    let mut rest = commit.clone();
    match flaw {
        Some(Break::KeysOutsideTheLock) => rest.claim.clear(),
        Some(Break::PoolsOutsideTheLock) => rest.moves.clear(),
        Some(Break::VersionsOutsideTheLock) => rest.append.clear(),
        Some(Break::MarksOutsideTheLock) => {
            // A repeat is stale as well; only without the version the mark alone decides.
            rest.mark = None;
            rest.append.clear();
        }
        Some(Break::ExpectsOutsideTheLock) => rest.expect.clear(),
        _ => {}
    }
    rest
}
