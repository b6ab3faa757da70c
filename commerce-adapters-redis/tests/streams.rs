//! What streams are known to do to those who trust them, on a real server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod post;
mod server;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use commerce_adapters_redis::{RedisBroker, RedisSubscriber, redis};
use commerce_core::kernel::error::{Effect, PortErrorKind};
use commerce_core::kernel::event::EventId;
use commerce_core::port::publisher::{Outgoing, Publisher};
use commerce_core::port::subscriber::Subscriber;
use commerce_core::value::Reason;
use commerce_tests::server::Redis;
use post::{batch, client, drain, message, messages, publish, receipts, runs_every_script, sleep};
use server::{broker, fresh, on_runtime};
use tokio::time::Instant;

const OWN: Duration = Duration::from_secs(1);
/// When it is over; the server counts whole milliseconds.
const OVER: u64 = 1_003;

/// A group that began with the newest message would never see those before it.
#[test]
fn r01_a_group_begins_with_the_oldest_message() {
    on_runtime(async {
        let broker = broker().await;
        let early = broker.subscribe("early", ["order-events"]);
        assert!(early.receive(10).await.unwrap().is_empty());
        publish(&broker, 0..5).await;
        let late = broker.subscribe("late", ["order-events"]);
        assert_eq!(drain(&early).await, batch(0..5));
        assert_eq!(drain(&late).await, batch(0..5));
    });
}

/// Two members may have one message: what is said about a delivery that is over changes nothing for the other,
/// except that a message that was handled is handled.
#[test]
fn r01_a_delivery_that_is_over_is_not_postponed_or_buried() {
    on_runtime(async {
        let broker = broker().await.owned_for(OWN);
        let [slow, quick] = [(); 2].map(|()| broker.subscribe("group", ["order-events"]));
        publish(&broker, 0..1).await;
        let first = slow.receive(1).await.unwrap();
        sleep(OVER).await;
        let again = quick.receive(1).await.unwrap();
        assert_eq!((again.len(), again.first().map(|incoming| incoming.deliveries)), (1, Some(2)));
        slow.postpone(receipts(&first), Duration::from_secs(60)).await.unwrap();
        slow.bury(first[0].receipt.clone(), Reason::lossy("too late"), 1).await.unwrap();
        assert!(quick.buried(1).await.unwrap().is_empty());
        sleep(OVER).await;
        let third = quick.receive(1).await.unwrap();
        assert_eq!(third.first().map(|incoming| incoming.deliveries), Some(3));
        slow.acknowledge(receipts(&first)).await.unwrap();
        sleep(OVER).await;
        assert!(quick.receive(1).await.unwrap().is_empty());
    });
}

/// A claim looks at a part of what is pending; what stands behind it must be found all the same.
#[test]
fn r01_lost_messages_behind_thousands_of_pending_ones_are_found() {
    on_runtime(async {
        let broker = broker().await.owned_for(OWN);
        let [gone, other] = [(); 2].map(|()| broker.subscribe("group", ["order-events"]));
        publish(&broker, 0..2_010).await;
        for _ in 0..20 {
            let received = gone.receive(100).await.unwrap();
            gone.postpone(receipts(&received), Duration::from_secs(600)).await.unwrap();
        }
        assert_eq!(gone.receive(100).await.unwrap().len(), 10);
        assert!(other.receive(100).await.unwrap().is_empty());
        sleep(OVER).await;
        let found = other.receive(5).await.unwrap();
        let more = other.receive(100).await.unwrap();
        assert_eq!([messages(&found), messages(&more)].concat(), batch(2_000..2_010));
        // Those that wait are not given out by the way, nor counted.
        sleep(OVER).await;
        assert_eq!(other.receive(100).await.unwrap().len(), 10);
    });
}

