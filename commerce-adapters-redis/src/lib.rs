//! The cache, limits, sessions, a broker on streams and the store of `commerce-core` on Redis 7.
//!
//! # What a shop can do without
//!
//! [`RedisCache`], [`RedisRateLimiter`] and [`RedisSessions`] ask nothing of the server when they are opened, wait
//! for an answer for a tenth of a second, and fail where there is none: the decorators of
//! `commerce_core::app::caching` go on without them. They are best kept on a server of their own, one that may
//! evict, apart from the store.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use commerce_adapters_redis::{RedisCache, SideSettings};
//! use commerce_core::app::caching::{CachePolicy, Cached, Loaded};
//! use commerce_core::kernel::error::PortError;
//! use commerce_core::port::cache::{CacheKey, ttl};
//!
//! let cache = Arc::new(RedisCache::open("redis://localhost/", SideSettings::for_shop("mugs")?)?);
//! let pages = Cached::<String, PortError>::new(cache, CachePolicy::keeping(ttl::LIST), 1);
//! let key = CacheKey::new("catalog", "product", "list", "page:1:size:20")?;
//! let page = pages.get(&key, || async { Ok(Loaded::new(Some("from the store".to_owned()))) }).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What Redis promises, and what not
//!
//! [`RedisStore`] keeps every contract of the store as long as its server keeps its data. Redis may lose
//! what it has acknowledged: with `appendfsync everysec` up to a second of it in a power cut, and with any
//! setting what a primary had not yet sent to the replica that takes its place. An order that is lost that
//! way was paid all the same; the same cart bought again is not charged again, because its keys at the gateway follow
//! from the cart. A commit is lost whole or not at all, and no token of a lease is given twice, whatever the replica knows. So:
//!
//! - use it where that risk is accepted, or where `appendfsync always` and no automatic failover make it
//!   small: fairs, kiosks, demonstrations, shops whose orders are also kept elsewhere;
//! - use `commerce-adapters-postgres` where an order must not be lost.
//!
//! [`RedisStore::open`] refuses a server that does not persist, that evicts keys, or that failed to write
//! lately, unless the settings accept the loss of data. So does [`RedisBroker::open`]: a message that a relay
//! has handed over is only there.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use commerce_adapters_redis::{RedisStore, Settings};
//!
//! let store = RedisStore::open("redis://localhost/", Settings::for_shop("mugs")?).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Transport security
//!
//! Addresses that begin with `rediss:` need one of the features `tls-rustls-ring`, `tls-rustls-aws-lc-rs` and
//! `tls-native`. Authorities are those of the system, or of the file that `SSL_CERT_FILE` names. Where the process
//! has no provider of ciphers for rustls yet, opening gives it one.
//!
//! # Messages
//!
//! [`RedisBroker`] is a `Publisher` and makes members of groups, which are `Subscriber`s. A topic is a stream,
//! `{mugs}:topic:order-events`, or `order-events` [where consumers know it so](StreamNames::Bare). Its entries have the
//! fields `id` (a UUID, the same for a repeat), `key` (the routing key), `ordering` (the stream whose messages keep
//! their order) and `body` as the relay made them, in the dialect that it speaks.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use commerce_adapters_redis::{RedisBroker, Settings};
//! use commerce_core::port::subscriber::Subscriber;
//!
//! let broker = RedisBroker::open("redis://localhost/", Settings::for_shop("mugs")?).await?;
//! let member = broker.subscribe("warehouse", ["order-events"]).waiting_for(Duration::from_secs(5));
//! for incoming in member.receive(100).await? {
//!     println!("{}", String::from_utf8_lossy(&incoming.message.body));
//!     member.acknowledge(vec![incoming.receipt]).await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Every call is one script and one round trip; a member that waits does so on a connection of its own. What
//! was handed out stays pending in the stream's group until it is acknowledged or put aside. Entries that are
//! postponed stay pending too, and stand in a sorted set by the time when they are due, by the server's clock.
//! Dead letters are kept beside their group; one that is redriven becomes an entry of a stream that this group
//! alone reads. A stream is trimmed behind the slowest of its groups, so one that nobody reads any more keeps
//! everything, until the server is full and takes no more: [`groups`](RedisBroker::groups) shows it, and
//! [`end_group`](RedisSubscriber::end_group) ends it.
//!
//! # Live push
//!
//! [`LivePush`] is a `Publisher` too, for a relay of its own: of what it is handed it pushes news of stock and of the
//! status of orders over pub/sub, without personal data, and keeps the newest 10,000 of each channel in a stream,
//! `{mugs}:live:stock`. [`LiveUpdates`] follows them behind a last-event id, as server-sent events have it. The example
//! `redis_live` shows both in two processes.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use commerce_adapters_redis::{LiveChannel, LiveEvent, LiveUpdates, Settings};
//!
//! let updates = LiveUpdates::at("redis://localhost/", Settings::for_shop("mugs")?)?;
//! let last = "1764583200000-0".parse()?;
//! let mut follower = updates.follow([LiveChannel::Stock], Some(last)).await?;
//! loop {
//!     match follower.next().await? {
//!         LiveEvent::Update(update) => println!("id: {}\ndata: {}\n", update.id, update.body),
//!         _missed => println!("event: reload\n"),
//!     }
//! }
//! # }
//! ```
//!
//! An update is kept and pushed by one script, so what is pushed can be replayed. A follower has a connection of its
//! own. It subscribes, reads what it missed, and goes on with what is pushed: without a gap, and nothing twice. Every
//! update names the one before it, so that it sees where one is missing and reads the buffer; where the buffer does not
//! reach back so far it says so. It does the same when its connection was lost, and when it was too slow: then it
//! throws away what was pushed, so neither the server nor the process keeps more for it.
//!
//! # How the store works
//!
//! A commit is one script and one round trip: it validates everything in the order of the contract and
//! writes behind the last check. All keys of a shop share one hash slot, so that the store runs on a cluster
//! too, a shop on one of its primaries. Amounts have 64 bits: sums that do not fit a double exactly are
//! decided here and written under the condition that nothing has changed.
//!
//! Personal values stand apart from the log, by subject, and go when the subject is erased; what was written
//! to an append-only file stays in it until it is rewritten (`BGREWRITEAOF`).

mod answer;
mod broker;
mod cache;
mod check;
mod connect;
mod error;
mod invalidations;
mod lease;
mod limiter;
mod link;
mod live;
mod plan;
mod read;
mod scripts;
mod sessions;
mod settings;
mod store;
mod time;
mod timers;

pub use broker::{GroupProgress, Left, RedisBroker, RedisSubscriber, Unfinished};
pub use cache::RedisCache;
pub use check::{OpenError, Risk};
pub use invalidations::RedisInvalidations;
pub use limiter::RedisRateLimiter;
pub use link::SideSettings;
pub use live::{
    InvalidLiveId, LiveChannel, LiveEvent, LiveFollower, LiveId, LivePush, LiveUpdate, LiveUpdates,
};
pub use redis;
pub use sessions::RedisSessions;
pub use settings::{InvalidShop, Settings, StreamNames};
pub use store::RedisStore;
