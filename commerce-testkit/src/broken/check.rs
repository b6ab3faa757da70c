//! Why a commit is refused.

use std::collections::{BTreeMap, BTreeSet};

use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::mark::{Handled, MAX_RESULT};
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::kernel::unique::{Key, UniqueKey};
use commerce_core::value::time::Timestamp;

use super::flaw::Break;
use super::state::State;

/// A class of refusals.
#[derive(Debug, Clone, Copy)]
enum Class {
    Mark,
    Lease,
    Fence,
    Version,
    Key,
    Pool,
}

impl State {
    /// The first refusal that applies.
    pub(super) fn check(&self, commit: &Commit, now: Timestamp) -> Result<(), CommitError> {
        self.check_form(commit)?;
        let mut order = [Class::Mark, Class::Lease, Class::Fence, Class::Version, Class::Key, Class::Pool];
        match self.flaw {
            Some(Break::MarkLast) => order.rotate_left(1),
            Some(Break::VersionBeforeLease) => order.swap(1, 3),
            Some(Break::VersionBeforeFence) => order.swap(2, 3),
            Some(Break::KeyBeforeVersion) => order.swap(3, 4),
            Some(Break::PoolBeforeKey) => order.swap(4, 5),
            _ => {}
        }
        for class in order {
            match class {
                Class::Mark => self.check_mark(commit)?,
                Class::Lease => self.check_lease(commit, now)?,
                Class::Fence => self.check_fence(commit, now)?,
                Class::Version => self.check_versions(commit)?,
                Class::Key => self.check_keys(commit)?,
                Class::Pool => self.check_pools(commit)?,
            }
        }
        Ok(())
    }

    fn check_form(&self, commit: &Commit) -> Result<(), CommitError> {
        let mut seen = BTreeSet::new();
        for append in &commit.append {
            if append.events.is_empty() && !self.has(Break::AcceptsEmptyAppends) {
                return Err(CommitError::Malformed("an append without events"));
            }
            if !seen.insert(&append.stream) && !self.has(Break::AcceptsAStreamTwice) {
                return Err(CommitError::Malformed("a stream twice"));
            }
            let last = append.expected.after(append.events.len());
            let fits = append.snapshot.as_ref().is_none_or(|snapshot| snapshot.version == last);
            if !fits && !self.has(Break::AcceptsAnySnapshot) {
                return Err(CommitError::Malformed("a snapshot of another version"));
            }
        }
        let large = commit.mark.as_ref().is_some_and(|mark| mark.result.len() > MAX_RESULT);
        if large && !self.has(Break::AcceptsLargeResults) {
            return Err(CommitError::Malformed("a large result"));
        }
        if self.has(Break::EraseOnlyOnce) && commit.erase.iter().any(|subject| self.erased.contains(subject))
        {
            return Err(CommitError::Malformed("erased before"));
        }
        Ok(())
    }

    fn check_mark(&self, commit: &Commit) -> Result<(), CommitError> {
        let Some(mark) = commit.mark.as_ref().filter(|_| !self.has(Break::IgnoresMarks)) else {
            return Ok(());
        };
        let Some(handled) = self.marks.get(&self.mark(&mark.key)) else { return Ok(()) };
        let agrees = match self.flaw {
            Some(Break::IgnoresFingerprints) => true,
            Some(Break::ComparesAllFingerprints) => handled.fingerprint == mark.fingerprint,
            _ => handled.fingerprint.agrees_with(mark.fingerprint),
        };
        if !agrees {
            return Err(CommitError::KeyReused(mark.key.clone()));
        }
        let result = match self.flaw {
            Some(Break::RepeatsGetTheirOwnResult) => mark.result.clone(),
            _ => handled.result.clone(),
        };
        Err(CommitError::AlreadyHandled(Handled { result, ..handled.clone() }))
    }

    fn check_lease(&self, commit: &Commit, now: Timestamp) -> Result<(), CommitError> {
        let Some((key, token)) = &commit.lease else { return Ok(()) };
        let held = match self.timers.get(&self.timer(key)) {
            None => self.has(Break::LeaseOutlivesItsTimer),
            Some(timer) => timer.lease.is_some_and(|(holder, until)| {
                (holder == *token || self.has(Break::IgnoresTokens))
                    && (until > now || self.has(Break::HonoursLeasesThatRanOut))
            }),
        };
        if held && !self.has(Break::RefusesEveryLease) {
            return Ok(());
        }
        Err(CommitError::LeaseLost(key.clone()))
    }