/// What a group has made its own is handed out like any message: it is lost, postponed and put aside again.
#[test]
fn r01_a_redriven_message_takes_the_path_of_every_message() {
    on_runtime(async {
        let (settings, url) = (fresh(), Redis::shared());
        let broker = RedisBroker::open(&url, settings.clone()).await.unwrap().owned_for(OWN);
        let [one, two] = [(); 2].map(|()| broker.subscribe("group", ["order-events"]));
        publish(&broker, 0..1).await;
        let sent = message("order-events", 0);
        let received = one.receive(1).await.unwrap();
        one.bury(received[0].receipt.clone(), Reason::lossy("one"), 1).await.unwrap();
        assert!(one.redrive(sent.id).await.unwrap());
        let received = one.receive(1).await.unwrap();
        assert_eq!((messages(&received), received[0].deliveries), (vec![sent.clone()], 1));
        sleep(OVER).await;
        let received = two.receive(1).await.unwrap();
        assert_eq!(received[0].deliveries, 2);
        two.postpone(receipts(&received), Duration::from_millis(500)).await.unwrap();
        assert!(one.receive(1).await.unwrap().is_empty());
        sleep(503).await;
        let received = one.receive(1).await.unwrap();
        assert_eq!((messages(&received), received[0].deliveries), (vec![sent.clone()], 3));
        one.bury(received[0].receipt.clone(), Reason::lossy("two"), 3).await.unwrap();
        let letters = two.buried(10).await.unwrap();
        assert_eq!(letters.len(), 1);
        assert_eq!((&letters[0].message, letters[0].error.as_str()), (&sent, "two"));
        let since = letters[0].last.since(letters[0].first);
        assert!((Duration::from_millis(1_503)..Duration::from_secs(60)).contains(&since), "{since:?}");
        assert!(one.redrive(sent.id).await.unwrap());
        assert_eq!(drain(&two).await, [sent]);
        // Nobody else reads the group's own stream, so nothing stays in it.
        let own = format!("{{{}}}:group:5:group:own", settings.shop);
        let left: usize = redis::cmd("XLEN").arg(own).query_async(&mut client(&url).await).await.unwrap();
        assert_eq!(left, 0);
    });
}

/// Every start of a host is a new member: the names of those that are gone go, but never with a message.
#[test]
fn r01_members_that_are_gone_are_forgotten_with_their_last_message() {
    on_runtime(async {
        let (settings, url) = (fresh(), Redis::shared());
        let broker = RedisBroker::open(&url, settings.clone()).await.unwrap().owned_for(OWN);
        let [idle, busy] = [(); 2].map(|()| broker.subscribe("group", ["order-events"]));
        publish(&broker, 0..3).await;
        assert_eq!(drain(&idle).await.len(), 3);
        publish(&broker, 3..4).await;
        assert_eq!(busy.receive(1).await.unwrap().len(), 1);
        sleep(20).await;
        let (mut direct, stream) = (client(&url).await, format!("{{{}}}:topic:order-events", settings.shop));
        // What trims, for members that were silent for 10 ms instead of an hour.
        let script =
            format!("{}\nreturn trimmed(KEYS[1], 10)", include_str!("../src/scripts/broker/trim.lua"));
        let dropped: u64 = redis::Script::new(&script).key(&stream).invoke_async(&mut direct).await.unwrap();
        assert_eq!(dropped, 3);
        let mut ask = redis::cmd("XINFO");
        let members: Vec<redis::Value> =
            ask.arg("CONSUMERS").arg(&stream).arg("group").query_async(&mut direct).await.unwrap();
        assert_eq!(members.len(), 1, "{members:?}");
        sleep(OVER).await;
        assert_eq!(drain(&idle).await, batch(3..4));
    });
}

/// A stream is cut only where every group is done: not what is pending, not what a slow group has not seen.
#[test]
fn r02_trim_keeps_pending_and_what_a_slow_group_has_not_seen() {
    on_runtime(async {
        let broker = broker().await.owned_for(OWN);
        let [quick, slow] = ["quick", "slow"].map(|group| broker.subscribe(group, ["order-events"]));
        publish(&broker, 0..300).await;
        assert_eq!(broker.trim().await.unwrap(), 0, "nobody has read anything");
        assert_eq!(drain(&quick).await.len(), 300);
        let received = slow.receive(100).await.unwrap();
        assert_eq!(broker.trim().await.unwrap(), 0, "all of it is pending or unread");
        let (kept, done) = received.split_at(10);
        slow.acknowledge(receipts(done)).await.unwrap();
        assert_eq!(broker.trim().await.unwrap(), 0, "the first is pending");
        slow.acknowledge(receipts(&kept[..7])).await.unwrap();
        slow.postpone(receipts(&kept[7..]), Duration::from_millis(50)).await.unwrap();
        assert_eq!(broker.trim().await.unwrap(), 7);
        sleep(53).await;
        let rest = drain(&slow).await;
        assert_eq!((&rest[..3], &rest[3..]), (&batch(7..10)[..], &batch(100..300)[..]));
        assert_eq!(broker.trim().await.unwrap(), 293);
        publish(&broker, 300..302).await;
        assert_eq!((drain(&slow).await, drain(&quick).await), (batch(300..302), batch(300..302)));
    });
}

