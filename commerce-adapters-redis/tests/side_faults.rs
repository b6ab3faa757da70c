//! The server is killed, paused and filled under load: reads go on without an error, and the cache heals.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod post;
mod server;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use commerce_adapters_memory::{SystemClock, platform};
use commerce_adapters_redis::{RedisCache, SideSettings, redis};
use commerce_core::app::caching::{CachePolicy, Cached, Loaded, breaking};
use commerce_core::kernel::error::PortError;
use commerce_core::port::cache::{CacheKey, Invalidation, Tag, ttl};
use commerce_core::port::clock::Clock;
use commerce_tests::server::Redis;
use post::client;
use server::{fresh, on_runtime};
use tokio::time::sleep;

const KEYS: u64 = 20;

/// A shop's store, of which copies are kept.
struct Load {
    cached: Cached<u64, PortError>,
    store: Vec<AtomicU64>,
    /// What was removed from the cache for certain: nothing older is read behind it.
    floor: Vec<AtomicU64>,
    slowest: AtomicU64,
    reads: AtomicU64,
    stop: AtomicBool,
}

fn key(number: u64) -> CacheKey {
    CacheKey::new("catalog", "product", &number.to_string(), "detail").unwrap()
}

fn tag(number: u64) -> Tag {
    Tag::new(&format!("product:{number}")).unwrap()
}

fn at(list: &[AtomicU64], number: u64) -> &AtomicU64 {
    list.get(usize::try_from(number).unwrap()).unwrap()
}

impl Load {
    fn on(server: &Redis) -> Arc<Self> {
        // The default waits a tenth of a second; a machine that tests much at once gets a little more.
        let settings = SideSettings::for_shop(&fresh().shop).unwrap().waiting(Duration::from_millis(200));
        let cache = Arc::new(RedisCache::open(&server.url(), settings).unwrap());
        let numbers = || (0..KEYS).map(|_| AtomicU64::new(1)).collect();
        Arc::new(Self {
            cached: Cached::new(breaking(cache, &platform()), CachePolicy::keeping(ttl::PRODUCT), 1),
            store: numbers(),
            floor: numbers(),
            slowest: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        })
    }

