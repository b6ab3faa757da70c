//! One command on one aggregate: load, decide, commit.

use serde::{Deserialize, Serialize};

use super::commerce::Commerce;
use super::commit::MAX_ATTEMPTS;
use super::error::CommandError;
use super::observing::{outcome, span::Span};
use crate::identity::{Denied, authorise};
use crate::kernel::aggregate::{Aggregate, Command, Instance, Permission};
use crate::kernel::batch::Batch;
use crate::kernel::commit::{Load, Loaded, StreamQuery};
use crate::kernel::error::CommitError;
use crate::kernel::mark::{Fingerprint, Handled, Mark, MarkKey};
use crate::kernel::replay::{ReplayError, replay};
use crate::kernel::stream::{Position, Version};
use crate::port::observer::Outcome;
use crate::value::actor::Actor;
use crate::value::id::Id;

/// The aggregate that a command is for.
type Target<C> = <C as Command>::Target;
/// Why that aggregate refuses.
type Refusal<C> = <Target<C> as Aggregate>::Error;

/// The version of how a command is turned into a fingerprint: its serde form as JSON, behind the stream.
const FINGERPRINT: u16 = 1;
/// The scope of command ids.
const SCOPE: &str = "command";

/// A command that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed<E> {
    /// The version of the aggregate behind it.
    pub version: Version,
    /// What happened; empty for a no-op, and for a repeat, whose events are in the aggregate's history.
    pub events: Vec<E>,
    /// The log's end behind the commit; `None` where nothing had to be committed.
    pub position: Option<Position>,
    /// Whether this command id had been carried out before.
    pub repeated: bool,
    /// How many stored events were folded to decide.
    pub folded: u64,
}

/// What a mark remembers of a command.
#[derive(Serialize, Deserialize)]
struct Remembered {
    version: Version,
}

impl Commerce {
    /// Carries out one command on one aggregate.
    ///
    /// Under a command id a repeat returns the first result. Conflicts are decided anew, at most five
    /// times; a refusal is reported as it is. A command that other aggregates have to follow
    /// ([`Command::stands_alone`]) is taken from the system only; others use the operations.
    ///
    /// # Errors
    ///
    /// [`CommandError`]; nothing happened, except where a port's effect is unknown, in which case the same
    /// command under the same command id gives the right answer.
    pub async fn execute<C: Command>(
        &self,
        id: Id<<Target<C> as Aggregate>::Root>,
        command: C,
    ) -> Result<Executed<<Target<C> as Aggregate>::Event>, CommandError<Refusal<C>>> {
        let what = Permission::new(Target::<C>::NAME, command.permission().action);
        let shop = self.traced();
        let watched = shop.begins(what, id.uuid());
        let mut attempts = 0;
        let span = Span::command(what, id.uuid(), shop.trace());
        let done = span.around(shop.decided(id, &command, &mut attempts)).await;
        let outcome = match &done {
            Ok(executed) if executed.repeated => Outcome::Repeated,
            done => outcome(done, CommandError::class),
        };
        shop.ends(watched, shop.trace(), outcome, attempts);
        done
    }

    async fn decided<C: Command>(
        &self,
        id: Id<<Target<C> as Aggregate>::Root>,
        command: &C,
        attempt: &mut u32,
    ) -> Result<Executed<<Target<C> as Aggregate>::Event>, CommandError<Refusal<C>>> {
        if !command.stands_alone() && self.request.principal.actor() != Actor::System {
            return Err(Denied::NotAlone { permission: command.permission() }.into());
        }
        let mark = self.command_mark(id, command);
        loop {
            *attempt = attempt.saturating_add(1);
            match self.attempt(id, command, mark.as_ref()).await {
                Err(CommandError::Commit(CommitError::Stale { .. })) if *attempt < MAX_ATTEMPTS => {
                    self.pause(*attempt).await;
                }
                Err(CommandError::Commit(CommitError::AlreadyHandled(handled))) => {
                    return Ok(repeated(&handled));
                }
                Err(CommandError::Commit(error)) => return Err(CommandError::from_commit(error, *attempt)),
                Err(CommandError::Rejected(refusal)) => {
                    return self.refuse(refusal, mark.as_ref()).await;
                }
                done => return done,
            }
        }
    }

