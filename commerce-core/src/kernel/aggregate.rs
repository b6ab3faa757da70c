//! Aggregates: two pure functions and what follows from them.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::effects::Effects;
use super::event::DomainEvent;
use super::stream::{StreamId, Version};
use crate::value::actor::Owner;
use crate::value::id::Id;
use crate::value::time::Timestamp;

/// What may be asked of the identity policy, for example `order:cancel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission {
    /// The kind of thing.
    pub resource: &'static str,
    /// What is done to it.
    pub action: &'static str,
}

impl Permission {
    /// The permission to do `action` to a `resource`.
    pub const fn new(resource: &'static str, action: &'static str) -> Self {
        Self { resource, action }
    }
}

impl std::fmt::Display for Permission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.resource, self.action)
    }
}

/// An event does not fit the state it is applied to: the stream is not one that `decide` could write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event} does not fit the state it meets")]
pub struct EvolveError {
    /// The canonical name of the event.
    pub event: &'static str,
}

impl EvolveError {
    /// The event that does not fit.
    pub fn of<E: DomainEvent>(event: &E) -> Self {
        Self { event: event.name() }
    }
}

/// A consistency boundary: state that changes only by its own events.
///
/// `decide` and `evolve` are pure and synchronous: no clock, randomness or I/O. State = fold(events),
/// always. The serde form of the state is used for snapshots only.
pub trait Aggregate:
    Serialize + DeserializeOwned + Clone + std::fmt::Debug + Send + Sync + Sized + 'static
{
    /// Names the streams of this aggregate; stored, so it never changes.
    const NAME: &'static str;
    /// Raised with every change of `evolve` or of the state; a snapshot of another number is ignored.
    const STATE_SCHEMA: u16 = 1;
    /// Events between snapshots; zero for none.
    const SNAPSHOT_EVERY: u64 = 50;

    /// What its ids identify: a marker of [`value::id`](crate::value::id), or `Self`.
    type Root: 'static;
    /// What can be asked of it.
    type Command: Command<Target = Self>;
    /// What can happen to it.
    type Event: DomainEvent;
    /// Why it refuses.
    type Error: std::error::Error + Clone + Send + Sync + 'static;

    /// Decides what a command leads to; an empty list is a no-op that succeeds.
    ///
    /// # Errors
    ///
    /// The aggregate's own refusal; nothing happened.
    fn decide(
        state: Option<&Self>,
        command: Self::Command,
        now: Timestamp,
    ) -> Result<Vec<Self::Event>, Self::Error>;

    /// Applies an event that has happened.
    ///
    /// # Errors
    ///
    /// [`EvolveError`] where the event cannot follow on this state: the stream is corrupt.
    fn evolve(state: Option<Self>, event: &Self::Event) -> Result<Self, EvolveError>;

    /// What an event does to unique keys, pools and timers; follows from the event alone.
    fn effects(id: Id<Self::Root>, event: &Self::Event) -> Effects {
        let _ = (id, event);
        Effects::none()
    }

    /// To whom it belongs, for the ownership check.
    fn owner(&self) -> Owner {
        Owner::Shop
    }
}

/// Something that can be asked of an aggregate.
///
/// Cloned for a second decision when others were faster, and serialised for the fingerprint of its
/// command id; it is not stored.
pub trait Command: Serialize + Clone + std::fmt::Debug + Send + Sync + Sized + 'static {
    /// The aggregate that decides it.
    type Target: Aggregate<Command = Self>;

    /// What the actor must be permitted to do. Default-deny: staff and the system only.
    fn permission(&self) -> Permission {
        Permission::new(Self::Target::NAME, "manage")
    }

    /// Whether it makes sense by itself. One that other aggregates have to follow is for the operations of
    /// the facade, which carry it out together with what follows; `execute` takes it from the system only.
    fn stands_alone(&self) -> bool {
        true
    }

    /// To whom the thing that it creates or touches belongs, for the check before it exists.
    fn claims_owner(&self) -> Option<Owner> {
        None
    }
}

/// An aggregate as it was loaded.
#[derive(Debug)]
pub struct Instance<A: Aggregate> {
    /// Its id.
    pub id: Id<A::Root>,
    /// The version of its last event.
    pub version: Version,
    /// Its state; `None` where there are no events.
    pub state: Option<A>,
    /// The version of the snapshot it was folded from, or none.
    pub snapshot: Version,
    /// How many events were folded to reach this state.
    pub folded: u64,
}

impl<A: Aggregate> Clone for Instance<A> {
    fn clone(&self) -> Self {
        let Self { id, version, state, snapshot, folded } = self;
        Self { id: *id, version: *version, state: state.clone(), snapshot: *snapshot, folded: *folded }
    }
}

impl<A: Aggregate> Instance<A> {
    /// An aggregate without events.
    pub fn absent(id: Id<A::Root>) -> Self {
        Self { id, version: Version::NONE, state: None, snapshot: Version::NONE, folded: 0 }
    }

    /// Its stream.
    pub fn stream(&self) -> StreamId {
        stream_of::<A>(self.id)
    }
}

/// The stream of an aggregate.
pub fn stream_of<A: Aggregate>(id: Id<A::Root>) -> StreamId {
    StreamId::new(A::NAME, id.uuid())
}
