//! Marks: what was handled already, with the fingerprint of its request and its result.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::CommitError;
use super::stream::{Label, Position};

/// Names something that must have its effect once: a command, a message, a gateway's event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MarkKey {
    /// What kind of thing was handled, for example `command`.
    pub scope: Label,
    /// Its id within the scope.
    pub id: Arc<str>,
}

impl MarkKey {
    /// The mark of this id within this scope.
    pub fn new(scope: impl Into<Label>, id: impl Into<Arc<str>>) -> Self {
        Self { scope: scope.into(), id: id.into() }
    }
}

impl fmt::Display for MarkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.scope, self.id)
    }
}

/// A hash of the named fields of a request; against another version only ids are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Which fields were hashed, and how.
    pub version: u16,
    /// UUID version 5 over their canonical bytes.
    pub hash: Uuid,
}

/// The namespace of fingerprints.
const FINGERPRINTS: Uuid = Uuid::from_u128(0x6f1d_53a8_90b3_5d3f_8e52_52c7_7f2b_7c01);

impl Fingerprint {
    /// Hashes canonical bytes of a request under a version of what "canonical" means.
    pub fn of(version: u16, canonical: &[u8]) -> Self {
        Self { version, hash: Uuid::new_v5(&FINGERPRINTS, canonical) }
    }

    /// Whether two requests under one key are the same, as far as their versions can tell.
    pub fn agrees_with(self, other: Self) -> bool {
        self.version != other.version || self.hash == other.hash
    }
}

/// The longest result of a mark, in bytes.
pub const MAX_RESULT: usize = 1024;

/// To be stored with a commit: this request is handled, and this came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// What was handled.
    pub key: MarkKey,
    /// Of its request.
    pub fingerprint: Fingerprint,
    /// Ids and a small outcome, at most [`MAX_RESULT`] bytes, no personal data.
    pub result: Arc<[u8]>,
}

impl Mark {
    /// Checks this mark against what the store has under its key.
    ///
    /// # Errors
    ///
    /// [`CommitError::AlreadyHandled`] where the same request was handled, [`CommitError::KeyReused`] where
    /// another was.
    pub fn check(&self, known: Option<&Handled>) -> Result<(), CommitError> {
        match known {
            None => Ok(()),
            Some(handled) if handled.fingerprint.agrees_with(self.fingerprint) => {
                Err(CommitError::AlreadyHandled(handled.clone()))
            }
            Some(_) => Err(CommitError::KeyReused(self.key.clone())),
        }
    }
}

/// A mark as the store gives it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handled {
    /// Of the request that was handled.
    pub fingerprint: Fingerprint,
    /// What was stored.
    pub result: Arc<[u8]>,
    /// The log's end right behind the commit that stored it.
    pub position: Position,
}
