//! Hits and writes of 1 KB through the cache, beside plain commands and beside its own scripts called raw.

use std::sync::Arc;

use commerce_adapters_redis::RedisCache;
use commerce_adapters_redis::redis::aio::ConnectionManager;
use commerce_adapters_redis::redis::{self, Script, Value};
use commerce_core::app::caching::{CachePolicy, Cached, Loaded};
use commerce_core::kernel::error::PortError;
use commerce_core::kernel::stream::Version;
use commerce_core::port::cache::{Cache, Entry, Fill, Found, MAX_TTL, ttl};

use crate::entry::Known;
use crate::rate::{Way, compare};
use crate::server::{Server, side};

/// With the byte and the quotes that `Cached` adds: 1 KB.
const TEXT: usize = 1021;
const TASKS: [u64; 2] = [1, 16];

type Pages = Cached<String, PortError>;

pub(crate) async fn print(server: &Server) {
    let connection = server.connection().await;
    let cache = RedisCache::open(&server.url(), side()).unwrap();
    let pages = Arc::new(Pages::new(Arc::new(cache.clone()), CachePolicy::keeping(ttl::LIST), 1));
    let read = Arc::new(Known::all("read"));
    fill(&connection, &pages, &read).await;
    println!("\nHits of 1 KB per second: raw 1 is GET, raw 2 the cache's own script\n");
    let ways = hits(&connection, &cache, &pages, &read);
    compare(server, &ways, 2, &TASKS, &[]).await;
    println!("\nWrites of 1 KB per second: raw 1 is SET EX, raw 2 the cache's own script\n");
    let ways = writes(&connection, &cache, &pages);
    compare(server, &ways, 2, &TASKS, &[]).await;
    let counts = pages.counts();
    println!("\nThrough Cached: {} hits, {} loads, {} failures", counts.hits, counts.loads, counts.failures);
}

async fn fill(connection: &ConnectionManager, pages: &Pages, all: &[Known]) {
    for known in all {
        let load = || async { Ok(Loaded::new(Some("x".repeat(TEXT))).tagged(known.tag.clone())) };
        pages.get(&known.key, load).await.unwrap();
        set(connection.clone(), &known.raw, &[b'x'; TEXT + 3]).await;
    }
}

fn hits(
    connection: &ConnectionManager,
    cache: &RedisCache,
    pages: &Arc<Pages>,
    all: &Arc<Vec<Known>>,
) -> Vec<Way> {
    let with = (connection.clone(), all.clone());
    let plain = Way::new("GET", move |number| {
        let (mut connection, all) = with.clone();
        async move {
            let raw = &Known::of(&all, number).raw;
            let value: Vec<u8> = redis::cmd("GET").arg(raw).query_async(&mut connection).await.unwrap();
            assert_eq!(value.len(), TEXT + 3);
            1
        }
    });
    let look = concat!(
        include_str!("../../commerce-adapters-redis/src/scripts/cache_live.lua"),
        "\n",
        include_str!("../../commerce-adapters-redis/src/scripts/cache_look.lua")
    );
    let with = (connection.clone(), all.clone(), Arc::new(Script::new(look)));
    let script = Way::new("the script", move |number| {
        let (connection, all, script) = with.clone();
        async move {
            let known = Known::of(&all, number);
            let found = run(connection, &script, known, &[b"get", b""]).await;
            assert!(matches!(found, Value::Array(found) if found.len() == 4));
            1
        }
    });
    let with = (cache.clone(), all.clone());
    let adapter = Way::new("RedisCache::get", move |number| {
        let (cache, all) = with.clone();
        async move {
            let found = cache.get(&Known::of(&all, number).key).await.unwrap();
            assert!(matches!(found, Found::Hit(entry, _) if entry.value.len() == TEXT + 3));
            1
        }
    });
    let with = (pages.clone(), all.clone());
    let typed = Way::new("Cached::get", move |number| {
        let (pages, all) = with.clone();
        async move {
            let load = || async { panic!("everything is in the cache") };
            let value = pages.get(&Known::of(&all, number).key, load).await.unwrap();
            assert_eq!(value.unwrap().len(), TEXT);
            1
        }
    });
    let mut ways = vec![plain, script, adapter, typed];
    ways.extend(least(connection, all));
    ways
}

