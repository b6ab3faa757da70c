//! Calls with everything around them: a connection, a time limit, further attempts.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use commerce_core::kernel::error::{CommitError, Effect, PortError};
use sqlx::SqlStr;
use tokio::time::{sleep, timeout};

use super::apply::{Outcome, apply};
use super::prepared::Prepared;
use crate::clock::Time;
use crate::connections::{Connections, Held};
use crate::error::{Verdict, port_error, timeout as timed_out, verdict};

/// How often a commit is tried before the caller hears of a deadlock.
const ATTEMPTS: u32 = 5;

/// What became of a batch.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A result for each.
    Told(Vec<Outcome>),
    /// Nothing was applied; each is to be tried alone.
    Apart(Verdict, PortError),
    /// Nobody knows, or nothing can be done now.
    Failed(PortError),
}

/// Applies commits on connections of the store's own.
#[derive(Debug)]
pub(crate) struct Applier {
    pub(crate) connections: Arc<Connections>,
    pub(crate) statement: SqlStr,
    pub(crate) patience: Duration,
    pub(crate) time: Time,
    /// `lock_timeout` of a batch.
    pub(crate) batch_wait: String,
    /// `lock_timeout` of a single commit.
    pub(crate) wait: String,
}

impl Applier {
    /// One call. The connection stays in `kept` where it can be used again.
    pub(crate) async fn call(&self, kept: &mut Option<Held>, batch: &[Arc<Prepared>], wait: &str) -> Answer {
        let mut held = match kept.take() {
            Some(held) => held,
            None => match self.connections.take("commit").await {
                Ok(held) => held,
                Err(error) => return Answer::Failed(error),
            },
        };
        let work = apply(&mut held, &self.statement, batch, Some(wait), self.time.moment());
        let Ok(result) = timeout(self.patience, work).await else {
            return Answer::Failed(timed_out("commit", Effect::Unknown));
        };
        match result {
            Ok(outcomes) => {
                *kept = Some(held);
                Answer::Told(outcomes)
            }
            Err(error) => {
                let told = port_error("commit", Effect::Unknown, &error);
                match verdict(&error) {
                    Verdict::Lost => {
                        drop(held);
                        self.connections.forget();
                        Answer::Failed(told)
                    }
                    verdict => {
                        *kept = Some(held);
                        Answer::Apart(verdict, told)
                    }
                }
            }
        }
    }

    /// One commit alone; deadlocks and the like are tried again before the caller hears of them.
    pub(crate) async fn alone(&self, prepared: &Arc<Prepared>) -> Outcome {
        let (mut kept, mut attempt) = (None, 1);
        let outcome = loop {
            match self.call(&mut kept, std::slice::from_ref(prepared), &self.wait).await {
                Answer::Told(mut outcomes) => {
                    break outcomes.pop().unwrap_or(Err(CommitError::Port(crate::error::corrupt("commit"))));
                }
                Answer::Apart(Verdict::Again, _) if attempt < ATTEMPTS => {
                    sleep(jitter(attempt)).await;
                    attempt += 1;
                }
                Answer::Apart(_, error) | Answer::Failed(error) => break Err(CommitError::Port(error)),
            }
        };
        if let Some(held) = kept {
            held.keep();
        }
        outcome
    }
}

/// A random wait of up to 2, 4, 8 … milliseconds.
fn jitter(attempt: u32) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    Duration::from_micros(random % (1000 << attempt.min(8)))
}
