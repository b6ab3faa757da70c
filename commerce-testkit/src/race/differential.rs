//! G2: two stores, the same commits, the same answers.

use std::future::Future;
use std::sync::Arc;

use commerce_core::kernel::commit::{Commit, DirectoryQuery, Load, Loaded, Receipt, StreamQuery};
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::event::{NewEvent, RecordedEvent};
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::port::store::{MAX_PAGE, Row, Table};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use uuid::Uuid;

use super::{Raced, Tally};
use crate::conformance::outcome::{Outcome, equal, holds};
use crate::conformance::{Failure, Fixture};
use crate::strategy::kernel::{Draft, mixed_draft};

/// How much is compared.
#[derive(Debug, Clone, Copy)]
pub struct Differential {
    /// How many sequences, each on fresh stores.
    pub sequences: usize,
    /// How many commits each.
    pub commits: usize,
    /// Which ones.
    pub seed: u64,
}

/// A thousand sequences of fifty commits.
impl Default for Differential {
    fn default() -> Self {
        Self { sequences: 1000, commits: 50, seed: 1 }
    }
}

impl Differential {
    /// So many sequences of fifty commits, unless the variable `COMMERCE_RACE_SEQUENCES` says otherwise.
    pub fn of(sequences: usize) -> Self {
        let told = std::env::var("COMMERCE_RACE_SEQUENCES").ok().and_then(|text| text.parse().ok());
        Self { sequences: told.unwrap_or(sequences), ..Self::default() }
    }
}

/// Submits random commits to two stores and compares every answer, then everything that they hold.
///
/// Positions are a store's own and are not compared; the order of events is. At least half of the commits
/// must have been accepted. A fixture that can be reopened is compared once more behind that.
///
/// # Errors
///
/// The first difference, with the sequence and the commit that led to it.
#[allow(clippy::future_not_send)] // a factory need not be Send, and a test runs on one thread
pub async fn differential<L, R, T, U>(size: Differential, left: L, right: R) -> Raced
where
    L: Fn() -> T,
    R: Fn() -> U,
    T: Future<Output: Into<Fixture>>,
    U: Future<Output: Into<Fixture>>,
{
    let mut tally = Tally::default();
    for sequence in 0..size.sequences {
        let (left, right): (Fixture, Fixture) = (left().await.into(), right().await.into());
        let drafts = drafts(size, sequence)?;
        let at = |number: usize| format!("commit {number} of sequence {sequence}, seed {}", size.seed);
        for (number, draft) in drafts.into_iter().enumerate() {
            let commit = on(&left, &draft).await?;
            let text = format!("{}: {commit:?}", at(number));
            let (a, b) = (left.store().commit(commit.clone()).await, right.store().commit(commit).await);
            tally.add("commits", 1);
            tally.add(if a.is_ok() { "accepted" } else { "refused" }, 1);
            equal(&text, kind(b), kind(a))?;
        }
        let expected = Contents::of(&left).await?;
        expected.same(&Contents::of(&right).await?, &at(size.commits))?;
        for fixture in [&left, &right] {
            if fixture.can_reopen() {
                let reopened = Fixture::from(fixture.reopened().await?);
                expected.same(&Contents::of(&reopened).await?, &format!("{}, reopened", at(size.commits)))?;
                tally.add("reopened", 1);
            }
        }
        tally.add("sequences", 1);
    }
    let (accepted, commits) = (tally.of("accepted"), tally.of("commits"));
    holds(&format!("half of {commits} commits are accepted: {accepted}"), accepted * 2 >= commits)?;
    Ok(tally)
}

fn drafts(size: Differential, sequence: usize) -> Result<Vec<Draft>, Failure> {
    let mut seed = [0; 32];
    let parts = size.seed.to_be_bytes().into_iter().chain(sequence.to_be_bytes());
    for (slot, byte) in seed.iter_mut().zip(parts) {
        *slot = byte;
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let tree = proptest::collection::vec(mixed_draft(), size.commits).new_tree(&mut runner);
    tree.map(|tree| tree.current()).map_err(|reason| Failure::new(reason.to_string()))
}

fn streams() -> Vec<StreamQuery> {
    let kinds = ["order", "order-line"].into_iter();
    let streams =
        kinds.flat_map(|kind| (1..4).map(move |number| StreamId::new(kind, Uuid::from_u128(number))));
    streams.map(|stream| StreamQuery { stream, after: Version::NONE, snapshot_schema: None }).collect()
}

async fn on(fixture: &Fixture, draft: &Draft) -> Result<Commit, Failure> {
    let heads = fixture.load(Load { streams: streams(), ..Load::default() }).await?.streams;
    Ok(draft.on(|stream| {
        let head = heads.iter().find(|loaded| loaded.stream == *stream);
        head.map_or(Version::NONE, |loaded| loaded.version)
    }))
}

/// An answer without positions; errors of ports by their kind.
fn kind(result: Result<Receipt, CommitError>) -> Result<(), CommitError> {
    match result {
        Ok(_) => Ok(()),
        Err(CommitError::AlreadyHandled(mut handled)) => {
            handled.position = Position::START;
            Err(CommitError::AlreadyHandled(handled))
        }
        Err(error) => Err(error),
    }
}

type Event = (StreamId, Version, NewEvent);

fn event(recorded: &Arc<RecordedEvent>) -> Event {
    (recorded.stream.clone(), recorded.version, recorded.event.clone())
}

/// Everything that a store holds, without positions.
struct Contents {
    log: Vec<Event>,
    loaded: Loaded,
    rows: Vec<Row>,
}

impl Contents {
    async fn of(fixture: &Fixture) -> Result<Self, Failure> {
        let log = fixture.log().await?.iter().map(event).collect();
        let directory = vec![DirectoryQuery { scope: "conformance".into(), prefix: "".into(), limit: 99 }];
        let mut loaded = fixture.load(Load { streams: streams(), directory, ..Load::default() }).await?;
        for stream in &mut loaded.streams {
            for recorded in &mut stream.events {
                Arc::make_mut(recorded).position = Position::START;
            }
        }
        let mut rows = Vec::new();
        for table in [Table::Keys, Table::Pools, Table::Timers, Table::Marks] {
            let page = fixture.store().scan(table, None, MAX_PAGE).await?;
            rows.extend(page.into_iter().map(|row| match row {
                Row::Mark(key, mut handled) => {
                    handled.position = Position::START;
                    Row::Mark(key, handled)
                }
                other => other,
            }));
        }
        Ok(Self { log, loaded, rows })
    }

    fn same(&self, other: &Self, at: &str) -> Outcome {
        equal(&format!("the log behind {at}"), &other.log, &self.log)?;
        equal(&format!("what is loaded behind {at}"), &other.loaded, &self.loaded)?;
        equal(&format!("the tables behind {at}"), &other.rows, &self.rows)
    }
}
