//! Notifications: telling people what happened, once.
//!
//! A [`Notification`] is one message by one template to one person over one channel about one event; its
//! id is derived from these, so a second trigger finds the first. It is written before the provider is
//! called. A failed attempt is repeated after 1 s, 2 s and 4 s, then the notification is dead; whatever
//! becomes of it changes no order, payment or stock. It holds ids and short texts, never an address: the
//! sender looks up where the person can be reached.
//!
//! # Invariants
//!
//! - `notifications_1` one row per event, person, channel and template, and one worker at a time sends it;
//! - `notifications_2` every row ends sent, delivered, bounced, failed or suppressed, after as many
//!   attempts as the policy allows and with exact pauses;
//! - `notifications_6` what the provider reports counts once and in any order.

pub mod command;
pub mod error;
pub mod event;
pub mod notification;
pub mod policy;
pub mod state;
#[cfg(test)]
mod tests;

pub use command::NotificationCommand;
pub use error::NotificationError;
pub use event::{Message, NotificationEvent};
pub use notification::Notification;
pub use policy::{RetryPolicy, notification_id};
pub use state::{Status, TRANSITIONS};

pub use crate::value::Channel;
