//! Sending the messages that are due, each once as far as its provider keeps to the key.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use super::commerce::Commerce;
use super::error::CommandError;
use super::reading::Ask;
use crate::customers::{Customer, CustomerStatus};
use crate::kernel::error::{Effect, PortErrorKind};
use crate::notifications::{Message, Notification, NotificationCommand, NotificationError, Status};
use crate::orders::Order;
use crate::port::notifier::{Contact, Notice, Notifier, NotifierError};
use crate::port::payment::IdempotencyKey;
use crate::value::id::{NotificationId, OrderId};
use crate::value::{Code, Reason};

/// How long an attempt may take before somebody else makes the next one.
const ATTEMPT: Duration = Duration::from_secs(60);
/// The value of a message that names the order it is about.
const ORDER: &str = "order";

/// Where a recipient stands.
enum Recipient {
    Known(Contact),
    Gone,
}

impl Commerce {
    /// With a provider that brings messages to people; of several that serve a channel the first is asked.
    ///
    /// Without any, messages stay queued until a worker that has one takes them.
    #[must_use]
    pub fn with_notifier(self, notifier: impl Notifier) -> Self {
        self.with_shared_notifier(Arc::new(notifier))
    }

    /// One attempt at a message that is due. The attempt is written down before the provider is called, its
    /// outcome behind it; a worker that dies in between leaves an attempt that another one takes up, under
    /// the same key.
    pub(super) async fn send_notification(
        &self,
        id: NotificationId,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let known = self.read::<Notification>(id).await?;
        let Some(known) = known.state.as_ref().filter(|known| known.is_open()) else { return Ok(()) };
        let message = known.message();
        let Some(notifier) = self.notifier(message.channel) else {
            // Another process may have one; the timer comes back when its lease ends.
            return Err("no notifier serves the channel".into());
        };
        let Recipient::Known(contact) = self.recipient(message).await? else {
            let reason = Reason::lossy("the recipient is gone");
            return self.note(id, NotificationCommand::Suppress { reason }).await;
        };
        let until = self.now().plus(ATTEMPT);
        let started = self.execute(id, NotificationCommand::StartSending { until }).await;
        match started {
            Ok(_) => {}
            // Somebody else was faster, or it came to its end in the meantime.
            Err(CommandError::Rejected(
                NotificationError::BeingSent { .. }
                | NotificationError::NotDue { .. }
                | NotificationError::IllegalTransition { .. },
            )) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let attempt = self.read::<Notification>(id).await?;
        let Some(attempt) = attempt.state.as_ref().filter(|known| known.status() == Status::Sending) else {
            return Ok(());
        };
        let notice = Notice {
            key: IdempotencyKey(format!("notification/{id}").into()),
            channel: message.channel,
            template: message.template.clone(),
            subject: message.subject,
            contact,
            data: message.data.clone(),
        };
        let outcome = notifier.send(notice).await;
        self.note(id, outcome_of(attempt.attempts(), outcome)).await
    }

    /// Writes down what came of it; what was written down before by somebody else stays.
    async fn note(
        &self,
        id: NotificationId,
        command: NotificationCommand,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        match self.execute(id, command).await {
            Ok(_) | Err(CommandError::Rejected(NotificationError::IllegalTransition { .. })) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Where a recipient can be reached: a customer by their account, a guest by what their order says.
    async fn recipient(&self, message: &Message) -> Result<Recipient, Box<dyn Error + Send + Sync>> {
        let order = message.data.iter().find(|(name, _)| name.as_str() == ORDER);
        let order = order.and_then(|(_, value)| value.as_str().parse::<OrderId>().ok());
        let customer = self.shared.cache.peek::<Customer>(message.subject.cast());
        let order = order.map(|order| self.shared.cache.peek::<Order>(order));
        let mut ask = Ask::default();
        ask.stream(&customer);
        if let Some(order) = &order {
            ask.stream(order);
        }
        let answer = self.ask(ask).await?;
        if let Some(customer) = &answer.fold_shared(customer)?.state {
            return Ok(match customer.status() {
                CustomerStatus::Erased => Recipient::Gone,
                _ => Recipient::Known(Contact {
                    email: customer.email().cloned(),
                    phone: customer.phone().cloned(),
                }),
            });
        }
        let order = order.map(|order| answer.fold_shared(order)).transpose()?;
        let content = order.as_ref().and_then(|order| order.state.as_ref()).map(Order::content);
        Ok(match content.and_then(|content| content.email.as_ref()) {
            Some(email) if email.get().is_none() => Recipient::Gone,
            email => {
                Recipient::Known(Contact { email: email.and_then(|email| email.get().cloned()), phone: None })
            }
        })
    }
}

fn outcome_of(attempt: u8, outcome: Result<Option<Code>, NotifierError>) -> NotificationCommand {
    match outcome {
        Ok(reference) => NotificationCommand::RecordSent { attempt, reference },
        Err(NotifierError::Unwanted(reason)) => NotificationCommand::Suppress { reason },
        Err(NotifierError::Undeliverable(reason)) => NotificationCommand::RecordBounced { reason },
        Err(NotifierError::Port(error)) => {
            let what = match (error.kind, error.effect) {
                (PortErrorKind::Throttled, _) => "the provider asks for fewer messages",
                (_, Effect::None) => "the provider did not take it",
                (_, Effect::Unknown) => "the provider may have taken it",
            };
            NotificationCommand::RecordFailed { attempt, reason: Reason::lossy(what) }
        }
    }
}
