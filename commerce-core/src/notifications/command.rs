//! What can be asked of a notification.

use serde::Serialize;

use super::event::Message;
use super::notification::Notification;
use super::policy::RetryPolicy;
use crate::kernel::aggregate::{Aggregate, Command, Permission};
use crate::value::time::Timestamp;
use crate::value::{Code, Reason};

/// Asks something of a notification, whose id is [`notification_id`](super::notification_id).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum NotificationCommand {
    /// Wants a message sent. Repeating it is a no-op.
    Queue {
        /// What and to whom.
        message: Message,
        /// How often sending is attempted.
        policy: RetryPolicy,
    },
    /// A worker begins an attempt; one whose time is over takes the place of a worker that is gone.
    StartSending {
        /// When this attempt is given up.
        until: Timestamp,
    },
    /// The provider has taken it.
    RecordSent {
        /// The number of the attempt, from 1.
        attempt: u8,
        /// By which the provider knows it.
        reference: Option<Code>,
    },
    /// An attempt failed.
    RecordFailed {
        /// The number of the attempt, from 1.
        attempt: u8,
        /// Why.
        reason: Reason,
    },
    /// The provider reports that it arrived.
    RecordDelivered,
    /// The provider reports that it came back.
    RecordBounced {
        /// Why.
        reason: Reason,
    },
    /// The recipient does not want it or is gone; also where the provider said so instead of taking it.
    Suppress {
        /// Why; never a part of an address.
        reason: Reason,
    },
}

impl Command for NotificationCommand {
    type Target = Notification;

    fn permission(&self) -> Permission {
        let action = match self {
            Self::Queue { .. } => "queue",
            Self::StartSending { .. } => "start-sending",
            Self::RecordSent { .. } => "record-sent",
            Self::RecordFailed { .. } => "record-failed",
            Self::RecordDelivered => "record-delivered",
            Self::RecordBounced { .. } => "record-bounced",
            Self::Suppress { .. } => "suppress",
        };
        Permission::new(Notification::NAME, action)
    }
}
