//! Documents and their checkpoint, in one statement.

use std::collections::BTreeMap;
use std::sync::Arc;

use commerce_core::kernel::error::Effect;
use commerce_core::kernel::stream::Slice;
use commerce_core::port::view::{Change, Document, FieldValue, ViewBatch, ViewError, search_words};
use serde_json::{Map, Value, json};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::PgViews;
use super::define::{is_gone, state};
use super::table::column;
use crate::error::{Verdict, port_error, verdict};
use crate::read::parts;

/// How often a statement is made again that the server undid.
const ATTEMPTS: u32 = 5;

pub(super) async fn write(views: &PgViews, batch: ViewBatch) -> Result<(), ViewError> {
    let (name, generation) = (batch.view.name.clone(), batch.view.generation);
    let table = views.table(&name, Some(generation)).await?;
    let mut last: BTreeMap<Arc<str>, Option<Document>> = BTreeMap::new();
    for change in batch.changes {
        match change {
            Change::Put(document) => {
                table.schema.accepts(&document)?;
                last.insert(document.id.clone(), Some(document));
            }
            Change::Remove(id) => drop(last.insert(id, None)),
        }
    }
    let removed: Vec<String> =
        last.iter().filter(|(_, document)| document.is_none()).map(|(id, _)| id.to_string()).collect();
    let put: Vec<Value> = last.into_values().flatten().map(|document| row(&document)).collect();
    let put = Value::Array(put).to_string();
    let (after, next) = (parts(batch.after), parts(batch.next));
    for attempt in 1.. {
        let call = sqlx::query(table.write.clone())
            .bind(&*name)
            .bind(i64::from(generation))
            .bind(i32::from(batch.slice.index()))
            .bind(i32::from(batch.slice.of()))
            .bind(after.0)
            .bind(after.1)
            .bind(next.0)
            .bind(next.1)
            .bind(put.as_str())
            .bind(removed.as_slice());
        match views.store.try_write("write", call).await? {
            Ok(rows) => {
                let (known, moved) = told(&rows)?;
                return match (known, moved) {
                    (_, true) => Ok(()),
                    (true, false) => Err(moved_to(views, &name, generation, batch.slice).await?),
                    (false, false) => Err(ViewError::Unknown(name)),
                };
            }
            // Another writer of the same slice, or of the same documents, was faster.
            Err(error) if verdict(&error) == Verdict::Again && attempt < ATTEMPTS && !is_gone(&error) => {}
            Err(error) if is_gone(&error) => {
                views.forget(&name);
                return Err(ViewError::Unknown(name));
            }
            Err(error) => return Err(port_error("write", Effect::Unknown, &error).into()),
        }
    }
    Ok(())
}

/// Whether the generation is there, and whether the checkpoint moved.
fn told(rows: &[PgRow]) -> Result<(bool, bool), ViewError> {
    let read = |row: &PgRow| -> Result<_, sqlx::Error> { Ok((row.try_get(0)?, row.try_get(1)?)) };
    let told = rows.first().map(read).transpose();
    let told = told.map_err(|error| port_error("write", Effect::Unknown, &error))?;
    Ok(told.unwrap_or((false, false)))
}

/// The refusal of a write from elsewhere. Where the checkpoint stands is asked anew: the statement saw it as
/// it was before it waited for the writer who was faster.
async fn moved_to(
    views: &PgViews,
    name: &str,
    generation: u32,
    slice: Slice,
) -> Result<ViewError, ViewError> {
    let state = state(views, name).await?;
    let actual = state.checkpoint(generation, slice);
    Ok(actual
        .map_or_else(|| ViewError::Unknown(name.to_owned().into()), |actual| ViewError::Moved { actual }))
}

/// A document as a row of the call.
fn row(document: &Document) -> Value {
    let mut row = Map::new();
    row.insert("id".to_owned(), json!(&*document.id));
    row.insert("body".to_owned(), json!(String::from_utf8_lossy(&document.body)));
    if let Some(searched) = document.searched.as_deref() {
        row.insert("searched".to_owned(), json!(searched));
        row.insert("words".to_owned(), json!(search_words(searched)));
    }
    for (field, value) in &document.fields {
        let value = match value {
            FieldValue::Text(text) => json!(&**text),
            FieldValue::Texts(texts) => json!(texts.iter().map(|text| &**text).collect::<Vec<_>>()),
            FieldValue::Integer(number) => json!(number),
            FieldValue::Moment(moment) => json!(moment.to_string()),
            FieldValue::Flag(flag) => json!(flag),
        };
        row.insert(column(field), value);
    }
    Value::Object(row)
}
