//! Following: first what was missed, then what is pushed, without a gap between them and nothing twice.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo, ProtocolVersion, RedisError, Script, Value};
use tokio::time::{Instant, sleep, timeout};

use super::inbox::{Inbox, Next};
use super::update::{LiveEvent, read};
use super::{LiveChannel, LiveId, Names};
use crate::Settings;
use crate::answer::{list, number, text};
use crate::check::OpenError;
use crate::connect::{client, run};
use crate::error::{corrupt, port_error};

/// So many updates are read from the buffers at once.
const PAGE: u32 = 500;
/// After so long without news the connection is asked whether it is still there.
const CHECKED_AFTER: Duration = Duration::from_secs(15);
/// The pauses between tries to connect grow from this one.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
/// And grow no longer than this.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Where news of a shop can be followed, as [`LivePush`](crate::LivePush) pushes them.
#[derive(Clone)]
pub struct LiveUpdates {
    client: Client,
    script: Arc<Script>,
    names: Names,
    settings: Settings,
    checked_after: Duration,
}

impl LiveUpdates {
    /// The news on the server at this address, which is not asked yet.
    ///
    /// # Errors
    ///
    /// [`OpenError::Port`]: the address cannot be read.
    pub fn at(url: &str, settings: Settings) -> Result<Self, OpenError> {
        let failed = |error: RedisError| OpenError::Port(port_error("open", Effect::None, &error));
        let info = url.into_connection_info().map_err(failed)?;
        // Pushed values and answers come on one connection only in the third version of the protocol.
        let redis = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let client = client(info.set_redis_settings(redis)).map_err(failed)?;
        let script = Arc::new(Script::new(include_str!("../scripts/live/replay.lua")));
        let names = Names { shop: settings.shop.clone() };
        Ok(Self { client, script, names, settings, checked_after: CHECKED_AFTER })
    }

    /// After how long without news a connection is asked whether it is still there: 15 s unless said otherwise.
    #[must_use]
    pub const fn checked_after(mut self, silence: Duration) -> Self {
        self.checked_after = silence;
        self
    }

    /// Follows some channels behind an update, on a connection of its own; without one, from now on.
    ///
    /// A process that shows many people the same news needs one follower, not one for each of them.
    ///
    /// # Contract
    ///
    /// What is pushed after this has returned is seen. The update need not be of one of these channels.
    ///
    /// # Errors
    ///
    /// Where the server cannot be asked for as long as an answer is waited for.
    pub async fn follow(
        &self,
        channels: impl IntoIterator<Item = LiveChannel>,
        last_event_id: Option<LiveId>,
    ) -> Result<LiveFollower, PortError> {
        let mut channels: Vec<LiveChannel> = channels.into_iter().collect();
        channels.sort();
        channels.dedup();
        let mut follower = LiveFollower {
            updates: self.clone(),
            channels,
            way: None,
            ready: VecDeque::new(),
            seen: last_event_id,
            given: last_event_id,
            behind: true,
        };
        follower.catch_up().await?;
        follower.given = follower.given.or(follower.seen);
        Ok(follower)
    }
}

impl fmt::Debug for LiveUpdates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveUpdates")
            .field("settings", &self.settings)
            .field("checked_after", &self.checked_after)
            .finish_non_exhaustive()
    }
}

/// A subscribed connection, and what was pushed to it.
struct Way {
    connection: MultiplexedConnection,
    inbox: Arc<Inbox>,
}

/// One that follows news.
///
/// It holds at most a page of 500 updates and 1,024 that were pushed, however slow it is asked: what there is no room
/// for it reads from the buffers when it is asked again.
pub struct LiveFollower {
    updates: LiveUpdates,
    channels: Vec<LiveChannel>,
    way: Option<Way>,
    /// Read, and not given yet.
    ready: VecDeque<LiveEvent>,
    /// Up to where all was read.
    seen: Option<LiveId>,
    /// Up to where all was given.
    given: Option<LiveId>,
    /// Whether the buffers may hold more.
    behind: bool,
}

