//! Signals as counters, gauges and histograms of [metrics](https://docs.rs/metrics).

use ::metrics::{Unit, counter, gauge, histogram};

use super::Observer;
use super::signal::{Behind, Signal};
use crate::kernel::stream::Slice;

/// What kind of number a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// The last value.
    Gauge,
    /// The spread of values.
    Histogram,
}

/// A metric that [`MetricsObserver`] keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What kind of number it is.
    pub kind: MetricKind,
    /// Its unit: `seconds` or `count`.
    pub unit: &'static str,
    /// Its labels: names from the program, words from enums. Never an id.
    pub labels: &'static [&'static str],
    /// What it says.
    pub says: &'static str,
}

const fn metric(
    name: &'static str,
    kind: MetricKind,
    unit: &'static str,
    labels: &'static [&'static str],
    says: &'static str,
) -> Metric {
    Metric { name, kind, unit, labels, says }
}

/// Every metric: what dashboards and alerts are made of. The two to alert on first are
/// `commerce_sagas_parked_total` and `commerce_lag_age_seconds`.
pub const METRICS: &[Metric] = &[
    metric(COMMANDS, MetricKind::Counter, "count", &["aggregate", "command", "outcome"], "commands handled"),
    metric(
        COMMAND_TIME,
        MetricKind::Histogram,
        "seconds",
        &["aggregate", "command"],
        "how long commands take",
    ),
    metric(ATTEMPTS, MetricKind::Histogram, "count", &["aggregate"], "decisions per command"),
    metric(CONFLICTS, MetricKind::Counter, "count", &["aggregate"], "decisions that met a newer version"),
    metric(COALESCED, MetricKind::Histogram, "count", &[], "commits that shared a call"),
    metric(LAG_EVENTS, MetricKind::Gauge, "count", &["runner", "reader", "slice"], "events left to follow"),
    metric(
        LAG_AGE,
        MetricKind::Gauge,
        "seconds",
        &["runner", "reader", "slice"],
        "age of what was followed last",
    ),
    metric(STEPS, MetricKind::Counter, "count", &["saga", "step", "outcome"], "steps of sagas"),
    metric(PARKED, MetricKind::Counter, "count", &["saga", "step"], "sagas that wait for people"),
    metric(QUARANTINED, MetricKind::Counter, "count", &["gateway", "reason"], "callbacks not accepted"),
    metric(CIRCUITS, MetricKind::Counter, "count", &["port", "circuit"], "changes of circuits"),
    metric(
        CALLS,
        MetricKind::Counter,
        "count",
        &["port", "operation", "outcome", "effect"],
        "calls of ports",
    ),
    metric(CALL_TIME, MetricKind::Histogram, "seconds", &["port", "operation"], "how long calls take"),
    metric(
        CACHE,
        MetricKind::Counter,
        "count",
        &["service", "entity", "outcome"],
        "values read through caches",
    ),
    metric(DEAD, MetricKind::Counter, "count", &["reader"], "messages put aside"),
];

const COMMANDS: &str = "commerce_commands_total";
const COMMAND_TIME: &str = "commerce_command_seconds";
const ATTEMPTS: &str = "commerce_command_attempts";
const CONFLICTS: &str = "commerce_commit_conflicts_total";
const COALESCED: &str = "commerce_commits_per_call";
const LAG_EVENTS: &str = "commerce_lag_events";
const LAG_AGE: &str = "commerce_lag_age_seconds";
const STEPS: &str = "commerce_saga_steps_total";
const PARKED: &str = "commerce_sagas_parked_total";
const QUARANTINED: &str = "commerce_callbacks_quarantined_total";
const CIRCUITS: &str = "commerce_circuit_changes_total";
const CALLS: &str = "commerce_port_calls_total";
const CALL_TIME: &str = "commerce_port_call_seconds";
const CACHE: &str = "commerce_cache_reads_total";
const DEAD: &str = "commerce_dead_letters_total";

