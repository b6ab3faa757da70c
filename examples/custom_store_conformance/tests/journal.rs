//! What a crash may leave, and what may not lie in the file.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a failing step is a failing test

mod folder;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use commerce_core::kernel::commit::{Append, Commit, Load};
use commerce_core::kernel::pool::PoolOp;
use commerce_core::kernel::stream::Position;
use commerce_core::port::store::{LogQuery, Store};
use commerce_testkit::build::{self, Draft};
use commerce_testkit::fake::Clock;
use custom_store_conformance::FileStore;
use folder::Folder;
use pollster::block_on;

fn open(folder: &Path) -> std::io::Result<FileStore> {
    FileStore::open(folder, Arc::new(Clock::default()))
}

/// One event, one key, one unit.
fn step(number: u64) -> Commit {
    let stream = build::stream("s");
    Commit::default()
        .appends(&stream, number, 1)
        .moves("p", PoolOp::Supply(1))
        .claims(&number.to_string(), &stream)
}

/// How many steps a store holds; all of its tables must agree.
fn steps(store: &FileStore) -> u64 {
    let events = block_on(store.read_all(LogQuery::after(Position::START, 1000))).unwrap().events.len();
    let by_claim: Vec<_> = (0..10).map(|number| build::key(&number.to_string())).collect();
    let loaded =
        block_on(store.load(Load { by_claim, pools: vec![build::pool("p")], ..Load::default() })).unwrap();
    assert_eq!(loaded.by_claim.iter().flatten().count(), events);
    assert_eq!(usize::try_from(loaded.pools[0].available).unwrap(), events);
    events as u64
}

/// A folder with this many steps, and where in the journal each ends.
fn written(count: u64) -> (Folder, Vec<u64>) {
    let folder = Folder::new();
    let store = open(folder.path()).unwrap();
    let end = || fs::metadata(folder.path().join("journal")).unwrap().len();
    let mut ends = vec![end()];
    for number in 0..count {
        block_on(store.commit(step(number))).unwrap();
        ends.push(end());
    }
    drop(store);
    (folder, ends)
}

#[test]
fn a_journal_that_is_cut_anywhere_opens_at_its_last_whole_record() {
    let (folder, ends) = written(3);
    let whole = fs::read(folder.path().join("journal")).unwrap();
    for length in 0..=whole.len() {
        let copy = folder.copied();
        fs::write(copy.join("journal"), &whole[..length]).unwrap();
        let expected = ends.iter().filter(|end| **end <= length as u64).count() as u64 - 1;
        let store = open(&copy).unwrap();
        assert_eq!(steps(&store), expected, "of {length} bytes");
        block_on(store.commit(step(expected))).unwrap();
        drop(store);
        assert_eq!(steps(&open(&copy).unwrap()), expected + 1, "of {length} bytes, then one more");
        fs::remove_dir_all(copy).unwrap();
    }
}

#[test]
fn room_that_was_never_written_is_no_damage() {
    let (folder, _) = written(2);
    let path = folder.path().join("journal");
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend([0; 5000]);
    fs::write(&path, bytes).unwrap();
    assert_eq!(steps(&open(folder.path()).unwrap()), 2);
}

#[test]
fn damage_in_front_of_whole_records_is_refused_and_left_as_it_is() {
    let (folder, ends) = written(3);
    let path = folder.path().join("journal");
    let mut bytes = fs::read(&path).unwrap();
    bytes[usize::try_from(ends[1]).unwrap() + 20] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(open(folder.path()).unwrap_err().kind(), std::io::ErrorKind::InvalidData);
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn one_process_at_a_time() {
    let folder = Folder::new();
    let first = open(folder.path()).unwrap();
    assert_eq!(open(folder.path()).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    drop(first);
    open(folder.path()).unwrap();
}

#[test]
fn what_is_erased_leaves_the_file_at_once() {
    let folder = Folder::new();
    let store = open(folder.path()).unwrap();
    let (alice, s) = (build::subject("alice"), build::stream("s"));
    let name =
        |text: &str| Append { events: vec![build::personal_event(alice, text)], ..build::append(&s, 0, 1) };
    block_on(store.commit(Commit::default().appending(name("Alice")))).unwrap();
    let bytes = || fs::read(folder.path().join("journal")).unwrap();
    let shows = |text: &str| {
        let listed = serde_json::to_string(text.as_bytes()).unwrap();
        let listed = listed.trim_matches(['[', ']']).as_bytes().to_vec();
        bytes().windows(listed.len()).any(|window| window == listed)
    };
    assert!(shows("Alice"));
    block_on(store.commit(Commit::default().erases(alice))).unwrap();
    assert!(!shows("Alice"));
    let mut late = name("Liddell");
    late.expected = build::append(&s, 1, 1).expected;
    block_on(store.commit(Commit::default().appending(late))).unwrap();
    assert!(!shows("Liddell"));
    let before = block_on(store.read_all(LogQuery::after(Position::START, 9))).unwrap();
    drop(store);
    let after = block_on(open(folder.path()).unwrap().read_all(LogQuery::after(Position::START, 9))).unwrap();
    assert_eq!(after, before);
    assert_eq!(after.events.len(), 2);
}
