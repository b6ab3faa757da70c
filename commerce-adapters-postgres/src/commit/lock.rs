//! What a commit locks, as 64-bit hashes.
//!
//! Two things with one hash merely wait for each other. Every build of every process must compute the
//! same hashes, so the function is written out here.

use commerce_core::kernel::stream::StreamId;

/// One advisory lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lock {
    pub(crate) key: i64,
    /// Held together with others that share it.
    pub(crate) shared: bool,
    /// Whether commits that need it may stand in one batch.
    pub(crate) pool: bool,
}

/// What is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Stream = 1,
    Key = 2,
    Pool = 3,
    Mark = 4,
    Timer = 5,
    Erasure = 6,
}

/// Makes the locks of one schema.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Locks {
    seed: u64,
}

impl Locks {
    pub(crate) fn of_schema(schema: &str) -> Self {
        Self { seed: fold(0xcbf2_9ce4_8422_2325, schema.as_bytes()) }
    }

    pub(crate) fn stream(self, stream: &StreamId) -> i64 {
        let hash = self.start(Class::Stream);
        finish(fold(fold(hash, stream.id.as_bytes()), stream.kind.as_bytes()))
    }

    pub(crate) fn named(self, class: Class, name: &str) -> i64 {
        finish(fold(self.start(class), name.as_bytes()))
    }

    const fn start(self, class: Class) -> u64 {
        self.seed.wrapping_add((class as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

/// FNV-1a.
fn fold(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Spreads the hash over all bits (the finaliser of `MurmurHash3`).
const fn finish(hash: u64) -> i64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (hash ^ (hash >> 33)).cast_signed()
}

/// Sorted, each once; who needs it alone gets it alone.
pub(crate) fn sorted(mut locks: Vec<Lock>) -> Vec<Lock> {
    locks.sort_unstable();
    // `false < true`: of two on one key the exclusive one stands first and stays.
    locks.dedup_by_key(|lock| lock.key);
    locks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_never_change() {
        let locks = Locks::of_schema("commerce");
        let stream = StreamId::new("order", uuid::Uuid::from_u128(1));
        let hashes = [locks.stream(&stream), locks.named(Class::Pool, "stock:MUG")];
        assert_eq!(hashes, [-5_743_874_764_207_452_123, -8_877_698_273_499_108_190]);
        assert_ne!(locks.named(Class::Pool, "a"), locks.named(Class::Mark, "a"));
        assert_ne!(locks.named(Class::Pool, "a"), Locks::of_schema("other").named(Class::Pool, "a"));
    }

    #[test]
    fn the_exclusive_one_of_two_stays() {
        let lock = |key, shared| Lock { key, shared, pool: false };
        let all = sorted(vec![lock(2, true), lock(1, true), lock(2, false), lock(1, true)]);
        assert_eq!(all, [lock(1, true), lock(2, false)]);
    }
}
