//! G11: messages from the log of one side over a broker into the store of the other side, with everything
//! that can happen to them on the way.
//!
//! 10,000 messages of 500 streams, 4 relays that take turns, 4 consumers; the broker repeats 10 %, mixes
//! within a window of 50 and is down for 20 s; consumers die between their commit and the acknowledgement;
//! 1 % of the messages cannot be handled until somebody mends the consumer. Judged by the stores alone.

mod copying;
mod unruly;

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::num::NonZeroU16;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use commerce_adapters_memory::platform;
use commerce_core::kernel::codec::decode;
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::stream::Position;
use commerce_core::messaging::{Backlog, DeadLetter};
use commerce_core::port::lease::Lease;
use commerce_core::port::publisher::Publisher;
use commerce_core::port::store::{LogQuery, MAX_PAGE, Store};
use commerce_core::port::subscriber::Subscriber;
use commerce_core::prelude::*;
use commerce_core::value::Code;
use commerce_core::value::actor::Actor;
use uuid::Uuid;

use copying::{Copying, is_poison, note};
use unruly::{Dying, Unruly};

use crate::notes::{Copied, CopiedEvent, Note, Write};

/// How many streams there are.
const STREAMS: usize = 500;
/// How many messages each of them has.
const EACH: u64 = 20;
/// Relays, and consumers.
const WORKERS: usize = 4;
/// So often each consumer dies.
const DEATHS: usize = 3;
/// How long the broker is down.
const DOWN: Duration = Duration::from_secs(20);
/// How long anything may take; only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(240);

/// Work that somebody runs to its end.
pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What the messages go through.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "it holds closures")]
pub struct Route {
    /// Where they are written.
    source: Arc<dyn Store>,
    /// For the relays.
    lease: Arc<dyn Lease>,
    /// What carries them.
    broker: Arc<dyn Publisher>,
    /// A new member of the one group, for topic `commerce-events`.
    member: Arc<dyn Fn() -> Arc<dyn Subscriber> + Send + Sync>,
    /// Where they are copied to.
    target: Arc<dyn Store>,
    /// Runs work on the thread that calls it.
    run: fn(Work),
}

/// What a run has found.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    /// Messages without an effect.
    lost: usize,
    /// Effects beyond the first of a message.
    doubled: usize,
    /// Effects in front of an earlier message of their stream, those of poison left out.
    disordered: usize,
    /// Poison messages, and dead letters before the consumer was mended.
    poison: (usize, usize),
    /// Dead letters behind the end.
    letters_left: usize,
    /// What the relays have put aside, or could not go on with.
    put_aside_by_relays: usize,
}

fn now() -> Timestamp {
    platform().clock.now()
}

/// Ready once the flag is up.
fn raised(flag: &Arc<AtomicBool>) -> impl Future<Output = ()> + Send + 'static {
    let flag = flag.clone();
    poll_fn(move |_| if flag.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending })
}

fn shop(store: &Arc<dyn Store>) -> Commerce {
    Commerce::from_arc(store.clone(), platform()).acting_as(Actor::System)
}

impl Route {
    /// From a store that grants leases too, over a broker with members of one group, into another store.
    pub fn between<S: Store + Lease, M: Subscriber>(
        (source, target): (Arc<S>, Arc<dyn Store>),
        broker: impl Publisher,
        member: impl Fn() -> M + Send + Sync + 'static,
        run: fn(Work),
    ) -> Self {
        Self {
            source: source.clone(),
            lease: source,
            broker: Arc::new(broker),
            member: Arc::new(move || Arc::new(member())),
            target,
            run,
        }
    }

    /// Nothing is lost, doubled or out of order, and all poison was put aside and delivered in the end.
    pub fn arrives(&self) {
        let found = self.travel();
        println!("{found:?}");
        found.assert();
    }

    fn at(&self, work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        let run = self.run;
        spawn(move || run(Box::pin(work)))
    }

