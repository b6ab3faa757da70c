//! Events on their way to a broker: each at least once, in the order of its stream, whatever the broker does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a failing step is a failing test

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::relay::{Profile, RelayRunner};
use commerce_core::kernel::aggregate::Aggregate as _;
use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::messaging::{Backlog, ConsumerProgress, DeadLetter};
use commerce_core::port::publisher::{MAX_BATCH, Outgoing, Publisher};
use commerce_core::port::store::{LogQuery, MAX_PAGE, Store};
use commerce_core::value::Code;
use commerce_testkit::build::{Draft as _, numbered};
use commerce_testkit::fake::{Broker, Delivery, Gateway};
use commerce_testkit::faulty::{Fault, Faults, Faulty, Port, Rates};
use commerce_testkit::shop::Shop;
use commerce_tests::audit::Audit;
use commerce_tests::cases;
use commerce_tests::shopping::mugs;
use pollster::block_on;
use proptest::prelude::*;

const OWN: [&str; 3] = [ConsumerProgress::NAME, Backlog::NAME, DeadLetter::NAME];

fn sold(units: u32) -> (Shop, MemoryStore) {
    let (shop, store) = block_on(mugs(Gateway::capturing(), 50));
    for buyer in 1..=u64::from(units) {
        let cart = block_on(shop.cart(buyer, &[("MUG", 1)])).unwrap();
        block_on(shop.buy(buyer, cart)).unwrap();
    }
    (shop, store)
}

fn relay(shop: &Shop, broker: impl Publisher) -> RelayRunner {
    shop.staff().relay(Code::new("relay").unwrap(), broker).unwrap()
}

/// Makes rounds for a minute of the shop's time.
fn run(shop: &Shop, relay: &RelayRunner) {
    for _ in 0..60 {
        block_on(relay.round()).unwrap();
        shop.clock.advance(Duration::from_secs(1));
    }
}

/// The events of the log that are for others.
fn log(store: &MemoryStore) -> Vec<Arc<RecordedEvent>> {
    let mut all = whole_log(store);
    all.retain(|event| !OWN.contains(&event.stream.kind.as_ref()));
    all
}

fn whole_log(store: &MemoryStore) -> Vec<Arc<RecordedEvent>> {
    let mut all = Vec::new();
    let mut after = Position::START;
    loop {
        let page = block_on(store.read_all(LogQuery::after(after, MAX_PAGE))).unwrap();
        if page.events.is_empty() {
            return all;
        }
        (after, all) = (page.next, [all, page.events].concat());
    }
}

/// Every event arrived, and none of a stream for the first time before an earlier one of it, but for streams
/// of which a message was put aside: it comes later than what stands behind it.
fn arrived(store: &MemoryStore, taken: &[Outgoing]) {
    let letters = Audit::of(store).all::<DeadLetter>();
    let lame: Vec<_> = letters.iter().map(|(_, letter, _)| &letter.failed().message.stream).collect();
    let mut seen: BTreeMap<StreamId, Vec<u64>> = BTreeMap::new();
    let events: BTreeMap<_, _> = log(store).into_iter().map(|event| (event.event.id, event)).collect();
    for message in taken {
        let event = &events[&message.id];
        let versions = seen.entry(event.stream.clone()).or_default();
        if !versions.contains(&event.version.get()) {
            versions.push(event.version.get());
        }
        assert_eq!(*message.ordering, event.stream.to_string());
    }
    assert_eq!(seen.values().map(Vec::len).sum::<usize>(), events.len(), "every event arrived");
    for (stream, mut versions) in seen {
        let inside: Vec<u64> = (1..=versions.len() as u64).collect();
        if lame.contains(&&stream) {
            versions.sort_unstable();
        }
        assert_eq!(versions, inside, "{stream} arrived in its order");
    }
}

#[test]
fn a_checkout_arrives_once_and_in_order() {
    let (shop, store) = sold(1);
    let broker = Broker::default();
    run(&shop, &relay(&shop, broker.clone()));
    let taken = broker.taken();
    arrived(&store, &taken);
    assert_eq!(taken.len(), log(&store).len(), "nothing twice where nothing fails");
    let placed = taken.iter().find(|message| &*message.key == "order.placed").unwrap();
    assert_eq!(&*placed.topic, "order-events");
    let envelope: serde_json::Value = serde_json::from_slice(&placed.body).unwrap();
    assert_eq!(envelope["eventType"], "OrderPlaced");
    assert_eq!(envelope["eventId"], placed.id.to_string());
    assert_eq!((&envelope["aggregateType"], &envelope["version"]), (&"order".into(), &1.into()));
    for field in ["occurredOn", "aggregateId", "schemaVersion", "correlationId", "actor", "data"] {
        assert!(!envelope[field].is_null(), "{field}");
    }
    assert_eq!(envelope["occurredOn"].as_str().unwrap().len(), "2011-01-04T10:00:00.000000Z".len());
}

