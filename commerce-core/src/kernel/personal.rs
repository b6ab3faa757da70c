//! Personal data: stored beside an event under its data subject, erasable at once.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::id::SubjectId;

/// A value that belongs to a person.
///
/// Inside an event it is stored as a reference; its content lies beside the event under the subject, and
/// `erase(subject)` removes it everywhere at once. Every fold therefore copes with a value that is gone.
/// `Debug` never shows the content, and outside the library's own codec it serialises without it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Personal<T> {
    subject: SubjectId,
    value: Option<T>,
}

impl<T> Personal<T> {
    /// A value of this person.
    pub const fn new(subject: SubjectId, value: T) -> Self {
        Self { subject, value: Some(value) }
    }

    /// A value of this person that was erased.
    pub const fn erased(subject: SubjectId) -> Self {
        Self { subject, value: None }
    }

    /// Whose it is.
    pub const fn subject(&self) -> SubjectId {
        self.subject
    }

    /// The content, unless it was erased.
    pub const fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.value.is_some() { "Personal(***)" } else { "Personal(erased)" })
    }
}

/// One personal value as a store keeps it: under its event, by field and subject.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalValue {
    /// Its running number within the event, in the order of the payload.
    pub field: u16,
    /// Whose it is.
    pub subject: SubjectId,
    /// JSON; `None` once it is erased.
    pub value: Option<Arc<[u8]>>,
}

impl fmt::Debug for PersonalValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.value.is_some() { "***" } else { "erased" };
        write!(f, "PersonalValue({} of {}: {state})", self.field, self.subject)
    }
}

/// How `Personal` is stored inside a payload.
#[derive(Serialize, Deserialize)]
struct Reference {
    subject: SubjectId,
    #[serde(rename = "personal", skip_serializing_if = "Option::is_none", default)]
    field: Option<u16>,
}

/// How `Personal` is stored inside a snapshot, which is deleted as a whole when its subject is erased.
#[derive(Serialize, Deserialize)]
struct Inline<T> {
    subject: SubjectId,
    value: Option<T>,
}

/// What `Personal` does while it is being (de)serialised on this thread.
///
/// Serde hands no context down, and a payload is written and read synchronously on one thread; so the
/// mode is kept in a thread-local that the codec sets around each call and restores behind it.
pub(crate) enum Vault {
    /// Not within the codec: the content stays out.
    Closed,
    /// Writing an event: contents are collected.
    Collect(Vec<PersonalValue>),
    /// Reading an event: contents are looked up.
    Provide(Vec<PersonalValue>),
    /// A snapshot: contents stand in place.
    Inline,
}

thread_local! {
    static VAULT: RefCell<Vault> = const { RefCell::new(Vault::Closed) };
}

impl Vault {
    fn within<R>(mode: Self, work: impl FnOnce() -> R) -> (R, Self) {
        /// Puts the old mode back, also when `work` panics.
        struct Restore(Option<Vault>);
        impl Drop for Restore {
            fn drop(&mut self) {
                if let Some(before) = self.0.take() {
                    VAULT.set(before);
                }
            }
        }
        let mut restore = Restore(Some(VAULT.replace(mode)));
        let result = work();
        let after = VAULT.replace(restore.0.take().unwrap_or(Self::Closed));
        (result, after)
    }

    pub(crate) fn collect<R>(work: impl FnOnce() -> R) -> (R, Vec<PersonalValue>) {
        match Self::within(Self::Collect(Vec::new()), work) {
            (result, Self::Collect(values)) => (result, values),
            (result, _) => (result, Vec::new()),
        }
    }

    pub(crate) fn provide<R>(values: &[PersonalValue], work: impl FnOnce() -> R) -> R {
        Self::within(Self::Provide(values.to_vec()), work).0
    }

    pub(crate) fn inline<R>(work: impl FnOnce() -> R) -> R {
        Self::within(Self::Inline, work).0
    }
}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = |value: &T| serde_json::to_vec(value).map_err(serde::ser::Error::custom);
        let inline = VAULT.with_borrow(|vault| matches!(vault, Vault::Inline));
        if inline {
            return Inline { subject: self.subject, value: self.value.as_ref() }.serialize(serializer);
        }
        let collecting = VAULT.with_borrow(|vault| matches!(vault, Vault::Collect(_)));
        let mut field = None;
        if let Some(value) = self.value.as_ref().filter(|_| collecting) {
            let value = Some(Arc::from(json(value)?));
            VAULT.with_borrow_mut(|vault| {
                if let Vault::Collect(values) = vault {
                    let number = u16::try_from(values.len()).unwrap_or(u16::MAX);
                    values.push(PersonalValue { field: number, subject: self.subject, value });
                    field = Some(number);
                }
            });
        }
        Reference { subject: self.subject, field }.serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if VAULT.with_borrow(|vault| matches!(vault, Vault::Inline)) {
            let Inline { subject, value } = Inline::deserialize(deserializer)?;
            return Ok(Self { subject, value });
        }
        let Reference { subject, field } = Reference::deserialize(deserializer)?;
        let stored = VAULT.with_borrow(|vault| match vault {
            Vault::Provide(values) => {
                values.iter().find(|known| Some(known.field) == field).and_then(|known| known.value.clone())
            }
            _ => None,
        });
        let value = match stored {
            Some(json) => Some(serde_json::from_slice(&json).map_err(serde::de::Error::custom)?),
            None => None,
        };
        Ok(Self { subject, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn subject() -> SubjectId {
        SubjectId::derived(Uuid::nil(), b"alice")
    }

    #[test]
    fn nothing_leaves_without_the_codec() {
        let name = Personal::new(subject(), "Alice".to_owned());
        assert!(!serde_json::to_string(&name).unwrap().contains("Alice"));
        assert!(!format!("{name:?}").contains("Alice"));
    }

    #[test]
    fn the_content_is_taken_out_and_put_back() {
        let name = Personal::new(subject(), "Alice".to_owned());
        let (json, values) = Vault::collect(|| serde_json::to_string(&name).unwrap());
        assert!(!json.contains("Alice"));
        assert_eq!(values.len(), 1);
        let back: Personal<String> = Vault::provide(&values, || serde_json::from_str(&json).unwrap());
        assert_eq!(back, name);
        let gone: Personal<String> = Vault::provide(&[], || serde_json::from_str(&json).unwrap());
        assert_eq!(gone, Personal::erased(subject()));
    }

    #[test]
    fn a_snapshot_keeps_it_in_place() {
        let name = Personal::new(subject(), "Alice".to_owned());
        let json = Vault::inline(|| serde_json::to_string(&name).unwrap());
        let back: Personal<String> = Vault::inline(|| serde_json::from_str(&json).unwrap());
        assert_eq!(back, name);
    }
}
