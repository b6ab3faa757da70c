//! Sessions, and carts that live as long as one.

use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::kernel::error::PortError;

/// How long a session lasts that nobody uses, unless the host says otherwise.
pub const IDLE: Duration = Duration::from_secs(30 * 60);

/// Names a session by what its holder shows. The secret itself is not in it: a store that is read by others
/// gives nobody a session.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey(Arc<str>);

impl SessionKey {
    /// The session of this kind (`session`, `cart`) whose holder shows this secret.
    pub fn new(kind: &str, secret: &[u8]) -> Self {
        use std::fmt::Write;
        let mut text = format!("{kind}:");
        for byte in hmac_sha256::Hash::hash(secret) {
            let _ = write!(text, "{byte:02x}");
        }
        Self(text.into())
    }

    /// The key as a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKey({}:…)", self.0.split(':').next().unwrap_or(""))
    }
}

/// A session as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// What the host keeps in it.
    pub data: Arc<[u8]>,
    /// How often it was written, from 1.
    pub revision: u64,
}

/// Without the data, which is a customer's.
impl Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("bytes", &self.data.len()).field("revision", &self.revision).finish()
    }
}

/// Which session a write expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Any, or none.
    Any,
    /// None: the write begins it.
    New,
    /// The one of this revision, which was read.
    Revision(u64),
}

/// What is written.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionWrite {
    /// What the host keeps in it.
    pub data: Arc<[u8]>,
    /// How long it lasts while nobody uses it.
    pub idle: Duration,
    /// Which session it replaces.
    pub expected: Expected,
}

impl Debug for SessionWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionWrite")
            .field("bytes", &self.data.len())
            .field("idle", &self.idle)
            .field("expected", &self.expected)
            .finish()
    }
}

/// Keeps sessions as long as they are used.
#[async_trait]
pub trait SessionStore: Debug + Send + Sync + 'static {
    /// The session of a key, which lasts its whole idle time again from now.
    ///
    /// # Contract
    ///
    /// `None` where there is none, it was removed, or nobody used it for its idle time.
    async fn get(&self, key: &SessionKey) -> Result<Option<Session>, PortError>;

    /// Writes a session; its new revision, or `None` where it is not the expected one.
    ///
    /// # Contract
    ///
    /// Whole, and compared and written at once: of those that write behind the same revision one wins. A
    /// session that was removed or is over has no revision. `Invalid` for an idle time below a millisecond.
    /// Where its effect is unknown, the session tells by its revision.
    async fn put(&self, key: &SessionKey, write: SessionWrite) -> Result<Option<u64>, PortError>;

    /// Ends a session; whether there was one.
    ///
    /// # Contract
    ///
    /// Nobody gets it any more when it returns. Repeating it is harmless.
    async fn remove(&self, key: &SessionKey) -> Result<bool, PortError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_not_tell_the_secret() {
        let key = SessionKey::new("session", b"abc");
        // The hash of "abc" in FIPS 180-2.
        assert_eq!(key.as_str(), "session:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(format!("{key:?}"), "SessionKey(session:…)");
    }
}
