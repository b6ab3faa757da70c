//! Sessions within the process.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::port::clock::Clock;
use commerce_core::port::session::{Expected, Session, SessionKey, SessionStore, SessionWrite};
use commerce_core::value::time::Timestamp;

use crate::sync::{Mutex, lock};

/// So many sessions are kept before those that are over are dropped.
const SWEEP: usize = 1_000;

/// Keeps sessions within the process; clones keep the same ones.
#[derive(Clone)]
pub struct MemorySessions {
    clock: Arc<dyn Clock>,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    sessions: HashMap<SessionKey, (Session, Duration, Timestamp)>,
    sweep_at: usize,
}

impl MemorySessions {
    /// No sessions.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, kept: Arc::default() }
    }
}

impl fmt::Debug for MemorySessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySessions")
            .field("sessions", &lock(&self.kept).sessions.len())
            .finish_non_exhaustive()
    }
}

impl Kept {
    fn sweep(&mut self, now: Timestamp) {
        if self.sessions.len() < self.sweep_at.max(SWEEP) {
            return;
        }
        self.sessions.retain(|_, (_, _, until)| *until > now);
        self.sweep_at = self.sessions.len().saturating_mul(2);
    }

    fn live(&mut self, key: &SessionKey, now: Timestamp) -> Option<&mut (Session, Duration, Timestamp)> {
        self.sessions.get_mut(key).filter(|(_, _, until)| *until > now)
    }
}

#[async_trait]
impl SessionStore for MemorySessions {
    async fn get(&self, key: &SessionKey) -> Result<Option<Session>, PortError> {
        let now = self.clock.now();
        Ok(lock(&self.kept).live(key, now).map(|(session, idle, until)| {
            *until = now.plus(*idle);
            session.clone()
        }))
    }

    async fn put(&self, key: &SessionKey, write: SessionWrite) -> Result<Option<u64>, PortError> {
        if write.idle < Duration::from_millis(1) {
            return Err(PortError::new(PortErrorKind::Invalid, Effect::None, "memory sessions", "put"));
        }
        let now = self.clock.now();
        let mut kept = lock(&self.kept);
        kept.sweep(now);
        let known = kept.live(key, now).map(|(session, ..)| session.revision);
        let fits = match write.expected {
            Expected::Any => true,
            Expected::New => known.is_none(),
            Expected::Revision(revision) => known == Some(revision),
        };
        if !fits {
            return Ok(None);
        }
        let revision = known.unwrap_or(0).saturating_add(1);
        let session = Session { data: write.data, revision };
        kept.sessions.insert(key.clone(), (session, write.idle, now.plus(write.idle)));
        Ok(Some(revision))
    }

    async fn remove(&self, key: &SessionKey) -> Result<bool, PortError> {
        let now = self.clock.now();
        Ok(lock(&self.kept).sessions.remove(key).is_some_and(|(_, _, until)| until > now))
    }
}
