//! How a message reaches a person.

use serde::{Deserialize, Serialize};

/// How a message reaches a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Electronic mail.
    Email,
    /// Text message.
    Sms,
    /// Message to a device.
    Push,
    /// Call of an address that the recipient runs.
    Webhook,
}

impl Channel {
    /// Its name in derived ids and in configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Push => "push",
            Self::Webhook => "webhook",
        }
    }
}
