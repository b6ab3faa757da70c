//! What the contract of `Subscriber` says, as named checks.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use commerce_core::kernel::event::EventId;
use commerce_core::port::publisher::{Outgoing, Publisher};
use commerce_core::port::subscriber::{Incoming, MAX_RECEIVED, Subscriber};
use commerce_core::value::Reason;
use uuid::Uuid;

use super::outcome::{Failure, Outcome, equal, holds, present};
use super::suite::{PortCheck, PortFixture, port_checks};

type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A broker under test, with two groups of one topic: `order-events`.
#[derive(Clone)]
pub struct SubscriberFixture {
    publisher: Arc<dyn Publisher>,
    members: [Arc<dyn Subscriber>; 2],
    other: Arc<dyn Subscriber>,
    own: Duration,
    run: Uuid,
    wait: Arc<dyn Fn(Duration) -> Waiting + Send + Sync>,
}

impl SubscriberFixture {
    /// Two members of one group, and one of another; both groups are new, and read `order-events`. A message
    /// is a member's own for `own`; `wait` lets that much time go by for the broker. `run` tells this run
    /// from others.
    pub fn new<W: Future<Output = ()> + Send + 'static>(
        publisher: impl Publisher,
        members: [Arc<dyn Subscriber>; 2],
        other: Arc<dyn Subscriber>,
        (own, run): (Duration, Uuid),
        wait: impl Fn(Duration) -> W + Send + Sync + 'static,
    ) -> Self {
        let wait = Arc::new(move |span| -> Waiting { Box::pin(wait(span)) });
        Self { publisher: Arc::new(publisher), members, other, own, run, wait }
    }

    fn message(&self, number: usize, topic: &str) -> Outgoing {
        Outgoing {
            id: EventId::derived(self.run, format!("{topic} {number}").as_bytes()),
            topic: topic.into(),
            key: "order.placed".into(),
            ordering: format!("order:{}", number % 3).into(),
            body: format!("{{\"number\":{number}}}").into_bytes().into(),
        }
    }

    async fn publish(&self, count: usize) -> Result<Vec<Outgoing>, Failure> {
        let batch: Vec<Outgoing> = (0..count).map(|number| self.message(number, "order-events")).collect();
        self.publisher.publish(batch.clone()).await?;
        Ok(batch)
    }

    /// Hands everything out that there is to a member, acknowledging it.
    async fn drain(&self, member: &Arc<dyn Subscriber>) -> Result<Vec<Outgoing>, Failure> {
        let mut all = Vec::new();
        loop {
            let received = member.receive(MAX_RECEIVED).await?;
            if received.is_empty() {
                return Ok(all);
            }
            member.acknowledge(received.iter().map(|incoming| incoming.receipt.clone()).collect()).await?;
            all.extend(received.into_iter().map(|incoming| incoming.message));
        }
    }

    async fn one(&self) -> Result<Incoming, Failure> {
        self.publish(1).await?;
        let received = self.members[0].receive(10).await?;
        equal("messages", received.len(), 1)?;
        present("the message", received.into_iter().next())
    }

    async fn put_one_aside(&self) -> Result<Outgoing, Failure> {
        let incoming = self.one().await?;
        self.members[0].bury(incoming.receipt, Reason::lossy("no such product"), 4).await?;
        Ok(incoming.message)
    }
}

impl fmt::Debug for SubscriberFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriberFixture").field("members", &self.members).finish_non_exhaustive()
    }
}

impl PortFixture for SubscriberFixture {}

async fn subscriber_gets_everything_in_order(f: &SubscriberFixture) -> Outcome {
    let sent = f.publish(250).await?;
    equal("messages", f.drain(&f.members[0]).await?, sent)
}

async fn subscriber_hands_out_no_more_than_asked(f: &SubscriberFixture) -> Outcome {
    let sent = f.publish(MAX_RECEIVED.saturating_add(50)).await?;
    let few = f.members[0].receive(7).await?;
    equal("messages of seven", few.len(), 7)?;
    let many = f.members[0].receive(usize::MAX).await?;
    equal("messages of as many as there are", many.len(), MAX_RECEIVED)?;
    let rest = f.members[0].receive(MAX_RECEIVED).await?;
    let all = [few, many, rest].concat();
    equal("all of them", all.into_iter().map(|incoming| incoming.message).collect::<Vec<_>>(), sent)?;
    holds("none where there are none", f.members[0].receive(5).await?.is_empty())
}

async fn subscriber_reads_its_topics_only(f: &SubscriberFixture) -> Outcome {
    f.publisher.publish(vec![f.message(1, "catalog-events")]).await?;
    let sent = f.publish(1).await?;
    equal("messages", f.drain(&f.members[0]).await?, sent)
}

async fn subscriber_groups_get_each_message(f: &SubscriberFixture) -> Outcome {
    let sent = f.publish(20).await?;
    equal("messages of the one group", f.drain(&f.members[0]).await?, sent.clone())?;
    equal("messages of the other", f.drain(&f.other).await?, sent)
}

async fn subscriber_members_share(f: &SubscriberFixture) -> Outcome {
    let sent = f.publish(20).await?;
    let mut all = Vec::new();
    for member in f.members.iter().cycle().take(4) {
        let received = member.receive(5).await?;
        all.extend(received.into_iter().map(|incoming| incoming.message));
    }
    equal("messages of both", all, sent)?;
    holds("no message is left", f.members[0].receive(5).await?.is_empty())
}

