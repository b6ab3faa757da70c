//! Two implementations that know nothing of each other agree on every commit.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::MemoryStore;
use commerce_core::kernel::commit::{Commit, DirectoryQuery, Load, StreamQuery};
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::port::store::{DueQuery, LogQuery, Store, Table};
use commerce_testkit::broken::BrokenStore;
use commerce_testkit::fake;
use commerce_testkit::strategy::kernel::{Draft, draft};
use pollster::block_on;
use proptest::prelude::*;
use uuid::Uuid;

fn streams() -> Vec<StreamId> {
    let kinds = ["order", "order-line"].into_iter();
    kinds.flat_map(|kind| (1..4).map(move |number| StreamId::new(kind, Uuid::from_u128(number)))).collect()
}

fn load(schema: Option<u16>) -> Load {
    let query = |stream| StreamQuery { stream, after: Version::NONE, snapshot_schema: schema };
    let directory = DirectoryQuery { scope: "conformance".into(), prefix: "".into(), limit: 9 };
    Load {
        streams: streams().into_iter().map(query).collect(),
        directory: vec![directory],
        ..Load::default()
    }
}

async fn agree(left: &dyn Store, right: &dyn Store) {
    for schema in [None, Some(1)] {
        assert_eq!(left.load(load(schema)).await, right.load(load(schema)).await);
    }
    let (a, b) = (
        left.read_all(LogQuery::after(Position::START, 1000)).await,
        right.read_all(LogQuery::after(Position::START, 1000)).await,
    );
    assert_eq!(a, b);
    for table in [Table::Keys, Table::Pools, Table::Timers, Table::Marks] {
        assert_eq!(left.scan(table, None, 1000).await, right.scan(table, None, 1000).await);
    }
}

async fn replay(drafts: Vec<Draft>, clock: &fake::Clock, left: &dyn Store, right: &dyn Store) {
    for draft in drafts {
        let heads = left.load(load(None)).await.unwrap().streams;
        let head = |stream: &StreamId| {
            heads
                .iter()
                .find(|loaded| loaded.stream == *stream)
                .map_or(Version::NONE, |loaded| loaded.version)
        };
        let commit: Commit = draft.on(head);
        assert_eq!(left.commit(commit.clone()).await, right.commit(commit).await);
        agree(left, right).await;
        clock.advance(Duration::from_secs(300));
        let query = DueQuery { kinds: vec![], limit: 2, lease: Duration::from_secs(700) };
        let (a, b) = (left.due(query.clone()).await.unwrap(), right.due(query).await.unwrap());
        assert_eq!((a.now, a.next), (b.now, b.next));
        let keys = |due: &[commerce_core::kernel::timer::DueTimer]| {
            due.iter().map(|timer| (timer.key.clone(), timer.due)).collect::<Vec<_>>()
        };
        assert_eq!(keys(&a.timers), keys(&b.timers));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_random_commits(drafts in proptest::collection::vec(draft(), 1..20)) {
        let clock = fake::Clock::default();
        let left = MemoryStore::with_clock(Arc::new(clock.clone()));
        let right = BrokenStore::new(None, Arc::new(clock.clone()));
        block_on(replay(drafts, &clock, &left, &right));
    }
}
