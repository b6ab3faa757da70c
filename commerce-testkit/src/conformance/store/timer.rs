//! Timers: set, replaced and cancelled by commits; due by the store's clock.

use std::sync::Arc;
use std::time::Duration;

use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::timer::{TimerKey, TimerWrite};
use commerce_core::port::store::{Due, DueQuery, Row, Table};

use crate::build::{Draft, stream, stream_of};
use crate::conformance::fixture::Fixture;
use crate::conformance::outcome::{Outcome, equal, holds, present};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

fn names(due: &Due) -> Vec<&str> {
    due.timers.iter().map(|timer| &*timer.key.name).collect()
}

pub(crate) async fn timer_is_due_at_its_time(f: &Fixture) -> Outcome {
    let (s, now) = (stream("s"), f.now().await?);
    f.commit(Commit::default().sets(&s, "now", now).sets(&s, "later", now.plus(HOUR))).await?;
    equal("timers that are due", names(&f.due(9, HOUR).await?), vec!["now"])
}

pub(crate) async fn timer_becomes_due_when_time_passes(f: &Fixture) -> Outcome {
    let s = stream("s");
    let soon = f.now().await?.plus(Duration::from_millis(40));
    f.commit(Commit::default().sets(&s, "soon", soon)).await?;
    f.pass(Duration::from_millis(45));
    let due = f.due(9, HOUR).await?;
    equal("timers that became due", names(&due), vec!["soon"])?;
    holds("the time that comes back is the one it was judged by", due.now >= soon)
}

pub(crate) async fn timer_comes_with_due_and_payload(f: &Fixture) -> Outcome {
    let (s, due) = (stream("s"), f.now().await?.minus(SECOND));
    let key = TimerKey::new(s, "expiry");
    let payload: Arc<[u8]> = Arc::from(&b"\0some \xff bytes"[..]);
    let set = TimerWrite::Set { key: key.clone(), due, payload: payload.clone() };
    f.commit(Commit { timers: vec![set], ..Commit::default() }).await?;
    let timer = present("the due timer", f.due(1, HOUR).await?.timers.pop())?;
    equal("the timer", (timer.key, timer.due, timer.payload), (key, due, payload))
}

pub(crate) async fn timer_that_is_set_again_is_replaced(f: &Fixture) -> Outcome {
    let (s, now) = (stream("s"), f.now().await?);
    f.commit(Commit::default().sets(&s, "a", now).sets(&s, "b", now.plus(HOUR))).await?;
    f.commit(Commit::default().sets(&s, "a", now.plus(HOUR)).sets(&s, "b", now)).await?;
    equal("timers that are due after both were set again", names(&f.due(9, HOUR).await?), vec!["b"])?;
    equal("timers that are there", f.rows(Table::Timers).await?.len(), 2)
}

pub(crate) async fn timer_that_is_cancelled_is_gone(f: &Fixture) -> Outcome {
    let (s, now) = (stream("s"), f.now().await?);
    f.commit(Commit::default().sets(&s, "a", now).sets(&s, "b", now)).await?;
    f.commit(Commit::default().cancels(&s, "a").cancels(&s, "was-never-set")).await?;
    f.commit(Commit::default().cancels(&s, "a")).await?;
    equal("timers that are due", names(&f.due(9, HOUR).await?), vec!["b"])
}

pub(crate) async fn timer_last_write_of_a_commit_counts(f: &Fixture) -> Outcome {
    let (s, now) = (stream("s"), f.now().await?);
    let later = now.plus(HOUR);
    let commit = Commit::default()
        .sets(&s, "set-last", later)
        .cancels(&s, "set-last")
        .sets(&s, "set-last", now.minus(SECOND))
        .sets(&s, "cancelled-last", now)
        .cancels(&s, "cancelled-last")
        .sets(&s, "sooner-last", later)
        .sets(&s, "sooner-last", now)
        .sets(&s, "later-last", now)
        .sets(&s, "later-last", later);
    f.commit(commit).await?;
    equal("timers that are due", names(&f.due(9, HOUR).await?), vec!["set-last", "sooner-last"])
}

pub(crate) async fn timer_names_and_streams_are_apart(f: &Fixture) -> Outcome {
    let (a, b, now) = (stream("a"), stream("b"), f.now().await?);
    let commit = Commit::default().sets(&a, "x", now).sets(&b, "x", now).sets(&a, "y", now);
    f.commit(commit).await?;
    f.commit(Commit::default().cancels(&a, "x")).await?;
    let mut keys: Vec<_> = f.due(9, HOUR).await?.timers.into_iter().map(|timer| timer.key).collect();
    keys.sort();
    let mut expected = vec![TimerKey::new(a, "y"), TimerKey::new(b, "x")];
    expected.sort();
    equal("the other timers", keys, expected)
}

