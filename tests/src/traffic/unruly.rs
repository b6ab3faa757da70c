//! A broker that misbehaves as far as a broker may, and members that die.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::kernel::event::EventId;
use commerce_core::port::publisher::{Outgoing, PublishError, Publisher};
use commerce_core::port::subscriber::{BuriedMessage, Incoming, Receipt, Subscriber};
use commerce_core::value::Reason;
use commerce_core::value::time::Timestamp;

use super::now;

/// How many messages are mixed with one another.
const WINDOW: usize = 50;

#[derive(Debug)]
struct Inner {
    window: Vec<Outgoing>,
    random: u64,
    /// Behind how many messages it goes down, and for how long.
    goes_down: Option<(usize, Duration)>,
    down_until: Option<Timestamp>,
    refused: usize,
    taken: usize,
    sent: usize,
}

/// Repeats every tenth message, mixes those within a window of 50, and is down once, in the midst of it.
#[derive(Clone)]
pub(super) struct Unruly {
    broker: Arc<dyn Publisher>,
    inner: Arc<Mutex<Inner>>,
}

impl Unruly {
    /// In front of a broker that behaves; goes down behind so many messages, for so long.
    pub(super) fn new(broker: Arc<dyn Publisher>, behind: usize, span: Duration) -> Self {
        let inner = Inner {
            window: Vec::new(),
            random: 0x9e37,
            goes_down: Some((behind, span)),
            down_until: None,
            refused: 0,
            taken: 0,
            sent: 0,
        };
        Self { broker, inner: Arc::new(Mutex::new(inner)) }
    }

    /// How many calls it refused, and how many messages it has sent on, repeated ones included.
    pub(super) fn counts(&self) -> (usize, usize) {
        let inner = self.inner.lock().unwrap();
        (inner.refused, inner.sent)
    }

    /// Sends on what is in the window, in any order.
    pub(super) async fn flush(&self) {
        let rest = {
            let mut inner = self.inner.lock().unwrap();
            inner.keep(0)
        };
        self.send(rest).await;
    }

    async fn send(&self, messages: Vec<Outgoing>) {
        self.inner.lock().unwrap().sent += messages.len();
        for batch in messages.chunks(100) {
            while self.broker.publish(batch.to_vec()).await.is_err() {}
        }
    }
}

impl Inner {
    fn next(&mut self) -> usize {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.random >> 33).unwrap()
    }

    /// Takes messages out of the window at random, until so many are left.
    fn keep(&mut self, left: usize) -> Vec<Outgoing> {
        let mut taken = Vec::new();
        while self.window.len() > left {
            let place = self.next() % self.window.len();
            taken.push(self.window.swap_remove(place));
        }
        taken
    }
}

impl fmt::Debug for Unruly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unruly")
    }
}

#[async_trait]
impl Publisher for Unruly {
    async fn publish(&self, batch: Vec<Outgoing>) -> Result<(), PublishError> {
        let ready = {
            let mut inner = self.inner.lock().unwrap();
            let taken = inner.taken;
            if let Some((_, span)) = inner.goes_down.take_if(|(behind, _)| taken >= *behind) {
                inner.down_until = Some(now().plus(span));
            }
            if inner.down_until.is_some_and(|until| now() < until) {
                inner.refused += 1;
                let failed =
                    PortError::new(PortErrorKind::Unavailable, Effect::None, "unruly broker", "publish");
                return Err(PublishError { taken: 0, failed });
            }
            inner.taken += batch.len();
            for message in batch {
                if inner.next().is_multiple_of(10) {
                    inner.window.push(message.clone());
                }
                inner.window.push(message);
            }
            inner.keep(WINDOW)
        };
        self.send(ready).await;
        Ok(())
    }
}

/// A member that dies right before it acknowledges what it has handled.
#[derive(Debug)]
pub(super) struct Dying {
    member: Arc<dyn Subscriber>,
    left: AtomicUsize,
    dead: Arc<AtomicBool>,
}

impl Dying {
    /// Acknowledges so often, and then dies.
    pub(super) fn after(member: Arc<dyn Subscriber>, acknowledges: usize) -> (Self, Arc<AtomicBool>) {
        let dead = Arc::<AtomicBool>::default();
        (Self { member, left: AtomicUsize::new(acknowledges), dead: dead.clone() }, dead)
    }
}

#[async_trait]
impl Subscriber for Dying {
    async fn receive(&self, limit: usize) -> Result<Vec<Incoming>, PortError> {
        self.member.receive(limit).await
    }

    async fn acknowledge(&self, receipts: Vec<Receipt>) -> Result<(), PortError> {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.dead.store(true, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
        self.member.acknowledge(receipts).await
    }

    async fn postpone(&self, receipts: Vec<Receipt>, pause: Duration) -> Result<(), PortError> {
        self.member.postpone(receipts, pause).await
    }

    async fn bury(&self, receipt: Receipt, error: Reason, attempts: u32) -> Result<(), PortError> {
        self.member.bury(receipt, error, attempts).await
    }

    async fn buried(&self, limit: usize) -> Result<Vec<BuriedMessage>, PortError> {
        self.member.buried(limit).await
    }

    async fn redrive(&self, message: EventId) -> Result<bool, PortError> {
        self.member.redrive(message).await
    }

    async fn discard(&self, message: EventId) -> Result<bool, PortError> {
        self.member.discard(message).await
    }
}
