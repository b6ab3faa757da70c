//! SQL with its parameters: names of columns come from the schema of the view, everything else is bound.

use std::fmt::{Arguments, Write as _};

use commerce_core::port::view::{FieldKind, FieldValue, Filter, Selection, search_words};
use sqlx::AssertSqlSafe;

use super::table::{Table, column};
use crate::store::Call;
use crate::types::Moment;

/// SQL under construction, with its parameters.
#[derive(Default)]
pub(super) struct Sql {
    text: String,
    values: Vec<FieldValue>,
}

impl Sql {
    /// Adds what was made of constants and of names from a schema that was checked.
    pub(super) fn push(&mut self, text: Arguments<'_>) {
        // Writing to a string cannot fail.
        let _written = self.text.write_fmt(text);
    }

    /// A parameter, in its place.
    pub(super) fn bind(&mut self, value: FieldValue) {
        self.values.push(value);
        let place = self.values.len();
        self.push(format_args!("${place}"));
    }

    /// The call; its SQL is of this question alone, so that it is not kept on the connection.
    pub(super) fn call<'q>(&self) -> Call<'q> {
        let mut call = sqlx::query(AssertSqlSafe(self.text.clone())).persistent(false);
        for value in &self.values {
            call = match value {
                FieldValue::Text(text) => call.bind(text.to_string()),
                FieldValue::Texts(texts) => {
                    call.bind(texts.iter().map(ToString::to_string).collect::<Vec<_>>())
                }
                FieldValue::Integer(number) => call.bind(*number),
                FieldValue::Moment(moment) => call.bind(Moment(*moment)),
                FieldValue::Flag(flag) => call.bind(*flag),
            };
        }
        call
    }

    /// The conditions of a selection, which was checked, on a table that is called `t`.
    pub(super) fn conditions(&mut self, table: &Table, selection: &Selection) {
        self.push(format_args!(" where true"));
        for filter in &selection.filters {
            self.push(format_args!(" and "));
            match filter {
                Filter::Is(field, value) => self.is(table, field, value),
                Filter::OneOf(field, values) => {
                    self.push(format_args!("(false"));
                    for value in values {
                        self.push(format_args!(" or "));
                        self.is(table, field, value);
                    }
                    self.push(format_args!(")"));
                }
                Filter::AtLeast(field, value) => self.compare(field, ">=", value),
                Filter::Below(field, value) => self.compare(field, "<", value),
            }
        }
        let words = selection.search.as_deref().map(search_words).unwrap_or_default();
        if !words.is_empty() {
            self.push(format_args!(" and t.words @@ "));
            // Words are letters and digits: nothing in them has a meaning for the server.
            let terms: Vec<String> = words.iter().map(|word| format!("'{word}':*")).collect();
            self.bind(FieldValue::text(terms.join(" & ")));
            self.push(format_args!("::tsquery"));
        }
    }

    fn is(&mut self, table: &Table, field: &str, value: &FieldValue) {
        let several = table.schema.field(field).is_ok_and(|known| known.kind == FieldKind::Texts);
        match value {
            FieldValue::Text(text) if several => {
                self.push(format_args!("t.{} @> ", column(field)));
                self.bind(FieldValue::texts([text.clone()]));
            }
            value => self.compare(field, "=", value),
        }
    }

    fn compare(&mut self, field: &str, operator: &str, value: &FieldValue) {
        self.push(format_args!("t.{} {operator} ", column(field)));
        self.bind(value.clone());
    }
}
