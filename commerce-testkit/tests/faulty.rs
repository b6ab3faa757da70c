//! Every kind of fault at every port, one by one, against a port that works.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

use std::future::Future;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use commerce_adapters_memory::MemoryStore;
use commerce_core::kernel::commit::{Commit, Receipt};
use commerce_core::kernel::error::{CommitError, Effect};
use commerce_core::kernel::stream::Position;
use commerce_core::port::clock::{Clock as _, Sleeper as _};
use commerce_core::port::ids::Ids as _;
use commerce_core::port::lease::Lease;
use commerce_core::port::payment::{Authorize, GatewayError, IdempotencyKey, PaymentGateway};
use commerce_core::port::store::{DueQuery, LogQuery, Store, Table};
use commerce_core::port::{clock, ids};
use commerce_core::value::id::{Id, OrderId};
use commerce_core::value::{Currency, Money};
use commerce_testkit::build::{append, stream};
use commerce_testkit::fake::{Clock, Gateway, Ids, START, Sleeper};
use commerce_testkit::faulty::{Fault, Faults, Faulty, Port, Rates, Script, Tally, until_it_dies};
use pollster::block_on;
use uuid::Uuid;

fn nth(port: Port, operation: &'static str, fault: Fault) -> Faults {
    Faults::scripted(Script::default().nth(port, operation, 1, fault))
}

fn store(faults: &Faults) -> (Faulty<dyn Store>, Clock) {
    let clock = Clock::default();
    let inner: Arc<dyn Store> = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    (Faulty::on(inner, faults.clone()), clock)
}

fn one(name: &str) -> Commit {
    Commit { append: vec![append(&stream(name), 0, 1)], ..Commit::default() }
}

fn events(store: &Faulty<dyn Store>) -> usize {
    block_on(store.inner().read_all(LogQuery::after(Position::START, 100))).unwrap().events.len()
}

/// What the caller of a commit hears.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Heard {
    Done,
    Failed(Effect),
    Nothing,
}

fn heard(answer: Result<Receipt, CommitError>) -> Heard {
    match answer {
        Ok(_) => Heard::Done,
        Err(CommitError::Port(error)) => Heard::Failed(error.effect),
        Err(other) => panic!("{other:?}"),
    }
}

/// What comes of one commit, how many events there are then, and how many faults were counted.
fn committed(fault: Fault) -> (Heard, usize, u64) {
    let faults = nth(Port::Store, "commit", fault);
    let (store, _) = store(&faults);
    let answer = block_on(until_it_dies(&faults, store.commit(one("a")))).map_or(Heard::Nothing, heard);
    (answer, events(&store), faults.tally().of(Port::Store, fault))
}

#[test]
fn a_commit_goes_wrong_in_every_way() {
    assert_eq!(committed(Fault::FailBefore), (Heard::Failed(Effect::None), 0, 1));
    assert_eq!(committed(Fault::FailAfter), (Heard::Failed(Effect::Unknown), 1, 1));
    assert_eq!(committed(Fault::Late), (Heard::Failed(Effect::Unknown), 0, 1));
    assert_eq!(committed(Fault::Delay), (Heard::Done, 1, 1));
    // The second one is refused: it has its effect once.
    assert_eq!(committed(Fault::Duplicate), (Heard::Done, 1, 1));
    assert_eq!(committed(Fault::Reorder), (Heard::Done, 1, 1));
    assert_eq!(committed(Fault::DieBefore), (Heard::Nothing, 0, 1));
    assert_eq!(committed(Fault::DieAfter), (Heard::Nothing, 1, 1));
}

#[test]
fn a_late_commit_arrives_behind_the_next_one() {
    let faults = nth(Port::Store, "commit", Fault::Late);
    let (store, _) = store(&faults);
    assert_eq!(heard(block_on(store.commit(one("late")))), Heard::Failed(Effect::Unknown));
    assert_eq!(heard(block_on(store.commit(one("next")))), Heard::Done);
    let log = block_on(store.read_all(LogQuery::after(Position::START, 10))).unwrap().events;
    let order: Vec<_> = log.iter().map(|event| event.stream.clone()).collect();
    assert_eq!(order, [stream("next"), stream("late")]);
}

#[test]
fn a_late_commit_is_stale_where_its_caller_submitted_it_again() {
    let faults = nth(Port::Store, "commit", Fault::Late);
    let (store, _) = store(&faults);
    assert_eq!(heard(block_on(store.commit(one("a")))), Heard::Failed(Effect::Unknown));
    assert_eq!(heard(block_on(store.commit(one("a")))), Heard::Done);
    assert_eq!(events(&store), 1);
}

