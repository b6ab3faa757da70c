//! What can be asked of a view.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Document, FieldKind, FieldValue, ViewError, ViewSchema};
use crate::kernel::stream::Label;

/// The most documents of a page.
pub const MAX_VIEW_PAGE: u32 = 200;
/// The most values that are counted per field.
pub const MAX_FACET_VALUES: u32 = 100;
/// The most documents that are looked at to count values.
pub const MAX_MATCHES: u64 = 10_000;
/// The most filters, alternatives and words of a question.
const MAX_PARTS: usize = 50;

/// A condition on a field. A document without the field does not meet it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// The field is this, or holds this text among others.
    Is(Label, FieldValue),
    /// The field is one of these, or holds one of them.
    OneOf(Label, Vec<FieldValue>),
    /// The field is not below this.
    AtLeast(Label, FieldValue),
    /// The field is below this.
    Below(Label, FieldValue),
}

/// Which documents are meant: those that meet all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Conditions.
    pub filters: Vec<Filter>,
    /// Words of which each has to begin a word of the document's text.
    pub search: Option<Arc<str>>,
}

impl Selection {
    /// With one more condition.
    #[must_use]
    pub fn and(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// With words to be found.
    #[must_use]
    pub fn matching(mut self, words: &str) -> Self {
        self.search = Some(words.into());
        self
    }

    /// Whether it can be asked of a view with these fields.
    ///
    /// # Errors
    ///
    /// [`ViewError::Invalid`].
    pub fn check(&self, schema: &ViewSchema) -> Result<(), ViewError> {
        let words = self.search.as_deref().map_or(0, |text| super::search_words(text).len());
        if self.filters.len() > MAX_PARTS || words > MAX_PARTS {
            return Err(ViewError::Invalid("the question has too many parts".into()));
        }
        for filter in &self.filters {
            match filter {
                Filter::Is(field, value) => member(schema, field, value)?,
                Filter::OneOf(_, values) if values.len() > MAX_PARTS => {
                    return Err(ViewError::Invalid("the question has too many alternatives".into()));
                }
                Filter::OneOf(field, values) => {
                    schema.field(field)?;
                    values.iter().try_for_each(|value| member(schema, field, value))?;
                }
                Filter::AtLeast(field, value) | Filter::Below(field, value) => {
                    if schema.fits(field, value)?.kind == FieldKind::Texts {
                        return Err(ViewError::Invalid(format!("{field:?} has no order").into()));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a document is meant; what every store's answer has to agree with.
    pub fn selects(&self, document: &Document) -> bool {
        let filtered = self.filters.iter().all(|filter| match filter {
            Filter::Is(field, value) => holds(document, field, value),
            Filter::OneOf(field, values) => values.iter().any(|value| holds(document, field, value)),
            Filter::AtLeast(field, value) => document.fields.get(field).is_some_and(|known| known >= value),
            Filter::Below(field, value) => document.fields.get(field).is_some_and(|known| known < value),
        });
        filtered && self.search.as_deref().is_none_or(|search| found(document, search))
    }
}

/// A field of several texts is asked for one of them.
fn member(schema: &ViewSchema, field: &str, value: &FieldValue) -> Result<(), ViewError> {
    let several = schema.field(field)?.kind == FieldKind::Texts;
    if several && value.kind() == FieldKind::Text { Ok(()) } else { schema.fits(field, value).map(drop) }
}

fn holds(document: &Document, field: &str, value: &FieldValue) -> bool {
    match (document.fields.get(field), value) {
        (Some(FieldValue::Texts(known)), FieldValue::Text(one)) => known.contains(one),
        (Some(known), value) => known == value,
        (None, _) => false,
    }
}

fn found(document: &Document, search: &str) -> bool {
    let words = document.searched.as_deref().map(super::search_words).unwrap_or_default();
    super::search_words(search).iter().all(|wanted| {
        // Words ascend, so the first that is not below what is wanted begins with it or none does.
        words.range(wanted.clone()..).next().is_some_and(|word| word.starts_with(wanted.as_str()))
    })
}

/// Which way documents are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// Smallest first.
    #[default]
    Ascending,
    /// Greatest first.
    Descending,
}

/// How documents are sorted; equal ones by id, in the same direction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sort {
    /// By this field, or by id alone.
    pub field: Option<Label>,
    /// Which way.
    pub direction: Direction,
}

impl Sort {
    /// Smallest first.
    pub fn ascending(field: impl Into<Label>) -> Self {
        Self { field: Some(field.into()), direction: Direction::Ascending }
    }

    /// Greatest first.
    pub fn descending(field: impl Into<Label>) -> Self {
        Self { field: Some(field.into()), direction: Direction::Descending }
    }
}

/// Where a page ended. Serialisable, so that a host can hand it to its client; nothing is trusted in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// What the last document has in the field by which it is sorted.
    pub value: Option<FieldValue>,
    /// The last document.
    pub id: Arc<str>,
}

/// Asks for a page of documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewQuery {
    /// The view.
    pub view: Label,
    /// A generation of it; the one that is read where none is named.
    pub generation: Option<u32>,
    /// Which documents.
    pub selection: Selection,
    /// In which order.
    pub sort: Sort,
    /// Behind which page.
    pub after: Option<Cursor>,
    /// At most this many.
    pub limit: u32,
}

impl ViewQuery {
    /// The first documents of a view, by id.
    pub fn new(view: impl Into<Label>, limit: u32) -> Self {
        Self {
            view: view.into(),
            generation: None,
            selection: Selection::default(),
            sort: Sort::default(),
            after: None,
            limit,
        }
    }

    /// Only these documents.
    #[must_use]
    pub fn selecting(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// In this order.
    #[must_use]
    pub fn sorted(mut self, sort: Sort) -> Self {
        self.sort = sort;
        self
    }

    /// Behind the page that ended here.
    #[must_use]
    pub fn behind(mut self, cursor: Option<Cursor>) -> Self {
        self.after = cursor;
        self
    }

    /// Whether it can be asked of a view with these fields.
    ///
    /// # Errors
    ///
    /// [`ViewError::Invalid`].
    pub fn check(&self, schema: &ViewSchema) -> Result<(), ViewError> {
        self.selection.check(schema)?;
        if let Some(field) = &self.sort.field {
            let sorted = schema.field(field)?;
            if !sorted.required || sorted.kind == FieldKind::Texts {
                return Err(ViewError::Invalid(format!("{field:?} is nothing to sort by").into()));
            }
        }
        match (&self.after, &self.sort.field) {
            (Some(Cursor { value: Some(value), .. }), Some(field)) => schema.fits(field, value).map(drop),
            (Some(Cursor { value: None, .. }), None) | (None, _) => Ok(()),
            _ => Err(ViewError::Invalid("the cursor is of another order".into())),
        }
    }

    /// The place of a document in this order.
    pub fn cursor(&self, document: &Document) -> Cursor {
        let value = self.sort.field.as_ref().and_then(|field| document.fields.get(field)).cloned();
        Cursor { value, id: document.id.clone() }
    }
}

/// A page of documents.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ViewPage {
    /// In the order that was asked for.
    pub documents: Vec<Document>,
    /// Where to go on, where more may follow.
    pub next: Option<Cursor>,
}

/// Asks how often values occur.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetQuery {
    /// The view.
    pub view: Label,
    /// Among which documents.
    pub selection: Selection,
    /// The values of which fields.
    pub fields: Vec<Label>,
    /// At most this many values per field.
    pub limit: u32,
}

impl FacetQuery {
    /// Whether it can be asked of a view with these fields.
    ///
    /// # Errors
    ///
    /// [`ViewError::Invalid`].
    pub fn check(&self, schema: &ViewSchema) -> Result<(), ViewError> {
        self.selection.check(schema)?;
        self.fields.iter().try_for_each(|field| schema.field(field).map(drop))
    }
}

/// How often a value occurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetCount {
    /// The value; one text of several.
    pub value: FieldValue,
    /// In how many documents.
    pub count: u64,
}

