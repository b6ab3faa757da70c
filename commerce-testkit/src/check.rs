//! A checker that reads only the store and the fake gateway's own books, never the library's counters.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use commerce_core::carts::Cart;
use commerce_core::checkout::Checkout;
use commerce_core::checkout::machine::Status;
use commerce_core::inventory::{Reservation, StockItem};
use commerce_core::kernel::aggregate::Aggregate;
use commerce_core::kernel::codec::decode;
use commerce_core::kernel::error::PortError;
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::pool::{NetMove, PoolKey, PoolLevel};
use commerce_core::kernel::stream::{Position, StreamId};
use commerce_core::orders::{Order, OrderStatus};
use commerce_core::payments::Payment;
use commerce_core::port::store::{MAX_PAGE, Row, Store, Table};
use commerce_core::promotions::{Promotion, Redemption};
use commerce_core::value::id::Id;

use crate::shop::Shop;

/// What the checker found: one line per rule.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    lines: Vec<(bool, String)>,
}

/// The whole log, decoded by kind as far as a rule needs it.
pub(crate) struct Log {
    pub(crate) streams: BTreeMap<String, (StreamId, Vec<Arc<RecordedEvent>>)>,
    pub(crate) events: Vec<Arc<RecordedEvent>>,
}

impl Log {
    pub(crate) async fn read(store: &dyn Store) -> Result<Self, PortError> {
        let mut log = Self { streams: BTreeMap::new(), events: Vec::new() };
        let mut after = Position::START;
        loop {
            let page = store.read_all(after, MAX_PAGE).await?;
            if page.events.is_empty() {
                return Ok(log);
            }
            after = page.next;
            for event in page.events {
                let slot = log.streams.entry(event.stream.to_string());
                slot.or_insert_with(|| (event.stream.clone(), Vec::new())).1.push(event.clone());
                log.events.push(event);
            }
        }
    }

    /// The states of all aggregates of a kind; `None` for a stream that does not fold.
    pub(crate) fn states<A: Aggregate>(&self) -> Vec<(Id<A::Root>, Option<A>)> {
        let of_kind = self.streams.values().filter(|(stream, _)| stream.kind == A::NAME);
        of_kind
            .filter_map(|(stream, events)| {
                let fold = events.iter().try_fold(None, |state, recorded| {
                    let event: A::Event = decode(&recorded.event).ok()?;
                    Some(Some(A::evolve(state, &event).ok()?))
                });
                Some((Id::from_uuid(stream.id).ok()?, fold.flatten()))
            })
            .collect()
    }

    /// What the pools should hold, by the effects of every event.
    fn pools(&self) -> HashMap<PoolKey, PoolLevel> {
        let mut levels = HashMap::new();
        // The guards hold for the net of a commit, so single moves are added without them.
        let mut sums: HashMap<PoolKey, NetMove> = HashMap::new();
        for recorded in &self.events {
            for step in effects(recorded) {
                sums.entry(step.pool).or_default().add(step.op);
            }
        }
        for (pool, net) in sums {
            levels.insert(pool, net.total());
        }
        levels
    }
}

fn effects(recorded: &RecordedEvent) -> Vec<commerce_core::kernel::pool::PoolMove> {
    fn of<A: Aggregate>(recorded: &RecordedEvent) -> Vec<commerce_core::kernel::pool::PoolMove> {
        let event: Option<A::Event> = decode(&recorded.event).ok();
        match (event, Id::from_uuid(recorded.stream.id)) {
            (Some(event), Ok(id)) => A::effects(id, &event).moves,
            _ => Vec::new(),
        }
    }
    match recorded.stream.kind.as_ref() {
        StockItem::NAME => of::<StockItem>(recorded),
        Reservation::NAME => of::<Reservation>(recorded),
        Promotion::NAME => of::<Promotion>(recorded),
        Redemption::NAME => of::<Redemption>(recorded),
        _ => Vec::new(),
    }
}

impl Findings {
    /// Checks the store and the gateway of a shop.
    ///
    /// # Errors
    ///
    /// [`PortError`] where the store cannot be read.
    pub async fn of(shop: &Shop) -> Result<Self, PortError> {
        let store = &**shop.commerce.store();
        let log = Log::read(store).await?;
        let mut findings = Self::default();
        findings.money(shop, &log);
        findings.stock(store, &log).await?;
        findings.sagas(&log);
        findings.streams(&log);
        Ok(findings)
    }

