//! The store: settings, the connection, commits, and the port.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::commit::{Commit, Load, Loaded, Receipt};
use commerce_core::kernel::error::{CommitError, Effect, MAX_SHORTAGES, PortError, Shortage};
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::pool::{PoolLevel, PoolRefusal};
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::port::clock::Clock;
use commerce_core::port::store::{Capabilities, Due, DueQuery, LogQuery, Page, Row, Store, Table};
use redis::aio::ConnectionManager;
use redis::{RedisError, Script, Value};

use crate::answer::{handled, level, list, number, position, stream, text};
use crate::check::{self, OpenError};
use crate::connect::{again, client, connect, run};
use crate::error::{corrupt, port_error};
use crate::plan::Prepared;
use crate::scripts::Scripts;
use crate::time::Time;
use crate::{Settings, read, timers};

/// The five primitives, the log and leases of one shop on a Redis server.
///
/// Clones share one connection, on which commands of all callers are under way at once.
#[derive(Clone)]
pub struct RedisStore {
    pub(crate) connection: ConnectionManager,
    pub(crate) scripts: Arc<Scripts>,
    pub(crate) time: Time,
    settings: Settings,
}

impl RedisStore {
    /// A store on the server at this address, which must keep what it is given.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: the address cannot be read, the server does not answer, or it may lose data.
    pub async fn open(url: &str, settings: Settings) -> Result<Self, OpenError> {
        Self::timed(url, settings, Time::Server).await
    }

    /// A store that judges timers and leases by this clock instead of the server's: for tests and
    /// simulations. All processes that share the shop must then share the clock.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn with_clock(url: &str, settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Self::timed(url, settings, Time::Host(clock)).await
    }

    async fn timed(url: &str, settings: Settings, time: Time) -> Result<Self, OpenError> {
        let failed = |error: RedisError| OpenError::Port(port_error("open", Effect::None, &error));
        let client = client(url).map_err(failed)?;
        let timeout = settings.answer_timeout;
        let connection = connect(&client, timeout, timeout).await.map_err(failed)?;
        let scripts = Arc::new(Scripts::of_shop(&settings.shop));
        let store = Self { connection, scripts, time, settings };
        if !store.settings.accept_data_loss {
            check::keeps_data(&store.connection).await?;
        }
        Ok(store)
    }

    /// Asks the server whether it is there.
    ///
    /// # Errors
    ///
    /// Where it does not answer.
    pub async fn ping(&self) -> Result<(), PortError> {
        let mut connection = self.connection.clone();
        let answer: Result<(), RedisError> = redis::cmd("PING").query_async(&mut connection).await;
        answer.map_err(|error| port_error("ping", Effect::None, &error))
    }

    /// Runs a script.
    pub(crate) async fn run(&self, script: &Script, arguments: &[&[u8]]) -> Result<Value, RedisError> {
        run(self.connection.clone(), script, &self.scripts.keys, arguments).await
    }

    /// Runs a script that only reads, again where the connection turns out to be lost.
    pub(crate) async fn read(
        &self,
        operation: &'static str,
        script: &Script,
        arguments: &[&[u8]],
    ) -> Result<Value, PortError> {
        again(|| self.run(script, arguments))
            .await
            .map_err(|error| port_error(operation, Effect::None, &error))
    }

    async fn submit(&self, prepared: &Prepared) -> Result<Value, CommitError> {
        let (now, _) = self.time.now_and_end(Duration::ZERO);
        let plan = serde_json::to_vec(&prepared.plan).map_err(|_| corrupt("commit"))?;
        let mut arguments: Vec<&[u8]> = vec![now.as_bytes(), &plan];
        arguments.extend(prepared.blobs.iter().map(Vec::as_slice));
        let answer = self.run(&self.scripts.commit, &arguments).await;
        answer.map_err(|error| CommitError::Port(port_error("commit", Effect::Unknown, &error)))
    }

    /// Commits; sums that a script cannot hold are decided here, on the levels that the script has seen, and
    /// written only while those are still there.
    async fn decide(&self, mut prepared: Prepared) -> Result<Receipt, CommitError> {
        loop {
            let answer = self.submit(&prepared).await?;
            let parts = list(&answer).ok_or_else(|| corrupt("commit"))?;
            match parts.first().and_then(text) {
                Some("wide") => {
                    let levels = parts.get(1).and_then(list).ok_or_else(|| corrupt("commit"))?;
                    let levels = wide(&prepared, levels)?;
                    prepared.swap(levels);
                }
                Some("again") => prepared.forget(),
                _ => return outcome(&prepared, parts),
            }
        }
    }
}

