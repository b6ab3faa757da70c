//! A process that is killed at any moment has what it acknowledged.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a failing step is a failing test

mod folder;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use commerce_core::kernel::commit::Load;
use commerce_core::kernel::stream::Version;
use commerce_core::port::store::{MAX_PAGE, Row, Store, Table};
use commerce_testkit::build::{pool, stream};
use commerce_testkit::fake::Clock;
use custom_store_conformance::FileStore;
use folder::Folder;
use pollster::block_on;

/// Lets the program count in this folder until it has said this many numbers, kills it, and gives the last
/// number that it said.
fn count_and_kill(folder: &Path, numbers: usize) -> u64 {
    let mut child = Command::new(env!("CARGO_BIN_EXE_custom_store_conformance"))
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said: Vec<String> = lines.by_ref().take(numbers).map(Result::unwrap).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    // What stood in the pipe was said as well; its last line may be cut off.
    said.extend(lines.map_while(Result::ok).filter(|line| !line.is_empty()));
    assert!(said.len() >= numbers, "it ended by itself behind {said:?}");
    said.iter().rev().find_map(|line| line.parse().ok()).unwrap()
}

/// How far a store has counted; all of its tables must agree.
fn counted(store: &FileStore) -> u64 {
    let (mut events, mut after) = (0, Version::NONE);
    loop {
        let page = block_on(store.read_stream(&stream("counter"), after, MAX_PAGE)).unwrap();
        let Some(last) = page.last() else { break };
        after = last.version;
        events += page.len() as u64;
    }
    assert_eq!(after.get(), events);
    let level = block_on(store.load(Load { pools: vec![pool("counted")], ..Load::default() })).unwrap();
    assert_eq!(u64::try_from(level.pools[0].available).unwrap(), events);
    for table in [Table::Keys, Table::Marks] {
        let (mut rows, mut last) = (0, None::<String>);
        loop {
            let page = block_on(store.scan(table, last.as_deref(), MAX_PAGE)).unwrap();
            rows += page.len() as u64;
            last = match page.last() {
                Some(Row::Key(row)) => Some(row.key.to_string()),
                Some(Row::Mark(key, _)) => Some(key.to_string()),
                _ => break,
            };
        }
        assert_eq!(rows, events, "{table:?}");
    }
    events
}

#[test]
fn g8_every_acknowledged_commit_survives_kill_9() {
    let folder = Folder::new();
    for round in 0..25 {
        let said = count_and_kill(folder.path(), 1 + round * 3 % 17);
        // Read from a copy: what is on the disk, whoever may still hold the lock.
        let there = counted(&FileStore::open(&folder.copied(), Arc::new(Clock::default())).unwrap());
        // At most the commit that was under way is there without having been acknowledged.
        assert!((said..=said + 1).contains(&there), "it said {said} and {there} are there");
    }
}