    fn check_fence(&self, commit: &Commit, now: Timestamp) -> Result<(), CommitError> {
        let Some(fence) = &commit.fence else { return Ok(()) };
        let held = match self.leases.get(&fence.name) {
            None => self.has(Break::HonoursUnknownFences),
            Some(held) => {
                let token = held.token == fence.token
                    || (fence.token < held.token && self.has(Break::HonoursEarlierFences));
                let lasts = held.until.is_some_and(|until| until > now);
                token && (lasts || self.has(Break::HonoursFencesThatAreOver))
            }
        };
        if held && !self.has(Break::RefusesEveryFence) {
            return Ok(());
        }
        Err(CommitError::Fenced(fence.name.clone()))
    }

    fn check_versions(&self, commit: &Commit) -> Result<(), CommitError> {
        if commit.lease.is_some() && self.has(Break::LeaseReplacesVersions) {
            return Ok(());
        }
        let appends = commit.append.iter().map(|append| (&append.stream, append.expected, true));
        let expects = commit.expect.iter().map(|expect| (&expect.stream, expect.version, false));
        let mut stale = appends
            .chain(expects)
            .filter(|(stream, expected, append)| self.is_stale(stream, expected.get(), *append));
        let named = match self.flaw {
            Some(Break::NamesFirstStale) => stale.next(),
            _ => stale.min_by_key(|(stream, ..)| *stream),
        };
        let Some((stream, expected, _)) = named else { return Ok(()) };
        let actual = Version::new(self.head(stream));
        Err(CommitError::Stale { stream: stream.clone(), expected, actual })
    }

    fn is_stale(&self, stream: &StreamId, expected: u64, append: bool) -> bool {
        let actual = self.head(stream);
        let passes = match self.flaw {
            Some(Break::AppendsBehindTheHead) => append && expected < actual,
            // A stream that stands twice runs ahead of itself.
            Some(Break::AppendsAheadOfTheHead | Break::AcceptsAStreamTwice) => append && expected > actual,
            Some(Break::IgnoresExpects) => !append,
            Some(Break::AbsentPassesExpects) => !append && actual == 0,
            _ => false,
        };
        expected != actual && !passes
    }

    fn check_keys(&self, commit: &Commit) -> Result<(), CommitError> {
        let mut net: BTreeMap<Key, Option<&StreamId>> = BTreeMap::new();
        for UniqueKey { key, owner, .. } in self.releases(commit) {
            match self.keys.get(&self.key(key)) {
                Some((present, _)) if present == owner || self.has(Break::AnyoneReleases) => {
                    net.insert(self.key(key), None);
                }
                None if self.has(Break::ReleaseOfFreeRefused) => {
                    return Err(CommitError::Malformed("a release of a free key"));
                }
                _ => {}
            }
        }
        if self.has(Break::ClaimsBeforeReleases) {
            net.clear();
        }
        let mut taken: Vec<(&Key, StreamId)> = Vec::new();
        for UniqueKey { key, owner, .. } in &commit.claim {
            let kept = self.key(key);
            let present =
                net.get(&kept).copied().unwrap_or_else(|| self.keys.get(&kept).map(|(owner, _)| owner));
            match present {
                Some(present) if present != owner || self.has(Break::OwnerCannotReclaim) => {
                    taken.push((key, present.clone()));
                }
                _ => {
                    net.insert(kept, Some(owner));
                }
            }
        }
        if self.has(Break::LastClaimWins) {
            return Ok(());
        }
        let named = match self.flaw {
            Some(Break::NamesFirstTaken) => taken.into_iter().next(),
            _ => taken.into_iter().min_by_key(|(key, _)| *key),
        };
        let Some((key, owner)) = named else { return Ok(()) };
        Err(CommitError::Taken { key: key.clone(), owner })
    }

    /// The releases of a commit that count.
    pub(super) fn releases<'c>(&self, commit: &'c Commit) -> impl Iterator<Item = &'c UniqueKey> + use<'c> {
        let count = match self.flaw {
            Some(Break::ReleasesNothing) => 0,
            Some(Break::OneReleaseCounts) => 1,
            _ => usize::MAX,
        };
        commit.release.iter().take(count)
    }
}
