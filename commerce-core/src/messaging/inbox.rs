//! What a consumer has handled of a stream whose messages come by a broker.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::message::Reader;
use crate::event_types;
use crate::kernel::aggregate::{Aggregate, Command, EvolveError, Permission};
use crate::kernel::stream::{StreamId, Version};
use crate::value::Reason;
use crate::value::id::Id;
use crate::value::time::Timestamp;

/// What a consumer has handled of one stream.
///
/// A broker repeats and reorders; the versions of the stream tell what is new and what is next.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Inbox {
    handled: u64,
    failing: Option<Failing>,
    /// Versions up to `handled` that were not, by the first of each stretch.
    open: BTreeMap<u64, Open>,
}

/// Versions that were put aside or passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    last: u64,
    attempts: u32,
}

/// A message that is to be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Failing {
    attempts: u32,
    retry_at: Timestamp,
}

/// What a message is to an inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It was handled before.
    Known,
    /// It is the next of its stream, or one that was passed over; so often it was tried.
    Due(u32),
    /// It is tried again then.
    Waits(Timestamp),
    /// Others of its stream stand before it.
    Early,
}

impl Inbox {
    /// The inbox of a reader for a stream.
    pub fn id_of(reader: &Reader, stream: &StreamId) -> Id<Self> {
        reader.derive(0x90a2_a171_0000_5000_8000_0000_0000_0014, &stream.to_string())
    }

    /// What a message of this version is, seen at this time.
    pub fn place(state: Option<&Self>, version: Version, now: Timestamp) -> Place {
        let version = version.get();
        let handled = state.map_or(0, |known| known.handled);
        if version <= handled {
            let open = state.and_then(|known| known.open(version));
            return open.map_or(Place::Known, |(_, open)| Place::Due(open.attempts));
        }
        if version > handled.saturating_add(1) {
            return Place::Early;
        }
        match state.and_then(|known| known.failing) {
            Some(failing) if failing.retry_at > now => Place::Waits(failing.retry_at),
            failing => Place::Due(failing.map_or(0, |failing| failing.attempts)),
        }
    }

    /// The stretch that a version is in, and its first.
    fn open(&self, version: u64) -> Option<(u64, Open)> {
        let (first, open) = self.open.range(..=version).next_back()?;
        (open.last >= version).then_some((*first, *open))
    }

    /// Takes a version out of its stretch.
    fn close(&mut self, version: u64) {
        let Some((first, open)) = self.open(version) else { return };
        self.open.remove(&first);
        if first < version {
            self.open.insert(first, Open { last: version.saturating_sub(1), ..open });
        }
        if version < open.last {
            self.open.insert(version.saturating_add(1), open);
        }
    }
}

/// Asks something of an inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum InboxCommand {
    /// A message was handled.
    Handle {
        /// Its version.
        version: Version,
    },
    /// A message failed; it is tried again, or put aside.
    Fail {
        /// Its version.
        version: Version,
        /// Why.
        error: Reason,
        /// When it is tried next; `None` puts it aside, and the stream goes on.
        retry_at: Option<Timestamp>,
    },
    /// What stands before a message does not come: the stream goes on with it.
    PassOver {
        /// The version of that message.
        before: Version,
    },
}

impl Command for InboxCommand {
    type Target = Inbox;

    fn permission(&self) -> Permission {
        Permission::new("consumer_inbox", "write")
    }

    fn stands_alone(&self) -> bool {
        false
    }
}

/// A fact about an inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum InboxEvent {
    /// A message was handled.
    Handled {
        /// Its version.
        version: Version,
    },
    /// A message failed.
    Failed {
        /// Its version.
        version: Version,
        /// Why.
        error: Reason,
        /// How often it was tried.
        attempts: u32,
        /// When it is tried next; `None` where it was put aside.
        retry_at: Option<Timestamp>,
    },
    /// Messages did not come, and the stream goes on without them; where they come after all, they are
    /// handled.
    PassedOver {
        /// The first.
        first: Version,
        /// The last.
        last: Version,
    },
}

event_types! {
    InboxEvent {
        Handled => "InboxMessageHandled" v1,
        Failed => "InboxMessageFailed" v1,
        PassedOver => "InboxMessagesPassedOver" v1,
    }
}

/// An inbox refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InboxError {
    /// The message was handled before.
    #[error("the message was handled before")]
    Known,
    /// Others of its stream stand before it.
    #[error("others of its stream stand before it")]
    Early,
}

impl Aggregate for Inbox {
    const NAME: &'static str = "consumer_inbox";
    type Root = Self;
    type Command = InboxCommand;
    type Event = InboxEvent;
    type Error = InboxError;

