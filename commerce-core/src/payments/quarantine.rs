//! Callbacks that were not accepted, kept with the reason so that somebody can look at them.
//!
//! Kept are a digest, the size and, for a message whose origin was proved, its ids: never the body, which
//! anybody may have written and which may hold personal data. The id follows from gateway and body, so that
//! a message that is sent again and again is kept once.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event_types;
use crate::kernel::aggregate::{Aggregate, Command, EvolveError, Permission};
use crate::port::payment::CallbackFact;
use crate::value::id::{Id, PaymentId};
use crate::value::time::Timestamp;

/// The namespace of digests.
const DIGESTS: Uuid = Uuid::from_u128(0x90a2_a171_0000_5000_8000_0000_0000_0001);
/// The longest name of a gateway that is kept, in bytes; it comes from a URL that anybody can call.
const MAX_PROVIDER: usize = 64;

/// Why a callback was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineReason {
    /// The signature is missing or wrong.
    Signature,
    /// It cannot be read.
    Malformed,
    /// It is longer than is looked at.
    TooLong,
    /// It is about no payment of this shop, or not yet.
    UnknownPayment,
    /// It does not fit the payment: another amount, currency or charge.
    Mismatch,
    /// Its id was used for another message.
    MessageReused,
}

impl QuarantineReason {
    /// As a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Malformed => "malformed",
            Self::TooLong => "too_long",
            Self::UnknownPayment => "unknown_payment",
            Self::Mismatch => "mismatch",
            Self::MessageReused => "message_reused",
        }
    }
}

/// A callback that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantinedCallback {
    entry: QuarantineEntry,
}

/// What is kept of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineEntry {
    /// The gateway that it was sent to.
    pub provider: Arc<str>,
    /// Why it was not accepted.
    pub reason: QuarantineReason,
    /// Of the body: UUID version 5.
    pub digest: Uuid,
    /// The size of the body, in bytes.
    pub size: u64,
    /// The gateway's id of the message, where its origin was proved.
    pub message: Option<Arc<str>>,
    /// The payment that it names, where its origin was proved.
    pub payment: Option<PaymentId>,
}

impl QuarantineEntry {
    /// What is kept of a message.
    pub fn new(provider: &str, reason: QuarantineReason, body: &[u8], fact: Option<&CallbackFact>) -> Self {
        let provider: String = provider.chars().take(MAX_PROVIDER).collect();
        Self {
            provider: provider.into(),
            reason,
            digest: Uuid::new_v5(&DIGESTS, body),
            size: body.len() as u64,
            message: fact.map(|fact| fact.event.clone()),
            payment: fact.and_then(|fact| fact.payment),
        }
    }

    /// The id under which it is kept.
    pub fn id(&self) -> Id<QuarantinedCallback> {
        Id::derived(self.digest, format!("{}:{:?}", self.provider, self.reason).as_bytes())
    }
}

impl QuarantinedCallback {
    /// What is kept of it.
    pub const fn entry(&self) -> &QuarantineEntry {
        &self.entry
    }
}

/// Asks something of the quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum QuarantineCommand {
    /// Keeps a message. Repeating it is a no-op.
    Keep {
        /// What is kept.
        entry: QuarantineEntry,
    },
}

impl Command for QuarantineCommand {
    type Target = QuarantinedCallback;

    fn permission(&self) -> Permission {
        Permission::new("payment", "record")
    }
}

/// A fact about the quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum QuarantineEvent {
    /// A message was kept.
    Kept {
        /// What is kept.
        entry: QuarantineEntry,
    },
}

event_types! { QuarantineEvent { Kept => "PaymentCallbackQuarantined" v1 } }

/// The quarantine refuses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuarantineError {}

impl Aggregate for QuarantinedCallback {
    const NAME: &'static str = "quarantined_callback";
    type Root = Self;
    type Command = QuarantineCommand;
    type Event = QuarantineEvent;
    type Error = QuarantineError;

    fn decide(
        state: Option<&Self>,
        command: QuarantineCommand,
        _now: Timestamp,
    ) -> Result<Vec<QuarantineEvent>, QuarantineError> {
        let QuarantineCommand::Keep { entry } = command;
        Ok(if state.is_some() { Vec::new() } else { vec![QuarantineEvent::Kept { entry }] })
    }

    fn evolve(_state: Option<Self>, event: &QuarantineEvent) -> Result<Self, EvolveError> {
        let QuarantineEvent::Kept { entry } = event;
        Ok(Self { entry: entry.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_kept_once_and_without_its_body() {
        let entry = QuarantineEntry::new("acme", QuarantineReason::Signature, b"card 4111", None);
        let again = QuarantineEntry::new("acme", QuarantineReason::Signature, b"card 4111", None);
        assert_eq!(entry.id(), again.id());
        let keep = QuarantineCommand::Keep { entry: entry.clone() };
        let events = QuarantinedCallback::decide(None, keep.clone(), Timestamp::UNIX_EPOCH).unwrap();
        assert!(!serde_json::to_string(&events).unwrap().contains("4111"));
        let kept = QuarantinedCallback::evolve(None, &events[0]).unwrap();
        assert_eq!(QuarantinedCallback::decide(Some(&kept), keep, Timestamp::UNIX_EPOCH), Ok(Vec::new()));
    }
}
