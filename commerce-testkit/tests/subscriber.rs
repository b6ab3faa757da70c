//! The broker in memory keeps the contract of `Subscriber`, and the checks bite.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_adapters_memory::{MemoryBroker, MemorySubscriber};
use commerce_core::kernel::error::PortError;
use commerce_core::kernel::event::EventId;
use commerce_core::port::subscriber::{BuriedMessage, Incoming, Receipt, Subscriber};
use commerce_core::value::Reason;
use commerce_testkit::conformance::PublisherFixture;
use commerce_testkit::conformance::{
    SubscriberFixture, Verdict, port, publisher_checks, run_port, subscriber_checks,
};
use commerce_testkit::fake::Clock;
use pollster::block_on;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    Reverses,
    HandsOutMore,
    ReadsAll,
    SharesGroups,
    KeepsToItself,
    CountsNothing,
    ForgetsReceipts,
    WaitsForNothing,
    ForgetsTheError,
    KeepsTheLetter,
    DiscardsNothing,
}

#[derive(Debug)]
struct Broken(MemorySubscriber, Option<Flaw>);

#[async_trait]
impl Subscriber for Broken {
    async fn receive(&self, limit: usize) -> Result<Vec<Incoming>, PortError> {
        let limit = if self.1 == Some(Flaw::HandsOutMore) { limit.max(8) } else { limit };
        let mut received = self.0.receive(limit).await?;
        match self.1 {
            Some(Flaw::Reverses) => received.reverse(),
            Some(Flaw::CountsNothing) => received.iter_mut().for_each(|incoming| incoming.deliveries = 1),
            Some(Flaw::KeepsToItself) => {
                let all = received.iter().map(|incoming| incoming.receipt.clone()).collect();
                self.0.postpone(all, Duration::ZERO).await?;
            }
            _ => {}
        }
        Ok(received)
    }

    async fn acknowledge(&self, receipts: Vec<Receipt>) -> Result<(), PortError> {
        if self.1 == Some(Flaw::ForgetsReceipts) { Ok(()) } else { self.0.acknowledge(receipts).await }
    }

    async fn postpone(&self, receipts: Vec<Receipt>, pause: Duration) -> Result<(), PortError> {
        let pause = if self.1 == Some(Flaw::WaitsForNothing) { Duration::ZERO } else { pause };
        self.0.postpone(receipts, pause).await
    }

    async fn bury(&self, receipt: Receipt, error: Reason, attempts: u32) -> Result<(), PortError> {
        let error = if self.1 == Some(Flaw::ForgetsTheError) { Reason::lossy("?") } else { error };
        self.0.bury(receipt, error, attempts).await
    }

    async fn buried(&self, limit: usize) -> Result<Vec<BuriedMessage>, PortError> {
        self.0.buried(limit).await
    }

    async fn redrive(&self, message: EventId) -> Result<bool, PortError> {
        let known = self.0.buried(100).await?.iter().any(|letter| letter.message.id == message);
        if self.1 == Some(Flaw::KeepsTheLetter) { Ok(known) } else { self.0.redrive(message).await }
    }

    async fn discard(&self, message: EventId) -> Result<bool, PortError> {
        let known = self.0.buried(100).await?.iter().any(|letter| letter.message.id == message);
        if self.1 == Some(Flaw::DiscardsNothing) { Ok(known) } else { self.0.discard(message).await }
    }
}

const OWN: Duration = Duration::from_secs(2);

fn fixture(flaw: Option<Flaw>) -> SubscriberFixture {
    let clock = Clock::default();
    let broker = MemoryBroker::new(Arc::new(clock.clone())).owned_for(OWN);
    let member = |group: &'static str| -> Arc<dyn Subscriber> {
        let topics: &[&str] = match flaw {
            Some(Flaw::ReadsAll) => &["order-events", "catalog-events"],
            _ => &["order-events"],
        };
        Arc::new(Broken(broker.subscribe(group, topics.iter().copied()), flaw))
    };
    let other = if flaw == Some(Flaw::SharesGroups) { "one" } else { "other" };
    let members = [member("one"), member("one")];
    SubscriberFixture::new(broker.clone(), members, member(other), (OWN, Uuid::nil()), move |span| {
        clock.advance(span);
        std::future::ready(())
    })
}

#[test]
fn the_broker_in_memory_conforms() {
    let report = block_on(port(subscriber_checks(), || async { fixture(None) }));
    report.assert();
    assert!(report.skipped().is_empty());
    let publisher = || async {
        let broker = MemoryBroker::new(Arc::new(Clock::default()));
        let reader = broker.subscribe("reader", ["order-events"]);
        let seen = std::sync::Mutex::new(Vec::new());
        PublisherFixture::new(broker, Uuid::nil(), move || {
            let mut seen = seen.lock().unwrap();
            loop {
                let received = block_on(reader.receive(100)).unwrap();
                if received.is_empty() {
                    return seen.clone();
                }
                seen.extend(received.into_iter().map(|incoming| incoming.message.id));
            }
        })
    };
    block_on(port(publisher_checks(), publisher)).assert();
}

#[test]
fn every_check_catches_a_break() {
    let breaks = [
        ("subscriber_gets_everything_in_order", Flaw::Reverses),
        ("subscriber_hands_out_no_more_than_asked", Flaw::HandsOutMore),
        ("subscriber_reads_its_topics_only", Flaw::ReadsAll),
        ("subscriber_groups_get_each_message", Flaw::SharesGroups),
        ("subscriber_members_share", Flaw::KeepsToItself),
        ("subscriber_lost_messages_come_again", Flaw::CountsNothing),
        ("subscriber_acknowledged_messages_do_not", Flaw::ForgetsReceipts),
        ("subscriber_postponed_messages_wait", Flaw::WaitsForNothing),
        ("subscriber_keeps_what_is_put_aside", Flaw::ForgetsTheError),
        ("subscriber_redrives_to_its_group", Flaw::KeepsTheLetter),
        ("subscriber_discards", Flaw::DiscardsNothing),
    ];
    let checks = subscriber_checks();
    assert_eq!(checks.iter().map(|check| check.name).collect::<Vec<_>>(), breaks.map(|(name, _)| name));
    for (check, (name, flaw)) in checks.iter().zip(breaks) {
        let verdict = block_on(run_port(check, &|| async move { fixture(Some(flaw)) }));
        assert!(matches!(verdict, Verdict::Failed(_)), "{name}: {verdict:?}");
    }
}
