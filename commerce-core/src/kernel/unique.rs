//! Unique keys: a key of a scope belongs to at most one stream.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::stream::{Label, StreamId};
use crate::value::id::SubjectId;

/// A key that must be unique within its scope, such as an e-mail address or an order number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// What kind of key it is, for example `order-number`.
    pub scope: Label,
    /// The key in its canonical form; for a personal key its keyed hash, never the clear text.
    pub key: Arc<str>,
}

impl Key {
    /// A key of this scope.
    pub fn new(scope: impl Into<Label>, key: impl Into<Arc<str>>) -> Self {
        Self { scope: scope.into(), key: key.into() }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.scope, self.key)
    }
}

/// A key and the stream that owns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UniqueKey {
    /// The key.
    pub key: Key,
    /// Who owns it after the commit, or who gives it up.
    pub owner: StreamId,
    /// For a personal key: whose it is, so that erasing the subject frees it.
    pub subject: Option<SubjectId>,
}
