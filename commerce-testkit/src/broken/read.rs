//! Loads, pages and scans.

use std::sync::Arc;

use commerce_core::kernel::commit::{DirectoryQuery, Load, Loaded, LoadedStream, MAX_DIRECTORY, StreamQuery};
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::mark::Handled;
use commerce_core::kernel::pool::PoolLevel;
use commerce_core::kernel::stream::{Position, Slice, StreamId, Version};
use commerce_core::kernel::unique::{Key, UniqueKey};
use commerce_core::port::store::{LogQuery, MAX_PAGE, Page, Row, Table};

use super::flaw::Break;
use super::state::{State, position};

/// What a broken store says where it should say "nothing".
fn no_answer() -> PortError {
    PortError::new(PortErrorKind::Corrupt, Effect::None, "broken", "read")
}

impl State {
    pub(super) fn load(&self, load: &Load) -> Loaded {
        let mut load = load.clone();
        if self.has(Break::SortsAnswers) {
            load.streams.sort_by(|a, b| a.stream.cmp(&b.stream));
            load.by_claim.sort();
            load.pools.sort();
            load.marks.sort();
        }
        let mut loaded = Loaded {
            streams: load.streams.iter().map(|query| self.load_stream(query)).collect(),
            by_claim: load
                .by_claim
                .iter()
                .map(|key| self.keys.get(&self.key(key)).map(|(owner, _)| owner.clone()))
                .collect(),
            pools: load.pools.iter().map(|pool| self.level(pool)).collect(),
            marks: load.marks.iter().map(|mark| self.marks.get(&self.mark(mark)).cloned()).collect(),
            directory: load.directory.iter().map(|query| self.directory(query)).collect(),
        };
        if self.has(Break::LeavesUnknownOut) {
            loaded.streams.retain(|stream| stream.version > Version::NONE);
        }
        loaded
    }

    fn load_stream(&self, query: &StreamQuery) -> LoadedStream {
        let after = if self.has(Break::LoadIgnoresAfter) { Version::NONE } else { query.after };
        let snapshot = self.snapshots.get(&query.stream).filter(|snapshot| {
            (Some(snapshot.schema) == query.snapshot_schema || self.has(Break::IgnoresSnapshotSchema))
                && (snapshot.version > after || self.has(Break::IgnoresSnapshotVersion))
        });
        let mut behind = snapshot.map_or(after, |snapshot| snapshot.version);
        if snapshot.is_some() && self.has(Break::LoadSkipsAnEvent) {
            behind = behind.after(1);
        }
        let limit = if self.has(Break::LoadsOnePage) { MAX_PAGE as usize } else { usize::MAX };
        let mut events = self.events(&query.stream, behind, limit);
        if self.has(Break::LoadForgetsPositions) {
            for event in &mut events {
                *event = Arc::new(RecordedEvent { position: Position::START, ..event.as_ref().clone() });
            }
        }
        LoadedStream {
            stream: query.stream.clone(),
            version: Version::new(self.head(&query.stream)),
            snapshot: snapshot.cloned(),
            events,
        }
    }

    fn events(&self, stream: &StreamId, after: Version, limit: usize) -> Vec<Arc<RecordedEvent>> {
        let theirs = self.log.iter().filter(|event| event.stream == *stream && event.version > after);
        theirs.take(limit).cloned().map(Arc::new).collect()
    }

