//! What happens to a notification. A stored event carries all that its effects need.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::policy::RetryPolicy;
use crate::event_types;
use crate::kernel::event::EventId;
use crate::value::id::SubjectId;
use crate::value::time::Timestamp;
use crate::value::{Channel, Code, Reason};

/// What is told to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The event that it is about.
    pub event: EventId,
    /// The template that gives it its text.
    pub template: Code,
    /// How it reaches the recipient.
    pub channel: Channel,
    /// The recipient.
    pub subject: SubjectId,
    /// What the template needs: ids and short texts, never personal data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<Code, Code>,
}

/// A fact about a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotificationEvent {
    /// It is to be sent.
    Queued {
        /// What and to whom.
        message: Message,
        /// How often sending is attempted.
        policy: RetryPolicy,
        /// From when on.
        due: Timestamp,
    },
    /// A worker began an attempt.
    SendingStarted {
        /// The number of the attempt, from 1.
        attempt: u8,
        /// When it is given up.
        until: Timestamp,
    },
    /// The provider has taken it.
    Sent {
        /// By which the provider knows it.
        reference: Option<Code>,
    },
    /// An attempt failed; there will be another.
    RetryScheduled {
        /// The number of the attempt that failed.
        attempt: u8,
        /// Why.
        reason: Reason,
        /// When the next one is due.
        due: Timestamp,
    },
    /// The last attempt failed.
    Failed {
        /// How many attempts there were.
        attempts: u8,
        /// Why; none where the worker of the last one is gone.
        reason: Option<Reason>,
    },
    /// It reached the recipient.
    Delivered,
    /// It came back.
    Bounced {
        /// Why.
        reason: Reason,
    },
    /// It is not sent.
    Suppressed {
        /// Why.
        reason: Reason,
    },
}

event_types! {
    NotificationEvent {
        Queued => "NotificationQueued" v1,
        SendingStarted => "NotificationSendingStarted" v1,
        Sent => "NotificationSent" v1,
        RetryScheduled => "NotificationRetryScheduled" v1,
        Failed => "NotificationFailed" v1,
        Delivered => "NotificationDelivered" v1,
        Bounced => "NotificationBounced" v1,
        Suppressed => "NotificationSuppressed" v1,
    }
}
