//! The tables: what stands against a commit, and what it does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use commerce_core::kernel::pool::{PoolKey, PoolLevel, apply_moves};
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::kernel::timer::{LeaseToken, TimerKey, TimerWrite};
use commerce_core::kernel::unique::{Key, UniqueKey};
use commerce_core::kernel::{commit::Commit, commit::Snapshot, error::CommitError, event::RecordedEvent};
use commerce_core::kernel::{mark::Handled, mark::MarkKey};
use commerce_core::value::{id::SubjectId, time::Timestamp};

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) log: Vec<Arc<RecordedEvent>>,
    pub(crate) streams: BTreeMap<StreamId, Vec<Arc<RecordedEvent>>>,
    pub(crate) keys: BTreeMap<Key, UniqueKey>,
    pub(crate) pools: BTreeMap<PoolKey, PoolLevel>,
    pub(crate) timers: BTreeMap<TimerKey, (Timestamp, Arc<[u8]>)>,
    pub(crate) marks: BTreeMap<MarkKey, Handled>,
    pub(crate) erased: BTreeSet<SubjectId>,
    /// Never in the journal: they save the folding of events that are in memory as well.
    pub(crate) snapshots: BTreeMap<StreamId, Snapshot>,
    /// Never in the journal: leases end with the process, as those do who hold them.
    pub(crate) leases: BTreeMap<TimerKey, (LeaseToken, Timestamp)>,
    /// Tells one lease from the next.
    pub(crate) tokens: u128,
}

impl State {
    pub(crate) fn version(&self, stream: &StreamId) -> Version {
        Version::NONE.after(self.streams.get(stream).map_or(0, Vec::len))
    }

    pub(crate) fn owner(&self, key: &Key) -> Option<&StreamId> {
        self.keys.get(key).map(|held| &held.owner)
    }

    /// What stands against a commit, the earliest in the order of the contract.
    pub(crate) fn check(&self, commit: &Commit, now: Timestamp) -> Result<(), CommitError> {
        commit.well_formed()?;
        commit.mark.as_ref().map_or(Ok(()), |mark| mark.check(self.marks.get(&mark.key)))?;
        if let Some((timer, token)) = &commit.lease
            && !self.leases.get(timer).is_some_and(|(holder, until)| holder == token && *until > now)
        {
            return Err(CommitError::LeaseLost(timer.clone()));
        }
        if let Some(fence) = &commit.fence {
            return Err(CommitError::Fenced(fence.name.clone())); // nobody grants named leases here
        }
        let appends = commit.append.iter().map(|append| (&append.stream, append.expected));
        let asserted = appends.chain(commit.expect.iter().map(|expect| (&expect.stream, expect.version)));
        let stale = asserted.filter(|(stream, expected)| self.version(stream) != *expected);
        if let Some((stream, expected)) = stale.min_by_key(|(stream, _)| *stream) {
            let (stream, actual) = (stream.clone(), self.version(stream));
            return Err(CommitError::Stale { stream, expected, actual });
        }
        let given_up = commit.release.iter().filter(|given| self.owner(&given.key) == Some(&given.owner));
        let mut owners: BTreeMap<_, _> = given_up.map(|given| (&given.key, None)).collect();
        let mut taken = BTreeMap::new();
        for claim in &commit.claim {
            let present = owners.entry(&claim.key).or_insert_with(|| self.owner(&claim.key));
            let owner = *present.get_or_insert(&claim.owner);
            if *owner != claim.owner {
                taken.insert(&claim.key, owner);
            }
        }
        if let Some((key, owner)) = taken.into_iter().next() {
            return Err(CommitError::Taken { key: key.clone(), owner: owner.clone() });
        }
        self.levels(commit).map(drop)
    }

    fn levels(&self, commit: &Commit) -> Result<Vec<(PoolKey, PoolLevel)>, CommitError> {
        apply_moves(&commit.moves, |pool| self.pools.get(pool).copied().unwrap_or_default())
    }

    /// Does what a checked commit says.
    pub(crate) fn apply(&mut self, commit: Commit) {
        self.pools.extend(self.levels(&commit).unwrap_or_default());
        for given in commit.release {
            if self.owner(&given.key) == Some(&given.owner) {
                self.keys.remove(&given.key);
            }
        }
        self.keys.extend(commit.claim.into_iter().map(|claim| (claim.key.clone(), claim)));
        for append in commit.append {
            let events = self.streams.entry(append.stream.clone()).or_default();
            for event in append.events {
                let position = Position::from_parts(0, self.log.len() as u64 + 1);
                let (stream, version) = (append.stream.clone(), Version::NONE.after(events.len() + 1));
                events.push(Arc::new(RecordedEvent { position, stream, version, event }));
                self.log.extend(events.last().cloned());
            }
        }
        for write in commit.timers {
            match write {
                TimerWrite::Set { key, due, payload } => drop(self.timers.insert(key, (due, payload))),
                TimerWrite::Cancel { key } => drop(self.timers.remove(&key)),
            }
        }
        self.erased.extend(commit.erase);
        let position = Position::from_parts(0, self.log.len() as u64);
        if let Some(mark) = commit.mark {
            let handled = Handled { fingerprint: mark.fingerprint, result: mark.result, position };
            self.marks.insert(mark.key, handled);
        }
    }

    /// Whether a stream has values of somebody who was erased.
    pub(crate) fn lost_values(&self, stream: &StreamId) -> bool {
        let events = self.streams.get(stream).into_iter().flatten();
        events.flat_map(|event| &event.event.personal).any(|value| value.value.is_none())
    }
}

/// Takes out of a commit what belongs to these people.
pub(crate) fn without(mut commit: Commit, gone: &BTreeSet<SubjectId>) -> Commit {
    let events = commit.append.iter_mut().flat_map(|append| &mut append.events);
    for value in events.flat_map(|event| &mut event.personal) {
        value.value = value.value.take().filter(|_| !gone.contains(&value.subject));
    }
    for claim in std::mem::take(&mut commit.claim) {
        commit.claim.retain(|earlier| earlier.key != claim.key);
        let theirs = claim.subject.is_some_and(|subject| gone.contains(&subject));
        if theirs { commit.release.push(claim) } else { commit.claim.push(claim) }
    }
    commit
}
