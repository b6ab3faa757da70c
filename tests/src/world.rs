//! A shop in memory whose every table can be looked at.

use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::commerce::{Commerce, Platform};
use commerce_core::app::error::CommandError;
use commerce_core::app::execute::Executed;
use commerce_core::kernel::aggregate::{Aggregate, Command, Instance, stream_of};
use commerce_core::kernel::batch::Batch;
use commerce_core::kernel::codec::decode;
use commerce_core::kernel::commit::{Load, Receipt, StreamQuery};
use commerce_core::kernel::error::{CommitError, ErrorClass};
use commerce_core::kernel::event::{Metadata, RecordedEvent};
use commerce_core::kernel::pool::{PoolKey, PoolLevel};
use commerce_core::kernel::replay::{fold, replay};
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::port::clock::Clock as _;
use commerce_core::port::store::{LogQuery, MAX_PAGE, Row, Store, Table};
use commerce_core::value::actor::Actor;
use commerce_core::value::id::{CommandId, Id};
use commerce_core::value::time::Timestamp;
use commerce_testkit::fake::{Clock, Ids, Sleeper};
use pollster::block_on;
use uuid::Uuid;

/// The namespace of ids that tests make from names.
pub const NAMES: Uuid = Uuid::from_u128(0x6e2f_71c0_54c9_5b0d_b7a3_90e4_18d5_3f27);

/// The id of this name.
pub fn id<T>(name: &str) -> Id<T> {
    Id::derived(NAMES, name.as_bytes())
}

/// What a facade's command comes to.
pub type Outcome<C> = Result<
    Executed<<<C as Command>::Target as Aggregate>::Event>,
    CommandError<<<C as Command>::Target as Aggregate>::Error>,
>;

/// A refusal by the aggregate or by the store.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal<E> {
    /// The aggregate decides against it.
    Domain(E),
    /// The store does not take the commit.
    Store(CommitError),
}

/// Everything that a store holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    /// The log.
    pub log: Vec<Arc<RecordedEvent>>,
    /// Keys, pools, timers and marks.
    pub rows: Vec<Row>,
}

/// A shop on a fresh memory store, with a clock that the test moves.
#[derive(Debug)]
pub struct World {
    /// Shown to the shop and to the store.
    pub clock: Clock,
    /// Under the shop.
    pub store: MemoryStore,
    /// Acts as the system.
    pub shop: Commerce,
    ids: Ids,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A shop without anything.
    pub fn new() -> Self {
        let clock = Clock::default();
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let shop = shop(&store, &clock);
        Self { clock, store, shop, ids: Ids::seeded(1) }
    }

    /// Another handle on the same store, which has nothing cached.
    pub fn fresh_shop(&self) -> Commerce {
        shop(&self.store, &self.clock)
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Gives a command through the facade.
    ///
    /// # Errors
    ///
    /// The facade's refusal.
    pub fn run<C: Command>(&self, id: Id<<C::Target as Aggregate>::Root>, command: C) -> Outcome<C> {
        block_on(self.shop.execute(id, command))
    }

    /// Gives a command through the facade under an id.
    ///
    /// # Errors
    ///
    /// The facade's refusal.
    pub fn run_as<C: Command>(
        &self,
        command_id: CommandId,
        id: Id<<C::Target as Aggregate>::Root>,
        command: C,
    ) -> Outcome<C> {
        block_on(self.shop.with_command_id(command_id).execute(id, command))
    }

    /// Decides on an instance that the test holds and commits; a refusal leaves the instance as it was.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    pub fn commit<A: Aggregate>(
        &self,
        instance: &mut Instance<A>,
        command: A::Command,
    ) -> Result<Vec<A::Event>, Refusal<A::Error>> {
        let events = A::decide(instance.state.as_ref(), command, self.now()).map_err(Refusal::Domain)?;
        let Instance { id, version, snapshot, folded, .. } = *instance;
        let mut next = Instance { id, version, state: instance.state.clone(), snapshot, folded };
        self.append(&mut next, &events).map_err(Refusal::Store)?;
        *instance = next;
        Ok(events)
    }

