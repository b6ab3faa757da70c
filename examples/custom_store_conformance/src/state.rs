//! The tables: what stands against a commit, and what it does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use commerce_core::port::prelude::*;

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
    pub(crate) fn of(commits: Vec<Commit>) -> Self {
        commits.into_iter().fold(Self::default(), |mut state, commit| {
            state.apply(commit);
            state
        })
    }

    pub(crate) fn version(&self, stream: &StreamId) -> Version {
        Version::NONE.after(self.streams.get(stream).map_or(0, Vec::len))
    }

    /// The log's end.
    pub(crate) fn end(&self) -> Position {
        Position::from_parts(0, self.log.len() as u64)
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
        // Nobody grants named leases here.
        commit.fence.as_ref().map_or(Ok(()), |fence| Err(CommitError::Fenced(fence.name.clone())))?;
        commit.check_versions(|stream| self.version(stream))?;
        commit.check_keys(|key| self.keys.get(key).map(|held| &held.owner))?;
        self.levels(commit).map(drop)
    }

    fn levels(&self, commit: &Commit) -> Result<Vec<(PoolKey, PoolLevel)>, CommitError> {
        apply_moves(&commit.moves, |pool| self.pools.get(pool).copied().unwrap_or_default())
    }

    /// Does what a checked commit says.
    pub(crate) fn apply(&mut self, commit: Commit) {
        self.pools.extend(self.levels(&commit).unwrap_or_default());
        for given in commit.release {
            if self.keys.get(&given.key).is_some_and(|held| held.owner == given.owner) {
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
        if let Some(Mark { key, fingerprint, result }) = commit.mark {
            self.marks.insert(key, Handled { fingerprint, result, position: self.end() });
        }
    }

    /// Keeps snapshots, except of streams with values of somebody who was erased.
    pub(crate) fn keep(&mut self, snapshots: impl IntoIterator<Item = (StreamId, Snapshot)>) {
        for (stream, snapshot) in snapshots {
            let events = self.streams.get(&stream).into_iter().flatten();
            if events.flat_map(|event| &event.event.personal).all(|value| value.value.is_some()) {
                self.snapshots.insert(stream, snapshot);
            }
        }
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
