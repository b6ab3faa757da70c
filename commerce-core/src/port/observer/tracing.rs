//! Signals as events of [tracing](https://docs.rs/tracing).

use ::tracing::field::{DisplayValue, display};
use ::tracing::{Level, event};
use uuid::Uuid;

use super::signal::{Behind, CacheOutcome, CallOutcome, Circuit, Outcome, Signal};
use super::{Observer, plain_name};
use crate::kernel::error::ErrorClass;

/// The target of every event and span of this library.
pub const TARGET: &str = "commerce";

/// Writes every signal as an event of its own, into the span in which it happens.
///
/// Each bears the field `signal` with the signal's name; ids of requests are `correlation` and `causation`,
/// durations are in microseconds. What is routine is `DEBUG`; what fails is `WARN`; a saga that is parked, and
/// a command that meets a defect, are `ERROR`.
///
/// The feature puts spans around what the library does, whether this observer is there or not:
///
/// | span | level | around | fields |
/// |---|---|---|---|
/// | `command` | `INFO` | a command | `aggregate`, `id`, `command`, `correlation`, `causation` |
/// | `checkout` | `INFO` | `checkout` | `cart`, `correlation`, `causation` |
/// | `saga` | `INFO` | what drives a checkout on, from a request, a callback or a timer | `saga`, `id`, `correlation` |
/// | `timer` | `DEBUG` | a timer that is due | `aggregate`, `id` |
/// | `round` | `DEBUG` | a page of a relay, consumer, receiver or projector | `runner`, `reader`, `slice` |
/// | `message` | `DEBUG` | a message at its consumer | `reader`, `event`, `name`, `correlation`, `causation` |
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TracingObserver;

/// How loudly it is said.
#[derive(Clone, Copy)]
enum Voice {
    Routine,
    Trouble,
    Alarm,
}

macro_rules! say {
    ($voice:expr, $($fields:tt)+) => {
        match $voice {
            Voice::Routine => event!(target: TARGET, Level::DEBUG, $($fields)+),
            Voice::Trouble => event!(target: TARGET, Level::WARN, $($fields)+),
            Voice::Alarm => event!(target: TARGET, Level::ERROR, $($fields)+),
        }
    };
}

fn shown(id: Option<Uuid>) -> Option<DisplayValue<Uuid>> {
    id.map(display)
}

fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

const fn voice_of(outcome: Outcome) -> Voice {
    match outcome {
        Outcome::Failed(ErrorClass::Bug) => Voice::Alarm,
        Outcome::Failed(ErrorClass::Unavailable) => Voice::Trouble,
        _ => Voice::Routine,
    }
}

impl Observer for TracingObserver {
    fn observe(&self, signal: &Signal<'_>) {
        let name = signal.name();
        match *signal {
            Signal::CommandHandled { .. } => command(name, signal),
            Signal::CommitConflicted { trace, aggregate, id, expected, actual } => say!(
                Voice::Routine,
                signal = name,
                aggregate,
                id = %id,
                expected = expected.get(),
                actual = actual.get(),
                correlation = shown(trace.correlation),
                causation = shown(trace.causation)
            ),
            Signal::CommitCoalesced { commits } => say!(Voice::Routine, signal = name, commits),
            Signal::RelayLag { reader, generation, slice, behind }
            | Signal::ConsumerLag { reader, generation, slice, behind }
            | Signal::ProjectionLag { view: reader, generation, slice, behind } => {
                let Behind { events, age } = behind;
                let age_us = age.map(micros);
                say!(Voice::Routine, signal = name, reader, generation, slice = %slice, events, age_us);
            }
            Signal::SagaStep { .. } | Signal::SagaParked { .. } => saga(name, signal),
            Signal::CallbackQuarantined { trace, gateway, reason } => say!(
                Voice::Trouble,
                signal = name,
                gateway,
                reason,
                correlation = shown(trace.correlation),
                causation = shown(trace.causation)
            ),
            Signal::CircuitChanged { port, circuit } => {
                let voice = if circuit == Circuit::Open { Voice::Trouble } else { Voice::Routine };
                say!(voice, signal = name, port, circuit = circuit.as_str());
            }
            Signal::PortCall { port, operation, outcome, duration } => {
                let fine = matches!(outcome, CallOutcome::Answered | CallOutcome::Declined);
                say!(
                    if fine { Voice::Routine } else { Voice::Trouble },
                    signal = name,
                    port,
                    operation,
                    outcome = outcome.as_str(),
                    effect = outcome.effect(),
                    duration_us = micros(duration)
                );
            }
            Signal::CacheRead { service, entity, outcome } => {
                let fine = outcome != CacheOutcome::Failed;
                let voice = if fine { Voice::Routine } else { Voice::Trouble };
                say!(voice, signal = name, service, entity, outcome = outcome.as_str());
            }
            Signal::DeadLetter { trace, reader, generation, event, name: of_event, attempts } => say!(
                Voice::Trouble,
                signal = name,
                reader,
                generation,
                event = %event,
                name = plain_name(of_event),
                attempts,
                correlation = shown(trace.correlation),
                causation = shown(trace.causation)
            ),
        }
    }
}

/// What comes of commands.
fn command(name: &'static str, signal: &Signal<'_>) {
    if let Signal::CommandHandled { trace, aggregate, id, command, outcome, attempts, duration } = *signal {
        say!(
            voice_of(outcome),
            signal = name,
            aggregate,
            id = %id,
            command,
            outcome = outcome.as_str(),
            attempts,
            duration_us = micros(duration),
            correlation = shown(trace.correlation),
            causation = shown(trace.causation)
        );
    }
}

/// What happens to sagas.
fn saga(name: &'static str, signal: &Signal<'_>) {
    match *signal {
        Signal::SagaStep { trace, saga, id, step, outcome } => say!(
            Voice::Routine,
            signal = name,
            saga,
            id = %id,
            step,
            outcome = outcome.as_str(),
            correlation = shown(trace.correlation),
            causation = shown(trace.causation)
        ),
        Signal::SagaParked { trace, saga, id, step } => say!(
            Voice::Alarm,
            signal = name,
            saga,
            id = %id,
            step,
            correlation = shown(trace.correlation),
            causation = shown(trace.causation)
        ),
        _ => {}
    }
}
