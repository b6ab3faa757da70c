//! Follows the log with a projection.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use super::{Projection, ProjectionError};
use crate::app::commerce::Commerce;
use crate::app::lag::Lag;
use crate::app::observing::span::Span;
use crate::app::running::{Pace, Stop, Turned};
use crate::identity::{Denied, authorise};
use crate::kernel::aggregate::Permission;
use crate::kernel::codec::CodecError;
use crate::kernel::error::{Effect, PortError, PortErrorKind};
use crate::kernel::event::RecordedEvent;
use crate::kernel::stream::{Position, Slice};
use crate::port::observer::{Behind, Signal};
use crate::port::store::{LogQuery, MAX_PAGE};
use crate::port::view::{Change, Document, ViewBatch, ViewError, ViewId, ViewSchema, ViewStore};
use crate::value::actor::{Actor, Owner};

/// About how many documents are changed at once: a page ends early behind the event that reaches it.
const DOCUMENTS: usize = 1000;

/// A projector cannot go on; nothing is lost, and the next round goes on where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectorError {
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Port(#[from] PortError),
    /// The store of views refuses or fails. [`ViewError::Retired`] where a later generation is read.
    #[error("the store of views refuses")]
    View(#[from] ViewError),
    /// An event does not fit.
    #[error("an event does not fit")]
    Projection(#[from] ProjectionError),
}

/// The documents of a projection follow several streams, so that its log cannot be shared by slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a document of this view follows several streams")]
pub struct Indivisible;

/// What one round of a projector has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProjectionRound {
    /// Events that were followed.
    pub events: u32,
    /// Documents that were written or removed.
    pub documents: u32,
    /// Whether the end of the log was reached.
    pub end: bool,
}

/// A projection at work on a slice of the log.
///
/// Several of one slice do no harm: a page is written by one of them, and the others go on behind it.
#[derive(Debug, Clone)]
pub struct Projector<P> {
    shop: Commerce,
    views: Arc<dyn ViewStore>,
    projection: Arc<P>,
    schema: ViewSchema,
    slice: Slice,
}

impl Commerce {
    /// Fills a view. For staff and the system.
    ///
    /// # Errors
    ///
    /// [`Denied`].
    pub fn projector<P: Projection>(
        &self,
        projection: P,
        views: Arc<dyn ViewStore>,
    ) -> Result<Projector<P>, Denied> {
        let permission = Permission::new("consumer_progress", "advance");
        authorise(&self.request.principal, permission, Some(Owner::Shop))?;
        let shop = self.acting_as(Actor::System);
        let schema = projection.schema();
        Ok(Projector { shop, views, projection: Arc::new(projection), schema, slice: Slice::ALL })
    }
}

impl<P: Projection> Projector<P> {
    /// Only the streams of one slice; runners of the other slices may run anywhere. All runners of one
    /// generation divide the log in the same way.
    ///
    /// # Errors
    ///
    /// [`Indivisible`] for a projection that is not [`BY_STREAM`](Projection::BY_STREAM).
    pub fn within(mut self, slice: Slice) -> Result<Self, Indivisible> {
        if slice.of() > 1 && !P::BY_STREAM {
            return Err(Indivisible);
        }
        self.slice = slice;
        Ok(self)
    }

    /// Fills another generation than the projection's own: to rebuild a view whose projection is the same.
    #[must_use]
    pub fn generation(mut self, generation: u32) -> Self {
        self.schema = self.schema.generation(generation);
        self
    }

    /// Reads one page on and writes what it makes of the documents.
    ///
    /// # Errors
    ///
    /// [`ProjectorError`]; the next round goes on.
    pub async fn round(&self) -> Result<ProjectionRound, ProjectorError> {
        let span = Span::round("projector", &self.schema.id().name, self.slice);
        span.around(self.one_round()).await
    }

    async fn one_round(&self) -> Result<ProjectionRound, ProjectorError> {
        let after = self.checkpoint().await?;
        let page = self.shop.store().read_all(LogQuery::after(after, MAX_PAGE).within(self.slice)).await?;
        let mut round = ProjectionRound { end: page.events.is_empty(), ..ProjectionRound::default() };
        if page.next == after {
            self.followed(None);
            return Ok(round);
        }
        let mut concerned: Vec<(&Arc<RecordedEvent>, Vec<Arc<str>>)> = Vec::new();
        let mut ids: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut next = page.next;
        for event in &page.events {
            if ids.len() >= DOCUMENTS {
                break;
            }
            let of_event = readable(self.projection.concerns(event))?.unwrap_or_default();
            ids.extend(of_event.iter().cloned());
            concerned.push((event, of_event));
            next = event.position;
        }
        if concerned.len() == page.events.len() {
            next = page.next;
        }
        let changes = match self.changes(&concerned, ids).await {
            // Documents that somebody else has brought further do not fit the events behind them.
            Err(ProjectorError::Projection(_)) if self.checkpoint().await? != after => {
                return Ok(ProjectionRound::default());
            }
            changes => changes?,
        };
        round.events = u32::try_from(concerned.len()).unwrap_or(u32::MAX);
        round.documents = u32::try_from(changes.len()).unwrap_or(u32::MAX);
        let view = self.schema.id().clone();
        match self.views.write(ViewBatch { view, slice: self.slice, after, next, changes }).await {
            // Somebody else runs this projector and was faster.
            Err(ViewError::Moved { .. }) => Ok(ProjectionRound::default()),
            written => {
                written?;
                self.followed(concerned.last().map(|(last, _)| &***last));
                Ok(round)
            }
        }
    }

    /// Signals how far it is behind, having gone through a page that ends with this event.
    fn followed(&self, last: Option<&RecordedEvent>) {
        self.shop.signal(|| self.signal_of(self.shop.behind(last)));
    }

    fn signal_of(&self, behind: Behind) -> Signal<'_> {
        let ViewId { name, generation } = self.schema.id();
        Signal::ProjectionLag { view: name, generation: *generation, slice: self.slice, behind }
    }

    /// What events make of the documents that they concern.
    async fn changes(
        &self,
        concerned: &[(&Arc<RecordedEvent>, Vec<Arc<str>>)],
        ids: BTreeSet<Arc<str>>,
    ) -> Result<Vec<Change>, ProjectorError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Arc<str>> = ids.into_iter().collect();
        let name = self.schema.id().name.clone();
        let generation = Some(self.schema.id().generation);
        let found = self.views.get(&name, generation, ids.clone()).await?;
        let mut known: BTreeMap<Arc<str>, Option<P::Document>> = BTreeMap::new();
        for (id, document) in ids.iter().zip(found) {
            known.insert(id.clone(), document.map(|document| read(&document)).transpose()?);
        }
        for (event, of_event) in concerned {
            for id in of_event {
                let Some(document) = known.get_mut(id) else { continue };
                let before = document.clone();
                if let Some(after) = readable(self.projection.apply(event, id, before))? {
                    *document = after;
                }
            }
        }
        let mut changes = Vec::with_capacity(known.len());
        for (id, document) in known {
            changes.push(match document {
                Some(document) => {
                    let body = serde_json::to_vec(&document).map_err(|_| corrupt("write"))?;
                    Change::Put(self.projection.index(&document, Document::new(id, body)))
                }
                None => Change::Remove(id),
            });
        }
        Ok(changes)
    }

    /// How far this slice was followed; makes the generation ready where it is not there.
    async fn checkpoint(&self) -> Result<Position, ProjectorError> {
        let id = self.schema.id();
        let state = self.views.state(&id.name).await?;
        if let Some(position) = state.checkpoint(id.generation, self.slice) {
            return Ok(position);
        }
        self.views.define(self.schema.clone()).await?;
        Ok(Position::START)
    }

    /// How many events of its slice it has not followed; writes nothing.
    ///
    /// # Errors
    ///
    /// [`ProjectorError`].
    pub async fn lag(&self) -> Result<Lag, ProjectorError> {
        let id = self.schema.id();
        let state = self.views.state(&id.name).await?;
        let after = state.checkpoint(id.generation, self.slice).unwrap_or(Position::START);
        let lag = self.shop.lag_behind(after, self.slice).await?;
        self.shop.signal(|| self.signal_of(lag.behind()));
        Ok(lag)
    }

    /// Follows the log to its end.
    ///
    /// # Errors
    ///
    /// [`ProjectorError`].
    pub async fn catch_up(&self) -> Result<(), ProjectorError> {
        while !self.round().await?.end {}
        Ok(())
    }

    /// Lets this generation be the one that is read, and removes the earlier ones. Every slice has to have
    /// caught up; [`run`](Self::run) does it by itself where there is one slice.
    ///
    /// # Errors
    ///
    /// [`ProjectorError::View`].
    pub async fn switch(&self) -> Result<(), ProjectorError> {
        Ok(self.views.switch(self.schema.id()).await?)
    }

    /// Follows the log until `stop` is ready or a later generation has taken this one's place; the round
    /// under way is finished first. A generation that is filled beside the one that is read takes its place
    /// when it has reached the end, except where it is filled in slices.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        let mut stop = pin!(stop);
        let mut stop = Stop::new(stop.as_mut());
        let mut pace = Pace::default();
        let mut beside = self.slice == Slice::ALL;
        loop {
            let round = self.round().await;
            let turned = match &round {
                Err(ProjectorError::View(ViewError::Retired { .. })) => return,
                Err(_) => Turned::Failed,
                Ok(round) if round.end => Turned::End,
                Ok(_) => Turned::More,
            };
            if turned == Turned::End && beside {
                beside = self.switch().await.is_err();
            }
            // A round that fails is made again after a while: what it did not do is still to do.
            let until = self.shop.now().plus(pace.behind(turned));
            if stop.or_sleep(self.shop.sleeper(), until).await {
                return;
            }
        }
    }
}

/// An event that is newer than this program is passed over: readers tolerate what deciders must not.
fn readable<T>(read: Result<T, ProjectionError>) -> Result<Option<T>, ProjectionError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(ProjectionError::Codec(CodecError::TooNew { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn read<D: serde::de::DeserializeOwned>(document: &Document) -> Result<D, PortError> {
    serde_json::from_slice(&document.body).map_err(|_| corrupt("read"))
}

const fn corrupt(operation: &'static str) -> PortError {
    PortError::new(PortErrorKind::Corrupt, Effect::None, "views", operation)
}
