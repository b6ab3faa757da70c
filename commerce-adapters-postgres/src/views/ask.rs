//! Questions: documents by id, pages, counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use commerce_core::kernel::error::Effect;
use commerce_core::kernel::stream::Label;
use commerce_core::port::view::{
    Direction, Document, FacetCount, FacetQuery, Facets, FieldKind, FieldValue, MAX_FACET_VALUES,
    MAX_MATCHES, MAX_VIEW_PAGE, ViewError, ViewPage, ViewQuery,
};
use commerce_core::value::time::Timestamp;
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::PgViews;
use super::row::document;
use super::sql::Sql;
use super::table::{Table, column};
use crate::error::port_error;

pub(super) async fn get(
    views: &PgViews,
    view: (&str, Option<u32>),
    ids: Vec<Arc<str>>,
) -> Result<Vec<Option<Document>>, ViewError> {
    let question = |table: &Table| {
        let mut sql = Sql::default();
        sql.push(format_args!("select {} from {} t where t.id = any (", table.columns(), table.name));
        sql.bind(FieldValue::texts(ids.iter().cloned()));
        sql.push(format_args!(")"));
        Ok(sql)
    };
    let (table, rows) = views.ask(view, "get", question).await?;
    let found = documents(&table, &rows)?.into_iter();
    let found: BTreeMap<Arc<str>, Document> = found.map(|found| (found.id.clone(), found)).collect();
    Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
}

fn documents(table: &Table, rows: &[PgRow]) -> Result<Vec<Document>, ViewError> {
    let found: Result<Vec<_>, sqlx::Error> = rows.iter().map(|row| document(&table.schema, row)).collect();
    found.map_err(|error| port_error("read", Effect::None, &error).into())
}

pub(super) async fn find(views: &PgViews, query: ViewQuery) -> Result<ViewPage, ViewError> {
    let limit = query.limit.min(MAX_VIEW_PAGE) as usize;
    let question = |table: &Table| {
        query.check(&table.schema)?;
        Ok(page(table, &query, limit))
    };
    let (table, rows) = views.ask((&query.view, query.generation), "find", question).await?;
    let mut documents = documents(&table, &rows)?;
    let more = documents.len() > limit;
    documents.truncate(limit);
    let next = documents.last().filter(|_| more).map(|last| query.cursor(last));
    Ok(ViewPage { documents, next })
}

/// A page and one document more, which tells whether more follow.
fn page(table: &Table, query: &ViewQuery, limit: usize) -> Sql {
    let mut sql = Sql::default();
    sql.push(format_args!("select {} from {} t", table.columns(), table.name));
    sql.conditions(table, &query.selection);
    let (operator, direction) = match query.sort.direction {
        Direction::Ascending => (">", "asc"),
        Direction::Descending => ("<", "desc"),
    };
    let field = query.sort.field.as_deref().map(column);
    if let Some(cursor) = &query.after {
        if let (Some(field), Some(value)) = (&field, &cursor.value) {
            sql.push(format_args!(" and (t.{field}, t.id) {operator} ("));
            sql.bind(value.clone());
            sql.push(format_args!(", "));
        } else {
            sql.push(format_args!(" and t.id {operator} ("));
        }
        sql.bind(FieldValue::Text(cursor.id.clone()));
        sql.push(format_args!(")"));
    }
    sql.push(format_args!(" order by "));
    if let Some(field) = field {
        sql.push(format_args!("t.{field} {direction}, "));
    }
    sql.push(format_args!("t.id {direction} limit {}", limit.saturating_add(1)));
    sql
}

pub(super) async fn facets(views: &PgViews, query: FacetQuery) -> Result<Facets, ViewError> {
    let question = |table: &Table| {
        query.check(&table.schema)?;
        counts(table, &query)
    };
    let (table, rows) = views.ask((&query.view, None), "facets", question).await?;
    let read = || -> Result<Facets, sqlx::Error> {
        let mut fields: Vec<(Label, Vec<FacetCount>)> =
            query.fields.iter().map(|field| (field.clone(), Vec::new())).collect();
        let mut matches = 0_u64;
        for row in &rows {
            let place: i32 = row.try_get(0)?;
            let count = u64::try_from(row.try_get::<i64, _>(2)?).unwrap_or(0);
            match usize::try_from(place).ok().and_then(|place| fields.get_mut(place)) {
                Some((field, values)) => {
                    let kind = table.schema.field(field).map(|field| field.kind);
                    let value = kind.ok().zip(row.try_get(1)?).and_then(|(kind, text)| parsed(kind, text));
                    let value = value.ok_or_else(|| sqlx::Error::Decode("not a value".into()))?;
                    values.push(FacetCount { value, count });
                }
                None => matches = count,
            }
        }
        Ok(Facets { fields, matches: matches.min(MAX_MATCHES), more: matches > MAX_MATCHES })
    };
    read().map_err(|error| port_error("facets", Effect::None, &error).into())
}

/// Counts of every field among the matches. One match more than may be looked at tells that there are more;
/// it is counted nowhere else.
fn counts(table: &Table, query: &FacetQuery) -> Result<Sql, ViewError> {
    let mut sql = Sql::default();
    sql.push(format_args!("with found as materialized (select t.* from {} t", table.name));
    sql.conditions(table, &query.selection);
    let one_more = MAX_MATCHES.saturating_add(1);
    sql.push(format_args!(" limit {one_more}), hits as (select * from found limit {MAX_MATCHES}) "));
    sql.push(format_args!("select -1, null::text, count(*) from found"));
    let limit = query.limit.min(MAX_FACET_VALUES);
    for (place, field) in query.fields.iter().enumerate() {
        let (kind, column) = (table.schema.field(field)?.kind, column(field));
        let (value, from) = match kind {
            FieldKind::Texts => ("v.value collate \"C\"", format!("hits h, unnest(h.{column}) v (value)")),
            _ => ("h.value", format!("(select {column} as value from hits) h")),
        };
        let shown = match kind {
            FieldKind::Moment => "(extract(epoch from c.value) * 1000000)::bigint",
            _ => "c.value",
        };
        sql.push(format_args!(
            " union all (select {place}, ({shown})::text, c.count from \
               (select {value} as value, count(*) as count from {from} where {value} is not null \
                group by 1 order by 2 desc, 1 limit {limit}) c order by c.count desc, c.value)"
        ));
    }
    Ok(sql)
}

/// A value as it was counted.
fn parsed(kind: FieldKind, text: &str) -> Option<FieldValue> {
    Some(match kind {
        FieldKind::Text | FieldKind::Texts => FieldValue::text(text),
        FieldKind::Integer => FieldValue::Integer(text.parse().ok()?),
        FieldKind::Moment => FieldValue::Moment(Timestamp::from_micros(text.parse().ok()?).ok()?),
        FieldKind::Flag => FieldValue::Flag(text == "true"),
    })
}
