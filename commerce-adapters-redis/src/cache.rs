//! The cache that all processes share: the second level.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::kernel::stream::Version;
use commerce_core::port::cache::{
    Cache, CacheKey, CachePrefix, Entry, Fill, Found, MAX_TAGS, MAX_TTL, MIN_TTL, TOMBSTONE, Tag, Ticket,
};
use redis::{RedisError, Script, Value};

use crate::answer::{bytes, list, number, text};
use crate::error::{PORT, corrupt, port_error};
use crate::link::{Link, SideSettings, millis};

/// So many removals of tags and prefixes are told apart; what is older than the oldest counts as removed.
const MARKS: &str = "65536";

/// A cache on a Redis server, shared by all processes of a shop.
///
/// Entries are only ever found by their keys. The removal of a tag or a prefix is one number in one sorted set,
/// whatever the number of its entries: each entry bears the count at which it was put in, and does not stand
/// where a higher one is marked for one of its tags or prefixes. Where the marks are lost (the server was
/// flushed, or evicts), everything counts as removed.
///
/// Every key ends by itself. The server may evict: a cache is best kept on one with
/// `maxmemory-policy allkeys-lru`, apart from the store. Clones share one connection.
#[derive(Clone)]
pub struct RedisCache {
    link: Link,
    scripts: Arc<Scripts>,
    marks: Arc<str>,
}

struct Scripts {
    look: Script,
    set: Script,
    remove: Script,
    mark: Script,
}

impl RedisCache {
    /// The cache of a shop on the server at this address. Asks it nothing yet: a shop starts without it.
    ///
    /// # Errors
    ///
    /// Where the address cannot be read.
    pub fn open(url: &str, settings: SideSettings) -> Result<Self, PortError> {
        let link = Link::to(url, settings)?;
        let live =
            |script: &str| Script::new(&format!("{}\n{script}", include_str!("scripts/cache_live.lua")));
        let scripts = Scripts {
            look: live(include_str!("scripts/cache_look.lua")),
            set: Script::new(include_str!("scripts/cache_set.lua")),
            remove: live(include_str!("scripts/cache_remove.lua")),
            mark: Script::new(include_str!("scripts/cache_mark.lua")),
        };
        let marks = link.key("cache", "marks").into();
        Ok(Self { link, scripts: Arc::new(scripts), marks })
    }

    /// Asks the server whether it is there.
    ///
    /// # Errors
    ///
    /// Where it does not answer.
    pub async fn ping(&self) -> Result<(), PortError> {
        self.link.ping().await
    }

    /// Runs a script on an entry; the marks of the prefixes of its key stand behind the arguments.
    async fn run(&self, script: &Script, key: &CacheKey, arguments: &[&[u8]]) -> Result<Value, RedisError> {
        let name = |kind| self.link.key(kind, key.as_str());
        let (entry, gone) = (name("entry"), name("gone"));
        let prefixes = key.prefixes().map(|prefix| format!("p{}", prefix.as_str()));
        let mut all = arguments.to_vec();
        all.push(b"<");
        all.extend(prefixes.iter().map(String::as_bytes));
        self.link.run_again(script, &[&entry, &self.marks, &gone], &all).await
    }

    async fn look(&self, deed: &'static str, key: &CacheKey, span: &str) -> Result<Found, PortError> {
        let answer = self.run(&self.scripts.look, key, &[deed.as_bytes(), span.as_bytes()]).await;
        let answer = answer.map_err(|error| port_error(deed, Effect::Unknown, &error))?;
        read(&answer).ok_or_else(|| corrupt(deed))
    }

    async fn mark(&self, operation: &'static str, mark: String) -> Result<(), PortError> {
        let kept = millis(MAX_TTL.saturating_mul(2));
        let arguments = [mark.as_bytes(), MARKS.as_bytes(), kept.as_bytes()];
        let answer = self.link.run_again(&self.scripts.mark, &[&self.marks], &arguments).await;
        answer.map(drop).map_err(|error| port_error(operation, Effect::Unknown, &error))
    }
}

