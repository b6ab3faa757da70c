//! What the broker on streams promises beyond the contracts of its ports, on a real server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod post;
mod server;

use std::collections::HashMap;
use std::time::Duration;

use commerce_adapters_redis::RedisBroker;
use commerce_adapters_redis::redis::{self, AsyncCommands};
use commerce_core::kernel::error::PortErrorKind;
use commerce_core::port::publisher::{MAX_BATCH, Outgoing, Publisher};
use commerce_core::port::subscriber::{LETTERS_KEPT, Subscriber};
use commerce_core::value::Reason;
use commerce_tests::server::Redis;
use post::{batch, client, drain, message, messages, publish, receipts};
use server::{broker, fresh, on_runtime};

async fn calls(connection: &mut redis::aio::MultiplexedConnection) -> HashMap<String, u64> {
    let told: String = redis::cmd("INFO").arg("commandstats").query_async(connection).await.unwrap();
    let count = |line: &str| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
    };
    told.lines().filter_map(count).collect()
}

/// A batch is one call, whatever it holds.
#[test]
fn a_hundred_messages_are_one_call_to_publish_to_receive_and_to_acknowledge() {
    on_runtime(async {
        let server = Redis::start(&[]);
        let broker = RedisBroker::open(&server.url(), fresh()).await.unwrap();
        let member = broker.subscribe("group", ["order-events"]);
        publish(&broker, 0..1).await;
        assert_eq!(drain(&member).await.len(), 1);
        let mut direct = client(&server.url()).await;
        let scripts = |calls: &HashMap<String, u64>| {
            let of = |name: &str| calls.get(name).copied().unwrap_or_default();
            (of("evalsha"), of("eval"), of("script|load"))
        };
        let mut before = scripts(&calls(&mut direct).await);
        let mut one_call = async |what: &str| {
            let after = scripts(&calls(&mut direct).await);
            assert_eq!((after.0, after.1, after.2), (before.0 + 1, before.1, before.2), "{what}");
            before = after;
        };
        publish(&broker, 0..100).await;
        one_call("publish").await;
        let received = member.receive(100).await.unwrap();
        assert_eq!(received.len(), 100);
        one_call("receive").await;
        member.acknowledge(receipts(&received)).await.unwrap();
        one_call("acknowledge").await;
    });
}

/// Whoever reads streams finds names and payloads as the relay made them.
#[test]
fn an_entry_has_the_fields_of_the_message() {
    on_runtime(async {
        let (settings, url) = (fresh(), Redis::shared());
        let broker = RedisBroker::open(&url, settings.clone()).await.unwrap();
        let sent = Outgoing { body: (*b"\x00\xff{}").into(), ..message("order-events", 3) };
        broker.publish(vec![sent.clone()]).await.unwrap();
        let (mut direct, stream) = (client(&url).await, format!("{{{}}}:topic:order-events", settings.shop));
        let mut read = redis::cmd("XRANGE");
        let entries: Vec<(String, Vec<Vec<u8>>)> =
            read.arg(stream).arg("-").arg("+").query_async(&mut direct).await.unwrap();
        let (id, fields) = (sent.id.to_string(), ["id", "key", "ordering", "body"].map(str::as_bytes));
        let values = [id.as_bytes(), sent.key.as_bytes(), sent.ordering.as_bytes(), &sent.body];
        let pairs: Vec<&[u8]> =
            fields.into_iter().zip(values).flat_map(|(name, value)| [name, value]).collect();
        assert_eq!((entries.len(), &entries[0].1), (1, &pairs.into_iter().map(<[u8]>::to_vec).collect()));
        assert_eq!(drain(&broker.subscribe("group", ["order-events"])).await, [sent]);
    });
}

/// Messages of several topics come in the order in which they were published, however they are asked for.
#[test]
fn members_of_several_topics_get_them_in_order() {
    on_runtime(async {
        let broker = broker().await;
        let topics = ["order-events", "catalog-events", "stock-events"];
        let sent: Vec<Outgoing> =
            (0..600).map(|number| message(topics[number * number % 7 % 3], number)).collect();
        for part in sent.chunks(90) {
            broker.publish(part.to_vec()).await.unwrap();
        }
        let member = broker.subscribe("group", topics);
        let mut seen = Vec::new();
        for limit in [1, 7, 100, 33].into_iter().cycle() {
            let received = member.receive(limit).await.unwrap();
            if received.is_empty() {
                break;
            }
            assert!(received.len() <= limit);
            seen.extend(messages(&received));
        }
        assert_eq!(seen, sent);
    });
}

/// Entries are numbered behind one another also where the clock goes back, as on another server after a failover.
#[test]
fn a_clock_that_goes_back_mixes_nothing_up() {
    on_runtime(async {
        let (settings, url) = (fresh(), Redis::shared());
        let broker = RedisBroker::open(&url, settings.clone()).await.unwrap();
        let (mut direct, last) = (client(&url).await, format!("{{{}}}:published", settings.shop));
        direct.set::<_, _, ()>(last, "99999999999999-7").await.unwrap();
        broker.publish(vec![message("stock-events", 0)]).await.unwrap();
        broker.publish(vec![message("catalog-events", 1), message("stock-events", 2)]).await.unwrap();
        broker.publish(vec![message("catalog-events", 3)]).await.unwrap();
        let stream = format!("{{{}}}:topic:catalog-events", settings.shop);
        let mut read = redis::cmd("XREVRANGE");
        let newest: Vec<(String, Vec<Vec<u8>>)> =
            read.arg(stream).arg("+").arg("-").arg("COUNT").arg(1).query_async(&mut direct).await.unwrap();
        assert_eq!(newest[0].0, "99999999999999-11");
        let topics = ["stock-events", "catalog-events"];
        let sent: Vec<Outgoing> = (0..4).map(|number| message(topics[number % 2], number)).collect();
        assert_eq!(drain(&broker.subscribe("group", topics)).await, sent);
    });
}

