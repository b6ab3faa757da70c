//! Low stock: a reader of the log that folds the moves of stock pools and tells the stock items.

use std::collections::HashMap;

use serde::Serialize;

use super::commerce::Commerce;
use super::commit::MAX_ATTEMPTS;
use super::log::LogError;
use super::reading::Ask;
use crate::identity::authorise;
use crate::inventory::{Reservation, StockCommand, StockError, StockEvent, StockItem};
use crate::kernel::aggregate::{Aggregate, Command, Instance};
use crate::kernel::batch::Batch;
use crate::kernel::codec::decode;
use crate::kernel::error::{CommitError, PortError};
use crate::kernel::event::{EventId, RecordedEvent};
use crate::kernel::mark::{Fingerprint, Mark, MarkKey};
use crate::kernel::pool::{NetMove, PoolKey, PoolLevel, PoolMove};
use crate::kernel::replay::ReplayError;
use crate::kernel::stream::Position;
use crate::port::store::{LogQuery, MAX_PAGE};
use crate::value::actor::Owner;
use crate::value::id::{Id, StockItemId};

/// The consumer's name in its marks.
const CONSUMER: &str = "consumer:stock-watch";

/// How far the log was read, and what the pools of stock held there.
///
/// It may be thrown away at any time: a new one reads from the start, and whatever was told to a stock
/// item before is not told again.
#[derive(Debug, Clone)]
pub struct StockWatch {
    after: Position,
    pages: u32,
    items: HashMap<PoolKey, Watched>,
    pools: HashMap<StockItemId, PoolKey>,
}

#[derive(Debug, Clone, Copy)]
struct Watched {
    item: StockItemId,
    level: PoolLevel,
    /// As it was set at this place of the log.
    threshold: Option<u32>,
}

/// What a run has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watch {
    /// Events whose levels were told to stock items.
    pub observed: u32,
    /// Alerts that were raised.
    pub alerts: u32,
    /// Whether the end of the log was reached.
    pub end: bool,
}

