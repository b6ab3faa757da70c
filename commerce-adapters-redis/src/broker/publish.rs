//! Publishing: a batch is one call.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::port::publisher::{MAX_BATCH, Outgoing, PublishError, Publisher};
use redis::Value;

use super::{RedisBroker, SILENT};
use crate::answer::{list, number, text};
use crate::error::{PORT, port_error, refused};

/// So many messages a process publishes between two times that it trims.
const TRIM_EVERY: u64 = 1_000;
/// The longest message.
const LONGEST: usize = 8 << 20;
/// So much of a batch is sent at once.
const AT_ONCE: usize = 32 << 20;

impl RedisBroker {
    /// Hands some messages over in one call.
    async fn append(&self, messages: &[Outgoing]) -> Result<(), PublishError> {
        let topics: BTreeSet<&str> = messages.iter().map(|message| &*message.topic).collect();
        let mut keys = vec![self.names.last(), self.names.topics()];
        keys.extend(topics.iter().map(|topic| self.names.topic(topic)));
        // Scripts count from one.
        let places: Vec<String> = (1..=topics.len()).map(|place| place.to_string()).collect();
        let ids: Vec<String> = messages.iter().map(|message| message.id.to_string()).collect();
        let many = u64::try_from(messages.len()).unwrap_or(u64::MAX);
        let before = self.published.fetch_add(many, Ordering::Relaxed);
        let trims = before / TRIM_EVERY != before.wrapping_add(many) / TRIM_EVERY;
        let (silent, count) = (SILENT.as_millis().to_string(), topics.len().to_string());
        let trims: &[u8] = if trims { b"1" } else { b"0" };
        let mut arguments: Vec<&[u8]> = vec![trims, silent.as_bytes(), count.as_bytes()];
        arguments.extend(topics.iter().map(|topic| topic.as_bytes()));
        for (message, id) in messages.iter().zip(&ids) {
            let place = topics.iter().position(|topic| **topic == *message.topic);
            let place = place.and_then(|place| places.get(place)).map_or("", String::as_str);
            arguments.extend([place, id, &message.key, &message.ordering].map(str::as_bytes));
            arguments.push(&message.body);
        }
        match self.run(&self.scripts.publish, &keys, &arguments).await {
            Ok(answer) => taken("publish", &answer).unwrap_or_else(|| {
                let failed = PortError::new(PortErrorKind::Corrupt, Effect::Unknown, PORT, "publish");
                Err(PublishError { taken: 0, failed })
            }),
            Err(error) => {
                let mut failed = port_error("publish", Effect::Unknown, &error);
                // None of what goes wrong here speaks against a message.
                if failed.kind == PortErrorKind::Invalid {
                    failed.kind = PortErrorKind::Unavailable;
                }
                Err(PublishError { taken: 0, failed })
            }
        }
    }

    /// As [`append`](Self::append); a server that refuses is trimmed, because it may be full, and asked once
    /// more.
    async fn append_or_trim(&self, messages: &[Outgoing]) -> Result<(), PublishError> {
        let error = match self.append(messages).await {
            Err(error) if error.taken == 0 && error.failed.effect == Effect::None => error,
            answer => return answer,
        };
        let topics: BTreeSet<&str> = messages.iter().map(|message| &*message.topic).collect();
        match self.trim_topics(topics.into_iter()).await {
            Ok(dropped) if dropped > 0 => self.append(messages).await,
            _ => Err(error),
        }
    }
}

/// What `publish.lua` has answered, or another script that takes a batch.
pub(crate) fn taken(operation: &'static str, answer: &Value) -> Option<Result<(), PublishError>> {
    let [taken, told] = list(answer)? else { return None };
    let taken: u32 = number(taken)?;
    Some(match text(told)? {
        "" => Ok(()),
        told => Err(PublishError { taken: usize::try_from(taken).ok()?, failed: refused(operation, told) }),
    })
}

fn size(message: &Outgoing) -> usize {
    let lengths = [message.topic.len(), message.key.len(), message.ordering.len(), message.body.len()];
    lengths.into_iter().fold(0, usize::saturating_add)
}

/// How many of these are sent at once: none where the first is too long.
fn fitting(messages: &[Outgoing]) -> usize {
    let mut sum = 0_usize;
    let fits = messages.iter().take_while(|message| {
        let size = size(message);
        sum = sum.saturating_add(size);
        size <= LONGEST && sum <= AT_ONCE
    });
    fits.count()
}

#[async_trait]
impl Publisher for RedisBroker {
    async fn publish(&self, batch: Vec<Outgoing>) -> Result<(), PublishError> {
        let invalid = |taken| {
            let failed = PortError::new(PortErrorKind::Invalid, Effect::None, PORT, "publish");
            Err(PublishError { taken, failed })
        };
        if batch.len() > MAX_BATCH {
            return invalid(0);
        }
        let mut taken = 0_usize;
        while let Some(rest) = batch.get(taken..).filter(|rest| !rest.is_empty()) {
            let fitting = fitting(rest);
            let Some(messages) = rest.get(..fitting).filter(|messages| !messages.is_empty()) else {
                return invalid(taken);
            };
            if let Err(error) = self.append_or_trim(messages).await {
                return Err(PublishError { taken: taken.saturating_add(error.taken), ..error });
            }
            taken = taken.saturating_add(fitting);
        }
        Ok(())
    }
}
