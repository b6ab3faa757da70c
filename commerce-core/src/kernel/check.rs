//! What stands against a commit, for authors of stores: pure, over whatever the store keeps.

use std::collections::BTreeMap;

use super::commit::Commit;
use super::error::CommitError;
use super::stream::{StreamId, Version};
use super::unique::Key;

impl Commit {
    /// Compares the versions that the commit was decided on with those that `version` tells.
    ///
    /// # Errors
    ///
    /// [`CommitError::Stale`] for the smallest stream that is at another one; with what its append expected,
    /// else with the first expectation that does not hold.
    pub fn check_versions(&self, version: impl Fn(&StreamId) -> Version) -> Result<(), CommitError> {
        let appends = self.append.iter().map(|append| (&append.stream, append.expected));
        let asserted = appends.chain(self.expect.iter().map(|expect| (&expect.stream, expect.version)));
        let stale = asserted.map(|(stream, expected)| (stream, expected, version(stream)));
        let stale =
            stale.filter(|(_, expected, actual)| expected != actual).min_by_key(|(stream, ..)| *stream);
        match stale {
            None => Ok(()),
            Some((stream, expected, actual)) => {
                Err(CommitError::Stale { stream: stream.clone(), expected, actual })
            }
        }
    }

    /// Looks for keys that another has, where `owner` tells whose a key is. What the commit releases is
    /// free for its claims.
    ///
    /// # Errors
    ///
    /// [`CommitError::Taken`] for the smallest such key.
    pub fn check_keys<'s>(&'s self, owner: impl Fn(&Key) -> Option<&'s StreamId>) -> Result<(), CommitError> {
        let given_up = self.release.iter().filter(|given| owner(&given.key) == Some(&given.owner));
        let mut owners: BTreeMap<&Key, Option<&StreamId>> =
            given_up.map(|given| (&given.key, None)).collect();
        let mut taken = BTreeMap::new();
        for claim in &self.claim {
            let present = owners.entry(&claim.key).or_insert_with(|| owner(&claim.key));
            let owner = *present.get_or_insert(&claim.owner);
            if *owner != claim.owner {
                taken.insert(&claim.key, owner);
            }
        }
        match taken.into_iter().next() {
            None => Ok(()),
            Some((key, owner)) => Err(CommitError::Taken { key: key.clone(), owner: owner.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::kernel::commit::Expect;
    use crate::kernel::unique::UniqueKey;

    fn stream(number: u128) -> StreamId {
        StreamId::new("thing", Uuid::from_u128(number))
    }

    fn claim(key: &str, owner: u128) -> UniqueKey {
        UniqueKey { key: Key::new("name", key), owner: stream(owner), subject: None }
    }

    #[test]
    fn the_smallest_stale_stream_is_named() {
        let expect = |number| Expect { stream: stream(number), version: Version::new(1) };
        let commit = Commit { expect: vec![expect(3), expect(2), expect(1)], ..Commit::default() };
        let at = |known: &StreamId| if *known == stream(1) { Version::new(1) } else { Version::new(5) };
        let stale =
            CommitError::Stale { stream: stream(2), expected: Version::new(1), actual: Version::new(5) };
        assert_eq!(commit.check_versions(at), Err(stale));
        assert_eq!(commit.check_versions(|_| Version::new(1)), Ok(()));
    }

    #[test]
    fn what_is_released_is_free_and_what_is_anothers_is_taken() {
        let (one, two) = (stream(1), stream(2));
        let held = |key: &Key| match &*key.key {
            "a" => Some(&one),
            "b" => Some(&two),
            _ => None,
        };
        let commit = |claim, release| Commit { claim, release, ..Commit::default() };
        let free = commit(vec![claim("a", 2), claim("c", 2)], vec![claim("a", 1)]);
        assert_eq!(free.check_keys(held), Ok(()));
        // Another's key is not given up by whoever does not own it.
        let taken = commit(vec![claim("b", 1), claim("a", 2)], vec![claim("b", 1)]);
        let error = CommitError::Taken { key: Key::new("name", "a"), owner: stream(1) };
        assert_eq!(taken.check_keys(held), Err(error));
        let twice = commit(vec![claim("c", 1), claim("c", 2)], Vec::new());
        let error = CommitError::Taken { key: Key::new("name", "c"), owner: stream(1) };
        assert_eq!(twice.check_keys(held), Err(error));
    }
}
