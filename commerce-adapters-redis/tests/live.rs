//! What live push promises, on a real server.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod news;
mod post;
mod server;

use std::num::NonZeroU32;
use std::time::Duration;

use commerce_adapters_redis::redis;
use commerce_adapters_redis::{LiveChannel, LiveEvent, LiveId, LivePush, LiveUpdates};
use commerce_core::kernel::error::{Effect, PortErrorKind};
use commerce_core::port::publisher::{MAX_BATCH, Outgoing, Publisher};
use commerce_tests::server::Redis;
use news::{level, numbers, placed, push, push_and_follow, quiet, versions};
use post::{client, message};
use server::{fresh, on_runtime};
use tokio::time::{Instant, timeout};

/// What is pushed is seen, in the order in which it was pushed, through all channels that are followed.
#[test]
fn updates_come_in_order() {
    on_runtime(async {
        let (push, updates) = push_and_follow(&Redis::shared(), fresh()).await;
        let mut all = updates.follow(LiveChannel::ALL, None).await.unwrap();
        let mut orders = updates.follow([LiveChannel::Orders], None).await.unwrap();
        let sent: Vec<Outgoing> =
            (0..60).map(|number| if number % 3 == 0 { placed(number) } else { level(number) }).collect();
        for part in sent.chunks(7) {
            push.publish(part.to_vec()).await.unwrap();
        }
        assert_eq!(versions(&mut all, 60).await, numbers(0..60));
        assert_eq!(versions(&mut orders, 20).await, numbers((0..60).step_by(3)));
        quiet(&mut all).await;
        quiet(&mut orders).await;
    });
}

/// An update has what is to be shown, and its number is that of its entry.
#[test]
fn an_update_is_what_a_browser_gets() {
    on_runtime(async {
        let (settings, url) = (fresh(), Redis::shared());
        let (push, updates) = push_and_follow(&url, settings.clone()).await;
        let mut follower = updates.follow(LiveChannel::ALL, None).await.unwrap();
        push.publish(vec![level(3), placed(4)]).await.unwrap();
        let [LiveEvent::Update(stock), LiveEvent::Update(order)] =
            [follower.next().await.unwrap(), follower.next().await.unwrap()]
        else {
            panic!("two updates");
        };
        assert_eq!(
            (&*stock.name, stock.channel, stock.version),
            ("StockLevelChanged", LiveChannel::Stock, 3)
        );
        assert_eq!((stock.event, order.event), (level(3).id, placed(4).id));
        let shown: serde_json::Value = serde_json::from_str(&order.body).unwrap();
        assert_eq!((&shown["status"], &shown["number"]), (&"placed".into(), &"N-4".into()));
        assert_eq!(shown["order"], order.of.strip_prefix("order:").unwrap());
        assert_eq!(follower.last_event_id(), order.id);
        let buffer = format!("{{{}}}:live:orders", settings.shop);
        let mut read = redis::cmd("XRANGE");
        let kept: Vec<(String, Vec<String>)> =
            read.arg(buffer).arg("-").arg("+").query_async(&mut client(&url).await).await.unwrap();
        assert_eq!((&kept[0].0, &kept[0].1[3]), (&order.id.to_string(), &order.body.to_string()));
    });
}

/// Whoever was away gets what was missed, once, and then what is pushed; also more than is read at once.
#[test]
fn who_was_away_gets_what_was_missed_once() {
    on_runtime(async {
        let (push, updates) = push_and_follow(&Redis::shared(), fresh()).await;
        let mut first = updates.follow(LiveChannel::ALL, None).await.unwrap();
        self::push(&push, 0..5).await;
        assert_eq!(versions(&mut first, 5).await, numbers(0..5));
        let last = first.last_event_id();
        drop(first);
        self::push(&push, 5..1_705).await;
        let mut again = updates.follow(LiveChannel::ALL, Some(last)).await.unwrap();
        self::push(&push, 1_705..1_800).await;
        assert_eq!(versions(&mut again, 1_795).await, numbers(5..1_800));
        quiet(&mut again).await;
        let mut whole = updates.follow([LiveChannel::Stock], Some(LiveId::START)).await.unwrap();
        assert_eq!(versions(&mut whole, 1_800).await, numbers(0..1_800));
    });
}

/// Where the buffer no longer reaches back so far that is said, once, and what is kept follows.
#[test]
fn a_gap_is_told() {
    on_runtime(async {
        let (push, updates) = push_and_follow(&Redis::shared(), fresh()).await;
        let push = push.keeping(NonZeroU32::new(10).unwrap());
        let mut first = updates.follow(LiveChannel::ALL, None).await.unwrap();
        self::push(&push, 0..3).await;
        assert_eq!(versions(&mut first, 3).await, numbers(0..3));
        let last = first.last_event_id();
        // Exactly as much as is kept: nothing is missed.
        self::push(&push, 3..13).await;
        let mut in_time = updates.follow(LiveChannel::ALL, Some(last)).await.unwrap();
        assert_eq!(versions(&mut in_time, 10).await, numbers(3..13));
        push.publish(vec![placed(13), level(14)]).await.unwrap();
        let mut late = updates.follow(LiveChannel::ALL, Some(last)).await.unwrap();
        assert_eq!(late.next().await.unwrap(), LiveEvent::Missed { after: last });
        assert_eq!(versions(&mut late, 11).await, numbers(4..15));
        quiet(&mut late).await;
        // The other channel has lost nothing.
        let mut orders = updates.follow([LiveChannel::Orders], Some(last)).await.unwrap();
        assert_eq!(versions(&mut orders, 1).await, [13]);
    });
}

