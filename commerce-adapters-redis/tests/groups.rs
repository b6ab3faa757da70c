//! How far groups are, and their end, on a real server.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod post;
mod server;

use std::time::Duration;

use commerce_adapters_redis::redis::AsyncCommands;
use commerce_adapters_redis::{Left, RedisBroker, RedisSubscriber, Unfinished};
use commerce_core::port::publisher::Publisher;
use commerce_core::port::subscriber::Subscriber;
use commerce_core::value::Reason;
use commerce_tests::server::Redis;
use post::{batch, client, drain, message, messages, publish, receipts};
use server::{broker, fresh, on_runtime};

const NOTHING: Left = Left { unread: 0, pending: 0, buried: 0 };

/// One message each: acknowledged, pending, postponed, buried, redriven, and two that are not read.
async fn busy(broker: &RedisBroker) -> RedisSubscriber {
    let member = broker.subscribe("warehouse", ["order-events", "catalog-events"]);
    publish(broker, 0..6).await;
    broker.publish(vec![message("catalog-events", 6)]).await.unwrap();
    let received = member.receive(5).await.unwrap();
    member.acknowledge(receipts(&received[..1])).await.unwrap();
    member.postpone(receipts(&received[2..3]), Duration::from_secs(3600)).await.unwrap();
    for incoming in &received[3..5] {
        member.bury(incoming.receipt.clone(), Reason::lossy("no"), 1).await.unwrap();
    }
    assert!(member.redrive(received[4].message.id).await.unwrap());
    member
}

#[test]
fn a_group_that_has_something_left_ends_only_where_that_is_dropped() {
    on_runtime(async {
        let (server, settings) = (Redis::start(&[]), fresh());
        let broker = RedisBroker::open(&server.url(), settings.clone()).await.unwrap();
        let member = busy(&broker).await;
        let other = broker.subscribe("mailing", ["order-events"]);
        assert_eq!(drain(&other).await, batch(0..6));
        // Two of the topics, and the one that is redriven.
        let left = Left { unread: 3, pending: 2, buried: 1 };
        for _ in 0..2 {
            assert_eq!(member.end_group(Unfinished::Keep).await, Ok(left));
        }
        assert_eq!(broker.trim().await, Ok(1), "what both have acknowledged");
        assert_eq!(member.end_group(Unfinished::Drop).await, Ok(left));
        assert_eq!(member.end_group(Unfinished::Drop).await, Ok(NOTHING));
        let mut direct = client(&server.url()).await;
        let of_group = format!("{{{}}}:group:9:warehouse:*", settings.shop);
        let kept: Vec<String> = direct.keys(of_group).await.unwrap();
        assert_eq!(kept, [""; 0]);
        assert_eq!(broker.trim().await, Ok(5), "nobody else needs them");
        // Who comes back begins with what is there.
        assert_eq!(messages(&member.receive(10).await.unwrap()), [message("catalog-events", 6)]);
    });
}

#[test]
fn a_group_that_has_nothing_left_ends() {
    on_runtime(async {
        let broker = broker().await;
        publish(&broker, 0..3).await;
        let member = broker.subscribe("warehouse", ["order-events"]);
        assert_eq!(member.end_group(Unfinished::Keep).await, Ok(NOTHING), "there is none yet");
        assert_eq!(drain(&member).await.len(), 3);
        assert_eq!(member.end_group(Unfinished::Keep).await, Ok(NOTHING));
        assert!(NOTHING.is_nothing());
        assert_eq!(broker.groups().await, Ok(Vec::new()));
        assert_eq!(drain(&member).await.len(), 3, "it has begun anew");
    });
}

#[test]
fn groups_tell_how_far_they_are() {
    on_runtime(async {
        let broker = broker().await;
        assert_eq!(broker.groups().await, Ok(Vec::new()));
        busy(&broker).await;
        let other = broker.subscribe("mailing", ["order-events"]);
        other.receive(2).await.unwrap();
        let groups = broker.groups().await.unwrap();
        let told: Vec<_> =
            groups.iter().map(|at| (&*at.topic, &*at.group, at.members, at.pending, at.unread)).collect();
        let expected = [
            ("catalog-events", "warehouse", 0, 0, Some(1)),
            ("order-events", "mailing", 1, 2, Some(4)),
            ("order-events", "warehouse", 1, 2, Some(1)),
        ];
        assert_eq!(told, expected);
        let silent: Vec<_> = groups.iter().map(|at| at.silent.is_some()).collect();
        assert_eq!(silent, [false, true, true], "who has no member says nothing");
    });
}
