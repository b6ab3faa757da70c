//! What a store that is durable or shared promises beyond the rest.

use commerce_core::kernel::commit::{Commit, Load};
use commerce_core::kernel::pool::PoolOp;

use super::stream::stale;
use crate::build::{Draft, key, mark, pool, stream};
use crate::conformance::fixture::{Fixture, query};
use crate::conformance::outcome::{Outcome, equal};

fn everything() -> Load {
    Load {
        streams: vec![query(&stream("s"), 0, Some(1))],
        by_claim: vec![key("k")],
        pools: vec![pool("p")],
        marks: vec![mark("m").key],
        ..Load::default()
    }
}

fn whole() -> Commit {
    let s = stream("s");
    Commit::default().appends(&s, 0, 2).claims("k", &s).moves("p", PoolOp::Supply(4)).marked("m")
}

pub(crate) async fn durable_commit_survives_reopening(f: &Fixture) -> Outcome {
    f.commit(whole()).await?;
    let before = f.load(everything()).await?;
    let after = f.reopened().await?.load(everything()).await?;
    equal("everything after reopening", after, before)
}

pub(crate) async fn shared_commits_are_seen_by_each_other(f: &Fixture) -> Outcome {
    let other = f.reopened().await?;
    f.commit(whole()).await?;
    let seen = other.load(everything()).await?;
    equal("everything through the other handle", seen, f.load(everything()).await?)?;
    let late = other.commit(Commit::default().appends(&stream("s"), 0, 1)).await;
    equal("a stale append through the other handle", late, Err(stale(&stream("s"), 0, 2)))
}
