//! Fills the columns of a batch.

use std::borrow::Cow;
use std::collections::HashMap;

use commerce_core::kernel::commit::{Append, Snapshot};
use commerce_core::kernel::event::NewEvent;
use commerce_core::kernel::pool::NetMove;
use commerce_core::kernel::stream::Version;
use commerce_core::kernel::timer::TimerWrite;
use commerce_core::value::actor::Actor;

use super::columns::{
    Cancels, Claims, Erasures, Events, Fences, Leases, Marks, Pools, Releases, Snapshots, Streams, Timers,
    Values,
};
use super::prepared::Prepared;
use crate::types::Moment;

/// The columns of a batch.
#[derive(Debug, Default)]
pub(super) struct Columns<'b> {
    pub(super) marks: Marks<'b>,
    pub(super) leases: Leases<'b>,
    pub(super) fences: Fences<'b>,
    pub(super) streams: Streams<'b>,
    pub(super) claims: Claims<'b>,
    pub(super) releases: Releases<'b>,
    pub(super) pools: Pools<'b>,
    pub(super) events: Events<'b>,
    pub(super) values: Values<'b>,
    pub(super) snapshots: Snapshots<'b>,
    pub(super) erasures: Erasures<'b>,
    pub(super) timers: Timers<'b>,
    pub(super) cancels: Cancels<'b>,
    /// Where each pool stands among the pools of the batch, from 1.
    places: HashMap<&'b str, i32>,
}

/// A count or a number that fits by far.
pub(super) fn int<T: TryInto<i32>>(number: T) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}

