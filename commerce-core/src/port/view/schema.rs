//! What a view's documents have in common.

use std::collections::BTreeSet;

use super::{Document, FieldValue, ViewError, ViewId};
use crate::kernel::stream::Label;

/// The most fields of a view.
const MAX_FIELDS: usize = 16;
/// The most letters of a name.
const MAX_NAME: usize = 32;
/// The most bytes of an id, and of a text in a field: what every index takes.
const MAX_KEY: usize = 512;
/// The most bytes of a document.
const MAX_BODY: usize = 256 * 1024;
/// The most bytes of what is searched.
const MAX_SEARCHED: usize = 16 * 1024;
/// The most texts of a field of several.
const MAX_TEXTS: usize = 64;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// A text.
    Text,
    /// Several texts, in no order.
    Texts,
    /// A whole number.
    Integer,
    /// A moment.
    Moment,
    /// Yes or no.
    Flag,
}

/// A field of a view's documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: Label,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether every document has it; only by such a field can be sorted.
    pub required: bool,
}

/// The fields by which a generation of a view is filtered, sorted and counted.
///
/// ```
/// use commerce_core::port::view::{FieldKind, ViewSchema};
///
/// let schema = ViewSchema::new("order_list", 1)
///     .required("placed_at", FieldKind::Moment)
///     .optional("customer", FieldKind::Text)
///     .checked()?;
/// assert_eq!(schema.fields().len(), 2);
/// # Ok::<(), commerce_core::port::view::InvalidSchema>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewSchema {
    id: ViewId,
    fields: Vec<Field>,
}

/// A schema breaks a rule: lower-case names of up to 32 letters, digits and underscores that begin with a
/// letter, each once, at most 16 fields, and generations from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a schema of a view: {0}")]
pub struct InvalidSchema(pub Label);

impl ViewSchema {
    /// A generation without fields.
    pub fn new(name: impl Into<Label>, generation: u32) -> Self {
        Self { id: ViewId::new(name, generation), fields: Vec::new() }
    }

    /// With a field that every document has.
    #[must_use]
    pub fn required(self, name: impl Into<Label>, kind: FieldKind) -> Self {
        self.with(name, kind, true)
    }

    /// With a field that a document may have.
    #[must_use]
    pub fn optional(self, name: impl Into<Label>, kind: FieldKind) -> Self {
        self.with(name, kind, false)
    }

    fn with(mut self, name: impl Into<Label>, kind: FieldKind, required: bool) -> Self {
        self.fields.push(Field { name: name.into(), kind, required });
        self
    }

    /// The same fields in another generation.
    #[must_use]
    pub fn generation(mut self, generation: u32) -> Self {
        self.id.generation = generation;
        self
    }

    /// The schema, where it keeps the rules; every store asks for this.
    ///
    /// # Errors
    ///
    /// [`InvalidSchema`].
    pub fn checked(self) -> Result<Self, InvalidSchema> {
        let names = || self.fields.iter().map(|field| &field.name);
        if let Some(wrong) = names().chain([&self.id.name]).find(|name| !is_name(name)) {
            return Err(InvalidSchema(format!("{wrong:?} is no name").into()));
        }
        if names().collect::<BTreeSet<_>>().len() < self.fields.len() {
            return Err(InvalidSchema("a field is there twice".into()));
        }
        if self.fields.len() > MAX_FIELDS {
            return Err(InvalidSchema("it has too many fields".into()));
        }
        if self.id.generation == 0 {
            return Err(InvalidSchema("generations are counted from 1".into()));
        }
        Ok(self)
    }

    /// Which generation of which view.
    pub const fn id(&self) -> &ViewId {
        &self.id
    }

    /// The fields, as they were named.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field of this name.
    ///
    /// # Errors
    ///
    /// [`ViewError::Invalid`] where there is none.
    pub fn field(&self, name: &str) -> Result<&Field, ViewError> {
        let known = self.fields.iter().find(|field| field.name == name);
        known.ok_or_else(|| invalid(format!("the view has no field {name:?}")))
    }

    /// Whether a value is of this field's kind.
    ///
    /// # Errors
    ///
    /// [`ViewError::Invalid`].
    pub fn fits(&self, name: &str, value: &FieldValue) -> Result<&Field, ViewError> {
        let field = self.field(name)?;
        if field.kind == value.kind() {
            Ok(field)
        } else {
            Err(invalid(format!("{name:?} holds values of another kind")))
        }
    }

