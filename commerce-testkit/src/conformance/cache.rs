//! What the contract of `Cache` says, as named checks.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use commerce_core::kernel::error::PortErrorKind;
use commerce_core::kernel::stream::Version;
use commerce_core::port::cache::{
    Cache, CacheKey, CachePrefix, Entry, Fill, Found, InvalidCacheName, MAX_TAGS, Tag, Ticket,
};

use super::outcome::{Failure, Outcome, equal, holds};
use super::suite::{PortCheck, PortFixture, port_checks};

/// Lets time go by for what is under test.
pub(crate) type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(400);
const BEYOND: Duration = Duration::from_millis(500);

/// A cache under test: empty, or with nothing of other runs in it that bears the same keys.
#[derive(Clone)]
pub struct CacheFixture {
    caches: [Arc<dyn Cache>; 2],
    wait: Arc<dyn Fn(Duration) -> Waiting + Send + Sync>,
}

impl CacheFixture {
    /// Two handles of one cache, and what lets time go by for it.
    pub fn new<W: Future<Output = ()> + Send + 'static>(
        caches: [Arc<dyn Cache>; 2],
        wait: impl Fn(Duration) -> W + Send + Sync + 'static,
    ) -> Self {
        Self { caches, wait: Arc::new(move |span| -> Waiting { Box::pin(wait(span)) }) }
    }

    const fn one(&self) -> &Arc<dyn Cache> {
        let [one, _] = &self.caches;
        one
    }

    const fn other(&self) -> &Arc<dyn Cache> {
        let [_, other] = &self.caches;
        other
    }

    async fn miss(&self, key: &CacheKey) -> Result<Ticket, Failure> {
        match self.one().get(key).await? {
            Found::Miss(ticket) => Ok(ticket),
            Found::Hit(entry, _) => Err(Failure::new(format!("there must be nothing, but is {entry:?}"))),
        }
    }

    async fn is(&self, what: &str, key: &CacheKey, expected: Option<&Entry>) -> Outcome {
        equal(what, self.other().get(key).await?.entry().as_ref(), expected)?;
        equal(what, self.one().exists(key).await?, expected.is_some())
    }

    async fn put(&self, key: &CacheKey, entry: &Entry) -> Outcome {
        holds("it is taken", self.one().set(key, fill(entry, LONG, None)).await?)
    }
}

impl fmt::Debug for CacheFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheFixture").field("caches", &self.caches).finish_non_exhaustive()
    }
}

impl PortFixture for CacheFixture {}

impl From<InvalidCacheName> for Failure {
    fn from(error: InvalidCacheName) -> Self {
        Self::new(format!("the check itself is wrong: {error}"))
    }
}

fn key(text: &str) -> Result<CacheKey, Failure> {
    Ok(text.parse()?)
}

fn mug() -> Result<CacheKey, Failure> {
    key("catalog:product:MUG:detail")
}

fn entry(value: &str, version: u64, tags: &[&str]) -> Result<Entry, Failure> {
    let tags = tags.iter().map(|tag| Tag::new(tag)).collect::<Result<_, _>>()?;
    Ok(Entry { value: value.as_bytes().into(), version: Version::new(version), tags })
}

fn fill(entry: &Entry, ttl: Duration, since: Option<Ticket>) -> Fill {
    Fill { entry: entry.clone(), ttl, since }
}

async fn cache_gives_what_was_set(f: &CacheFixture) -> Outcome {
    let mug = mug()?;
    f.miss(&mug).await?;
    let all_bytes: Vec<u8> = (0..=255).collect();
    let first = Entry { value: all_bytes.into(), ..entry("", u64::MAX - 1, &["product:1", "täg 2"])? };
    f.put(&mug, &first).await?;
    f.is("the entry", &mug, Some(&first)).await?;
    let Found::Hit(_, left) = f.one().get(&mug).await? else { return Err(Failure::new("it is gone")) };
    holds("the span that is left", left <= LONG && left > LONG.saturating_sub(Duration::from_secs(60)))?;
    let second = entry("", u64::MAX, &[])?;
    f.put(&mug, &second).await?;
    f.is("the entry that replaced it", &mug, Some(&second)).await?;
    f.is("another key", &key("catalog:product:MUG:detai")?, None).await
}

async fn cache_entries_end_with_their_span(f: &CacheFixture) -> Outcome {
    let (mug, value) = (mug()?, entry("a", 1, &[])?);
    holds("it is taken", f.one().set(&mug, fill(&value, SHORT, None)).await?)?;
    f.one().get(&mug).await?;
    (f.wait)(BEYOND).await;
    f.is("an entry whose span is over", &mug, None).await
}