    /// Commits events onto an instance.
    ///
    /// # Errors
    ///
    /// What the store refuses with.
    pub fn append<A: Aggregate>(
        &self,
        instance: &mut Instance<A>,
        events: &[A::Event],
    ) -> Result<Receipt, CommitError> {
        let mut batch = self.batch();
        batch.append(instance, events).expect("events of a decision fit its state");
        block_on(self.store.commit(batch.into_commit()))
    }

    /// An empty batch at the present time.
    pub fn batch(&self) -> Batch<'_> {
        let metadata = Metadata { correlation: Uuid::from_u128(1), causation: None, actor: Actor::System };
        Batch::new(&self.ids, self.now(), metadata)
    }

    /// The level of a pool.
    pub fn level(&self, pool: &PoolKey) -> PoolLevel {
        let load = Load { pools: vec![pool.clone()], ..Load::default() };
        block_on(self.store.load(load)).unwrap().pools[0]
    }

    /// The stream that owns a key.
    pub fn owner(&self, scope: &'static str, key: &str) -> Option<StreamId> {
        let key = commerce_core::kernel::unique::Key::new(scope, key);
        let load = Load { by_claim: vec![key], ..Load::default() };
        block_on(self.store.load(load)).unwrap().by_claim[0].clone()
    }

    /// The whole log.
    pub fn log(&self) -> Vec<Arc<RecordedEvent>> {
        let (mut log, mut after) = (Vec::new(), Position::START);
        loop {
            let page = block_on(self.store.read_all(LogQuery::after(after, MAX_PAGE))).unwrap();
            if page.events.is_empty() {
                return log;
            }
            log.extend(page.events);
            after = page.next;
        }
    }

    /// Everything that the store holds.
    pub fn contents(&self) -> Contents {
        let tables = [Table::Keys, Table::Pools, Table::Timers, Table::Marks];
        let rows = |table| block_on(self.store.scan(table, None, MAX_PAGE)).unwrap();
        Contents { log: self.log(), rows: tables.into_iter().flat_map(rows).collect() }
    }

    /// The events of an aggregate, read back from bytes.
    pub fn events<A: Aggregate>(&self, id: Id<A::Root>) -> Vec<A::Event> {
        let recorded = self.recorded::<A>(id);
        recorded.iter().map(|recorded| decode(&recorded.event).unwrap()).collect()
    }

    /// The events of an aggregate as they are stored.
    pub fn recorded<A: Aggregate>(&self, id: Id<A::Root>) -> Vec<Arc<RecordedEvent>> {
        block_on(self.store.read_stream(&stream_of::<A>(id), Version::NONE, MAX_PAGE)).unwrap()
    }

    /// The state of an aggregate, folded from all of its stored events.
    pub fn replayed<A: Aggregate>(&self, id: Id<A::Root>) -> Option<A> {
        fold(None, &self.events::<A>(id)).expect("what is stored fits")
    }

    /// The state of an aggregate from its newest snapshot and what lies behind it.
    pub fn from_snapshot<A: Aggregate>(&self, id: Id<A::Root>) -> Instance<A> {
        let stream = stream_of::<A>(id);
        let query = StreamQuery { stream, after: Version::NONE, snapshot_schema: Some(A::STATE_SCHEMA) };
        let load = Load { streams: vec![query], ..Load::default() };
        let loaded = block_on(self.store.load(load)).unwrap();
        replay(Instance::absent(id), &loaded.streams[0]).expect("what is stored fits")
    }
}

fn shop(store: &MemoryStore, clock: &Clock) -> Commerce {
    let platform = Platform {
        clock: Arc::new(clock.clone()),
        sleeper: Arc::new(Sleeper::jumping(clock.clone())),
        ids: Arc::new(Ids::seeded(2)),
    };
    Commerce::new(store.clone(), platform).acting_as(Actor::System)
}

/// Whether the refusal says that the request is refused, and not that something is broken.
pub fn is_refusal<E: std::error::Error>(error: &CommandError<E>) -> bool {
    match error {
        // Underflow is a refusal (kernel rules, pools): units that are not there cannot leave.
        CommandError::Commit(CommitError::Unbalanced(_)) => true,
        other => other.class() == ErrorClass::Refused,
    }
}