async fn subscriber_lost_messages_come_again(f: &SubscriberFixture) -> Outcome {
    let first = f.one().await?;
    equal("deliveries", first.deliveries, 1)?;
    holds("it is the member's own", f.members[1].receive(5).await?.is_empty())?;
    (f.wait)(f.own).await;
    let again = f.members[1].receive(5).await?;
    let again = present("the message once more", again.first())?;
    equal("the message", &again.message, &first.message)?;
    equal("deliveries", again.deliveries, 2)
}

async fn subscriber_acknowledged_messages_do_not(f: &SubscriberFixture) -> Outcome {
    let first = f.one().await?;
    for _ in 0..2 {
        f.members[0].acknowledge(vec![first.receipt.clone(), "unknown".into()]).await?;
    }
    (f.wait)(f.own).await;
    holds("it does not come again", f.members[0].receive(5).await?.is_empty())
}

async fn subscriber_postponed_messages_wait(f: &SubscriberFixture) -> Outcome {
    let first = f.one().await?;
    let pause = f.own.saturating_mul(3);
    f.members[0].postpone(vec![first.receipt, "unknown".into()], pause).await?;
    (f.wait)(f.own.saturating_mul(2)).await;
    holds("not before its pause is over", f.members[0].receive(5).await?.is_empty())?;
    (f.wait)(f.own).await;
    let again = f.members[0].receive(5).await?;
    equal("messages behind it", again.len(), 1)?;
    let short = again.into_iter().next().map(|incoming| incoming.receipt);
    f.members[0].postpone(short.into_iter().collect(), Duration::ZERO).await?;
    equal("messages without a pause", f.members[1].receive(5).await?.len(), 1)
}

async fn subscriber_keeps_what_is_put_aside(f: &SubscriberFixture) -> Outcome {
    let message = f.put_one_aside().await?;
    f.members[0].bury("unknown".into(), Reason::lossy("nothing"), 1).await?;
    (f.wait)(f.own).await;
    holds("it comes no more", f.members[0].receive(5).await?.is_empty())?;
    let letters = f.members[1].buried(10).await?;
    equal("letters", letters.len(), 1)?;
    let letter = present("the letter", letters.first())?;
    equal("the message", &letter.message, &message)?;
    equal("the error", letter.error.as_str(), "no such product")?;
    equal("the attempts", letter.attempts, 4)?;
    holds("first and last time", letter.first <= letter.last)?;
    holds("the other group has none", f.other.buried(10).await?.is_empty())
}

async fn subscriber_redrives_to_its_group(f: &SubscriberFixture) -> Outcome {
    let message = f.put_one_aside().await?;
    f.drain(&f.other).await?;
    holds("there is one", f.members[1].redrive(message.id).await?)?;
    holds("and then none", !f.members[1].redrive(message.id).await?)?;
    holds("the letter is gone", f.members[0].buried(10).await?.is_empty())?;
    holds("the other group gets nothing", f.other.receive(5).await?.is_empty())?;
    let again = f.members[0].receive(5).await?;
    equal("the message", again.first().map(|incoming| &incoming.message), Some(&message))?;
    let receipt = again.into_iter().map(|incoming| incoming.receipt).collect();
    f.members[0].acknowledge(receipt).await?;
    (f.wait)(f.own).await;
    holds("it is done", f.members[0].receive(5).await?.is_empty())
}

async fn subscriber_discards(f: &SubscriberFixture) -> Outcome {
    let message = f.put_one_aside().await?;
    holds("there was one", f.members[0].discard(message.id).await?)?;
    holds("and then none", !f.members[0].discard(message.id).await?)?;
    holds("the letter is gone", f.members[0].buried(10).await?.is_empty())?;
    holds("it cannot be redriven", !f.members[0].redrive(message.id).await?)
}

/// The checks of the `Subscriber` port, one per clause.
pub fn subscriber_checks() -> Vec<PortCheck<SubscriberFixture>> {
    port_checks! { []
        { self subscriber_gets_everything_in_order "receive: a new group begins with the oldest message; new messages come in their order." }
        { self subscriber_hands_out_no_more_than_asked "receive: at most `limit` and `MAX_RECEIVED`; none where there are none." }
        { self subscriber_reads_its_topics_only "receive: messages of the topics." }
        { self subscriber_groups_get_each_message "receive: each message is handed out to one member of each group." }
        { self subscriber_members_share "receive: a message is handed out to one member." }
        { self subscriber_lost_messages_come_again "receive: what is neither acknowledged nor put aside comes again, to any member." }
        { self subscriber_acknowledged_messages_do_not "acknowledge: they do not come again; unknown receipts are passed over; repeating is harmless." }
        { self subscriber_postponed_messages_wait "postpone: they come again when the pause is over, not before." }
        { self subscriber_keeps_what_is_put_aside "bury: it comes no more, and is listed with error, attempts, first and last time." }
        { self subscriber_redrives_to_its_group "redrive: the letter is gone and the message comes again, to this group alone." }
        { self subscriber_discards "discard: the letter is gone; whether there was one." }
    }
}