async fn cache_refuses_what_is_older(f: &CacheFixture) -> Outcome {
    let (mug, tenth) = (mug()?, entry("b", 10, &[])?);
    f.put(&mug, &tenth).await?;
    let ninth = f.one().set(&mug, fill(&entry("a", 9, &[])?, LONG, None)).await?;
    holds("an older version is refused", !ninth)?;
    f.is("the entry", &mug, Some(&tenth)).await?;
    let again = entry("c", 10, &[])?;
    f.put(&mug, &again).await?;
    f.is("the same version, written again", &mug, Some(&again)).await
}

async fn cache_removes_an_entry(f: &CacheFixture) -> Outcome {
    let (mug, value) = (mug()?, entry("a", 3, &[])?);
    f.put(&mug, &value).await?;
    let other = key("catalog:product:MUG:list")?;
    f.put(&other, &value).await?;
    holds("there was one", f.other().remove(&mug, None).await?)?;
    f.is("what was removed", &mug, None).await?;
    holds("and then none", !f.one().remove(&mug, None).await?)?;
    f.is("another entry", &other, Some(&value)).await
}

async fn cache_keeps_what_is_newer_than_a_removal(f: &CacheFixture) -> Outcome {
    let (mug, value) = (mug()?, entry("a", 10, &[])?);
    f.put(&mug, &value).await?;
    for version in [9, 10] {
        holds("nothing is removed", !f.one().remove(&mug, Some(Version::new(version))).await?)?;
        f.is("an entry as new as the removal", &mug, Some(&value)).await?;
    }
    holds("an older one is removed", f.one().remove(&mug, Some(Version::new(11))).await?)?;
    f.is("it", &mug, None).await
}

async fn cache_remembers_the_version_of_a_removal(f: &CacheFixture) -> Outcome {
    let mug = mug()?;
    f.one().remove(&mug, Some(Version::new(10))).await?;
    let late = f.other().set(&mug, fill(&entry("a", 9, &[])?, LONG, None)).await?;
    holds("what is older than a removal is refused", !late)?;
    f.is("it", &mug, None).await?;
    f.put(&mug, &entry("b", 10, &[])?).await?;
    f.one().remove(&mug, None).await?;
    let late = f.one().set(&mug, fill(&entry("a", 9, &[])?, LONG, None)).await?;
    holds("what is older than what was removed is refused", !late)?;
    f.put(&mug, &entry("b", 10, &[])?).await
}

async fn cache_refuses_what_was_read_before_a_removal(f: &CacheFixture) -> Outcome {
    let (mug, value) = (mug()?, entry("a", 0, &[])?);
    let before = f.miss(&mug).await?;
    f.other().remove(&mug, None).await?;
    let late = f.one().set(&mug, fill(&value, LONG, Some(before))).await?;
    holds("what was read before is refused", !late)?;
    let behind = f.miss(&mug).await?;
    holds("what was read behind is taken", f.one().set(&mug, fill(&value, SHORT, Some(behind))).await?)?;
    holds("and still not the other", !f.one().set(&mug, fill(&value, LONG, Some(before))).await?)?;
    (f.wait)(BEYOND).await;
    holds("nor when that is over", !f.one().set(&mug, fill(&value, LONG, Some(before))).await?)
}

async fn cache_lets_the_version_decide_where_there_is_one(f: &CacheFixture) -> Outcome {
    let mug = mug()?;
    let before = f.miss(&mug).await?;
    f.one().remove(&mug, Some(Version::new(10))).await?;
    let taken = f.one().set(&mug, fill(&entry("a", 10, &[])?, LONG, Some(before))).await?;
    holds("what is as new as the removal is taken", taken)
}

async fn cache_removes_by_tag(f: &CacheFixture) -> Outcome {
    let tagged = [("a:b:1:d", &["t1", "t2"][..]), ("a:b:2:d", &["t2"]), ("x:y:3:d", &["t1"])];
    let others = [("a:b:4:d", &["t11"][..]), ("a:b:5:d", &[]), ("a:t1:t1:t1", &["t"])];
    for (name, tags) in tagged.iter().chain(&others) {
        f.put(&key(name)?, &entry(name, 1, tags)?).await?;
    }
    f.one().remove_tag(&Tag::new("t1")?).await?;
    f.is("an entry of the tag", &key("a:b:1:d")?, None).await?;
    f.is("another entry of the tag", &key("x:y:3:d")?, None).await?;
    for (name, tags) in [("a:b:2:d", &["t2"][..])].iter().chain(&others) {
        f.is("an entry of other tags", &key(name)?, Some(&entry(name, 1, tags)?)).await?;
    }
    let again = entry("again", 1, &["t1"])?;
    f.put(&key("a:b:1:d")?, &again).await?;
    f.is("what is put in behind it", &key("a:b:1:d")?, Some(&again)).await
}

