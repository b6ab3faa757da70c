//! Derived ids and how often an attempt is repeated.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::event::EventId;
use crate::value::id::{NotificationId, SubjectId};
use crate::value::time::Timestamp;
use crate::value::{Channel, Code};

/// The namespace of ids derived from event, recipient, channel and template.
const NOTIFICATIONS: Uuid = Uuid::from_u128(0x3c8b_52d7_9e40_5a6f_b1d2_70c9_4e8a_0d01);

/// The notification of an event to a person by a channel and template: derived, so that there is one.
pub fn notification_id(
    event: EventId,
    subject: SubjectId,
    channel: Channel,
    template: &Code,
) -> NotificationId {
    let name = format!("{event}/{subject}/{}/{template}", channel.name());
    NotificationId::derived(NOTIFICATIONS, name.as_bytes())
}

/// How often sending is attempted, and after which pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// The most attempts, at least one.
    pub attempts: u8,
    /// The pause after the first attempt, in milliseconds; each further one is twice as long.
    pub first_pause_ms: u32,
}

impl Default for RetryPolicy {
    /// Four attempts, with pauses of 1 s, 2 s and 4 s between them.
    fn default() -> Self {
        Self { attempts: 4, first_pause_ms: 1000 }
    }
}

impl RetryPolicy {
    /// When the attempt after this one, numbered from 1, is due; `None` when it was the last.
    pub fn next(self, attempt: u8, now: Timestamp) -> Option<Timestamp> {
        let doublings = u32::from(attempt.saturating_sub(1));
        let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
        let pause = u64::from(self.first_pause_ms).saturating_mul(factor);
        (attempt < self.attempts).then(|| now.plus(Duration::from_millis(pause)))
    }
}
