//! Spans around what the library does: those of `tracing` with the feature of that name, else nothing at all.

#[cfg(not(feature = "tracing"))]
pub(in crate::app) use absent::*;
#[cfg(feature = "tracing")]
pub(in crate::app) use present::*;

#[cfg(feature = "tracing")]
mod present {
    use std::future::Future;

    use tracing::field::{Empty, display};
    use tracing::{Instrument, Level, Span as Inner};
    use uuid::Uuid;

    use crate::kernel::aggregate::Permission;
    use crate::kernel::event::RecordedEvent;
    use crate::kernel::stream::Slice;
    use crate::messaging::Reader;
    use crate::port::observer::{TARGET, Trace, plain_name};

    /// A span, or none where nobody looks.
    #[derive(Debug, Clone)]
    pub(in crate::app) struct Span(Inner);

    /// Whether anybody looks.
    pub(in crate::app) fn are_seen() -> bool {
        tracing::enabled!(target: TARGET, Level::INFO)
    }

    impl Span {
        /// A future whose every step is made within the span.
        pub(in crate::app) fn around<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
            future.instrument(self.0)
        }

        pub(in crate::app) fn command(what: Permission, id: Uuid, trace: Trace) -> Self {
            Self(tracing::info_span!(
                target: TARGET,
                "command",
                aggregate = what.resource,
                id = %id,
                command = what.action,
                correlation = trace.correlation.map(display),
                causation = trace.causation.map(display)
            ))
        }

        /// Its correlation id may be that of the checkout, which is not known yet.
        pub(in crate::app) fn checkout(cart: Uuid, trace: Trace) -> Self {
            let span = tracing::info_span!(
                target: TARGET,
                "checkout",
                cart = %cart,
                correlation = Empty,
                causation = trace.causation.map(display)
            );
            let span = Self(span);
            if let Some(correlation) = trace.correlation {
                span.correlates(correlation);
            }
            span
        }

        /// The correlation id is known by now.
        pub(in crate::app) fn correlates(&self, correlation: Uuid) {
            self.0.record("correlation", display(correlation));
        }

        pub(in crate::app) fn saga(saga: &'static str, id: Uuid, correlation: Uuid) -> Self {
            Self(tracing::info_span!(
                target: TARGET, "saga", saga, id = %id, correlation = %correlation
            ))
        }

        pub(in crate::app) fn timer(aggregate: &str, id: Uuid) -> Self {
            let aggregate = plain_name(aggregate);
            Self(tracing::debug_span!(target: TARGET, "timer", aggregate, id = %id))
        }

        pub(in crate::app) fn round(runner: &'static str, reader: &str, slice: Slice) -> Self {
            Self(tracing::debug_span!(target: TARGET, "round", runner, reader, slice = %slice))
        }

        pub(in crate::app) fn message(reader: &Reader, recorded: &RecordedEvent) -> Self {
            let trace = Trace::from(&recorded.event.metadata);
            Self(tracing::debug_span!(
                target: TARGET,
                "message",
                reader = reader.consumer.as_str(),
                event = %recorded.event.id,
                name = plain_name(&recorded.event.name),
                correlation = trace.correlation.map(display),
                causation = trace.causation.map(display)
            ))
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod absent {
    use std::future::Future;

    use uuid::Uuid;

    use crate::kernel::aggregate::Permission;
    use crate::kernel::event::RecordedEvent;
    use crate::kernel::stream::Slice;
    use crate::messaging::Reader;
    use crate::port::observer::Trace;

    /// No span.
    #[derive(Debug, Clone)]
    pub(in crate::app) struct Span;

    pub(in crate::app) const fn are_seen() -> bool {
        false
    }

    #[allow(clippy::unused_self)] // as with the span that is there
    impl Span {
        pub(in crate::app) fn around<F: Future>(self, future: F) -> F {
            future
        }

        pub(in crate::app) const fn command(_: Permission, _: Uuid, _: Trace) -> Self {
            Self
        }

        pub(in crate::app) const fn checkout(_: Uuid, _: Trace) -> Self {
            Self
        }

        pub(in crate::app) const fn correlates(&self, _: Uuid) {}

        pub(in crate::app) const fn saga(_: &'static str, _: Uuid, _: Uuid) -> Self {
            Self
        }

        pub(in crate::app) const fn timer(_: &str, _: Uuid) -> Self {
            Self
        }

        pub(in crate::app) const fn round(_: &'static str, _: &str, _: Slice) -> Self {
            Self
        }

        pub(in crate::app) const fn message(_: &Reader, _: &RecordedEvent) -> Self {
            Self
        }
    }
}
