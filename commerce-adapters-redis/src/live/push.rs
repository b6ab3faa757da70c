//! Pushing: a batch is one call.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::port::publisher::{MAX_BATCH, Outgoing, PublishError, Publisher};
use redis::aio::ConnectionManager;
use redis::{RedisError, Script};

use super::update::of_message;
use super::{LiveChannel, Names};
use crate::Settings;
use crate::broker::taken;
use crate::check::OpenError;
use crate::connect::{client, connect, run};
use crate::error::{PORT, port_error};

/// So many updates of a channel are kept.
const KEPT: u32 = 10_000;

/// Pushes news of stock and orders to who follows them ([`LiveUpdates`](crate::LiveUpdates)), and keeps the newest of
/// them for who was away.
///
/// A `Publisher` for a relay of its own, which speaks the library's own dialect. Of a message about stock or the
/// status of an order it makes a small update without personal data; other messages are passed over. An update is
/// kept and pushed in one step of the server: nobody sees one that whoever comes later cannot get. Each channel keeps
/// its newest 10,000 updates, or [as many as it is told](Self::keeping), whatever their age.
///
/// # Contract
///
/// Unlike a broker it promises nothing about what is older than that, nor does it ask whether its server keeps data:
/// whoever follows is told of a gap, and reads anew what is shown. That a message is handed over twice is shown
/// twice, under one event. A batch is one call, however many follow and however slow they are.
///
/// Clones share one connection.
#[derive(Clone)]
pub struct LivePush {
    connection: ConnectionManager,
    script: Arc<Script>,
    names: Names,
    kept: NonZeroU32,
    settings: Settings,
}

impl LivePush {
    /// Live push on the server at this address.
    ///
    /// # Errors
    ///
    /// [`OpenError::Port`]: the address cannot be read, or the server does not answer.
    pub async fn open(url: &str, settings: Settings) -> Result<Self, OpenError> {
        let failed = |error: RedisError| OpenError::Port(port_error("open", Effect::None, &error));
        let client = client(url).map_err(failed)?;
        let timeout = settings.answer_timeout;
        let connection = connect(&client, timeout, timeout).await.map_err(failed)?;
        let script = Arc::new(Script::new(include_str!("../scripts/live/push.lua")));
        let names = Names { shop: settings.shop.clone() };
        Ok(Self {
            connection,
            script,
            names,
            kept: NonZeroU32::new(KEPT).unwrap_or(NonZeroU32::MIN),
            settings,
        })
    }

    /// Keeps so many updates of each channel instead of 10,000.
    #[must_use]
    pub const fn keeping(mut self, updates: NonZeroU32) -> Self {
        self.kept = updates;
        self
    }
}

impl fmt::Debug for LivePush {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LivePush")
            .field("settings", &self.settings)
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Publisher for LivePush {
    async fn publish(&self, batch: Vec<Outgoing>) -> Result<(), PublishError> {
        if batch.len() > MAX_BATCH {
            let failed = PortError::new(PortErrorKind::Invalid, Effect::None, PORT, "push");
            return Err(PublishError { taken: 0, failed });
        }
        // Which message an update is of: what is passed over is taken along with what stands before it.
        let found = batch.iter().zip(0_usize..).filter_map(|(message, at)| Some((at, of_message(message)?)));
        let (places, updates): (Vec<usize>, Vec<(LiveChannel, String)>) = found.unzip();
        if updates.is_empty() {
            return Ok(());
        }
        let keys = self.names.keys(&LiveChannel::ALL);
        let kept = self.kept.to_string();
        let mut arguments = vec![kept.as_str()];
        arguments.extend(LiveChannel::ALL.map(LiveChannel::name));
        for (channel, body) in &updates {
            // Scripts count from one.
            arguments.extend([if *channel == LiveChannel::Stock { "1" } else { "2" }, body]);
        }
        let answer = run(self.connection.clone(), &self.script, &keys, &arguments).await;
        let mut failed = match answer {
            Ok(answer) => match taken("push", &answer) {
                Some(outcome) => {
                    return outcome.map_err(|error| {
                        let taken = places.get(error.taken).copied().unwrap_or(batch.len());
                        PublishError { taken, ..error }
                    });
                }
                None => PortError::new(PortErrorKind::Corrupt, Effect::Unknown, PORT, "push"),
            },
            Err(error) => port_error("push", Effect::Unknown, &error),
        };
        // None of what goes wrong here speaks against a message.
        if failed.kind == PortErrorKind::Invalid {
            failed.kind = PortErrorKind::Unavailable;
        }
        Err(PublishError { taken: 0, failed })
    }
}