pub(crate) async fn timer_earliest_comes_first(f: &Fixture) -> Outcome {
    let (s, now) = (stream("s"), f.now().await?);
    let at = |seconds| now.minus(Duration::from_secs(seconds));
    let commit =
        Commit::default().sets(&s, "third", at(1)).sets(&s, "first", at(9)).sets(&s, "second", at(5));
    f.commit(commit).await?;
    equal("due timers", names(&f.due(9, HOUR).await?), vec!["first", "second", "third"])
}

pub(crate) async fn timer_limit_is_kept(f: &Fixture) -> Outcome {
    let (s, now) = (stream("s"), f.now().await?);
    let at = |seconds| now.minus(Duration::from_secs(seconds));
    let commit = Commit::default().sets(&s, "c", at(1)).sets(&s, "a", at(3)).sets(&s, "b", at(2));
    f.commit(commit).await?;
    equal("the first two", names(&f.due(2, HOUR).await?), vec!["a", "b"])?;
    equal("the rest", names(&f.due(2, HOUR).await?), vec!["c"])
}

pub(crate) async fn timer_kinds_are_kept_apart(f: &Fixture) -> Outcome {
    let now = f.now().await?;
    let set = |kind: &'static str, name| Commit::default().sets(&stream_of(kind, "x"), name, now);
    f.commit(set("order", "of-order")).await?;
    f.commit(set("cart", "of-cart")).await?;
    f.commit(set("payment", "of-payment")).await?;
    let due = |kinds: Vec<&'static str>| {
        f.store().due(DueQuery { kinds: kinds.into_iter().map(Into::into).collect(), limit: 9, lease: HOUR })
    };
    equal("timers of one kind", names(&due(vec!["cart"]).await?), vec!["of-cart"])?;
    equal("timers of an unknown kind", names(&due(vec!["ord"]).await?), Vec::<&str>::new())?;
    let mut both = due(vec!["order", "payment"]).await?;
    both.timers.sort_by(|a, b| a.key.name.cmp(&b.key.name));
    equal("timers of two kinds", names(&both), vec!["of-order", "of-payment"])
}

pub(crate) async fn timer_next_is_the_next_that_was_not_given_out(f: &Fixture) -> Outcome {
    let (s, now) = (stream("s"), f.now().await?);
    equal("the next of no timers", f.due(9, HOUR).await?.next, None)?;
    let (early, soon, late) = (now.minus(SECOND), now.plus(HOUR), now.plus(2 * HOUR));
    f.commit(Commit::default().sets(&s, "late", late).sets(&s, "early", early).sets(&s, "soon", soon))
        .await?;
    let other = stream_of("other", "x");
    f.commit(Commit::default().sets(&other, "other", now.plus(SECOND))).await?;
    let kinds = || vec!["conformance".into()];
    let due = f.store().due(DueQuery { kinds: kinds(), limit: 9, lease: 9 * HOUR }).await?;
    equal(
        "the next behind the one that was given out",
        (names(&due), due.next),
        (vec!["early"], Some(soon)),
    )?;
    let due = f.store().due(DueQuery { kinds: Vec::new(), limit: 9, lease: HOUR }).await?;
    equal("the next of all kinds", due.next, Some(now.plus(SECOND)))
}

pub(crate) async fn timer_next_sees_what_the_limit_cut_off(f: &Fixture) -> Outcome {
    let (s, now) = (stream("s"), f.now().await?);
    let at = |seconds| now.minus(Duration::from_secs(seconds));
    f.commit(Commit::default().sets(&s, "leased", at(8))).await?;
    f.due(1, HOUR).await?;
    let commit = Commit::default().sets(&s, "first", at(9)).sets(&s, "cut-off", at(7));
    f.commit(commit).await?;
    let due = f.due(1, HOUR).await?;
    equal("the one within the limit", names(&due), vec!["first"])?;
    equal("the next, which is due behind one that is leased", due.next, Some(at(7)))
}

pub(crate) async fn timer_stays_until_a_commit_ends_it(f: &Fixture) -> Outcome {
    let (s, now) = (stream("s"), f.now().await?);
    f.commit(Commit::default().sets(&s, "timer", now)).await?;
    let timer = present("the due timer", f.due(1, HOUR).await?.timers.pop())?;
    let row = Row::Timer(TimerKey::new(s.clone(), "timer"), now);
    equal("timers after one was given out", f.rows(Table::Timers).await?, vec![row.clone()])?;
    let lease = Some((timer.key, timer.token));
    f.commit(Commit { lease, ..Commit::default().appends(&s, 0, 1) }).await?;
    equal("timers after a commit that does not write it", f.rows(Table::Timers).await?, vec![row])
}
