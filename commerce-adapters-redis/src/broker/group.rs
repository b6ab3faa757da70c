//! Groups: how far they are, and their end.

use std::sync::Arc;
use std::time::Duration;

use commerce_core::kernel::error::{Effect, PortError};
use redis::{RedisError, Value};

use super::{RedisBroker, RedisSubscriber};
use crate::answer::{list, number, text};
use crate::error::{corrupt, port_error};

/// How far a group is in a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupProgress {
    /// The topic.
    pub topic: Arc<str>,
    /// The group.
    pub group: Arc<str>,
    /// Its members, as far as the server remembers them.
    pub members: u64,
    /// Messages that were handed out, and neither acknowledged nor put aside.
    pub pending: u64,
    /// Messages that were not handed out yet; `None` where the server does not know.
    pub unread: Option<u64>,
    /// Since when none of its members has asked for anything; `None` where it has none.
    pub silent: Option<Duration>,
}

/// What becomes of what a group has not finished when it is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// It is kept, and so is the group.
    Keep,
    /// It is dropped with the group, dead letters too.
    Drop,
}

/// What a group had not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Left {
    /// Messages that were not handed out; at least so many.
    pub unread: u64,
    /// Messages that were handed out, and neither acknowledged nor put aside.
    pub pending: u64,
    /// Dead letters.
    pub buried: u64,
}

impl Left {
    /// Whether nothing was left.
    pub const fn is_nothing(&self) -> bool {
        self.unread == 0 && self.pending == 0 && self.buried == 0
    }
}

impl RedisBroker {
    /// How far every group is in every topic to which this shop has published, by topic and group.
    ///
    /// A group whose members have been silent for long, and that has much unread, is one that nobody reads any
    /// more: its topics are not trimmed until it [ends](RedisSubscriber::end_group).
    ///
    /// # Errors
    ///
    /// Where the server does not answer.
    pub async fn groups(&self) -> Result<Vec<GroupProgress>, PortError> {
        let failed = |error: RedisError| port_error("groups", Effect::None, &error);
        let mut topics = self.topics("groups").await?;
        topics.sort();
        let mut all = Vec::new();
        let mut connection = self.connection.clone();
        for topic in topics {
            let (stream, topic): (_, Arc<str>) = (self.names.topic(&topic), topic.into());
            let ask = redis::cmd("XINFO").arg("GROUPS").arg(&stream).to_owned();
            let groups: Value = match ask.query_async(&mut connection).await {
                Ok(groups) => groups,
                // It was deleted.
                Err(error) if error.code() == Some("ERR") => continue,
                Err(error) => return Err(failed(error)),
            };
            for told in list(&groups).ok_or_else(|| corrupt("groups"))? {
                let mut found = progress(&topic, told).ok_or_else(|| corrupt("groups"))?;
                let ask = redis::cmd("XINFO").arg("CONSUMERS").arg(&stream).arg(&*found.group).to_owned();
                let members: Value = ask.query_async(&mut connection).await.map_err(failed)?;
                let idle = list(&members).into_iter().flatten().filter_map(|member| field(member, "idle"));
                found.silent = idle.filter_map(number).min().map(Duration::from_millis);
                all.push(found);
            }
        }
        Ok(all)
    }
}

impl RedisSubscriber {
    /// Ends this member's group in its topics; what it had left.
    ///
    /// # Contract
    ///
    /// Where something is left that is to be [kept](Unfinished::Keep), nothing happens. Otherwise the group is
    /// gone, with all that the server kept for it, and its topics are trimmed without regard to it. A member that
    /// receives afterwards begins it anew, with the oldest message that is kept. Repeating it is harmless.
    ///
    /// # Errors
    ///
    /// Where the server does not answer.
    pub async fn end_group(&self, unfinished: Unfinished) -> Result<Left, PortError> {
        let names = &self.broker.names;
        let mut keys = names.sources(&self.group, &self.topics);
        keys.extend(["letters", "letter-times"].map(|key| names.of_group(&self.group, key)));
        let drops: &[u8] = if unfinished == Unfinished::Drop { b"1" } else { b"0" };
        let arguments = [self.group.as_bytes(), drops];
        // Not tried again by itself: the second time nothing would be left.
        let answer = self.broker.run(&self.broker.scripts.end_group, &keys, &arguments).await;
        let answer = answer.map_err(|error| port_error("end_group", Effect::Unknown, &error))?;
        left(&answer).ok_or_else(|| corrupt("end_group"))
    }
}

fn left(answer: &Value) -> Option<Left> {
    let [unread, pending, buried] = list(answer)? else { return None };
    Some(Left { unread: number(unread)?, pending: number(pending)?, buried: number(buried)? })
}

fn progress(topic: &Arc<str>, told: &Value) -> Option<GroupProgress> {
    Some(GroupProgress {
        topic: topic.clone(),
        group: text(field(told, "name")?)?.into(),
        members: number(field(told, "consumers")?)?,
        pending: number(field(told, "pending")?)?,
        unread: field(told, "lag").and_then(number),
        silent: None,
    })
}

/// A field of what `XINFO` tells.
fn field<'a>(told: &'a Value, name: &str) -> Option<&'a Value> {
    let pairs = list(told)?.chunks_exact(2);
    pairs
        .filter_map(|pair| Some((text(pair.first()?)?, pair.get(1)?)))
        .find_map(|(known, value)| if known == name { Some(value) } else { None })
}