/// The watch cannot go on; what it has told stays told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StockWatchError {
    /// The log cannot be read, or not by this actor.
    #[error("the log cannot be read")]
    Log(#[from] LogError),
    /// The stock item refuses.
    #[error("the stock item refuses")]
    Stock(#[from] StockError),
    /// The store refuses.
    #[error("refused by the store")]
    Commit(#[source] CommitError),
    /// Others were faster every time.
    #[error("others changed it {attempts} times in a row")]
    Conflict {
        /// How many decisions were made.
        attempts: u32,
    },
    /// What is stored cannot be read.
    #[error("what is stored cannot be read")]
    Corrupt(#[from] ReplayError),
}

impl From<PortError> for StockWatchError {
    fn from(error: PortError) -> Self {
        Self::Log(error.into())
    }
}

/// What an event leaves behind: levels that changed, and thresholds.
type News = Vec<(PoolKey, Watched)>;

/// What a mark remembers.
#[derive(Serialize)]
struct Told {
    event: EventId,
}

impl Default for StockWatch {
    fn default() -> Self {
        Self::new(10)
    }
}

impl StockWatch {
    /// A watch that reads at most this many pages per run, from the start of the log.
    pub fn new(pages: u32) -> Self {
        Self { after: Position::START, pages: pages.max(1), items: HashMap::new(), pools: HashMap::new() }
    }

    fn item(&self, pool: &PoolKey) -> Option<Watched> {
        self.items.get(pool).copied()
    }

    /// What an event changes; learns of new stock items on the way.
    fn read(&mut self, recorded: &RecordedEvent) -> Result<News, LogError> {
        let id = recorded.stream.id;
        match recorded.stream.kind.as_ref() {
            StockItem::NAME => {
                let item = StockItemId::from_uuid(id)?;
                let event: StockEvent = decode(&recorded.event)?;
                match &event {
                    StockEvent::Opened { sku, location } => {
                        let pool = crate::inventory::stock_pool(sku, *location);
                        let level = PoolLevel::default();
                        self.items.insert(pool.clone(), Watched { item, level, threshold: None });
                        self.pools.insert(item, pool);
                        Ok(Vec::new())
                    }
                    StockEvent::ThresholdSet { threshold } => {
                        let pool = self.pools.get(&item).cloned();
                        let known = pool.and_then(|pool| self.item(&pool).map(|known| (pool, known)));
                        let threshold = *threshold;
                        Ok(known.into_iter().map(|(p, known)| (p, Watched { threshold, ..known })).collect())
                    }
                    _ => Ok(self.moved(StockItem::effects(item, &event).moves)),
                }
            }
            Reservation::NAME => {
                let event = decode(&recorded.event)?;
                Ok(self.moved(Reservation::effects(Id::from_uuid(id)?, &event).moves))
            }
            _ => Ok(Vec::new()),
        }
    }

    fn moved(&self, moves: Vec<PoolMove>) -> News {
        let mut nets: Vec<(PoolKey, NetMove)> = Vec::new();
        for step in moves {
            if let Some((_, net)) = nets.iter_mut().find(|(pool, _)| *pool == step.pool) {
                net.add(step.op);
            } else {
                let mut net = NetMove::default();
                net.add(step.op);
                nets.push((step.pool, net));
            }
        }
        let news = nets.into_iter().filter_map(|(pool, net)| {
            let known = self.item(&pool)?;
            let (old, by) = (known.level, net.total());
            let level = PoolLevel {
                available: old.available.saturating_add(by.available),
                held: old.held.saturating_add(by.held),
                allocated: old.allocated.saturating_add(by.allocated),
                floor: old.floor,
            };
            Some((pool, Watched { level, ..known }))
        });
        news.collect()
    }

    /// Whether a stock item has to hear of it: promising held units changes neither number.
    fn is_news(&self, pool: &PoolKey, after: &Watched) -> bool {
        self.item(pool).is_none_or(|before| {
            (before.level.available, before.level.physical(), before.threshold)
                != (after.level.available, after.level.physical(), after.threshold)
        })
    }
}

impl Commerce {
    /// Reads on in the log and tells stock items their levels, so that each fall below a threshold raises
    /// one alert, however often and wherever this runs.
    ///
    /// # Errors
    ///
    /// [`StockWatchError`]; the next run goes on at the event that failed.
    pub async fn watch_stock(&self, watch: &mut StockWatch) -> Result<Watch, StockWatchError> {
        let asked = StockCommand::ObserveLevel { available: 0, on_hand: 0 }.permission();
        authorise(&self.request.principal, asked, Some(Owner::Shop)).map_err(LogError::from)?;
        let mut done = Watch::default();
        for _ in 0..watch.pages {
            let page = self.store().read_all(LogQuery::after(watch.after, MAX_PAGE)).await?;
            if page.events.is_empty() {
                done.end = true;
                break;
            }
            for recorded in &page.events {
                let news = watch.read(recorded)?;
                let told: Vec<_> =
                    news.iter().filter(|(pool, after)| watch.is_news(pool, after)).map(|(_, w)| *w).collect();
                if !told.is_empty() {
                    done.observed = done.observed.saturating_add(1);
                    let alerts = self.observe(recorded.event.id, &told).await?;
                    done.alerts = done.alerts.saturating_add(alerts);
                }
                watch.items.extend(news);
                watch.after = recorded.position;
            }
            watch.after = page.next;
        }
        Ok(done)
    }

    /// Tells stock items the levels behind one event, once; gives the number of alerts.
    async fn observe(&self, event: EventId, news: &[Watched]) -> Result<u32, StockWatchError> {
        let key = MarkKey::new(CONSUMER, event.to_string());
        let result = serde_json::to_vec(&Told { event }).unwrap_or_default().into();
        let mark = Mark { key: key.clone(), fingerprint: Fingerprint::of(1, b""), result };
        for attempt in 1..=MAX_ATTEMPTS {
            let mut ask = Ask::default();
            ask.load.marks.push(key.clone());
            let items: Vec<Instance<StockItem>> =
                news.iter().map(|watched| self.shared.cache.take(watched.item)).collect();
            for item in &items {
                ask.stream(item);
            }
            let answer = self.ask(ask).await?;
            if answer.loaded.marks.first().is_some_and(Option::is_some) {
                return Ok(0);
            }
            let mut batch = Batch::new(self.ids(), self.now(), Self::system_metadata(event.uuid()));
            let mut alerts = 0_u32;
            for (item, watched) in items.into_iter().zip(news) {
                let mut item = answer.fold(item)?;
                // Another threshold was set further on in the log; its event has the level observed.
                if item.state.as_ref().is_none_or(|state| state.threshold() != watched.threshold) {
                    batch.expect(&item);
                    continue;
                }
                let (available, on_hand) = (watched.level.available, watched.level.physical());
                let observe = StockCommand::ObserveLevel { available, on_hand };
                let events = StockItem::decide(item.state.as_ref(), observe, batch.now())?;
                batch.append(&mut item, &events)?;
                let raised = events.iter().any(|event| matches!(event, StockEvent::LowStock { .. }));
                alerts = alerts.saturating_add(u32::from(raised));
            }
            batch.commit_mut().mark = Some(mark.clone());
            match self.commit_resolved(batch.into_commit()).await {
                Ok(_) => return Ok(alerts),
                Err(CommitError::AlreadyHandled(_)) => return Ok(0),
                Err(CommitError::Stale { .. }) => self.pause(attempt).await,
                Err(error) => return Err(StockWatchError::Commit(error)),
            }
        }
        Err(StockWatchError::Conflict { attempts: MAX_ATTEMPTS })
    }
}
