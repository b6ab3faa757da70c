//! A broker that keeps what it was given.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::kernel::event::EventId;
use commerce_core::port::publisher::{MAX_BATCH, Outgoing, PublishError, Publisher};

/// How a broker answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Takes the message.
    Take,
    /// Takes it, and the answer is lost.
    LoseAnswer,
    /// Fails without having taken it, and nobody can tell.
    LoseRequest,
    /// Fails without having taken it.
    FailBefore,
}

/// A scriptable, recording broker.
///
/// Clones share everything. Each message takes the next delivery of the script; behind its end all are taken.
#[derive(Debug, Clone, Default)]
pub struct Broker(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    script: VecDeque<Delivery>,
    refused: BTreeSet<EventId>,
    breaking: BTreeSet<EventId>,
    down: bool,
    calls: usize,
    taken: Vec<Outgoing>,
}

impl Broker {
    /// How the next messages are received, one each.
    pub fn script(&self, deliveries: impl IntoIterator<Item = Delivery>) {
        self.lock().script.extend(deliveries);
    }

    /// Takes this message never.
    pub fn refuse(&self, message: EventId) {
        self.lock().refused.insert(message);
    }

    /// Gives no answer to this message, as if it were down.
    pub fn break_at(&self, message: EventId) {
        self.lock().breaking.insert(message);
    }

    /// Takes messages again that it refused or gave no answer to.
    pub fn forgive(&self) {
        let mut inner = self.lock();
        inner.refused.clear();
        inner.breaking.clear();
    }

    /// Takes nothing while it is down.
    pub fn down(&self, down: bool) {
        self.lock().down = down;
    }

    /// How often it was called.
    pub fn calls(&self) -> usize {
        self.lock().calls
    }

    /// What it has taken, in order; a message that was handed over twice stands there twice.
    pub fn taken(&self) -> Vec<Outgoing> {
        self.lock().taken.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failure(taken: usize, kind: PortErrorKind, effect: Effect) -> PublishError {
    PublishError { taken, failed: PortError::new(kind, effect, "fake broker", "publish") }
}

#[async_trait]
impl Publisher for Broker {
    async fn publish(&self, batch: Vec<Outgoing>) -> Result<(), PublishError> {
        if batch.len() > MAX_BATCH {
            return Err(failure(0, PortErrorKind::Invalid, Effect::None));
        }
        let mut inner = self.lock();
        inner.calls += 1;
        if inner.down {
            return Err(failure(0, PortErrorKind::Unavailable, Effect::None));
        }
        for (taken, message) in batch.into_iter().enumerate() {
            if inner.refused.contains(&message.id) {
                return Err(failure(taken, PortErrorKind::Invalid, Effect::None));
            }
            if inner.breaking.contains(&message.id) {
                return Err(failure(taken, PortErrorKind::Timeout, Effect::Unknown));
            }
            match inner.script.pop_front().unwrap_or(Delivery::Take) {
                Delivery::Take => inner.taken.push(message),
                Delivery::LoseAnswer => {
                    inner.taken.push(message);
                    return Err(failure(taken, PortErrorKind::Timeout, Effect::Unknown));
                }
                Delivery::LoseRequest => {
                    return Err(failure(taken, PortErrorKind::Timeout, Effect::Unknown));
                }
                Delivery::FailBefore => {
                    return Err(failure(taken, PortErrorKind::Unavailable, Effect::None));
                }
            }
        }
        Ok(())
    }
}
