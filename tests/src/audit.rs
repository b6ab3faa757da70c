//! Reads a log back and judges the tables by it.

use std::collections::BTreeMap;
use std::sync::Arc;

use commerce_core::carts::Cart;
use commerce_core::catalog::{CategoryTree, Product};
use commerce_core::checkout::Checkout;
use commerce_core::customers::Customer;
use commerce_core::inventory::{Reservation, StockItem};
use commerce_core::kernel::aggregate::Aggregate;
use commerce_core::kernel::codec::decode;
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::pool::{PoolKey, PoolLevel, PoolOp};
use commerce_core::kernel::stream::{Position, StreamId};
use commerce_core::notifications::Notification;
use commerce_core::orders::Order;
use commerce_core::payments::Payment;
use commerce_core::port::store::{LogQuery, MAX_PAGE, Row, Store, Table};
use commerce_core::promotions::{Promotion, Redemption};
use commerce_core::settings::ShopSettings;
use commerce_core::shipping::Shipment;
use commerce_core::value::id::Id;
use pollster::block_on;

/// An aggregate that was folded from its events: its id, its state, and they.
pub type Folded<A> = (Id<<A as Aggregate>::Root>, A, Vec<<A as Aggregate>::Event>);

/// The whole log of a store, by stream.
#[derive(Debug, Clone)]
pub struct Audit {
    streams: BTreeMap<StreamId, Vec<Arc<RecordedEvent>>>,
    moves: Vec<(PoolKey, PoolOp)>,
}

impl Audit {
    /// Reads the log and folds every stream.
    pub fn of(store: &dyn Store) -> Self {
        let mut audit = Self { streams: BTreeMap::new(), moves: Vec::new() };
        let mut after = Position::START;
        loop {
            let page = block_on(store.read_all(LogQuery::after(after, MAX_PAGE))).unwrap();
            if page.events.is_empty() {
                break;
            }
            for recorded in page.events {
                audit.effects(&recorded);
                audit.streams.entry(recorded.stream.clone()).or_default().push(recorded);
            }
            after = page.next;
        }
        audit
    }

    /// Every aggregate of a kind, folded from the log, with its events.
    pub fn all<A: Aggregate>(&self) -> Vec<Folded<A>> {
        let of_kind = self.streams.iter().filter(|(stream, _)| stream.kind == A::NAME);
        of_kind
            .map(|(stream, recorded)| {
                let mut state = None;
                let mut events = Vec::new();
                for (version, recorded) in (1..).zip(recorded) {
                    assert_eq!(recorded.version.get(), version, "{stream} has a gap");
                    let event: A::Event = decode(&recorded.event).unwrap();
                    state = Some(A::evolve(state.take(), &event).expect("what is stored fits"));
                    events.push(event);
                }
                (Id::from_uuid(stream.id).unwrap(), state.unwrap(), events)
            })
            .collect()
    }

    /// Replays every stream of every kind.
    pub fn replays(&self) {
        let mut known = 0;
        macro_rules! replay {
            ($($kind:ty),* $(,)?) => { $( known += self.all::<$kind>().len(); )* };
        }
        replay!(
            Cart,
            CategoryTree,
            Product,
            Checkout,
            Customer,
            Reservation,
            StockItem,
            Notification,
            Order,
            Payment,
            Promotion,
            Redemption,
            ShopSettings,
            Shipment,
        );
        assert_eq!(known, self.streams.len(), "a stream of a kind that nobody knows");
    }

    /// The pools as the events of the log make them.
    pub fn pools(&self) -> BTreeMap<PoolKey, PoolLevel> {
        let mut pools: BTreeMap<PoolKey, PoolLevel> = BTreeMap::new();
        for (pool, op) in &self.moves {
            apply(pools.entry(pool.clone()).or_default(), *op);
        }
        pools.retain(|_, level| *level != PoolLevel::default());
        pools
    }

    /// Compares the store's pools with those of the log.
    pub fn agrees_with(&self, store: &dyn Store) {
        let rows = block_on(store.scan(Table::Pools, None, MAX_PAGE)).unwrap();
        let stored: BTreeMap<PoolKey, PoolLevel> = rows
            .into_iter()
            .filter_map(|row| match row {
                Row::Pool(pool, level) if level != PoolLevel::default() => Some((pool, level)),
                _ => None,
            })
            .collect();
        assert_eq!(stored, self.pools(), "the pools are not those of the log");
    }

    fn effects(&mut self, recorded: &RecordedEvent) {
        let kind = recorded.stream.kind.as_ref();
        macro_rules! effects {
            ($($aggregate:ty),* $(,)?) => {
                match kind {
                    $( <$aggregate>::NAME => self.moved::<$aggregate>(recorded), )*
                    _ => {}
                }
            };
        }
        effects!(
            Cart,
            Product,
            Checkout,
            Reservation,
            StockItem,
            Order,
            Payment,
            Promotion,
            Redemption,
            Shipment
        );
    }

    fn moved<A: Aggregate>(&mut self, recorded: &RecordedEvent) {
        let event: A::Event = decode(&recorded.event).unwrap();
        let effects = A::effects(Id::from_uuid(recorded.stream.id).unwrap(), &event);
        self.moves.extend(effects.moves.into_iter().map(|moved| (moved.pool, moved.op)));
    }
}

/// What a move does to a level, in plain arithmetic and without guards.
fn apply(level: &mut PoolLevel, op: PoolOp) {
    let units = |count: u64| i64::try_from(count).unwrap();
    match op {
        PoolOp::Supply(n) | PoolOp::Correct(n) => level.available += n,
        PoolOp::Hold(n) | PoolOp::HoldAbove { amount: n, .. } => {
            level.available -= units(n);
            level.held += units(n);
        }
        PoolOp::Release(n) => {
            level.held -= units(n);
            level.available += units(n);
        }
        PoolOp::Allocate(n) => {
            level.held -= units(n);
            level.allocated += units(n);
        }
        PoolOp::Consume(n) => level.allocated -= units(n),
        PoolOp::Return(n) => {
            level.allocated -= units(n);
            level.available += units(n);
        }
        PoolOp::Floor(floor) => level.floor = floor,
    }
}
