//! A broker within the process: topics, groups and dead letters.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::kernel::event::EventId;
use commerce_core::port::clock::Clock;
use commerce_core::port::publisher::{MAX_BATCH, Outgoing, PublishError, Publisher};
use commerce_core::port::subscriber::{
    BuriedMessage, Incoming, LETTERS_KEPT, MAX_RECEIVED, Receipt, Subscriber,
};
use commerce_core::value::Reason;
use commerce_core::value::time::Timestamp;

/// So many messages are kept for groups that have not acknowledged them, or are not there yet.
const CAPACITY: usize = 100_000;
/// How long a message is a member's own.
const OWN: Duration = Duration::from_secs(30);

/// A broker within the process; clones are one broker.
///
/// It forgets everything with the process. It keeps at most 100,000 messages that some group has not
/// acknowledged: then it asks for fewer calls, so that nothing that was taken is lost.
#[derive(Debug, Clone)]
pub struct MemoryBroker {
    clock: Arc<dyn Clock>,
    own: Duration,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The messages that are kept, each with its number.
    log: VecDeque<(u64, Arc<Outgoing>)>,
    next: u64,
    groups: BTreeMap<Arc<str>, Group>,
}

#[derive(Debug, Default)]
struct Group {
    topics: BTreeSet<Arc<str>>,
    /// Behind the last message that was looked at.
    next: u64,
    tickets: BTreeMap<u64, Ticket>,
    last_ticket: u64,
    buried: Vec<BuriedMessage>,
}

/// A message that was handed out and not acknowledged.
#[derive(Debug)]
struct Ticket {
    number: Option<u64>,
    message: Arc<Outgoing>,
    visible: Timestamp,
    deliveries: u32,
    first: Timestamp,
}

impl MemoryBroker {
    /// An empty broker.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, own: OWN, inner: Arc::default() }
    }

    /// How long a message that was handed out is a member's own, before another member gets it: 30 s unless
    /// said otherwise.
    #[must_use]
    pub fn owned_for(mut self, own: Duration) -> Self {
        self.own = own;
        self
    }

    /// A member of a group that reads these topics. A new group begins with the oldest message that is kept;
    /// topics that are new to a group are read from where it stands.
    pub fn subscribe<T: Into<Arc<str>>>(
        &self,
        group: impl Into<Arc<str>>,
        topics: impl IntoIterator<Item = T>,
    ) -> MemorySubscriber {
        let group = group.into();
        self.lock()
            .groups
            .entry(group.clone())
            .or_default()
            .topics
            .extend(topics.into_iter().map(Into::into));
        MemorySubscriber { broker: self.clone(), group }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Forgets what every group has acknowledged; all of it stays where there is no group.
    fn trim(&mut self) {
        let needed = self.groups.values().map(Group::oldest).min().unwrap_or(0);
        while self.log.front().is_some_and(|(number, _)| *number < needed) {
            self.log.pop_front();
        }
    }
}

impl Group {
    /// The number of the oldest message that it has not acknowledged.
    fn oldest(&self) -> u64 {
        self.tickets.values().filter_map(|ticket| ticket.number).fold(self.next, u64::min)
    }

    fn ticket(&mut self, ticket: Ticket) {
        self.last_ticket = self.last_ticket.saturating_add(1);
        self.tickets.insert(self.last_ticket, ticket);
    }
}

#[async_trait]
impl Publisher for MemoryBroker {
    async fn publish(&self, batch: Vec<Outgoing>) -> Result<(), PublishError> {
        let refused = |kind| PublishError {
            taken: 0,
            failed: PortError::new(kind, Effect::None, "memory broker", "publish"),
        };
        if batch.len() > MAX_BATCH {
            return Err(refused(PortErrorKind::Invalid));
        }
        let mut inner = self.lock();
        if inner.log.len().saturating_add(batch.len()) > CAPACITY {
            inner.trim();
        }
        if inner.log.len().saturating_add(batch.len()) > CAPACITY {
            return Err(refused(PortErrorKind::Throttled));
        }
        for message in batch {
            let number = inner.next;
            inner.log.push_back((number, Arc::new(message)));
            inner.next = number.saturating_add(1);
        }
        Ok(())
    }
}

