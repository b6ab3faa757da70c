//! Read models: documents with declared fields, written together with how far the log was followed.
//!
//! A view is rebuilt from the log at any time. It has *generations*: a new one is filled beside the one that
//! is read, and then takes its place. Nothing that is read here may be decided on: it is behind the log.

mod document;
mod query;
mod schema;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

pub use document::{Change, Document, FieldValue, ViewBatch, search_words};
pub use query::{
    Cursor, Direction, FacetCount, FacetQuery, Facets, Filter, MAX_FACET_VALUES, MAX_MATCHES, MAX_VIEW_PAGE,
    Selection, Sort, ViewPage, ViewQuery,
};
pub use schema::{Field, FieldKind, InvalidSchema, ViewSchema};

use crate::kernel::error::PortError;
use crate::kernel::stream::{Label, Position, Slice};

/// One generation of a view.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewId {
    /// The view.
    pub name: Label,
    /// Which of its generations, from 1.
    pub generation: u32,
}

impl ViewId {
    /// A generation of the view of this name.
    pub fn new(name: impl Into<Label>, generation: u32) -> Self {
        Self { name: name.into(), generation }
    }
}

/// What a store knows of a view.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ViewState {
    /// The generation that is read; `None` where the view was never defined.
    pub live: Option<u32>,
    /// Every generation there is, with how far each slice has followed the log. A slice that wrote nothing
    /// yet is not named.
    pub generations: Vec<(u32, Vec<(Slice, Position)>)>,
}

impl ViewState {
    /// How far a slice of a generation has followed the log; the start where it wrote nothing yet, `None`
    /// where there is no such generation.
    pub fn checkpoint(&self, generation: u32, slice: Slice) -> Option<Position> {
        let (_, slices) = self.generations.iter().find(|(number, _)| *number == generation)?;
        let known = slices.iter().find(|(known, _)| *known == slice);
        Some(known.map_or(Position::START, |(_, position)| *position))
    }
}

/// A store of views refuses or fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// There is no such view, or no such generation of it.
    #[error("there is no view {0}")]
    Unknown(Label),
    /// The generation is there with other fields.
    #[error("this generation of the view {0} has other fields")]
    Differs(Label),
    /// A later generation is read already.
    #[error("generation {live} of the view has taken its place")]
    Retired {
        /// The one that is read.
        live: u32,
    },
    /// The log was not followed to where the writer thinks: somebody else has written.
    #[error("the view was written by somebody else")]
    Moved {
        /// How far it was followed.
        actual: Position,
    },
    /// A document or a question does not fit the view's fields.
    #[error("{0}")]
    Invalid(Label),
    /// The store failed.
    #[error("the store of views failed")]
    Port(#[from] PortError),
}

/// Keeps read models.
#[async_trait]
pub trait ViewStore: Debug + Send + Sync + 'static {
    /// Makes a generation of a view ready to be written.
    ///
    /// # Contract
    ///
    /// The first generation of a view is the one that is read; a later one is filled beside it until
    /// [`switch`](Self::switch). Repeating it does nothing; the same generation with other fields is
    /// `Differs`, one below that which is read is `Retired`.
    async fn define(&self, schema: ViewSchema) -> Result<(), ViewError>;

    /// Which generations a view has, and how far they are.
    ///
    /// # Contract
    ///
    /// Generations and slices ascending. A view that was never defined is an empty answer.
    async fn state(&self, view: &str) -> Result<ViewState, ViewError>;

    /// Writes documents and how far the log was followed, all or nothing.
    ///
    /// # Contract
    ///
    /// *Atomic*: no reader sees a part. `Moved` where the slice's checkpoint is not `batch.after`; a refusal
    /// changes nothing. Changes are made in their order: the last of a document counts. Removing what is not
    /// there does nothing. `Invalid` where a document does not fit the schema. *Idempotency*: a batch whose
    /// effect is unknown may be written again: it is `Moved` to its own `next` where it was applied.
    async fn write(&self, batch: ViewBatch) -> Result<(), ViewError>;

    /// Documents by their ids.
    ///
    /// # Contract
    ///
    /// In the order of the ids, `None` for what is not there. Of the generation that is named, or of the one
    /// that is read.
    async fn get(
        &self,
        view: &str,
        generation: Option<u32>,
        ids: Vec<Arc<str>>,
    ) -> Result<Vec<Option<Document>>, ViewError>;

    /// A page of the documents that a question selects.
    ///
    /// # Contract
    ///
    /// All filters hold, and every word of the search begins a word of the document's text. Sorted by one
    /// field that every document has, texts by their bytes, then by id; at most `limit` and
    /// [`MAX_VIEW_PAGE`]. A page begins behind its cursor, also where the document of the cursor is gone.
    /// `next` is there where more may follow.
    async fn find(&self, query: ViewQuery) -> Result<ViewPage, ViewError>;

    /// How often the values of fields occur among the documents that a question selects.
    ///
    /// # Contract
    ///
    /// Per field at most `limit` and [`MAX_FACET_VALUES`] values, the most frequent first, equal ones
    /// ascending. A text of several counts once for each. No more than [`MAX_MATCHES`] documents are looked
    /// at; where there are more, the counts are lower bounds and the answer says so.
    async fn facets(&self, query: FacetQuery) -> Result<Facets, ViewError>;

    /// Lets a generation be the one that is read, and removes the earlier ones.
    ///
    /// # Contract
    ///
    /// At once for every reader. Repeating it does nothing; one below that which is read is `Retired`.
    async fn switch(&self, view: &ViewId) -> Result<(), ViewError>;
}
