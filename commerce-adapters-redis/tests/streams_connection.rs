//! What happens to a broker on the way to its server, and while its members wait.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod post;
mod server;

use std::time::Duration;

use commerce_adapters_redis::{RedisBroker, redis};
use commerce_core::kernel::error::{Effect, PortErrorKind};
use commerce_core::port::publisher::Publisher;
use commerce_core::port::subscriber::Subscriber;
use commerce_core::value::Reason;
use commerce_tests::server::Redis;
use post::{batch, client, drain, messages, publish, receipts, sleep};
use server::{broker, fresh, on_runtime};
use tokio::time::Instant;

const OWN: Duration = Duration::from_secs(1);
/// When it is over; the server counts whole milliseconds.
const OVER: u64 = 1_003;

async fn at(server: &Redis) -> RedisBroker {
    RedisBroker::open(&server.url(), fresh()).await.unwrap()
}

/// A server that was flushed has neither groups nor scripts: both are made anew.
#[test]
fn r08_a_flushed_server_gets_its_groups_again() {
    on_runtime(async {
        let server = Redis::start(&[]);
        let broker = at(&server).await;
        let member = broker.subscribe("group", ["order-events"]);
        publish(&broker, 0..2).await;
        let before = member.receive(1).await.unwrap();
        let mut direct = client(&server.url()).await;
        redis::cmd("FLUSHALL").query_async::<()>(&mut direct).await.unwrap();
        redis::cmd("SCRIPT").arg("FLUSH").query_async::<()>(&mut direct).await.unwrap();
        member.acknowledge(receipts(&before)).await.unwrap();
        member.postpone(receipts(&before), Duration::ZERO).await.unwrap();
        member.bury(before[0].receipt.clone(), Reason::lossy("gone"), 1).await.unwrap();
        assert_eq!(broker.trim().await.unwrap(), 0);
        publish(&broker, 5..8).await;
        assert_eq!(drain(&member).await, batch(5..8));
    });
}

/// What was taken under `appendfsync always` is there after a crash, and so is who has had what.
#[test]
fn r08_a_crash_loses_neither_messages_nor_places() {
    on_runtime(async {
        let always = ["--appendfsync", "always"];
        let mut server = Redis::start(&always);
        let broker = at(&server).await;
        let broker = broker.owned_for(OWN);
        let member = broker.subscribe("group", ["order-events"]).waiting_for(Duration::from_millis(20));
        assert!(member.receive(1).await.unwrap().is_empty());
        publish(&broker, 0..9).await;
        let received = member.receive(4).await.unwrap();
        member.acknowledge(receipts(&received[..2])).await.unwrap();
        member.postpone(receipts(&received[2..3]), Duration::from_millis(20)).await.unwrap();
        server.kill();
        server.restart(&always);
        sleep(OVER).await;
        // The connection is lost, so nobody can tell; the relay hands it over again.
        let error = broker.publish(batch(9..10)).await.unwrap_err();
        assert_eq!((error.taken, error.failed.effect), (0, Effect::Unknown));
        publish(&broker, 9..10).await;
        assert_eq!(drain(&member).await, batch(2..10));
        publish(&broker, 10..11).await;
        assert_eq!(drain(&member).await, batch(10..11));
    });
}

/// Whoever waits holds nobody up, is woken by what comes, and does not wait longer than it was told.
#[test]
fn r08_waiting_members_hold_nobody_up() {
    on_runtime(async {
        let broker = broker().await;
        let member = broker.subscribe("group", ["order-events"]).waiting_for(Duration::from_secs(20));
        let waiting = tokio::spawn({
            let member = member.clone();
            async move { member.receive(10).await.unwrap() }
        });
        sleep(100).await;
        let began = Instant::now();
        publish(&broker, 0..1).await;
        assert_eq!(messages(&waiting.await.unwrap()), batch(0..1));
        assert!(began.elapsed() < Duration::from_secs(5));
        // A message whose pause is over ends the wait too.
        let other = broker.subscribe("group", ["order-events"]);
        publish(&broker, 1..2).await;
        let received = other.receive(1).await.unwrap();
        let began = Instant::now();
        other.postpone(receipts(&received), Duration::from_millis(100)).await.unwrap();
        assert_eq!(messages(&member.receive(10).await.unwrap()), batch(1..2));
        assert!((Duration::from_millis(100)..Duration::from_secs(5)).contains(&began.elapsed()));
        // One that is given up while it waits leaves nothing behind that takes messages.
        let given_up = tokio::time::timeout(Duration::from_millis(50), member.receive(10)).await;
        assert!(given_up.is_err());
        publish(&broker, 2..3).await;
        assert_eq!(messages(&other.receive(10).await.unwrap()), batch(2..3));
        let short = broker.subscribe("group", ["order-events"]).waiting_for(Duration::from_millis(30));
        let began = Instant::now();
        assert!(short.receive(10).await.unwrap().is_empty());
        assert!((Duration::from_millis(30)..Duration::from_secs(5)).contains(&began.elapsed()));
    });
}

/// A call that timed out may have run: its effect is unknown, nothing of it counts as taken, and it speaks against
/// no message.
#[test]
fn r08_a_batch_that_timed_out_is_not_taken_for_certain() {
    on_runtime(async {
        let server = Redis::start(&[]);
        let mut settings = fresh();
        settings.answer_timeout = Duration::from_millis(200);
        let broker = RedisBroker::open(&server.url(), settings).await.unwrap();
        let mut direct = client(&server.url()).await;
        redis::cmd("CLIENT").arg("PAUSE").arg(600).query_async::<()>(&mut direct).await.unwrap();
        let error = broker.publish(batch(0..3)).await.unwrap_err();
        assert_eq!(error.taken, 0);
        assert_eq!((error.failed.kind, error.failed.effect), (PortErrorKind::Timeout, Effect::Unknown));
        sleep(700).await;
        broker.publish(batch(0..3)).await.unwrap();
        let seen = drain(&broker.subscribe("group", ["order-events"])).await;
        assert!(seen.len() >= 3 && batch(0..3).iter().all(|message| seen.contains(message)), "{seen:?}");
    });
}

/// Nothing of an address is in what a host may log.
#[test]
fn r08_no_error_of_a_broker_shows_an_address_or_a_password() {
    on_runtime(async {
        let secret = "redis://shop:hunter2@127.0.0.1:1/";
        let error = RedisBroker::open(secret, fresh()).await.unwrap_err();
        let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        let causes: Vec<String> = causes.map(|cause| format!("{cause:?} {cause}")).collect();
        let shown = format!("{error:?} {error} {causes:?}");
        for part in ["hunter2", "127.0.0.1", "shop:"] {
            assert!(!shown.contains(part), "{shown}");
        }
        let broker = broker().await;
        let member = broker.subscribe("group", ["order-events"]).waiting_for(Duration::from_millis(1));
        assert!(!format!("{broker:?} {member:?}").contains("unix"));
    });
}
