//! Background work that is killed with `SIGKILL` in the middle, twenty times, and what the server and the
//! broker have in the end.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing)] // a failing step is a failing test

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::thread::sleep;
use std::time::Duration;

use commerce_adapters_memory::MemoryViews;
use commerce_core::app::views::OrderList;
use commerce_core::inventory::{Reservation, ReservationCommand, ReservedLine};
use commerce_core::kernel::aggregate::{Aggregate, Instance, stream_of};
use commerce_core::kernel::batch::Batch;
use commerce_core::kernel::event::{Metadata, RecordedEvent};
use commerce_core::kernel::stream::Position;
use commerce_core::messaging::{Backlog, ConsumerProgress, DeadLetter};
use commerce_core::port::clock::Clock as _;
use commerce_core::port::store::{LogQuery, MAX_PAGE, Store};
use commerce_core::port::view::{Document, ViewQuery, ViewStore};
use commerce_core::prelude::*;
use commerce_core::settings::SettingsValues;
use commerce_core::value::actor::Actor;
use commerce_core::value::id::{Id, LocationId};
use commerce_testkit::check::{Books, Findings};
use commerce_testkit::fake::{Clock, Gateway, Ids};
use commerce_testkit::shop::Shop;
use commerce_tests::server::Database;
use commerce_tests_servers::worker::{Work, places};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// So often a process is killed.
const KILLS: u32 = 20;
/// Buyers, and reservations.
const MANY: u64 = 200;

fn on_runtime<F: Future>(work: F) -> F::Output {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap()).block_on(work)
}

/// A shop on a database of its own, and its workers.
struct Ground {
    database: Database,
    store: Arc<dyn Store>,
    views: Arc<dyn ViewStore>,
    shop: Shop,
}

/// What the processes of one kind of work have told.
struct Told {
    /// The messages, in order.
    messages: Vec<String>,
    /// What the killed processes told last: what they were in the middle of.
    last: BTreeMap<String, u32>,
}

impl Ground {
    fn new() -> Self {
        let database = Database::new();
        let clock = Clock::default();
        let (store, views) = on_runtime(places(database.url(), "workers", clock.clone())).unwrap();
        let shop = Shop::on_shared(store.clone(), clock, Gateway::capturing(), 1);
        on_runtime(shop.list("MUG", "10.00", 1_000)).unwrap();
        Self { database, store, views, shop }
    }

    /// Lets processes do the work and kills each behind so many lines; the last one does it to its end.
    fn kill_at(&self, work: Work, lines: impl Fn(usize) -> usize) -> Told {
        let mut told = Told { messages: Vec::new(), last: BTreeMap::new() };
        for process in 0..KILLS {
            let lines = lines(usize::try_from(process).unwrap());
            assert!(!self.run(work, process, Some(lines), &mut told), "process {process} ended by itself");
        }
        assert!(self.run(work, KILLS, None, &mut told), "the last one has done all");
        println!("{work:?}: {KILLS} killed, in the middle of {:?}", told.last);
        told
    }

