//! What Redis is known to do to caches, limits and sessions, on a real server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use commerce_adapters_memory::{MemoryCache, MemoryRateLimiter, SystemClock, platform};
use commerce_adapters_redis::redis::{self, AsyncCommands};
use commerce_adapters_redis::{
    RedisCache, RedisInvalidations, RedisRateLimiter, RedisSessions, RedisStore, SideSettings,
};
use commerce_core::app::caching::{CachePolicy, Cached, Layered, Loaded};
use commerce_core::kernel::error::{PortError, PortErrorKind};
use commerce_core::kernel::stream::Version;
use commerce_core::port::cache::{Cache, CacheKey, CachePrefix, Entry, Fill, Found, Tag, ttl};
use commerce_core::port::rate_limiter::{Acquired, Limit, LimitKey, RateLimiter};
use commerce_core::port::session::{Expected, SessionKey, SessionStore, SessionWrite};
use commerce_testkit::fake::{Clock, START};
use commerce_tests::server::Redis;
use server::{fresh, on_runtime, patient};
use tokio::time::sleep;

async fn client(url: &str) -> redis::aio::MultiplexedConnection {
    redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}

fn key(text: &str) -> CacheKey {
    text.parse().unwrap()
}

fn fill(value: &[u8], tags: &[&str]) -> Fill {
    let tags = tags.iter().map(|tag| Tag::new(tag).unwrap()).collect();
    let entry = Entry { value: value.into(), version: Version::NONE, tags };
    Fill { entry, ttl: ttl::PRODUCT, since: None }
}

/// Does a little of everything.
async fn use_all(url: &str, settings: &SideSettings) {
    let cache = RedisCache::open(url, settings.clone()).unwrap();
    let (mug, cup) = (key("catalog:product:MUG:detail"), key("catalog:product:CUP:detail"));
    assert!(cache.set(&mug, fill(b"a", &["t1", "t2"])).await.unwrap());
    assert!(cache.set(&cup, fill(b"b", &["t1"])).await.unwrap());
    assert!(cache.refresh(&mug, ttl::LIST).await.unwrap());
    cache.remove(&mug, None).await.unwrap();
    cache.remove(&mug, Some(Version::new(3))).await.unwrap();
    cache.remove_tag(&Tag::new("t2").unwrap()).await.unwrap();
    cache.remove_prefix(&CachePrefix::new(&["orders"]).unwrap()).await.unwrap();
    assert!(cache.exists(&cup).await.unwrap());
    let limits = RedisRateLimiter::open(url, settings.clone()).unwrap();
    let answer = limits.acquire(&LimitKey::new("user", "ann"), Limit::PER_USER, 1).await.unwrap();
    assert_eq!(answer, Acquired::Allowed { remaining: 99 });
    let sessions = RedisSessions::open(url, settings.clone()).unwrap();
    let (ann, data) = (SessionKey::new("session", b"ann"), b"cart"[..].into());
    let write = SessionWrite { data, idle: Duration::from_secs(60), expected: Expected::New };
    assert_eq!(sessions.put(&ann, write).await, Ok(Some(1)));
    assert!(sessions.get(&ann).await.unwrap().is_some());
}