/// Publishing trims by itself, so that a topic that is read does not grow.
#[test]
fn r02_a_topic_that_is_read_does_not_grow() {
    on_runtime(async {
        let (settings, url) = (fresh(), Redis::shared());
        let broker = RedisBroker::open(&url, settings.clone()).await.unwrap();
        let reader = broker.subscribe("reader", ["order-events"]);
        for round in 0..10 {
            publish(&broker, round * 500..(round + 1) * 500).await;
            assert_eq!(drain(&reader).await.len(), 500);
        }
        let mut direct = client(&url).await;
        let stream = format!("{{{}}}:topic:order-events", settings.shop);
        let left: usize = redis::cmd("XLEN").arg(stream).query_async(&mut direct).await.unwrap();
        assert!(left <= 1_500, "{left}");
    });
}

/// Entries that somebody else has dropped are not waited for, and those that are no messages hold nobody up.
#[test]
fn r02_what_others_do_to_a_stream_holds_nobody_up() {
    on_runtime(async {
        let (settings, url) = (fresh(), Redis::shared());
        let broker = RedisBroker::open(&url, settings.clone()).await.unwrap().owned_for(OWN);
        let member = broker.subscribe("group", ["order-events"]);
        publish(&broker, 0..6).await;
        let received = member.receive(4).await.unwrap();
        member.postpone(receipts(&received[..2]), Duration::from_millis(50)).await.unwrap();
        let (mut direct, stream) = (client(&url).await, format!("{{{}}}:topic:order-events", settings.shop));
        redis::cmd("XTRIM").arg(&stream).arg("MAXLEN").arg(2).query_async::<()>(&mut direct).await.unwrap();
        let add = |id: &'static str, fields: &'static [&'static str]| {
            let mut call = redis::cmd("XADD");
            call.arg(&stream).arg(id).arg(fields);
            call
        };
        let far = "99999999999999-0";
        let foreign = add(far, &["hello", "world"]).query_async::<()>(&mut direct).await;
        foreign.unwrap();
        sleep(OVER).await;
        publish(&broker, 6..8).await;
        assert_eq!(drain(&member).await, batch(4..8));
        assert!(broker.trim().await.unwrap() > 0);
        let pending: redis::Value =
            redis::cmd("XPENDING").arg(&stream).arg("group").query_async(&mut direct).await.unwrap();
        let redis::Value::Array(pending) = pending else { panic!("{pending:?}") };
        assert_eq!(pending.first(), Some(&redis::Value::Int(0)));
    });
}

/// Every script names all its keys, and they share one slot: on a cluster too.
#[test]
fn r03_everything_runs_on_a_cluster() {
    on_runtime(async {
        let server = Redis::start(&["--cluster-enabled", "yes"]);
        let mut direct = client(&server.url()).await;
        let all = redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(0).arg(16383).to_owned();
        all.query_async::<()>(&mut direct).await.unwrap();
        let settings = fresh();
        let broker = loop {
            let broker = RedisBroker::open(&server.url(), settings.clone()).await.unwrap().owned_for(OWN);
            if broker.publish(vec![message("order-events", 0)]).await.is_ok() {
                break broker;
            }
            sleep(50).await;
        };
        let member = broker.subscribe("group", ["order-events", "catalog-events"]);
        broker.publish(vec![message("catalog-events", 1), message("order-events", 2)]).await.unwrap();
        runs_every_script(&broker, &member).await;
    });
}

/// A full server takes nothing, and says so of the broker, not of the message; members go on, and make room.
#[test]
fn r04_a_full_server_loses_nothing_and_members_make_room() {
    on_runtime(async {
        let server = Redis::start(&["--maxmemory", "4mb"]);
        let broker = RedisBroker::open(&server.url(), fresh()).await.unwrap();
        let broker = broker.owned_for(OWN);
        let large = |number| Outgoing { body: vec![b'x'; 10_000].into(), ..message("order-events", number) };
        let mut taken = 0;
        let error = loop {
            match broker.publish((taken..taken + 10).map(large).collect()).await {
                Ok(()) => taken += 10,
                Err(error) => break error,
            }
            assert!(taken < 1_000);
        };
        let failed = &error.failed;
        assert_eq!((failed.kind, failed.effect), (PortErrorKind::Unavailable, Effect::None));
        taken += error.taken;
        let member = broker.subscribe("group", ["order-events"]);
        // Its group was not there, and making one takes memory.
        let mut direct = client(&server.url()).await;
        let more = |size: &'static str| redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg(size).to_owned();
        more("5mb").query_async::<()>(&mut direct).await.unwrap();
        let mut received = member.receive(20).await.unwrap();
        more("3mb").query_async::<()>(&mut direct).await.unwrap();
        assert!(broker.publish(vec![large(taken)]).await.is_err());
        member.postpone(receipts(&received), Duration::ZERO).await.unwrap();
        assert_eq!(messages(&member.receive(20).await.unwrap()), messages(&received));
        sleep(OVER).await;
        let mut seen = 0;
        loop {
            received = member.receive(20).await.unwrap();
            if received.is_empty() {
                break;
            }
            seen += received.len();
            member.acknowledge(receipts(&received)).await.unwrap();
        }
        assert_eq!(seen, taken);
        broker.publish(vec![large(taken)]).await.unwrap();
        assert_eq!(drain(&member).await, [large(taken)]);
    });
}

