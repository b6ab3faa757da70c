//! Compares the tables of a store with its log, and mends them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::commerce::Commerce;
use super::commit::MAX_ATTEMPTS;
use crate::event_types;
use crate::identity::{Denied, authorise};
use crate::kernel::aggregate::{Aggregate, Command, EvolveError, Instance, Permission};
use crate::kernel::batch::Batch;
use crate::kernel::codec::CodecError;
use crate::kernel::commit::Commit;
use crate::kernel::error::{CommitError, PortError};
use crate::kernel::pool::PoolMove;
use crate::kernel::rebuild::{Difference, Rebuilt, Registry, moves_between};
use crate::kernel::replay::ReplayError;
use crate::kernel::stream::{Label, Position};
use crate::kernel::timer::TimerWrite;
use crate::kernel::unique::UniqueKey;
use crate::port::store::{LogQuery, MAX_PAGE, Row, Table};
use crate::value::actor::Owner;
use crate::value::id::Id;
use crate::value::time::Timestamp;

/// The most differences that one repair mends; a second one goes on.
const MAX_MENDED: usize = 1_000;

/// What the log says, and where the tables say something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditReport {
    /// The end of the log that was read.
    pub position: Position,
    /// How many events were read.
    pub events: u64,
    /// Keys, pools and timers that differ.
    pub differences: Vec<Difference>,
}

/// What a repair did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repaired {
    /// What is mended.
    pub mended: Vec<Difference>,
    /// What is left for a person: nothing is ever deleted or taken from its owner.
    pub left: Vec<Difference>,
}

