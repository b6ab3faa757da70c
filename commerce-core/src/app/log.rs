//! Reads the events of one kind of aggregate in the order of the log.

use std::fmt;

use super::commerce::Commerce;
use crate::identity::{Denied, authorise};
use crate::kernel::aggregate::{Aggregate, Permission};
use crate::kernel::codec::{CodecError, decode};
use crate::kernel::error::PortError;
use crate::kernel::stream::{Position, Version};
use crate::port::store::{LogQuery, MAX_PAGE};
use crate::value::actor::Owner;
use crate::value::id::{Id, InvalidId};
use crate::value::time::Timestamp;

/// An event of the log, decoded.
pub struct LoggedEvent<A: Aggregate> {
    /// Of which aggregate.
    pub id: Id<A::Root>,
    /// Its number within the aggregate's stream.
    pub version: Version,
    /// Its place in the log.
    pub position: Position,
    /// When it was stored, by the clock of the shop.
    pub at: Timestamp,
    /// What happened.
    pub event: A::Event,
}

/// A stretch of the log, as far as it is about one kind of aggregate.
pub struct EventPage<A: Aggregate> {
    /// In the order of the log; may be empty before the end.
    pub events: Vec<LoggedEvent<A>>,
    /// Where to read on.
    pub next: Position,
    /// Whether the end of the log was reached.
    pub end: bool,
}

/// The log cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The actor may not read it.
    #[error("not permitted")]
    Denied(#[from] Denied),
    /// The store failed.
    #[error("the store failed")]
    Port(#[from] PortError),
    /// What is stored cannot be read.
    #[error("what is stored cannot be read")]
    Corrupt(#[from] CodecError),
    /// A stream is called by something that is no id.
    #[error("a stream is not called by an id")]
    Id(#[from] InvalidId),
}

impl Commerce {
    /// Reads the events of one kind of aggregate behind a position, looking at no more than `limit` events
    /// of the log, and at no more than [`MAX_PAGE`].
    ///
    /// For staff and the system: the log shows everybody's things.
    ///
    /// # Errors
    ///
    /// [`LogError`].
    pub async fn events_of<A: Aggregate>(
        &self,
        after: Position,
        limit: u32,
    ) -> Result<EventPage<A>, LogError> {
        authorise(&self.request.principal, Permission::new(A::NAME, "read"), Some(Owner::Shop))?;
        let page = self.store().read_all(LogQuery::after(after, limit.clamp(1, MAX_PAGE))).await?;
        let mut events = Vec::new();
        for recorded in page.events.iter().filter(|recorded| recorded.stream.kind == A::NAME) {
            events.push(LoggedEvent {
                id: Id::from_uuid(recorded.stream.id)?,
                version: recorded.version,
                position: recorded.position,
                at: recorded.event.at,
                event: decode(&recorded.event)?,
            });
        }
        Ok(EventPage { events, next: page.next, end: page.events.is_empty() })
    }
}

impl<A: Aggregate> Clone for LoggedEvent<A> {
    fn clone(&self) -> Self {
        Self { event: self.event.clone(), ..*self }
    }
}

impl<A: Aggregate> fmt::Debug for LoggedEvent<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggedEvent")
            .field("id", &self.id)
            .field("version", &self.version)
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}

impl<A: Aggregate> Clone for EventPage<A> {
    fn clone(&self) -> Self {
        Self { events: self.events.clone(), ..*self }
    }
}

impl<A: Aggregate> fmt::Debug for EventPage<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventPage")
            .field("events", &self.events)
            .field("next", &self.next)
            .field("end", &self.end)
            .finish()
    }
}
