//! A consumer on the other side of the broker, and what it has made of the messages.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use commerce_core::app::audit::StoreRepairs;
use commerce_core::app::consumer::{Consumer, ConsumerFailure, Delivery};
use commerce_core::kernel::codec::decode;
use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::event::{EventId, RecordedEvent};
use commerce_core::kernel::stream::Position;
use commerce_core::messaging::{Backlog, ConsumerName, ConsumerProgress, DeadLetter, Inbox};
use commerce_core::port::store::{LogQuery, MAX_PAGE, Store};
use commerce_core::prelude::*;
use serde::{Deserialize, Serialize};

/// What the shop keeps for itself, and no relay publishes.
const OWN: [&str; 5] =
    [ConsumerProgress::NAME, Backlog::NAME, DeadLetter::NAME, Inbox::NAME, StoreRepairs::NAME];

/// What was heard of a stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Heard(u64);

/// One message took effect.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum HeardEvent {
    /// This event.
    Of(EventId),
}
event_types! { HeardEvent { Of => "RedisGoneHeard" v1 } }

/// Never given: the consumer appends by itself.
#[derive(Debug, Clone, Serialize)]
struct Hear(EventId);

impl Command for Hear {
    type Target = Heard;
}

impl Aggregate for Heard {
    const NAME: &'static str = "redis_gone_heard";
    type Root = Self;
    type Command = Hear;
    type Event = HeardEvent;
    type Error = std::convert::Infallible;

    fn decide(_: Option<&Self>, hear: Hear, _: Timestamp) -> Result<Vec<HeardEvent>, Self::Error> {
        Ok(vec![HeardEvent::Of(hear.0)])
    }

    fn evolve(state: Option<Self>, _: &HeardEvent) -> Result<Self, EvolveError> {
        Ok(Self(state.map_or(0, |known| known.0).saturating_add(1)))
    }
}

/// Writes down every message.
#[derive(Debug)]
pub(crate) struct Listening;

#[async_trait]
impl Consumer for Listening {
    fn name(&self) -> ConsumerName {
        ConsumerName::new("listening").unwrap()
    }

    fn wants(&self, _: &RecordedEvent) -> bool {
        true
    }

    async fn handle(&self, delivery: Delivery<'_>) -> Result<Commit, ConsumerFailure> {
        let (stream, event) = (&delivery.event.stream, delivery.event.event.id);
        let mut heard = delivery.load::<Heard>(Id::derived(stream.id, stream.kind.as_bytes())).await?;
        let mut batch = delivery.batch();
        batch.append(&mut heard, &[HeardEvent::Of(event)]).unwrap();
        Ok(batch.into_commit())
    }
}

/// What came of the events of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    /// Events.
    pub(crate) events: usize,
    /// Events that have no effect.
    pub(crate) missing: usize,
    /// Effects beyond the first of an event.
    pub(crate) doubled: usize,
}

async fn log(store: &dyn Store) -> Vec<Arc<RecordedEvent>> {
    let (mut after, mut all) = (Position::START, Vec::new());
    loop {
        let page = store.read_all(LogQuery::after(after, MAX_PAGE)).await.unwrap();
        if page.events.is_empty() {
            return all;
        }
        after = page.next;
        all.extend(page.events);
    }
}

/// Compares the logs of both sides.
pub(crate) async fn told(source: &dyn Store, target: &dyn Store) -> Told {
    let mut effects: BTreeMap<EventId, usize> = BTreeMap::new();
    for recorded in log(target).await {
        if recorded.stream.kind == Heard::NAME {
            let HeardEvent::Of(event) = decode(&recorded.event).unwrap();
            *effects.entry(event).or_default() += 1;
        }
    }
    let mut told = Told { events: 0, missing: 0, doubled: 0 };
    for recorded in log(source).await {
        if !OWN.contains(&&*recorded.stream.kind) {
            let effects = effects.get(&recorded.event.id).copied().unwrap_or_default();
            told.events += 1;
            told.missing += usize::from(effects == 0);
            told.doubled += effects.saturating_sub(1);
        }
    }
    told
}
