//! Brokers that bring messages.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::publisher::Outgoing;
use crate::kernel::error::PortError;
use crate::kernel::event::EventId;
use crate::value::Reason;
use crate::value::time::Timestamp;

/// The most messages that are handed out at once.
pub const MAX_RECEIVED: usize = 100;
/// How long a message that was put aside is kept at least.
pub const LETTERS_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// One delivery of one message, as the broker calls it.
pub type Receipt = Arc<str>;

/// A message that was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// To be named when it is acknowledged, postponed or put aside.
    pub receipt: Receipt,
    /// As it was published.
    pub message: Outgoing,
    /// How often it was handed out to the group, this time included.
    pub deliveries: u32,
}

/// A message that a group has put aside: its dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuriedMessage {
    /// As it was published.
    pub message: Outgoing,
    /// Why it was put aside.
    pub error: Reason,
    /// How often it was tried.
    pub attempts: u32,
    /// When the group got it first, by the broker's clock.
    pub first: Timestamp,
    /// When it was put aside, by the broker's clock.
    pub last: Timestamp,
}

/// A member of a group that reads some topics: each message is handed out to one member of each group.
#[async_trait]
pub trait Subscriber: Debug + Send + Sync + 'static {
    /// Hands out messages, at most `limit` and [`MAX_RECEIVED`]; none where there are none.
    ///
    /// # Contract
    ///
    /// A new group begins with the oldest message that is kept. Every message of the topics is handed out
    /// until it is acknowledged or put aside: *at least once*. One that is neither comes again, to any
    /// member, when the time that the broker gives a member is over. New messages come in the order in which
    /// they were published; one that comes again may stand behind later ones. Waits no longer than
    /// the adapter says.
    async fn receive(&self, limit: usize) -> Result<Vec<Incoming>, PortError>;

    /// These were handled.
    ///
    /// # Contract
    ///
    /// They do not come again. Receipts of deliveries that are over, and receipts that are not known, are
    /// passed over. Repeating it is harmless.
    async fn acknowledge(&self, receipts: Vec<Receipt>) -> Result<(), PortError>;

    /// These cannot be handled yet: hand them out again when `pause` is over, not before.
    ///
    /// # Contract
    ///
    /// Holds nobody else up. Unknown receipts are passed over. Where its effect is unknown the messages come
    /// again when their time is over.
    async fn postpone(&self, receipts: Vec<Receipt>, pause: Duration) -> Result<(), PortError>;

    /// This one is given up after so many attempts: it becomes a dead letter of the group.
    ///
    /// # Contract
    ///
    /// It comes no more, and is listed with the error for at least [`LETTERS_KEPT`]. The same message twice
    /// is one letter, the later one. An unknown receipt is passed over.
    async fn bury(&self, receipt: Receipt, error: Reason, attempts: u32) -> Result<(), PortError>;

    /// The dead letters of the group, the oldest first, at most `limit`.
    ///
    /// # Contract
    ///
    /// Gives what was put aside and neither redriven nor discarded.
    async fn buried(&self, limit: usize) -> Result<Vec<BuriedMessage>, PortError>;

    /// Hands a dead letter out again, to this group alone; whether there is one.
    ///
    /// # Contract
    ///
    /// The letter is gone and the message comes again, both or neither.
    async fn redrive(&self, message: EventId) -> Result<bool, PortError>;

    /// Forgets a dead letter; whether there was one.
    ///
    /// # Contract
    ///
    /// Repeating it is harmless.
    async fn discard(&self, message: EventId) -> Result<bool, PortError>;
}