    fn decide(
        state: Option<&Self>,
        command: InboxCommand,
        _now: Timestamp,
    ) -> Result<Vec<InboxEvent>, InboxError> {
        let tried = |version| match Self::place(state, version, Timestamp::MAX) {
            Place::Known => Err(InboxError::Known),
            Place::Early => Err(InboxError::Early),
            Place::Due(attempts) => Ok(attempts),
            Place::Waits(_) => Ok(0),
        };
        match command {
            InboxCommand::Handle { version } => {
                tried(version)?;
                Ok(vec![InboxEvent::Handled { version }])
            }
            InboxCommand::Fail { version, error, retry_at } => {
                let attempts = tried(version)?.saturating_add(1);
                // What was put aside before stands in nobody's way: it goes back there.
                let late = state.is_some_and(|known| known.open(version.get()).is_some());
                let retry_at = retry_at.filter(|_| !late);
                Ok(vec![InboxEvent::Failed { version, error, attempts, retry_at }])
            }
            InboxCommand::PassOver { before } => {
                let first = state.map_or(0, |known| known.handled).saturating_add(1);
                let last = before.get().saturating_sub(1);
                let (first, last) = (Version::new(first), Version::new(last));
                Ok(if first <= last { vec![InboxEvent::PassedOver { first, last }] } else { Vec::new() })
            }
        }
    }

    fn evolve(state: Option<Self>, event: &InboxEvent) -> Result<Self, EvolveError> {
        let mut inbox = state.unwrap_or_default();
        match event {
            InboxEvent::Handled { version } if version.get() <= inbox.handled => inbox.close(version.get()),
            InboxEvent::Handled { version } => (inbox.handled, inbox.failing) = (version.get(), None),
            InboxEvent::Failed { attempts, retry_at: Some(retry_at), .. } => {
                inbox.failing = Some(Failing { attempts: *attempts, retry_at: *retry_at });
            }
            InboxEvent::Failed { version, attempts, retry_at: None, .. } => {
                let version = version.get();
                inbox.close(version);
                inbox.open.insert(version, Open { last: version, attempts: *attempts });
                if version > inbox.handled {
                    (inbox.handled, inbox.failing) = (version, None);
                }
            }
            InboxEvent::PassedOver { first, last } => {
                inbox.open.insert(first.get(), Open { last: last.get(), attempts: 0 });
                (inbox.handled, inbox.failing) = (last.get(), None);
            }
        }
        Ok(inbox)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(commands: impl IntoIterator<Item = InboxCommand>) -> Option<Inbox> {
        let mut state = None;
        for command in commands {
            for event in Inbox::decide(state.as_ref(), command, Timestamp::UNIX_EPOCH).unwrap() {
                state = Some(Inbox::evolve(state, &event).unwrap());
            }
        }
        state
    }

    fn places(state: Option<&Inbox>) -> Vec<Place> {
        (1..=5).map(|version| Inbox::place(state, Version::new(version), Timestamp::UNIX_EPOCH)).collect()
    }

    const fn handle(version: u64) -> InboxCommand {
        InboxCommand::Handle { version: Version::new(version) }
    }

    fn fail(version: u64, retry_at: Option<Timestamp>) -> InboxCommand {
        InboxCommand::Fail { version: Version::new(version), error: Reason::lossy("no"), retry_at }
    }

    use Place::{Due, Early, Known, Waits};

    #[test]
    fn versions_tell_what_is_new_and_what_is_next() {
        assert_eq!(places(None), [Due(0), Early, Early, Early, Early]);
        assert_eq!(places(after([handle(1), handle(2)]).as_ref()), [Known, Known, Due(0), Early, Early]);
        let known = after([handle(1)]);
        let refused = |command| Inbox::decide(known.as_ref(), command, Timestamp::UNIX_EPOCH);
        assert_eq!(refused(handle(1)), Err(InboxError::Known));
        assert_eq!(refused(handle(3)), Err(InboxError::Early));
        assert_eq!(refused(fail(3, None)), Err(InboxError::Early));
    }

    #[test]
    fn what_fails_waits_counts_its_tries_and_is_put_aside() {
        let later = Timestamp::UNIX_EPOCH.plus(std::time::Duration::from_secs(1));
        let failed = after([fail(1, Some(later))]);
        assert_eq!(places(failed.as_ref())[0], Waits(later));
        assert_eq!(Inbox::place(failed.as_ref(), Version::new(1), later), Due(1));
        let aside = after([fail(1, Some(later)), fail(1, None), handle(2)]);
        assert_eq!(places(aside.as_ref()), [Due(2), Known, Due(0), Early, Early]);
        let more = after([fail(1, None), handle(2), fail(1, Some(later))]);
        assert_eq!(places(more.as_ref()), [Due(2), Known, Due(0), Early, Early], "tries are counted on");
        let again = after([fail(1, None), fail(1, Some(later)), handle(2), handle(1)]);
        assert_eq!(
            places(again.as_ref()),
            [Known, Known, Due(0), Early, Early],
            "aside it stays, then it is done"
        );
    }

    #[test]
    fn what_does_not_come_is_passed_over_and_handled_when_it_does() {
        let passed = InboxCommand::PassOver { before: Version::new(4) };
        let state = after([passed.clone(), handle(4), handle(2)]);
        assert_eq!(places(state.as_ref()), [Due(0), Known, Due(0), Known, Due(0)]);
        let state = after([passed.clone(), handle(4), handle(2), handle(1), handle(3)]);
        assert_eq!(state, Some(Inbox { handled: 4, ..Inbox::default() }));
        assert_eq!(
            after([handle(1), handle(2), handle(3), passed]),
            after([handle(1), handle(2), handle(3)])
        );
    }
}
