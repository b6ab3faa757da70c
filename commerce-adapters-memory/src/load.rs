//! One consistent snapshot: everything is read under one lock.

use std::ops::Bound;

use commerce_core::kernel::commit::{DirectoryQuery, Load, Loaded, LoadedStream, MAX_DIRECTORY, StreamQuery};
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::kernel::unique::Key;

use crate::state::State;

impl State {
    pub(crate) fn load(&self, load: &Load) -> Loaded {
        Loaded {
            streams: load.streams.iter().map(|query| self.load_stream(query)).collect(),
            by_claim: load
                .by_claim
                .iter()
                .map(|key| self.keys.get(key).map(|(owner, _)| owner.clone()))
                .collect(),
            pools: load.pools.iter().map(|pool| self.pools.get(pool).copied().unwrap_or_default()).collect(),
            marks: load.marks.iter().map(|mark| self.marks.get(mark).cloned()).collect(),
            directory: load.directory.iter().map(|query| self.directory(query)).collect(),
        }
    }

    fn load_stream(&self, query: &StreamQuery) -> LoadedStream {
        let Some(stream) = self.streams.get(&query.stream) else {
            return LoadedStream {
                stream: query.stream.clone(),
                version: Version::NONE,
                snapshot: None,
                events: Vec::new(),
            };
        };
        let usable = stream.snapshot.as_ref().filter(|snapshot| {
            Some(snapshot.schema) == query.snapshot_schema && snapshot.version > query.after
        });
        let behind = usable.map_or(query.after, |snapshot| snapshot.version);
        let skip = usize::try_from(behind.get()).unwrap_or(usize::MAX);
        LoadedStream {
            stream: query.stream.clone(),
            version: stream.version(),
            snapshot: usable.cloned(),
            events: stream.events.iter().skip(skip).cloned().collect(),
        }
    }

    fn directory(&self, query: &DirectoryQuery) -> Vec<(Key, StreamId)> {
        let from = Key::new(query.scope.clone(), query.prefix.clone());
        self.keys
            .range((Bound::Included(from), Bound::Unbounded))
            .take_while(|(key, _)| key.scope == query.scope && key.key.starts_with(&*query.prefix))
            .take(query.limit.min(MAX_DIRECTORY) as usize)
            .map(|(key, (owner, _))| (key.clone(), owner.clone()))
            .collect()
    }
}