    fn writers(&self) -> Vec<JoinHandle<()>> {
        let write = |worker: usize| {
            let shop = shop(&self.source);
            self.at(async move {
                for version in 1..=EACH {
                    for stream in (worker..STREAMS).step_by(WORKERS) {
                        shop.execute(note(stream), Write(version)).await.unwrap();
                    }
                }
            })
        };
        (0..WORKERS).map(write).collect()
    }

    fn relays(&self, broker: &Unruly, stop: &Arc<AtomicBool>) -> Vec<JoinHandle<()>> {
        let relay = |_| {
            let name = Code::new("traffic").unwrap();
            let relay = shop(&self.source).relay(name, broker.clone()).unwrap();
            let (lease, stop) = (self.lease.clone(), raised(stop));
            self.at(async move { relay.run_shared(lease, NonZeroU16::new(8).unwrap(), stop).await })
        };
        (0..WORKERS).map(relay).collect()
    }

    fn consumers(
        &self,
        copying: &Copying,
        stop: &Arc<AtomicBool>,
    ) -> (Vec<JoinHandle<()>>, Arc<AtomicUsize>) {
        let died = Arc::<AtomicUsize>::default();
        let consume = |worker: usize| {
            let (route, copying, died, stop) = (self.clone(), copying.clone(), died.clone(), stop.clone());
            self.at(async move {
                for death in 0..=DEATHS {
                    let shop = shop(&route.target);
                    let acknowledges = if death < DEATHS { 2 + worker + 3 * death } else { usize::MAX };
                    let (member, dead) = Dying::after((route.member)(), acknowledges);
                    let receiver = shop.receiver(copying.clone(), Arc::new(member)).unwrap();
                    let (mut work, mut dead) = (pin!(receiver.run(raised(&stop))), pin!(raised(&dead)));
                    let dropped = poll_fn(|context| {
                        let ended = work.as_mut().poll(context).map(|()| false);
                        if ended.is_pending() && dead.as_mut().poll(context).is_ready() {
                            return Poll::Ready(true);
                        }
                        ended
                    });
                    if dropped.await {
                        died.fetch_add(1, Ordering::SeqCst);
                    }
                }
            })
        };
        ((0..WORKERS).map(consume).collect(), died)
    }

