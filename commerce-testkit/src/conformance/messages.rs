//! What the contracts of `Notifier` and `Publisher` say, as named checks.

use std::fmt;
use std::sync::Arc;

use commerce_core::kernel::event::EventId;
use commerce_core::port::notifier::{Contact, Notice, Notifier, NotifierError};
use commerce_core::port::payment::IdempotencyKey;
use commerce_core::port::publisher::{MAX_BATCH, Outgoing, PublishError, Publisher};
use commerce_core::value::id::SubjectId;
use commerce_core::value::{Channel, Code, Email};
use uuid::Uuid;

use super::outcome::{Failure, Outcome, equal, holds, present};
use super::suite::{PortCheck, PortFixture, port_checks};

/// A provider of messages under test.
#[derive(Clone)]
pub struct NotifierFixture {
    notifier: Arc<dyn Notifier>,
    channel: Channel,
    template: Code,
    run: Uuid,
    sent: Option<Arc<dyn Fn() -> usize + Send + Sync>>,
    unwilling: Option<Email>,
}

impl NotifierFixture {
    /// A sandbox that sends messages of this template on this channel. `run` tells this run from others.
    pub fn new(notifier: impl Notifier, channel: Channel, template: Code, run: Uuid) -> Self {
        Self { notifier: Arc::new(notifier), channel, template, run, sent: None, unwilling: None }
    }

    /// How many messages it has really sent.
    #[must_use]
    pub fn counting(mut self, sent: impl Fn() -> usize + Send + Sync + 'static) -> Self {
        self.sent = Some(Arc::new(sent));
        self
    }

    /// A recipient who does not want messages, or cannot get any.
    #[must_use]
    pub fn with_unwilling(mut self, recipient: Email) -> Self {
        self.unwilling = Some(recipient);
        self
    }

    fn notice(&self, name: &str, to: Option<Email>) -> Result<Notice, Failure> {
        let willing = Email::new("reader@example.com").map_err(|error| Failure::new(error.to_string()))?;
        Ok(Notice {
            key: IdempotencyKey(format!("{}-{name}", self.run).into()),
            channel: self.channel,
            template: self.template.clone(),
            subject: SubjectId::derived(self.run, name.as_bytes()),
            contact: Contact { email: Some(to.unwrap_or(willing)), phone: None },
            data: std::collections::BTreeMap::new(),
        })
    }
}

impl fmt::Debug for NotifierFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotifierFixture").field("notifier", &self.notifier).finish_non_exhaustive()
    }
}

impl PortFixture for NotifierFixture {
    fn unmet(&self, check: &str) -> Option<&'static str> {
        match check {
            "notifier_other_key_sends_again" if self.sent.is_none() => {
                Some("the fixture does not count what is sent")
            }
            "notifier_refusal_is_final" if self.unwilling.is_none() => {
                Some("the fixture knows nobody who cannot be written to")
            }
            _ => None,
        }
    }
}

impl From<NotifierError> for Failure {
    fn from(error: NotifierError) -> Self {
        Self::new(format!("a message that must be taken was not: {error} ({error:?})"))
    }
}

async fn notifier_serves_its_channel(f: &NotifierFixture) -> Outcome {
    holds("it serves its channel", f.notifier.serves(f.channel))?;
    f.notifier.send(f.notice("served", None)?).await?;
    holds("and goes on to", f.notifier.serves(f.channel))
}

async fn notifier_same_key_sends_once(f: &NotifierFixture) -> Outcome {
    let notice = f.notice("once", None)?;
    let before = f.sent.as_ref().map(|sent| sent());
    let first = f.notifier.send(notice.clone()).await?;
    equal("the second answer under one key", f.notifier.send(notice).await?, first)?;
    let after = f.sent.as_ref().map(|sent| sent());
    match (before, after) {
        (Some(before), Some(after)) => equal("messages that were sent", after, before.saturating_add(1)),
        _ => Ok(()),
    }
}

async fn notifier_other_key_sends_again(f: &NotifierFixture) -> Outcome {
    let sent = present("a count of what is sent", f.sent.as_ref())?;
    let before = sent();
    f.notifier.send(f.notice("one", None)?).await?;
    f.notifier.send(f.notice("another", None)?).await?;
    equal("messages that were sent", sent(), before.saturating_add(2))
}

