//! What has to be true of a broker once everything was published.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use commerce_core::kernel::aggregate::Aggregate as _;
use commerce_core::kernel::event::EventId;
use commerce_core::kernel::stream::Position;
use commerce_core::messaging::{Backlog, ConsumerProgress, DeadLetter};
use commerce_core::port::store::{LogQuery, MAX_PAGE, Store};
use commerce_core::value::Code;

use crate::check::{Breach, Rule};
use crate::fake::Broker;
use crate::shop::Shop;

/// The most rounds until all is published or put aside.
const ROUNDS: u32 = 2000;

/// Publishes the rest, on a broker that takes everything; then every event has arrived, and no event of a
/// stream in front of an earlier one. Messages that were put aside, and what shares their stream, are left out.
pub(super) async fn everything_arrived(shop: &Shop, broker: &Broker) -> Option<Breach> {
    let name = Code::new("relay").ok()?;
    let relay = shop.staff().relay(name, broker.clone()).ok()?;
    for _ in 0..ROUNDS {
        if relay.round().await.is_ok_and(|round| round.end) {
            break;
        }
        shop.clock.advance(Duration::from_secs(1));
    }
    // What was blocked is tried again when its pause is over.
    for _ in 0..20 {
        shop.clock.advance(Duration::from_secs(5));
        relay.round().await.unwrap_or_default();
    }
    let mut first: BTreeMap<EventId, usize> = BTreeMap::new();
    for (place, message) in broker.taken().iter().enumerate() {
        first.entry(message.id).or_insert(place);
    }
    judge(&**shop.commerce.store(), &first).await
}

async fn judge(store: &dyn Store, first: &BTreeMap<EventId, usize>) -> Option<Breach> {
    let own = [Backlog::NAME, ConsumerProgress::NAME, DeadLetter::NAME];
    let (mut last, mut lame) = (BTreeMap::new(), BTreeSet::new());
    let mut after = Position::START;
    loop {
        let page = store.read_all(LogQuery::after(after, MAX_PAGE)).await.ok()?;
        if page.events.is_empty() {
            return None;
        }
        after = page.next;
        for event in &page.events {
            let stream = event.stream.to_string();
            if own.contains(&event.stream.kind.as_ref()) || lame.contains(&stream) {
                continue;
            }
            let Some(place) = first.get(&event.event.id) else {
                if is_put_aside(store, event.event.id).await {
                    lame.insert(stream);
                    continue;
                }
                return Some(Breach::new(Rule::Outbox, format!("{stream} {} never arrived", event.version)));
            };
            if last.insert(stream.clone(), *place).is_some_and(|before| before > *place) {
                return Some(Breach::new(Rule::Outbox, format!("{stream} {} overtook", event.version)));
            }
        }
    }
}

/// Whether a dead letter holds this message.
async fn is_put_aside(store: &dyn Store, message: EventId) -> bool {
    let mut after = Position::START;
    loop {
        let Ok(page) = store.read_all(LogQuery::after(after, MAX_PAGE)).await else { return false };
        if page.events.is_empty() {
            return false;
        }
        let text = message.to_string();
        let buried = page.events.iter().filter(|event| event.event.name == "MessageBuried");
        if buried.map(|event| String::from_utf8_lossy(&event.event.data)).any(|data| data.contains(&text)) {
            return true;
        }
        after = page.next;
    }
}
