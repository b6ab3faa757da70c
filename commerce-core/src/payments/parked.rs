//! Callbacks whose origin is proved and whose payment is not known yet: kept, and tried again until the
//! longest time that a payment may take is over.
//!
//! A gateway may call back before its answer has arrived, and name only its own charge. Nobody has to rely
//! on the gateway's delivering the message again. The id follows from gateway and message, so that a message
//! that is delivered twice is kept once.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event_types;
use crate::kernel::aggregate::{Aggregate, Command, EvolveError, Permission};
use crate::kernel::effects::Effects;
use crate::port::payment::CallbackFact;
use crate::value::id::{Id, PaymentId};
use crate::value::time::Timestamp;

/// The namespace of the ids.
const MESSAGES: Uuid = Uuid::from_u128(0x90a2_a171_0000_5000_8000_0000_0000_0002);
/// The name of the timer behind which it is tried again.
pub const RETRY: &str = "retry";

/// Where a parked callback stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParkedStatus {
    /// Its payment is not known yet.
    Waiting,
    /// Its payment was found and knows of it.
    Resolved(PaymentId),
    /// Its payment was not found in time, or refuses it.
    GivenUp,
}

/// A callback whose payment is not known yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedCallback {
    provider: Arc<str>,
    fact: CallbackFact,
    until: Timestamp,
    status: ParkedStatus,
}

impl ParkedCallback {
    /// The id under which a message of a gateway is kept.
    pub fn id_of(provider: &str, fact: &CallbackFact) -> Id<Self> {
        Id::derived(MESSAGES, format!("{provider}:{}", fact.event).as_bytes())
    }

    /// The gateway.
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// What it reports.
    pub const fn fact(&self) -> &CallbackFact {
        &self.fact
    }

    /// Until when it is tried again.
    pub const fn until(&self) -> Timestamp {
        self.until
    }

    /// Where it stands.
    pub const fn status(&self) -> ParkedStatus {
        self.status
    }
}

/// Asks something of a parked callback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ParkedCommand {
    /// Keeps a message. Repeating it is a no-op.
    Park {
        /// The gateway.
        provider: Arc<str>,
        /// What it reports.
        fact: CallbackFact,
        /// Until when it is tried again.
        until: Timestamp,
        /// When it is tried next.
        retry_at: Timestamp,
    },
    /// Its payment is still not known.
    Postpone {
        /// When it is tried next.
        retry_at: Timestamp,
    },
    /// Its payment knows of it.
    Resolve {
        /// Which.
        payment: PaymentId,
    },
    /// It is not tried again.
    GiveUp,
}

impl Command for ParkedCommand {
    type Target = ParkedCallback;

    fn permission(&self) -> Permission {
        Permission::new("payment", "record")
    }

    fn stands_alone(&self) -> bool {
        false
    }
}

/// A fact about a parked callback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParkedEvent {
    /// It was kept.
    Parked {
        /// The gateway.
        provider: Arc<str>,
        /// What it reports.
        fact: CallbackFact,
        /// Until when it is tried again.
        until: Timestamp,
        /// When it is tried next.
        retry_at: Timestamp,
    },
    /// Its payment was still not known.
    Postponed {
        /// When it is tried next.
        retry_at: Timestamp,
    },
    /// Its payment knows of it.
    Resolved {
        /// Which.
        payment: PaymentId,
    },
    /// It is not tried again.
    GivenUp,
}

event_types! {
    ParkedEvent {
        Parked => "PaymentCallbackParked" v1,
        Postponed => "PaymentCallbackPostponed" v1,
        Resolved => "PaymentCallbackResolved" v1,
        GivenUp => "PaymentCallbackGivenUp" v1,
    }
}

/// A parked callback refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParkedError {
    /// There is none.
    #[error("there is no such parked callback")]
    NotFound,
    /// The id of the message was used for another message.
    #[error("the id of the message was used for another message")]
    MessageReused,
}

impl Aggregate for ParkedCallback {
    const NAME: &'static str = "parked_callback";
    type Root = Self;
    type Command = ParkedCommand;
    type Event = ParkedEvent;
    type Error = ParkedError;

    fn decide(
        state: Option<&Self>,
        command: ParkedCommand,
        _now: Timestamp,
    ) -> Result<Vec<ParkedEvent>, ParkedError> {
        use ParkedCommand as C;
        let Some(known) = state else {
            let C::Park { provider, fact, until, retry_at } = command else {
                return Err(ParkedError::NotFound);
            };
            return Ok(vec![ParkedEvent::Parked { provider, fact, until, retry_at }]);
        };
        let waits = known.status == ParkedStatus::Waiting;
        match command {
            C::Park { fact, .. } if fact == known.fact => Ok(Vec::new()),
            C::Park { .. } => Err(ParkedError::MessageReused),
            _ if !waits => Ok(Vec::new()),
            C::Postpone { retry_at } => Ok(vec![ParkedEvent::Postponed { retry_at }]),
            C::Resolve { payment } => Ok(vec![ParkedEvent::Resolved { payment }]),
            C::GiveUp => Ok(vec![ParkedEvent::GivenUp]),
        }
    }

    fn evolve(state: Option<Self>, event: &ParkedEvent) -> Result<Self, EvolveError> {
        let Some(mut known) = state else {
            let ParkedEvent::Parked { provider, fact, until, .. } = event else {
                return Err(EvolveError::of(event));
            };
            let (provider, fact, until) = (provider.clone(), fact.clone(), *until);
            return Ok(Self { provider, fact, until, status: ParkedStatus::Waiting });
        };
        match event {
            ParkedEvent::Parked { .. } => return Err(EvolveError::of(event)),
            ParkedEvent::Postponed { .. } => {}
            ParkedEvent::Resolved { payment } => known.status = ParkedStatus::Resolved(*payment),
            ParkedEvent::GivenUp => known.status = ParkedStatus::GivenUp,
        }
        Ok(known)
    }

    fn effects(_id: Id<Self>, event: &ParkedEvent) -> Effects {
        match event {
            ParkedEvent::Parked { retry_at, .. } | ParkedEvent::Postponed { retry_at } => {
                Effects::none().timer(RETRY, *retry_at)
            }
            ParkedEvent::Resolved { .. } | ParkedEvent::GivenUp => Effects::none().cancel_timer(RETRY),
        }
    }
}
