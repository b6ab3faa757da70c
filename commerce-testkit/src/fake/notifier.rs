//! A provider of messages that keeps what it was given.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::port::notifier::{Notice, Notifier, NotifierError};
use commerce_core::port::payment::IdempotencyKey;
use commerce_core::value::{Channel, Code, Reason};

/// How a provider answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reception {
    /// Takes the message.
    Take,
    /// Takes it, and the answer is lost.
    LoseAnswer,
    /// Fails without having taken it, and nobody can tell.
    LoseRequest,
    /// Fails without having taken it.
    FailBefore,
    /// The recipient does not want it.
    Unwanted,
    /// It can never be delivered.
    Undeliverable,
}

/// A scriptable, recording provider of messages for every channel.
///
/// Clones share everything. Each call takes the next reception of the script; behind its end the default
/// counts. A message that was taken is taken once, however often it is handed over.
#[derive(Debug, Clone)]
pub struct Outbox {
    default: Reception,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    script: VecDeque<Reception>,
    taken: BTreeMap<IdempotencyKey, Notice>,
    refused: BTreeMap<IdempotencyKey, NotifierError>,
    calls: u64,
}

impl Outbox {
    /// A provider that behaves like this unless its script says otherwise.
    pub fn new(default: Reception) -> Self {
        Self { default, inner: Arc::default() }
    }

    /// Takes everything.
    pub fn taking() -> Self {
        Self::new(Reception::Take)
    }

    /// How the next calls are received, one each.
    pub fn script(&self, receptions: impl IntoIterator<Item = Reception>) {
        self.lock().script.extend(receptions);
    }

    /// The messages that it has taken, each once.
    pub fn taken(&self) -> Vec<Notice> {
        self.lock().taken.values().cloned().collect()
    }

    /// How often it was called.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn reference(key: &IdempotencyKey) -> Option<Code> {
    Code::new(&format!("sent-{}", key.0)).ok()
}

fn failure(effect: Effect) -> NotifierError {
    let kind = if effect == Effect::None { PortErrorKind::Unavailable } else { PortErrorKind::Timeout };
    PortError::new(kind, effect, "fake notifier", "send").into()
}

#[async_trait]
impl Notifier for Outbox {
    fn serves(&self, _channel: Channel) -> bool {
        true
    }

    async fn send(&self, notice: Notice) -> Result<Option<Code>, NotifierError> {
        let mut inner = self.lock();
        inner.calls = inner.calls.saturating_add(1);
        let reception = inner.script.pop_front().unwrap_or(self.default);
        let key = notice.key.clone();
        match reception {
            Reception::LoseRequest => return Err(failure(Effect::Unknown)),
            Reception::FailBefore => return Err(failure(Effect::None)),
            _ => {}
        }
        if let Some(refused) = inner.refused.get(&key) {
            return Err(refused.clone());
        }
        let known = inner.taken.contains_key(&key);
        let refusal = match reception {
            Reception::Unwanted if !known => NotifierError::Unwanted(Reason::lossy("opted out")),
            Reception::Undeliverable if !known => {
                NotifierError::Undeliverable(Reason::lossy("no such mailbox"))
            }
            _ => {
                inner.taken.entry(key.clone()).or_insert(notice);
                let lost = reception == Reception::LoseAnswer;
                return if lost { Err(failure(Effect::Unknown)) } else { Ok(reference(&key)) };
            }
        };
        inner.refused.insert(key, refusal.clone());
        Err(refusal)
    }
}
