//! Drives an aggregate through commands and checks what every aggregate promises.

use std::sync::Arc;

use uuid::Uuid;

use crate::kernel::aggregate::{Aggregate, Instance};
use crate::kernel::codec::{encode, event_type};
use crate::kernel::commit::LoadedStream;
use crate::kernel::event::{DomainEvent, EventId, Metadata, NewEvent, RecordedEvent};
use crate::kernel::replay::{fold, replay, write_snapshot};
use crate::kernel::stream::{Position, Version};
use crate::value::actor::Actor;
use crate::value::id::Id;
use crate::value::time::Timestamp;

/// The id with this number, from 1.
pub(crate) fn id<T>(number: u128) -> Id<T> {
    Id::from_uuid(Uuid::from_u128(number)).unwrap()
}

/// The time this many seconds after the epoch.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000).unwrap()
}

/// One command and what came of it.
pub(crate) struct Step<'s, A: Aggregate> {
    pub(crate) before: Option<&'s A>,
    pub(crate) command: &'s A::Command,
    pub(crate) outcome: &'s Result<Vec<A::Event>, A::Error>,
    pub(crate) after: Option<&'s A>,
}

/// Gives the commands one after the other, shows each step to `check`, and proves at the end that
/// events, also after being stored, and snapshots lead to the live state.
pub(crate) fn drive<A: Aggregate + PartialEq>(
    commands: impl IntoIterator<Item = (Timestamp, A::Command)>,
    mut check: impl FnMut(Step<'_, A>),
) -> Vec<A::Event> {
    let (mut state, mut events): (Option<A>, Vec<A::Event>) = (None, Vec::new());
    for (now, command) in commands {
        let outcome = A::decide(state.as_ref(), command.clone(), now);
        let decided = outcome.as_ref().map_or(&[][..], Vec::as_slice);
        let after = fold(state.clone(), decided).unwrap();
        events.extend_from_slice(decided);
        check(Step { before: state.as_ref(), command: &command, outcome: &outcome, after: after.as_ref() });
        state = after;
    }
    assert_eq!(fold::<A>(None, &events).unwrap(), state, "events lead to the live state");
    for cut in [0, events.len() / 2, events.len()] {
        let replayed = replay(Instance::<A>::absent(id(1)), &stored::<A>(&events, cut)).unwrap();
        assert_eq!(replayed.state, state, "snapshot at {cut} and tail lead to the live state");
    }
    events
}

/// The stream as a store gives it back, with a snapshot behind the first `cut` events.
fn stored<A: Aggregate>(events: &[A::Event], cut: usize) -> LoadedStream {
    let stream = Instance::<A>::absent(id(1)).stream();
    let head = fold::<A>(None, &events[..cut]).unwrap();
    let snapshot = head.map(|state| write_snapshot(&state, Version::NONE.after(cut)).unwrap());
    let record = |(index, event): (usize, &A::Event)| {
        let encoded = encode(event).unwrap();
        let event = NewEvent {
            id: EventId::from_uuid(Uuid::from_u128(1)).unwrap(),
            name: event.name().into(),
            schema: event_type::<A::Event>(event.name()).unwrap().schema,
            at: Timestamp::UNIX_EPOCH,
            metadata: Metadata { correlation: Uuid::nil(), causation: None, actor: Actor::System },
            data: encoded.data,
            personal: encoded.personal,
        };
        let version = Version::NONE.after(index + 1);
        Arc::new(RecordedEvent { position: Position::START, stream: stream.clone(), version, event })
    };
    let version = Version::NONE.after(events.len());
    let events = events.iter().enumerate().skip(cut).map(record).collect();
    LoadedStream { stream: stream.clone(), version, snapshot, events }
}
