//! Members of groups.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError};
use commerce_core::kernel::event::EventId;
use commerce_core::port::subscriber::{
    BuriedMessage, Incoming, LETTERS_KEPT, MAX_RECEIVED, Receipt, Subscriber,
};
use commerce_core::value::Reason;
use redis::Value;

use super::RedisBroker;
use super::answer::{Received, letters, received};
use super::receipt::{Delivery, by_source};
use super::waiting::Waiting;
use crate::answer::number;
use crate::error::{corrupt, port_error};
use crate::time::micros;

/// A member of a group.
///
/// It has a name of its own at the server; clones are one member. Its group is there from its first
/// [`receive`](Subscriber::receive) on, and is made anew where the server has forgotten it. Without
/// [`waiting_for`](Self::waiting_for) it never waits for messages.
///
/// Entries of a stream that no publisher made, without the four fields or with an id that is none, are
/// acknowledged and passed over.
#[derive(Debug, Clone)]
pub struct RedisSubscriber {
    pub(super) broker: RedisBroker,
    pub(super) group: Arc<str>,
    pub(super) topics: Vec<Arc<str>>,
    name: String,
    waiting: Option<Waiting>,
}

impl RedisSubscriber {
    pub(super) fn new(broker: RedisBroker, group: Arc<str>, topics: impl Iterator<Item = Arc<str>>) -> Self {
        let mut topics: Vec<Arc<str>> = topics.collect();
        topics.sort();
        topics.dedup();
        // Every such state begins with other keys.
        let [one, other] = [(); 2].map(|()| RandomState::new().hash_one("member"));
        Self { broker, group, topics, name: format!("member-{one:016x}{other:016x}"), waiting: None }
    }

    /// Where there is no message, waits for one for so long, on a connection of its own: nobody else is held
    /// up. Messages of members that are gone end no wait.
    #[must_use]
    pub fn waiting_for(mut self, span: Duration) -> Self {
        self.waiting = Some(Waiting::of(span));
        self
    }

    async fn ask(&self, limit: usize) -> Result<Received, PortError> {
        let keys = self.broker.names.sources(&self.group, &self.topics);
        let own = self.broker.own.as_micros().div_ceil(1000).clamp(1, 1 << 40).to_string();
        let limit = limit.to_string();
        let arguments = [&*self.group, &self.name, &limit, &own].map(str::as_bytes);
        let answer = self.broker.again("receive", &self.broker.scripts.receive, &keys, &arguments).await?;
        let mut received = received(&answer, &self.topics).ok_or_else(|| corrupt("receive"))?;
        if !received.strange.is_empty() {
            self.acknowledge(std::mem::take(&mut received.strange)).await?;
        }
        Ok(received)
    }

    async fn wait(&self, waiting: &Waiting, received: &Received) -> Result<(), PortError> {
        let keys = self.broker.names.sources(&self.group, &self.topics);
        let streams = keys.into_iter().step_by(3);
        let behind: Vec<(String, String)> = streams.zip(received.ends.iter().cloned()).collect();
        let way = (&self.broker.client, self.broker.settings.answer_timeout);
        waiting.wait(way, &behind, received.next).await
    }

    async fn letters(&self, deed: &'static str, what: &str) -> Result<Value, PortError> {
        let keys = ["letters", "letter-times", "own"].map(|key| self.broker.names.of_group(&self.group, key));
        // Not tried again by itself: the second time there would be no letter.
        let arguments = [deed, what].map(str::as_bytes);
        let answer = self.broker.run(&self.broker.scripts.letters, &keys, &arguments).await;
        answer.map_err(|error| port_error(deed, Effect::Unknown, &error))
    }

    async fn whether(&self, deed: &'static str, message: EventId) -> Result<bool, PortError> {
        let answer = self.letters(deed, &message.to_string()).await?;
        Ok(number::<u32>(&answer).ok_or_else(|| corrupt(deed))? > 0)
    }
}

#[async_trait]
impl Subscriber for RedisSubscriber {
    async fn receive(&self, limit: usize) -> Result<Vec<Incoming>, PortError> {
        let limit = limit.min(MAX_RECEIVED);
        let mut received = self.ask(limit).await?;
        if let (Some(waiting), true, true) = (&self.waiting, limit > 0, received.messages.is_empty())
            && !received.ends.is_empty()
        {
            self.wait(waiting, &received).await?;
            received = self.ask(limit).await?;
        }
        Ok(received.messages)
    }

    async fn acknowledge(&self, receipts: Vec<Receipt>) -> Result<(), PortError> {
        let (topics, placed) = by_source(&receipts);
        if placed.is_empty() {
            return Ok(());
        }
        let keys = self.broker.names.sources(&self.group, &topics);
        let mut arguments: Vec<&[u8]> = vec![self.group.as_bytes()];
        for (place, delivery) in &placed {
            arguments.extend([place.as_bytes(), delivery.entry.as_bytes()]);
        }
        let answer = self.broker.again("acknowledge", &self.broker.scripts.acknowledge, &keys, &arguments);
        answer.await.map(drop)
    }

    async fn postpone(&self, receipts: Vec<Receipt>, pause: Duration) -> Result<(), PortError> {
        let (topics, placed) = by_source(&receipts);
        if placed.is_empty() {
            return Ok(());
        }
        let keys = self.broker.names.sources(&self.group, &topics);
        let pause = micros(pause).to_string();
        let counts: Vec<String> =
            placed.iter().map(|(_, delivery)| delivery.deliveries.to_string()).collect();
        let mut arguments = [&*self.group, &self.name, &pause].map(str::as_bytes).to_vec();
        for ((place, delivery), count) in placed.iter().zip(&counts) {
            arguments.extend([place, &delivery.entry, count].map(String::as_bytes));
        }
        self.broker.again("postpone", &self.broker.scripts.postpone, &keys, &arguments).await.map(drop)
    }

    async fn bury(&self, receipt: Receipt, error: Reason, attempts: u32) -> Result<(), PortError> {
        let Some(Delivery { entry, deliveries, topic }) = Delivery::read(&receipt) else { return Ok(()) };
        let names = &self.broker.names;
        // The group's own stream comes first; behind it, the topic's.
        let sources = names.sources(&self.group, topic.as_slice());
        let own = topic.is_none();
        let mut keys: Vec<String> = sources.into_iter().skip(if own { 0 } else { 3 }).collect();
        keys.extend(["letters", "letter-times"].map(|key| names.of_group(&self.group, key)));
        let (deliveries, attempts) = (deliveries.to_string(), attempts.to_string());
        let (topic, kept) = (topic.unwrap_or_default(), micros(LETTERS_KEPT).to_string());
        let own = if own { "own" } else { "topic" };
        let arguments = [&*self.group, &entry, &deliveries, error.as_str(), &attempts, &kept, own, &topic];
        let arguments = arguments.map(str::as_bytes);
        self.broker.again("bury", &self.broker.scripts.bury, &keys, &arguments).await.map(drop)
    }

    async fn buried(&self, limit: usize) -> Result<Vec<BuriedMessage>, PortError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let answer = self.letters("buried", &limit.to_string()).await?;
        letters(&answer).ok_or_else(|| corrupt("buried"))
    }

    async fn redrive(&self, message: EventId) -> Result<bool, PortError> {
        self.whether("redrive", message).await
    }

    async fn discard(&self, message: EventId) -> Result<bool, PortError> {
        self.whether("discard", message).await
    }
}
