//! What was removed, told to the first levels of other processes.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError};
use commerce_core::kernel::stream::Version;
use commerce_core::port::cache::{Cache, CachePrefix, Invalidation, Invalidations, Tag};
use commerce_core::port::platform::Platform;
use futures_core::Stream;
use redis::aio::{PubSubSink, PubSubStream};
use redis::{Msg, RedisError};

use crate::error::port_error;
use crate::link::{Link, SideSettings};

/// How often a connection on which nothing comes is asked whether it is still there.
const ASK: Duration = Duration::from_secs(1);
/// The pause before a lost connection is made again.
const PAUSE: Duration = Duration::from_millis(200);

/// Tells by publish and subscribe what was removed.
///
/// Messages reach who listens at the moment. So whoever listens again, behind a lost connection, removes
/// everything first: it does not know what it has missed.
#[derive(Clone)]
pub struct RedisInvalidations {
    link: Link,
    channel: Arc<str>,
}

/// What came next.
enum Next<T> {
    Stopped,
    Late,
    Came(T),
}

impl RedisInvalidations {
    /// Those of a shop on the server at this address. Asks it nothing yet.
    ///
    /// # Errors
    ///
    /// Where the address cannot be read.
    pub fn open(url: &str, settings: SideSettings) -> Result<Self, PortError> {
        let link = Link::to(url, settings)?;
        let channel = link.key("cache", "removed").into();
        Ok(Self { link, channel })
    }

    /// Listens on a connection of its own until told to stop, and removes from `first` what others have
    /// removed; everything whenever it may have missed something.
    pub async fn follow(
        &self,
        first: Arc<dyn Cache>,
        platform: &Platform,
        stop: impl Future<Output = ()> + Send,
    ) {
        let mut stop = pin!(stop);
        loop {
            match within(platform, self.link.settings.answer_timeout, stop.as_mut(), self.listen()).await {
                Next::Stopped => return,
                Next::Late | Next::Came(Err(_)) => {}
                Next::Came(Ok((sink, stream))) => {
                    // What was removed before the subscription is not told.
                    clear(&*first).await;
                    if self.hear(&*first, platform, stop.as_mut(), (sink, stream)).await {
                        return;
                    }
                    clear(&*first).await;
                }
            }
            let pause = std::future::pending::<()>();
            if let Next::Stopped = within(platform, PAUSE, stop.as_mut(), pause).await {
                return;
            }
        }
    }

    async fn listen(&self) -> Result<(PubSubSink, PubSubStream), RedisError> {
        let (mut sink, stream) = self.link.client.get_async_pubsub().await?.split();
        sink.subscribe(&*self.channel).await?;
        Ok((sink, stream))
    }

    /// Applies what comes until the connection is lost, or it is time to stop: then `true`.
    async fn hear<S: Future<Output = ()> + Send>(
        &self,
        first: &dyn Cache,
        platform: &Platform,
        mut stop: Pin<&mut S>,
        (mut sink, mut stream): (PubSubSink, PubSubStream),
    ) -> bool {
        loop {
            let message = poll_fn(|context| Pin::new(&mut stream).poll_next(context));
            match within(platform, ASK, stop.as_mut(), message).await {
                Next::Stopped => return true,
                Next::Came(None) => return false,
                Next::Came(Some(message)) => match decode(&message) {
                    Some(invalidation) => drop(invalidation.apply(first).await),
                    // Of another version of the library: it may be about anything.
                    None => clear(first).await,
                },
                Next::Late => {
                    let ping = sink.ping::<()>();
                    match within(platform, self.link.settings.answer_timeout, stop.as_mut(), ping).await {
                        Next::Stopped => return true,
                        Next::Came(Ok(())) => {}
                        Next::Came(Err(_)) | Next::Late => return false,
                    }
                }
            }
        }
    }
}

async fn clear(first: &dyn Cache) {
    // A level in the process does not fail.
    drop(first.remove_prefix(&CachePrefix::everything()).await);
}

/// What the future gives, unless it is time to stop or it takes longer than this.
async fn within<T, S, F>(platform: &Platform, span: Duration, mut stop: Pin<&mut S>, future: F) -> Next<T>
where
    S: Future<Output = ()> + Send,
    F: Future<Output = T> + Send,
{
    let until = platform.clock.now().plus(span);
    let (mut sleep, mut future) = (pin!(platform.sleeper.sleep_until(until)), pin!(future));
    poll_fn(|context| {
        if stop.as_mut().poll(context).is_ready() {
            return Poll::Ready(Next::Stopped);
        }
        if let Poll::Ready(came) = future.as_mut().poll(context) {
            return Poll::Ready(Next::Came(came));
        }
        sleep.as_mut().poll(context).map(|()| Next::Late)
    })
    .await
}

fn encode(invalidation: &Invalidation) -> String {
    match invalidation {
        Invalidation::Key(key, None) => format!("k-{key}"),
        Invalidation::Key(key, Some(version)) => format!("v{version}-{key}"),
        Invalidation::Tag(tag) => format!("t{}", tag.as_str()),
        Invalidation::Prefix(prefix) => format!("p{}", prefix.as_str()),
    }
}

fn decode(message: &Msg) -> Option<Invalidation> {
    read(&message.get_payload::<String>().ok()?)
}

fn read(text: &str) -> Option<Invalidation> {
    let (kind, rest) = text.split_at_checked(1)?;
    Some(match kind {
        "t" => Invalidation::Tag(Tag::new(rest).ok()?),
        "p" => Invalidation::Prefix(rest.parse().ok()?),
        "k" => Invalidation::Key(rest.strip_prefix('-')?.parse().ok()?, None),
        "v" => {
            let (version, key) = rest.split_once('-')?;
            Invalidation::Key(key.parse().ok()?, Some(Version::new(version.parse().ok()?)))
        }
        _ => return None,
    })
}

impl fmt::Debug for RedisInvalidations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisInvalidations").field("link", &self.link).finish_non_exhaustive()
    }
}

#[async_trait]
impl Invalidations for RedisInvalidations {
    async fn announce(&self, invalidation: &Invalidation) -> Result<(), PortError> {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(&*self.channel).arg(encode(invalidation));
        let answer = self.link.send(&publish).await;
        answer.map(drop).map_err(|error| port_error("announce", Effect::Unknown, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_can_be_read() {
        let key = || "a:b:c:d-e:f".parse().unwrap();
        for told in [
            Invalidation::Key(key(), None),
            Invalidation::Key(key(), Some(Version::new(u64::MAX))),
            Invalidation::Tag(Tag::new("product:1").unwrap()),
            Invalidation::Prefix(CachePrefix::new(&["a", "b"]).unwrap()),
            Invalidation::Prefix(CachePrefix::everything()),
        ] {
            assert_eq!(read(&encode(&told)), Some(told));
        }
        for other in ["", "x", "k", "vx-a:b:c:d", "t", "pa", "ä"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
