//! Read models: lists and searches, filled from the log and behind it.
//!
//! A [`Projection`] says what an event makes of a document. A [`Projector`] follows the log with it and
//! writes documents together with how far it came. A [`View`] is what is asked. What is read here may be
//! shown, never decided on.
//!
//! A projection that changes gets another generation: the new one is filled beside the one that is read,
//! takes its place when it has caught up, and whoever still fills the old one ends.

mod orders;
mod projector;
mod reading;
mod stock;

use std::fmt::Debug;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use orders::OrderList;
pub use projector::{Indivisible, ProjectionRound, Projector, ProjectorError};
pub use reading::{Asked, Listed, View, ViewReadError};
pub use stock::StockOverview;

use crate::kernel::codec::CodecError;
use crate::kernel::event::RecordedEvent;
use crate::port::view::{Document, Filter, ViewSchema};
use crate::value::actor::Actor;

/// An event does not fit a document: the projection or the log is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectionError {
    /// The event cannot be read. One that is newer than this program is passed over.
    #[error("an event cannot be read")]
    Codec(#[from] CodecError),
    /// The event cannot follow what is known.
    #[error("{event} cannot follow what is known")]
    Stray {
        /// The event.
        event: String,
    },
}

impl ProjectionError {
    /// The event cannot follow what is known.
    pub fn stray(event: &RecordedEvent) -> Self {
        Self::Stray { event: event.event.name.clone().into_owned() }
    }
}

/// What events make of the documents of a view.
///
/// Pure: the same log gives the same documents, byte for byte, however often and in whatever portions it is
/// followed. Personal values stay out of documents: an erasure does not reach them.
pub trait Projection: Debug + Send + Sync + 'static {
    /// The aggregate whose permission `read` is asked of whoever looks.
    const AGGREGATE: &'static str;
    /// Whether every document follows events of one stream only, so that runners may share the log by slices.
    const BY_STREAM: bool = false;
    /// What is kept per document.
    type Document: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;

    /// The view's name, its generation, and the fields by which it is asked. Constant; raise the
    /// generation with every change of what documents are made of.
    fn schema(&self) -> ViewSchema;

    /// The documents that an event concerns, each once; none for an event of no interest. Follows from the
    /// event alone.
    ///
    /// # Errors
    ///
    /// [`ProjectionError`].
    fn concerns(&self, event: &RecordedEvent) -> Result<Vec<Arc<str>>, ProjectionError>;

    /// What the event makes of one of them; `None` removes it.
    ///
    /// # Errors
    ///
    /// [`ProjectionError`].
    fn apply(
        &self,
        event: &RecordedEvent,
        id: &str,
        known: Option<Self::Document>,
    ) -> Result<Option<Self::Document>, ProjectionError>;

    /// Adds to a blank entry what it is found by.
    fn index(&self, document: &Self::Document, blank: Document) -> Document;

    /// What an actor who is not staff may see: documents that meet this. `None`, which is the default, for
    /// nothing.
    fn visible_to(&self, _actor: Actor) -> Option<Filter> {
        None
    }
}