impl LiveFollower {
    /// Waits for the next news.
    ///
    /// # Contract
    ///
    /// Updates come in the order of their numbers, each once. Where the connection is lost it is made anew, and what
    /// was missed meanwhile comes from the buffers. Where they no longer reach back so far, and where the server has
    /// lost what it had, that is said ([`LiveEvent::Missed`]) before what follows. Nothing is lost where this is given
    /// up while it waits.
    ///
    /// # Errors
    ///
    /// Where the server cannot be asked for as long as an answer is waited for; the next call goes on.
    pub async fn next(&mut self) -> Result<LiveEvent, PortError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.given = match &event {
                    LiveEvent::Update(update) => Some(update.id),
                    // A server that has lost what it had begins anew before what was given.
                    LiveEvent::Missed { .. } => self.given.min(self.seen),
                };
                return Ok(event);
            }
            match &self.way {
                Some(way) if !self.behind => match way.inbox.take() {
                    Next::Pushed(data) => self.look_at(&data),
                    Next::Overflowed => self.behind = true,
                    Next::Lost => self.way = None,
                    Next::Nothing => self.wait().await,
                },
                _ => self.catch_up().await?,
            }
        }
    }

    /// The last update that was given, or where following has begun: behind it another follower goes on.
    pub fn last_event_id(&self) -> LiveId {
        self.given.unwrap_or_default()
    }

    /// Makes something of what was pushed: nothing of what was read already; where something before it was not, the
    /// buffers are asked.
    fn look_at(&mut self, data: &[Value]) {
        let Some((id, before, body, channel)) = self.pushed(data) else { return };
        let seen = self.seen.unwrap_or_default();
        if id <= seen {
            return;
        }
        if before > seen {
            self.behind = true;
            return;
        }
        self.seen = Some(id);
        self.ready.extend(read(id, channel, body).map(LiveEvent::Update));
    }

    fn pushed<'d>(&self, data: &'d [Value]) -> Option<(LiveId, LiveId, &'d str, LiveChannel)> {
        let [name, payload] = data else { return None };
        let name = text(name)?;
        let names = &self.updates.names;
        let channel = *self.channels.iter().find(|channel| names.buffer(**channel) == name)?;
        let mut parts = text(payload)?.splitn(3, ' ');
        let (id, before) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some((id, before, parts.next()?, channel))
    }

    /// Until something was pushed. A connection that has been silent for long is asked whether it is there.
    async fn wait(&mut self) {
        let Some(way) = &self.way else { return };
        if timeout(self.updates.checked_after, way.inbox.news()).await.is_ok() {
            return;
        }
        let ping: Result<Value, RedisError> =
            redis::cmd("PING").query_async(&mut way.connection.clone()).await;
        if ping.is_err() {
            self.way = None;
        }
    }

    /// Connects where there is no connection, and reads a page behind what was read last. Tries again for as long as
    /// an answer is waited for.
    async fn catch_up(&mut self) -> Result<(), PortError> {
        let (began, mut pause) = (Instant::now(), SHORTEST_PAUSE);
        loop {
            let error = match self.attempt().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            self.way = None;
            let hopeless = !matches!(error.kind, PortErrorKind::Unavailable | PortErrorKind::Timeout);
            let spent = began.elapsed().saturating_add(pause);
            if hopeless || spent > self.updates.settings.answer_timeout {
                return Err(error);
            }
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    async fn attempt(&mut self) -> Result<(), PortError> {
        if self.way.is_none() {
            self.behind = true;
            self.way = Some(self.subscribe().await.map_err(|error| failed(&error))?);
        }
        match &self.way {
            Some(way) => {
                let connection = way.connection.clone();
                self.replay(connection).await
            }
            None => Ok(()),
        }
    }

    async fn subscribe(&self) -> Result<Way, RedisError> {
        let (inbox, patience) = (Arc::new(Inbox::default()), self.updates.settings.answer_timeout);
        let pushed = Arc::clone(&inbox);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(patience))
            .set_response_timeout(Some(patience))
            .set_push_sender(move |info| {
                pushed.put(info);
                Ok::<(), ()>(())
            });
        let client = &self.updates.client;
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        let names: Vec<String> =
            self.channels.iter().map(|channel| self.updates.names.buffer(*channel)).collect();
        if !names.is_empty() {
            connection.subscribe(names).await?;
        }
        Ok(Way { connection, inbox })
    }

    async fn replay(&mut self, connection: MultiplexedConnection) -> Result<(), PortError> {
        let keys = self.updates.names.keys(&self.channels);
        let (seen, page) = (self.seen.map(|seen| seen.to_string()).unwrap_or_default(), PAGE.to_string());
        let mut arguments = vec![seen.as_str(), &page];
        arguments.extend(self.channels.iter().map(|channel| channel.name()));
        let answer = run(connection, &self.updates.script, &keys, &arguments).await;
        let answer = answer.map_err(|error| failed(&error))?;
        let page = self.page(&answer).ok_or_else(|| corrupt("follow"))?;
        if page.missed {
            let after = self.seen.unwrap_or_default();
            self.ready.push_back(LiveEvent::Missed { after });
        }
        self.ready.extend(page.updates);
        (self.seen, self.behind) = (Some(page.end), page.more);
        Ok(())
    }

    /// What `replay.lua` has answered.
    fn page(&self, answer: &Value) -> Option<Page> {
        let [end, missed, more, found] = list(answer)? else { return None };
        let mut updates = Vec::new();
        for entry in list(found)? {
            let [place, id, body] = list(entry)? else { return None };
            // Scripts count from one.
            let place = number::<u32>(place)?.checked_sub(1)?;
            let channel = *self.channels.get(usize::try_from(place).ok()?)?;
            // What nobody pushed is passed over.
            let update = text(body).and_then(|body| read(text(id)?.parse().ok()?, channel, body));
            updates.extend(update.map(LiveEvent::Update));
        }
        let (missed, more) = (number::<u32>(missed)? > 0, number::<u32>(more)? > 0);
        Some(Page { end: text(end)?.parse().ok()?, missed, more, updates })
    }
}

struct Page {
    end: LiveId,
    missed: bool,
    more: bool,
    updates: Vec<LiveEvent>,
}

fn failed(error: &RedisError) -> PortError {
    port_error("follow", Effect::None, error)
}

impl fmt::Debug for LiveFollower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveFollower")
            .field("channels", &self.channels)
            .field("seen", &self.seen)
            .field("behind", &self.behind)
            .finish_non_exhaustive()
    }
}