    fn now<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let (sender, receiver) = std::sync::mpsc::channel();
        (self.run)(Box::pin(async move { sender.send(work.await).unwrap() }));
        receiver.recv().unwrap()
    }

    fn log(&self, store: &Arc<dyn Store>) -> Vec<Arc<RecordedEvent>> {
        let store = store.clone();
        self.now(async move {
            let (mut after, mut all) = (Position::START, Vec::new());
            loop {
                let page = store.read_all(LogQuery::after(after, MAX_PAGE)).await.unwrap();
                if page.events.is_empty() {
                    return all;
                }
                (after, all) = (page.next, [all, page.events].concat());
            }
        })
    }

    /// The versions of every note that were copied, in the order of copying.
    fn copied(&self) -> BTreeMap<Uuid, Vec<u64>> {
        let mut copied: BTreeMap<Uuid, Vec<u64>> = BTreeMap::new();
        for recorded in self.log(&self.target) {
            if recorded.stream.kind == Copied::NAME {
                let CopiedEvent::Written(version) = decode(&recorded.event).unwrap();
                copied.entry(recorded.stream.id).or_default().push(version);
            }
        }
        copied
    }

    /// Waits until so many were copied and so many are dead letters; flushes the window meanwhile.
    fn wait_for(&self, broker: &Unruly, (effects, letters): (usize, usize)) {
        let began = now();
        loop {
            let member = (self.member)();
            let flush = broker.clone();
            let dead = self.now(async move {
                flush.flush().await;
                member.buried(usize::MAX).await.unwrap().len()
            });
            let copied: usize = self.copied().values().map(Vec::len).sum();
            if copied >= effects && dead >= letters {
                return;
            }
            assert!(now().since(began) < PATIENCE, "{copied} of {effects}, {dead} of {letters} dead letters");
            sleep(Duration::from_millis(300));
        }
    }

    /// Everything at once, to the end.
    fn travel(&self) -> Found {
        let (stop, copying) = (Arc::<AtomicBool>::default(), Copying::default());
        let all = STREAMS * usize::try_from(EACH).unwrap();
        let poison = poison();
        // In the midst of them, however fast they are.
        let broker = Unruly::new(self.broker.clone(), all / 2, DOWN);
        let mut workers = self.relays(&broker, &stop);
        let (consumers, died) = self.consumers(&copying, &stop);
        workers.extend(consumers);
        let writers = self.writers();
        for writer in writers {
            writer.join().unwrap();
        }
        self.wait_for(&broker, (all - poison, poison));
        let letters = self.dead_letters();
        // A repetition that comes after a message was put aside is one more try.
        assert!(letters.iter().all(|letter| letter.attempts >= 4 && letter.error.as_str() == "poison"));
        copying.mend();
        for letter in &letters {
            let (member, id) = ((self.member)(), letter.message.id);
            assert!(self.now(async move { member.redrive(id).await.unwrap() }));
        }
        self.wait_for(&broker, (all, 0));
        // What is still under way are repetitions: they get their chance to do harm.
        sleep(Duration::from_secs(3));
        stop.store(true, Ordering::SeqCst);
        for worker in workers {
            worker.join().unwrap();
        }
        let (refused, sent) = broker.counts();
        let died = died.load(Ordering::SeqCst);
        println!("{all} messages, {sent} sent, {refused} calls to a broker that was down, {died} deaths");
        assert!(refused > 0 && died == WORKERS * DEATHS, "{refused} refused, {died} died");
        self.judge(poison, letters.len())
    }

    fn dead_letters(&self) -> Vec<commerce_core::port::subscriber::BuriedMessage> {
        let member = (self.member)();
        self.now(async move { member.buried(usize::MAX).await.unwrap() })
    }

    fn judge(&self, poison: usize, letters: usize) -> Found {
        let copied = self.copied();
        let mut found = Found {
            lost: 0,
            doubled: 0,
            disordered: 0,
            poison: (poison, letters),
            letters_left: self.dead_letters().len(),
            put_aside_by_relays: 0,
        };
        for stream in 0..STREAMS {
            let id = note(stream).uuid();
            let versions = copied.get(&id).cloned().unwrap_or_default();
            for version in 1..=EACH {
                let effects = versions.iter().filter(|known| **known == version).count();
                found.lost += usize::from(effects == 0);
                found.doubled += effects.saturating_sub(1);
            }
            let healthy: Vec<u64> = versions.into_iter().filter(|version| !is_poison(id, *version)).collect();
            found.disordered += healthy.windows(2).filter(|pair| pair[0] >= pair[1]).count();
        }
        let bookkeeping = [Backlog::NAME, DeadLetter::NAME];
        let source = self.log(&self.source);
        found.put_aside_by_relays =
            source.iter().filter(|recorded| bookkeeping.contains(&recorded.stream.kind.as_ref())).count();
        assert_eq!(source.iter().filter(|recorded| recorded.stream.kind == Note::NAME).count(), STREAMS * 20);
        found
    }
}

/// How many messages cannot be handled at first.
fn poison() -> usize {
    let versions = |stream| (1..=EACH).filter(move |version| is_poison(note(stream).uuid(), *version));
    (0..STREAMS).flat_map(versions).count()
}

impl Found {
    fn assert(&self) {
        let poison = poison();
        let right = Self {
            lost: 0,
            doubled: 0,
            disordered: 0,
            poison: (poison, poison),
            letters_left: 0,
            put_aside_by_relays: 0,
        };
        assert!(poison >= 80, "{poison} is about one of a hundred");
        assert_eq!(*self, right);
    }
}
