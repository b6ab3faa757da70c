//! The fakes of notifier and publisher keep the contracts of their ports, and the checks bite.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use async_trait::async_trait;
use commerce_core::port::notifier::{Notice, Notifier, NotifierError};
use commerce_core::port::payment::IdempotencyKey;
use commerce_core::port::publisher::{Outgoing, PublishError, Publisher};
use commerce_core::value::{Channel, Code, Email, Reason};
use commerce_testkit::conformance::{
    NotifierFixture, PortCheck, PortFixture, PublisherFixture, Verdict, notifier_checks, port,
    publisher_checks, run_port,
};
use commerce_testkit::fake::{Broker, Outbox};
use pollster::block_on;
use uuid::Uuid;

fn unwilling() -> Email {
    Email::new("leave.me.alone@example.com").unwrap()
}

/// How a provider or a broker is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    ServesOnce,
    SendsAgain,
    SendsOneOnly,
    TellsTheAddress,
    DropsTheLast,
    Shuffles,
    RefusesRepeats,
    SendsNothing,
}

/// Writes to everybody but one.
#[derive(Debug)]
struct Sandbox(Outbox, Option<Flaw>);

#[async_trait]
impl Notifier for Sandbox {
    fn serves(&self, channel: Channel) -> bool {
        self.0.serves(channel) && !(self.1 == Some(Flaw::ServesOnce) && self.0.calls() > 0)
    }

    async fn send(&self, mut notice: Notice) -> Result<Option<Code>, NotifierError> {
        if notice.contact.email == Some(unwilling()) {
            let told = if self.1 == Some(Flaw::TellsTheAddress) { "leave.me.alone" } else { "opted out" };
            return Err(NotifierError::Unwanted(Reason::lossy(told)));
        }
        match self.1 {
            Some(Flaw::SendsAgain) => {
                notice.key = IdempotencyKey(format!("{} {}", notice.key.0, self.0.calls()).into());
            }
            Some(Flaw::SendsOneOnly) => notice.key = IdempotencyKey("the only one".into()),
            _ => {}
        }
        self.0.send(notice).await
    }
}

fn notifier(flaw: Option<Flaw>) -> NotifierFixture {
    let outbox = Outbox::taking();
    let sent = outbox.clone();
    let template = Code::new("order-confirmed").unwrap();
    NotifierFixture::new(Sandbox(outbox, flaw), Channel::Email, template, Uuid::nil())
        .counting(move || sent.taken().len())
        .with_unwilling(unwilling())
}

/// A broker in front of which something is broken.
#[derive(Debug)]
struct Bus(Broker, Option<Flaw>);

#[async_trait]
impl Publisher for Bus {
    async fn publish(&self, mut batch: Vec<Outgoing>) -> Result<(), PublishError> {
        match self.1 {
            Some(Flaw::DropsTheLast) => drop(batch.pop()),
            Some(Flaw::Shuffles) => batch.reverse(),
            Some(Flaw::RefusesRepeats) => {
                let known: BTreeSet<_> = self.0.taken().into_iter().map(|message| message.id).collect();
                if let Some(again) = batch.iter().find(|message| known.contains(&message.id)) {
                    self.0.refuse(again.id);
                }
            }
            Some(Flaw::SendsNothing) if batch.is_empty() => {
                let message = Outgoing {
                    id: commerce_core::kernel::event::EventId::derived(Uuid::nil(), b"nothing"),
                    topic: "".into(),
                    key: "".into(),
                    ordering: "".into(),
                    body: (*b"{}").into(),
                };
                batch.push(message);
            }
            _ => {}
        }
        self.0.publish(batch).await
    }
}

fn publisher(flaw: Option<Flaw>) -> PublisherFixture {
    let broker = Broker::default();
    let taken = broker.clone();
    PublisherFixture::new(Bus(broker, flaw), Uuid::nil(), move || {
        taken.taken().into_iter().map(|message| message.id).collect()
    })
}

#[test]
fn the_fakes_conform() {
    let of_notifiers = block_on(port(notifier_checks(), || async { notifier(None) }));
    of_notifiers.assert();
    assert!(of_notifiers.skipped().is_empty());
    block_on(port(publisher_checks(), || async { publisher(None) })).assert();
}

/// Every check has its break here, and finds it.
fn each_is_caught<F: PortFixture, const N: usize>(
    checks: &[PortCheck<F>],
    breaks: [(&str, Flaw); N],
    broken: fn(Option<Flaw>) -> F,
) {
    assert_eq!(checks.iter().map(|check| check.name).collect::<Vec<_>>(), breaks.map(|(name, _)| name));
    for (check, (name, flaw)) in checks.iter().zip(breaks) {
        let verdict = block_on(run_port(check, &|| async move { broken(Some(flaw)) }));
        assert!(matches!(verdict, Verdict::Failed(_)), "{name}: {verdict:?}");
    }
}

#[test]
fn every_check_of_notifiers_catches_a_break() {
    let breaks = [
        ("notifier_serves_its_channel", Flaw::ServesOnce),
        ("notifier_same_key_sends_once", Flaw::SendsAgain),
        ("notifier_other_key_sends_again", Flaw::SendsOneOnly),
        ("notifier_refusal_is_final", Flaw::TellsTheAddress),
    ];
    each_is_caught(&notifier_checks(), breaks, notifier);
}

#[test]
fn every_check_of_publishers_catches_a_break() {
    let breaks = [
        ("publisher_takes_a_whole_batch", Flaw::DropsTheLast),
        ("publisher_keeps_the_order", Flaw::Shuffles),
        ("publisher_takes_a_message_again", Flaw::RefusesRepeats),
        ("publisher_takes_nothing_of_nothing", Flaw::SendsNothing),
    ];
    each_is_caught(&publisher_checks(), breaks, publisher);
}