/// A script touches one slot only, with every key named: it runs on a cluster too.
#[test]
fn r03_all_of_it_runs_on_a_cluster() {
    on_runtime(async {
        let server = Redis::start(&["--cluster-enabled", "yes", "--appendonly", "no"]);
        let mut direct = client(&server.url()).await;
        let slots = redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(0).arg(16383).to_owned();
        slots.query_async::<()>(&mut direct).await.unwrap();
        for _ in 0..100 {
            let info: String = redis::cmd("CLUSTER").arg("INFO").query_async(&mut direct).await.unwrap();
            if info.contains("cluster_state:ok") {
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
        use_all(&server.url(), &patient()).await;
    });
}

/// Whatever is written ends by itself, and nothing is ever looked for by going through all keys.
#[test]
fn r04_every_key_ends_and_no_key_is_searched_for() {
    on_runtime(async {
        let server = Redis::start(&[]);
        use_all(&server.url(), &patient()).await;
        let mut direct = client(&server.url()).await;
        let stats: String = redis::cmd("INFO").arg("commandstats").query_async(&mut direct).await.unwrap();
        for command in ["keys", "scan", "smembers", "hgetall"] {
            assert!(!stats.contains(&format!("cmdstat_{command}:")), "{stats}");
        }
        let names: Vec<String> = direct.keys("*").await.unwrap();
        assert_eq!(names.len(), 5, "{names:?}");
        for name in names {
            let left: i64 = direct.pttl(&name).await.unwrap();
            assert!(left > 0, "{name} stays for ever");
            assert!(!name.contains("ann") || name.contains("limit"), "{name} tells a secret");
        }
    });
}

/// What a server evicts is gone, the memory of removals too: then everything counts as removed.
#[test]
fn r04_eviction_brings_nothing_back() {
    on_runtime(async {
        let evicts = ["--maxmemory", "4mb", "--maxmemory-policy", "allkeys-random", "--appendonly", "no"];
        let server = Redis::start(&evicts);
        let cache = RedisCache::open(&server.url(), patient()).unwrap();
        let (mut evicted, mut gone) = (0, Vec::new());
        for round in 0..60_u32 {
            let old = key(&format!("catalog:product:{round}:detail"));
            let tag = format!("t{round}");
            cache.set(&old, fill(&[1; 100], &[&tag])).await.unwrap();
            cache.remove_tag(&Tag::new(&tag).unwrap()).await.unwrap();
            gone.push(old);
            for number in 0..100 {
                let key = key(&format!("catalog:flood:{round}:{number}"));
                cache.set(&key, fill(&[2; 1_000], &[])).await.unwrap();
                evicted += u32::from(!cache.exists(&key).await.unwrap());
            }
            for old in &gone {
                assert!(!cache.exists(old).await.unwrap(), "what was removed is back");
            }
        }
        let mut direct = client(&server.url()).await;
        let info: String = redis::cmd("INFO").arg("stats").query_async(&mut direct).await.unwrap();
        let evictions = info.lines().find_map(|line| line.strip_prefix("evicted_keys:")).unwrap();
        assert!(evictions.trim().parse::<u32>().unwrap() > 1_000, "{evictions}, {evicted} at once");
    });
}

/// A server that is full takes nothing in, but removes what it is told to; with room again it goes on.
#[test]
fn r04_a_full_server_still_removes() {
    on_runtime(async {
        let server = Redis::start(&["--maxmemory", "4mb", "--appendonly", "no"]);
        let cache = RedisCache::open(&server.url(), patient()).unwrap();
        let name = |number: u32| key(&format!("catalog:product:{number}:detail"));
        let mut kept = 0;
        let refused = loop {
            match cache.set(&name(kept), fill(&[1; 1_000], &["all"])).await {
                Ok(taken) => assert!(taken),
                Err(error) => break error,
            }
            kept += 1;
        };
        assert_eq!(refused.kind, PortErrorKind::Unavailable);
        assert!(cache.exists(&name(0)).await.unwrap());
        assert!(cache.remove(&name(0), None).await.unwrap());
        assert!(!cache.exists(&name(0)).await.unwrap());
        // Make sure that it is full: removals make room.
        while cache.set(&key("catalog:product:more:detail"), fill(&[1; 5_000], &[])).await.is_ok() {
            let mut direct = client(&server.url()).await;
            let _: Result<(), _> = direct.append("ballast", vec![0_u8; 1_000]).await;
        }
        cache.remove_tag(&Tag::new("all").unwrap()).await.unwrap();
        let mut back = 0;
        for number in 0..kept {
            back += u32::from(cache.exists(&name(number)).await.unwrap());
        }
        assert_eq!(back, 0, "what was removed is back");
        // What was looked for is gone for good, so there is room again.
        assert!(cache.set(&name(1), fill(&[1; 1_000], &[])).await.unwrap());
        assert!(cache.exists(&name(1)).await.unwrap());
    });
}

/// Readers on connections of their own miss and read what is stored; a writer stores something else and removes
/// the entry, by whatever way; then the readers put in what they have read. None of it is taken.
#[test]
fn r06_what_was_read_before_a_removal_is_not_put_back() {
    on_runtime(async {
        let (settings, tag) = (patient(), Tag::new("mug").unwrap());
        let open = || RedisCache::open(&Redis::shared(), settings.clone()).unwrap();
        let (writer, readers) = (open(), [(); 8].map(|()| open()));
        let prefix = CachePrefix::new(&["catalog"]).unwrap();
        for round in 0..40_u64 {
            let mug = key(&format!("catalog:product:MUG-{round}:detail"));
            let mut late = Vec::new();
            for reader in readers.clone() {
                let Found::Miss(ticket) = reader.get(&mug).await.unwrap() else { panic!("round {round}") };
                late.push((reader, Fill { since: Some(ticket), ..fill(&round.to_be_bytes(), &["mug"]) }));
            }
            let (first, rest) = late.split_first().unwrap();
            if round / 4 % 2 == 1 {
                // Somebody was quick.
                assert!(first.0.set(&mug, first.1.clone()).await.unwrap());
            }
            match round % 4 {
                0 => drop(writer.remove(&mug, None).await.unwrap()),
                1 => drop(writer.remove(&mug, Some(Version::new(1))).await.unwrap()),
                2 => writer.remove_tag(&tag).await.unwrap(),
                _ => writer.remove_prefix(&prefix).await.unwrap(),
            }
            let puts = rest.iter().cloned().map(|(reader, fill)| {
                let mug = mug.clone();
                tokio::spawn(async move { reader.set(&mug, fill).await.unwrap() })
            });
            for put in puts.collect::<Vec<_>>() {
                assert!(!put.await.unwrap(), "round {round}");
            }
            assert!(!writer.exists(&mug).await.unwrap(), "round {round}");
        }
    });
}

/// A value that comes late is refused by its version, also behind a removal.
#[test]
fn r06_an_old_version_replaces_no_newer_one() {
    on_runtime(async {
        let cache = RedisCache::open(&Redis::shared(), patient()).unwrap();
        let mug = key("catalog:product:MUG:detail");
        let put = async |version: u64| {
            let mut fill = fill(&version.to_be_bytes(), &[]);
            fill.entry.version = Version::new(version);
            cache.set(&mug, fill).await.unwrap()
        };
        assert!(put(2).await);
        assert!(!put(1).await, "it is there");
        assert!(cache.remove(&mug, Some(Version::new(3))).await.unwrap());
        assert!(!put(2).await, "it was removed");
        assert!(put(3).await);
        assert_eq!(cache.remove(&mug, Some(Version::new(3))).await, Ok(false), "it is what was written");
        assert!(put(10).await && !put(9).await, "numbers, not texts");
    });
}

/// A clock that is set back locks nobody out, and gives nothing away.
#[test]
fn r08_a_clock_that_is_set_back_takes_nothing_away() {
    on_runtime(async {
        let clock = Clock::default();
        let by = Arc::new(clock.clone());
        let redis = RedisRateLimiter::open(&Redis::shared(), patient()).unwrap().by(by.clone());
        let limiters: [Arc<dyn RateLimiter>; 2] = [Arc::new(redis), Arc::new(MemoryRateLimiter::new(by))];
        for limiter in limiters {
            let ann = LimitKey::new("user", "ann");
            let acquire = |cost| limiter.acquire(&ann, Limit::PER_USER, cost);
            assert_eq!(acquire(100).await, Ok(Acquired::Allowed { remaining: 0 }));
            clock.set(START.minus(Duration::from_secs(3600)));
            assert_eq!(acquire(1).await, Ok(Acquired::Wait(Duration::from_millis(600))));
            clock.advance(Duration::from_millis(600));
            assert_eq!(acquire(1).await, Ok(Acquired::Allowed { remaining: 0 }));
            clock.set(START);
        }
    });
}

/// A thousand that miss at the same time make one load; so they do when there is no server at all.
#[test]
fn r07_a_thousand_misses_make_at_most_two_loads() {
    on_runtime(async {
        let nowhere = "redis+unix:///nowhere/socket".to_owned();
        for url in [Redis::shared(), nowhere] {
            let cache = RedisCache::open(&url, patient()).unwrap();
            let pages = Cached::<u64, PortError>::new(Arc::new(cache), CachePolicy::keeping(ttl::LIST), 1);
            let (pages, loads) = (Arc::new(pages), Arc::new(AtomicU64::new(0)));
            let tasks: Vec<_> = (0..1000)
                .map(|_| {
                    let (pages, loads) = (pages.clone(), loads.clone());
                    tokio::spawn(async move {
                        let load = || async {
                            loads.fetch_add(1, Ordering::SeqCst);
                            sleep(Duration::from_millis(100)).await;
                            Ok(Loaded::new(Some(7)))
                        };
                        pages.get(&key("catalog:product:list:page:1"), load).await.unwrap()
                    })
                })
                .collect();
            for task in tasks {
                assert_eq!(task.await.unwrap().as_deref(), Some(&7));
            }
            let loads = loads.load(Ordering::SeqCst);
            assert!((1..=2).contains(&loads), "{loads} loads");
        }
    });
}

/// So do they in four processes, each with connections of its own, where a lease tells whose turn it is.
#[test]
fn r07_a_thousand_misses_in_four_processes_make_at_most_two_loads() {
    on_runtime(async {
        // By a clock that stands still nobody loses a lease, however long the machine takes.
        let clock = Arc::new(Clock::default());
        let lease = RedisStore::with_clock(&Redis::shared(), fresh(), clock).await.unwrap();
        let (lease, settings, loads) = (Arc::new(lease), patient(), Arc::new(AtomicU64::new(0)));
        let process = |seed| {
            let cache = RedisCache::open(&Redis::shared(), settings.clone()).unwrap();
            let pages = Cached::<u64, PortError>::new(Arc::new(cache), CachePolicy::keeping(ttl::LIST), seed);
            Arc::new(pages.locked_by(lease.clone(), &platform()))
        };
        let processes = [1, 2, 3, 4].map(process);
        let tasks: Vec<_> = (0..250)
            .flat_map(|_| processes.clone())
            .map(|pages| {
                let loads = loads.clone();
                tokio::spawn(async move {
                    let load = || async {
                        loads.fetch_add(1, Ordering::SeqCst);
                        sleep(Duration::from_millis(100)).await;
                        Ok(Loaded::new(Some(7)))
                    };
                    pages.get(&key("catalog:product:list:page:1"), load).await.unwrap()
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap().as_deref(), Some(&7));
        }
        let loads = loads.load(Ordering::SeqCst);
        assert!((1..=2).contains(&loads), "{loads} loads");
        let hits: u64 = processes.iter().map(|pages| pages.counts().hits).sum();
        assert!(hits >= 2, "others have found what one has loaded");
    });
}

/// A connection that hears of removals is made again when it is lost; what it missed is not kept.
#[test]
fn r08_whoever_missed_removals_removes_everything() {
    on_runtime(async {
        let (mut server, settings) = (Redis::start(&[]), patient());
        let open = || Arc::new(RedisCache::open(&server.url(), settings.clone()).unwrap());
        let (here, there) = (open(), open());
        let told = Arc::new(RedisInvalidations::open(&server.url(), settings.clone()).unwrap());
        let first = Arc::new(MemoryCache::new(Arc::new(SystemClock)));
        let far = Layered::new(first.clone(), there).first_for(Duration::from_secs(3600));
        let near =
            Layered::new(Arc::new(MemoryCache::new(Arc::new(SystemClock))), here).telling(told.clone());
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let listening = tokio::spawn({
            let (told, first) = (told.clone(), first.clone());
            async move { told.follow(first, &platform(), async { drop(stopped.await) }).await }
        });
        let mug = key("catalog:product:MUG:detail");
        let forgotten = |what: &'static str| {
            let (first, mug) = (first.clone(), mug.clone());
            async move {
                for _ in 0..500 {
                    if !first.exists(&mug).await.unwrap() {
                        return;
                    }
                    sleep(Duration::from_millis(20)).await;
                }
                panic!("{what}");
            }
        };
        // Read at the second level, behind the message about the write.
        let kept = || async {
            sleep(Duration::from_millis(100)).await;
            for _ in 0..500 {
                assert!(far.get(&mug).await.unwrap().entry().is_some());
                if first.exists(&mug).await.unwrap() {
                    return;
                }
            }
            panic!("the first level keeps nothing");
        };
        // It listens when the first removal arrives.
        let mut heard = false;
        for _ in 0..100 {
            assert!(near.set(&mug, fill(b"a", &[])).await.unwrap());
            assert!(far.get(&mug).await.unwrap().entry().is_some());
            near.remove(&mug, None).await.unwrap();
            sleep(Duration::from_millis(50)).await;
            heard = !first.exists(&mug).await.unwrap();
            if heard {
                break;
            }
        }
        assert!(heard, "nobody listens");
        for round in 0..2 {
            near.set(&mug, fill(b"b", &[])).await.unwrap();
            kept().await;
            if round == 0 {
                let mut direct = client(&server.url()).await;
                let kill = redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("pubsub").to_owned();
                kill.query_async::<()>(&mut direct).await.unwrap();
            } else {
                server.kill();
                server.restart(&[]);
            }
            forgotten("a lost connection was not noticed").await;
            // And it listens again.
            sleep(Duration::from_millis(700)).await;
            near.set(&mug, fill(b"c", &[])).await.unwrap();
            kept().await;
            near.remove(&mug, None).await.unwrap();
            forgotten("a removal was not heard of").await;
        }
        drop(stop);
        listening.await.unwrap();
    });
}

/// Nothing of an address is in what a host may log.
#[test]
fn r08_no_error_shows_an_address_or_a_password() {
    on_runtime(async {
        let secret = "redis://shop:hunter2@127.0.0.1:1/";
        let cache = RedisCache::open(secret, patient()).unwrap();
        let error = cache.get(&key("user:profile:ann:full")).await.unwrap_err();
        let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        let causes: Vec<String> = causes.map(|cause| format!("{cause:?} {cause}")).collect();
        let told = RedisInvalidations::open(secret, patient()).unwrap();
        let shown = format!("{error:?} {error} {causes:?} {cache:?} {told:?}");
        for part in ["hunter2", "127.0.0.1", "shop:hunter2", "ann"] {
            assert!(!shown.contains(part), "{shown}");
        }
        let wrong = RedisCache::open("http://shop:hunter2@nowhere", patient()).unwrap_err();
        assert!(!format!("{wrong:?} {wrong}").contains("hunter2"));
    });
}