/// A server that has lost what it pushed says so, also where it has nothing at all.
#[test]
fn a_number_that_the_server_does_not_know_is_a_gap() {
    on_runtime(async {
        let server = Redis::start(&[]);
        let (push, updates) = push_and_follow(&server.url(), fresh()).await;
        self::push(&push, 0..3).await;
        let mut follower = updates.follow(LiveChannel::ALL, Some(LiveId::START)).await.unwrap();
        assert_eq!(versions(&mut follower, 3).await, numbers(0..3));
        let last = follower.last_event_id();
        redis::cmd("FLUSHALL").query_async::<()>(&mut client(&server.url()).await).await.unwrap();
        let mut again = updates.follow(LiveChannel::ALL, Some(last)).await.unwrap();
        assert_eq!(again.next().await.unwrap(), LiveEvent::Missed { after: last });
        assert_eq!(again.last_event_id(), LiveId::START);
        self::push(&push, 3..5).await;
        assert_eq!(versions(&mut again, 2).await, numbers(3..5));
        assert_eq!(versions(&mut follower, 2).await, numbers(3..5));
        // Nothing was pushed yet, so nothing can be missed.
        let (_, fresh) = push_and_follow(&server.url(), fresh()).await;
        quiet(&mut fresh.follow(LiveChannel::ALL, Some(LiveId::START)).await.unwrap()).await;
    });
}

/// Who does not ask holds nobody up, keeps little, and gets all of it in the end.
#[test]
fn a_slow_follower_holds_nobody_up() {
    on_runtime(async {
        let server = Redis::start(&["--client-output-buffer-limit", "pubsub 256kb 128kb 1"]);
        let (push, updates) = push_and_follow(&server.url(), fresh()).await;
        let mut slow = updates.follow(LiveChannel::ALL, None).await.unwrap();
        let mut quick = updates.follow(LiveChannel::ALL, None).await.unwrap();
        let reading = tokio::spawn(async move { versions(&mut quick, 6_000).await });
        let began = Instant::now();
        self::push(&push, 0..6_000).await;
        assert!(began.elapsed() < Duration::from_secs(30));
        assert_eq!(reading.await.unwrap(), numbers(0..6_000));
        assert_eq!(versions(&mut slow, 6_000).await, numbers(0..6_000));
        self::push(&push, 6_000..6_001).await;
        assert_eq!(versions(&mut slow, 1).await, [6_000]);
    });
}

/// A batch is one call, whatever it holds.
#[test]
fn a_hundred_updates_are_one_call() {
    on_runtime(async {
        let server = Redis::start(&[]);
        let (push, _) = push_and_follow(&server.url(), fresh()).await;
        self::push(&push, 0..1).await;
        let mut direct = client(&server.url()).await;
        let mut calls = async || {
            let told: String = redis::cmd("INFO").arg("commandstats").query_async(&mut direct).await.unwrap();
            let of = |name: &str| {
                let line = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(":calls="));
                line.map_or(0_u64, |rest| rest.split(',').next().unwrap().parse().unwrap())
            };
            ["cmdstat_evalsha", "cmdstat_eval", "cmdstat_script|load", "cmdstat_xadd"].map(of)
        };
        let before = calls().await;
        let mixed = (0..100).flat_map(|number| [level(number), message("catalog-events", number)]);
        push.publish(mixed.collect()).await.unwrap();
        let after = calls().await;
        assert_eq!(after, [before[0] + 1, before[1], before[2], before[3] + 100]);
        // What is of nothing that is shown asks nobody.
        push.publish((0..9).map(|number| message("order-events", number)).collect()).await.unwrap();
        assert_eq!(calls().await, after);
    });
}

/// What could not be kept is not pushed; the messages before it are taken, those that are passed over too.
#[test]
fn what_is_not_kept_is_not_pushed() {
    on_runtime(async {
        let (settings, url) = (fresh(), Redis::shared());
        let (push, updates) = push_and_follow(&url, settings.clone()).await;
        let mut follower = updates.follow([LiveChannel::Stock], None).await.unwrap();
        let spoilt = format!("{{{}}}:live:orders", settings.shop);
        redis::cmd("SET").arg(spoilt).arg("x").query_async::<()>(&mut client(&url).await).await.unwrap();
        let other = message("catalog-events", 1);
        let error =
            push.publish(vec![other.clone(), level(1), other, placed(2), level(3)]).await.unwrap_err();
        assert_eq!((error.taken, error.failed.kind), (3, PortErrorKind::Unavailable));
        assert_eq!(error.failed.effect, Effect::None);
        assert_eq!(versions(&mut follower, 1).await, [1]);
        quiet(&mut follower).await;
        let many = vec![level(0); MAX_BATCH + 1];
        assert_eq!(push.publish(many).await.unwrap_err().failed.kind, PortErrorKind::Invalid);
    });
}

