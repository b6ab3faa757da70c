//! What every aggregate promises, over histories that its own decisions have made: events come back as they
//! were written, and every snapshot with its tail leads where all events lead (kernel rules, streams 4).
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use commerce_core::app::audit::StoreRepairs;
use commerce_core::carts::Cart;
use commerce_core::catalog::{CategoryTree, Product};
use commerce_core::checkout::Checkout;
use commerce_core::customers::Customer;
use commerce_core::imports::{ImportNote, ImportedReturn};
use commerce_core::inventory::{Reservation, StockItem};
use commerce_core::kernel::aggregate::{Aggregate, Instance};
use commerce_core::kernel::codec::{decode, encode, event_type};
use commerce_core::kernel::commit::LoadedStream;
use commerce_core::kernel::event::{DomainEvent, EventId, Metadata, NewEvent, RecordedEvent};
use commerce_core::kernel::replay::{fold, replay, write_snapshot};
use commerce_core::kernel::stream::{Position, Version};
use commerce_core::messaging::{Backlog, ConsumerProgress, DeadLetter, Inbox};
use commerce_core::notifications::Notification;
use commerce_core::orders::{Order, OrderEdit};
use commerce_core::payments::{ParkedCallback, Payment, QuarantinedCallback};
use commerce_core::promotions::{Promotion, Redemption};
use commerce_core::returns::Return;
use commerce_core::settings::ShopSettings;
use commerce_core::shipping::Shipment;
use commerce_core::value::actor::Actor;
use commerce_core::value::id::Id;
use commerce_core::value::time::Timestamp;
use commerce_testkit::strategy::history::{History, Storied, history};
use commerce_tests::house::sources;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use uuid::Uuid;

/// How many histories of each aggregate at least, and at most until every event was seen.
const HISTORIES: (usize, usize) = (150, 3000);

/// The event as a store keeps it.
fn stored<E: DomainEvent>(event: &E, at: Timestamp) -> NewEvent {
    let encoded = encode(event).unwrap();
    NewEvent {
        id: EventId::derived(Uuid::nil(), b"history"),
        name: event.name().into(),
        schema: event_type::<E>(event.name()).unwrap().schema,
        at,
        metadata: Metadata { correlation: Uuid::nil(), causation: None, actor: Actor::System },
        data: encoded.data,
        personal: encoded.personal,
    }
}

/// The stream as a store gives it back, with a snapshot behind the first `cut` events.
fn loaded<A: Aggregate>(
    instance: &Instance<A>,
    events: &[NewEvent],
    head: Option<&A>,
    cut: usize,
) -> LoadedStream {
    let stream = instance.stream();
    let snapshot = head.map(|state| write_snapshot(state, Version::NONE.after(cut)).unwrap());
    let tail = events.iter().enumerate().skip(cut).map(|(index, event)| {
        let (stream, version) = (stream.clone(), Version::NONE.after(index + 1));
        Arc::new(RecordedEvent { position: Position::START, stream, version, event: event.clone() })
    });
    let (events, version) = (tail.collect(), Version::NONE.after(events.len()));
    LoadedStream { stream, version, snapshot, events }
}

fn absent<A: Aggregate>() -> Instance<A> {
    Instance::absent(Id::derived(Uuid::nil(), b"history"))
}

fn keeps_its_promises<A: Aggregate + PartialEq + Debug>(history: &History<A>) {
    let events: Vec<NewEvent> = history.events.iter().map(|(at, event)| stored(event, *at)).collect();
    for (new, (_, event)) in events.iter().zip(&history.events) {
        let back: A::Event = decode(new).unwrap();
        assert_eq!(encode(&back).unwrap(), encode(event).unwrap(), "{} changes when it is stored", new.name);
        assert_eq!(format!("{back:?}"), format!("{event:?}"));
    }
    assert_eq!(fold::<A>(None, history.events()).unwrap(), history.state, "events lead to the state");
    let mut head: Option<A> = None;
    for cut in 0..=events.len() {
        let replayed = replay(absent(), &loaded(&absent(), &events, head.as_ref(), cut)).unwrap();
        assert_eq!(replayed.state, history.state, "snapshot at {cut} of {} and its tail", events.len());
        assert_eq!(replayed.version, Version::NONE.after(events.len()));
        if let Some((_, event)) = history.events.get(cut) {
            head = Some(A::evolve(head, event).unwrap());
        }
    }
}

