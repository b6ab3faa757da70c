//! What core writes into traces and metrics: everything that is documented, and nothing about people.
#![allow(clippy::unwrap_used)] // a failing step is a failing test

mod counted;
mod traced;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use commerce_core::port::observer::{
    METRICS, MetricKind, MetricsObserver, Observer, Signal, TARGET, TracingObserver,
};
use commerce_tests::watched::{PERSONAL, REQUEST, everything, redirected};
use counted::Counts;
use pollster::block_on;
use traced::{Book, Kind, Record};

/// Raised by the PostgreSQL adapter only.
const ELSEWHERE: [&str; 1] = ["commit_coalesced"];

/// Whoever registers a place that traces asks the subscribers that are there: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn traced() -> Vec<Record> {
    let _alone = alone();
    let book = Book::default();
    let observer: Arc<dyn Observer> = Arc::new(TracingObserver);
    tracing::subscriber::with_default(book.clone(), || block_on(everything(&observer)));
    book.records()
}

#[test]
fn every_signal_is_an_event_and_every_span_is_there() {
    let records = traced();
    assert!(records.iter().all(|record| record.target == TARGET));
    let events = records.iter().filter_map(|record| record.fields.get("signal").map(String::as_str));
    let events: BTreeSet<&str> = events.chain(ELSEWHERE).collect();
    assert_eq!(events, Signal::NAMES.iter().copied().collect());
    let mut spans: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for record in records.iter().filter(|record| record.kind == Kind::Span) {
        spans.entry(record.name).or_default().extend(record.fields.keys().copied());
    }
    let expected: [(&str, &[&str]); 6] = [
        ("checkout", &["cart", "causation", "correlation"]),
        ("command", &["aggregate", "causation", "command", "correlation", "id"]),
        ("message", &["correlation", "event", "name", "reader"]),
        ("round", &["reader", "runner", "slice"]),
        ("saga", &["correlation", "id", "saga"]),
        ("timer", &["aggregate", "id"]),
    ];
    let expected = expected.map(|(name, fields)| (name, fields.iter().copied().collect()));
    assert_eq!(spans, BTreeMap::from(expected));
}

#[test]
fn no_span_and_no_event_says_anything_about_people() {
    for record in traced() {
        let text = format!("{record:?}");
        for personal in PERSONAL {
            assert!(!text.contains(personal), "{personal} in {text}");
        }
    }
}

#[test]
fn the_id_of_a_request_is_on_its_spans_and_on_those_of_what_follows() {
    let _alone = alone();
    let book = Book::default();
    let observer: Arc<dyn Observer> = Arc::new(TracingObserver);
    tracing::subscriber::with_default(book.clone(), || block_on(redirected(&observer)));
    let records = book.records();
    let request = REQUEST.to_string();
    let bears = |record: &Record| record.fields.get("correlation") == Some(&request);
    let within = |record: &Record, name: &str| book.path(record).iter().any(|span| span.name == name);
    // The request itself, and the call of the gateway that it makes.
    assert!(records.iter().any(|record| record.name == "checkout" && bears(record)));
    let call = |operation: &str, span: &str| {
        let calls =
            records.iter().filter(|record| record.fields.get("operation").is_some_and(|o| o == operation));
        calls.filter(|record| within(record, span)).cloned().collect::<Vec<Record>>()
    };
    assert_eq!(call("authorize", "checkout").len(), 1);
    // A timer looks at the gateway, and gives the buyer up.
    let later = call("lookup", "timer");
    assert!(!later.is_empty());
    for record in later.iter().chain(&call("authorize", "checkout")) {
        assert!(book.path(record).iter().any(bears), "{record:?}");
    }
    let undone = records.iter().filter(|record| record.fields.get("outcome").is_some_and(|o| o == "undone"));
    let undone: Vec<_> = undone.collect();
    assert!(!undone.is_empty());
    for record in undone {
        assert!(within(record, "timer") && bears(record), "{record:?}");
    }
}

#[test]
fn metrics_are_those_of_the_table_and_say_nothing_about_people() {
    let _alone = alone();
    let counts = Counts::default();
    let described = metrics::with_local_recorder(&counts, || {
        let observer = MetricsObserver::described();
        let shared: Arc<dyn Observer> = Arc::new(observer);
        block_on(everything(&shared));
        observer.observe(&Signal::CommitCoalesced { commits: 2 });
        counts.described()
    });
    assert_eq!(described, METRICS.iter().map(|metric| metric.name.to_owned()).collect());
    let kept = counts.kept();
    let seen: BTreeSet<&str> = kept.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(seen, METRICS.iter().map(|metric| metric.name).collect());
    for metric in kept {
        let known = METRICS.iter().find(|known| known.name == metric.name).unwrap();
        assert_eq!(metric.kind, known.kind, "{metric:?}");
        assert_eq!(metric.labels.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), known.labels);
        assert!(metric.kind == MetricKind::Gauge || metric.times > 0, "{metric:?}");
        let text = format!("{metric:?}");
        for personal in PERSONAL {
            assert!(!text.contains(personal), "{personal} in {text}");
        }
        for (_, value) in &metric.labels {
            assert!(uuid::Uuid::try_parse(value).is_err() && value.len() < 40, "an id as a label: {text}");
        }
    }
}
