//! What has to be true of a broker once everything was published.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use commerce_core::kernel::aggregate::Aggregate as _;
use commerce_core::kernel::event::EventId;
use commerce_core::kernel::stream::{Position, StreamId};
use commerce_core::messaging::{Backlog, ConsumerProgress, DeadLetter};
use commerce_core::port::store::{LogQuery, MAX_PAGE, Store};
use commerce_core::value::Code;

use crate::check::{Books, Breach, Rule};
use crate::fake::Broker;
use crate::shop::Shop;

/// The most rounds until all is published or put aside.
const ROUNDS: u32 = 2000;
/// Rounds behind them, for what was blocked: it is tried again when its pause is over.
const PAUSES: u32 = 20;

fn outbox(what: impl Into<String>) -> Breach {
    Breach::new(Rule::Outbox, what.into())
}

/// Publishes the rest, on a broker that takes everything; then every event has arrived, and no event of a
/// stream in front of an earlier one. Streams of messages that were put aside are left out.
///
/// # Errors
///
/// What did not arrive as it should, or why nobody could tell.
pub(super) async fn everything_arrived(shop: &Shop, broker: &Broker) -> Result<(), Breach> {
    let name = Code::new("relay").map_err(|error| outbox(error.to_string()))?;
    let relay = shop.staff().relay(name, broker.clone()).map_err(|error| outbox(error.to_string()))?;
    for _ in 0..ROUNDS {
        if relay.round().await.is_ok_and(|round| round.end) {
            break;
        }
        shop.clock.advance(Duration::from_secs(1));
    }
    for _ in 0..PAUSES {
        shop.clock.advance(Duration::from_secs(5));
        relay.round().await.unwrap_or_default();
    }
    let mut first: BTreeMap<EventId, usize> = BTreeMap::new();
    for (place, message) in broker.taken().iter().enumerate() {
        first.entry(message.id).or_insert(place);
    }
    let (store, mut books) = (&**shop.commerce.store(), Books::default());
    books.read(store).await.map_err(|error| outbox(error.to_string()))?;
    let letters = books.all::<DeadLetter>();
    let lame = letters.map(|(_, letter)| letter.failed().message.stream.clone()).collect();
    judge(store, &first, &lame).await
}

async fn judge(
    store: &dyn Store,
    first: &BTreeMap<EventId, usize>,
    lame: &BTreeSet<StreamId>,
) -> Result<(), Breach> {
    let own = [Backlog::NAME, ConsumerProgress::NAME, DeadLetter::NAME];
    let mut last: BTreeMap<StreamId, usize> = BTreeMap::new();
    let mut after = Position::START;
    loop {
        let page = store.read_all(LogQuery::after(after, MAX_PAGE)).await;
        let page = page.map_err(|error| outbox(error.to_string()))?;
        if page.events.is_empty() {
            return Ok(());
        }
        after = page.next;
        for event in &page.events {
            let stream = &event.stream;
            if own.contains(&stream.kind.as_ref()) || lame.contains(stream) {
                continue;
            }
            let Some(place) = first.get(&event.event.id) else {
                return Err(outbox(format!("{stream} {} never arrived", event.version)));
            };
            if last.insert(stream.clone(), *place).is_some_and(|before| before > *place) {
                return Err(outbox(format!("{stream} {} overtook", event.version)));
            }
        }
    }
}