async fn cache_refuses_what_was_read_before_its_tag_was_removed(f: &CacheFixture) -> Outcome {
    let mug = mug()?;
    let before = f.miss(&mug).await?;
    f.other().remove_tag(&Tag::new("t1")?).await?;
    let late = f.one().set(&mug, fill(&entry("a", 1, &["t2", "t1"])?, LONG, Some(before))).await?;
    holds("what was read before is refused", !late)?;
    let other = f.one().set(&mug, fill(&entry("a", 1, &["t2"])?, LONG, Some(before))).await?;
    holds("what has other tags is taken", other)?;
    f.one().remove(&mug, None).await?;
    let behind = f.miss(&mug).await?;
    let fresh = f.one().set(&mug, fill(&entry("a", 1, &["t1"])?, LONG, Some(behind))).await?;
    holds("what was read behind is taken", fresh)
}

async fn cache_removes_by_prefix(f: &CacheFixture) -> Outcome {
    let keys = ["a:b:c:d", "a:b:c:e:f", "a:b:cc:d", "a:bb:c:d", "aa:b:c:d"];
    for (parts, gone) in [(&["a", "b", "c"][..], 2), (&["a", "b"], 3), (&["a"], 4), (&[], 5)] {
        for name in keys {
            f.put(&key(name)?, &entry(name, 1, &[])?).await?;
        }
        let before = f.miss(&key("a:b:c:new")?).await?;
        f.one().remove_prefix(&CachePrefix::new(parts)?).await?;
        for (number, name) in keys.iter().enumerate() {
            let expected = (number >= gone).then(|| entry(name, 1, &[])).transpose()?;
            f.is(&format!("{name} behind the removal of {parts:?}"), &key(name)?, expected.as_ref()).await?;
        }
        let late = fill(&entry("a", 1, &[])?, LONG, Some(before));
        holds("what was read before is refused", !f.one().set(&key("a:b:c:new")?, late).await?)?;
    }
    Ok(())
}

async fn cache_refreshes(f: &CacheFixture) -> Outcome {
    let (mug, value) = (mug()?, entry("a", 1, &["t"])?);
    holds("there is nothing to refresh", !f.one().refresh(&mug, LONG).await?)?;
    f.is("what was not there", &mug, None).await?;
    holds("it is taken", f.one().set(&mug, fill(&value, SHORT, None)).await?)?;
    holds("it is refreshed", f.other().refresh(&mug, LONG).await?)?;
    (f.wait)(BEYOND).await;
    f.is("what was refreshed", &mug, Some(&value)).await?;
    holds("it is shortened", f.one().refresh(&mug, SHORT).await?)?;
    (f.wait)(BEYOND).await;
    f.is("what was shortened", &mug, None).await?;
    f.put(&mug, &value).await?;
    f.one().remove_tag(&Tag::new("t")?).await?;
    holds("what was removed is not refreshed", !f.one().refresh(&mug, LONG).await?)?;
    f.is("what was removed", &mug, None).await
}

async fn cache_limits_tags(f: &CacheFixture) -> Outcome {
    let mug = mug()?;
    let tags = |count: usize| {
        let tags: Result<Vec<Tag>, _> = (0..count).map(|number| Tag::new(&format!("t{number}"))).collect();
        Ok::<Entry, Failure>(Entry { tags: tags?, ..entry("a", 1, &[])? })
    };
    let most = tags(MAX_TAGS)?;
    f.put(&mug, &most).await?;
    f.is("an entry of many tags", &mug, Some(&most)).await?;
    let over = f.one().set(&mug, fill(&tags(MAX_TAGS.saturating_add(1))?, LONG, None)).await;
    equal("too many tags", over.map_err(|error| error.kind), Err(PortErrorKind::Invalid))?;
    f.is("the entry", &mug, Some(&most)).await
}

/// The checks of the `Cache` port, one per clause.
pub fn cache_checks() -> Vec<PortCheck<CacheFixture>> {
    port_checks! { []
        { self cache_gives_what_was_set "get: the last entry that was taken, whole, and how long it is kept." }
        { self cache_entries_end_with_their_span "get: until its span is over; does not extend the span." }
        { self cache_refuses_what_is_older "set: refused where the version is below that of the entry that is there; the same version replaces." }
        { self cache_removes_an_entry "remove: the entry and no other; whether one was there; for all that read the same cache." }
        { self cache_keeps_what_is_newer_than_a_removal "remove: an entry of this version or a newer one stays." }
        { self cache_remembers_the_version_of_a_removal "set: refused where the version is below that of a removal." }
        { self cache_refuses_what_was_read_before_a_removal "set: refused where the entry was removed behind the ticket." }
        { self cache_lets_the_version_decide_where_there_is_one "set: a removal with a version refuses what is older only." }
        { self cache_removes_by_tag "remove_tag: exactly the entries of the tag." }
        { self cache_refuses_what_was_read_before_its_tag_was_removed "set: refused where one of its tags was removed behind the ticket." }
        { self cache_removes_by_prefix "remove_prefix: exactly the entries whose keys begin with it; what was read before is refused." }
        { self cache_refreshes "refresh: from now, shorter too; brings nothing back." }
        { self cache_limits_tags "set: `Invalid` for more than `MAX_TAGS` tags." }
    }
}
