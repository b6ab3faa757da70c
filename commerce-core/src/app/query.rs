//! Reading: by id, by unique key, and what happened.

use std::future::Future;
use std::sync::Arc;

use serde_json::Value;

use super::commerce::Commerce;
use super::reading::{Ask, ReadError};
use crate::identity::authorise;
use crate::kernel::aggregate::{Aggregate, Permission, stream_of};
use crate::kernel::stream::{Position, Version};
use crate::kernel::unique::Key;
use crate::port::store::MAX_PAGE;
use crate::value::actor::Actor;
use crate::value::id::Id;
use crate::value::time::Timestamp;

/// Something that can be asked of a shop.
///
/// Every answer comes from streams, so it is never behind; for lists and searches, which are, see
/// [views](crate::app::views).
pub trait Query: Send {
    /// What comes back.
    type Answer: Send;

    /// Finds the answer.
    fn answer(self, shop: &Commerce) -> impl Future<Output = Result<Self::Answer, ReadError>> + Send;
}

/// An aggregate by its id. The actor needs the permission `<aggregate>:read` and, where it belongs to
/// somebody, to be its owner or staff.
#[derive(Debug, Clone, Copy)]
pub struct ById<A: Aggregate>(pub Id<A::Root>);

/// An aggregate by a unique key, for example an order by its number.
#[derive(Debug, Clone)]
pub struct ByKey<A: Aggregate> {
    key: Key,
    kind: std::marker::PhantomData<fn() -> A>,
}

impl<A: Aggregate> ByKey<A> {
    /// Asks for the aggregate that owns this key of a scope.
    pub fn new(scope: &'static str, key: &str) -> Self {
        Self { key: Key::new(scope, key), kind: std::marker::PhantomData }
    }
}

/// A fact of an aggregate's history. Personal values are not part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    /// Its place in the log.
    pub position: Position,
    /// Its number within the aggregate.
    pub version: Version,
    /// When it happened.
    pub at: Timestamp,
    /// Who caused it.
    pub actor: Actor,
    /// What, by its canonical name.
    pub name: String,
    /// The payload, without personal values.
    pub data: Value,
}

impl<A: Aggregate> Query for ById<A> {
    type Answer = Option<Arc<A>>;

    async fn answer(self, shop: &Commerce) -> Result<Self::Answer, ReadError> {
        let instance = shop.read::<A>(self.0).await?;
        let Some(state) = &instance.state else { return Ok(None) };
        authorise(&shop.request.principal, Permission::new(A::NAME, "read"), Some(state.owner()))?;
        Ok(Some(Arc::new(state.clone())))
    }
}

impl<A: Aggregate> Query for ByKey<A> {
    type Answer = Option<(Id<A::Root>, Arc<A>)>;

    async fn answer(self, shop: &Commerce) -> Result<Self::Answer, ReadError> {
        let mut ask = Ask::default();
        ask.load.by_claim.push(self.key);
        let found = shop.ask(ask).await?.loaded.by_claim.into_iter().flatten().next();
        let id = found.filter(|owner| owner.kind == A::NAME).and_then(|owner| Id::from_uuid(owner.id).ok());
        let Some(id) = id else { return Ok(None) };
        Ok(ById::<A>(id).answer(shop).await?.map(|state| (id, state)))
    }
}

impl Commerce {
    /// Answers a question.
    ///
    /// # Errors
    ///
    /// [`ReadError`]: not permitted, the store failed, or what is stored cannot be read.
    pub async fn query<Q: Query>(&self, query: Q) -> Result<Q::Answer, ReadError> {
        query.answer(self).await
    }

    /// What happened to an aggregate, from the beginning; at most a thousand facts behind a version.
    ///
    /// # Errors
    ///
    /// [`ReadError`]: as for reading the aggregate itself.
    pub async fn history<A: Aggregate>(
        &self,
        id: Id<A::Root>,
        after: Version,
    ) -> Result<Vec<HistoryEntry>, ReadError> {
        if self.query(ById::<A>(id)).await?.is_none() {
            return Ok(Vec::new());
        }
        let stream = stream_of::<A>(id);
        let events = self.store().read_stream(&stream, after, MAX_PAGE).await?;
        let entry = |recorded: &Arc<crate::kernel::event::RecordedEvent>| HistoryEntry {
            position: recorded.position,
            version: recorded.version,
            at: recorded.event.at,
            actor: recorded.event.metadata.actor,
            name: recorded.event.name.clone().into_owned(),
            data: serde_json::from_slice(&recorded.event.data).unwrap_or(Value::Null),
        };
        Ok(events.iter().map(entry).collect())
    }
}