async fn notifier_refusal_is_final(f: &NotifierFixture) -> Outcome {
    let unwilling = present("a recipient who cannot be written to", f.unwilling.as_ref())?;
    let notice = f.notice("unwanted", Some(unwilling.clone()))?;
    let before = f.sent.as_ref().map(|sent| sent());
    for _ in 0..2 {
        let refused = f.notifier.send(notice.clone()).await;
        let Err(NotifierError::Unwanted(reason) | NotifierError::Undeliverable(reason)) = &refused else {
            return Err(Failure::new(format!("whoever cannot be written to came to {refused:?}")));
        };
        let (local, _) = present("a local part", unwilling.as_str().split_once('@'))?;
        holds("the reason holds no part of the address", !reason.as_str().contains(local))?;
    }
    equal("messages that were sent", f.sent.as_ref().map(|sent| sent()), before)
}

/// A broker under test.
#[derive(Clone)]
pub struct PublisherFixture {
    publisher: Arc<dyn Publisher>,
    run: Uuid,
    taken: Arc<dyn Fn() -> Vec<EventId> + Send + Sync>,
}

impl PublisherFixture {
    /// A broker, and what a reader of it has seen, in order. `run` tells this run from others.
    pub fn new(
        publisher: impl Publisher,
        run: Uuid,
        taken: impl Fn() -> Vec<EventId> + Send + Sync + 'static,
    ) -> Self {
        Self { publisher: Arc::new(publisher), run, taken: Arc::new(taken) }
    }

    fn batch(&self, ordering: &str, count: usize) -> Vec<Outgoing> {
        let message = |number: usize| Outgoing {
            id: EventId::derived(self.run, format!("{ordering} {number}").as_bytes()),
            topic: "order-events".into(),
            key: "order.created".into(),
            ordering: ordering.into(),
            body: format!("{{\"number\":{number}}}").into_bytes().into(),
        };
        (0..count).map(message).collect()
    }

    /// What a reader has seen of these, each once.
    fn seen(&self, batch: &[Outgoing]) -> Vec<EventId> {
        let mut seen = Vec::new();
        for id in (self.taken)() {
            if batch.iter().any(|message| message.id == id) && !seen.contains(&id) {
                seen.push(id);
            }
        }
        seen
    }
}

impl fmt::Debug for PublisherFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublisherFixture").field("publisher", &self.publisher).finish_non_exhaustive()
    }
}

impl PortFixture for PublisherFixture {}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        Self::new(format!("a batch that must be taken was not: {error}"))
    }
}

fn ids(batch: &[Outgoing]) -> Vec<EventId> {
    batch.iter().map(|message| message.id).collect()
}

async fn publisher_takes_a_whole_batch(f: &PublisherFixture) -> Outcome {
    let batch = f.batch("whole", MAX_BATCH);
    f.publisher.publish(batch.clone()).await?;
    let (mut seen, mut all) = (f.seen(&batch), ids(&batch));
    seen.sort_unstable();
    all.sort_unstable();
    equal("messages that were taken", seen, all)
}

async fn publisher_keeps_the_order(f: &PublisherFixture) -> Outcome {
    let batch = f.batch("ordered", 30);
    for part in batch.chunks(7) {
        f.publisher.publish(part.to_vec()).await?;
    }
    equal("messages with one ordering", f.seen(&batch), ids(&batch))
}

async fn publisher_takes_a_message_again(f: &PublisherFixture) -> Outcome {
    let batch = f.batch("again", 3);
    f.publisher.publish(batch.clone()).await?;
    f.publisher.publish(batch.clone()).await?;
    equal("messages, each once by its id", f.seen(&batch), ids(&batch))
}

async fn publisher_takes_nothing_of_nothing(f: &PublisherFixture) -> Outcome {
    let before = (f.taken)().len();
    f.publisher.publish(Vec::new()).await?;
    equal("messages behind an empty batch", (f.taken)().len(), before)
}

/// The checks of the `Notifier` port, one per clause.
pub fn notifier_checks() -> Vec<PortCheck<NotifierFixture>> {
    port_checks! { []
        { self notifier_serves_its_channel "serves: constant." }
        { self notifier_same_key_sends_once "send: the same key again sends nothing more and answers like the first time." }
        { self notifier_other_key_sends_again "send: another key is another message." }
        { self notifier_refusal_is_final "send: `Unwanted` and `Undeliverable` are final; nothing was sent; no part of an address is told." }
    }
}

/// The checks of the `Publisher` port, one per clause.
pub fn publisher_checks() -> Vec<PortCheck<PublisherFixture>> {
    port_checks! { []
        { self publisher_takes_a_whole_batch "publish: success means that the broker has every message." }
        { self publisher_keeps_the_order "publish: messages with the same `ordering` appear in their order." }
        { self publisher_takes_a_message_again "publish: what was handed over is handed over again, under the same id." }
        { self publisher_takes_nothing_of_nothing "publish: an empty batch is nothing." }
    }
}