    pub(super) fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        limit: u32,
    ) -> Vec<Arc<RecordedEvent>> {
        if self.has(Break::InventsStreams) && self.head(stream) == 0 {
            return self.log.iter().cloned().map(Arc::new).collect();
        }
        let after = if self.has(Break::ReadsStreamsFromTheStart) { Version::NONE } else { after };
        let bound = if self.has(Break::ReadsStreamsWithoutBound) { u32::MAX } else { MAX_PAGE };
        self.events(stream, after, limit.min(bound) as usize)
    }

    pub(super) fn read_all(&self, query: LogQuery) -> Result<Page, PortError> {
        let LogQuery { after, limit, slice } = query;
        if self.log.is_empty() && self.has(Break::EmptyLogIsAnError) {
            return Err(no_answer());
        }
        let bound = if self.has(Break::ReadsTheLogWithoutBound) { u32::MAX } else { MAX_PAGE };
        let behind = self.log.iter().filter(|event| event.position > after);
        let behind = behind.filter(|event| {
            slice.contains(event.stream.id) || self.has(Break::SlicesOverlap) && event.version.get() == 1
        });
        let behind = behind.filter(|event| {
            slice == Slice::ALL || event.version.get() == 1 || !self.has(Break::SlicesLoseEvents)
        });
        let mut events: Vec<_> = behind.take(limit.min(bound) as usize).cloned().map(Arc::new).collect();
        let mut next = events.last().map_or(after, |event| event.position);
        if self.has(Break::PagesOverlap) && !events.is_empty() {
            next = position(next.parts().1.saturating_sub(1));
        }
        if self.has(Break::EndLeadsToTheStart) && events.is_empty() {
            next = Position::START;
        }
        if self.has(Break::LogRunsBackwards) {
            events.reverse();
        }
        if self.has(Break::LogHidesAnEvent) {
            events.retain(|event| event.version.get() > 1);
        }
        Ok(Page { events, next })
    }

    fn directory(&self, query: &DirectoryQuery) -> Vec<(Key, StreamId)> {
        let bound = if self.has(Break::DirectoryWithoutBound) { u32::MAX } else { MAX_DIRECTORY };
        let present = self.keys.iter().map(|(key, (owner, _))| (key.clone(), owner.clone()));
        let mut keys: Vec<_> = if self.has(Break::DirectoryKeepsReleased) {
            self.ever.clone().into_iter().collect()
        } else {
            present.collect()
        };
        keys.retain(|(key, _)| {
            let scope = key.scope == query.scope || self.has(Break::DirectoryMixesScopes);
            scope && self.starts_with(&key.key, &query.prefix)
        });
        if self.has(Break::DirectoryFoldsCase) {
            keys.sort_by_key(|(key, _)| key.key.to_lowercase());
        }
        keys.truncate(query.limit.min(bound) as usize);
        keys
    }

    fn starts_with(&self, key: &str, prefix: &str) -> bool {
        match self.flaw {
            Some(Break::IgnoresPrefix) => true,
            Some(Break::PrefixIsAPattern) => {
                let mut rest = key.chars();
                prefix.chars().all(|wanted| match (wanted, rest.next()) {
                    ('%', _) | ('_', Some(_)) => true,
                    (wanted, found) => found == Some(wanted),
                })
            }
            _ => key.starts_with(prefix),
        }
    }

    pub(super) fn scan(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Vec<Row>, PortError> {
        let mut rows = self.rows(table);
        if rows.is_empty() && self.has(Break::EmptyTableIsAnError) {
            return Err(no_answer());
        }
        if !self.has(Break::ScanOrdersByParts) {
            rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        let known = after.is_none_or(|after| rows.iter().any(|(text, _)| text == after));
        if self.has(Break::ScanNeedsItsRow) && !known {
            return Ok(Vec::new());
        }
        if !self.has(Break::ScanIgnoresAfter) {
            rows.retain(|(text, _)| after.is_none_or(|after| text.as_str() > after));
        }
        let bound = if self.has(Break::ScanWithoutBound) { u32::MAX } else { MAX_PAGE };
        rows.truncate(limit.min(bound) as usize);
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }

    fn rows(&self, table: Table) -> Vec<(String, Row)> {
        match table {
            Table::Keys => {
                let row = |(key, (owner, subject)): (&Key, &(StreamId, Option<_>))| {
                    let row = UniqueKey { key: key.clone(), owner: owner.clone(), subject: *subject };
                    (key.to_string(), Row::Key(row))
                };
                self.keys.iter().map(row).collect()
            }
            Table::Pools => {
                let level = |level: &PoolLevel| match self.flaw {
                    Some(Break::ScanForgetsHeld) => PoolLevel { held: 0, ..*level },
                    _ => *level,
                };
                self.pools
                    .iter()
                    .map(|(key, at)| (key.to_string(), Row::Pool(key.clone(), level(at))))
                    .collect()
            }
            Table::Timers => self
                .timers
                .iter()
                .map(|(key, timer)| (key.to_string(), Row::Timer(key.clone(), timer.due)))
                .collect(),
            Table::Marks => {
                let handled = |handled: &Handled| match self.flaw {
                    Some(Break::ScanForgetsResults) => Handled { result: [][..].into(), ..handled.clone() },
                    _ => handled.clone(),
                };
                self.marks
                    .iter()
                    .map(|(key, mark)| (key.to_string(), Row::Mark(key.clone(), handled(mark))))
                    .collect()
            }
        }
    }
}
