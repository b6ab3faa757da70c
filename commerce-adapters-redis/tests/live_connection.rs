//! What happens to those who follow when their way to the server, or the server, is lost.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod news;
mod post;
mod server;

use std::time::Duration;

use commerce_adapters_redis::redis;
use commerce_adapters_redis::{LiveChannel, LiveEvent, LiveId};
use commerce_core::kernel::error::PortErrorKind;
use commerce_core::port::publisher::Publisher;
use commerce_tests::server::Redis;
use news::{level, numbers, push, push_and_follow, quiet, versions};
use post::{client, sleep};
use server::{fresh, on_runtime};
use tokio::time::timeout;

/// Ends every connection that has subscribed to something; says how many.
async fn cut(url: &str) -> usize {
    let mut kill = redis::cmd("CLIENT");
    kill.arg("KILL").arg("TYPE").arg("pubsub").query_async(&mut client(url).await).await.unwrap()
}

/// A connection that was cut is made anew, and what was pushed meanwhile comes, once.
#[test]
fn a_cut_connection_is_made_anew() {
    on_runtime(async {
        let server = Redis::start(&[]);
        let (push, updates) = push_and_follow(&server.url(), fresh()).await;
        let mut follower = updates.follow(LiveChannel::ALL, None).await.unwrap();
        let mut seen = Vec::new();
        for round in 0..10 {
            self::push(&push, round * 10..round * 10 + 4).await;
            if round % 2 == 0 {
                seen.extend(versions(&mut follower, 2).await);
            }
            assert_eq!(cut(&server.url()).await, 1);
            self::push(&push, round * 10 + 4..round * 10 + 10).await;
            let rest = (round + 1) * 10 - seen.len();
            seen.extend(versions(&mut follower, rest).await);
        }
        assert_eq!(seen, numbers(0..100));
        quiet(&mut follower).await;
    });
}

/// One that waits notices too.
#[test]
fn a_follower_that_waits_survives_a_cut() {
    on_runtime(async {
        let server = Redis::start(&[]);
        let (push, updates) = push_and_follow(&server.url(), fresh()).await;
        let mut follower = updates.follow(LiveChannel::ALL, None).await.unwrap();
        let waiting = tokio::spawn(async move { versions(&mut follower, 3).await });
        sleep(50).await;
        assert_eq!(cut(&server.url()).await, 1);
        self::push(&push, 0..3).await;
        assert_eq!(waiting.await.unwrap(), numbers(0..3));
    });
}

/// Followers are cut all the time while others push: nobody misses or repeats anything.
#[test]
fn cuts_while_updates_are_pushed_make_no_gap_and_no_repetition() {
    on_runtime(async {
        let server = Redis::start(&[]);
        let (push, updates) = push_and_follow(&server.url(), fresh()).await;
        let followers = [(); 2].map(|()| updates.clone()).map(|updates| async move {
            let mut follower = updates.follow(LiveChannel::ALL, Some(LiveId::START)).await.unwrap();
            versions(&mut follower, 3_000).await
        });
        let followers = followers.map(|follower| tokio::spawn(follower));
        for from in (0..3_000).step_by(20) {
            self::push(&push, from..from + 20).await;
            if from % 100 == 0 {
                cut(&server.url()).await;
            }
        }
        for follower in followers {
            assert_eq!(follower.await.unwrap(), numbers(0..3_000));
        }
    });
}

/// A server that comes back with what it kept goes on where it was.
#[test]
fn a_server_that_starts_again_loses_nothing() {
    on_runtime(async {
        let always = ["--appendfsync", "always"];
        let mut server = Redis::start(&always);
        let (push, updates) = push_and_follow(&server.url(), fresh()).await;
        let mut follower = updates.follow(LiveChannel::ALL, None).await.unwrap();
        self::push(&push, 0..5).await;
        assert_eq!(versions(&mut follower, 3).await, numbers(0..3));
        let waiting = tokio::spawn(async move {
            let rest = versions(&mut follower, 4).await;
            (rest, follower)
        });
        sleep(50).await;
        server.kill();
        sleep(300).await;
        server.restart(&always);
        // The connection of who pushes is lost too; a relay hands over again.
        while push.publish(vec![level(5)]).await.is_err() {}
        self::push(&push, 6..7).await;
        let (rest, mut follower) = waiting.await.unwrap();
        assert_eq!(rest, numbers(3..7));
        quiet(&mut follower).await;
    });
}

/// A server that comes back with nothing says that something is missed.
#[test]
fn a_server_that_lost_everything_is_a_gap() {
    on_runtime(async {
        let forgetful = ["--appendonly", "no"];
        let mut server = Redis::start(&forgetful);
        let (push, updates) = push_and_follow(&server.url(), fresh()).await;
        let mut follower = updates.follow(LiveChannel::ALL, None).await.unwrap();
        self::push(&push, 0..2).await;
        assert_eq!(versions(&mut follower, 2).await, numbers(0..2));
        let last = follower.last_event_id();
        server.kill();
        server.restart(&forgetful);
        assert_eq!(follower.next().await.unwrap(), LiveEvent::Missed { after: last });
        while push.publish(vec![level(2)]).await.is_err() {}
        assert_eq!(versions(&mut follower, 1).await, [2]);
    });
}

/// Where the server stays away that is said in time, and the next call goes on.
#[test]
fn a_server_that_stays_away_is_told_in_time() {
    on_runtime(async {
        let mut server = Redis::start(&[]);
        let mut settings = fresh();
        settings.answer_timeout = Duration::from_millis(300);
        let (push, updates) = push_and_follow(&server.url(), settings).await;
        let mut follower = updates.follow(LiveChannel::ALL, None).await.unwrap();
        self::push(&push, 0..1).await;
        assert_eq!(versions(&mut follower, 1).await, [0]);
        server.kill();
        let error = timeout(Duration::from_secs(5), follower.next()).await.unwrap().unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Unavailable);
        server.restart(&[]);
        while push.publish(vec![level(1)]).await.is_err() {}
        // What was not yet written when it was killed may be lost, which is told.
        loop {
            match follower.next().await.unwrap() {
                LiveEvent::Update(update) => {
                    assert_eq!(update.version, 1);
                    break;
                }
                other => assert!(matches!(other, LiveEvent::Missed { .. })),
            }
        }
    });
}

/// A connection over which nothing comes any more is found out by asking.
#[test]
fn a_silent_connection_is_asked() {
    on_runtime(async {
        let server = Redis::start(&[]);
        let mut settings = fresh();
        settings.answer_timeout = Duration::from_millis(300);
        let (push, updates) = push_and_follow(&server.url(), settings).await;
        let updates = updates.checked_after(Duration::from_millis(50));
        let mut follower = updates.follow(LiveChannel::ALL, None).await.unwrap();
        let given_up = timeout(Duration::from_millis(400), follower.next()).await;
        assert!(given_up.is_err());
        let mut direct = client(&server.url()).await;
        redis::cmd("CLIENT").arg("PAUSE").arg(1_500).query_async::<()>(&mut direct).await.unwrap();
        let error = timeout(Duration::from_secs(1), follower.next()).await.unwrap().unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Timeout);
        sleep(1_500).await;
        self::push(&push, 0..2).await;
        assert_eq!(versions(&mut follower, 2).await, numbers(0..2));
    });
}
