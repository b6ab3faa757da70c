//! Documents for the checks.

use std::sync::Arc;

use commerce_core::kernel::stream::{Position, Slice};
use commerce_core::port::view::{
    Change, Document, FieldKind, FieldValue, Selection, Sort, ViewBatch, ViewId, ViewPage, ViewQuery,
    ViewSchema,
};
use commerce_core::value::time::Timestamp;

use super::super::outcome::Failure;
use super::fixture::ViewFixture;

/// The view that the checks write.
pub(super) const VIEW: &str = "things";

/// A generation of it.
pub(super) fn schema(generation: u32) -> ViewSchema {
    ViewSchema::new(VIEW, generation)
        .required("name", FieldKind::Text)
        .required("rank", FieldKind::Integer)
        .optional("kind", FieldKind::Text)
        .optional("tags", FieldKind::Texts)
        .optional("at", FieldKind::Moment)
        .optional("fine", FieldKind::Flag)
}

/// A document of it.
pub(super) fn thing(id: &str, name: &str, rank: i64) -> Document {
    Document::new(id, format!("{{\"name\":{name:?}}}").into_bytes())
        .with("name", FieldValue::text(name))
        .with("rank", FieldValue::Integer(rank))
}

/// A place in a log.
pub(super) fn at(number: u64) -> Position {
    Position::from_parts(7, number)
}

/// A moment.
pub(super) fn moment(seconds: i64) -> FieldValue {
    FieldValue::Moment(Timestamp::from_micros(seconds.saturating_mul(1_000_000)).unwrap_or(Timestamp::MIN))
}

/// What leads a generation from one place of the log to the next.
pub(super) fn step(generation: u32, after: Position, next: Position, changes: Vec<Change>) -> ViewBatch {
    ViewBatch { view: ViewId::new(VIEW, generation), slice: Slice::ALL, after, next, changes }
}

pub(super) fn puts(documents: impl IntoIterator<Item = Document>) -> Vec<Change> {
    documents.into_iter().map(Change::Put).collect()
}

/// A store with the first generation, and these documents in it.
pub(super) async fn with(
    f: &ViewFixture,
    documents: impl IntoIterator<Item = Document> + Send,
) -> Result<(), Failure> {
    let changes = puts(documents);
    f.views().define(schema(1)).await?;
    f.views().write(step(1, Position::START, at(1), changes)).await?;
    Ok(())
}

/// Where the first generation stands.
pub(super) async fn checkpoint(f: &ViewFixture) -> Result<Option<Position>, Failure> {
    Ok(f.views().state(VIEW).await?.checkpoint(1, Slice::ALL))
}

/// One document of the generation that is read.
pub(super) async fn get(f: &ViewFixture, id: &str) -> Result<Option<Document>, Failure> {
    let found = f.views().get(VIEW, None, vec![id.into()]).await?;
    found.into_iter().next().ok_or_else(|| Failure::new("an answer per id is missing"))
}

pub(super) fn ids(page: &ViewPage) -> Vec<&str> {
    page.documents.iter().map(|document| &*document.id).collect()
}

/// The documents that are selected, by id.
pub(super) async fn selected(f: &ViewFixture, selection: Selection) -> Result<Vec<Arc<str>>, Failure> {
    let page = f.views().find(ViewQuery::new(VIEW, 100).selecting(selection)).await?;
    Ok(page.documents.into_iter().map(|document| document.id).collect())
}

/// All documents in an order.
pub(super) async fn sorted(f: &ViewFixture, sort: Sort) -> Result<Vec<Arc<str>>, Failure> {
    let page = f.views().find(ViewQuery::new(VIEW, 100).sorted(sort)).await?;
    Ok(page.documents.into_iter().map(|document| document.id).collect())
}
