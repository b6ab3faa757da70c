//! Providers that bring messages to people.

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;

use super::payment::IdempotencyKey;
use crate::kernel::error::PortError;
use crate::value::id::SubjectId;
use crate::value::{Channel, Code, Email, Phone, Reason};

/// Where a person can be reached, as far as the shop knows. Never stored with the message, and not shown by
/// `Debug`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// Their e-mail address.
    pub email: Option<Email>,
    /// Their telephone number.
    pub phone: Option<Phone>,
}

impl Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |known: bool| if known { "***" } else { "none" };
        f.debug_struct("Contact")
            .field("email", &shown(self.email.is_some()))
            .field("phone", &shown(self.phone.is_some()))
            .finish()
    }
}

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Every attempt at this message bears the same key.
    pub key: IdempotencyKey,
    /// How it reaches the recipient.
    pub channel: Channel,
    /// The template that gives it its text.
    pub template: Code,
    /// The recipient.
    pub subject: SubjectId,
    /// Where they can be reached.
    pub contact: Contact,
    /// What the template needs.
    pub data: BTreeMap<Code, Code>,
}

/// A provider does not take a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotifierError {
    /// The recipient does not want such messages.
    #[error("the recipient does not want it: {0}")]
    Unwanted(Reason),
    /// It can never be delivered as it is.
    #[error("it cannot be delivered: {0}")]
    Undeliverable(Reason),
    /// The call failed; whether it had its effect is said there.
    #[error("the notifier failed")]
    Port(#[from] PortError),
}

/// Brings messages to people.
#[async_trait]
pub trait Notifier: Debug + Send + Sync + 'static {
    /// Whether it serves this channel.
    ///
    /// # Contract
    ///
    /// Constant. Of several notifiers that serve a channel the first is asked.
    fn serves(&self, channel: Channel) -> bool;

    /// Hands a message to the provider; gives the provider's name for it.
    ///
    /// # Contract
    ///
    /// The same key again sends nothing more and answers like the first time: an attempt whose outcome is
    /// unknown is repeated under it. `Unwanted` and `Undeliverable` are final, and nothing was sent. A
    /// reason holds no part of an address.
    async fn send(&self, notice: Notice) -> Result<Option<Code>, NotifierError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_shows_only_that_there_is_one() {
        let email = Email::new("anna@example.com").unwrap();
        let contact = Contact { email: Some(email), phone: None };
        assert_eq!(format!("{contact:?}"), "Contact { email: \"***\", phone: \"none\" }");
    }
}
