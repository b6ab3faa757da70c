//! Loading several aggregates at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::commerce::Commerce;
use super::execute::query_of;
use crate::kernel::aggregate::{Aggregate, Instance};
use crate::kernel::commit::{Load, Loaded, LoadedStream};
use crate::kernel::error::ErrorClass;
use crate::kernel::replay::{ReplayError, replay};
use crate::kernel::stream::StreamId;
use crate::value::id::Id;

/// A load under construction: what is asked for, in order.
#[derive(Debug, Default)]
pub(crate) struct Ask {
    pub(crate) load: Load,
}

impl Ask {
    /// Asks for what lies behind a known state.
    pub(crate) fn stream<A: Aggregate>(&mut self, known: &Instance<A>) {
        self.load.streams.push(query_of(known));
    }
}

/// The answer, found by stream.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) loaded: Loaded,
    /// Where to look first: answers are mostly read in the order of the questions.
    cursor: AtomicUsize,
}

impl Answer {
    fn find(&self, stream: &StreamId) -> Option<&LoadedStream> {
        let start = self.cursor.load(Ordering::Relaxed);
        let streams = self.loaded.streams.iter().enumerate();
        let found = streams
            .clone()
            .skip(start)
            .chain(streams.take(start))
            .find(|(_, loaded)| loaded.stream == *stream);
        let (index, loaded) = found?;
        self.cursor.store(index.saturating_add(1), Ordering::Relaxed);
        Some(loaded)
    }

    /// Brings a known state up to date.
    pub(crate) fn fold<A: Aggregate>(&self, known: Instance<A>) -> Result<Instance<A>, ReplayError> {
        match self.find(&known.stream()) {
            Some(stream) if stream.version < known.version => {
                Err(ReplayError::Gap { expected: known.version, found: stream.version })
            }
            Some(stream) => replay(known, stream),
            None => Ok(known),
        }
    }

    /// Brings a shared state up to date; copies it only where something has happened.
    pub(crate) fn fold_shared<A: Aggregate>(
        &self,
        known: Arc<Instance<A>>,
    ) -> Result<Arc<Instance<A>>, ReplayError> {
        let news = self.find(&known.stream()).filter(|stream| stream.version != known.version);
        if news.is_none() {
            return Ok(known);
        }
        Ok(Arc::new(self.fold(Instance::clone(&known))?))
    }
}

impl Commerce {
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Answer, crate::kernel::error::PortError> {
        Ok(Answer { loaded: self.store().load(ask.load).await?, cursor: AtomicUsize::new(0) })
    }

    /// The present state of one aggregate, from the cache as far as it reaches.
    pub(crate) async fn read<A: Aggregate>(&self, id: Id<A::Root>) -> Result<Arc<Instance<A>>, ReadError> {
        let known = self.shared.cache.peek::<A>(id);
        let mut ask = Ask::default();
        ask.stream(&known);
        let instance = self.ask(ask).await?.fold_shared(known)?;
        self.shared.cache.keep(&instance);
        Ok(instance)
    }
}

/// Something cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The actor may not see it.
    #[error("not permitted")]
    Denied(#[from] crate::identity::Denied),
    /// The store failed.
    #[error("the store failed")]
    Port(#[from] crate::kernel::error::PortError),
    /// What is stored cannot be read.
    #[error("what is stored cannot be read")]
    Corrupt(#[from] ReplayError),
}

impl ReadError {
    /// What to do about it: the HTTP status in one match.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Denied(_) => ErrorClass::Refused,
            Self::Port(_) => ErrorClass::Unavailable,
            Self::Corrupt(_) => ErrorClass::Bug,
        }
    }
}