    /// Whether every rule holds.
    pub fn hold(&self) -> bool {
        self.lines.iter().all(|(holds, _)| *holds)
    }

    /// One line per rule.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.lines.iter().map(|(holds, line)| format!("{} {line}", if *holds { "ok   " } else { "FAILS" }))
    }

    fn note(&mut self, holds: bool, line: String) {
        self.lines.push((holds, line));
    }

    /// I1: what the gateway keeps or reserves of an order is its total less what the order says was given
    /// back, or it keeps nothing.
    fn money(&mut self, shop: &Shop, log: &Log) {
        let ledger = shop.gateway.ledger();
        let orders = log.states::<Order>();
        let mut wrong = 0;
        let mut confirmed = 0;
        for (id, order) in &orders {
            let Some(order) = order else { continue };
            let live = matches!(order.status(), OrderStatus::Confirmed | OrderStatus::Completed);
            confirmed += usize::from(live);
            let back: i64 = order.payments().values().map(|sums| sums.refunded).sum();
            let due = order.total().minor() - back;
            wrong += usize::from(if live && !order.is_imported() {
                ledger.kept(*id) + ledger.reserved(*id) != due
            } else {
                ledger.kept(*id) != 0
            });
        }
        let line = format!(
            "money: {confirmed} confirmed of {} orders; the gateway has each total once, less refunds, else nothing",
            orders.len()
        );
        self.note(wrong == 0, line);
        let by_cart = log.states::<Cart>().into_iter().filter_map(|(_, cart)| cart?.order());
        let mut bought: Vec<_> = by_cart.collect();
        let count = bought.len();
        bought.sort();
        bought.dedup();
        self.note(count == bought.len(), format!("orders: {count} carts were bought, each became one order"));
    }

    /// I2, I3: nothing is sold that is not there, and the pools are what the log says.
    async fn stock(&mut self, store: &dyn Store, log: &Log) -> Result<(), PortError> {
        let mut levels = HashMap::new();
        let mut after: Option<String> = None;
        loop {
            let rows = store.scan(Table::Pools, after.as_deref(), MAX_PAGE).await?;
            let Some(last) = rows.last() else { break };
            if let Row::Pool(pool, _) = last {
                after = Some(pool.to_string());
            }
            levels.extend(rows.into_iter().filter_map(|row| match row {
                Row::Pool(pool, level) => Some((pool, level)),
                _ => None,
            }));
        }
        // What a customer may use is bounded by the floor that each hold carries, not by the pool's own.
        let bounded =
            |pool: &PoolKey| !(pool.as_str().starts_with("promotion:") && pool.as_str().contains('@'));
        let sound = levels.iter().all(|(pool, level): (&PoolKey, &PoolLevel)| {
            (level.available >= level.floor || !bounded(pool)) && level.held >= 0 && level.allocated >= 0
        });
        self.note(sound, format!("stock: none of {} pools is below its floor", levels.len()));
        let held: i64 = levels.values().map(|level| level.held).sum();
        self.note(held == 0, "stock: nothing is held for anybody any more".to_owned());
        let rebuilt = log.pools() == levels;
        self.note(rebuilt, "stock: the pools equal what the events of the log say".to_owned());
        Ok(())
    }

    /// I6: sagas end.
    fn sagas(&mut self, log: &Log) {
        let sagas = log.states::<Checkout>();
        let ended =
            sagas.iter().all(|(_, saga)| saga.as_ref().is_some_and(|saga| saga.status().is_terminal()));
        let undone = sagas
            .iter()
            .filter(|(_, saga)| saga.as_ref().is_some_and(|saga| saga.status() == Status::Compensated));
        let line = format!("sagas: {} checkouts ended, {} of them undone", sagas.len(), undone.count());
        self.note(ended, line);
    }

    /// I4: versions without gaps, and every stream folds.
    fn streams(&mut self, log: &Log) {
        let gapless = log
            .streams
            .values()
            .all(|(_, events)| events.iter().zip(1..).all(|(event, version)| event.version.get() == version));
        let line = format!("log: {} events in {} streams without a gap", log.events.len(), log.streams.len());
        self.note(gapless, line);
        let folds = log.states::<Order>().iter().all(|(_, state)| state.is_some())
            && log.states::<Payment>().iter().all(|(_, state)| state.is_some())
            && log.states::<Reservation>().iter().all(|(_, state)| state.is_some());
        self.note(folds, "log: orders, payments and reservations fold from their events".to_owned());
    }
}
