//! From the shop's log over Redis to the consumer, in the background.

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::{MemoryStore, platform};
use commerce_adapters_redis::{OpenError, RedisBroker, RedisSubscriber, Settings};
use commerce_core::app::relay::RelayRunner;
use commerce_core::port::store::{MAX_PAGE, Store};
use commerce_core::port::subscriber::Subscriber;
use commerce_core::prelude::*;
use commerce_core::value::Code;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::heard::{Listening, Told, told};

/// Every topic that a relay writes to.
const TOPICS: [&str; 10] = [
    "catalog-events",
    "inventory-events",
    "identity-events",
    "cart-events",
    "order-events",
    "payment-events",
    "shipping-events",
    "promotion-events",
    "notification-events",
    "commerce-events",
];
/// How long the broker waits for an answer, and a message is its receiver's own.
const SHORT: Duration = Duration::from_secs(2);
/// How long nothing may come before nothing more is expected.
const QUIET: Duration = Duration::from_secs(6);
/// How long anything may take; only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_mins(4);

/// Work in the background, until it is told to stop.
struct Worker(watch::Sender<bool>, JoinHandle<()>);

impl Worker {
    async fn stop(self) {
        self.0.send_replace(true);
        self.1.await.unwrap();
    }
}

/// Ready when told to stop.
async fn told_to(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// What is left where everything has arrived: nothing.
///
/// While Redis goes down and comes back one message may fail and the next one get through. Then the relay lets
/// the stream of the first wait for a second, as it should; that is over when its message has arrived.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// Streams that the relay still holds back.
    blocked: usize,
    /// Messages that the relay has given up.
    letters: usize,
    /// Messages that the receiver has put aside.
    buried: usize,
}

/// A relay, a broker on Redis and a receiver.
pub(crate) struct Line {
    source: Commerce,
    target: Arc<dyn Store>,
    broker: RedisBroker,
    member: RedisSubscriber,
    relay: Option<Worker>,
    receiver: Option<Worker>,
}

/// A broker on a server that may lose data, where that is accepted.
pub(crate) async fn broker(url: &str, shop: &str, accepted: bool) -> Result<RedisBroker, OpenError> {
    let mut settings = Settings::for_shop(shop).unwrap();
    settings.answer_timeout = SHORT;
    let settings = if accepted { settings.accepting_data_loss() } else { settings };
    Ok(RedisBroker::open(url, settings).await?.owned_for(SHORT))
}

impl Line {
    pub(crate) fn from(source: &Commerce, broker: RedisBroker) -> Self {
        let member = broker.subscribe("listening", TOPICS).waiting_for(Duration::from_millis(500));
        let (source, target) = (source.acting_as(Actor::System), Arc::new(MemoryStore::new()));
        let mut line = Self { source, target, broker, member, relay: None, receiver: None };
        line.relay = Some(line.publish_as("first"));
        line.start_receiver();
        line
    }

    fn relay_named(&self, name: &str) -> RelayRunner {
        self.source.relay(Code::new(name).unwrap(), self.broker.clone()).unwrap()
    }

    /// Publishes everything, from the beginning of the log, under a name that stands nowhere yet.
    fn publish_as(&self, name: &str) -> Worker {
        let relay = self.relay_named(name);
        let (stop, stopped) = watch::channel(false);
        Worker(stop, tokio::spawn(async move { relay.run(told_to(stopped)).await }))
    }

    pub(crate) fn start_receiver(&mut self) {
        let shop = Commerce::from_arc(self.target.clone(), platform()).acting_as(Actor::System);
        let receiver = shop.receiver(Listening, Arc::new(self.member.clone())).unwrap();
        let (stop, stopped) = watch::channel(false);
        let work = tokio::spawn(async move { receiver.run(told_to(stopped)).await });
        self.receiver = Some(Worker(stop, work));
    }

    pub(crate) async fn stop_receiver(&mut self) {
        self.receiver.take().unwrap().stop().await;
    }

    /// Waits until the relay of this name has nothing to do and nothing is missing; where messages were lost,
    /// until nothing more comes.
    pub(crate) async fn settle(&self, name: &str, lost: bool) -> Told {
        let relay = self.relay_named(name);
        let (begun, quiet) = (Instant::now(), if lost { QUIET } else { 5 * QUIET });
        let mut before = (usize::MAX, begun);
        loop {
            let lag = relay.lag().await.unwrap();
            let told = told(&**self.source.store(), &*self.target).await;
            if told.missing != before.0 {
                before = (told.missing, Instant::now());
            }
            if lag.events == 0 && (told.missing == 0 || before.1.elapsed() > quiet) {
                return told;
            }
            assert!(begun.elapsed() < PATIENCE, "{name}: {lag:?} to publish, {told:?}");
            sleep(Duration::from_millis(300)).await;
        }
    }

    /// Publishes the whole log once more, behind what a broker has lost: the log still has everything.
    pub(crate) async fn publish_again(&mut self) -> Told {
        let again = self.publish_as("again");
        let told = self.settle("again", false).await;
        again.stop().await;
        told
    }

    /// Ends all work.
    pub(crate) async fn end(&mut self) -> Left {
        for worker in [self.relay.take(), self.receiver.take()].into_iter().flatten() {
            worker.stop().await;
        }
        let relay = self.relay_named("first");
        Left {
            blocked: relay.blocked(MAX_PAGE).await.unwrap().len(),
            letters: relay.dead_letters(MAX_PAGE).await.unwrap().len(),
            buried: self.member.buried(1_000).await.unwrap().len(),
        }
    }
}