    /// Whether the process ended by itself.
    fn run(&self, work: Work, process: u32, kill_at: Option<usize>, told: &mut Told) -> bool {
        let mut child = Command::new(env!("CARGO_BIN_EXE_worker_on_postgres"))
            .args([self.database.url(), "workers", &format!("{work:?}"), &process.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut go_on = child.stdin.take().unwrap();
        let (mut done, mut last) = (false, String::new());
        for (number, line) in BufReader::new(child.stdout.take().unwrap()).lines().enumerate() {
            // What it has written before its death was taken.
            let line = line.unwrap();
            if let Some(message) = line.strip_prefix("message ") {
                told.messages.push(message.to_owned());
                "message".clone_into(&mut last);
            } else {
                done |= line == "done";
                last = line;
            }
            if kill_at == Some(number + 1) {
                // Every other one dies while it does what it has told, every other in front of it.
                if process.is_multiple_of(2) {
                    writeln!(go_on).unwrap();
                    sleep(Duration::from_micros(u64::from(process) * 100));
                }
                // A signal that cannot be caught.
                child.kill().unwrap();
            } else if kill_at.is_none_or(|last| number < last) {
                writeln!(go_on).unwrap();
            }
        }
        child.wait().unwrap();
        if kill_at.is_some() {
            *told.last.entry(last).or_default() += 1;
        }
        done
    }

    fn log(&self) -> Vec<Arc<RecordedEvent>> {
        let (mut after, mut all) = (Position::START, Vec::new());
        loop {
            let page = on_runtime(self.store.read_all(LogQuery::after(after, MAX_PAGE))).unwrap();
            if page.events.is_empty() {
                return all;
            }
            (after, all) = (page.next, [all, page.events].concat());
        }
    }

    fn sell(&self, buyers: std::ops::Range<u64>) {
        for buyer in buyers {
            let cart = on_runtime(self.shop.cart(buyer, &[("MUG", 1)])).unwrap();
            on_runtime(self.shop.buy(buyer, cart)).unwrap();
        }
    }

    /// The independent checker finds nothing.
    fn is_sound(&self) {
        let ledger = self.shop.gateway.ledger();
        let findings = on_runtime(Findings::read(&mut Books::default(), &*self.store, &ledger)).unwrap();
        assert!(findings.hold(), "{:#?}", findings.breaches());
    }
}

#[test]
fn a_relay_that_is_killed_in_the_middle_of_a_batch_loses_nothing() {
    let ground = Ground::new();
    ground.sell(0..MANY);
    // Within the batches of a page, and around the checkpoint behind its thousand messages.
    let told = ground.kill_at(Work::Relay, |process| match process % 5 {
        4 => 1_003 + process / 5,
        _ => process * 97 % 900 + 3,
    });
    let own = [ConsumerProgress::NAME, Backlog::NAME, DeadLetter::NAME];
    let mut log = ground.log();
    assert!(log.iter().all(|event| !own[1..].contains(&event.stream.kind.as_ref())), "nothing was put aside");
    log.retain(|event| !own.contains(&event.stream.kind.as_ref()));
    let (mut seen, mut first) = (BTreeSet::new(), BTreeMap::<_, Vec<u64>>::new());
    let events: BTreeMap<String, _> = log.iter().map(|event| (event.event.id.to_string(), event)).collect();
    for message in &told.messages {
        if seen.insert(message) {
            let event = events[message];
            first.entry(&event.stream).or_default().push(event.version.get());
        }
    }
    println!("{} events, {} messages", log.len(), told.messages.len());
    assert_eq!(seen.len(), log.len(), "every event was published");
    assert!(told.messages.len() > log.len(), "some of them again");
    assert!(first.values().all(|versions| versions.is_sorted()), "first of all in the order of their stream");
    ground.is_sound();
}

#[test]
fn a_projection_that_is_killed_in_the_middle_of_a_batch_shows_what_a_rebuild_shows() {
    let ground = Ground::new();
    // Something new for every process: it asks where it stands, reads a page and its documents, and writes.
    ground.kill_at(Work::Projection, |process| {
        let first = process as u64 * 4;
        ground.sell(first..first + 4);
        process % 4 + 1
    });
    let rebuilt: Arc<dyn ViewStore> = Arc::new(MemoryViews::new());
    let shop = ground.shop.staff();
    let projector = shop.projector(OrderList, rebuilt.clone()).unwrap();
    on_runtime(projector.catch_up()).unwrap();
    let (live, rebuilt) = (whole(&*ground.views), whole(&*rebuilt));
    assert_eq!(live.len(), 4 * usize::try_from(KILLS).unwrap());
    assert_eq!(live, rebuilt);
    ground.is_sound();
}

fn whole(views: &dyn ViewStore) -> Vec<Document> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let query = ViewQuery { generation: Some(1), ..ViewQuery::new("order_list", 200).behind(after) };
        let page = on_runtime(views.find(query)).unwrap();
        all.extend(page.documents);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

fn location() -> LocationId {
    SettingsValues::default().locations[0]
}

/// Holds that end by themselves.
fn hold(ground: &Ground) -> Vec<Id<<Reservation as Aggregate>::Root>> {
    let (ids, now) = (Ids::seeded(9), ground.shop.clock.now());
    let (sku, location) = (Sku::new("MUG").unwrap(), location());
    let one = |number: u64| {
        let metadata = Metadata { correlation: Uuid::from_u128(1), causation: None, actor: Actor::System };
        let mut batch = Batch::new(&ids, now, metadata);
        let line = ReservedLine { sku: sku.clone(), location, quantity: Quantity::new(1).unwrap() };
        let hold = ReservationCommand::Hold {
            checkout: Id::derived(Uuid::from_u128(2), &number.to_be_bytes()),
            lines: vec![line],
            expires_at: now.plus(Duration::from_mins(10)),
            extendable_until: now.plus(Duration::from_mins(10)),
        };
        let id = Id::derived(Uuid::from_u128(3), &number.to_be_bytes());
        let mut reservation = Instance::<Reservation>::absent(id);
        let events = Reservation::decide(None, hold, now).unwrap();
        batch.append(&mut reservation, &events).unwrap();
        on_runtime(ground.store.commit(batch.into_commit())).unwrap();
        id
    };
    (0..MANY).map(one).collect()
}

#[test]
fn a_worker_that_is_killed_at_a_timer_leaves_it_to_another_and_nothing_happens_twice() {
    let ground = Ground::new();
    let held = hold(&ground);
    assert_eq!(on_runtime(ground.shop.level("MUG")).unwrap().held, i64::try_from(MANY).unwrap());
    ground.kill_at(Work::Timers, |process| process * 7 % 23 + 3);
    assert_eq!(on_runtime(ground.shop.level("MUG")).unwrap().held, 0);
    let log = ground.log();
    for id in held {
        let stream = stream_of::<Reservation>(id);
        let expired =
            log.iter().filter(|event| event.stream == stream && event.event.name == "ReservationExpired");
        assert_eq!(expired.count(), 1, "{id}");
    }
    ground.is_sound();
}
