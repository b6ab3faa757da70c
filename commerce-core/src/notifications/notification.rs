//! One message to one person.

use serde::{Deserialize, Serialize};

use super::command::NotificationCommand;
use super::error::NotificationError;
use super::event::{Message, NotificationEvent};
use super::policy::RetryPolicy;
use super::state::Status;
use crate::kernel::aggregate::{Aggregate, EvolveError};
use crate::kernel::effects::Effects;
use crate::value::Reason;
use crate::value::actor::Owner;
use crate::value::id::{Id, marker};
use crate::value::time::Timestamp;

/// The name of the timer that wakes the sender.
pub const SEND: &str = "send";
/// The most values that a template can need.
pub const MAX_DATA: usize = 32;

/// One message to one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    message: Message,
    policy: RetryPolicy,
    status: Status,
    attempts: u8,
    /// When the next attempt is due, or the present one is given up.
    wake_at: Timestamp,
}

type Decision = Result<Vec<NotificationEvent>, NotificationError>;

impl Notification {
    /// What is told to whom.
    pub const fn message(&self) -> &Message {
        &self.message
    }

    /// Where it stands.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// How many attempts there were, with the present one.
    pub const fn attempts(&self) -> u8 {
        self.attempts
    }

    /// Whether it is still to be sent.
    pub const fn is_open(&self) -> bool {
        matches!(self.status, Status::Queued | Status::Sending)
    }

    const fn not(&self, command: &'static str) -> NotificationError {
        NotificationError::IllegalTransition { status: self.status, command }
    }

    fn start(&self, until: Timestamp, now: Timestamp) -> Decision {
        let due = now >= self.wake_at;
        match self.status {
            Status::Queued if !due => Err(NotificationError::NotDue { at: self.wake_at }),
            Status::Sending if !due => Err(NotificationError::BeingSent { until: self.wake_at }),
            // The worker is gone; whether the provider has it nobody knows, so the attempt counts.
            Status::Sending if self.attempts >= self.policy.attempts => {
                Ok(vec![NotificationEvent::Failed { attempts: self.attempts, reason: None }])
            }
            Status::Queued | Status::Sending if until <= now => Err(NotificationError::BadLease { until }),
            Status::Queued | Status::Sending => {
                let attempt = self.attempts.saturating_add(1);
                Ok(vec![NotificationEvent::SendingStarted { attempt, until }])
            }
            _ => Err(self.not("be sent")),
        }
    }

    fn known_attempt(&self, attempt: u8) -> Result<(), NotificationError> {
        let known = attempt >= 1 && attempt <= self.attempts;
        if known { Ok(()) } else { Err(NotificationError::NoSuchAttempt { attempt }) }
    }

    fn failed(&self, attempt: u8, reason: Reason, now: Timestamp) -> Decision {
        self.known_attempt(attempt)?;
        if self.status != Status::Sending || attempt != self.attempts {
            // The attempt was given up, or is known to have succeeded.
            return Ok(Vec::new());
        }
        Ok(vec![match self.policy.next(attempt, now) {
            Some(due) => NotificationEvent::RetryScheduled { attempt, reason, due },
            None => NotificationEvent::Failed { attempts: attempt, reason: Some(reason) },
        }])
    }

    /// What the provider reports; a bounce outweighs a delivery, whichever comes first.
    fn reported(&self, event: NotificationEvent, to: Status) -> Decision {
        if self.attempts == 0 {
            return Err(self.not("be reported on"));
        }
        let known = self.status == to || self.status == Status::Bounced || self.status == Status::Suppressed;
        Ok(if known { Vec::new() } else { vec![event] })
    }
}

impl Aggregate for Notification {
    const NAME: &'static str = "notification";
    type Root = marker::Notification;
    type Command = NotificationCommand;
    type Event = NotificationEvent;
    type Error = NotificationError;

    fn decide(state: Option<&Self>, command: NotificationCommand, now: Timestamp) -> Decision {
        use NotificationCommand as C;
        use NotificationEvent as E;
        let Some(known) = state else {
            return match command {
                C::Queue { message, .. } if message.data.len() > MAX_DATA => {
                    Err(NotificationError::TooMuchData { max: MAX_DATA })
                }
                C::Queue { policy, .. } if policy.attempts == 0 => Err(NotificationError::NoAttempts),
                C::Queue { message, policy } => Ok(vec![E::Queued { message, policy, due: now }]),
                _ => Err(NotificationError::NotFound),
            };
        };
        match command {
            C::Queue { message, .. } if message == known.message => Ok(Vec::new()),
            C::Queue { .. } => Err(NotificationError::AlreadyQueued),
            C::StartSending { until } => known.start(until, now),
            C::RecordSent { attempt, reference } => {
                known.known_attempt(attempt)?;
                let open = matches!(known.status, Status::Queued | Status::Sending | Status::Dead);
                Ok(if open { vec![E::Sent { reference }] } else { Vec::new() })
            }
            C::RecordFailed { attempt, reason } => known.failed(attempt, reason, now),
            C::RecordDelivered => known.reported(E::Delivered, Status::Delivered),
            C::RecordBounced { reason } => known.reported(E::Bounced { reason }, Status::Bounced),
            C::Suppress { reason } => match known.status {
                Status::Queued | Status::Sending => Ok(vec![E::Suppressed { reason }]),
                Status::Suppressed => Ok(Vec::new()),
                _ => Err(known.not("be suppressed")),
            },
        }
    }

    fn evolve(state: Option<Self>, event: &NotificationEvent) -> Result<Self, EvolveError> {
        use NotificationEvent as E;
        let Some(mut known) = state else {
            let E::Queued { message, policy, due } = event else {
                return Err(EvolveError::of(event));
            };
            let (message, policy) = (message.clone(), *policy);
            return Ok(Self { message, policy, status: Status::Queued, attempts: 0, wake_at: *due });
        };
        match event {
            E::Queued { .. } => return Err(EvolveError::of(event)),
            E::SendingStarted { attempt, until } => {
                known.status = Status::Sending;
                known.attempts = *attempt;
                known.wake_at = *until;
            }
            E::Sent { .. } => known.status = Status::Sent,
            E::RetryScheduled { due, .. } => {
                known.status = Status::Queued;
                known.wake_at = *due;
            }
            E::Failed { .. } => known.status = Status::Dead,
            E::Delivered => known.status = Status::Delivered,
            E::Bounced { .. } => known.status = Status::Bounced,
            E::Suppressed { .. } => known.status = Status::Suppressed,
        }
        Ok(known)
    }

    fn effects(_id: Id<marker::Notification>, event: &NotificationEvent) -> Effects {
        use NotificationEvent as E;
        match event {
            E::Queued { due, .. } | E::RetryScheduled { due, .. } => Effects::none().timer(SEND, *due),
            E::SendingStarted { until, .. } => Effects::none().timer(SEND, *until),
            E::Sent { .. } | E::Failed { .. } | E::Delivered | E::Bounced { .. } | E::Suppressed { .. } => {
                Effects::none().cancel_timer(SEND)
            }
        }
    }

    fn owner(&self) -> Owner {
        Owner::Subject(self.message.subject)
    }
}