/// Versions and tokens; one beyond what the database can hold is one that it does not hold.
pub(super) fn long(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl<'b> Columns<'b> {
    /// Adds a commit as the item of this number, from 1.
    pub(super) fn add(&mut self, item: i32, prepared: &'b Prepared) {
        self.add_guards(item, prepared);
        self.add_keys(item, prepared);
        for (pool, net) in &prepared.nets {
            self.add_net(item, pool.as_str(), net);
        }
        for append in &prepared.commit.append {
            self.add_append(item, append);
        }
        let last = if prepared.commit.append.is_empty() { 0 } else { int(self.events.item.len()) };
        self.events.last.push(last);
        for subject in &prepared.commit.erase {
            self.erasures.item.push(item);
            self.erasures.subject.push(subject.uuid());
        }
        for (name, write) in &prepared.timers {
            match write {
                TimerWrite::Set { key, due, payload } => {
                    self.timers.item.push(item);
                    self.timers.name.push(name);
                    self.timers.kind.push(&key.stream.kind);
                    self.timers.due.push(Moment(*due));
                    self.timers.payload.push(payload);
                }
                TimerWrite::Cancel { .. } => {
                    self.cancels.item.push(item);
                    self.cancels.name.push(name);
                }
            }
        }
    }

    /// What is checked before anything else: mark, lease, fence, versions.
    fn add_guards(&mut self, item: i32, prepared: &'b Prepared) {
        if let (Some(mark), Some(name)) = (&prepared.commit.mark, &prepared.mark) {
            self.marks.item.push(item);
            self.marks.name.push(name);
            self.marks.version.push(mark.fingerprint.version.into());
            self.marks.hash.push(mark.fingerprint.hash);
            self.marks.result.push(&mark.result);
        }
        if let (Some((_, token)), Some(name)) = (&prepared.commit.lease, &prepared.lease) {
            self.leases.item.push(item);
            self.leases.name.push(name);
            self.leases.token.push(*token);
        }
        if let Some(fence) = &prepared.commit.fence {
            self.fences.item.push(item);
            self.fences.name.push(&fence.name);
            self.fences.token.push(long(fence.token));
        }
        for row in &prepared.streams {
            self.streams.item.push(item);
            self.streams.kind.push(&row.stream.kind);
            self.streams.id.push(row.stream.id);
            self.streams.expected.push(long(row.expected.get()));
            self.streams.added.push(row.added);
        }
    }

    fn add_keys(&mut self, item: i32, prepared: &'b Prepared) {
        for row in &prepared.claims {
            self.claims.item.push(item);
            self.claims.name.push(&row.name);
            self.claims.kind.push(&row.owner.kind);
            self.claims.id.push(row.owner.id);
            self.claims.subject.push(row.subject.map(commerce_core::value::id::Id::uuid));
            self.claims.mixed.push(row.mixed);
        }
        for row in &prepared.releases {
            self.releases.item.push(item);
            self.releases.name.push(&row.name);
            self.releases.kind.push(&row.owner.kind);
            self.releases.id.push(row.owner.id);
        }
    }

    fn add_net(&mut self, item: i32, name: &'b str, net: &NetMove) {
        let sums = net.sums();
        let next = int(self.places.len() + 1);
        let place = *self.places.entry(name).or_insert_with(|| {
            self.pools.name.push(name);
            next
        });
        let mut beyond = false;
        // What leaves 64 bits is refused by the database; the number that stands here is not used.
        let mut fit = |sum: i128| {
            i64::try_from(sum).ok().filter(|sum| *sum != i64::MIN).unwrap_or_else(|| {
                beyond = true;
                0
            })
        };
        self.pools.item.push(item);
        self.pools.pool.push(place);
        self.pools.available.push(fit(sums.available));
        self.pools.guarded.push(fit(sums.guarded));
        self.pools.held.push(fit(sums.held));
        self.pools.allocated.push(fit(sums.allocated));
        self.pools.guard.push(sums.guard);
        self.pools.floor.push(sums.floor);
        self.pools.consumes.push(sums.consumes);
        self.pools.beyond.push(beyond);
    }

    fn add_append(&mut self, item: i32, append: &'b Append) {
        for (event, number) in append.events.iter().zip(1..) {
            self.add_event(item, append, append.expected.after(number), event);
        }
        if let Some(Snapshot { version, schema, data }) = &append.snapshot {
            self.snapshots.item.push(item);
            self.snapshots.kind.push(&append.stream.kind);
            self.snapshots.id.push(append.stream.id);
            self.snapshots.version.push(long(version.get()));
            self.snapshots.schema.push(i32::from(*schema));
            self.snapshots.data.push(data);
        }
    }

    fn add_event(&mut self, item: i32, append: &'b Append, version: Version, event: &'b NewEvent) {
        let rows = &mut self.events;
        rows.item.push(item);
        rows.kind.push(&append.stream.kind);
        rows.id.push(append.stream.id);
        rows.version.push(long(version.get()));
        rows.event.push(event.id.uuid());
        rows.name.push(&event.name);
        rows.schema.push(i32::from(event.schema));
        rows.at.push(Moment(event.at));
        rows.correlation.push(event.metadata.correlation);
        rows.causation.push(event.metadata.causation);
        rows.actor.push(actor(event.metadata.actor));
        rows.personal.push(event.personal.len().try_into().unwrap_or(i16::MAX));
        rows.data.push(&event.data);
        for value in &event.personal {
            self.values.item.push(item);
            self.values.kind.push(&append.stream.kind);
            self.values.id.push(append.stream.id);
            self.values.version.push(long(version.get()));
            self.values.field.push(i32::from(value.field));
            self.values.subject.push(value.subject.uuid());
            self.values.value.push(value.value.as_deref());
        }
    }
}

/// As JSON; what every event of the library itself has needs no allocation.
fn actor(actor: Actor) -> Cow<'static, str> {
    if actor == Actor::System {
        return Cow::Borrowed("\"system\"");
    }
    // An actor is a name and an id, which always has a text; the fallback is not reached.
    serde_json::to_string(&actor).map_or(Cow::Borrowed("\"system\""), Cow::Owned)
}
