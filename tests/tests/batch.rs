//! What a batch of decisions makes of a commit: appends, asserted versions and snapshots.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a failing step is a failing test

use commerce_core::event_types;
use commerce_core::kernel::aggregate::{Aggregate, Command, EvolveError, Instance};
use commerce_core::kernel::batch::Batch;
use commerce_core::kernel::event::Metadata;
use commerce_core::kernel::stream::Version;
use commerce_core::value::actor::Actor;
use commerce_core::value::id::Id;
use commerce_core::value::time::Timestamp;
use commerce_testkit::fake::{Ids, START};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Counts its events, and keeps a snapshot of every third.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Meter(u64);

#[derive(Debug, Clone, Serialize)]
struct Turn;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum MeterEvent {
    Turned { by: u64 },
}

event_types! { MeterEvent { Turned => "MeterTurned" v1 } }

impl Command for Turn {
    type Target = Meter;
}

impl Aggregate for Meter {
    const NAME: &'static str = "meter";
    const SNAPSHOT_EVERY: u64 = 3;
    type Root = Self;
    type Command = Turn;
    type Event = MeterEvent;
    type Error = std::fmt::Error;

    fn decide(_: Option<&Self>, _: Turn, _: Timestamp) -> Result<Vec<MeterEvent>, Self::Error> {
        Ok(vec![MeterEvent::Turned { by: 1 }])
    }

    fn evolve(state: Option<Self>, event: &MeterEvent) -> Result<Self, EvolveError> {
        let MeterEvent::Turned { by } = event;
        Ok(Self(state.map_or(0, |known| known.0) + by))
    }
}

fn meter(number: u128) -> Instance<Meter> {
    Instance::absent(Id::derived(Uuid::from_u128(number), b"meter"))
}

fn turns(count: usize) -> Vec<MeterEvent> {
    vec![MeterEvent::Turned { by: 1 }; count]
}

fn batch(ids: &Ids) -> Batch<'_> {
    let metadata = Metadata { correlation: Uuid::from_u128(1), causation: None, actor: Actor::System };
    Batch::new(ids, START, metadata)
}

#[test]
fn appending_again_extends_the_first_append() {
    let (ids, mut one, mut other) = (Ids::seeded(1), meter(1), meter(2));
    let mut batch = batch(&ids);
    batch.append(&mut one, &turns(1)).unwrap();
    batch.append(&mut other, &turns(1)).unwrap();
    batch.append(&mut one, &turns(1)).unwrap();
    let commit = batch.into_commit();
    let appended: Vec<_> =
        commit.append.iter().map(|append| (append.expected, append.events.len())).collect();
    assert_eq!(appended, [(Version::NONE, 2), (Version::NONE, 1)]);
    assert_eq!(commit.append[0].stream, one.stream());
    assert_eq!((one.version, one.state), (Version::new(2), Some(Meter(2))));
}

#[test]
fn a_version_is_asserted_once_and_not_beside_an_append() {
    let (ids, mut read, mut written) = (Ids::seeded(1), meter(1), meter(2));
    (read.version, written.version) = (Version::new(7), Version::new(4));
    written.state = Some(Meter(4));
    let mut batch = batch(&ids);
    batch.expect(&read);
    // No event asserts the version too; both say the same, so one stands.
    batch.append(&mut read, &[]).unwrap();
    batch.expect(&written);
    batch.append(&mut written, &turns(1)).unwrap();
    batch.expect(&written);
    let commit = batch.into_commit();
    let expected: Vec<_> =
        commit.expect.iter().map(|expect| (expect.stream.clone(), expect.version)).collect();
    assert_eq!(expected, [(read.stream(), Version::new(7))]);
    assert_eq!(commit.append.len(), 1);
    assert_eq!(commit.append[0].expected, Version::new(4));
}

#[test]
fn a_snapshot_is_due_behind_so_many_events_since_the_last() {
    let (ids, mut meter) = (Ids::seeded(1), meter(1));
    let mut made = Vec::new();
    for count in [1, 1, 1, 2, 1, 4, 2] {
        let mut batch = batch(&ids);
        batch.append(&mut meter, &turns(count)).unwrap();
        let commit = batch.into_commit();
        made.push(commit.append[0].snapshot.as_ref().map(|snapshot| snapshot.version.get()));
    }
    assert_eq!(made, [None, None, Some(3), None, Some(6), Some(10), None]);
}