    async fn read(&self, number: u64) {
        let floor = at(&self.floor, number).load(Ordering::SeqCst);
        let begun = SystemClock.now();
        let load = || async move {
            let value = at(&self.store, number).load(Ordering::SeqCst);
            sleep(Duration::from_millis(1)).await;
            Ok(Loaded::new(Some(value)).tagged(tag(number)))
        };
        // No error of the cache is the caller's.
        let value = *self.cached.get(&key(number), load).await.unwrap().unwrap();
        assert!(value >= floor, "{number}: {value} is older than {floor}, which was removed");
        let micros = u64::try_from(SystemClock.now().since(begun).as_micros()).unwrap();
        self.slowest.fetch_max(micros, Ordering::Relaxed);
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    async fn write(&self, number: u64) {
        let value = at(&self.store, number).fetch_add(1, Ordering::SeqCst) + 1;
        // As the consumer of the log does: until the cache has taken it.
        while !self.cached.invalidate(&Invalidation::Tag(tag(number))).await {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        at(&self.floor, number).fetch_max(value, Ordering::SeqCst);
    }

    /// Reads and writes while something happens to the server.
    async fn during<F: Future<Output = ()>>(self: &Arc<Self>, fault: F) {
        let mut tasks = Vec::new();
        for who in 0..8_u64 {
            let load = self.clone();
            tasks.push(tokio::spawn(async move {
                let mut number = who;
                while !load.stop.load(Ordering::Relaxed) {
                    number = number
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    let which = (number >> 33) % KEYS;
                    if who == 0 {
                        load.write(which).await;
                        sleep(Duration::from_millis(5)).await;
                    } else {
                        load.read(which).await;
                    }
                    sleep(Duration::from_millis(1)).await;
                }
            }));
        }
        sleep(Duration::from_millis(500)).await;
        fault.await;
        self.heals().await;
        self.stop.store(true, Ordering::Relaxed);
        for task in tasks {
            task.await.unwrap();
        }
        let slowest = Duration::from_micros(self.slowest.load(Ordering::Relaxed));
        assert!(slowest < Duration::from_secs(2), "somebody waited for {slowest:?}");
        assert!(self.reads.load(Ordering::Relaxed) > 500, "{:?}", self.reads);
    }

    /// Waits until the cache answers again.
    async fn heals(&self) {
        let before = self.cached.counts().hits;
        for _ in 0..200 {
            sleep(Duration::from_millis(100)).await;
            if self.cached.counts().hits > before + 100 {
                return;
            }
        }
        panic!("it does not heal: {:?}", self.cached.counts());
    }
}

#[test]
fn g10_a_killed_server_fails_no_read() {
    on_runtime(async {
        let mut server = Redis::start(&[]);
        let load = Load::on(&server);
        load.during(async {
            let hits = load.cached.counts().hits;
            assert!(hits > 0, "it is used before");
            server.kill();
            sleep(Duration::from_secs(3)).await;
            let counts = load.cached.counts();
            assert!(counts.failures > 0, "nobody noticed: {counts:?}");
            server.restart(&[]);
        })
        .await;
    });
}

#[test]
fn g10_a_paused_server_fails_no_read_and_holds_nobody_up() {
    on_runtime(async {
        let server = Redis::start(&[]);
        let load = Load::on(&server);
        load.during(async {
            let mut direct = client(&server.url()).await;
            let pause = redis::cmd("CLIENT").arg("PAUSE").arg(4_000).to_owned();
            pause.query_async::<()>(&mut direct).await.unwrap();
            sleep(Duration::from_secs(2)).await;
            let before = load.reads.load(Ordering::Relaxed);
            sleep(Duration::from_secs(1)).await;
            let reads = load.reads.load(Ordering::Relaxed) - before;
            assert!(reads > 200, "{reads} reads in a second of the pause");
            sleep(Duration::from_secs(1)).await;
        })
        .await;
    });
}

/// A process that stands still takes connections, and answers none of them.
#[test]
fn g10_a_stopped_server_fails_no_read_and_holds_nobody_up() {
    on_runtime(async {
        let server = Redis::start(&[]);
        let load = Load::on(&server);
        load.during(async {
            let mut direct = client(&server.url()).await;
            let info: String = redis::cmd("INFO").arg("server").query_async(&mut direct).await.unwrap();
            let process = info.lines().find_map(|line| line.strip_prefix("process_id:")).unwrap();
            let signal = |signal: &str| {
                let done = Command::new("kill").args([signal, process.trim()]).status().unwrap();
                assert!(done.success());
            };
            signal("-STOP");
            sleep(Duration::from_secs(3)).await;
            let before = load.reads.load(Ordering::Relaxed);
            sleep(Duration::from_secs(1)).await;
            let reads = load.reads.load(Ordering::Relaxed) - before;
            signal("-CONT");
            assert!(reads > 200, "{reads} reads in a second of the stop");
        })
        .await;
    });
}

#[test]
fn g10_a_full_server_fails_no_read() {
    on_runtime(async {
        let server = Redis::start(&["--maxmemory", "6mb", "--appendonly", "no"]);
        let load = Load::on(&server);
        load.during(async {
            let mut direct = client(&server.url()).await;
            loop {
                let ballast = redis::cmd("APPEND").arg("ballast").arg(vec![0_u8; 10_000]).to_owned();
                if ballast.query_async::<()>(&mut direct).await.is_err() {
                    break;
                }
            }
            sleep(Duration::from_secs(3)).await;
            redis::cmd("DEL").arg("ballast").query_async::<()>(&mut direct).await.unwrap();
        })
        .await;
    });
}

#[test]
fn g10_a_flushed_server_fails_no_read() {
    on_runtime(async {
        let server = Redis::start(&[]);
        let load = Load::on(&server);
        load.during(async {
            let mut direct = client(&server.url()).await;
            for _ in 0..20 {
                redis::cmd("FLUSHALL").query_async::<()>(&mut direct).await.unwrap();
                sleep(Duration::from_millis(100)).await;
            }
        })
        .await;
    });
}
