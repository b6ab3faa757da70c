//! Consumers of a broker: each message once in effect and in the order of its stream, although the broker
//! repeats, reorders and loses its members.
//!
//! What a [`Consumer`] wants written, the mark of the message, and the place in the [`Inbox`] of its stream
//! are one commit; only then is the message acknowledged. A message that comes too early waits at the broker
//! until those before it have come. One that fails is tried again after pauses while the rest of its stream
//! waits, and is then put aside at the broker as a dead letter, from where it can be handed out again.

mod envelope;
mod stream;

pub use envelope::{NoEnvelope, read};

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::commerce::Commerce;
use super::consumer::{Consumer, ConsumerError, ConsumerRunner};
use super::observing::span::Span;
use super::reading::Ask;
use super::running::Turned;
use crate::identity::Denied;
use crate::kernel::error::PortError;
use crate::kernel::event::{EventId, RecordedEvent};
use crate::kernel::stream::{StreamId, Version};
use crate::messaging::{Inbox, Reader};
use crate::port::observer::{Signal, Trace};
use crate::port::subscriber::{BuriedMessage, MAX_RECEIVED, Receipt, Subscriber};
use crate::resilience::Backoff;
use crate::value::Reason;

/// What one round of a receiver has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReceiverRound {
    /// Messages that were handled.
    pub handled: u32,
    /// Messages that had been handled before.
    pub repeated: u32,
    /// Messages that came too early, or are tried again later.
    pub waiting: u32,
    /// Messages that were put aside.
    pub buried: u32,
    /// Whether nothing was handed out.
    pub end: bool,
    /// Whether it ended early, because what the consumer needs is not there.
    pub outage: bool,
}

/// One delivery of a message that could be read.
struct Copy {
    receipt: Receipt,
    deliveries: u32,
}

/// Everything that was handed out of one stream: each message with its copies.
type OfStream = BTreeMap<Version, (Arc<RecordedEvent>, Vec<Copy>)>;

/// What is to be said to the broker at the end of a round.
#[derive(Default)]
struct Answers {
    done: Vec<Receipt>,
    later: BTreeMap<Duration, Vec<Receipt>>,
}

/// A consumer at work at a broker.
#[derive(Debug, Clone)]
pub struct ReceiverRunner {
    reading: ConsumerRunner,
    consumer: Arc<dyn Consumer>,
    subscriber: Arc<dyn Subscriber>,
    backoff: Backoff,
}

impl Commerce {
    /// Lets a consumer handle what a broker brings, in envelopes as a [relay](super::relay) sends them. What
    /// it writes is written to this shop. For staff and the system.
    ///
    /// # Errors
    ///
    /// [`Denied`].
    pub fn receiver(
        &self,
        consumer: impl Consumer,
        subscriber: Arc<dyn Subscriber>,
    ) -> Result<ReceiverRunner, Denied> {
        let consumer: Arc<dyn Consumer> = Arc::new(consumer);
        let reading = self.shared_consumer(consumer.clone())?;
        Ok(ReceiverRunner { reading, consumer, subscriber, backoff: Backoff::default() })
    }
}

impl ReceiverRunner {
    /// How often, and after which pauses, a message is tried again: by default three times, after 1 s, 2 s
    /// and 4 s.
    #[must_use]
    pub fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Who reads.
    pub const fn reader(&self) -> &Reader {
        self.reading.reader()
    }

    /// Handles what the broker hands out now.
    ///
    /// Any number of receivers of one group may run anywhere.
    ///
    /// # Errors
    ///
    /// [`ConsumerError`]; what was not acknowledged comes again.
    pub async fn round(&self) -> Result<ReceiverRound, ConsumerError> {
        let reading = &self.reading;
        let span = Span::round("receiver", reading.reader().consumer.as_str(), reading.slice);
        span.around(self.one_round()).await
    }