#[test]
fn a_held_back_commit_lets_another_pass() {
    let faults = nth(Port::Store, "commit", Fault::Reorder);
    let (store, _) = store(&faults);
    let (first, second) = (store.clone(), store.clone());
    block_on(async {
        let first = first.commit(one("first"));
        let second = second.commit(one("second"));
        let (first, second) = both(first, second).await;
        assert_eq!((heard(first), heard(second)), (Heard::Done, Heard::Done));
    });
    let log = block_on(store.read_all(LogQuery::after(Position::START, 10))).unwrap().events;
    assert_eq!(log[0].stream, stream("second"));
    assert_eq!(log[1].stream, stream("first"));
}

async fn both<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (std::pin::pin!(a), std::pin::pin!(b));
    let (mut first, mut second) = (None, None);
    std::future::poll_fn(|context| {
        if first.is_none() {
            first = ready(a.as_mut().poll(context));
        }
        if second.is_none() {
            second = ready(b.as_mut().poll(context));
        }
        match (first.take(), second.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (first, second) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}

fn ready<T>(poll: Poll<T>) -> Option<T> {
    match poll {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[test]
fn a_delay_passes_by_the_clock() {
    let clock = Clock::default();
    let sleeper = Sleeper::jumping(clock.clone());
    let faults = nth(Port::Store, "load", Fault::Delay).with_time(Arc::new(clock.clone()), Arc::new(sleeper));
    let (store, _) = store(&faults);
    block_on(store.load(commerce_core::kernel::commit::Load::default())).unwrap();
    assert_eq!(clock.now(), START.plus(Duration::from_secs(10)));
}

#[test]
fn reads_fail_too() {
    let faults = Faults::scripted(
        Script::default()
            .nth(Port::Store, "read_all", 1, Fault::FailBefore)
            .nth(Port::Store, "scan", 1, Fault::FailAfter)
            .nth(Port::Store, "read_stream", 1, Fault::Late)
            .nth(Port::Store, "due", 1, Fault::Duplicate),
    );
    let (store, _) = store(&faults);
    block_on(async {
        assert_eq!(
            store.read_all(LogQuery::after(Position::START, 1)).await.unwrap_err().effect,
            Effect::None
        );
        assert_eq!(store.scan(Table::Keys, None, 1).await.unwrap_err().effect, Effect::Unknown);
        let late = store.read_stream(&stream("a"), commerce_core::kernel::stream::Version::NONE, 1).await;
        assert_eq!(late.unwrap_err().effect, Effect::Unknown);
        let query = DueQuery { kinds: Vec::new(), limit: 1, lease: Duration::from_secs(1) };
        store.due(query).await.unwrap();
        // Each entry counts once.
        store.read_all(LogQuery::after(Position::START, 1)).await.unwrap();
    });
    assert_eq!((faults.tally().total(), faults.calls()), (4, 5));
}

fn charge() -> Authorize {
    Authorize {
        key: IdempotencyKey("saga:authorise".into()),
        payment: Id::derived(Uuid::nil(), b"payment"),
        order: order(),
        amount: Money::from_minor(100, Currency::EUR),
        capture: true,
        method: "card".into(),
    }
}

fn order() -> OrderId {
    Id::derived(Uuid::nil(), b"order")
}

#[test]
fn a_gateway_charges_once_whatever_goes_wrong() {
    for fault in Port::Gateway.faults() {
        let faults = nth(Port::Gateway, "authorize", *fault);
        let fake = Gateway::capturing();
        let inner: Arc<dyn PaymentGateway> = Arc::new(fake.clone());
        let gateway: Faulty<dyn PaymentGateway> = Faulty::on(inner, faults.clone());
        let answer = block_on(until_it_dies(&faults, gateway.authorize(charge())));
        let expected = match fault {
            Fault::FailBefore => (Some(false), 0),
            Fault::FailAfter => (Some(false), 100),
            Fault::DieBefore => (None, 0),
            Fault::DieAfter => (None, 100),
            _ => (Some(true), 100),
        };
        if let Some(Err(error)) = &answer {
            assert!(matches!(error, GatewayError::Port(_)), "{error:?}");
        }
        let came = answer.map(|answer| answer.is_ok());
        assert_eq!((came, fake.ledger().kept(order())), expected, "{fault}");
        let calls = if *fault == Fault::Duplicate { 2 } else { u64::from(*fault != Fault::DieBefore) };
        assert_eq!(fake.calls(), if *fault == Fault::FailBefore { 0 } else { calls });
    }
}

#[test]
fn a_granted_lease_whose_answer_is_lost_ends_by_itself() {
    let faults = nth(Port::Lease, "acquire", Fault::FailAfter);
    let clock = Clock::default();
    let inner: Arc<dyn Lease> = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    let lease: Faulty<dyn Lease> = Faulty::on(inner, faults);
    let span = Duration::from_secs(10);
    block_on(async {
        assert_eq!(lease.acquire("leader", span).await.unwrap_err().effect, Effect::Unknown);
        assert_eq!(lease.acquire("leader", span).await.unwrap(), None);
        clock.advance(span);
        let granted = lease.acquire("leader", span).await.unwrap().unwrap();
        assert!(lease.renew(&granted.fence, span).await.unwrap().is_some());
        lease.release(&granted.fence).await.unwrap();
        assert!(lease.acquire("leader", span).await.unwrap().is_some());
    });
}

#[test]
fn clocks_lag_and_repeat_but_never_run_ahead() {
    let clock = Clock::default();
    let inner: Arc<dyn clock::Clock> = Arc::new(clock.clone());
    let faults = Faults::seeded(1, Rates::default().at(Port::Clock, 200));
    let faulty: Faulty<dyn clock::Clock> = Faulty::on(inner, faults.clone());
    let mut went_back = false;
    let mut last = START;
    for _ in 0..200 {
        clock.advance(Duration::from_millis(5));
        let shown = clock::Clock::now(&faulty);
        assert!(shown <= clock.now());
        went_back |= shown < last;
        last = shown;
    }
    assert!(went_back);
    assert_eq!(faults.tally().gaps().iter().filter(|(port, _)| *port == Port::Clock).count(), 0);
}

#[test]
fn sleepers_wake_early_and_late() {
    let clock = Clock::default();
    let inner: Arc<dyn clock::Sleeper> = Arc::new(Sleeper::jumping(clock.clone()));
    let script = Script::default()
        .nth(Port::Sleeper, "sleep_until", 1, Fault::FailBefore)
        .nth(Port::Sleeper, "sleep_until", 2, Fault::Delay)
        .nth(Port::Sleeper, "sleep_until", 3, Fault::DieBefore);
    let faults = Faults::scripted(script);
    let sleeper: Faulty<dyn clock::Sleeper> = Faulty::on(inner, faults.clone());
    let later = START.plus(Duration::from_secs(5));
    block_on(sleeper.sleep_until(later));
    assert_eq!(clock.now(), START);
    block_on(sleeper.sleep_until(later));
    assert!(clock.now() > later);
    assert_eq!(block_on(until_it_dies(&faults, sleeper.sleep_until(later))), None);
    // The next process lives, under the same plan.
    assert!(faults.is_dead() && !faults.next_process().is_dead());
}

#[test]
fn identifiers_come_out_of_order_but_never_twice() {
    let inner: Arc<dyn ids::Ids> = Arc::new(Ids::seeded(1));
    let faults = Faults::seeded(1, Rates::default().at(Port::Ids, 200));
    let faulty: Faulty<dyn ids::Ids> = Faulty::on(inner, faults);
    let given: Vec<_> = (0..500).map(|_| faulty.next(START)).collect();
    assert!(!given.is_sorted());
    let distinct: std::collections::BTreeSet<_> = given.iter().collect();
    assert_eq!(distinct.len(), given.len());
}

/// What a seed does to many commits.
fn run(seed: u64) -> (Vec<String>, Tally) {
    let faults = Faults::seeded(seed, Rates::everywhere(30));
    let (store, _) = store(&faults);
    let outcomes = (0..400).map(|number| {
        let process = faults.next_process();
        let store: Faulty<dyn Store> = Faulty::on(store.inner().clone(), process.clone());
        format!("{:?}", block_on(until_it_dies(&process, store.commit(one(&number.to_string())))))
    });
    (outcomes.collect(), faults.tally())
}

#[test]
fn equal_seeds_fail_equally() {
    assert_eq!(run(7), run(7));
    assert_ne!(run(7).0, run(8).0);
    let (_, tally) = run(7);
    assert!(tally.gaps().iter().all(|(port, _)| *port != Port::Store), "{tally}");
    assert!((50..150).contains(&tally.total()), "{tally}");
    let mut sum = tally.clone();
    sum.merge(&tally);
    assert_eq!(sum.total(), 2 * tally.total());
    let table = sum.to_string();
    assert_eq!(table.lines().count(), 1 + Port::ALL.len());
    assert!(table.lines().nth(2).unwrap().starts_with("gateway"));
}

#[test]
fn faults_stop() {
    let faults = Faults::seeded(1, Rates::everywhere(100));
    faults.stop();
    let (store, _) = store(&faults);
    for number in 0..50 {
        block_on(store.commit(one(&number.to_string()))).unwrap();
    }
    assert_eq!(faults.tally().total(), 0);
}
