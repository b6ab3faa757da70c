//! News of stock and orders, and whoever follows them.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "every suite uses a part; a test panics")]

use std::time::Duration;

use commerce_adapters_redis::{LiveEvent, LiveFollower, LivePush, LiveUpdates, Settings};
use commerce_core::kernel::event::EventId;
use commerce_core::port::publisher::{Outgoing, Publisher};
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

fn envelope(topic: &str, name: &str, kind: &str, number: usize, data: &Value) -> Outgoing {
    let id = EventId::derived(Uuid::nil(), format!("{name} {number}").as_bytes());
    let of = Uuid::new_v5(&Uuid::nil(), kind.as_bytes());
    let body = json!({
        "eventId": id.to_string(), "occurredOn": "2026-12-01T10:00:00.000000Z", "eventType": name,
        "aggregateId": of.to_string(), "aggregateType": kind, "version": number, "schemaVersion": 1,
        "correlationId": id.to_string(), "actor": "system", "data": data,
    });
    Outgoing {
        id,
        topic: topic.into(),
        key: "a.key".into(),
        ordering: format!("{kind}:{of}").into(),
        body: body.to_string().into_bytes().into(),
    }
}

/// A level of stock, of this version.
pub(crate) fn level(number: usize) -> Outgoing {
    let data = json!({"sku": "MUG", "location": Uuid::nil(), "available": number, "on_hand": number});
    envelope("inventory-events", "StockLevelChanged", "stock_item", number, &data)
}

/// An order that was placed, of this version.
pub(crate) fn placed(number: usize) -> Outgoing {
    let data = json!({"number": format!("N-{number}"), "content": {"email": "a@example.com"}});
    envelope("order-events", "OrderPlaced", "order", number, &data)
}

/// Live push of a shop, and where to follow it.
pub(crate) async fn push_and_follow(url: &str, settings: Settings) -> (LivePush, LiveUpdates) {
    let updates = LiveUpdates::at(url, settings.clone()).unwrap();
    (LivePush::open(url, settings).await.unwrap(), updates)
}

/// Pushes levels with these versions.
pub(crate) async fn push(push: &LivePush, numbers: std::ops::Range<usize>) {
    let batch: Vec<Outgoing> = numbers.map(level).collect();
    for part in batch.chunks(500) {
        push.publish(part.to_vec()).await.unwrap();
    }
}

/// The versions of the next so many updates; there must be no gap.
pub(crate) async fn versions(follower: &mut LiveFollower, count: usize) -> Vec<u64> {
    let mut versions = Vec::new();
    while versions.len() < count {
        let next = timeout(Duration::from_secs(20), follower.next()).await;
        match next.unwrap_or_else(|_| panic!("nothing came behind {versions:?}")).unwrap() {
            LiveEvent::Update(update) => versions.push(update.version),
            other => panic!("{other:?} behind {versions:?}"),
        }
    }
    versions
}

/// Versions.
pub(crate) fn numbers(of: impl Iterator<Item = usize>) -> Vec<u64> {
    of.map(|number| u64::try_from(number).unwrap()).collect()
}

/// Nothing more comes.
pub(crate) async fn quiet(follower: &mut LiveFollower) {
    let next = timeout(Duration::from_millis(100), follower.next()).await;
    assert!(next.is_err(), "{next:?}");
}
