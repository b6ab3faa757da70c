//! Validate everything, then write everything.

use std::collections::BTreeMap;
use std::sync::Arc;

use commerce_core::kernel::commit::{Append, Commit, Receipt};
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::mark::Handled;
use commerce_core::kernel::pool::apply_moves;
use commerce_core::kernel::stream::StreamId;
use commerce_core::kernel::timer::TimerWrite;
use commerce_core::kernel::unique::{Key, UniqueKey};
use commerce_core::value::id::SubjectId;
use commerce_core::value::time::Timestamp;

use crate::state::{State, Timer, position};

/// What becomes of a key: its owner after the commit, or nobody.
type KeyWrites<'c> = BTreeMap<&'c Key, Option<(&'c StreamId, Option<SubjectId>)>>;

impl State {
    pub(crate) fn commit(&mut self, commit: Commit, now: Timestamp) -> Result<Receipt, CommitError> {
        commit.well_formed()?;
        if let Some(mark) = &commit.mark {
            mark.check(self.marks.get(&mark.key))?;
        }
        self.check_lease(&commit, now)?;
        commit.check_versions(|stream| self.version(stream))?;
        let keys = self.check_keys(&commit)?;
        let keys: Vec<_> = keys
            .into_iter()
            .map(|(key, owner)| (key.clone(), owner.map(|(stream, subject)| (stream.clone(), subject))))
            .collect();
        let level = |pool: &_| self.pools.get(pool).copied().unwrap_or_default();
        let pools = apply_moves(&commit.moves, level)?;

        for (key, owner) in keys {
            match owner {
                // The personal key of an erased subject would bring back what was erased.
                Some((_, Some(subject))) if self.erased.contains(&subject) => {
                    self.keys.remove(&key);
                }
                Some(owner) => {
                    self.keys.insert(key, owner);
                }
                None => {
                    self.keys.remove(&key);
                }
            }
        }
        self.pools.extend(pools);
        for append in commit.append {
            self.append(append);
        }
        for subject in commit.erase {
            self.erase(subject);
        }
        for timer in commit.timers {
            self.write_timer(timer);
        }
        let position = self.end();
        if let Some(mark) = commit.mark {
            let handled = Handled { fingerprint: mark.fingerprint, result: mark.result, position };
            self.marks.insert(mark.key, handled);
        }
        Ok(Receipt { position })
    }

    fn check_lease(&self, commit: &Commit, now: Timestamp) -> Result<(), CommitError> {
        if let Some((key, token)) = &commit.lease {
            let held = self.timers.get(key).and_then(|timer| timer.lease);
            if !held.is_some_and(|(holder, until)| holder == *token && until > now) {
                return Err(CommitError::LeaseLost(key.clone()));
            }
        }
        if let Some(fence) = &commit.fence {
            let held = self.leases.get(&fence.name);
            let lasts = held.is_some_and(|lease| {
                lease.token == fence.token && lease.until.is_some_and(|until| until > now)
            });
            if !lasts {
                return Err(CommitError::Fenced(fence.name.clone()));
            }
        }
        Ok(())
    }

    /// The net of releases and claims per key: what is released is free for a claim of the same commit.
    fn check_keys<'c>(&self, commit: &'c Commit) -> Result<KeyWrites<'c>, CommitError> {
        let mut writes: KeyWrites<'c> = BTreeMap::new();
        for UniqueKey { key, owner, .. } in &commit.release {
            if self.keys.get(key).is_some_and(|(present, _)| present == owner) {
                writes.insert(key, None);
            }
        }
        let mut taken: Option<(&Key, StreamId)> = None;
        for UniqueKey { key, owner, subject } in &commit.claim {
            let present = match writes.get(key) {
                Some(written) => written.map(|(owner, _)| owner),
                None => self.keys.get(key).map(|(owner, _)| owner),
            };
            match present.filter(|present| *present != owner) {
                None => {
                    writes.insert(key, Some((owner, *subject)));
                }
                Some(present) if taken.as_ref().is_none_or(|(smallest, _)| key < *smallest) => {
                    taken = Some((key, present.clone()));
                }
                Some(_) => {}
            }
        }
        match taken {
            None => Ok(writes),
            Some((key, owner)) => Err(CommitError::Taken { key: key.clone(), owner }),
        }
    }

    fn append(&mut self, append: Append) {
        let Append { stream: id, events, snapshot, .. } = append;
        let stream = self.streams.entry(id.clone()).or_default();
        for mut event in events {
            let number = self.log.len() + 1;
            for value in &mut event.personal {
                if self.erased.contains(&value.subject) {
                    value.value = None;
                }
                self.personal.entry(value.subject).or_default().push(number - 1);
            }
            let version = stream.version().after(1);
            let recorded =
                Arc::new(RecordedEvent { position: position(number), stream: id.clone(), version, event });
            stream.events.push(recorded.clone());
            self.log.push(recorded);
        }
        if snapshot.is_some() {
            // A snapshot made while its subject was being erased would bring the values back.
            let clean = self.erased.is_empty()
                || !stream
                    .events
                    .iter()
                    .flat_map(|recorded| &recorded.event.personal)
                    .any(|value| self.erased.contains(&value.subject));
            if clean {
                stream.snapshot = snapshot;
            }
        }
    }

    fn write_timer(&mut self, write: TimerWrite) {
        if let Some(before) = self.timers.remove(write.key()) {
            self.agenda.remove(&(before.due, write.key().clone()));
        }
        if let TimerWrite::Set { key, due, payload } = write {
            self.agenda.insert((due, key.clone()));
            self.timers.insert(key, Timer { due, payload, lease: None });
        }
    }
}