/// A member of a group.
#[derive(Debug, Clone)]
pub struct MemorySubscriber {
    broker: MemoryBroker,
    group: Arc<str>,
}

impl MemorySubscriber {
    fn with<T>(&self, work: impl FnOnce(&mut Group, Timestamp) -> T) -> T {
        let now = self.broker.clock.now();
        work(self.broker.lock().groups.entry(self.group.clone()).or_default(), now)
    }
}

fn number(receipt: &str) -> Option<u64> {
    receipt.parse().ok()
}

#[async_trait]
impl Subscriber for MemorySubscriber {
    async fn receive(&self, limit: usize) -> Result<Vec<Incoming>, PortError> {
        let limit = limit.min(MAX_RECEIVED);
        let now = self.broker.clock.now();
        let visible = now.plus(self.broker.own);
        let mut inner = self.broker.lock();
        inner.trim();
        let Inner { log, groups, .. } = &mut *inner;
        let group = groups.entry(self.group.clone()).or_default();
        group.buried.retain(|letter| now.since(letter.last) < LETTERS_KEPT);
        let waiting = group.tickets.values().filter(|ticket| ticket.visible <= now).count();
        let first = log.front().map_or(0, |(number, _)| *number);
        let passed = usize::try_from(group.next.saturating_sub(first)).unwrap_or(usize::MAX);
        let mut fresh = limit.saturating_sub(waiting);
        for (number, message) in log.iter().skip(passed) {
            if fresh == 0 {
                break;
            }
            group.next = number.saturating_add(1);
            if group.topics.contains(&message.topic) {
                fresh = fresh.saturating_sub(1);
                let (message, number) = (message.clone(), Some(*number));
                group.ticket(Ticket { number, message, visible: now, deliveries: 0, first: now });
            }
        }
        let due = group.tickets.iter_mut().filter(|(_, ticket)| ticket.visible <= now).take(limit);
        Ok(due
            .map(|(receipt, ticket)| {
                ticket.visible = visible;
                ticket.deliveries = ticket.deliveries.saturating_add(1);
                let (message, deliveries) = (Outgoing::clone(&ticket.message), ticket.deliveries);
                Incoming { receipt: receipt.to_string().into(), message, deliveries }
            })
            .collect())
    }

    async fn acknowledge(&self, receipts: Vec<Receipt>) -> Result<(), PortError> {
        self.with(|group, _| {
            for receipt in receipts.iter().filter_map(|receipt| number(receipt)) {
                group.tickets.remove(&receipt);
            }
        });
        Ok(())
    }

    async fn postpone(&self, receipts: Vec<Receipt>, pause: Duration) -> Result<(), PortError> {
        self.with(|group, now| {
            for receipt in receipts.iter().filter_map(|receipt| number(receipt)) {
                if let Some(ticket) = group.tickets.get_mut(&receipt) {
                    ticket.visible = now.plus(pause);
                }
            }
        });
        Ok(())
    }

    async fn bury(&self, receipt: Receipt, error: Reason, attempts: u32) -> Result<(), PortError> {
        self.with(|group, now| {
            let Some(ticket) = number(&receipt).and_then(|receipt| group.tickets.remove(&receipt)) else {
                return;
            };
            let message = Outgoing::clone(&ticket.message);
            group.buried.retain(|letter| letter.message.id != message.id);
            group.buried.push(BuriedMessage { message, error, attempts, first: ticket.first, last: now });
        });
        Ok(())
    }

    async fn buried(&self, limit: usize) -> Result<Vec<BuriedMessage>, PortError> {
        Ok(self.with(|group, _| group.buried.iter().take(limit).cloned().collect()))
    }

    async fn redrive(&self, message: EventId) -> Result<bool, PortError> {
        Ok(self.with(|group, now| {
            let Some(place) = group.buried.iter().position(|letter| letter.message.id == message) else {
                return false;
            };
            let message = Arc::new(group.buried.remove(place).message);
            group.ticket(Ticket { number: None, message, visible: now, deliveries: 0, first: now });
            true
        }))
    }

    async fn discard(&self, message: EventId) -> Result<bool, PortError> {
        Ok(self.with(|group, _| {
            let before = group.buried.len();
            group.buried.retain(|letter| letter.message.id != message);
            group.buried.len() < before
        }))
    }
}
