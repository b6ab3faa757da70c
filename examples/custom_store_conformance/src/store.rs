//! The port: a lock around tables and journal.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fmt::Display, io, path::Path};

use async_trait::async_trait;
use commerce_core::kernel::commit::{Commit, Load, Loaded, LoadedStream, MAX_DIRECTORY, Receipt};
use commerce_core::kernel::error::{CommitError, Effect, PortError, PortErrorKind};
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::kernel::{event::RecordedEvent, timer::DueTimer, timer::LeaseToken};
use commerce_core::port::clock::Clock;
use commerce_core::port::store::{Capabilities, Due, DueQuery, LogQuery, MAX_PAGE, Page, Row, Store, Table};
use commerce_core::value::time::Timestamp;

use crate::journal::Journal;
use crate::state::{State, without};

/// A store in a folder, for one process; its calls wait for the disk.
#[derive(Debug)]
pub struct FileStore {
    inner: Mutex<(State, Journal)>,
    clock: Arc<dyn Clock>,
}

impl FileStore {
    /// Opens the store of a folder, which is made where it does not exist.
    ///
    /// # Errors
    ///
    /// Where another process has it open, the folder cannot be used, or its journal is damaged.
    pub fn open(folder: &Path, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let (journal, commits) = Journal::open(folder)?;
        Ok(Self { inner: Mutex::new((replay(commits), journal)), clock })
    }

    fn lock(&self) -> MutexGuard<'_, (State, Journal)> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn replay(commits: Vec<Commit>) -> State {
    let mut state = State::default();
    for commit in commits {
        state.apply(commit);
    }
    state
}

fn rows<K: Display, V>(table: &BTreeMap<K, V>, row: impl Fn(&K, &V) -> Row) -> BTreeMap<String, Row> {
    table.iter().map(|(key, value)| (key.to_string(), row(key, value))).collect()
}

/// Nobody knows what a write that failed has left.
fn failed(error: io::Error) -> PortError {
    let kind = PortErrorKind::Unavailable;
    PortError::new(kind, Effect::Unknown, "file store", "commit").with_source(error)
}

impl State {
    fn events(&self, stream: &StreamId, after: Version) -> impl Iterator<Item = Arc<RecordedEvent>> {
        let skip = usize::try_from(after.get()).unwrap_or(usize::MAX);
        self.streams.get(stream).into_iter().flatten().skip(skip).cloned()
    }

    /// Writes a checked commit down, then applies it.
    fn write(&mut self, mut commit: Commit, journal: &mut Journal) -> Result<Receipt, PortError> {
        let gone = self.erased.iter().chain(&commit.erase).copied().collect();
        let appends = commit.append.iter_mut();
        let snapshots: Vec<_> =
            appends.filter_map(|append| Some((append.stream.clone(), append.snapshot.take()?))).collect();
        let erases = !commit.erase.is_empty();
        self.leases.retain(|timer, _| commit.timers.iter().all(|write| write.key() != timer));
        let commit = without(commit, &gone);
        if erases {
            // What is erased may not stay in the file: the journal is written anew without it.
            let commits = journal.rewrite(commit, |commit| without(commit, &gone)).map_err(failed)?;
            let Self { snapshots, leases, tokens, .. } = std::mem::take(self);
            *self = Self { snapshots, leases, tokens, ..replay(commits) };
        } else {
            journal.append(&commit).map_err(failed)?;
            self.apply(commit);
        }
        self.snapshots.extend(snapshots);
        if !gone.is_empty() {
            let kept = std::mem::take(&mut self.snapshots).into_iter();
            self.snapshots = kept.filter(|(stream, _)| !self.lost_values(stream)).collect();
        }
        Ok(Receipt { position: Position::from_parts(0, self.log.len() as u64) })
    }
}

