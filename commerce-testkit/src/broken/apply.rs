//! What a commit that passed does.

use commerce_core::kernel::commit::{Append, Commit, Snapshot};
use commerce_core::kernel::event::{NewEvent, RecordedEvent};
use commerce_core::kernel::mark::{Handled, Mark};
use commerce_core::kernel::personal::PersonalValue;
use commerce_core::kernel::pool::PoolMove;
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::kernel::timer::TimerWrite;
use commerce_core::value::id::SubjectId;
use uuid::Uuid;

use super::flaw::Break;
use super::state::{State, Timer, position};

impl State {
    /// Writes every part, guarded or not; `start` is the position before its first event.
    pub(super) fn apply(&mut self, commit: Commit, start: u64) -> Position {
        let no_op = commit.append.is_empty();
        self.write_keys(&commit);
        self.write_pools(&commit.moves);
        for expect in commit.expect {
            if self.has(Break::ExpectsMoveTheHead) {
                let head = self.stream(&expect.stream);
                *self.heads.entry(head).or_default() += 1;
            }
        }
        let known = self.erased.clone();
        let (early, late) = if self.has(Break::EraseMissesItsOwnCommit) {
            (commit.erase, vec![])
        } else {
            (vec![], commit.erase)
        };
        for subject in early {
            self.erase(subject, &known);
        }
        let mut append = commit.append;
        if self.has(Break::LogSortsAppends) {
            append.sort_by(|a, b| a.stream.cmp(&b.stream));
        }
        let mut at = start;
        for append in append {
            self.append(append, &mut at, &known);
        }
        self.last = self.last.max(at);
        for subject in late {
            self.erase(subject, &known);
        }
        let mut written = Vec::new();
        for write in commit.timers {
            if self.has(Break::FirstWriteCounts) && written.contains(write.key()) {
                continue;
            }
            written.push(write.key().clone());
            self.write_timer(write);
        }
        let receipt = if self.has(Break::ReceiptLiesBefore) { position(start) } else { self.end() };
        if let Some(mark) = commit.mark.filter(|_| !(no_op && self.has(Break::DropsMarksOfNoOps))) {
            self.write_mark(mark, receipt);
        }
        receipt
    }

    fn write_mark(&mut self, mark: Mark, receipt: Position) {
        let Mark { key, fingerprint, mut result } = mark;
        if self.has(Break::CutsResults) {
            result = result.iter().take(255).copied().collect();
        }
        let position = if self.has(Break::ForgetsMarkPositions) { Position::START } else { receipt };
        self.marks.insert(self.mark(&key), Handled { fingerprint, result, position });
    }

    fn write_keys(&mut self, commit: &Commit) {
        for release in self.releases(commit) {
            let key = self.key(&release.key);
            let owned = self.keys.get(&key).is_some_and(|(owner, _)| *owner == release.owner);
            if owned || self.has(Break::AnyoneReleases) {
                self.keys.remove(&key);
            }
        }
        for claim in &commit.claim {
            let key = self.key(&claim.key);
            self.ever.insert(key.clone(), claim.owner.clone());
            if claim.subject.is_some_and(|subject| self.erased.contains(&subject)) {
                self.keys.remove(&key);
            } else {
                self.keys.insert(key, (claim.owner.clone(), claim.subject));
            }
        }
    }

    fn write_pools(&mut self, moves: &[PoolMove]) {
        let first = moves.first().map(|step| step.pool.clone());
        for PoolMove { pool, op } in moves {
            if self.has(Break::MovesOnePool) && first.as_ref() != Some(pool) {
                continue;
            }
            let after = self.moved(self.level(pool), *op);
            self.pools.insert(pool.clone(), after);
        }
    }

    fn append(&mut self, append: Append, at: &mut u64, known: &std::collections::BTreeSet<SubjectId>) {
        let Append { stream, events, snapshot, .. } = append;
        let head = self.stream(&stream);
        let mut version = self.head(&stream);
        if self.has(Break::LeavesGaps) && version > 0 {
            version += 1;
        }
        for mut event in events {
            self.keep(&mut event, known);
            version += 1;
            *at += 1;
            let recorded = RecordedEvent {
                position: position(*at),
                stream: stream.clone(),
                version: Version::new(version),
                event,
            };
            let place = self.log.partition_point(|event| event.position < recorded.position);
            self.log.insert(place, recorded);
        }
        self.heads.insert(head, version);
        if let Some(snapshot) = snapshot {
            self.write_snapshot(stream, snapshot);
        }
    }

    /// What is kept of an event.
    fn keep(&self, event: &mut NewEvent, known: &std::collections::BTreeSet<SubjectId>) {
        if self.has(Break::ForgetsMetadata) {
            event.metadata.correlation = Uuid::nil();
        }
        if self.has(Break::ForgetsPersonalValues) {
            event.personal.clear();
        }
        for value in &mut event.personal {
            if known.contains(&value.subject) && !self.has(Break::EraseForgetsLater) {
                value.value = None;
            }
        }
    }

    fn write_snapshot(&mut self, stream: StreamId, snapshot: Snapshot) {
        let erased = self.log.iter().filter(|event| event.stream == stream).any(|event| {
            event.event.personal.iter().any(|PersonalValue { subject, .. }| self.erased.contains(subject))
        });
        let first = self.has(Break::KeepsTheFirstSnapshot) && self.snapshots.contains_key(&stream);
        let clean = !erased || self.has(Break::EraseForgetsLaterSnapshots);
        if clean && !first && !self.has(Break::ForgetsSnapshots) {
            self.snapshots.insert(stream, snapshot);
        }
    }

    fn erase(&mut self, subject: SubjectId, known: &std::collections::BTreeSet<SubjectId>) {
        self.erased.insert(subject);
        if !self.has(Break::EraseKeepsKeys) {
            self.keys.retain(|_, (_, owner)| *owner != Some(subject));
        }
        if self.has(Break::EraseKeepsValues) {
            return;
        }
        let (everybody, one) = (self.has(Break::ErasesEverybody), self.has(Break::ErasesOneStream));
        let mut streams: Vec<StreamId> = Vec::new();
        for event in &mut self.log {
            let theirs = event.event.personal.iter().any(|value| value.subject == subject);
            if !theirs || (one && streams.first().is_some_and(|first| *first != event.stream)) {
                continue;
            }
            streams.push(event.stream.clone());
            for value in &mut event.event.personal {
                if value.subject == subject || everybody {
                    value.value = None;
                }
            }
        }
        if self.has(Break::EraseDropsEvents) && !known.contains(&subject) {
            self.log.retain(|event| event.event.personal.iter().all(|value| value.subject != subject));
        }
        if !self.has(Break::EraseKeepsSnapshots) {
            self.snapshots.retain(|stream, _| !streams.contains(stream));
        }
    }

    fn write_timer(&mut self, write: TimerWrite) {
        match write {
            TimerWrite::Cancel { key } => {
                if !self.has(Break::IgnoresCancel) {
                    self.timers.remove(&self.timer(&key));
                }
            }
            TimerWrite::Set { key, due, payload } => {
                let kept = self.timer(&key);
                let before = self.timers.get(&kept);
                if before.is_some() && self.has(Break::SetKeepsTheFirst) {
                    return;
                }
                let keeps = match self.flaw {
                    Some(Break::SetKeepsTheLease) => true,
                    Some(Break::MoveKeepsTheLease) => before.is_some_and(|timer| timer.due != due),
                    _ => false,
                };
                let lease = before.and_then(|timer| timer.lease).filter(|_| keeps);
                self.timers.insert(kept, Timer { due, payload, lease });
            }
        }
    }
}