/// Members that die, postpone, put aside and acknowledge, while others publish and somebody trims without end:
/// every group is done with every message, and none was two members' at a time.
#[test]
fn r02_nothing_is_lost_while_everybody_trims() {
    const COUNT: usize = 2_000;
    on_runtime(async {
        let (settings, url) = (fresh(), Redis::shared());
        let broker = RedisBroker::open(&url, settings.clone()).await.unwrap();
        let broker = broker.owned_for(Duration::from_secs(3));
        let groups = ["one", "two", "three"].map(|group| (group, Arc::new(Mutex::new(BTreeMap::new()))));
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = Vec::new();
        for (group, done) in &groups {
            for number in 0..3_u64 {
                let member =
                    broker.subscribe(*group, ["order-events"]).waiting_for(Duration::from_millis(50));
                tasks.push(tokio::spawn(work(member, number + 1, done.clone(), stop.clone())));
            }
        }
        let trims = tokio::spawn({
            let (broker, stop) = (broker.clone(), stop.clone());
            async move {
                let mut dropped = 0;
                while !stop.load(Ordering::SeqCst) {
                    dropped += broker.trim().await.unwrap();
                    sleep(5).await;
                }
                dropped
            }
        });
        for from in (0..COUNT).step_by(50) {
            publish(&broker, from..from + 50).await;
        }
        let began = Instant::now();
        while groups.iter().any(|(_, done)| done.lock().unwrap().len() < COUNT) {
            assert!(began.elapsed() < Duration::from_secs(60), "{groups:?}");
            sleep(50).await;
        }
        stop.store(true, Ordering::SeqCst);
        for task in tasks {
            task.await.unwrap();
        }
        let dropped = trims.await.unwrap();
        assert!(dropped > 0);
        for (group, done) in groups {
            let letters = broker.subscribe(group, ["order-events"]).buried(COUNT).await.unwrap().len();
            let done = done.lock().unwrap();
            let aside = done.values().filter(|aside| **aside).count();
            assert!(aside > 0 && letters == aside, "{group}: {letters} of {aside}");
        }
        sleep(3_003).await;
        for group in ["one", "two", "three"] {
            assert_eq!(drain(&broker.subscribe(group, ["order-events"])).await, []);
        }
        broker.trim().await.unwrap();
        let stream = format!("{{{}}}:topic:order-events", settings.shop);
        let left: usize = redis::cmd("XLEN").arg(stream).query_async(&mut client(&url).await).await.unwrap();
        assert_eq!(left, 0);
    });
}

type Done = Arc<Mutex<BTreeMap<EventId, bool>>>;

/// Does anything with what it gets; notes what is acknowledged or put aside.
async fn work(member: RedisSubscriber, seed: u64, done: Done, stop: Arc<AtomicBool>) {
    let mut random = seed;
    while !stop.load(Ordering::SeqCst) {
        for incoming in member.receive(7).await.unwrap() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (id, receipt) = (incoming.message.id, incoming.receipt);
            let deed = random >> 33;
            let aside = deed % 20 == 2;
            if deed.is_multiple_of(47) {
                // It dies.
                continue;
            }
            if deed % 20 == 1 {
                member.postpone(vec![receipt], Duration::from_millis(deed % 300)).await.unwrap();
                continue;
            }
            if aside {
                member.bury(receipt, Reason::lossy("no"), 1).await.unwrap();
            } else {
                member.acknowledge(vec![receipt]).await.unwrap();
            }
            assert_eq!(done.lock().unwrap().insert(id, aside), None, "twice");
        }
    }
}
