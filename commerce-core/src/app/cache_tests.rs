//! What is kept, for how long, and that a limit is a limit.
#![allow(clippy::unwrap_used)] // a failing step is a failing test

use super::*;
use crate::inventory::{StockEvent, StockItem};
use crate::kernel::aggregate::Aggregate;
use crate::kernel::stream::Version;
use crate::value::Sku;
use crate::value::id::Id;
use uuid::Uuid;

fn id<T>(number: usize) -> Id<T> {
    Id::derived(Uuid::nil(), &number.to_be_bytes())
}

/// A state that is there, at a version that tells it from others.
fn item(number: usize, version: u64) -> Instance<StockItem> {
    let opened = StockEvent::Opened { sku: Sku::new("MUG").unwrap(), location: id(1) };
    let mut instance = Instance::<StockItem>::absent(id(number));
    instance.state = Some(StockItem::evolve(None, &opened).unwrap());
    instance.version = Version::new(version);
    instance.folded = 7;
    instance
}

fn version(cache: &StateCache, number: usize) -> Version {
    cache.take::<StockItem>(id(number)).version
}

#[test]
fn a_state_is_taken_once_and_counts_no_folding() {
    let cache = StateCache::default();
    cache.put(item(1, 3));
    let taken = cache.take::<StockItem>(id(1));
    assert_eq!((taken.version, taken.folded, taken.state.is_some()), (Version::new(3), 0, true));
    assert_eq!(version(&cache, 1), Version::NONE);
    cache.put(Instance::<StockItem>::absent(id(2)));
    assert_eq!(cache.lock().states.len(), 0, "nothing is not worth keeping");
}

#[test]
fn the_oldest_state_leaves_where_there_are_too_many() {
    let cache = StateCache::default();
    for number in 0..CAPACITY {
        cache.put(item(number, 1));
    }
    assert_eq!(cache.lock().states.len(), CAPACITY);
    cache.put(item(CAPACITY, 1));
    assert_eq!(cache.lock().states.len(), CAPACITY);
    assert_eq!(version(&cache, 0), Version::NONE);
    assert_eq!(version(&cache, 1), Version::new(1));
    assert_eq!(version(&cache, CAPACITY), Version::new(1));
}

#[test]
fn states_that_come_and_go_leave_a_bounded_trace() {
    let cache = StateCache::default();
    for number in 0..4 * CAPACITY {
        cache.put(item(number % 2, 1));
        drop(cache.take::<StockItem>(id(number % 2)));
    }
    assert_eq!(cache.lock().order.len(), 4 * CAPACITY);
    cache.put(item(2, 1));
    assert_eq!(cache.lock().order.len(), 4 * CAPACITY);
    assert_eq!(version(&cache, 2), Version::new(1), "what left was older");
}

#[test]
fn a_shared_state_is_seen_by_every_reader_until_there_are_too_many() {
    let cache = StateCache::default();
    assert_eq!(cache.peek::<StockItem>(id(0)).version, Version::NONE);
    for number in 0..CAPACITY {
        cache.keep(&Arc::new(item(number, 5)));
    }
    assert_eq!(cache.peek::<StockItem>(id(0)).version, Version::new(5));
    assert_eq!(cache.peek::<StockItem>(id(0)).version, Version::new(5));
    assert_eq!(cache.lock().shared.len(), CAPACITY);
    cache.keep(&Arc::new(item(CAPACITY, 5)));
    assert_eq!(cache.lock().shared.len(), 1);
    assert_eq!(cache.peek::<StockItem>(id(CAPACITY)).version, Version::new(5));
}

#[test]
fn owners_of_codes_are_known_as_far_as_all_are() {
    let cache = StateCache::default();
    let codes: Vec<_> = ["A", "B", "C"].map(|code| PromotionCode::new(code).unwrap()).into();
    let owner = Some(StreamId::new("promotion", Uuid::from_u128(1)));
    cache.keep_owners([(&codes[0], &owner), (&codes[2], &owner)].into_iter());
    assert_eq!(cache.owners_of(&codes).len(), 1, "up to the first that is not known");
    cache.keep_owners([(&codes[1], &owner)].into_iter());
    assert_eq!(cache.owners_of(&codes).len(), 3);
    cache.keep_owners([(&codes[1], &None)].into_iter());
    assert_eq!(cache.owners_of(&codes).len(), 1);
}

#[test]
fn clearing_forgets_everything() {
    let cache = StateCache::default();
    cache.put(item(1, 1));
    cache.keep(&Arc::new(item(2, 1)));
    assert_eq!(format!("{cache:?}"), "StateCache { states: 1, .. }");
    cache.clear();
    assert_eq!(format!("{cache:?}"), "StateCache { states: 0, .. }");
    assert_eq!(version(&cache, 1), Version::NONE);
    assert_eq!(cache.peek::<StockItem>(id(2)).version, Version::NONE);
}
