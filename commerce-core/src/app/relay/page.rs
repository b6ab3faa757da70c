//! One page of the log: handed to the broker in batches, and one checkpoint behind it.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use super::runner::RelayRunner;
use super::{OWN, failure};
use crate::app::consumer::{ConsumerError, ConsumerFailure, ConsumerRound, FailureKind, Suspects};
use crate::app::reading::Ask;
use crate::app::running::both;
use crate::kernel::aggregate::Instance;
use crate::kernel::stream::{Position, Slice, StreamId};
use crate::messaging::{Backlog, ConsumerProgress};
use crate::port::publisher::Outgoing;
use crate::port::store::{MAX_PAGE, Page};
use crate::value::id::Id;

/// A page that was read while the one before it was being published.
#[derive(Debug)]
pub(super) struct Ahead {
    slice: Slice,
    after: Position,
    page: Page,
}

/// Where a relay stands.
pub(super) struct State {
    progress: Instance<ConsumerProgress>,
    /// The streams that it cannot go on with.
    pub(super) backlogs: Vec<Id<Backlog>>,
}

/// What is left to hand over of a page.
struct Rest {
    /// The message of an event, by the event's place in the page.
    messages: Vec<(usize, Outgoing)>,
    /// The first that is left.
    next: usize,
    /// Streams that wait.
    held: BTreeSet<StreamId>,
    /// Events of which no message can be made; what stands before them in their stream goes first.
    unmade: Vec<(usize, ConsumerFailure)>,
}

impl Rest {
    /// The next batch: the messages' places in the page, and the messages.
    fn batch(&mut self, page: &Page, most: usize) -> (Vec<usize>, Vec<Outgoing>) {
        let (mut places, mut batch) = (Vec::new(), Vec::new());
        while let Some((place, message)) = self.messages.get(self.next) {
            if batch.len() >= most {
                break;
            }
            let held = page.events.get(*place).is_none_or(|event| self.held.contains(&event.stream));
            if !held {
                places.push(*place);
                batch.push(message.clone());
            }
            self.next = self.next.saturating_add(1);
        }
        (places, batch)
    }

    /// Goes back behind the message of this place.
    fn back_behind(&mut self, place: usize) {
        self.next = self.messages.partition_point(|(known, _)| *known <= place);
    }
}

impl RelayRunner {
    /// Where it stands, in one load.
    pub(super) async fn state(&self) -> Result<State, ConsumerError> {
        let reading = &self.reading;
        let id = ConsumerProgress::id_of(&reading.reader, reading.slice);
        let known = reading.shop.shared.cache.peek::<ConsumerProgress>(id);
        let mut ask = Ask::default();
        ask.stream(&known);
        ask.load.directory.push(reading.all_blocked());
        let mut answer = reading.shop.ask(ask).await?;
        let progress = answer.fold_shared(known)?;
        reading.shop.shared.cache.keep(&progress);
        let found = answer.loaded.directory.pop().unwrap_or_default();
        let backlogs = found.iter().filter_map(|(_, owner)| Id::from_uuid(owner.id).ok()).collect();
        Ok(State { progress: Instance::clone(&progress), backlogs })
    }

    /// Publishes a page, and remembers that it was.
    pub(super) async fn publish_page(
        &self,
        state: State,
        suspects: &mut Suspects,
        round: &mut ConsumerRound,
    ) -> Result<(), ConsumerError> {
        let known = state.progress.state.as_ref();
        let after = known.map_or(Position::START, ConsumerProgress::position);
        let page = match self.page_ahead(after) {
            Some(page) => page,
            None => self.reading.next_page(after, MAX_PAGE).await?,
        };
        round.end = page.events.is_empty();
        let full = page.events.len() >= MAX_PAGE as usize / 2;
        // What was blocked when the round began may go on since.
        let held = if state.backlogs.is_empty() { BTreeSet::new() } else { self.reading.held(&page).await? };
        let next_page =
            async { if full { Some(self.reading.next_page(page.next, MAX_PAGE).await) } else { None } };
        let (reached, ahead) = both(self.publish_all(&page, held, suspects, round), next_page).await;
        round.outage = suspects.are_there();
        let reached = reached?;
        if let Some(Ok(next)) = ahead
            && !next.events.is_empty()
        {
            self.keep_ahead(Ahead { slice: self.reading.slice, after: page.next, page: next });
        }
        if !round.outage {
            self.reading.followed(&page);
        }
        match reached {
            Some(position) if !round.end => self.reading.advance(state.progress, position).await,
            _ => Ok(()),
        }
    }