/// Nothing of an address is in what a host may log.
#[test]
fn no_error_shows_an_address_or_a_password() {
    on_runtime(async {
        let mut settings = fresh();
        settings.answer_timeout = Duration::from_millis(100);
        let secret = "redis://shop:hunter2@127.0.0.1:1/";
        let updates = LiveUpdates::at(secret, settings.clone()).unwrap();
        let began = Instant::now();
        let follow = timeout(Duration::from_secs(5), updates.follow(LiveChannel::ALL, None));
        let error = follow.await.unwrap().unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(5));
        assert_eq!(error.kind, PortErrorKind::Unavailable);
        let opened = LivePush::open(secret, settings.clone()).await.unwrap_err();
        let unread = LiveUpdates::at("nonsense hunter2", settings).unwrap_err();
        let shown = format!("{updates:?} {error:?} {error} {opened:?} {opened} {unread:?} {unread}");
        for part in ["hunter2", "127.0.0.1", "shop:h"] {
            assert!(!shown.contains(part), "{shown}");
        }
    });
}

/// Every event of stock and of an order's status makes an update, as the golden file has it, and nothing of a person
/// is in it.
#[test]
fn every_event_that_is_shown_has_an_update_without_personal_data() {
    on_runtime(async {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/wire/canonical.json");
        let golden: Vec<serde_json::Value> =
            serde_json::from_str(&std::fs::read_to_string(golden).unwrap()).unwrap();
        let text = |of: &serde_json::Value, name: &str| of[name].as_str().unwrap().to_owned();
        let sent: Vec<Outgoing> = golden
            .iter()
            .map(|message| Outgoing {
                id: text(message, "id").parse().unwrap(),
                topic: text(message, "topic").into(),
                key: text(message, "key").into(),
                ordering: text(message, "ordering").into(),
                body: message["body"].to_string().into_bytes().into(),
            })
            .collect();
        let shown = |name: &str| {
            let changes = ["LevelChanged", "Alert", "Reserved", "Released", "Committed", "Consumed"];
            let status = ["Placed", "Confirmed", "Failed", "Cancelled", "Completed", "Blocked", "Unblocked"];
            name.strip_prefix("Order").is_some_and(|name| status.contains(&name))
                || ["ShipmentDispatched", "ShipmentDelivered"].contains(&name)
                || ["Stock", "LowStock", "Inventory", "InventoryCommitment"]
                    .iter()
                    .any(|start| name.strip_prefix(start).is_some_and(|rest| changes.contains(&rest)))
        };
        let names = golden.iter().map(|message| text(message, "of"));
        let expected: Vec<String> = names.filter(|name| shown(name)).collect();
        let (push, updates) = push_and_follow(&Redis::shared(), fresh()).await;
        let mut follower = updates.follow(LiveChannel::ALL, None).await.unwrap();
        for part in sent.chunks(MAX_BATCH) {
            push.publish(part.to_vec()).await.unwrap();
        }
        let mut kinds = std::collections::BTreeSet::new();
        for name in expected {
            let LiveEvent::Update(update) = follower.next().await.unwrap() else { panic!("a gap") };
            assert_eq!(*update.name, *name);
            for private in ["email", "subject", "customer", "reason", "tracking", "address", "actor", "admin"]
            {
                assert!(!update.body.contains(private), "{}", update.body);
            }
            kinds.insert(name);
        }
        quiet(&mut follower).await;
        assert!(kinds.len() >= 13, "{kinds:?}");
    });
}

/// An update that was kept but could not be pushed is said to have failed, and found when the next one tells what
/// stands before it.
#[test]
fn an_update_that_was_kept_and_not_pushed_is_found() {
    on_runtime(async {
        let (server, settings) = (Redis::start(&[]), fresh());
        let (push, updates) = push_and_follow(&server.url(), settings.clone()).await;
        let mut mute = redis::cmd("ACL");
        mute.arg(&["SETUSER", "mute", "on", ">word", "~*", "+@all", "resetchannels"]);
        mute.query_async::<()>(&mut client(&server.url()).await).await.unwrap();
        let mute = format!("{}?user=mute&pass=word", server.url());
        let mute = LivePush::open(&mute, settings).await.unwrap();
        let mut follower = updates.follow([LiveChannel::Stock], None).await.unwrap();
        let error = mute.publish(vec![level(0), level(1)]).await.unwrap_err();
        assert_eq!((error.taken, error.failed.kind), (1, PortErrorKind::Unavailable));
        quiet(&mut follower).await;
        self::push(&push, 2..3).await;
        assert_eq!(versions(&mut follower, 2).await, [0, 2]);
        quiet(&mut follower).await;
    });
}
