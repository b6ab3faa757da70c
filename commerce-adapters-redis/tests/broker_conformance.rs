//! The broker on streams keeps the contracts of `Publisher` and `Subscriber`, on a real server.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod server;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use commerce_core::port::subscriber::Subscriber;
use commerce_testkit::conformance::{
    PublisherFixture, SubscriberFixture, publisher_checks, run_port_named, subscriber_checks,
};
use server::{broker, on_runtime, runtime};
use uuid::Uuid;

const OWN: Duration = Duration::from_secs(1);

async fn publisher() -> PublisherFixture {
    let broker = broker().await;
    let reader = Arc::new(broker.subscribe("reader", ["order-events"]));
    let seen = Arc::new(Mutex::new(Vec::new()));
    PublisherFixture::new(broker, Uuid::nil(), move || {
        let (reader, sofar) = (reader.clone(), seen.clone());
        // The checks count while they run on the runtime.
        let counted = std::thread::spawn(move || {
            runtime().handle().block_on(async {
                loop {
                    let received = reader.receive(100).await.unwrap();
                    if received.is_empty() {
                        break;
                    }
                    sofar.lock().unwrap().extend(received.into_iter().map(|incoming| incoming.message.id));
                }
            });
        });
        counted.join().unwrap();
        seen.lock().unwrap().clone()
    })
}

async fn subscriber() -> SubscriberFixture {
    let broker = broker().await.owned_for(OWN);
    let member =
        |group: &'static str| -> Arc<dyn Subscriber> { Arc::new(broker.subscribe(group, ["order-events"])) };
    let members = [member("one"), member("one")];
    // The server counts whole milliseconds.
    let wait = |span: Duration| tokio::time::sleep(span.saturating_add(Duration::from_millis(3)));
    SubscriberFixture::new(broker.clone(), members, member("other"), (OWN, Uuid::nil()), wait)
}

macro_rules! port_tests {
    ($listed:ident, $checks:ident, $factory:ident, [$($name:ident)*]) => {
        #[test]
        fn $listed() {
            let checks: Vec<&str> = $checks().iter().map(|check| check.name).collect();
            assert_eq!(checks, [$(stringify!($name)),*]);
        }
        $(#[test]
        fn $name() {
            on_runtime(run_port_named($checks(), stringify!($name), $factory));
        })*
    };
}

port_tests!(every_check_of_publishers_is_listed, publisher_checks, publisher, [
    publisher_takes_a_whole_batch
    publisher_keeps_the_order
    publisher_takes_a_message_again
    publisher_takes_nothing_of_nothing
]);

port_tests!(every_check_of_subscribers_is_listed, subscriber_checks, subscriber, [
    subscriber_gets_everything_in_order
    subscriber_hands_out_no_more_than_asked
    subscriber_reads_its_topics_only
    subscriber_groups_get_each_message
    subscriber_members_share
    subscriber_lost_messages_come_again
    subscriber_acknowledged_messages_do_not
    subscriber_postponed_messages_wait
    subscriber_keeps_what_is_put_aside
    subscriber_redrives_to_its_group
    subscriber_discards
]);
