//! Consumers that know nothing of this library, and read streams by the names of their topics.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod post;
mod server;

use std::collections::BTreeMap;

use commerce_adapters_redis::redis::{self, Value};
use commerce_adapters_redis::{OpenError, RedisBroker};
use commerce_core::app::relay::wire::Profile;
use commerce_core::port::subscriber::Subscriber;
use commerce_core::prelude::*;
use commerce_core::value::Code;
use commerce_tests::house::root;
use commerce_tests::server::Redis;
use commerce_tests::story::Story;
use post::{batch, client, drain, message, messages, publish, receipts, runs_every_script};
use server::{fresh, on_runtime};

async fn bare(url: &str) -> RedisBroker {
    RedisBroker::open(url, fresh().with_bare_streams()).await.unwrap()
}

fn text(value: &Value) -> String {
    redis::from_redis_value(value.clone()).unwrap()
}

/// Reads a stream as any client does: the fields and values of every entry.
async fn raw(url: &str, stream: &str) -> Vec<Vec<String>> {
    let mut direct = client(url).await;
    let create = redis::cmd("XGROUP").arg(&["CREATE", stream, "theirs", "0"]).to_owned();
    create.query_async::<()>(&mut direct).await.unwrap();
    let read = ["GROUP", "theirs", "one", "COUNT", "1000", "STREAMS", stream, ">"];
    let answer: Value = redis::cmd("XREADGROUP").arg(&read).query_async(&mut direct).await.unwrap();
    let Value::Array(streams) = answer else { panic!("{answer:?}") };
    let [Value::Array(stream)] = streams.as_slice() else { panic!("{streams:?}") };
    let [_, Value::Array(entries)] = stream.as_slice() else { panic!("{stream:?}") };
    let fields = |entry: &Value| {
        let Value::Array(entry) = entry else { panic!("{entry:?}") };
        let [_, Value::Array(fields)] = entry.as_slice() else { panic!("{entry:?}") };
        fields.iter().map(text).collect()
    };
    entries.iter().map(fields).collect()
}

/// What the golden file of a dialect says, by topic: the fields that an entry must have.
fn golden(profile: Profile) -> BTreeMap<String, Vec<Vec<String>>> {
    let path = root().join("tests/golden/wire").join(format!("{profile:?}.json").to_lowercase());
    let file = std::fs::read_to_string(path).unwrap();
    let mut topics: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in file.lines().filter(|line| line.len() > 1) {
        let line = line.trim_end_matches(',');
        let told: BTreeMap<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        let field = |name: &str| told[name].as_str().unwrap().to_owned();
        let body = line.split_once(r#","body":"#).unwrap().1.strip_suffix('}').unwrap().to_owned();
        let entry =
            [("id", field("id")), ("key", field("key")), ("ordering", field("ordering")), ("body", body)];
        let entry = entry.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect();
        topics.entry(field("topic")).or_default().push(entry);
    }
    topics
}

/// For every source document: its names, its routing keys, its payloads, to the byte.
#[test]
fn a_consumer_of_a_source_document_reads_what_it_knows() {
    on_runtime(async {
        let story = Story::day().await;
        let system = story.shop.commerce.acting_as(Actor::System);
        for profile in Profile::ALL.into_iter().filter(|profile| *profile != Profile::Canonical) {
            let server = Redis::start(&[]);
            let name = Code::new(&format!("{profile:?}").to_lowercase()).unwrap();
            let relay = system.relay(name, bare(&server.url()).await).unwrap().speaking(profile);
            while !relay.round().await.unwrap().end {}
            let expected = golden(profile);
            assert!(!expected.is_empty());
            for (topic, entries) in expected {
                assert_eq!(raw(&server.url(), &topic).await, entries, "{profile:?} {topic}");
            }
        }
    });
}

/// A producer that knows nothing of this library either.
#[test]
fn what_others_add_is_received_or_passed_over() {
    on_runtime(async {
        let server = Redis::start(&[]);
        let broker = bare(&server.url()).await;
        let member = broker.subscribe("group", ["order-events"]);
        let mut direct = client(&server.url()).await;
        let theirs = message("order-events", 7);
        let (id, body) = (theirs.id.to_string(), String::from_utf8(theirs.body.to_vec()).unwrap());
        let known = ["id", &*id, "key", &theirs.key, "ordering", &theirs.ordering, "body", &body];
        for fields in [&["event", "OrderPlaced"][..], &known] {
            let add = redis::cmd("XADD").arg("order-events").arg("*").arg(fields).to_owned();
            add.query_async::<()>(&mut direct).await.unwrap();
        }
        publish(&broker, 0..2).await;
        let received = member.receive(10).await.unwrap();
        assert_eq!(messages(&received), [vec![theirs], batch(0..2)].concat());
        member.acknowledge(receipts(&received)).await.unwrap();
        assert_eq!(broker.trim().await, Ok(4));
    });
}

#[test]
fn everything_runs_with_bare_names_and_apart_from_the_others() {
    on_runtime(async {
        let server = Redis::start(&[]);
        let settings = fresh();
        let of_shop = RedisBroker::open(&server.url(), settings.clone()).await.unwrap();
        let bare = RedisBroker::open(&server.url(), settings.with_bare_streams()).await.unwrap();
        for broker in [&of_shop, &bare] {
            publish(broker, 0..3).await;
        }
        let members = [&of_shop, &bare].map(|broker| broker.subscribe("group", ["order-events"]));
        runs_every_script(&bare, &members[1]).await;
        assert_eq!(drain(&members[0]).await, batch(0..3));
        assert_eq!(of_shop.groups().await.unwrap().len(), 1, "the other group has ended");
    });
}

/// Streams of several topics share no slot.
#[test]
fn r03_a_server_of_a_cluster_is_refused() {
    on_runtime(async {
        let server = Redis::start(&["--cluster-enabled", "yes"]);
        let refused = RedisBroker::open(&server.url(), fresh().with_bare_streams()).await.unwrap_err();
        assert_eq!(refused, OpenError::Clustered);
        RedisBroker::open(&server.url(), fresh()).await.unwrap();
    });
}