/// Tables cannot be compared or mended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The actor may not do this.
    #[error("not permitted")]
    Denied(#[from] Denied),
    /// The log holds events whose effects nobody has registered: tables that look wrong may be right.
    #[error("the effects of `{0}` are not registered")]
    Unregistered(Label),
    /// An event cannot be read.
    #[error("an event cannot be read")]
    Codec(#[from] CodecError),
    /// The repairs that are stored cannot be read.
    #[error("what is stored cannot be read")]
    Corrupt(#[from] ReplayError),
    /// The log grew while it was compared, every time.
    #[error("the log grew {attempts} times while it was compared")]
    Busy {
        /// How many times it was compared.
        attempts: u32,
    },
    /// The store refuses the repair.
    #[error("refused by the store")]
    Commit(#[source] CommitError),
    /// The store failed.
    #[error("the store failed")]
    Port(#[from] PortError),
}

/// The repairs of a store: an aggregate without state, so that of two at a time one is made anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreRepairs {
    count: u64,
}

/// Asks for nothing: repairs are made by [`Commerce::repair`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum RepairCommand {
    /// Notes that tables were mended.
    Note {
        /// How many differences.
        mended: u32,
    },
}

/// A fact about repairs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RepairEvent {
    /// Tables were mended.
    Mended {
        /// How many differences.
        mended: u32,
    },
}

event_types! { RepairEvent { Mended => "StoreRepaired" v1 } }

/// Repairs refuse nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RepairError {}

impl Command for RepairCommand {
    type Target = StoreRepairs;

    fn permission(&self) -> Permission {
        Permission::new("store_repairs", "mend")
    }

    fn stands_alone(&self) -> bool {
        false
    }
}

impl Aggregate for StoreRepairs {
    const NAME: &'static str = "store_repairs";
    type Root = Self;
    type Command = RepairCommand;
    type Event = RepairEvent;
    type Error = RepairError;

    fn decide(
        _state: Option<&Self>,
        command: RepairCommand,
        _now: Timestamp,
    ) -> Result<Vec<RepairEvent>, RepairError> {
        let RepairCommand::Note { mended } = command;
        Ok(vec![RepairEvent::Mended { mended }])
    }

    fn evolve(state: Option<Self>, _event: &RepairEvent) -> Result<Self, EvolveError> {
        Ok(Self { count: state.map_or(0, |known| known.count).saturating_add(1) })
    }
}

impl Registry {
    /// Knows every aggregate of the library. A host adds its own with [`with`](Self::with).
    pub fn standard() -> Self {
        Self::empty()
            .with::<crate::carts::Cart>()
            .with::<crate::catalog::CategoryTree>()
            .with::<crate::catalog::Product>()
            .with::<crate::checkout::Checkout>()
            .with::<crate::customers::Customer>()
            .with::<crate::imports::ImportNote>()
            .with::<crate::imports::ImportedReturn>()
            .with::<crate::inventory::Reservation>()
            .with::<crate::inventory::StockItem>()
            .with::<crate::messaging::Backlog>()
            .with::<crate::messaging::ConsumerProgress>()
            .with::<crate::messaging::Inbox>()
            .with::<crate::messaging::DeadLetter>()
            .with::<crate::notifications::Notification>()
            .with::<crate::orders::Order>()
            .with::<crate::orders::OrderEdit>()
            .with::<crate::payments::ParkedCallback>()
            .with::<crate::payments::Payment>()
            .with::<crate::payments::QuarantinedCallback>()
            .with::<crate::promotions::Promotion>()
            .with::<crate::promotions::Redemption>()
            .with::<crate::returns::Return>()
            .with::<crate::settings::ShopSettings>()
            .with::<crate::shipping::Shipment>()
            .with::<StoreRepairs>()
    }
}

impl Commerce {
    /// Compares unique keys, pools and timers with what the events of the log make of them.
    ///
    /// Reads the tables and all of the log, or what archived events left and the log behind them; made again
    /// where the log grows meanwhile. For staff and the
    /// system.
    ///
    /// # Errors
    ///
    /// [`AuditError`]; `Unregistered` where the log holds kinds that the registry does not know.
    pub async fn audit(&self, registry: &Registry) -> Result<AuditReport, AuditError> {
        let permission = RepairCommand::Note { mended: 0 }.permission();
        authorise(&self.request.principal, permission, Some(Owner::Shop))?;
        let (mut rebuilt, mut position) = self.opened().await?;
        let mut events = 0;
        for attempt in 1..=MAX_ATTEMPTS {
            events += self.follow(registry, &mut rebuilt, &mut position).await?;
            let (keys, pools, timers) = self.tables().await?;
            // Every change of a table comes with an event: what was read belongs to this end of the log.
            if self.follow(registry, &mut Rebuilt::default(), &mut position.clone()).await? == 0 {
                let differences = rebuilt.differences(&keys, &pools, &timers);
                return Ok(AuditReport { position, events, differences });
            }
            self.pause(attempt).await;
        }
        Err(AuditError::Busy { attempts: MAX_ATTEMPTS })
    }

    /// Makes the tables say what the log says: missing keys and timers are written again, pools are put
    /// right, all in one commit that notes it. Nothing is deleted, and no key is taken from its owner.
    ///
    /// # Errors
    ///
    /// [`AuditError`]; nothing happened.
    pub async fn repair(&self, registry: &Registry) -> Result<Repaired, AuditError> {
        for attempt in 1..=MAX_ATTEMPTS {
            // Known before the audit: a repair that was made in between is noticed by its version.
            let known = self.read::<StoreRepairs>(repairs()).await.map_err(|error| match error {
                super::reading::ReadError::Denied(denied) => AuditError::Denied(denied),
                super::reading::ReadError::Port(port) => AuditError::Port(port),
                super::reading::ReadError::Corrupt(corrupt) => AuditError::Corrupt(corrupt),
            })?;
            let report = self.audit(registry).await?;
            let mut instance = Instance::clone(&known);
            let mut batch = Batch::new(self.ids(), self.now(), self.metadata());
            let repaired = mend(batch.commit_mut(), report.differences);
            if repaired.mended.is_empty() {
                return Ok(repaired);
            }
            let mended = u32::try_from(repaired.mended.len()).unwrap_or(u32::MAX);
            batch.append(&mut instance, &[RepairEvent::Mended { mended }])?;
            match self.commit_resolved(batch.into_commit()).await {
                Ok(_) => return Ok(repaired),
                Err(CommitError::Stale { .. }) => self.pause(attempt).await,
                Err(error) => return Err(AuditError::Commit(error)),
            }
        }
        Err(AuditError::Busy { attempts: MAX_ATTEMPTS })
    }

    /// What the log begins with, and where.
    async fn opened(&self) -> Result<(Rebuilt, Position), AuditError> {
        for attempt in 1..=MAX_ATTEMPTS {
            let (mut rebuilt, mut positions) = (Rebuilt::default(), BTreeSet::new());
            for table in [Table::Keys, Table::Pools, Table::Timers] {
                let mut after: Option<String> = None;
                loop {
                    let opening = self.store().opening(table, after.as_deref(), MAX_PAGE).await?;
                    positions.insert(opening.position);
                    let Some(last) = opening.entries.last() else { break };
                    after = Some(last.text());
                    opening.entries.into_iter().for_each(|entry| rebuilt.open(entry));
                }
            }
            // More than one where events were archived meanwhile.
            match positions.pop_first() {
                Some(position) if positions.is_empty() => return Ok((rebuilt, position)),
                _ => self.pause(attempt).await,
            }
        }
        Err(AuditError::Busy { attempts: MAX_ATTEMPTS })
    }

    /// Reads on in the log to its end; gives the number of events.
    async fn follow(
        &self,
        registry: &Registry,
        rebuilt: &mut Rebuilt,
        position: &mut Position,
    ) -> Result<u64, AuditError> {
        let mut count = 0_u64;
        loop {
            let page = self.store().read_all(LogQuery::after(*position, MAX_PAGE)).await?;
            if page.events.is_empty() {
                return Ok(count);
            }
            for recorded in &page.events {
                let effects = registry.effects(recorded);
                let effects =
                    effects.ok_or_else(|| AuditError::Unregistered(recorded.stream.kind.clone()))?;
                rebuilt.apply(&recorded.stream, effects?);
                count = count.saturating_add(1);
            }
            *position = page.next;
        }
    }

    async fn tables(&self) -> Result<Tables, PortError> {
        let mut tables = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for table in [Table::Keys, Table::Pools, Table::Timers] {
            let mut after: Option<String> = None;
            loop {
                let rows = self.store().scan(table, after.as_deref(), MAX_PAGE).await?;
                if rows.is_empty() {
                    break;
                }
                for row in rows {
                    after = match row {
                        Row::Key(known) => {
                            let name = known.key.to_string();
                            tables.0.insert(known.key, known.owner);
                            Some(name)
                        }
                        Row::Pool(pool, level) => {
                            let name = pool.to_string();
                            tables.1.insert(pool, level);
                            Some(name)
                        }
                        Row::Timer(timer, due) => {
                            let name = timer.to_string();
                            tables.2.insert(timer, due);
                            Some(name)
                        }
                        Row::Mark(..) => after,
                    };
                }
            }
        }
        Ok(tables)
    }
}

/// Keys, pools and timers as a store holds them.
type Tables = (
    BTreeMap<crate::kernel::unique::Key, crate::kernel::stream::StreamId>,
    BTreeMap<crate::kernel::pool::PoolKey, crate::kernel::pool::PoolLevel>,
    BTreeMap<crate::kernel::timer::TimerKey, Timestamp>,
);

/// The one stream of repairs of a shop.
fn repairs() -> Id<StoreRepairs> {
    Id::derived(uuid::Uuid::nil(), b"store-repairs")
}

/// Puts into a commit what can be mended.
fn mend(commit: &mut Commit, differences: Vec<Difference>) -> Repaired {
    let mut repaired = Repaired::default();
    for difference in differences {
        let full = repaired.mended.len() >= MAX_MENDED;
        let mended = match &difference {
            _ if full => false,
            Difference::Key { key, stored: None, derived: Some(owner), subject } => {
                commit.claim.push(UniqueKey { key: key.clone(), owner: owner.clone(), subject: *subject });
                true
            }
            Difference::Pool { pool, stored, derived } => {
                let moves = moves_between(*stored, *derived);
                commit.moves.extend(moves.into_iter().map(|op| PoolMove::new(pool.clone(), op)));
                true
            }
            Difference::Timer { timer, derived: Some(due), payload, .. } => {
                let (key, payload) = (timer.clone(), payload.clone());
                commit.timers.push(TimerWrite::Set { key, due: *due, payload });
                true
            }
            Difference::Key { .. } | Difference::Timer { .. } => false,
        };
        if mended {
            repaired.mended.push(difference);
        } else {
            repaired.left.push(difference);
        }
    }
    repaired
}
