//! Waiting for new entries, on connections that do nothing else.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use commerce_core::kernel::error::{Effect, PortError};
use redis::aio::ConnectionManager;
use redis::{Client, RedisError, Value};

use crate::connect::connect;
use crate::error::{is_lost, port_error};

/// Where a member waits, and how long.
#[derive(Clone)]
pub(super) struct Waiting {
    span: Duration,
    idle: Arc<Mutex<Option<ConnectionManager>>>,
}

impl Waiting {
    pub(super) fn of(span: Duration) -> Self {
        Self { span, idle: Arc::default() }
    }

    /// Waits until a stream has an entry behind this number, but no longer than `most`.
    pub(super) async fn wait(
        &self,
        (client, answer): (&Client, Duration),
        behind: &[(String, String)],
        most: Option<Duration>,
    ) -> Result<(), PortError> {
        let failed = |error: RedisError| port_error("receive", Effect::None, &error);
        let span = most.map_or(self.span, |most| most.min(self.span));
        // To the server zero is for ever.
        let millis = span.as_micros().div_ceil(1000).max(1);
        // Whoever waits has the connection for itself: one that is given up while waiting goes with it.
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut connection = match idle {
            Some(connection) => connection,
            None => connect(client, answer.saturating_add(self.span), answer).await.map_err(failed)?,
        };
        let mut call = redis::cmd("XREAD");
        call.arg("COUNT").arg(1).arg("BLOCK").arg(millis.to_string()).arg("STREAMS");
        for (stream, _) in behind {
            call.arg(stream);
        }
        for (_, end) in behind {
            call.arg(end);
        }
        let answer = match call.query_async::<Value>(&mut connection).await {
            // It was lost while nobody needed it.
            Err(error) if is_lost(&error) && !error.is_timeout() => {
                call.query_async::<Value>(&mut connection).await
            }
            answer => answer,
        };
        answer.map_err(failed)?;
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        Ok(())
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Waiting({:?})", self.span)
    }
}
