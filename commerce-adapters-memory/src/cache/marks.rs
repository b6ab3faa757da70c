//! Which tags and prefixes were removed, and when.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use commerce_core::port::cache::{CacheKey, CachePrefix, Tag, Ticket};

/// So many removals are told apart; what is older than the oldest of them counts as removed.
const MOST: usize = 65_536;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Mark {
    Tag(Tag),
    Prefix(CachePrefix),
}

/// Counts removals: the count is the cache's reckoning of time.
#[derive(Debug, Default)]
pub(super) struct Marks {
    count: u64,
    /// What was put in before this is gone.
    epoch: u64,
    /// What was read before this is not put in: some removals of entries are forgotten.
    forgotten: u64,
    at: HashMap<Arc<Mark>, u64>,
    order: BTreeMap<u64, Arc<Mark>>,
}

impl Marks {
    pub(super) const fn now(&self) -> u64 {
        self.count
    }

    pub(super) const fn count(&mut self) -> u64 {
        self.count = self.count.saturating_add(1);
        self.count
    }

    pub(super) fn tag(&mut self, tag: &Tag) {
        self.mark(Mark::Tag(tag.clone()));
    }

    pub(super) fn prefix(&mut self, prefix: &CachePrefix) {
        self.mark(Mark::Prefix(prefix.clone()));
    }

    fn mark(&mut self, mark: Mark) {
        let (now, mark) = (self.count(), Arc::new(mark));
        if let Some(before) = self.at.insert(mark.clone(), now) {
            self.order.remove(&before);
        }
        self.order.insert(now, mark);
        while self.order.len() > MOST
            && let Some((oldest, mark)) = self.order.pop_first()
        {
            self.at.remove(&mark);
            self.epoch = oldest;
        }
    }

    /// The removal of some entry is not remembered any more.
    pub(super) const fn forget(&mut self) {
        self.forgotten = self.count;
    }

    /// Whether nothing of this was removed behind this moment.
    pub(super) fn stands(&self, key: &CacheKey, tags: &[Tag], since: u64) -> bool {
        let at = |mark: Mark| self.at.get(&mark).copied().unwrap_or(0);
        since >= self.epoch
            && key.prefixes().into_iter().all(|prefix| at(Mark::Prefix(prefix)) <= since)
            && tags.iter().all(|tag| at(Mark::Tag(tag.clone())) <= since)
    }

    /// Whether what was read under a ticket may be put in, as far as is known here.
    pub(super) fn admits(&self, key: &CacheKey, tags: &[Tag], ticket: Ticket) -> bool {
        ticket.number() >= self.forgotten && self.stands(key, tags, ticket.number())
    }
}
