//! A cluster of three primaries: each shop lies in one slot, on one of them, and everything runs there.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod post;
mod server;

use std::collections::BTreeSet;
use std::error::Error;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_redis::{
    RedisBroker, RedisCache, RedisRateLimiter, RedisSessions, RedisStore, Settings, SideSettings, redis,
};
use commerce_core::kernel::commit::{Commit, Fence, Load};
use commerce_core::kernel::error::{CommitError, Effect, ErrorClass, PortError, PortErrorKind};
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::port::cache::{Cache, CachePrefix, Entry, Fill, Found, Tag, ttl};
use commerce_core::port::lease::Lease;
use commerce_core::port::publisher::Publisher;
use commerce_core::port::rate_limiter::{Acquired, Limit, LimitKey, RateLimiter};
use commerce_core::port::session::{Expected, SessionKey, SessionStore, SessionWrite};
use commerce_core::port::store::{DueQuery, LogQuery, Store, Table};
use commerce_core::port::subscriber::Subscriber;
use commerce_core::value::Reason;
use commerce_testkit::check::Findings;
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::server::Redis;
use post::{batch, client, drain, message, publish, runs_every_script, sleep};
use server::on_runtime;
use uuid::Uuid;

/// The slots of the three primaries.
const SLOTS: [(u32, u32); 3] = [(0, 5_460), (5_461, 10_922), (10_923, 16_383)];
/// Moments of a tenth of a second in which a cluster must have come together.
const PATIENCE: usize = 600;

/// Three primaries on this machine, each with a third of the slots.
struct Three(Vec<Redis>);

impl Three {
    async fn start() -> Self {
        // All at once, so that no port is given twice.
        let free: Vec<_> = (0..6).map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap()).collect();
        let ports: Vec<String> =
            free.iter().map(|port| port.local_addr().unwrap().port().to_string()).collect();
        drop(free);
        let node = |ports: &[String]| {
            let cluster =
                ["--cluster-enabled", "yes", "--cluster-node-timeout", "5000", "--bind", "127.0.0.1"];
            let listens = ["--port", &ports[0], "--cluster-port", &ports[1]];
            Redis::start(&[&cluster[..], &listens[..]].concat())
        };
        let three = Self(ports.chunks(2).map(node).collect());
        for (place, (first, last)) in SLOTS.into_iter().enumerate() {
            let range = [first, last].map(|slot| slot.to_string());
            three.ask::<()>(place, &["CLUSTER", "ADDSLOTSRANGE", &range[0], &range[1]]).await;
            let [port, bus] = [0, 1].map(|which| ports[place * 2 + which].as_str());
            three.ask::<()>(0, &["CLUSTER", "MEET", "127.0.0.1", port, bus]).await;
        }
        for place in 0..SLOTS.len() {
            three.comes_together(place).await;
        }
        three
    }

    async fn comes_together(&self, place: usize) {
        for _ in 0..PATIENCE {
            let told: String = self.ask(place, &["CLUSTER", "INFO"]).await;
            let expected = ["cluster_state:ok", "cluster_slots_ok:16384", "cluster_size:3"];
            if expected.iter().all(|line| told.lines().any(|known| known.trim() == *line)) {
                return;
            }
            sleep(100).await;
        }
        panic!("the cluster does not come together");
    }

    fn url(&self, place: usize) -> String {
        self.0[place].url()
    }

    async fn ask<A: redis::FromRedisValue>(&self, place: usize, command: &[&str]) -> A {
        let mut connection = client(&self.url(place)).await;
        redis::Cmd::new().arg(command).query_async(&mut connection).await.unwrap()
    }

    async fn slot(&self, key: &str) -> u32 {
        self.ask(0, &["CLUSTER", "KEYSLOT", key]).await
    }

    /// A shop of this kind that lies on a primary.
    async fn shop_on(&self, place: usize, kind: &str) -> String {
        let (first, last) = SLOTS[place];
        for number in 0..1_000 {
            let name = format!("{kind}-{number}");
            if (first..=last).contains(&self.slot(&format!("{{{name}}}")).await) {
                return name;
            }
        }
        panic!("one of a thousand names lies on every primary")
    }

    /// The names of all keys, by primary.
    async fn keys(&self) -> Vec<BTreeSet<String>> {
        let mut keys = Vec::new();
        for place in 0..SLOTS.len() {
            keys.push(self.ask(place, &["KEYS", "*"]).await);
        }
        keys
    }
}