    /// Publishes what is to be published of a page. Gives how far: the page's end; or, where the broker takes
    /// nothing more, what stands before the first message that it did not take, if anything.
    async fn publish_all(
        &self,
        page: &Page,
        held: BTreeSet<StreamId>,
        suspects: &mut Suspects,
        round: &mut ConsumerRound,
    ) -> Result<Option<Position>, ConsumerError> {
        let mut rest = self.prepare(page, held).await?;
        // The first message that failed as if the broker were down, and none was taken since.
        let mut doubted: Option<usize> = None;
        loop {
            let (places, batch) = rest.batch(page, self.batch);
            if batch.is_empty() {
                break;
            }
            let published = self.relay.publisher.publish(batch).await;
            let taken =
                published.as_ref().map_or_else(|error| error.taken.min(places.len()), |()| places.len());
            if taken > 0 {
                round.handled = round.handled.saturating_add(u32::try_from(taken).unwrap_or(u32::MAX));
                self.reading.convict(suspects, round).await?;
                doubted = None;
            }
            let Err(error) = published else { continue };
            let Some((place, recorded)) =
                places.get(taken).and_then(|place| Some((*place, page.events.get(*place)?)))
            else {
                continue;
            };
            let failure = failure(&error.failed);
            rest.back_behind(place);
            rest.held.insert(recorded.stream.clone());
            if failure.kind != FailureKind::Outage {
                self.reading.block(recorded, failure, round).await?;
                continue;
            }
            doubted = doubted.or(Some(place));
            suspects.add(recorded, failure);
            if suspects.are_many() {
                break;
            }
        }
        self.put_aside(page, rest, doubted.unwrap_or(usize::MAX), round).await?;
        Ok(match doubted {
            None => Some(page.next),
            Some(place) => {
                place.checked_sub(1).and_then(|last| page.events.get(last)).map(|last| last.position)
            }
        })
    }

    /// Puts aside, in front of a place, what no message can be made of; where its stream waits it comes up
    /// again when that goes on.
    async fn put_aside(
        &self,
        page: &Page,
        rest: Rest,
        before: usize,
        round: &mut ConsumerRound,
    ) -> Result<(), ConsumerError> {
        for (place, failure) in rest.unmade.into_iter().filter(|(place, _)| *place < before) {
            let Some(recorded) = page.events.get(place) else { continue };
            if !rest.held.contains(&recorded.stream) {
                self.reading.block(recorded, failure, round).await?;
            }
        }
        Ok(())
    }

    /// The messages of a page, but for streams that wait, and for what stands behind an event that makes none.
    async fn prepare(&self, page: &Page, held: BTreeSet<StreamId>) -> Result<Rest, ConsumerError> {
        let mut rest = Rest { messages: Vec::new(), next: 0, held, unmade: Vec::new() };
        if self.reading.reader.generation > 0 {
            return Ok(rest);
        }
        rest.messages.reserve(page.events.len());
        let mut cut: BTreeSet<&StreamId> = BTreeSet::new();
        for (place, recorded) in page.events.iter().enumerate() {
            let stream = &recorded.stream;
            if OWN.contains(&stream.kind.as_ref()) || rest.held.contains(stream) || cut.contains(stream) {
                continue;
            }
            match self.relay.messages(&self.reading.shop, recorded).await? {
                Ok(made) => rest.messages.extend(made.into_iter().map(|message| (place, message))),
                Err(failure) => {
                    rest.unmade.push((place, failure));
                    cut.insert(stream);
                }
            }
        }
        Ok(rest)
    }

    fn page_ahead(&self, after: Position) -> Option<Page> {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let known = ahead.take().filter(|known| known.slice == self.reading.slice && known.after == after);
        known.map(|known| known.page)
    }

    fn keep_ahead(&self, page: Ahead) {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(page);
    }
}