/// What a look has found.
fn read(answer: &Value) -> Option<Found> {
    match list(answer)? {
        [count] => Some(Found::Miss(Ticket::new(number(count)?))),
        [version, tags, value, left] => {
            let tags = text(tags)?.split('\n').filter(|tag| !tag.is_empty());
            let entry = Entry {
                value: bytes(value)?.into(),
                version: Version::new(text(version)?.parse().ok()?),
                tags: tags.map(Tag::new).collect::<Result<_, _>>().ok()?,
            };
            let left: i64 = number(left)?;
            Some(Found::Hit(entry, Duration::from_millis(u64::try_from(left).unwrap_or(0))))
        }
        _ => None,
    }
}

/// As a text that sorts as versions do: a script's numbers do not hold them all.
fn sortable(version: Version) -> String {
    format!("{:020}", version.get())
}

impl fmt::Debug for RedisCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCache").field("link", &self.link).finish_non_exhaustive()
    }
}

#[async_trait]
impl Cache for RedisCache {
    async fn get(&self, key: &CacheKey) -> Result<Found, PortError> {
        self.look("get", key, "").await
    }

    async fn set(&self, key: &CacheKey, fill: Fill) -> Result<bool, PortError> {
        let Fill { entry, ttl, since } = fill;
        if entry.tags.len() > MAX_TAGS {
            return Err(PortError::new(PortErrorKind::Invalid, Effect::None, PORT, "set"));
        }
        let tags: Vec<&str> = entry.tags.iter().map(Tag::as_str).collect();
        let (version, span, tags) =
            (sortable(entry.version), millis(ttl.clamp(MIN_TTL, MAX_TTL)), tags.join("\n"));
        let ticket = since.map_or_else(String::new, |ticket| ticket.number().to_string());
        let kept = millis(MAX_TTL.saturating_mul(2));
        let [version, span, ticket, tags, kept] =
            [&version, &span, &ticket, &tags, &kept].map(String::as_bytes);
        let arguments = [version, span, ticket, tags, &entry.value, kept];
        let answer = self.run(&self.scripts.set, key, &arguments).await;
        let answer = answer.map_err(|error| port_error("set", Effect::Unknown, &error))?;
        Ok(number::<u32>(&answer).ok_or_else(|| corrupt("set"))? > 0)
    }

    async fn remove(&self, key: &CacheKey, version: Option<Version>) -> Result<bool, PortError> {
        let version = version.map_or_else(String::new, sortable);
        let (remembered, kept) = (millis(TOMBSTONE), millis(MAX_TTL.saturating_mul(2)));
        let arguments = [&version, &remembered, &kept].map(String::as_bytes);
        let answer = self.run(&self.scripts.remove, key, &arguments).await;
        let answer = answer.map_err(|error| port_error("remove", Effect::Unknown, &error))?;
        Ok(number::<u32>(&answer).ok_or_else(|| corrupt("remove"))? > 0)
    }

    async fn remove_tag(&self, tag: &Tag) -> Result<(), PortError> {
        self.mark("remove_tag", format!("t{}", tag.as_str())).await
    }

    async fn remove_prefix(&self, prefix: &CachePrefix) -> Result<(), PortError> {
        self.mark("remove_prefix", format!("p{}", prefix.as_str())).await
    }

    async fn exists(&self, key: &CacheKey) -> Result<bool, PortError> {
        Ok(matches!(self.look("exists", key, "").await?, Found::Hit(..)))
    }

    async fn refresh(&self, key: &CacheKey, ttl: Duration) -> Result<bool, PortError> {
        let span = millis(ttl.clamp(MIN_TTL, MAX_TTL));
        Ok(matches!(self.look("refresh", key, &span).await?, Found::Hit(..)))
    }
}