#[async_trait]
impl Store for FileStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { durable: true, shared: false }
    }

    async fn load(&self, load: Load) -> Result<Loaded, PortError> {
        let state = &self.lock().0;
        let streams = load.streams.into_iter().map(|query| {
            let snapshot = state.snapshots.get(&query.stream).filter(|snapshot| {
                Some(snapshot.schema) == query.snapshot_schema && snapshot.version > query.after
            });
            let after = snapshot.map_or(query.after, |snapshot| snapshot.version);
            let events = state.events(&query.stream, after).collect();
            let version = state.version(&query.stream);
            LoadedStream { stream: query.stream, version, snapshot: snapshot.cloned(), events }
        });
        let directory = load.directory.iter().map(|query| {
            let keys = state.keys.values().filter(|held| held.key.scope == query.scope);
            let keys = keys.filter(|held| held.key.key.starts_with(&*query.prefix));
            let keys = keys.take(query.limit.min(MAX_DIRECTORY) as usize);
            keys.map(|held| (held.key.clone(), held.owner.clone())).collect()
        });
        Ok(Loaded {
            streams: streams.collect(),
            by_claim: load.by_claim.iter().map(|key| state.owner(key).cloned()).collect(),
            pools: load.pools.iter().map(|key| state.pools.get(key).copied().unwrap_or_default()).collect(),
            marks: load.marks.iter().map(|key| state.marks.get(key).cloned()).collect(),
            directory: directory.collect(),
        })
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt, CommitError> {
        let now = self.clock.now();
        let (state, journal) = &mut *self.lock();
        state.check(&commit, now)?;
        Ok(state.write(commit, journal)?)
    }

    async fn read_all(&self, query: LogQuery) -> Result<Page, PortError> {
        let log = &self.lock().0.log;
        let limit = query.limit.min(MAX_PAGE) as usize;
        let behind = log.iter().filter(|event| event.position > query.after);
        let events = behind.filter(|event| query.slice.contains(event.stream.id)).take(limit);
        let events: Vec<_> = events.cloned().collect();
        let end = log.last().filter(|_| limit > 0).map_or(query.after, |last| last.position);
        let next = events.last().map_or(end, |last| last.position);
        Ok(Page { events, next })
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        limit: u32,
    ) -> Result<Vec<Arc<RecordedEvent>>, PortError> {
        Ok(self.lock().0.events(stream, after).take(limit.min(MAX_PAGE) as usize).collect())
    }

    async fn due(&self, query: DueQuery) -> Result<Due, PortError> {
        let now = self.clock.now();
        let State { timers: table, leases, tokens, .. } = &mut self.lock().0;
        let wanted = |kind| query.kinds.is_empty() || query.kinds.contains(kind);
        let mut waiting: Vec<_> = table.iter().filter(|(key, _)| wanted(&key.stream.kind)).collect();
        waiting.sort_by_key(|(key, (due, _))| (*due, *key));
        let (mut timers, mut next) = (Vec::new(), None::<Timestamp>);
        for (key, (due, payload)) in waiting {
            let leased = leases.get(key).map(|(_, until)| *until).filter(|until| *until > now);
            let ready = leased.unwrap_or(*due);
            if ready > now || timers.len() >= query.limit.min(MAX_PAGE) as usize {
                next = Some(next.map_or(ready, |known| known.min(ready)));
                continue;
            }
            *tokens += 1;
            let token = LeaseToken::from_u128(*tokens);
            leases.insert(key.clone(), (token, now.plus(query.lease)));
            timers.push(DueTimer { key: key.clone(), due: *due, payload: payload.clone(), token });
        }
        Ok(Due { now, timers, next })
    }

    async fn scan(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Vec<Row>, PortError> {
        let state = &self.lock().0;
        let rows = match table {
            Table::Keys => rows(&state.keys, |_, key| Row::Key(key.clone())),
            Table::Pools => rows(&state.pools, |key, level| Row::Pool(key.clone(), *level)),
            Table::Timers => rows(&state.timers, |key, (due, _)| Row::Timer(key.clone(), *due)),
            Table::Marks => rows(&state.marks, |key, mark| Row::Mark(key.clone(), mark.clone())),
        };
        let behind = rows.into_iter().filter(|(text, _)| after.is_none_or(|after| text.as_str() > after));
        Ok(behind.take(limit.min(MAX_PAGE) as usize).map(|(_, row)| row).collect())
    }
}
