//! A consumer that copies notes and fails where it is told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use commerce_adapters_memory::MemoryStore;
use commerce_core::app::consumer::{Consumer, ConsumerFailure, ConsumerRunner, Delivery};
use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::stream::{Position, Slice};
use commerce_core::messaging::ConsumerName;
use commerce_core::port::store::{LogQuery, MAX_PAGE, Store};
use commerce_core::prelude::*;
use commerce_core::value::Reason;
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::faulty::{Faults, Faulty, until_it_dies};
use commerce_testkit::shop::Shop;
use commerce_tests::notes::{Copied, CopiedEvent, Note, Write};
use pollster::block_on;
use uuid::Uuid;

/// How many notes there are.
pub(crate) const STREAMS: usize = 4;

/// Stream and version of a message, how often it fails, and whether that is for good.
pub(crate) type Failures = BTreeMap<(usize, u64), (u32, bool)>;

#[derive(Debug, Default)]
struct Seen {
    failures: Failures,
    attempts: BTreeMap<(usize, u64), u32>,
    deliveries: usize,
    replayed: usize,
}

/// Copies the versions of notes; clones are one consumer.
#[derive(Debug, Clone)]
pub(crate) struct Copying(Arc<Mutex<Seen>>);

impl Copying {
    /// Never fails by itself.
    pub(crate) fn faultless() -> Self {
        Self::failing(Failures::new())
    }

    /// Fails at these messages.
    pub(crate) fn failing(failures: Failures) -> Self {
        Self(Arc::new(Mutex::new(Seen { failures, ..Seen::default() })))
    }

    /// Fails no more.
    pub(crate) fn mend(&self) {
        self.0.lock().unwrap().failures.clear();
    }

    /// How often a message was tried.
    pub(crate) fn attempts(&self, stream: usize, version: u64) -> u32 {
        self.0.lock().unwrap().attempts.get(&(stream, version)).copied().unwrap_or(0)
    }

    /// How many deliveries there were.
    pub(crate) fn seen(&self) -> usize {
        self.0.lock().unwrap().deliveries
    }

    /// How many of them were of a replay.
    pub(crate) fn replayed(&self) -> usize {
        self.0.lock().unwrap().replayed
    }

    fn fails(&self, stream: usize, version: u64) -> Option<ConsumerFailure> {
        let mut seen = self.0.lock().unwrap();
        let tried = seen.attempts.entry((stream, version)).or_default();
        *tried += 1;
        let tried = *tried;
        let (times, permanent) = *seen.failures.get(&(stream, version))?;
        let reason = Reason::new(&format!("attempt {tried}")).unwrap();
        let failure =
            if permanent { ConsumerFailure::permanent(reason) } else { ConsumerFailure::transient(reason) };
        (permanent || times > 3 || tried <= times).then_some(failure)
    }
}

#[async_trait]
impl Consumer for Copying {
    fn name(&self) -> ConsumerName {
        ConsumerName::new("copying").unwrap()
    }

    fn wants(&self, event: &RecordedEvent) -> bool {
        event.stream.kind == Note::NAME
    }

    async fn handle(&self, delivery: Delivery<'_>) -> Result<Commit, ConsumerFailure> {
        {
            let mut seen = self.0.lock().unwrap();
            seen.deliveries += 1;
            seen.replayed += usize::from(delivery.replay);
        }
        if delivery.replay {
            return Ok(Commit::default());
        }
        let version = delivery.event.version.get();
        let stream = (0..STREAMS).find(|stream| World::note(*stream).uuid() == delivery.event.stream.id);
        if let Some(failure) = self.fails(stream.unwrap(), version) {
            return Err(failure);
        }
        let mut copied = delivery.load::<Copied>(World::note(stream.unwrap()).cast()).await?;
        let mut batch = delivery.batch();
        batch.append(&mut copied, &[CopiedEvent::Written(version)]).unwrap();
        Ok(batch.into_commit())
    }
}

/// A shop with notes.
pub(crate) struct World {
    /// The shop that writes.
    pub(crate) shop: Shop,
    store: Arc<dyn Store>,
}

impl World {
    /// Without notes.
    pub(crate) fn new() -> Self {
        let clock = Clock::default();
        let store: Arc<dyn Store> = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
        let shop = Shop::on_shared(store.clone(), clock, Gateway::capturing(), 1);
        Self { shop, store }
    }

    /// The note with this number.
    pub(crate) fn note(stream: usize) -> Id<Note> {
        Id::derived(Uuid::from_u128(7), &stream.to_be_bytes())
    }

    /// Writes into a note.
    pub(crate) fn write(&self, stream: usize) {
        block_on(self.shop.staff().execute(Self::note(stream), Write(0))).unwrap();
    }

    /// What was copied of a note, in the order of copying.
    pub(crate) fn copied(&self, stream: usize) -> Vec<u64> {
        let copied = block_on(self.shop.staff().query(ById::<Copied>(Self::note(stream).cast()))).unwrap();
        copied.map_or_else(Vec::new, |copied| copied.0.clone())
    }

    /// A runner in the process of the shop.
    pub(crate) fn runner(&self, consumer: Copying, slice: Slice) -> ConsumerRunner {
        self.shop.staff().consumer(consumer).unwrap().within(slice)
    }

    /// One round in a process of its own, which may die; errors are for the next round to mend.
    pub(crate) fn round_or_death(&self, faults: &Faults, consumer: Copying, slice: Slice) {
        let faults = faults.next_process();
        let store: Arc<dyn Store> = Arc::new(Faulty::on(self.store.clone(), faults.clone()));
        let shop = Shop::on_shared(store, self.shop.clock.clone(), self.shop.gateway.clone(), 2);
        let runner = shop.staff().consumer(consumer).unwrap().within(slice);
        drop(block_on(until_it_dies(&faults, runner.round())));
    }

    /// Rounds until nothing is left, while time passes.
    pub(crate) fn catch_up(&self, consumer: Copying, slice: Slice) {
        let runner = self.runner(consumer, slice);
        for _ in 0..100 {
            self.shop.clock.advance(std::time::Duration::from_secs(5));
            block_on(runner.round()).unwrap();
        }
    }

    /// Rounds until the end of the log is reached.
    pub(crate) fn reads_to_the_end(&self, runner: &ConsumerRunner) {
        let ends = (0..self.log_length() + 10).any(|_| block_on(runner.round()).unwrap().end);
        assert!(ends, "the end is never reached");
    }

    /// How long the log is.
    pub(crate) fn log_length(&self) -> usize {
        let (mut after, mut length) = (Position::START, 0);
        loop {
            let page = block_on(self.store.read_all(LogQuery::after(after, MAX_PAGE))).unwrap();
            if page.events.is_empty() {
                return length;
            }
            length += page.events.len();
            after = page.next;
        }
    }
}
