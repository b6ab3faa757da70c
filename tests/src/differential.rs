//! The same commits on two stores: equal results, equal content.

use commerce_core::kernel::commit::{DirectoryQuery, Load, Loaded, Receipt, StreamQuery};
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::mark::Handled;
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::port::store::{LogQuery, Row, Store, Table};
use commerce_testkit::strategy::kernel::Draft;
use uuid::Uuid;

fn streams() -> Vec<StreamId> {
    let kinds = ["order", "order-line"].into_iter();
    kinds.flat_map(|kind| (1..4).map(move |number| StreamId::new(kind, Uuid::from_u128(number)))).collect()
}

/// Everything that can be asked, with or without snapshots.
fn everything(schema: Option<u16>) -> Load {
    let query = |stream| StreamQuery { stream, after: Version::NONE, snapshot_schema: schema };
    let directory = DirectoryQuery { scope: "conformance".into(), prefix: "".into(), limit: 9 };
    Load {
        streams: streams().into_iter().map(query).collect(),
        directory: vec![directory],
        ..Load::default()
    }
}

/// Places in the log differ between stores and mean nothing outside of them.
fn displaced(event: &RecordedEvent) -> RecordedEvent {
    RecordedEvent { position: Position::START, ..event.clone() }
}

fn result(outcome: Result<Receipt, CommitError>) -> Result<(), CommitError> {
    match outcome {
        Ok(_) => Ok(()),
        Err(CommitError::AlreadyHandled(handled)) => {
            Err(CommitError::AlreadyHandled(Handled { position: Position::START, ..handled }))
        }
        Err(error) => Err(error),
    }
}

fn loaded(loaded: Loaded) -> impl PartialEq + std::fmt::Debug {
    let stream = |stream: commerce_core::kernel::commit::LoadedStream| {
        let events: Vec<_> = stream.events.iter().map(|event| displaced(event)).collect();
        (stream.stream, stream.version, stream.snapshot, events)
    };
    (loaded.streams.into_iter().map(stream).collect::<Vec<_>>(), loaded.directory)
}

async fn rows(store: &dyn Store, table: Table) -> Vec<Row> {
    let displace = |row| match row {
        Row::Mark(key, handled) => Row::Mark(key, Handled { position: Position::START, ..handled }),
        row => row,
    };
    store.scan(table, None, 1000).await.unwrap().into_iter().map(displace).collect()
}

async fn whole_log(store: &dyn Store) -> Vec<RecordedEvent> {
    let (mut events, mut after) = (Vec::new(), Position::START);
    loop {
        let page = store.read_all(LogQuery::after(after, 1000)).await.unwrap();
        if page.events.is_empty() {
            return events;
        }
        after = page.next;
        events.extend(page.events.iter().map(|event| displaced(event)));
    }
}

async fn agree(left: &dyn Store, right: &dyn Store) {
    for schema in [None, Some(1)] {
        let (a, b) =
            (left.load(everything(schema)).await.unwrap(), right.load(everything(schema)).await.unwrap());
        assert_eq!(loaded(a), loaded(b));
    }
    for table in [Table::Keys, Table::Pools, Table::Timers, Table::Marks] {
        assert_eq!(rows(left, table).await, rows(right, table).await);
    }
}

/// Makes the same commits on both and compares whatever can be asked, behind each.
///
/// # Panics
///
/// Where they differ.
pub async fn replay(drafts: &[Draft], left: &dyn Store, right: &dyn Store) {
    for draft in drafts {
        let heads = left.load(everything(None)).await.unwrap().streams;
        let head = |stream: &StreamId| {
            let known = heads.iter().find(|loaded| loaded.stream == *stream);
            known.map_or(Version::NONE, |loaded| loaded.version)
        };
        let commit = draft.on(head);
        assert_eq!(result(left.commit(commit.clone()).await), result(right.commit(commit).await));
        agree(left, right).await;
    }
    assert_eq!(whole_log(left).await, whole_log(right).await);
}
