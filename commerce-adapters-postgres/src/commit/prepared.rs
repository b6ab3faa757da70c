//! A commit in the form in which the database takes it: names, nets and locks are computed once.

use std::collections::BTreeMap;
use std::sync::Arc;

use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::pool::{NetMove, PoolKey};
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::kernel::timer::TimerWrite;
use commerce_core::kernel::unique::{Key, UniqueKey};
use commerce_core::value::id::SubjectId;

use super::keys::{clean, key_name, mark_name, timer_name};
use super::lock::{Class, Lock, Locks, sorted};

/// A stream of a commit, appended to or expected.
#[derive(Debug)]
pub(super) struct StreamRow {
    pub(super) stream: StreamId,
    pub(super) expected: Version,
    pub(super) added: i64,
}

/// A key to claim.
#[derive(Debug)]
pub(super) struct ClaimRow {
    pub(super) key: Key,
    pub(super) name: String,
    pub(super) owner: StreamId,
    pub(super) subject: Option<SubjectId>,
    /// Claimed for two owners at once, of whom one must be refused.
    pub(super) mixed: bool,
}

/// A key to release.
#[derive(Debug)]
pub(super) struct ReleaseRow {
    pub(super) name: String,
    pub(super) owner: StreamId,
}

/// A well-formed commit, ready to be applied.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(super) commit: Commit,
    pub(super) mark: Option<String>,
    pub(super) lease: Option<String>,
    /// In the order of their ids.
    pub(super) streams: Vec<StreamRow>,
    /// In the order of their keys.
    pub(super) claims: Vec<ClaimRow>,
    pub(super) releases: Vec<ReleaseRow>,
    /// In the order of the pools.
    pub(super) nets: Vec<(PoolKey, NetMove)>,
    /// The last write of each.
    pub(super) timers: BTreeMap<String, TimerWrite>,
    pub(crate) locks: Vec<Lock>,
}

impl Prepared {
    /// Checks the form of a commit and makes it ready.
    pub(crate) fn new(commit: Commit, locks: Locks) -> Result<Arc<Self>, CommitError> {
        commit.well_formed()?;
        storable(&commit)?;
        let mut prepared = Self {
            mark: commit.mark.as_ref().map(|mark| mark_name(&mark.key)).transpose()?,
            lease: commit.lease.as_ref().map(|(key, _)| timer_name(key)).transpose()?,
            streams: streams(&commit),
            claims: claims(&commit)?,
            releases: releases(&commit)?,
            nets: nets(&commit)?,
            timers: timers(&commit)?,
            locks: Vec::new(),
            commit,
        };
        prepared.locks = sorted(prepared.needed(locks));
        Ok(Arc::new(prepared))
    }

    /// Everything that it reads or writes, as locks.
    fn needed(&self, locks: Locks) -> Vec<Lock> {
        let alone = |key| Lock { key, shared: false, pool: false };
        let mut needed = Vec::with_capacity(self.streams.len() + self.nets.len() + 4);
        needed.extend(self.streams.iter().map(|row| {
            let shared = row.added == 0;
            Lock { key: locks.stream(&row.stream), shared, pool: false }
        }));
        let names = self.claims.iter().map(|row| &row.name).chain(self.releases.iter().map(|row| &row.name));
        needed.extend(names.map(|name| alone(locks.named(Class::Key, name))));
        needed.extend(self.mark.iter().map(|name| alone(locks.named(Class::Mark, name))));
        let timers = self.timers.keys().chain(&self.lease);
        needed.extend(timers.map(|name| alone(locks.named(Class::Timer, name))));
        needed.extend(self.nets.iter().map(|(pool, _)| Lock {
            key: locks.named(Class::Pool, pool.as_str()),
            shared: false,
            pool: true,
        }));
        // What an erasure must not miss, and what must not miss an erasure, wait for each other.
        if !self.commit.erase.is_empty() || self.touches_persons() {
            let shared = self.commit.erase.is_empty();
            needed.push(Lock { key: locks.named(Class::Erasure, ""), shared, pool: false });
        }
        needed
    }

    fn touches_persons(&self) -> bool {
        self.claims.iter().any(|row| row.subject.is_some())
            || self.commit.append.iter().any(|append| {
                append.snapshot.is_some() || append.events.iter().any(|event| !event.personal.is_empty())
            })
    }
}

fn streams(commit: &Commit) -> Vec<StreamRow> {
    let appended = commit.append.iter().map(|append| StreamRow {
        stream: append.stream.clone(),
        expected: append.expected,
        added: i64::try_from(append.events.len()).unwrap_or(i64::MAX),
    });
    let expected = commit.expect.iter().map(|expect| StreamRow {
        stream: expect.stream.clone(),
        expected: expect.version,
        added: 0,
    });
    let mut rows: Vec<StreamRow> = appended.chain(expected).collect();
    rows.sort_by(|left, right| left.stream.cmp(&right.stream));
    rows
}

fn claims(commit: &Commit) -> Result<Vec<ClaimRow>, CommitError> {
    let mut rows: BTreeMap<&Key, ClaimRow> = BTreeMap::new();
    for UniqueKey { key, owner, subject } in &commit.claim {
        if let Some(row) = rows.get_mut(key) {
            row.mixed |= row.owner != *owner;
            row.subject = *subject;
            continue;
        }
        let name = key_name(key)?;
        let row = ClaimRow { key: key.clone(), name, owner: owner.clone(), subject: *subject, mixed: false };
        rows.insert(key, row);
    }
    Ok(rows.into_values().collect())
}

fn releases(commit: &Commit) -> Result<Vec<ReleaseRow>, CommitError> {
    let row = |UniqueKey { key, owner, .. }: &UniqueKey| {
        Ok(ReleaseRow { name: key_name(key)?, owner: owner.clone() })
    };
    commit.release.iter().map(row).collect()
}

fn nets(commit: &Commit) -> Result<Vec<(PoolKey, NetMove)>, CommitError> {
    let mut nets: BTreeMap<&PoolKey, NetMove> = BTreeMap::new();
    for step in &commit.moves {
        clean(step.pool.as_str())?;
        nets.entry(&step.pool).or_default().add(step.op);
    }
    Ok(nets.into_iter().map(|(pool, net)| (pool.clone(), net)).collect())
}

fn timers(commit: &Commit) -> Result<BTreeMap<String, TimerWrite>, CommitError> {
    commit.timers.iter().map(|write| Ok((timer_name(write.key())?, write.clone()))).collect()
}

/// Texts that are no keys; keys are checked where their names are made.
fn storable(commit: &Commit) -> Result<(), CommitError> {
    for append in &commit.append {
        clean(&append.stream.kind)?;
        append.events.iter().try_for_each(|event| clean(&event.name))?;
    }
    commit.expect.iter().try_for_each(|expect| clean(&expect.stream.kind))?;
    commit.fence.iter().try_for_each(|fence| clean(&fence.name))
}
