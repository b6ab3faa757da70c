//! The way to a server that is asked for little things, and not waited for.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use commerce_core::kernel::error::{Effect, PortError};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError, Script, Value};

use crate::connect::{again, client, run};
use crate::error::port_error;
use crate::settings::{InvalidShop, Settings};

/// How long an answer is waited for, unless the host says otherwise.
const ANSWER: Duration = Duration::from_millis(100);
/// How often a connection is tried again for one call; the next call tries anew.
const RETRIES: usize = 1;

/// Settings of what a shop can do without for a while: its cache, limits and sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SideSettings {
    /// The shop, which begins the name of every key.
    pub shop: Arc<str>,
    /// How long any answer is waited for: 100 ms unless said otherwise, as a shop is faster without a cache
    /// that is slow.
    pub answer_timeout: Duration,
}

impl SideSettings {
    /// The settings of a shop of this name.
    ///
    /// # Errors
    ///
    /// [`InvalidShop`].
    pub fn for_shop(name: &str) -> Result<Self, InvalidShop> {
        Ok(Self { shop: Settings::for_shop(name)?.shop, answer_timeout: ANSWER })
    }

    /// Waits this long for an answer.
    #[must_use]
    pub const fn waiting(mut self, answer_timeout: Duration) -> Self {
        self.answer_timeout = answer_timeout;
        self
    }
}

/// A connection that is made when it is needed first, and made again when it is lost. All keys of a shop
/// share one hash slot.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) client: Client,
    connection: ConnectionManager,
    pub(crate) settings: SideSettings,
}

impl Link {
    /// Within a runtime. Asks the server nothing: a shop starts without it.
    pub(crate) fn to(url: &str, settings: SideSettings) -> Result<Self, PortError> {
        let failed = |error: RedisError| port_error("open", Effect::None, &error);
        let client = client(url).map_err(failed)?;
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(settings.answer_timeout))
            .set_connection_timeout(Some(settings.answer_timeout))
            .set_number_of_retries(RETRIES)
            .set_min_delay(Duration::from_millis(10))
            .set_max_delay(settings.answer_timeout);
        let connection = client.get_connection_manager_lazy(config).map_err(failed)?;
        Ok(Self { client, connection, settings })
    }

    pub(crate) fn key(&self, kind: &str, name: &str) -> String {
        format!("{{{}}}:{kind}:{name}", self.settings.shop)
    }

    /// Runs a script once.
    pub(crate) async fn run(
        &self,
        script: &Script,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<Value, RedisError> {
        run(self.connection.clone(), script, keys, arguments).await
    }

    /// Runs a script that may be repeated: once more where the connection turns out to be lost.
    pub(crate) async fn run_again(
        &self,
        script: &Script,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<Value, RedisError> {
        again(|| self.run(script, keys, arguments)).await
    }

    /// Sends a command that may be repeated, as [`run_again`](Self::run_again) does.
    pub(crate) async fn send(&self, command: &redis::Cmd) -> Result<Value, RedisError> {
        again(|| async { command.query_async(&mut self.connection.clone()).await }).await
    }

    pub(crate) async fn ping(&self) -> Result<(), PortError> {
        let answer = self.send(&redis::cmd("PING")).await;
        answer.map(drop).map_err(|error| port_error("ping", Effect::None, &error))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A span in whole milliseconds, at least one.
pub(crate) fn millis(span: Duration) -> String {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX).clamp(1, 1 << 52).to_string()
}