/// Sells something, and reads all that there is: every script of the store.
async fn sells(url: &str, shop: &str) {
    let (clock, settings) = (Clock::default(), Settings::for_shop(shop).unwrap());
    let store = RedisStore::with_clock(url, settings, Arc::new(clock.clone())).await.unwrap();
    let here = Shop::on(store.clone(), clock, Gateway::capturing());
    here.list("MUG", "10.00", 3).await.unwrap();
    for buyer in 0..3 {
        let cart = here.cart(buyer, &[("MUG", 1)]).await.unwrap();
        here.buy(buyer, cart).await.unwrap();
    }
    here.settle().await.unwrap();
    let findings = Findings::of(&here).await.unwrap();
    assert!(findings.hold(), "{:#?}", findings.breaches());
    assert_eq!(here.level("MUG").await.unwrap().available, 0);
    let first = store.read_all(LogQuery::after(Position::START, 1)).await.unwrap().events.remove(0);
    let stream = store.read_stream(&first.stream, Version::NONE, 10).await.unwrap();
    assert_eq!(stream.first(), Some(&first));
    let granted = store.acquire("relay", Duration::from_secs(60)).await.unwrap().unwrap();
    assert!(store.renew(&granted.fence, Duration::from_secs(60)).await.unwrap().is_some());
    store.release(&granted.fence).await.unwrap();
}

/// Every script of the broker.
async fn publishes(url: &str, shop: &str) {
    let broker = RedisBroker::open(url, Settings::for_shop(shop).unwrap()).await.unwrap();
    let member = broker.subscribe("group", ["order-events", "catalog-events"]);
    publish(&broker, 0..2).await;
    broker.publish(vec![message("catalog-events", 2)]).await.unwrap();
    runs_every_script(&broker, &member).await;
    // Something that stays.
    publish(&broker, 3..5).await;
}

fn fill() -> Fill {
    let entry = Entry { value: (*b"a").into(), version: Version::NONE, tags: vec![Tag::new("t").unwrap()] };
    Fill { entry, ttl: ttl::PRODUCT, since: None }
}

fn write() -> SessionWrite {
    SessionWrite { data: (*b"cart").into(), idle: Duration::from_secs(60), expected: Expected::Any }
}

/// Every script of the cache, the limits and the sessions.
async fn caches(url: &str, shop: &str) {
    let settings = SideSettings::for_shop(shop).unwrap().waiting(Duration::from_secs(5));
    let cache = RedisCache::open(url, settings.clone()).unwrap();
    let (mug, cup) = ("catalog:product:MUG:detail", "catalog:product:CUP:detail");
    let (mug, cup) = (mug.parse().unwrap(), cup.parse().unwrap());
    assert!(cache.set(&mug, fill()).await.unwrap() && cache.set(&cup, fill()).await.unwrap());
    assert!(cache.refresh(&mug, ttl::LIST).await.unwrap());
    assert!(cache.remove(&mug, Some(Version::new(3))).await.unwrap());
    cache.remove_prefix(&CachePrefix::new(&["orders"]).unwrap()).await.unwrap();
    assert!(cache.exists(&cup).await.unwrap());
    cache.remove_tag(&Tag::new("t").unwrap()).await.unwrap();
    assert!(matches!(cache.get(&cup).await.unwrap(), Found::Miss(_)));
    let limits = RedisRateLimiter::open(url, settings.clone()).unwrap();
    let answer = limits.acquire(&LimitKey::new("user", "ann"), Limit::PER_USER, 1).await.unwrap();
    assert_eq!(answer, Acquired::Allowed { remaining: 99 });
    let sessions = RedisSessions::open(url, settings).unwrap();
    let [ann, bob] = [&b"ann"[..], b"bob"].map(|secret| SessionKey::new("session", secret));
    for who in [&ann, &bob] {
        assert_eq!(sessions.put(who, write()).await, Ok(Some(1)));
    }
    assert!(sessions.get(&ann).await.unwrap().is_some() && sessions.remove(&bob).await.unwrap());
}

#[test]
fn a_shop_lies_in_one_slot_of_a_cluster() {
    on_runtime(async {
        let three = Three::start().await;
        for place in 0..SLOTS.len() {
            let (before, shop) = (three.keys().await, three.shop_on(place, "shop").await);
            sells(&three.url(place), &shop).await;
            publishes(&three.url(place), &shop).await;
            caches(&three.url(place), &shop).await;
            let (after, slot) = (three.keys().await, three.slot(&format!("{{{shop}}}")).await);
            let new: BTreeSet<_> = after[place].difference(&before[place]).collect();
            assert!(new.len() > 20, "{shop}: {new:?}");
            for key in new {
                assert_eq!(three.slot(key).await, slot, "{key}");
            }
            for other in (0..SLOTS.len()).filter(|other| *other != place) {
                assert_eq!(after[other], before[other], "{shop} lies on {place} only");
            }
        }
    });
}