/// The least that a hit may cost: with the time that is left, which the contract asks for, and with a script,
/// which anything needs that is compared at once.
fn least(connection: &ConnectionManager, all: &Arc<Vec<Known>>) -> [Way; 2] {
    let with = (connection.clone(), all.clone());
    let timed = Way::new("GET and PTTL in a pipeline", move |number| {
        let (mut connection, all) = with.clone();
        async move {
            let raw = &Known::of(&all, number).raw;
            let mut both = redis::pipe();
            both.cmd("GET").arg(raw).cmd("PTTL").arg(raw);
            let (value, left): (Vec<u8>, i64) = both.query_async(&mut connection).await.unwrap();
            assert!(value.len() == TEXT + 3 && left > 0);
            1
        }
    });
    let with = (connection.clone(), all.clone(), Arc::new(Script::new("return redis.call('GET', KEYS[1])")));
    let scripted = Way::new("GET in a script", move |number| {
        let (mut connection, all, script) = with.clone();
        async move {
            let raw = &Known::of(&all, number).raw;
            let value: Vec<u8> = script.key(raw).invoke_async(&mut connection).await.unwrap();
            assert_eq!(value.len(), TEXT + 3);
            1
        }
    });
    [timed, scripted]
}

fn writes(connection: &ConnectionManager, cache: &RedisCache, pages: &Arc<Pages>) -> Vec<Way> {
    let all = Arc::new(Known::all("write"));
    let with = (connection.clone(), all.clone());
    let plain = Way::new("SET EX", move |number| {
        let (connection, all) = with.clone();
        async move {
            set(connection, &Known::of(&all, number).raw, &[b'x'; TEXT + 3]).await;
            1
        }
    });
    let script = Script::new(include_str!("../../commerce-adapters-redis/src/scripts/cache_set.lua"));
    let with = (
        connection.clone(),
        all.clone(),
        Arc::new(script),
        MAX_TTL.saturating_mul(2).as_millis().to_string(),
    );
    let script = Way::new("the script", move |number| {
        let (connection, all, script, kept) = with.clone();
        async move {
            let known = Known::of(&all, number);
            let (tag, value) = (known.tag.as_str().as_bytes(), [b'x'; TEXT + 3]);
            let arguments: [&[u8]; 6] = [&[b'0'; 20], b"900000", b"", tag, &value, kept.as_bytes()];
            assert_eq!(run(connection, &script, known, &arguments).await, Value::Int(1));
            1
        }
    });
    let value: Arc<[u8]> = [b'x'; TEXT + 3].into();
    let with = (cache.clone(), all.clone(), value);
    let adapter = Way::new("RedisCache::set", move |number| {
        let (cache, all, value) = with.clone();
        async move {
            let known = Known::of(&all, number);
            let entry = Entry { value, version: Version::NONE, tags: vec![known.tag.clone()] };
            assert!(cache.set(&known.key, Fill { entry, ttl: ttl::LIST, since: None }).await.unwrap());
            1
        }
    });
    let with = (pages.clone(), Arc::new(Known::all("write-through")));
    let typed = Way::new("Cached::write: removes, then sets", move |number| {
        let (pages, all) = with.clone();
        async move {
            let known = Known::of(&all, number);
            let stored = Loaded::new(Some("x".repeat(TEXT))).at(Version::new(1)).tagged(known.tag.clone());
            pages.write(&known.key, || async { Ok(stored) }).await.unwrap();
            1
        }
    });
    vec![plain, script, adapter, typed]
}

async fn set(mut connection: ConnectionManager, key: &str, value: &[u8]) {
    let mut command = redis::cmd("SET");
    command.arg(key).arg(value).arg("EX").arg(900);
    let () = command.query_async(&mut connection).await.unwrap();
}

async fn run(
    mut connection: ConnectionManager,
    script: &Script,
    known: &Known,
    arguments: &[&[u8]],
) -> Value {
    let mut call = script.prepare_invoke();
    for key in &known.names {
        call.key(key.as_str());
    }
    for argument in arguments {
        call.arg(*argument);
    }
    call.arg("<");
    for mark in &known.marks {
        call.arg(mark.as_str());
    }
    call.invoke_async(&mut connection).await.unwrap()
}