/// Only a message that is too long is not taken; those before it are, and none behind it.
#[test]
fn a_message_that_is_too_long_is_not_taken() {
    on_runtime(async {
        let broker = broker().await;
        let huge = Outgoing { body: vec![b'x'; 9 << 20].into(), ..message("order-events", 2) };
        let mixed = [batch(0..2), vec![huge], batch(3..5)].concat();
        let error = broker.publish(mixed).await.unwrap_err();
        assert_eq!((error.taken, error.failed.kind), (2, PortErrorKind::Invalid));
        let error = broker.publish(batch(0..MAX_BATCH + 1)).await.unwrap_err();
        assert_eq!((error.taken, error.failed.kind), (0, PortErrorKind::Invalid));
        let member = broker.subscribe("group", ["order-events"]);
        assert_eq!(drain(&member).await, batch(0..2));
        // Large ones that are not too long go in several calls.
        let large = |number| Outgoing { body: vec![b'x'; 7 << 20].into(), ..message("order-events", number) };
        broker.publish((0..6).map(large).collect()).await.unwrap();
        assert_eq!(drain(&member).await.len(), 6);
    });
}

/// A topic that cannot be written to fails behind what was taken, and speaks against no message.
#[test]
fn what_was_taken_before_a_failure_is_told() {
    on_runtime(async {
        let (settings, url) = (fresh(), Redis::shared());
        let broker = RedisBroker::open(&url, settings.clone()).await.unwrap();
        let mut direct = client(&url).await;
        let spoilt = format!("{{{}}}:topic:catalog-events", settings.shop);
        direct.set::<_, _, ()>(&spoilt, "no stream").await.unwrap();
        let mixed = [batch(0..2), vec![message("catalog-events", 2)], batch(3..5)].concat();
        let error = broker.publish(mixed).await.unwrap_err();
        assert_eq!((error.taken, error.failed.kind), (2, PortErrorKind::Unavailable));
        assert_eq!(drain(&broker.subscribe("group", ["order-events"])).await, batch(0..2));
    });
}

/// Letters go when they have been kept for long enough; the others stay.
#[test]
fn letters_are_kept_for_seven_days() {
    on_runtime(async {
        let (settings, url) = (fresh(), Redis::shared());
        let broker = RedisBroker::open(&url, settings.clone()).await.unwrap();
        let member = broker.subscribe("group", ["order-events"]);
        publish(&broker, 0..3).await;
        let received = member.receive(10).await.unwrap();
        let bury = async |place: usize| {
            let receipt = received[place].receipt.clone();
            member.bury(receipt, Reason::lossy("no"), 1).await.unwrap();
        };
        bury(0).await;
        bury(1).await;
        let letters = member.buried(10).await.unwrap();
        assert_eq!(letters.iter().map(|letter| letter.message.clone()).collect::<Vec<_>>(), batch(0..2));
        let (mut direct, times) =
            (client(&url).await, format!("{{{}}}:group:5:group:letter-times", settings.shop));
        let mut age = async |place: usize, by: Duration| {
            let time = letters[place].last.minus(by).as_micros();
            direct.zadd::<_, _, _, ()>(&times, letters[place].message.id.to_string(), time).await.unwrap();
        };
        age(0, LETTERS_KEPT).await;
        age(1, LETTERS_KEPT.saturating_sub(Duration::from_secs(60))).await;
        bury(2).await;
        let left = member.buried(10).await.unwrap();
        assert_eq!(left.into_iter().map(|letter| letter.message).collect::<Vec<_>>(), batch(1..3));
        assert!(!member.redrive(letters[0].message.id).await.unwrap());
    });
}

/// Names of groups and topics cannot be taken for one another, whatever is in them.
#[test]
fn groups_and_topics_of_any_name_are_apart() {
    on_runtime(async {
        let broker = broker().await;
        let groups = [("a", "b:c"), ("a:b", "c"), ("a}", "{b"), ("ä ", "own"), ("", ""), ("own", "x y")];
        for (number, (_, topic)) in groups.iter().enumerate() {
            broker.publish(vec![message(topic, number)]).await.unwrap();
        }
        for (number, (group, topic)) in groups.iter().enumerate() {
            let member = broker.subscribe(*group, [*topic]);
            let received = member.receive(10).await.unwrap();
            assert_eq!(messages(&received), [message(topic, number)], "{group} {topic}");
            member.bury(received[0].receipt.clone(), Reason::lossy("no"), 1).await.unwrap();
            assert_eq!(member.buried(10).await.unwrap().len(), 1);
            assert!(member.redrive(message(topic, number).id).await.unwrap());
            assert_eq!(drain(&member).await, [message(topic, number)]);
        }
        assert_eq!(broker.trim().await.unwrap(), 6);
    });
}

/// One shop does not see the topics of another on the same server.
#[test]
fn shops_have_their_own_topics() {
    on_runtime(async {
        let (one, other) = (broker().await, broker().await);
        publish(&one, 0..3).await;
        assert_eq!(drain(&other.subscribe("group", ["order-events"])).await, []);
        assert_eq!(drain(&one.subscribe("group", ["order-events"])).await.len(), 3);
    });
}