/// How often the values of fields occur.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facets {
    /// Per field, in the order of the question.
    pub fields: Vec<(Label, Vec<FacetCount>)>,
    /// How many documents were looked at.
    pub matches: u64,
    /// Whether there are more, so that counts are lower bounds.
    pub more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> ViewSchema {
        ViewSchema::new("orders", 1).required("number", FieldKind::Integer).optional("tags", FieldKind::Texts)
    }

    #[test]
    fn a_question_has_at_most_fifty_parts() {
        let is = || Filter::Is("number".into(), FieldValue::Integer(1));
        let filters = |count| (0..count).fold(Selection::default(), |all, _| all.and(is())).check(&schema());
        assert_eq!(filters(50), Ok(()));
        assert!(matches!(filters(51), Err(ViewError::Invalid(_))));
        let words = |count: u32| {
            let words: Vec<_> = (0..count).map(|number| format!("word{number}")).collect();
            Selection::default().matching(&words.join(" ")).check(&schema())
        };
        assert_eq!(words(50), Ok(()));
        assert!(matches!(words(51), Err(ViewError::Invalid(_))));
        let one_of = |count: i64| {
            let values = (0..count).map(FieldValue::Integer).collect();
            Selection::default().and(Filter::OneOf("number".into(), values)).check(&schema())
        };
        assert_eq!(one_of(50), Ok(()));
        assert!(matches!(one_of(51), Err(ViewError::Invalid(_))));
    }

    #[test]
    fn only_what_has_an_order_is_compared() {
        let tags = FieldValue::texts(["a".to_owned()]);
        let at_least = Selection::default().and(Filter::AtLeast("tags".into(), tags));
        assert!(matches!(at_least.check(&schema()), Err(ViewError::Invalid(_))));
        let below = Selection::default().and(Filter::Below("number".into(), FieldValue::Integer(1)));
        assert_eq!(below.check(&schema()), Ok(()));
    }
}
