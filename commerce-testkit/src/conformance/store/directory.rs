//! Directories: the keys of a scope by prefix.

use commerce_core::kernel::commit::{Commit, DirectoryQuery, Load, MAX_DIRECTORY};
use commerce_core::kernel::stream::StreamId;
use commerce_core::kernel::unique::{Key, UniqueKey};

use crate::build::{Draft, stream};
use crate::conformance::Failure;
use crate::conformance::fixture::{Fixture, one};
use crate::conformance::outcome::{Outcome, equal, holds};

async fn find(f: &Fixture, scope: &str, prefix: &str, limit: u32) -> Result<Vec<(Key, StreamId)>, Failure> {
    let question = DirectoryQuery { scope: scope.to_owned().into(), prefix: prefix.into(), limit };
    one(f.load(Load { directory: vec![question], ..Load::default() }).await?.directory)
}

async fn names(f: &Fixture, scope: &str, prefix: &str, limit: u32) -> Result<Vec<String>, Failure> {
    let found = find(f, scope, prefix, limit).await?;
    Ok(found.into_iter().map(|(key, _)| key.key.as_ref().to_owned()).collect())
}

async fn fill(f: &Fixture, scope: &'static str, keys: &[&str]) -> Outcome {
    let mut commit = Commit::default();
    for name in keys {
        let key = Key::new(scope, *name);
        commit = commit.claiming(UniqueKey { key, owner: stream(name), subject: None });
    }
    f.commit(commit).await?;
    Ok(())
}

pub(crate) async fn directory_gives_the_keys_of_a_prefix(f: &Fixture) -> Outcome {
    fill(f, "list", &["eur:2", "eur:1", "usd:1", "eu", "eur:", "eur;"]).await?;
    let owned = |name: &str| (Key::new("list", name), stream(name));
    let expected = vec![owned("eur:"), owned("eur:1"), owned("eur:2")];
    equal("keys with a prefix and their owners", find(f, "list", "eur:", 9).await?, expected)?;
    equal("keys without a prefix", names(f, "list", "", 9).await?.len(), 6)?;
    equal("keys of an unknown prefix", names(f, "list", "gbp", 9).await?, Vec::<String>::new())
}

pub(crate) async fn directory_keeps_scopes_apart(f: &Fixture) -> Outcome {
    fill(f, "list", &["a"]).await?;
    fill(f, "list-of-others", &["b"]).await?;
    equal("keys of one scope", names(f, "list", "", 9).await?, vec!["a"])
}

pub(crate) async fn directory_ascends_by_bytes(f: &Fixture) -> Outcome {
    fill(f, "list", &["b", "B", "é", "a-b", "a", "ab", "A", "a:b"]).await?;
    let expected = vec!["A", "B", "a", "a-b", "a:b", "ab", "b", "é"];
    equal("keys of a scope", names(f, "list", "", 9).await?, expected)?;
    equal("the first three", names(f, "list", "", 3).await?, vec!["A", "B", "a"])
}

pub(crate) async fn directory_takes_a_prefix_literally(f: &Fixture) -> Outcome {
    fill(f, "list", &["a_b", "axb", "a%b", "a\\b", "A_b"]).await?;
    for prefix in ["a_", "a%", "a\\"] {
        equal(
            &format!("keys with the prefix {prefix}"),
            names(f, "list", prefix, 9).await?,
            vec![format!("{prefix}b")],
        )?;
    }
    Ok(())
}

pub(crate) async fn directory_forgets_released_keys(f: &Fixture) -> Outcome {
    f.commit(Commit::default().claims("k1", &stream("s")).claims("k2", &stream("s"))).await?;
    f.commit(Commit::default().releases("k1", &stream("s"))).await?;
    equal("keys after a release", names(f, "conformance", "", 9).await?, vec!["k2"])
}

pub(crate) async fn directory_is_bounded(f: &Fixture) -> Outcome {
    let mut commit = Commit::default();
    for number in 0..=MAX_DIRECTORY {
        commit = commit.claims(&format!("{number:04}"), &stream("s"));
    }
    f.commit(commit).await?;
    let found = names(f, "conformance", "", u32::MAX).await?;
    equal("the first of too many keys", found.first().map(String::as_str), Some("0000"))?;
    holds("a directory has at most MAX_DIRECTORY keys", found.len() <= MAX_DIRECTORY as usize)?;
    equal("keys within the limit", names(f, "conformance", "", 2).await?, vec!["0000", "0001"])
}
