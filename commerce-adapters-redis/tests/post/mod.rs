//! Messages, and what to do with them.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "every suite uses a part; a test panics")]

use std::time::Duration;

use commerce_adapters_redis::{RedisBroker, RedisSubscriber, Unfinished, redis};
use commerce_core::kernel::event::EventId;
use commerce_core::port::publisher::{Outgoing, Publisher};
use commerce_core::port::subscriber::{Incoming, Receipt, Subscriber};
use commerce_core::value::Reason;
use uuid::Uuid;

/// A message of a topic.
pub(crate) fn message(topic: &str, number: usize) -> Outgoing {
    Outgoing {
        id: EventId::derived(Uuid::nil(), format!("{topic} {number}").as_bytes()),
        topic: topic.into(),
        key: "order.placed".into(),
        ordering: format!("order:{}", number % 3).into(),
        body: format!("{{\"number\":{number}}}").into_bytes().into(),
    }
}

/// Messages of topic `order-events`.
pub(crate) fn batch(numbers: std::ops::Range<usize>) -> Vec<Outgoing> {
    numbers.map(|number| message("order-events", number)).collect()
}

/// Publishes messages with these numbers.
pub(crate) async fn publish(broker: &RedisBroker, numbers: std::ops::Range<usize>) {
    let batch = batch(numbers);
    for part in batch.chunks(500) {
        broker.publish(part.to_vec()).await.unwrap();
    }
}

/// What was handed out, without how.
pub(crate) fn messages(received: &[Incoming]) -> Vec<Outgoing> {
    received.iter().map(|incoming| incoming.message.clone()).collect()
}

/// To be acknowledged.
pub(crate) fn receipts(received: &[Incoming]) -> Vec<Receipt> {
    received.iter().map(|incoming| incoming.receipt.clone()).collect()
}

/// Acknowledges all that there is.
pub(crate) async fn drain(member: &impl Subscriber) -> Vec<Outgoing> {
    let mut all = Vec::new();
    loop {
        let received = member.receive(100).await.unwrap();
        if received.is_empty() {
            return all;
        }
        member.acknowledge(receipts(&received)).await.unwrap();
        all.extend(messages(&received));
    }
}

/// Lets time go by at the server.
pub(crate) async fn sleep(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// A connection beside the broker's.
pub(crate) async fn client(url: &str) -> redis::aio::MultiplexedConnection {
    redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}

/// Every script of the broker, behind messages 0 to 2 of two topics; nothing is left.
pub(crate) async fn runs_every_script(broker: &RedisBroker, member: &RedisSubscriber) {
    let received = member.receive(10).await.unwrap();
    let [done, later, aside] = received.as_slice() else { panic!("{received:?}") };
    member.acknowledge(vec![done.receipt.clone()]).await.unwrap();
    member.postpone(vec![later.receipt.clone()], Duration::ZERO).await.unwrap();
    member.bury(aside.receipt.clone(), Reason::lossy("no"), 1).await.unwrap();
    assert_eq!(member.buried(5).await.unwrap().len(), 1);
    assert!(member.redrive(aside.message.id).await.unwrap());
    assert_eq!(drain(member).await.len(), 2);
    assert!(!member.discard(aside.message.id).await.unwrap());
    assert_eq!(broker.trim().await.unwrap(), 3);
    assert!(broker.groups().await.unwrap().iter().all(|at| (at.pending, at.unread) == (0, Some(0))));
    assert!(member.end_group(Unfinished::Keep).await.unwrap().is_nothing());
    assert_eq!(broker.groups().await, Ok(Vec::new()));
}
