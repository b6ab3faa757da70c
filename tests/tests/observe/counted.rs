//! A recorder that keeps the names and labels of all metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use commerce_core::port::observer::MetricKind;
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

/// A metric with these labels.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) name: String,
    pub(crate) kind: MetricKind,
    pub(crate) labels: Vec<(String, String)>,
    /// How often it was counted or recorded.
    pub(crate) times: u64,
}

#[derive(Debug, Default)]
struct Inner {
    described: BTreeSet<String>,
    kept: BTreeMap<String, Kept>,
}

/// All that was recorded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts(Arc<Mutex<Inner>>);

impl Counts {
    pub(crate) fn described(&self) -> BTreeSet<String> {
        self.0.lock().unwrap().described.clone()
    }

    pub(crate) fn kept(&self) -> Vec<Kept> {
        self.0.lock().unwrap().kept.values().cloned().collect()
    }

    fn describe(&self, key: &KeyName) {
        self.0.lock().unwrap().described.insert(key.as_str().to_owned());
    }

    fn register(&self, kind: MetricKind, key: &Key) -> Arc<Handle> {
        let labels = key.labels().map(|label| (label.key().to_owned(), label.value().to_owned())).collect();
        let (id, name) = (key.to_string(), key.name().to_owned());
        self.0.lock().unwrap().kept.entry(id.clone()).or_insert(Kept { name, kind, labels, times: 0 });
        Arc::new(Handle { counts: self.clone(), id })
    }
}

struct Handle {
    counts: Counts,
    id: String,
}

impl Handle {
    fn count(&self) {
        self.counts.0.lock().unwrap().kept.get_mut(&self.id).unwrap().times += 1;
    }
}

impl CounterFn for Handle {
    fn increment(&self, _: u64) {
        self.count();
    }

    fn absolute(&self, _: u64) {}
}

impl GaugeFn for Handle {
    fn increment(&self, _: f64) {}

    fn decrement(&self, _: f64) {}

    fn set(&self, _: f64) {
        self.count();
    }
}

impl HistogramFn for Handle {
    fn record(&self, value: f64) {
        assert!(value >= 0.0);
        self.count();
    }
}

impl Recorder for Counts {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(&key);
    }

    fn describe_gauge(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(&key);
    }

    fn describe_histogram(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(&key);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.register(MetricKind::Counter, key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.register(MetricKind::Gauge, key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.register(MetricKind::Histogram, key))
    }
}
