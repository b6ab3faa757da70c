//! A commit as the script reads it: a plan as JSON, and the bytes that it counts.

use std::collections::BTreeMap;

use commerce_core::kernel::commit::{Append, Commit};
use commerce_core::kernel::event::{EventId, Metadata, NewEvent};
use commerce_core::kernel::mark::MarkKey;
use commerce_core::kernel::pool::{NetMove, PoolKey, PoolLevel};
use commerce_core::kernel::stream::{Label, StreamId, Version};
use commerce_core::kernel::timer::TimerWrite;
use commerce_core::kernel::unique::{Key, UniqueKey};
use commerce_core::value::id::SubjectId;
use commerce_core::value::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::time::sortable;

/// What the script is given.
#[derive(Debug, Serialize)]
pub(crate) struct Plan {
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<MarkPlan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<LeasePlan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fence: Option<FencePlan>,
    versions: Vec<(String, String)>,
    release: Vec<(String, String)>,
    claim: Vec<(String, String, String, usize)>,
    pools: Vec<PoolPlan>,
    append: Vec<AppendPlan>,
    erase: Vec<SubjectId>,
    timers: Vec<TimerPlan>,
}

#[derive(Debug, Serialize)]
struct MarkPlan {
    name: String,
    version: u16,
    hash: uuid::Uuid,
    result: usize,
}

#[derive(Debug, Serialize)]
struct LeasePlan {
    timer: String,
    token: String,
}

#[derive(Debug, Serialize)]
struct FencePlan {
    name: String,
    token: String,
}

#[derive(Debug, Serialize)]
struct PoolPlan {
    name: String,
    available: String,
    guarded: String,
    held: String,
    allocated: String,
    consumes: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    guard: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    floor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    swap: Option<(String, String)>,
}

#[derive(Debug, Serialize)]
struct AppendPlan {
    stream: String,
    events: Vec<EventPlan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<(String, String, usize)>,
}

#[derive(Debug, Serialize)]
struct EventPlan {
    head: usize,
    data: usize,
    personal: Vec<(u16, SubjectId, usize)>,
}

#[derive(Debug, Serialize)]
struct TimerPlan {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    kind: Label,
    id: uuid::Uuid,
    label: Label,
    payload: usize,
}

/// An event without its payload and its personal values.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) id: EventId,
    pub(crate) name: Label,
    pub(crate) schema: u16,
    pub(crate) at: Timestamp,
    pub(crate) metadata: Metadata,
    pub(crate) personal: Vec<(u16, SubjectId)>,
}

/// A commit that is ready to be sent, and what its refusals are read by.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) commit: Commit,
    pub(crate) plan: Plan,
    pub(crate) blobs: Vec<Vec<u8>>,
    /// Ascending, as in the plan.
    pub(crate) versions: Vec<(StreamId, Version)>,
    /// Ascending, as in the plan.
    pub(crate) nets: Vec<(PoolKey, NetMove)>,
}

#[derive(Default)]
struct Blobs(Vec<Vec<u8>>);

impl Blobs {
    fn keep(&mut self, bytes: impl Into<Vec<u8>>) -> usize {
        self.0.push(bytes.into());
        self.0.len()
    }
}

impl Prepared {
    pub(crate) fn new(commit: Commit) -> Result<Self, serde_json::Error> {
        let mut blobs = Blobs::default();
        let appends = commit.append.iter().map(|append| (&append.stream, append.expected));
        let asserted = appends.chain(commit.expect.iter().map(|expect| (&expect.stream, expect.version)));
        let mut versions: Vec<(StreamId, Version)> =
            asserted.map(|(stream, version)| (stream.clone(), version)).collect();
        // Stable: of a stream that is asserted twice the append comes first, as the contract wants.
        versions.sort_by(|left, right| left.0.cmp(&right.0));
        let mut nets: BTreeMap<&PoolKey, NetMove> = BTreeMap::new();
        for step in &commit.moves {
            nets.entry(&step.pool).or_default().add(step.op);
        }
        let nets: Vec<(PoolKey, NetMove)> = nets.into_iter().map(|(pool, net)| (pool.clone(), net)).collect();
        let append: Result<_, serde_json::Error> =
            commit.append.iter().map(|append| append_plan(append, &mut blobs)).collect();
        let plan = Plan {
            mark: commit.mark.as_ref().map(|mark| MarkPlan {
                name: mark_name(&mark.key),
                version: mark.fingerprint.version,
                hash: mark.fingerprint.hash,
                result: blobs.keep(&*mark.result),
            }),
            lease: commit.lease.as_ref().map(|(timer, token)| LeasePlan {
                timer: timer.to_string(),
                token: token.as_u128().to_string(),
            }),
            fence: commit
                .fence
                .as_ref()
                .map(|fence| FencePlan { name: fence.name.to_string(), token: fence.token.to_string() }),
            versions: versions
                .iter()
                .map(|(stream, version)| (stream.to_string(), version.to_string()))
                .collect(),
            release: commit
                .release
                .iter()
                .map(|given| (key_name(&given.key), given.owner.to_string()))
                .collect(),
            claim: claims(&commit.claim),
            pools: nets.iter().map(|(pool, net)| pool_plan(pool, net)).collect(),
            append: append?,
            erase: commit.erase.clone(),
            timers: commit.timers.iter().map(|write| timer_plan(write, &mut blobs)).collect(),
        };
        Ok(Self { commit, plan, blobs: blobs.0, versions, nets })
    }

