//! A row as a document.

use std::collections::BTreeMap;
use std::sync::Arc;

use commerce_core::port::view::{Document, FieldKind, FieldValue, ViewSchema};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::types::Moment;

/// Reads the columns that [`Table::columns`](super::table::Table::columns) names.
pub(super) fn document(schema: &ViewSchema, row: &PgRow) -> Result<Document, sqlx::Error> {
    let mut fields = BTreeMap::new();
    for (field, index) in schema.fields().iter().zip(3_usize..) {
        if let Some(value) = value(field.kind, row, index)? {
            fields.insert(field.name.clone(), value);
        }
    }
    let body: Arc<[u8]> = row.try_get::<&str, _>(1)?.as_bytes().into();
    let searched = row.try_get::<Option<&str>, _>(2)?.map(Arc::from);
    Ok(Document { id: row.try_get::<&str, _>(0)?.into(), body, fields, searched })
}

fn value(kind: FieldKind, row: &PgRow, index: usize) -> Result<Option<FieldValue>, sqlx::Error> {
    Ok(match kind {
        FieldKind::Text => row.try_get::<Option<&str>, _>(index)?.map(FieldValue::text),
        FieldKind::Texts => row.try_get::<Option<Vec<String>>, _>(index)?.map(FieldValue::texts),
        FieldKind::Integer => row.try_get::<Option<i64>, _>(index)?.map(FieldValue::Integer),
        FieldKind::Moment => {
            row.try_get::<Option<Moment>, _>(index)?.map(|moment| FieldValue::Moment(moment.0))
        }
        FieldKind::Flag => row.try_get::<Option<bool>, _>(index)?.map(FieldValue::Flag),
    })
}
