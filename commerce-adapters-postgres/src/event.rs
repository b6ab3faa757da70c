//! Events and what stands beside them, read from rows.

use std::sync::Arc;

use commerce_core::kernel::event::{EventId, Metadata, NewEvent, RecordedEvent};
use commerce_core::kernel::personal::PersonalValue;
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::value::id::SubjectId;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::commit::position_of;
use crate::types::Moment;

/// The columns of an event `e` with its personal values `p`, in the order of [`event`].
pub(crate) const COLUMNS: &str = "e.tx, e.position, e.kind, e.id, e.version, e.event_id, e.type, e.schema, \
     e.at, e.correlation, e.causation, e.actor, e.data, p.fields, p.subjects, p.contents";
/// Joins the personal values.
pub(crate) const PERSONAL: &str = "left join lateral (\
     select array_agg(p.field order by p.field) as fields, array_agg(p.subject order by p.field) as subjects, \
            array_agg(p.value order by p.field) as contents \
     from commerce.personal p \
     where e.personal > 0 and p.id = e.id and p.kind = e.kind and p.version = e.version) p on true";

/// What cannot be what was written.
pub(crate) fn damaged(what: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(what.into())
}

/// A number that is never below zero.
pub(crate) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The event whose columns start at `at`.
pub(crate) fn event(row: &PgRow, at: usize) -> Result<Arc<RecordedEvent>, sqlx::Error> {
    let actor: &str = row.try_get(at + 11)?;
    let metadata = Metadata {
        correlation: row.try_get(at + 9)?,
        causation: row.try_get(at + 10)?,
        actor: serde_json::from_str(actor).map_err(|_| damaged("an actor"))?,
    };
    let event = NewEvent {
        id: EventId::from_uuid(row.try_get(at + 5)?).map_err(|_| damaged("an event's id"))?,
        name: row.try_get::<String, _>(at + 6)?.into(),
        schema: schema(row.try_get(at + 7)?)?,
        at: row.try_get::<Moment, _>(at + 8)?.0,
        metadata,
        data: row.try_get::<&[u8], _>(at + 12)?.into(),
        personal: personal(row, at + 13)?,
    };
    Ok(Arc::new(RecordedEvent {
        position: position_of(row.try_get(at)?, row.try_get(at + 1)?),
        stream: StreamId::new(row.try_get::<String, _>(at + 2)?, row.try_get(at + 3)?),
        version: Version::new(count(row.try_get(at + 4)?)),
        event,
    }))
}

/// A schema number.
pub(crate) fn schema(number: i32) -> Result<u16, sqlx::Error> {
    u16::try_from(number).map_err(|_| damaged("a schema number"))
}

/// A data subject.
pub(crate) fn subject(id: Uuid) -> Result<SubjectId, sqlx::Error> {
    SubjectId::from_uuid(id).map_err(|_| damaged("a subject"))
}

fn personal(row: &PgRow, at: usize) -> Result<Vec<PersonalValue>, sqlx::Error> {
    let Some(fields) = row.try_get::<Option<Vec<i32>>, _>(at)? else { return Ok(Vec::new()) };
    let subjects: Vec<Uuid> = row.try_get(at + 1)?;
    let contents: Vec<Option<Vec<u8>>> = row.try_get(at + 2)?;
    let values = fields.into_iter().zip(subjects).zip(contents);
    values
        .map(|((field, id), content)| {
            let field = u16::try_from(field).map_err(|_| damaged("a field"))?;
            Ok(PersonalValue { field, subject: subject(id)?, value: content.map(Arc::from) })
        })
        .collect()
}
