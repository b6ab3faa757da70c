//! The port: a lock around tables and journal.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{io, path::Path};

use async_trait::async_trait;
use commerce_core::port::clock::Clock;
use commerce_core::port::prelude::*;

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
        Ok(Self { inner: Mutex::new((State::of(commits), journal)), clock })
    }

    fn lock(&self) -> MutexGuard<'_, (State, Journal)> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nobody knows what a write that failed has left.
fn failed(error: io::Error) -> PortError {
    PortError::new(PortErrorKind::Unavailable, Effect::Unknown, "file store", "commit").with_source(error)
}

impl State {
    fn events(&self, stream: &StreamId, after: Version) -> impl Iterator<Item = Arc<RecordedEvent>> {
        let skip = usize::try_from(after.get()).unwrap_or(usize::MAX);
        self.streams.get(stream).into_iter().flatten().skip(skip).cloned()
    }

    /// Writes a checked commit down, then applies it.
    fn write(&mut self, mut commit: Commit, journal: &mut Journal) -> Result<Receipt, PortError> {
        let gone = self.erased.iter().chain(&commit.erase).copied().collect();
        self.leases.retain(|timer, _| commit.timers.iter().all(|write| write.key() != timer));
        let appends = commit.append.iter_mut();
        let new: Vec<_> = appends.filter_map(|a| Some((a.stream.clone(), a.snapshot.take()?))).collect();
        if commit.erase.is_empty() {
            let commit = without(commit, &gone);
            journal.append(&commit).map_err(failed)?;
            self.apply(commit);
        } else {
            // What is erased may not stay in the file: the journal is written anew without it.
            let commits = journal.rewrite(commit, |commit| without(commit, &gone)).map_err(failed)?;
            let Self { leases, tokens, snapshots, .. } = std::mem::take(self);
            *self = Self { leases, tokens, ..Self::of(commits) };
            self.keep(snapshots);
        }
        self.keep(new);
        Ok(Receipt { position: self.end() })
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
            let snapshot = state.snapshots.get(&query.stream).filter(|known| known.version > query.after);
            let snapshot = snapshot.filter(|known| Some(known.schema) == query.snapshot_schema);
            let after = snapshot.map_or(query.after, |snapshot| snapshot.version);
            let (events, version) =
                (state.events(&query.stream, after).collect(), state.version(&query.stream));
            LoadedStream { stream: query.stream, version, snapshot: snapshot.cloned(), events }
        });
        let directory = load.directory.iter().map(|query| {
            let fits = |key: &Key| key.scope == query.scope && key.key.starts_with(&*query.prefix);
            let all = state.keys.values().filter(|h| fits(&h.key)).map(|h| (h.key.clone(), h.owner.clone()));
            all.take(query.limit.min(MAX_DIRECTORY) as usize).collect()
        });
        Ok(Loaded {
            streams: streams.collect(),
            by_claim: load.by_claim.iter().map(|key| Some(state.keys.get(key)?.owner.clone())).collect(),
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
        let events = log.iter().filter(|e| e.position > query.after && query.slice.contains(e.stream.id));
        let events: Vec<_> = events.take(limit).cloned().collect();
        let end = log.last().filter(|_| limit > 0).map_or(query.after, |last| last.position);
        Ok(Page { next: events.last().map_or(end, |last| last.position), events })
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
            let ready = leases.get(key).map(|(_, until)| *until).filter(|until| *until > now).unwrap_or(*due);
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
        let State { keys, pools, timers, marks, .. } = &self.lock().0;
        let mut rows: Vec<Row> = match table {
            Table::Keys => keys.values().cloned().map(Row::Key).collect(),
            Table::Pools => pools.iter().map(|(key, level)| Row::Pool(key.clone(), *level)).collect(),
            Table::Timers => timers.iter().map(|(key, (due, _))| Row::Timer(key.clone(), *due)).collect(),
            Table::Marks => marks.iter().map(|(key, mark)| Row::Mark(key.clone(), mark.clone())).collect(),
        };
        rows.retain(|row| after.is_none_or(|after| row.text().as_str() > after));
        rows.sort_by_cached_key(Row::text);
        rows.truncate(limit.min(MAX_PAGE) as usize);
        Ok(rows)
    }
}
