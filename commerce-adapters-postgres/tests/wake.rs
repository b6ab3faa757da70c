//! Who follows the log is woken by commits, and commits pay nothing for it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod server;

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::platform;
use commerce_adapters_postgres::sqlx::postgres::{PgListener, PgPoolOptions};
use commerce_adapters_postgres::sqlx::query_scalar;
use commerce_adapters_postgres::{PgStore, PgWakeUps, Schema, Settings};
use commerce_core::kernel::commit::Commit;
use commerce_core::port::clock::Sleeper;
use commerce_core::port::store::Store;
use commerce_core::value::time::Timestamp;
use commerce_testkit::build::{Draft, mark, stream};
use server::{World, on_runtime, options, patient};
use tokio::time::timeout;

/// Longer than anything here may take; only a test that fails waits for it.
const LONG: Duration = Duration::from_secs(20);

fn tomorrow() -> Timestamp {
    platform().clock.now().plus(Duration::from_hours(24))
}

async fn woken(wake_ups: &PgWakeUps) -> bool {
    timeout(LONG, wake_ups.sleep_until(tomorrow())).await.is_ok()
}

async fn silent(wake_ups: &PgWakeUps) -> bool {
    timeout(Duration::from_millis(300), wake_ups.sleep_until(tomorrow())).await.is_err()
}

fn appended(name: &str) -> Commit {
    Commit::default().appends(&stream(name), 0, 1)
}

#[test]
fn a_commit_of_another_process_wakes_who_sleeps() {
    on_runtime(async {
        let world = World::with(patient().waking()).await;
        let follower = world.other();
        let wake_ups = follower.waking(platform().sleeper).await.unwrap();
        assert!(silent(&wake_ups).await, "nothing has happened");
        let sleeping = tokio::spawn({
            let wake_ups = wake_ups.clone();
            async move { woken(&wake_ups).await }
        });
        world.store.commit(appended("a")).await.unwrap();
        assert!(sleeping.await.unwrap());
        // What rings while nobody sleeps is heard by who goes to sleep next, once.
        let heard = wake_ups.heard();
        world.store.commit(appended("b")).await.unwrap();
        while wake_ups.heard() == heard {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(woken(&wake_ups).await);
        assert!(silent(&wake_ups).await);
        // Time wakes too.
        let soon = platform().clock.now().plus(Duration::from_millis(50));
        assert!(timeout(LONG, wake_ups.sleep_until(soon)).await.is_ok());
    });
}

#[test]
fn only_what_is_appended_to_this_schema_rings() {
    on_runtime(async {
        let world = World::with(patient().waking()).await;
        let wake_ups = world.other().waking(platform().sleeper).await.unwrap();
        let marked = Commit { mark: Some(mark("m")), ..Commit::default() };
        world.store.commit(marked).await.unwrap();
        let settings = patient().waking().with_schema(Schema::new("another").unwrap());
        let other = PgStore::new(options(&world.database), settings);
        other.migrate().await.unwrap();
        other.commit(appended("a")).await.unwrap();
        world.other().commit(appended("quiet")).await.unwrap();
        assert!(silent(&wake_ups).await, "{wake_ups:?}");
    });
}

/// Many commits at once ring far less often than they are, and the last one is heard.
#[test]
fn commits_that_come_together_ring_together() {
    on_runtime(async {
        let world = World::with(patient().waking()).await;
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options(&world.database));
        let mut listener = PgListener::connect_with(&pool).await.unwrap();
        listener.listen("commerce_events").await.unwrap();
        let commits: Vec<_> = (0..400)
            .map(|number| {
                let store = world.store.clone();
                tokio::spawn(async move { store.commit(appended(&format!("s{number}"))).await.unwrap() })
            })
            .collect();
        for commit in commits {
            commit.await.unwrap();
        }
        let mut rung = 0;
        while timeout(Duration::from_millis(500), listener.recv()).await.is_ok() {
            rung += 1;
        }
        println!("400 commits, {rung} notifications");
        assert!((1..=200).contains(&rung), "{rung}");
    });
}

#[test]
fn a_listener_that_lost_its_connection_hears_again() {
    on_runtime(async {
        let world = World::with(patient().waking()).await;
        let wake_ups = world.other().waking(platform().sleeper).await.unwrap();
        let mut host = server::connection(&world.database).await;
        let kill = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
                    where datname = current_database() and query ilike 'listen%'";
        let killed: i64 = query_scalar(kill).fetch_one(&mut host).await.unwrap();
        assert_eq!(killed, 1);
        let heard = wake_ups.heard();
        for number in 0..200 {
            world.store.commit(appended(&format!("s{number}"))).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
            if wake_ups.heard() > heard {
                break;
            }
        }
        assert!(wake_ups.heard() > heard);
        assert!(woken(&wake_ups).await);
    });
}

#[test]
fn nothing_rings_unless_it_is_asked_for() {
    on_runtime(async {
        assert!(!Settings::default().wake_up);
        let world = World::new().await;
        let wake_ups = world.other().waking(Arc::clone(&platform().sleeper)).await.unwrap();
        world.store.commit(appended("a")).await.unwrap();
        assert!(silent(&wake_ups).await);
    });
}
