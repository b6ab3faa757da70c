//! Identifiers that are the same in every run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use commerce_core::port::ids;
use commerce_core::value::time::Timestamp;
use uuid::Uuid;

/// Deterministic ids in the shape of UUID version 7; clones go on counting together.
///
/// Within one millisecond up to 4096 of them sort in the order in which they were made.
#[derive(Debug, Clone)]
pub struct Ids {
    seed: u64,
    count: Arc<AtomicU64>,
}

impl Ids {
    /// The ids of this seed; equal seeds give equal ids.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, count: Arc::default() }
    }
}

impl Default for Ids {
    fn default() -> Self {
        Self::seeded(0)
    }
}

impl ids::Ids for Ids {
    fn next(&self, now: Timestamp) -> Uuid {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let [.., high, low] = count.to_be_bytes();
        let noise = mix(self.seed ^ mix(count)).to_be_bytes();
        let mut bytes = [0; 10];
        for (slot, byte) in bytes.iter_mut().zip([high, low].into_iter().chain(noise)) {
            *slot = byte;
        }
        ids::v7(now, bytes)
    }
}

/// The finaliser of splitmix64: a bijection that spreads every bit.
pub(crate) const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::START;
    use commerce_core::port::ids::Ids as _;
    use std::collections::BTreeSet;

    #[test]
    fn equal_seeds_give_equal_ids_and_others_do_not() {
        let ids = |seed| {
            let ids = Ids::seeded(seed);
            (0..1000).map(|_| ids.next(START)).collect::<Vec<_>>()
        };
        assert_eq!(ids(1), ids(1));
        let all: BTreeSet<_> = ids(1).into_iter().chain(ids(2)).collect();
        assert_eq!(all.len(), 2000);
        assert!(ids(1).is_sorted());
        assert!(all.iter().all(|id| id.get_version_num() == 7));
    }
}