/// What the moves make of the levels that the script has seen, or why they are refused.
fn wide(prepared: &Prepared, seen: &[Value]) -> Result<Vec<(String, PoolLevel)>, CommitError> {
    let (mut levels, mut short, mut unbalanced) = (Vec::new(), Vec::new(), None);
    for ((pool, net), raw) in prepared.nets.iter().zip(seen) {
        let raw = text(raw).ok_or_else(|| corrupt("commit"))?;
        let before = level(raw).ok_or_else(|| corrupt("commit"))?;
        match net.apply(before) {
            Ok(after) => levels.push((raw.to_owned(), after)),
            Err(PoolRefusal::Short { wanted, available }) => {
                short.push(Shortage { pool: pool.clone(), wanted, available });
            }
            Err(PoolRefusal::Unbalanced) => unbalanced = unbalanced.or(Some(pool)),
        }
    }
    if let Some(pool) = unbalanced {
        return Err(CommitError::Unbalanced(pool.clone()));
    }
    if short.is_empty() {
        return Ok(levels);
    }
    short.truncate(MAX_SHORTAGES);
    Err(CommitError::Short(short))
}

/// What the script has answered.
fn outcome(prepared: &Prepared, parts: &[Value]) -> Result<Receipt, CommitError> {
    read_outcome(prepared, parts).unwrap_or_else(|| Err(CommitError::Port(corrupt("commit"))))
}

fn read_outcome(prepared: &Prepared, parts: &[Value]) -> Option<Result<Receipt, CommitError>> {
    let commit = &prepared.commit;
    // Lua counts from one.
    let place =
        |value: &Value| number::<u32>(value).and_then(|place| usize::try_from(place).ok()?.checked_sub(1));
    let refusal = match text(parts.first()?)? {
        "done" => return Some(Ok(Receipt { position: position(number(parts.get(1)?)?) })),
        "mark" => {
            let known = handled(parts.get(1)?)?;
            commit.mark.as_ref()?.check(Some(&known)).err()?
        }
        "lease" => CommitError::LeaseLost(commit.lease.as_ref()?.0.clone()),
        "fence" => CommitError::Fenced(commit.fence.as_ref()?.name.clone()),
        "stale" => {
            let (stream, expected) = prepared.versions.get(place(parts.get(1)?)?)?.clone();
            CommitError::Stale { stream, expected, actual: Version::new(number(parts.get(2)?)?) }
        }
        "taken" => {
            let claim = commit.claim.get(place(parts.get(1)?)?)?;
            CommitError::Taken { key: claim.key.clone(), owner: stream(text(parts.get(2)?)?)? }
        }
        "unbalanced" => CommitError::Unbalanced(prepared.nets.get(place(parts.get(1)?)?)?.0.clone()),
        "short" => {
            let short = list(parts.get(1)?)?.iter().map(|short| {
                let [pool, wanted, available] = list(short)? else { return None };
                let pool = prepared.nets.get(place(pool)?)?.0.clone();
                Some(Shortage { pool, wanted: number(wanted)?, available: number(available)? })
            });
            CommitError::Short(short.take(MAX_SHORTAGES).collect::<Option<_>>()?)
        }
        _ => return None,
    };
    Some(Err(refusal))
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("settings", &self.settings)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for RedisStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { durable: true, shared: true }
    }

    async fn load(&self, load: Load) -> Result<Loaded, PortError> {
        read::load(self, &load).await
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt, CommitError> {
        commit.well_formed()?;
        let prepared = Prepared::new(commit).map_err(|_| corrupt("commit"))?;
        self.decide(prepared).await
    }

    async fn read_all(&self, query: LogQuery) -> Result<Page, PortError> {
        read::log(self, query).await
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        limit: u32,
    ) -> Result<Vec<Arc<RecordedEvent>>, PortError> {
        read::stream(self, stream, after, limit).await
    }

    async fn due(&self, query: DueQuery) -> Result<Due, PortError> {
        timers::due(self, query).await
    }

    async fn scan(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Vec<Row>, PortError> {
        read::scan(self, table, after, limit).await
    }
}
