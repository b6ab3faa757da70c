//! Documents, and what is written at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{FieldKind, ViewId};
use crate::kernel::stream::{Label, Position, Slice};
use crate::value::time::Timestamp;

/// What a document holds in a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FieldValue {
    /// A text, ordered by its bytes.
    Text(Arc<str>),
    /// Several texts.
    Texts(BTreeSet<Arc<str>>),
    /// A whole number.
    Integer(i64),
    /// A moment.
    Moment(Timestamp),
    /// Yes or no; no comes first.
    Flag(bool),
}

impl FieldValue {
    /// A text.
    pub fn text(value: impl Into<Arc<str>>) -> Self {
        Self::Text(value.into())
    }

    /// Several texts.
    pub fn texts(values: impl IntoIterator<Item = impl Into<Arc<str>>>) -> Self {
        Self::Texts(values.into_iter().map(Into::into).collect())
    }

    /// Of which kind it is.
    pub const fn kind(&self) -> FieldKind {
        match self {
            Self::Text(_) => FieldKind::Text,
            Self::Texts(_) => FieldKind::Texts,
            Self::Integer(_) => FieldKind::Integer,
            Self::Moment(_) => FieldKind::Moment,
            Self::Flag(_) => FieldKind::Flag,
        }
    }
}

impl From<&str> for FieldValue {
    fn from(value: &str) -> Self {
        Self::text(value)
    }
}

impl From<i64> for FieldValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<Timestamp> for FieldValue {
    fn from(value: Timestamp) -> Self {
        Self::Moment(value)
    }
}

impl From<bool> for FieldValue {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

/// A document of a view.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// By what it is known within its view.
    pub id: Arc<str>,
    /// Its content, as JSON.
    pub body: Arc<[u8]>,
    /// By what it is filtered, sorted and counted.
    pub fields: BTreeMap<Label, FieldValue>,
    /// The text in which words are found.
    pub searched: Option<Arc<str>>,
}

impl Document {
    /// A document without fields.
    pub fn new(id: impl Into<Arc<str>>, body: impl Into<Arc<[u8]>>) -> Self {
        Self { id: id.into(), body: body.into(), fields: BTreeMap::new(), searched: None }
    }

    /// With a value in a field.
    #[must_use]
    pub fn with(mut self, field: impl Into<Label>, value: FieldValue) -> Self {
        self.fields.insert(field.into(), value);
        self
    }

    /// With a text in which words are found.
    #[must_use]
    pub fn searched(mut self, text: &str) -> Self {
        self.searched = Some(text.into());
        self
    }
}

/// The content is left to whoever wrote it: it is not shown.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("id", &self.id)
            .field("bytes", &self.body.len())
            .field("fields", &self.fields.keys())
            .finish_non_exhaustive()
    }
}

/// The most letters of a word; what is longer is cut, in texts and in questions alike.
const MAX_WORD: usize = 64;

/// The words of a text as every store finds them: runs of letters and digits, in lower case, each once, of
/// up to 64 letters.
pub fn search_words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().flat_map(char::to_lowercase).take(MAX_WORD).collect())
        .collect()
}

/// A change of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The document is as given, whatever was there.
    Put(Document),
    /// The document of this id is gone.
    Remove(Arc<str>),
}

impl Change {
    /// The document's id.
    pub const fn id(&self) -> &Arc<str> {
        match self {
            Self::Put(document) => &document.id,
            Self::Remove(id) => id,
        }
    }
}

/// What is written at once: changes, and how far the log was followed with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewBatch {
    /// The generation.
    pub view: ViewId,
    /// The slice of the log that was followed.
    pub slice: Slice,
    /// How far it was followed before.
    pub after: Position,
    /// How far it was followed now.
    pub next: Position,
    /// In the order in which they are made.
    pub changes: Vec<Change>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_letters_and_digits_in_lower_case() {
        let words: Vec<_> = search_words("Grüner Tee, 250g – «Sencha» (BIO/Öko) tee").into_iter().collect();
        assert_eq!(words, ["250g", "bio", "grüner", "sencha", "tee", "öko"]);
        assert!(search_words(" -/. ").is_empty());
        let (long, cut) = ("ä".repeat(70), "ä".repeat(64));
        assert_eq!(search_words(&long).into_iter().collect::<Vec<_>>(), [cut]);
    }

    #[test]
    fn a_document_does_not_show_its_content() {
        let document = Document::new("a", &b"\"secret\""[..]).with("name", FieldValue::text("secret"));
        let shown = format!("{document:?}");
        assert!(shown.contains("name") && !shown.contains("secret"), "{shown}");
    }
}