    async fn one_round(&self) -> Result<ReceiverRound, ConsumerError> {
        let mut round = ReceiverRound::default();
        let incoming = self.subscriber.receive(MAX_RECEIVED).await?;
        round.end = incoming.is_empty();
        let mut streams: BTreeMap<StreamId, OfStream> = BTreeMap::new();
        for message in incoming {
            let copy = Copy { receipt: message.receipt, deliveries: message.deliveries };
            match read(&message.message.body) {
                Ok(recorded) => {
                    let of_stream = streams.entry(recorded.stream.clone()).or_default();
                    let (version, recorded) = (recorded.version, Arc::new(recorded));
                    of_stream.entry(version).or_insert((recorded, Vec::new())).1.push(copy);
                }
                Err(error) => {
                    self.unreadable(message.message.id, copy.deliveries);
                    round.buried = round.buried.saturating_add(1);
                    let reason = Reason::lossy(&error.to_string());
                    self.subscriber.bury(copy.receipt, reason, copy.deliveries).await?;
                }
            }
        }
        let mut ask = Ask::default();
        let mut known = Vec::new();
        for stream in streams.keys() {
            let inbox = self.reading.shop.shared.cache.peek::<Inbox>(Inbox::id_of(self.reader(), stream));
            ask.stream(&inbox);
            known.push(inbox);
        }
        let answer = self.reading.shop.ask(ask).await?;
        let mut answers = Answers::default();
        let mut result = Ok(());
        for (inbox, messages) in known.into_iter().zip(streams.into_values()) {
            if result.is_ok() && !round.outage {
                let inbox = Arc::unwrap_or_clone(answer.fold_shared(inbox)?);
                result = self.follow(inbox, messages, &mut answers, &mut round).await;
            } else {
                answers.postpone(messages, Duration::from_secs(1), &mut round);
            }
        }
        self.answer(answers).await?;
        result.map(|()| round)
    }

    /// Signals a message that is none.
    fn unreadable(&self, event: EventId, attempts: u32) {
        let Reader { consumer, generation } = self.reader();
        self.reading.shop.signal(|| Signal::DeadLetter {
            trace: Trace::default(),
            reader: consumer.as_str(),
            generation: *generation,
            event,
            name: "other",
            attempts,
        });
    }

    async fn answer(&self, answers: Answers) -> Result<(), PortError> {
        if !answers.done.is_empty() {
            self.subscriber.acknowledge(answers.done).await?;
        }
        for (pause, receipts) in answers.later {
            self.subscriber.postpone(receipts, pause).await?;
        }
        Ok(())
    }

    /// Makes rounds until `stop` is ready; the round under way is finished first.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        let round = || async {
            match self.round().await {
                Err(_) => Turned::Failed,
                Ok(round) if round.outage => Turned::Failed,
                Ok(round) if round.end => Turned::End,
                Ok(_) => Turned::More,
            }
        };
        self.reading.repeat(stop, round).await;
    }

    /// The dead letters of the group, the oldest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    pub async fn dead_letters(&self, limit: usize) -> Result<Vec<BuriedMessage>, PortError> {
        self.subscriber.buried(limit).await
    }

    /// Has a dead letter handed out again; whether there is one. It is handled by the path that every message
    /// takes; the rest of its stream was handled long since.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    pub async fn redrive(&self, message: EventId) -> Result<bool, PortError> {
        self.subscriber.redrive(message).await
    }

    /// Forgets a dead letter; whether there was one.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    pub async fn discard(&self, message: EventId) -> Result<bool, PortError> {
        self.subscriber.discard(message).await
    }
}

impl Answers {
    fn postpone(&mut self, messages: OfStream, pause: Duration, round: &mut ReceiverRound) {
        for (_, copies) in messages.into_values() {
            self.wait(copies, pause, round);
        }
    }

    fn wait(&mut self, copies: Vec<Copy>, pause: Duration, round: &mut ReceiverRound) {
        round.waiting = round.waiting.saturating_add(u32::try_from(copies.len()).unwrap_or(u32::MAX));
        self.later.entry(pause).or_default().extend(copies.into_iter().map(|copy| copy.receipt));
    }
}