    /// Whether a document may be written.
    ///
    /// # Errors
    ///
    /// [`ViewError::Invalid`] where the body is no JSON, a value is of another kind or missing, or anything is
    /// too long or holds a NUL.
    pub fn accepts(&self, document: &Document) -> Result<(), ViewError> {
        text(&document.id, MAX_KEY)?;
        if document.id.is_empty() {
            return Err(invalid("an id is empty"));
        }
        if document.body.len() > MAX_BODY {
            return Err(invalid("a document is too long"));
        }
        if serde_json::from_slice::<serde::de::IgnoredAny>(&document.body).is_err() {
            return Err(invalid("a document is no JSON"));
        }
        if let Some(searched) = &document.searched {
            text(searched, MAX_SEARCHED)?;
        }
        for (name, value) in &document.fields {
            self.fits(name, value)?;
            match value {
                FieldValue::Text(value) => text(value, MAX_KEY)?,
                FieldValue::Texts(values) if values.len() > MAX_TEXTS => {
                    return Err(invalid(format!("{name:?} has too many texts")));
                }
                FieldValue::Texts(values) => values.iter().try_for_each(|value| text(value, MAX_KEY))?,
                FieldValue::Integer(_) | FieldValue::Moment(_) | FieldValue::Flag(_) => {}
            }
        }
        let missing =
            self.fields.iter().find(|field| field.required && !document.fields.contains_key(&field.name));
        missing.map_or(Ok(()), |field| Err(invalid(format!("{:?} is missing", field.name))))
    }
}

fn text(value: &str, most: usize) -> Result<(), ViewError> {
    if value.len() > most {
        return Err(invalid("a text is too long"));
    }
    if value.contains('\0') { Err(invalid("a text holds a NUL")) } else { Ok(()) }
}

fn invalid(reason: impl Into<Label>) -> ViewError {
    ViewError::Invalid(reason.into())
}

fn is_name(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() <= MAX_NAME && name.chars().all(fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_as_identifiers_everywhere() {
        let named = |name: &str| ViewSchema::new(name.to_owned(), 1).checked();
        for wrong in ["", "1a", "_a", "Orders", "a-b", "a b", "a\"b", "ä", &"a".repeat(33)] {
            assert!(named(wrong).is_err(), "{wrong:?}");
        }
        assert!(named(&"a".repeat(32)).is_ok());
        assert!(ViewSchema::new("orders", 0).checked().is_err());
        let twice =
            ViewSchema::new("orders", 1).required("a", FieldKind::Flag).optional("a", FieldKind::Text);
        assert!(twice.checked().is_err());
        let fields = |count| {
            (0..count).fold(ViewSchema::new("orders", 1), |schema, number| {
                schema.optional(format!("f{number}"), FieldKind::Flag)
            })
        };
        assert!(fields(16).checked().is_ok());
        assert!(fields(17).checked().is_err());
    }

    #[test]
    fn a_document_is_measured() {
        let schema = ViewSchema::new("orders", 1)
            .required("number", FieldKind::Integer)
            .optional("tags", FieldKind::Texts);
        let fine = Document::new("a", &b"{}"[..]).with("number", FieldValue::Integer(1));
        assert_eq!(schema.accepts(&fine), Ok(()));
        let tags =
            |count: u32, text: &str| FieldValue::texts((0..count).map(|number| format!("{text}{number}")));
        assert_eq!(schema.accepts(&fine.clone().with("tags", tags(64, ""))), Ok(()));
        let wrong = [
            Document::new("a", &b"{}"[..]),
            Document { id: "".into(), ..fine.clone() },
            Document { body: (*b"{").into(), ..fine.clone() },
            Document { id: "a\0".into(), ..fine.clone() },
            Document { id: "a".repeat(513).into(), ..fine.clone() },
            Document { body: vec![b' '; 256 * 1024 + 1].into(), ..fine.clone() },
            fine.clone().with("number", FieldValue::Flag(true)),
            fine.clone().with("other", FieldValue::Flag(true)),
            fine.clone().with("tags", tags(65, "")),
            fine.clone().with("tags", tags(1, "\0")),
            fine.clone().searched("a\0"),
            fine.searched(&"a".repeat(16 * 1024 + 1)),
        ];
        for document in wrong {
            assert!(matches!(schema.accepts(&document), Err(ViewError::Invalid(_))), "{document:?}");
        }
    }

    #[test]
    fn what_is_as_long_as_allowed_is_allowed() {
        let schema = ViewSchema::new("orders", 1)
            .required("number", FieldKind::Integer)
            .optional("name", FieldKind::Text);
        let body = format!("\"{}\"", "a".repeat(256 * 1024 - 2)).into_bytes();
        let longest = Document::new("a".repeat(512), body)
            .with("number", FieldValue::Integer(1))
            .with("name", FieldValue::Text("b".repeat(512).into()))
            .searched(&"a".repeat(16 * 1024));
        assert_eq!(schema.accepts(&longest), Ok(()));
        let longer = longest.with("name", FieldValue::Text("b".repeat(513).into()));
        assert!(schema.accepts(&longer).is_err());
        let body = format!("\"{}\"", "a".repeat(256 * 1024 - 1)).into_bytes();
        assert_eq!(body.len(), 256 * 1024 + 1);
        let longer = Document::new("a", body).with("number", FieldValue::Integer(1));
        assert_eq!(schema.accepts(&longer), Err(invalid("a document is too long")));
        let names: Vec<_> = schema.fields().iter().map(|field| field.name.as_ref()).collect();
        assert_eq!(names, ["number", "name"]);
    }
}
