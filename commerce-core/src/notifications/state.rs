//! Where a notification stands.

use serde::{Deserialize, Serialize};

/// The states of a notification and what leads from one to the next (see [`TRANSITIONS`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// To be sent when it is due.
    Queued,
    /// A worker is sending it.
    Sending,
    /// The provider has taken it.
    Sent,
    /// It reached the recipient.
    Delivered,
    /// It came back.
    Bounced,
    /// No attempt is left.
    Dead,
    /// The recipient does not want it or is gone.
    Suppressed,
}

/// From, command, to: the table that the documentation is made from.
///
/// The provider may report before the worker does, and of an attempt that was given up.
pub const TRANSITIONS: &[(&str, &str, &str)] = &[
    ("–", "Queue", "Queued"),
    ("Queued", "StartSending", "Sending"),
    ("Queued", "Suppress", "Suppressed"),
    ("Sending", "Suppress", "Suppressed"),
    ("Sending", "RecordSent", "Sent"),
    ("Queued", "RecordSent", "Sent"),
    ("Dead", "RecordSent", "Sent"),
    ("Sending", "RecordFailed", "Queued"),
    ("Sending", "RecordFailed", "Dead"),
    ("Sending", "StartSending", "Dead"),
    ("Sending", "RecordDelivered", "Delivered"),
    ("Sent", "RecordDelivered", "Delivered"),
    ("Queued", "RecordDelivered", "Delivered"),
    ("Dead", "RecordDelivered", "Delivered"),
    ("Sending", "RecordBounced", "Bounced"),
    ("Sent", "RecordBounced", "Bounced"),
    ("Queued", "RecordBounced", "Bounced"),
    ("Dead", "RecordBounced", "Bounced"),
    ("Delivered", "RecordBounced", "Bounced"),
];