/// Keeps the metrics of [`METRICS`] in the recorder that the host has installed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MetricsObserver;

impl MetricsObserver {
    /// Tells the recorder that is installed what every metric says, and gives the observer.
    pub fn described() -> Self {
        for Metric { name, kind, unit, says, .. } in METRICS {
            let unit = if *unit == "seconds" { Unit::Seconds } else { Unit::Count };
            match kind {
                MetricKind::Counter => ::metrics::describe_counter!(*name, unit, *says),
                MetricKind::Gauge => ::metrics::describe_gauge!(*name, unit, *says),
                MetricKind::Histogram => ::metrics::describe_histogram!(*name, unit, *says),
            }
        }
        Self
    }
}

fn lag(runner: &'static str, reader: &str, slice: Slice, behind: Behind) {
    let (reader, slice) = (reader.to_owned(), slice.to_string());
    if let Some(events) = behind.events {
        let events = u32::try_from(events).unwrap_or(u32::MAX);
        gauge!(LAG_EVENTS, "runner" => runner, "reader" => reader.clone(), "slice" => slice.clone())
            .set(events);
    }
    if let Some(age) = behind.age {
        gauge!(LAG_AGE, "runner" => runner, "reader" => reader, "slice" => slice).set(age);
    }
}

impl Observer for MetricsObserver {
    fn observe(&self, signal: &Signal<'_>) {
        match *signal {
            Signal::CommandHandled { aggregate, command, outcome, attempts, duration, .. } => {
                let outcome = outcome.as_str();
                counter!(COMMANDS, "aggregate" => aggregate, "command" => command, "outcome" => outcome)
                    .increment(1);
                histogram!(COMMAND_TIME, "aggregate" => aggregate, "command" => command).record(duration);
                if attempts > 0 {
                    histogram!(ATTEMPTS, "aggregate" => aggregate).record(attempts);
                }
            }
            Signal::CommitConflicted { aggregate, .. } => {
                counter!(CONFLICTS, "aggregate" => aggregate.to_owned()).increment(1);
            }
            Signal::CommitCoalesced { commits } => histogram!(COALESCED).record(commits),
            Signal::RelayLag { reader, slice, behind, .. } => lag("relay", reader, slice, behind),
            Signal::ConsumerLag { reader, slice, behind, .. } => lag("consumer", reader, slice, behind),
            Signal::ProjectionLag { view, slice, behind, .. } => lag("projector", view, slice, behind),
            Signal::SagaStep { saga, step, outcome, .. } => {
                let outcome = outcome.as_str();
                counter!(STEPS, "saga" => saga, "step" => step, "outcome" => outcome).increment(1);
            }
            Signal::SagaParked { saga, step, .. } => {
                counter!(PARKED, "saga" => saga, "step" => step).increment(1);
            }
            Signal::CallbackQuarantined { gateway, reason, .. } => {
                counter!(QUARANTINED, "gateway" => gateway.to_owned(), "reason" => reason).increment(1);
            }
            Signal::CircuitChanged { port, circuit } => {
                counter!(CIRCUITS, "port" => port, "circuit" => circuit.as_str()).increment(1);
            }
            Signal::PortCall { port, operation, outcome, duration } => {
                let (effect, outcome) = (outcome.effect(), outcome.as_str());
                counter!(
                    CALLS,
                    "port" => port, "operation" => operation, "outcome" => outcome, "effect" => effect
                )
                .increment(1);
                histogram!(CALL_TIME, "port" => port, "operation" => operation).record(duration);
            }
            Signal::CacheRead { service, entity, outcome } => {
                let (service, entity, outcome) = (service.to_owned(), entity.to_owned(), outcome.as_str());
                counter!(CACHE, "service" => service, "entity" => entity, "outcome" => outcome).increment(1);
            }
            // Names of events may come from outside: they are no label.
            Signal::DeadLetter { reader, .. } => {
                counter!(DEAD, "reader" => reader.to_owned()).increment(1);
            }
        }
    }
}
