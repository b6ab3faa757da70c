//! New identifiers.

use std::fmt::Debug;

use uuid::{Builder, Uuid};

use crate::value::id::{Id, InvalidId};
use crate::value::time::Timestamp;

/// Makes new identifiers: the only source of randomness in the library.
pub trait Ids: Debug + Send + Sync + 'static {
    /// A new identifier for something that is born `now`.
    ///
    /// # Contract
    ///
    /// Never nil and never the same twice, also across processes. Time-ordered to the millisecond (the
    /// shape of UUID version 7, RFC 9562 section 5.7), so that indexes stay local.
    fn next(&self, now: Timestamp) -> Uuid;
}

/// Typed identifiers from any [`Ids`].
pub trait IdsExt {
    /// A new typed identifier.
    ///
    /// # Errors
    ///
    /// [`InvalidId`] where the port breaks its contract and gives the nil UUID.
    fn fresh<T>(&self, now: Timestamp) -> Result<Id<T>, InvalidId>;
}

impl<I: Ids + ?Sized> IdsExt for I {
    fn fresh<T>(&self, now: Timestamp) -> Result<Id<T>, InvalidId> {
        Id::from_uuid(self.next(now))
    }
}

/// A UUID of version 7 from a time and random bytes; times before 1970 count as 1970.
pub fn v7(now: Timestamp, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(now.as_micros()).unwrap_or(0) / 1000;
    Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000).unwrap();
        let (early, late) = (v7(at(1), [255; 10]), v7(at(2), [0; 10]));
        assert!(early < late);
        assert_eq!(early.get_version_num(), 7);
        assert_eq!(v7(at(-5), [0; 10]).get_version_num(), 7);
    }
}