#[test]
fn a_relay_speaks_as_it_is_told_and_tells_it_again_when_a_message_is_redelivered() {
    for profile in Profile::ALL {
        let (shop, store) = sold(2);
        let expected: Vec<Outgoing> = log(&store)
            .iter()
            .flat_map(|event| block_on(profile.look_up(&shop.staff(), event)).unwrap())
            .collect();
        let broker = Broker::default();
        let refused = log(&store).into_iter().find(|event| event.event.name == "OrderPlaced").unwrap();
        broker.refuse(refused.event.id);
        let relay = relay(&shop, broker.clone()).speaking(profile);
        run(&shop, &relay);
        broker.forgive();
        let dead: Vec<_> = block_on(relay.dead_letters(10)).unwrap();
        assert_eq!(dead.len(), 1, "{profile:?}");
        block_on(relay.redeliver(refused.event.id)).unwrap();
        let taken = broker.taken();
        assert!(expected.iter().all(|message| taken.contains(message)), "{profile:?}");
        assert_eq!(taken.len(), expected.len(), "{profile:?}");
    }
}

#[test]
fn nothing_personal_leaves_the_shop() {
    let (shop, _) = sold(1);
    let broker = Broker::default();
    run(&shop, &relay(&shop, broker.clone()));
    let (email, _) = Shop::contact(1);
    for message in broker.taken() {
        let text = String::from_utf8(message.body.to_vec()).unwrap();
        for secret in [email.as_str(), "Erika", "Heidestra", "51147"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[test]
fn a_message_that_the_broker_refuses_holds_back_its_stream_alone_and_can_be_delivered_again() {
    let (shop, store) = sold(2);
    let events = log(&store);
    let placed = events.iter().find(|event| event.event.name == "OrderPlaced").unwrap();
    let broker = Broker::default();
    broker.refuse(placed.event.id);
    let relay = relay(&shop, broker.clone());
    block_on(relay.round()).unwrap();
    let of_stream = |stream: &StreamId| {
        broker.taken().iter().filter(|message| *message.ordering == stream.to_string()).count()
    };
    assert_eq!(of_stream(&placed.stream), 0, "what comes behind it waits");
    let others = events.iter().filter(|event| event.stream != placed.stream).count();
    assert_eq!(broker.taken().len(), others, "nobody else waits");
    let blocked = block_on(relay.blocked(10)).unwrap();
    let seen: Vec<_> = blocked.iter().map(|blocked| blocked.state.as_ref().unwrap()).collect();
    assert_eq!(seen.len(), 1, "and it can be seen who does");
    assert_eq!((seen[0].stream(), seen[0].failed().unwrap().attempts), (&placed.stream, 1));
    run(&shop, &relay);
    let dead = Audit::of(&store).all::<DeadLetter>();
    assert_eq!((dead.len(), dead[0].1.failed().attempts), (1, 4));
    assert!(block_on(relay.blocked(10)).unwrap().is_empty());
    broker.forgive();
    block_on(relay.redeliver(dead[0].1.failed().message.event)).unwrap();
    assert!(broker.taken().iter().any(|message| message.id == placed.event.id));
}

#[test]
fn a_broker_that_is_down_is_no_messages_fault() {
    let (shop, store) = sold(2);
    let broker = Broker::default();
    let relay = relay(&shop, broker.clone());
    broker.down(true);
    for _ in 0..20 {
        let round = block_on(relay.round()).unwrap();
        assert!(round.outage && round.handled == 0 && !round.end);
        shop.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(broker.calls(), 40, "two tries a round, however much there is to publish");
    broker.down(false);
    block_on(relay.round()).unwrap();
    let taken = broker.taken();
    arrived(&store, &taken);
    assert_eq!(taken.len(), log(&store).len(), "nothing was put aside, and nothing is sent twice");
    assert!(Audit::of(&store).all::<Backlog>().is_empty(), "no try was counted");
}

#[test]
fn an_outage_in_the_middle_of_a_page_goes_on_where_it_began() {
    let (shop, store) = sold(2);
    let broker = Broker::default();
    let relay = relay(&shop, broker.clone());
    broker.script([Delivery::Take; 7]);
    broker.script([Delivery::FailBefore; 2]);
    let round = block_on(relay.round()).unwrap();
    assert_eq!((round.outage, round.handled), (true, 7));
    block_on(relay.round()).unwrap();
    arrived(&store, &broker.taken());
    assert_eq!(broker.taken().len(), log(&store).len(), "what was taken before it is not sent again");
}

#[test]
fn a_message_that_breaks_the_broker_is_found_out_as_soon_as_others_get_through() {
    let (shop, store) = sold(2);
    let placed = log(&store).into_iter().find(|event| event.event.name == "OrderPlaced").unwrap();
    let broker = Broker::default();
    broker.break_at(placed.event.id);
    let relay = relay(&shop, broker.clone());
    let round = block_on(relay.round()).unwrap();
    assert!(!round.outage && round.failed == 1);
    // Nothing else is published: nobody can tell whether the broker is down.
    shop.clock.advance(Duration::from_secs(2));
    assert!(block_on(relay.round()).unwrap().outage);
    assert_eq!(Audit::of(&store).all::<Backlog>()[0].1.failed().unwrap().attempts, 1);
    // Others get through, and it is put aside after its tries.
    for buyer in 11..15 {
        let cart = block_on(shop.cart(buyer, &[("MUG", 1)])).unwrap();
        block_on(shop.buy(buyer, cart)).unwrap();
        shop.clock.advance(Duration::from_secs(5));
        block_on(relay.round()).unwrap();
    }
    let dead = block_on(relay.dead_letters(10)).unwrap();
    assert_eq!(dead[0].state.as_ref().unwrap().message().event, placed.event.id);
    broker.forgive();
    block_on(relay.redeliver(placed.event.id)).unwrap();
    run(&shop, &relay);
    arrived(&store, &broker.taken());
}

#[test]
fn what_stands_before_an_event_that_makes_no_message_is_published() {
    let (shop, store) = sold(0);
    let broken = |number: u64| {
        let mut commit = Commit::default().appends(&numbered(number), 0, 3);
        commit.append[0].events[1].data = Arc::from(&b"no JSON"[..]);
        commit
    };
    block_on(store.commit(broken(1))).unwrap();
    block_on(store.commit(broken(2))).unwrap();
    let of = |number: u64, version: u64| {
        let recorded = block_on(store.read_stream(&numbered(number), Version::new(version - 1), 1)).unwrap();
        recorded[0].event.id
    };
    // Of the second stream the message in front of it is refused too.
    let broker = Broker::default();
    broker.refuse(of(2, 1));
    run(&shop, &relay(&shop, broker.clone()));
    let taken: Vec<_> = broker.taken().iter().map(|message| message.id).collect();
    let place = |id| taken.iter().position(|taken| *taken == id);
    assert!(place(of(1, 1)).unwrap() < place(of(1, 3)).unwrap());
    assert!(place(of(2, 3)).is_some());
    let dead = Audit::of(&store).all::<DeadLetter>();
    let mut dead: Vec<_> = dead.iter().map(|(_, letter, _)| letter.failed().message.event).collect();
    let mut expected = vec![of(1, 2), of(2, 1), of(2, 2)];
    dead.sort_unstable();
    expected.sort_unstable();
    assert_eq!(dead, expected);
}

#[test]
fn a_page_of_many_messages_is_handed_over_in_few_calls_and_one_checkpoint() {
    let (shop, store) = sold(40);
    let broker = Broker::default();
    let relay = relay(&shop, broker.clone());
    let events = log(&store).len();
    assert!(events > MAX_BATCH, "{events}");
    let before = whole_log(&store).len();
    block_on(relay.round()).unwrap();
    assert_eq!(broker.calls(), events.min(MAX_PAGE as usize).div_ceil(MAX_BATCH));
    assert_eq!(whole_log(&store).len(), before + 1, "one checkpoint");
    run(&shop, &relay);
    arrived(&store, &broker.taken());
}

#[test]
fn a_replay_publishes_nothing() {
    let (shop, _) = sold(1);
    let broker = Broker::default();
    run(&shop, &relay(&shop, broker.clone()).replaying(1));
    assert!(broker.taken().is_empty());
}

#[test]
fn the_fake_takes_no_more_than_a_batch() {
    let message = Outgoing {
        id: commerce_tests::world::id("message"),
        topic: "order-events".into(),
        key: "order.placed".into(),
        ordering: "order:1".into(),
        body: Arc::from(&b"{}"[..]),
    };
    let broker = Broker::default();
    broker.script([Delivery::Take, Delivery::FailBefore]);
    let error = block_on(broker.publish(vec![message.clone(); 3])).unwrap_err();
    assert_eq!((error.taken, broker.taken().len()), (1, 1));
    let error = block_on(broker.publish(vec![message; MAX_BATCH + 1])).unwrap_err();
    assert_eq!((error.taken, broker.taken().len()), (0, 1));
}

proptest! {
    #![proptest_config(cases(48))]

    /// G11, the shop's side: whatever fails between shop, broker and store, nothing is lost or out of order.
    #[test]
    fn g11_every_event_arrives_at_least_once_and_in_order(seed in any::<u64>(), orders in 1..4_u32) {
        let (shop, store) = sold(orders);
        let broker = Broker::default();
        let rates = Rates::default()
            .of(Port::Publisher, Fault::FailBefore, 50)
            .of(Port::Publisher, Fault::FailAfter, 50)
            .of(Port::Publisher, Fault::Duplicate, 50);
        let faults = Faults::seeded(seed, rates);
        let port: Arc<dyn Publisher> = Arc::new(broker.clone());
        let faulty: Faulty<dyn Publisher> = Faulty::on(port, faults.clone());
        let relay = relay(&shop, faulty);
        run(&shop, &relay);
        faults.stop();
        run(&shop, &relay);
        // Four failures of one message in a row make it a dead letter, which somebody delivers again.
        for (_, letter, _) in Audit::of(&store).all::<DeadLetter>() {
            block_on(relay.redeliver(letter.failed().message.event)).unwrap();
        }
        arrived(&store, &broker.taken());
    }
}