    /// Writes these levels under the condition that the present ones are still there.
    pub(crate) fn swap(&mut self, levels: Vec<(String, PoolLevel)>) {
        for (pool, (before, after)) in self.plan.pools.iter_mut().zip(levels) {
            let PoolLevel { available, held, allocated, floor } = after;
            pool.swap = Some((before, format!("{available} {held} {allocated} {floor}")));
        }
    }
}

impl Prepared {
    /// Decides on the levels as they are by then.
    pub(crate) fn forget(&mut self) {
        self.plan.pools.iter_mut().for_each(|pool| pool.swap = None);
    }
}

/// How a key is called: its text, and the length of its scope, which the text does not tell.
pub(crate) fn key_name(key: &Key) -> String {
    format!("{key}\0{}", key.scope.len())
}

/// How a mark is called, likewise.
pub(crate) fn mark_name(key: &MarkKey) -> String {
    format!("{key}\0{}", key.scope.len())
}

fn claims(claims: &[UniqueKey]) -> Vec<(String, String, String, usize)> {
    let mut order: Vec<&Key> = claims.iter().map(|claim| &claim.key).collect();
    order.sort();
    let rank = |key: &Key| order.partition_point(|known| *known < key);
    let subject = |claim: &UniqueKey| claim.subject.map(|subject| subject.to_string()).unwrap_or_default();
    claims
        .iter()
        .map(|claim| (key_name(&claim.key), claim.owner.to_string(), subject(claim), rank(&claim.key)))
        .collect()
}

fn pool_plan(pool: &PoolKey, net: &NetMove) -> PoolPlan {
    let sums = net.sums();
    PoolPlan {
        name: pool.to_string(),
        available: sums.available.to_string(),
        guarded: sums.guarded.to_string(),
        held: sums.held.to_string(),
        allocated: sums.allocated.to_string(),
        consumes: sums.consumes,
        guard: sums.guard.map(|guard| guard.to_string()),
        floor: sums.floor.map(|floor| floor.to_string()),
        swap: None,
    }
}

fn append_plan(append: &Append, blobs: &mut Blobs) -> Result<AppendPlan, serde_json::Error> {
    let events: Result<_, serde_json::Error> =
        append.events.iter().map(|event| event_plan(event, blobs)).collect();
    let snapshot = append.snapshot.as_ref().map(|snapshot| {
        (snapshot.version.to_string(), snapshot.schema.to_string(), blobs.keep(&*snapshot.data))
    });
    Ok(AppendPlan { stream: append.stream.to_string(), events: events?, snapshot })
}

fn event_plan(event: &NewEvent, blobs: &mut Blobs) -> Result<EventPlan, serde_json::Error> {
    let head = Head {
        id: event.id,
        name: event.name.clone(),
        schema: event.schema,
        at: event.at,
        metadata: event.metadata,
        personal: event.personal.iter().map(|value| (value.field, value.subject)).collect(),
    };
    let (head, data) = (blobs.keep(serde_json::to_vec(&head)?), blobs.keep(&*event.data));
    let personal = event.personal.iter().map(|value| {
        // Blobs are counted from one: zero is a value that is gone.
        (value.field, value.subject, value.value.as_deref().map_or(0, |bytes| blobs.keep(bytes)))
    });
    Ok(EventPlan { head, data, personal: personal.collect() })
}

fn timer_plan(write: &TimerWrite, blobs: &mut Blobs) -> TimerPlan {
    let key = write.key();
    let (due, payload) = match write {
        TimerWrite::Set { due, payload, .. } => (Some(sortable(*due)), blobs.keep(&**payload)),
        TimerWrite::Cancel { .. } => (None, 0),
    };
    let (kind, id, label) = (key.stream.kind.clone(), key.stream.id, key.name.clone());
    TimerPlan { name: key.to_string(), due, kind, id, label, payload }
}
