//! The table of a generation: its columns, and the statements that do not change with the question.

use commerce_core::kernel::stream::Label;
use commerce_core::port::view::{Field, FieldKind, ViewId, ViewSchema};
use sqlx::postgres::PgRow;
use sqlx::{Row, SqlStr};

use crate::Schema;

/// A generation with its fields, and whether it is the one that is read.
pub(super) const LOOK_UP: &str = "select generation, live, fields::text from commerce.views \
     where name = $1 and (generation = $2 or $2 is null and live)";

/// A generation, as its table is laid out.
pub(super) struct Table {
    pub(super) id: ViewId,
    pub(super) schema: ViewSchema,
    /// Quoted and with its schema, ready for SQL.
    pub(super) name: String,
    pub(super) write: SqlStr,
}

/// The column of a field. Names of fields are lower-case letters, digits and underscores.
pub(super) fn column(field: &str) -> String {
    format!("f_{field}")
}

const fn type_of(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "text collate \"C\"",
        FieldKind::Texts => "text[]",
        FieldKind::Integer => "bigint",
        FieldKind::Moment => "timestamptz",
        FieldKind::Flag => "boolean",
    }
}

/// The type without its collation, as it stands in a list of a record's columns.
fn plain(kind: FieldKind) -> &'static str {
    type_of(kind).split(' ').next().unwrap_or_default()
}

impl Table {
    pub(super) fn new(place: &Schema, schema: ViewSchema) -> Self {
        let id = schema.id().clone();
        let name = place.text(&format!("commerce.\"view_{}_{}\"", id.name, id.generation));
        let write = writes(&name, schema.fields());
        Self { write: place.sql(&write), id, schema, name }
    }

    /// What a query of documents selects.
    pub(super) fn columns(&self) -> String {
        columns(self.schema.fields())
    }

    /// The statements that make the table, in order.
    pub(super) fn creation(&self) -> Vec<String> {
        let fields = self.schema.fields();
        let columns = listed(fields, |field| {
            let null = if field.required { " not null" } else { "" };
            format!("{} {}{null}", column(&field.name), type_of(field.kind))
        });
        let table = format!(
            "create table {} (id text collate \"C\" primary key, body json not null, searched text, \
             words tsvector{columns})",
            self.name
        );
        let index = |using: &str, what: &str| format!("create index on {} using {using} ({what})", self.name);
        let of_fields = fields.iter().map(|field| match field.kind {
            FieldKind::Texts => index("gin", &column(&field.name)),
            _ => index("btree", &format!("{}, id", column(&field.name))),
        });
        [table, index("gin", "words")].into_iter().chain(of_fields).collect()
    }
}

/// Something of every field, each behind a comma.
fn listed(fields: &[Field], shown: impl Fn(&Field) -> String) -> String {
    let mut list = String::new();
    for field in fields {
        list.push_str(", ");
        list.push_str(&shown(field));
    }
    list
}

fn columns(fields: &[Field]) -> String {
    let fields = listed(fields, |field| format!("t.{}", column(&field.name)));
    format!("t.id, t.body::text, t.searched{fields}")
}

/// Moves the checkpoint and, only where it moved, writes and removes documents.
///
/// Parameters: name, generation, slice, slices, from where (tx, position), to where (tx, position), documents
/// as JSON, ids to remove. Gives whether the generation is there, and whether it moved.
fn writes(name: &str, fields: &[Field]) -> String {
    let record = listed(fields, |field| format!("{} {}", column(&field.name), plain(field.kind)));
    format!(
        "with known as (select from commerce.view_checkpoints \
             where name = $1 and generation = $2 and slice = $3 and slices = $4), \
         moved as (insert into commerce.view_checkpoints as c (name, generation, slice, slices, tx, position) \
             select $1, $2, $3, $4, $7, $8 from commerce.views v where v.name = $1 and v.generation = $2 \
             and (($5, $6) = (0, 0) or exists (select from known)) \
             on conflict (name, generation, slice, slices) do update set tx = $7, position = $8 \
             where (c.tx, c.position) = ($5, $6) returning 1), \
         removed as (delete from {name} where id = any ($10) and exists (select from moved)), \
         put as (insert into {name} (id, body, searched, words{columns}) \
             select d.id, d.body::json, d.searched, array_to_tsvector(d.words){values} \
             from json_to_recordset($9::json) as d \
                 (id text, body text, searched text, words text[]{record}) \
             where exists (select from moved) \
             on conflict (id) do update set body = excluded.body, searched = excluded.searched, \
                 words = excluded.words{updates}) \
         select exists (select from commerce.views where name = $1 and generation = $2), \
             exists (select from moved)",
        columns = listed(fields, |field| column(&field.name)),
        values = listed(fields, |field| format!("d.{}", column(&field.name))),
        updates = listed(fields, |field| format!("{0} = excluded.{0}", column(&field.name))),
    )
}

const KINDS: [(FieldKind, &str); 5] = [
    (FieldKind::Text, "text"),
    (FieldKind::Texts, "texts"),
    (FieldKind::Integer, "integer"),
    (FieldKind::Moment, "moment"),
    (FieldKind::Flag, "flag"),
];

/// The fields as they are stored.
pub(super) fn fields_as_json(schema: &ViewSchema) -> String {
    let fields = schema.fields().iter().map(|field| {
        let kind = KINDS.iter().find(|(kind, _)| *kind == field.kind).map_or("", |(_, name)| *name);
        serde_json::json!({ "name": field.name, "kind": kind, "required": field.required })
    });
    serde_json::Value::Array(fields.collect()).to_string()
}

/// Reads a row of [`LOOK_UP`]: the table, and whether it is the one that is read.
pub(super) fn read(place: &Schema, view: &str, row: &PgRow) -> Result<(Table, bool), sqlx::Error> {
    let corrupt = || sqlx::Error::Decode("the fields of a view make no sense".into());
    let generation = u32::try_from(row.try_get::<i64, _>(0)?).map_err(|_| corrupt())?;
    let fields: Vec<serde_json::Value> =
        serde_json::from_str(row.try_get(2)?).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let mut schema = ViewSchema::new(view.to_owned(), generation);
    for field in fields {
        let text = |key: &str| field.get(key).and_then(serde_json::Value::as_str).ok_or_else(corrupt);
        let kind = text("kind")?;
        let kind = KINDS.iter().find(|(_, name)| *name == kind).map(|(kind, _)| *kind).ok_or_else(corrupt)?;
        let name = Label::from(text("name")?.to_owned());
        let required = field.get("required").and_then(serde_json::Value::as_bool).ok_or_else(corrupt)?;
        schema = if required { schema.required(name, kind) } else { schema.optional(name, kind) };
    }
    // Checked again: what stands in the table becomes part of SQL.
    let schema = schema.checked().map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok((Table::new(place, schema), row.try_get(1)?))
}