/// Checks histories of an aggregate; gives how many commands were taken and how many events they made.
fn check<A: Storied + PartialEq + Debug>() -> (usize, usize) {
    let (mut runner, strategy) = (TestRunner::deterministic(), history::<A>());
    let (mut seen, mut asked, mut made) = (BTreeSet::new(), 0, 0);
    let all: BTreeSet<&str> = A::Event::TYPES.iter().map(|known| known.name).collect();
    for number in 0..HISTORIES.1 {
        if number >= HISTORIES.0 && seen.len() == all.len() {
            break;
        }
        let history = strategy.new_tree(&mut runner).unwrap().current();
        keeps_its_promises(&history);
        seen.extend(history.events().map(DomainEvent::name));
        asked += history.refused + history.idle;
        made += history.events.len();
    }
    let missing: Vec<_> = all.difference(&seen).collect();
    assert!(missing.is_empty(), "histories of {} never have {missing:?}", A::NAME);
    println!(
        "{:20} {made:5} events of {:2} types; {asked:5} commands were refused or idle",
        A::NAME,
        all.len()
    );
    (asked, made)
}

macro_rules! histories {
    ($($name:ident => $aggregate:ident),* $(,)?) => {
        $(#[test] fn $name() { check::<$aggregate>(); })*

        /// Whoever adds an aggregate adds its histories.
        #[test]
        fn every_aggregate_of_the_library_has_histories() {
            let known: BTreeSet<&str> = [$(stringify!($aggregate)),*].into();
            let shipped = sources("commerce-core/src");
            let code: Vec<String> = shipped.iter().map(commerce_tests::house::Source::shipped).collect();
            let found: BTreeSet<&str> = code
                .iter()
                .flat_map(|code| code.lines())
                .filter_map(|line| line.strip_prefix("impl Aggregate for "))
                .map(|rest| rest.trim_end_matches([' ', '{']))
                .collect();
            assert_eq!(found, known);
        }
    };
}

histories! {
    kernel_2_4_backlogs => Backlog,
    kernel_2_4_carts => Cart,
    kernel_2_4_consumer_progress => ConsumerProgress,
    kernel_2_4_dead_letters => DeadLetter,
    kernel_2_4_inboxes => Inbox,
    kernel_2_4_category_trees => CategoryTree,
    kernel_2_4_products => Product,
    kernel_2_4_checkouts => Checkout,
    kernel_2_4_customers => Customer,
    kernel_2_4_import_notes => ImportNote,
    kernel_2_4_imported_returns => ImportedReturn,
    kernel_2_4_reservations => Reservation,
    kernel_2_4_stock_items => StockItem,
    kernel_2_4_notifications => Notification,
    kernel_2_4_orders => Order,
    kernel_2_4_order_edits => OrderEdit,
    kernel_2_4_parked_callbacks => ParkedCallback,
    kernel_2_4_payments => Payment,
    kernel_2_4_quarantined_callbacks => QuarantinedCallback,
    kernel_2_4_promotions => Promotion,
    kernel_2_4_redemptions => Redemption,
    kernel_2_4_returns => Return,
    kernel_2_4_settings => ShopSettings,
    kernel_2_4_store_repairs => StoreRepairs,
    kernel_2_4_shipments => Shipment,
}

/// Shrinking drops commands, and what is left still is a history.
#[test]
fn what_shrinks_stays_valid() {
    let (mut runner, strategy) = (TestRunner::deterministic(), history::<Order>());
    for _ in 0..20 {
        let mut tree = strategy.new_tree(&mut runner).unwrap();
        let (mut steps, mut first) = (0, tree.current().events.len());
        while steps < 200 && tree.simplify() {
            steps += 1;
            let history = tree.current();
            keeps_its_promises(&history);
            first = first.max(history.events.len());
        }
        assert!(tree.current().events.len() <= first);
    }
}