    async fn attempt<C: Command>(
        &self,
        id: Id<<Target<C> as Aggregate>::Root>,
        command: &C,
        mark: Option<&(MarkKey, Fingerprint)>,
    ) -> Result<Executed<<Target<C> as Aggregate>::Event>, CommandError<Refusal<C>>> {
        let cached = self.shared.cache.take::<Target<C>>(id);
        let load = Load {
            streams: vec![query_of(&cached)],
            marks: mark.iter().map(|(key, _)| key.clone()).collect(),
            ..Load::default()
        };
        let loaded = self.store().load(load).await?;
        if let (Some((key, fingerprint)), Some(Some(handled))) = (mark, loaded.marks.first()) {
            if !handled.fingerprint.agrees_with(*fingerprint) {
                return Err(CommandError::Commit(CommitError::KeyReused(key.clone())));
            }
            return Ok(repeated(handled));
        }
        let mut instance = instance_of(cached, &loaded, 0)?;
        let owner = instance.state.as_ref().map(Aggregate::owner).or_else(|| command.claims_owner());
        authorise(&self.request.principal, command.permission(), owner)?;

        let now = self.now();
        let decided = Target::<C>::decide(instance.state.as_ref(), command.clone(), now);
        let events = match decided {
            Ok(events) => events,
            Err(refusal) => {
                self.shared.cache.put(instance);
                return Err(CommandError::Rejected(refusal));
            }
        };
        let folded = instance.folded;
        let mut batch = Batch::new(self.ids(), now, self.metadata());
        if !events.is_empty() {
            batch.append(&mut instance, &events)?;
        }
        let version = instance.version;
        if let Some((key, fingerprint)) = mark {
            // A no-op under an id is remembered too, and only on the version that it was decided on.
            batch.expect(&instance);
            let result = serde_json::to_vec(&Remembered { version }).unwrap_or_default().into();
            batch.commit_mut().mark = Some(Mark { key: key.clone(), fingerprint: *fingerprint, result });
        }
        let commit = batch.into_commit();
        let mut position = None;
        if !commit.is_empty() {
            let receipt = self.commit_resolved(commit).await.map_err(CommandError::Commit)?;
            position = Some(receipt.position);
            self.stepped_by(&instance, &events);
        }
        self.shared.cache.put(instance);
        Ok(Executed { version, events, position, repeated: false, folded })
    }

    /// A refusal under a command id may be that of a repeat whose first run was not visible yet.
    async fn refuse<C, E>(
        &self,
        refusal: C,
        mark: Option<&(MarkKey, Fingerprint)>,
    ) -> Result<Executed<E>, CommandError<C>>
    where
        C: std::error::Error + 'static,
    {
        if let Some((key, fingerprint)) = mark {
            let load = Load { marks: vec![key.clone()], ..Load::default() };
            let loaded = self.store().load(load).await?;
            if let Some(Some(handled)) = loaded.marks.first()
                && handled.fingerprint.agrees_with(*fingerprint)
            {
                return Ok(repeated(handled));
            }
        }
        Err(CommandError::Rejected(refusal))
    }

    fn command_mark<C: Command>(
        &self,
        id: Id<<Target<C> as Aggregate>::Root>,
        command: &C,
    ) -> Option<(MarkKey, Fingerprint)> {
        let command_id = self.request.command_id?;
        let mut canonical = crate::kernel::aggregate::stream_of::<Target<C>>(id).to_string().into_bytes();
        canonical.extend(serde_json::to_vec(command).unwrap_or_default());
        let key = MarkKey::new(SCOPE, command_id.to_string());
        Some((key, Fingerprint::of(FINGERPRINT, &canonical)))
    }
}

/// Asks for what lies behind an instance.
pub(crate) fn query_of<A: Aggregate>(instance: &Instance<A>) -> StreamQuery {
    StreamQuery {
        stream: instance.stream(),
        after: instance.version,
        snapshot_schema: (A::SNAPSHOT_EVERY > 0).then_some(A::STATE_SCHEMA),
    }
}

/// Folds the answer with this number onto an instance.
pub(crate) fn instance_of<A: Aggregate>(
    cached: Instance<A>,
    loaded: &Loaded,
    index: usize,
) -> Result<Instance<A>, ReplayError> {
    match loaded.streams.get(index) {
        // A head below the cached version: the store is not the one that the state came from.
        Some(stream) if stream.version < cached.version => {
            Err(ReplayError::Gap { expected: cached.version, found: stream.version })
        }
        Some(stream) => replay(cached, stream),
        None => Ok(cached),
    }
}

fn repeated<E>(handled: &Handled) -> Executed<E> {
    let version = serde_json::from_slice(&handled.result)
        .map_or(Version::NONE, |remembered: Remembered| remembered.version);
    Executed { version, events: Vec::new(), position: Some(handled.position), repeated: true, folded: 0 }
}
