//! What the shop tells its observer.

mod saga;
pub(super) mod span;

use std::borrow::Cow;
use std::sync::Arc;

use uuid::Uuid;

use super::commerce::Commerce;
use crate::kernel::aggregate::Permission;
use crate::kernel::commit::Commit;
use crate::kernel::error::{CommitError, ErrorClass};
use crate::kernel::event::RecordedEvent;
use crate::kernel::stream::Slice;
use crate::messaging::Reader;
use crate::port::observer::{Behind, Observer, Observers, Outcome, Signal, Trace, plain_name};
use crate::value::id::Id;
use crate::value::time::Timestamp;

/// A command under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watched {
    what: Permission,
    id: Uuid,
    /// `None` where nobody watches.
    since: Option<Timestamp>,
}

impl Commerce {
    /// With somebody who watches. Called again, both do.
    ///
    /// What is signalled of stores and ports is signalled by them: see the guard
    /// [`Observed`](crate::resilience::Observed) and the settings of adapters.
    #[must_use]
    pub fn with_observer(self, observer: Arc<dyn Observer>) -> Self {
        self.rebuilt(|shared| {
            shared.observer = Some(match shared.observer.take() {
                Some(first) => Arc::new(Observers::of([first, observer])),
                None => observer,
            });
        })
    }

    /// Signals what is made only where somebody watches.
    pub(super) fn signal<'s>(&self, make: impl FnOnce() -> Signal<'s>) {
        if let Some(observer) = &self.shared.observer {
            observer.observe(&make());
        }
    }

    pub(super) fn is_watched(&self) -> bool {
        self.shared.observer.is_some()
    }

    /// The ids under which this request happens, as far as they are known.
    pub(super) fn trace(&self) -> Trace {
        let command = self.request.command_id.map(Id::uuid);
        Trace {
            correlation: self.request.correlation.or(command),
            causation: self.request.causation.or(command),
        }
    }

    /// The same request, with a correlation id where somebody watches and it has none yet: its events then
    /// bear the one that is seen.
    pub(super) fn traced(&self) -> Cow<'_, Self> {
        let known = self.trace().correlation.is_some();
        if known || !(self.is_watched() || span::are_seen()) {
            return Cow::Borrowed(self);
        }
        let mut other = self.clone();
        other.request.correlation = Some(self.ids().next(self.now()));
        Cow::Owned(other)
    }

    /// Begins a command.
    pub(super) fn begins(&self, what: Permission, id: Uuid) -> Watched {
        let since = self.is_watched().then(|| self.shared.platform.clock.now());
        Watched { what, id, since }
    }

    /// Ends it.
    pub(super) fn ends(&self, watched: Watched, trace: Trace, outcome: Outcome, attempts: u32) {
        let Some(since) = watched.since else { return };
        let duration = self.shared.platform.clock.now().since(since);
        let Permission { resource: aggregate, action: command } = watched.what;
        let id = watched.id;
        self.signal(|| Signal::CommandHandled { trace, aggregate, id, command, outcome, attempts, duration });
    }

    /// A commit met a newer version.
    pub(super) fn conflicted(&self, trace: Trace, error: &CommitError) {
        if let CommitError::Stale { stream, expected, actual } = error {
            let (aggregate, id, expected, actual) = (plain_name(&stream.kind), stream.id, *expected, *actual);
            self.signal(|| Signal::CommitConflicted { trace, aggregate, id, expected, actual });
        }
    }

    /// A message was put aside.
    pub(super) fn buried(&self, reader: &Reader, recorded: &RecordedEvent, attempts: u32) {
        self.signal(|| Signal::DeadLetter {
            trace: Trace::from(&recorded.event.metadata),
            reader: reader.consumer.as_str(),
            generation: reader.generation,
            event: recorded.event.id,
            name: plain_name(&recorded.event.name),
            attempts,
        });
    }

    /// How far a reader is behind that has gone through these events: the newest one's age, and nothing at the
    /// log's end.
    pub(super) fn behind(&self, last: Option<&RecordedEvent>) -> Behind {
        match last {
            None => Behind { events: Some(0), age: Some(std::time::Duration::ZERO) },
            Some(last) => {
                Behind { events: None, age: Some(self.shared.platform.clock.now().since(last.event.at)) }
            }
        }
    }
}

/// Who follows the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Runner {
    Relay,
    Consumer,
}

impl Runner {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Consumer => "consumer",
        }
    }

    pub(super) fn lag(self, reader: &Reader, slice: Slice, behind: Behind) -> Signal<'_> {
        let (reader, generation) = (reader.consumer.as_str(), reader.generation);
        match self {
            Self::Relay => Signal::RelayLag { reader, generation, slice, behind },
            Self::Consumer => Signal::ConsumerLag { reader, generation, slice, behind },
        }
    }
}

/// What came of a use case.
pub(super) fn outcome<T, E>(done: &Result<T, E>, class: impl FnOnce(&E) -> ErrorClass) -> Outcome {
    match done {
        Ok(_) => Outcome::Done,
        Err(error) => Outcome::Failed(class(error)),
    }
}

/// The ids under which a commit happens: those of its first event.
pub(super) fn trace_of(commit: &Commit) -> Trace {
    let first = commit.append.first().and_then(|append| append.events.first());
    first.map_or_else(Trace::default, |event| Trace::from(&event.metadata))
}
