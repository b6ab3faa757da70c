//! Use cases that span aggregates: shipping, cancelling, giving money and goods back.
//!
//! Each loads what it decides on, has every aggregate decide for itself, and commits once. A call of a
//! gateway is announced by that commit and made behind it; where it fails, the payment's timer makes it
//! again under the same key. Most repeats are no-ops by their own ids; under a command id all of them are.

pub mod cancel;
pub mod edit;
pub mod error;
pub mod merge;
pub mod refund;
pub mod return_decisions;
pub mod returns;
pub mod ship;

use serde::Serialize;
use uuid::Uuid;

pub use error::OperationError;

use super::commerce::Commerce;
use super::observing::{outcome, span::Span};
use super::reading::{Answer, Ask};
use crate::checkout::Checkout;
use crate::kernel::aggregate::{Aggregate, Instance, Permission};
use crate::kernel::batch::Batch;
use crate::kernel::error::CommitError;
use crate::kernel::mark::{Fingerprint, Mark, MarkKey};
use crate::value::id::{Id, PaymentId};

/// Decides anew while others are faster, and has it watched.
macro_rules! retried {
    ($own:expr, $deed:expr, $shop:ident => $attempt:expr) => {{
        let traced = $own.traced();
        let $shop = &*traced;
        let watched = $shop.begins($deed.what, $deed.id);
        let decided = async {
            let mut attempt = 0;
            loop {
                attempt += 1;
                match $attempt.await {
                    Err(OperationError::Commit(CommitError::Stale { .. })) if attempt < MAX_ATTEMPTS => {
                        $shop.pause(attempt).await;
                    }
                    Err(OperationError::Commit(CommitError::Stale { .. })) => {
                        break (Err(OperationError::Conflict { attempts: attempt }), attempt);
                    }
                    done => break (done, attempt),
                }
            }
        };
        let span = Span::command($deed.what, $deed.id, $shop.trace());
        let (done, attempts) = span.around(Box::pin(decided)).await;
        $shop.ends(watched, $shop.trace(), outcome(&done, OperationError::class), attempts);
        done
    }};
}
use retried;

/// A use case under way.
#[derive(Debug)]
struct Deed {
    /// What is done, for those who watch.
    what: Permission,
    /// To what.
    id: Uuid,
    /// Its mark, where it is carried out under a command id.
    mark: Option<(MarkKey, Fingerprint)>,
}

impl Deed {
    fn ask(&self, ask: &mut Ask) {
        ask.load.marks.extend(self.mark.iter().map(|(key, _)| key.clone()));
    }

    /// Whether it was carried out before.
    fn is_done(&self, answer: &Answer) -> Result<bool, OperationError> {
        match (&self.mark, answer.loaded.marks.first()) {
            (Some((key, fingerprint)), Some(Some(handled))) => {
                if handled.fingerprint.agrees_with(*fingerprint) {
                    Ok(true)
                } else {
                    Err(OperationError::Commit(CommitError::KeyReused(key.clone())))
                }
            }
            _ => Ok(false),
        }
    }
}

/// Has an aggregate decide and puts the outcome into the batch; tells what happens.
fn told<A: Aggregate>(
    batch: &mut Batch<'_>,
    instance: &mut Instance<A>,
    command: A::Command,
) -> Result<Vec<A::Event>, OperationError>
where
    OperationError: From<A::Error>,
{
    let events = A::decide(instance.state.as_ref(), command, batch.now())?;
    batch.append(instance, &events)?;
    Ok(events)
}

impl Commerce {
    fn deed(&self, (what, id): (Permission, Uuid), request: &impl Serialize) -> Deed {
        let mark = self.request.command_id.map(|id| {
            let mut canonical = format!("{}|", what.action).into_bytes();
            canonical.extend(serde_json::to_vec(request).unwrap_or_default());
            (MarkKey::new("command", id.to_string()), Fingerprint::of(1, &canonical))
        });
        Deed { what, id, mark }
    }

    fn batch(&self) -> Batch<'_> {
        Batch::new(self.ids(), self.now(), self.metadata())
    }

    /// One aggregate, as the store knows it.
    async fn fetch<A: Aggregate>(&self, id: Id<A::Root>) -> Result<Instance<A>, OperationError> {
        let known = self.shared.cache.take::<A>(id);
        let mut ask = Ask::default();
        ask.stream(&known);
        Ok(self.ask(ask).await?.fold(known)?)
    }

    /// Commits what was decided; nothing where nothing was.
    async fn apply(&self, batch: Batch<'_>, deed: &Deed) -> Result<(), OperationError> {
        self.apply_to(batch, deed, None).await
    }

    /// Commits what was decided, some of it by a saga.
    async fn apply_to(
        &self,
        mut batch: Batch<'_>,
        deed: &Deed,
        saga: Option<&Instance<Checkout>>,
    ) -> Result<(), OperationError> {
        if let Some((key, fingerprint)) = &deed.mark {
            let result = std::sync::Arc::from(&b"{}"[..]);
            batch.commit_mut().mark = Some(Mark { key: key.clone(), fingerprint: *fingerprint, result });
        }
        let commit = batch.into_commit();
        if commit.append.is_empty() && commit.mark.is_none() {
            return Ok(());
        }
        let done = match saga {
            Some(saga) => self.commit_steps(commit, saga).await,
            None => self.commit_resolved(commit).await,
        };
        match done {
            Ok(_) | Err(CommitError::AlreadyHandled(_)) => Ok(()),
            Err(error) => Err(OperationError::Commit(error)),
        }
    }

    /// Makes the calls that were announced. What fails here did not undo the commit: the payment's timer
    /// goes on with it.
    async fn follow_up(&self, payment: Option<PaymentId>) {
        if let Some(payment) = payment {
            self.settle_payment(payment).await.unwrap_or_default();
        }
    }
}
