//! A broker on streams: topics, groups and dead letters.

mod answer;
mod group;
mod member;
mod names;
mod publish;
mod receipt;
mod waiting;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use commerce_core::kernel::error::{Effect, PortError};
use redis::aio::ConnectionManager;
use redis::{Client, RedisError, Script, Value};

use crate::answer::number;
use crate::check::{self, OpenError};
use crate::connect::{again, client, connect, run};
use crate::error::{corrupt, port_error};
use crate::settings::{Settings, StreamNames};

pub use group::{GroupProgress, Left, Unfinished};
pub use member::RedisSubscriber;
use names::{Names, Scripts};
pub(crate) use publish::taken;

/// How long a message is a member's own.
const OWN: Duration = Duration::from_secs(30);
/// A member that was silent for so long and has no message is forgotten.
const SILENT: Duration = Duration::from_secs(60 * 60);

/// Topics of one shop on a Redis server: a stream for each.
///
/// A message of topic `order-events` is an entry of the stream `{shop}:topic:order-events`, or of `order-events`
/// where streams have [bare names](crate::StreamNames::Bare), with the fields `id`, `key`, `ordering` and `body`,
/// as the relay made them; whoever reads streams can read it. Entries are numbered through all topics of the shop.
///
/// A stream is trimmed as messages are published, and by [`trim`](Self::trim): never beyond what each of its
/// groups has acknowledged, and not at all where it has none. A full server takes no message, and has lost
/// none. Messages beyond 8 MiB are not taken.
///
/// Clones share one connection, on which nothing ever waits.
#[derive(Clone)]
pub struct RedisBroker {
    client: Client,
    connection: ConnectionManager,
    scripts: Arc<Scripts>,
    names: Names,
    settings: Settings,
    own: Duration,
    published: Arc<AtomicU64>,
}

impl RedisBroker {
    /// A broker on the server at this address, which must keep what it is given.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: the address cannot be read, the server does not answer, or it may lose data.
    pub async fn open(url: &str, settings: Settings) -> Result<Self, OpenError> {
        let failed = |error: RedisError| OpenError::Port(port_error("open", Effect::None, &error));
        let client = client(url).map_err(failed)?;
        let timeout = settings.answer_timeout;
        let connection = connect(&client, timeout, timeout).await.map_err(failed)?;
        if !settings.accept_data_loss {
            check::keeps_data(&connection).await?;
        }
        if settings.streams == StreamNames::Bare {
            check::has_one_slot(&connection).await?;
        }
        let (scripts, names) = (Arc::new(Scripts::new()), Names::of(&settings));
        Ok(Self { client, connection, scripts, names, settings, own: OWN, published: Arc::default() })
    }

    /// How long a message that was handed out is a member's own, before another member gets it: 30 s unless
    /// said otherwise, in whole milliseconds.
    #[must_use]
    pub fn owned_for(mut self, own: Duration) -> Self {
        self.own = own;
        self
    }

    /// A member of a group that reads these topics. A group is there from the first time that a member
    /// receives on, and begins with the oldest message that is kept, in a topic that is new to it too.
    pub fn subscribe<T: Into<Arc<str>>>(
        &self,
        group: impl Into<Arc<str>>,
        topics: impl IntoIterator<Item = T>,
    ) -> RedisSubscriber {
        RedisSubscriber::new(self.clone(), group.into(), topics.into_iter().map(Into::into))
    }

    /// Drops what every group of a topic has acknowledged; how many messages.
    ///
    /// # Contract
    ///
    /// Keeps what any group has not acknowledged, and whatever lies behind it, and all of a topic that has no
    /// group: a group that nobody reads any more keeps everything until it [ends](RedisSubscriber::end_group).
    /// Forgets members that have had nothing to do with the server for an hour.
    ///
    /// # Errors
    ///
    /// Where the server does not answer.
    pub async fn trim(&self) -> Result<u64, PortError> {
        let topics = self.topics("trim").await?;
        self.trim_topics(topics.iter().map(String::as_str)).await
    }

    /// The topics to which this shop has published.
    async fn topics(&self, operation: &'static str) -> Result<Vec<String>, PortError> {
        let mut connection = self.connection.clone();
        let topics = redis::cmd("SMEMBERS").arg(self.names.topics()).query_async(&mut connection).await;
        topics.map_err(|error| port_error(operation, Effect::None, &error))
    }

    async fn trim_topics(&self, topics: impl Iterator<Item = &str> + Send) -> Result<u64, PortError> {
        let silent = SILENT.as_millis().to_string();
        let mut dropped = 0_u64;
        for topic in topics {
            let keys = [self.names.topic(topic)];
            let answer = self.again("trim", &self.scripts.trim, &keys, &[silent.as_bytes()]).await?;
            dropped = dropped.saturating_add(number(&answer).ok_or_else(|| corrupt("trim"))?);
        }
        Ok(dropped)
    }

    async fn run(&self, script: &Script, keys: &[String], arguments: &[&[u8]]) -> Result<Value, RedisError> {
        run(self.connection.clone(), script, keys, arguments).await
    }

    /// Runs a script that may run twice, again where the connection turns out to be lost.
    async fn again(
        &self,
        operation: &'static str,
        script: &Script,
        keys: &[String],
        arguments: &[&[u8]],
    ) -> Result<Value, PortError> {
        again(|| self.run(script, keys, arguments))
            .await
            .map_err(|error| port_error(operation, Effect::Unknown, &error))
    }
}

impl fmt::Debug for RedisBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBroker")
            .field("settings", &self.settings)
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}
