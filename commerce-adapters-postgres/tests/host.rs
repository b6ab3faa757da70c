//! The host's rows and the library's in one transaction.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod server;

use commerce_adapters_postgres::sqlx::Connection;
use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::pool::PoolOp;
use commerce_core::port::store::Store;
use commerce_testkit::build::{Draft, numbered, stream};
use server::{World, connection, level, log, on_runtime, run, version};

#[test]
fn a_rollback_leaves_nothing_and_a_commit_leaves_both() {
    on_runtime(async {
        let world = World::new().await;
        world.database.psql("create table host_audit (note text)");
        let mut host = connection(&world.database).await;
        let commit = Commit::default().appends(&stream("s"), 0, 1).moves("p", PoolOp::Supply(3)).marked("m");
        for keep in [false, true] {
            let mut transaction = host.begin().await.unwrap();
            run(&mut transaction, "insert into host_audit values ('placed')").await;
            let receipt = world.store.commit_in(&mut transaction, commit.clone()).await.unwrap();
            if keep {
                transaction.commit().await.unwrap();
                assert_eq!(log(&world.store).await.last().unwrap().position, receipt.position);
            } else {
                transaction.rollback().await.unwrap();
                assert_eq!(version(&world.store, &stream("s")).await, 0);
            }
            let notes = world.database.psql("select count(*) from host_audit");
            assert_eq!(notes, i32::from(keep).to_string());
            assert_eq!(level(&world.store, "p").await.available, if keep { 3 } else { 0 });
        }
    });
}

/// The host's transaction got its id before others wrote; what it appends later comes later in the log.
#[test]
fn host_writes_first() {
    on_runtime(async {
        let world = World::new().await;
        world.database.psql("create table host_audit (note text)");
        let s = stream("s");
        world.store.commit(Commit::default().appends(&s, 0, 1)).await.unwrap();
        let mut host = connection(&world.database).await;
        let mut transaction = host.begin().await.unwrap();
        run(&mut transaction, "insert into host_audit values ('early id')").await;
        world.store.commit(Commit::default().appends(&s, 1, 1).appends(&stream("t"), 0, 1)).await.unwrap();
        let late = Commit::default().appends(&s, 2, 2).appends(&numbered(1), 0, 1);
        let receipt = world.store.commit_in(&mut transaction, late).await.unwrap();
        transaction.commit().await.unwrap();
        world.store.commit(Commit::default().appends(&s, 4, 1)).await.unwrap();
        let events = log(&world.store).await;
        let versions: Vec<_> =
            events.iter().filter(|event| event.stream == s).map(|event| event.version.get()).collect();
        assert_eq!(versions, [1, 2, 3, 4, 5]);
        assert!(events.is_sorted_by(|a, b| a.position < b.position));
        let place = events.iter().position(|event| event.position == receipt.position).unwrap();
        let commit: Vec<_> = events[place - 2..=place].iter().map(|event| event.stream.clone()).collect();
        assert_eq!(commit, [s.clone(), s, numbered(1)], "the events of the commit stand together");
    });
}