/// What the store says where its shop lies elsewhere.
async fn store_errors(url: &str, shop: &str) -> Vec<(&'static str, PortError)> {
    let store = RedisStore::open(url, Settings::for_shop(shop).unwrap()).await.unwrap();
    store.ping().await.unwrap();
    let fence = Fence { name: "relay".into(), token: 1 };
    let (kinds, lease) = (Vec::new(), Duration::from_secs(60));
    let stream = StreamId::new("order", Uuid::from_u128(7));
    let Err(CommitError::Port(commit)) = store.commit(Commit::default()).await else {
        panic!("a commit is refused");
    };
    let here = Shop::on(store.clone(), Clock::default(), Gateway::capturing());
    assert_eq!(here.list("MUG", "10.00", 3).await.unwrap_err().class(), ErrorClass::Unavailable);
    vec![
        ("commit", commit),
        ("load", store.load(Load::default()).await.unwrap_err()),
        ("read_all", store.read_all(LogQuery::after(Position::START, 1)).await.unwrap_err()),
        ("read_stream", store.read_stream(&stream, Version::NONE, 1).await.unwrap_err()),
        ("due", store.due(DueQuery { kinds, limit: 1, lease }).await.unwrap_err()),
        ("scan", store.scan(Table::Keys, None, 1).await.unwrap_err()),
        ("lease", store.acquire("relay", lease).await.unwrap_err()),
        ("renew", store.renew(&fence, lease).await.unwrap_err()),
        ("release", store.release(&fence).await.unwrap_err()),
    ]
}

/// What the broker says, also about a message that was handed out where it lies.
async fn broker_errors(url: &str, right: &str, shop: &str) -> Vec<(&'static str, PortError)> {
    let settings = Settings::for_shop(shop).unwrap();
    let there = RedisBroker::open(right, settings.clone()).await.unwrap();
    publish(&there, 0..1).await;
    let received = there.subscribe("group", ["order-events"]).receive(1).await.unwrap();
    let (receipt, id) = (received[0].receipt.clone(), received[0].message.id);
    let broker = RedisBroker::open(url, settings).await.unwrap();
    let member = broker.subscribe("group", ["order-events"]);
    let refused = broker.publish(batch(1..3)).await.unwrap_err();
    assert_eq!(refused.taken, 0);
    vec![
        ("publish", refused.failed),
        ("trim", broker.trim().await.unwrap_err()),
        ("receive", member.receive(1).await.unwrap_err()),
        ("acknowledge", member.acknowledge(vec![receipt.clone()]).await.unwrap_err()),
        ("postpone", member.postpone(vec![receipt.clone()], Duration::ZERO).await.unwrap_err()),
        ("bury", member.bury(receipt, Reason::lossy("no"), 1).await.unwrap_err()),
        ("buried", member.buried(1).await.unwrap_err()),
        ("redrive", member.redrive(id).await.unwrap_err()),
        ("discard", member.discard(id).await.unwrap_err()),
    ]
}

/// What the cache, the limits and the sessions say.
async fn side_errors(url: &str, shop: &str) -> Vec<(&'static str, PortError)> {
    let settings = SideSettings::for_shop(shop).unwrap().waiting(Duration::from_secs(5));
    let cache = RedisCache::open(url, settings.clone()).unwrap();
    let (mug, tag) = ("catalog:product:MUG:detail".parse().unwrap(), Tag::new("t").unwrap());
    let limits = RedisRateLimiter::open(url, settings.clone()).unwrap();
    let sessions = RedisSessions::open(url, settings).unwrap();
    let ann = SessionKey::new("session", b"ann");
    vec![
        ("get", cache.get(&mug).await.unwrap_err()),
        ("set", cache.set(&mug, fill()).await.unwrap_err()),
        ("remove", cache.remove(&mug, None).await.unwrap_err()),
        ("remove_tag", cache.remove_tag(&tag).await.unwrap_err()),
        ("acquire", limits.acquire(&LimitKey::new("user", "ann"), Limit::PER_USER, 1).await.unwrap_err()),
        ("session get", sessions.get(&ann).await.unwrap_err()),
        ("session put", sessions.put(&ann, write()).await.unwrap_err()),
        ("session remove", sessions.remove(&ann).await.unwrap_err()),
    ]
}

#[test]
fn whoever_asks_the_wrong_primary_is_told_so_and_nothing_is_done() {
    on_runtime(async {
        let three = Three::start().await;
        for place in 0..SLOTS.len() {
            let shop = three.shop_on(place, "lost").await;
            let wrong = (place + 1) % SLOTS.len();
            let mut errors = broker_errors(&three.url(wrong), &three.url(place), &shop).await;
            let before = three.keys().await;
            errors.extend(store_errors(&three.url(wrong), &shop).await);
            errors.extend(side_errors(&three.url(wrong), &shop).await);
            for (what, error) in errors {
                let told = error.source().map(ToString::to_string).unwrap_or_default();
                assert_eq!(told, "redis answered MOVED", "{what}: {error:?}");
                let (kind, effect) = (PortErrorKind::Unavailable, Effect::None);
                assert_eq!((error.kind, error.effect), (kind, effect), "{what}: {error:?}");
            }
            assert_eq!(three.keys().await, before, "nothing was written");
            // What was handed out is still its member's: it was neither acknowledged nor put aside.
            let there =
                RedisBroker::open(&three.url(place), Settings::for_shop(&shop).unwrap()).await.unwrap();
            let there = there.owned_for(Duration::from_millis(1));
            sleep(5).await;
            assert_eq!(drain(&there.subscribe("group", ["order-events"])).await, batch(0..1));
        }
    });
}
