//! A replica that lags takes the place of a primary that is lost: what is gone, and what holds all the same.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod server;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use commerce_adapters_redis::{RedisCache, RedisStore};
use commerce_core::app::caching::{CachePolicy, Cached, Loaded};
use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::stream::{Position, Version};
use commerce_core::kernel::timer::DueTimer;
use commerce_core::port::cache::{CacheKey, Invalidation};
use commerce_core::port::lease::Lease;
use commerce_core::port::store::{DueQuery, LogQuery, Store};
use commerce_core::prelude::*;
use commerce_testkit::build::{Draft, stream};
use commerce_testkit::check::{Findings, Rule};
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::server::Pair;
use server::{fresh, on_runtime, patient};
use tokio::time::sleep;

const HOUR: Duration = Duration::from_secs(3600);

/// Acknowledged orders are gone, as the first page of this crate says; of each all or nothing, so that the shop
/// goes on with books that agree.
#[test]
fn r05_orders_that_no_replica_had_are_gone_and_the_rest_agrees() {
    on_runtime(async {
        let mut pair = Pair::start(&[]);
        let clock = Clock::default();
        let store = RedisStore::with_clock(&pair.url(), fresh(), Arc::new(clock.clone())).await;
        let store = store.unwrap();
        let shop = Shop::on_shared(Arc::new(store.clone()), clock, Gateway::capturing(), 1);
        shop.list("MUG", "10.00", 10).await.unwrap();
        let carts = [shop.cart(1, &[("MUG", 1)]).await.unwrap(), shop.cart(2, &[("MUG", 2)]).await.unwrap()];
        let kept = shop.buy(1, carts[0]).await.unwrap();
        pair.cut();
        let lost = shop.buy(2, carts[1]).await.unwrap();
        assert_eq!(lost.status, CheckoutStatus::Confirmed);
        assert_eq!(shop.level("MUG").await.unwrap().available, 7);
        pair.fail_over();
        reached(&store).await;

        let order = async |id| shop.staff().query(ById::<Order>(id)).await.unwrap();
        assert!(order(kept.order).await.is_some());
        assert!(order(lost.order).await.is_none(), "the replica did not lag");
        assert_eq!(shop.level("MUG").await.unwrap().available, 9);
        let findings = Findings::of(&shop).await.unwrap();
        let wrong: Vec<_> = findings.breaches().iter().map(|breach| breach.rule).collect();
        assert_eq!(wrong, [Rule::Money], "it was paid all the same: {:#?}", findings.breaches());
        // The buyer tries again. The keys of calls follow from the cart: the gateway knows them, and takes nothing more.
        let again = shop.buy(2, carts[1]).await.unwrap();
        assert_eq!((again.order, again.status), (lost.order, CheckoutStatus::Confirmed));
        assert_eq!(shop.gateway.ledger().kept(lost.order), 2000);
        let cart = shop.cart(3, &[("MUG", 3)]).await.unwrap();
        shop.buy(3, cart).await.unwrap();
        assert_eq!(shop.level("MUG").await.unwrap().available, 4);
        let findings = Findings::of(&shop).await.unwrap();
        assert!(findings.hold(), "{:#?}", findings.breaches());
    });
}

/// Who was granted a lease by the primary that is lost has nothing in common with who is granted it next.
#[test]
fn r05_a_lease_that_was_lost_protects_nobody_and_harms_nobody() {
    on_runtime(async {
        let mut pair = Pair::start(&[]);
        let store = RedisStore::open(&pair.url(), fresh()).await.unwrap();
        for _ in 0..3 {
            let known = store.acquire("slice", HOUR).await.unwrap().unwrap();
            store.release(&known.fence).await.unwrap();
        }
        let due =
            Commit::default().appends(&stream("s"), 0, 1).sets(&stream("s"), "t", Timestamp::UNIX_EPOCH);
        store.commit(due).await.unwrap();
        pair.cut();
        let before = store.acquire("slice", HOUR).await.unwrap().unwrap().fence;
        let timer = taken(&store).await;
        pair.fail_over();
        reached(&store).await;
        let behind = store.acquire("slice", HOUR).await.unwrap().unwrap().fence;
        assert!(behind.token > before.token, "{behind:?} {before:?}");
        assert_eq!(store.renew(&before, HOUR).await, Ok(None));
        let under =
            |fence| Commit { fence: Some(fence), ..Commit::default().appends(&stream("of-slice"), 0, 1) };
        assert!(matches!(store.commit(under(before)).await, Err(CommitError::Fenced(_))));
        store.commit(under(behind)).await.unwrap();

        let again = taken(&store).await;
        let handled = |timer: DueTimer| Commit {
            lease: Some((timer.key, timer.token)),
            ..Commit::default().appends(&stream("s"), 1, 1).cancels(&stream("s"), "t")
        };
        assert!(matches!(store.commit(handled(timer)).await, Err(CommitError::LeaseLost(_))));
        store.commit(handled(again)).await.unwrap();
    });
}

/// Waits until the connection leads to the new server.
async fn reached(store: &RedisStore) {
    while store.read_all(LogQuery::after(Position::START, 1)).await.is_err() {
        sleep(Duration::from_millis(50)).await;
    }
}

async fn taken(store: &RedisStore) -> DueTimer {
    let query = DueQuery { kinds: Vec::new(), limit: 1, lease: HOUR };
    store.due(query).await.unwrap().timers.remove(0)
}

/// A removal that no replica had is undone. What comes back is as old as it was then, ends with its own span,
/// and never comes back behind that.
#[test]
fn r05_what_comes_back_is_read_until_its_span_is_over_and_no_longer() {
    on_runtime(async {
        let mut pair = Pair::start(&[]);
        let cache: Arc<RedisCache> = Arc::new(RedisCache::open(&pair.url(), patient()).unwrap());
        let truth = AtomicU64::new(1);
        let load = || async {
            let version = truth.load(Ordering::Relaxed);
            Ok::<_, Infallible>(Loaded::new(Some(version)).at(Version::new(version)))
        };
        let key = |name: &str| CacheKey::new("catalog", "product", name, "detail").unwrap();
        let keeping = |ttl| Cached::<u64, Infallible>::new(cache.clone(), CachePolicy::keeping(ttl), 1);
        let (long, short) = (keeping(HOUR), keeping(Duration::from_secs(2)));
        let read = async |cached: &Cached<u64, Infallible>, name| {
            *cached.get(&key(name), load).await.unwrap().unwrap()
        };
        assert_eq!((read(&long, "mug").await, read(&short, "cap").await), (1, 1));
        pair.cut();
        truth.store(2, Ordering::Relaxed);
        for (cached, name) in [(&long, "mug"), (&short, "cap")] {
            assert!(cached.invalidate(&Invalidation::Key(key(name), Some(Version::new(2)))).await);
            assert_eq!(read(cached, name).await, 2);
        }
        pair.fail_over();
        while cache.ping().await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(read(&long, "mug").await, 1, "the replica did not lag");
        // Whoever writes next, or hears of the change later, removes it for good.
        assert!(long.invalidate(&Invalidation::Key(key("mug"), Some(Version::new(2)))).await);
        assert_eq!(read(&long, "mug").await, 2);
        while read(&short, "cap").await == 1 {
            sleep(Duration::from_millis(50)).await;
        }
        for _ in 0..100 {
            assert_eq!((read(&long, "mug").await, read(&short, "cap").await), (2, 2));
        }
    });
}
