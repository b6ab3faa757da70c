//! Coalescing: commits that arrive together are applied together, each with its own result.
//!
//! A commit that arrives while a committer is free is applied at once; nobody waits for company. While all
//! committers are busy, arrivals gather, and the next free one takes as many as may stand in one batch.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use commerce_core::kernel::error::{CommitError, Effect, PortError, PortErrorKind};
use commerce_core::port::observer::{Observer, Signal};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::apply::Outcome;
use super::prepared::Prepared;
use super::single::{Answer, Applier};
use crate::connections::Held;
use crate::error::PORT;

/// How many waiting commits are looked at for one batch.
const LOOK: usize = 512;
/// The most locks of one batch: the server's table of locks is shared by all.
const MOST_LOCKS: usize = 1500;
/// How many commits of batches that failed are under way alone at once.
const APART: usize = 4;

struct Job {
    prepared: Arc<Prepared>,
    answer: Option<oneshot::Sender<Outcome>>,
    queue: Arc<Queue>,
    /// Under way: its keys are busy.
    taken: bool,
    /// Gives its room in the queue back when the job ends.
    _room: OwnedSemaphorePermit,
}

/// Frees the keys of a commit whose committer ended under it, because its runtime did.
impl Drop for Job {
    fn drop(&mut self) {
        if self.taken {
            let queue = self.queue.clone();
            queue.state().free(std::slice::from_mut(self));
        }
    }
}

/// Who holds a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Shared(usize),
    Alone,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    /// Keys of commits under way, pools left out.
    busy: HashMap<i64, Use>,
    running: usize,
}

/// Commits of one store on their way to the database.
pub(crate) struct Queue {
    applier: Arc<Applier>,
    state: Mutex<State>,
    room: Arc<Semaphore>,
    apart: Arc<Semaphore>,
    committers: usize,
    most: usize,
    observer: OnceLock<Arc<dyn Observer>>,
}

impl Queue {
    pub(crate) fn new(applier: Arc<Applier>, committers: usize, most: usize, room: usize) -> Self {
        Self {
            applier,
            state: Mutex::default(),
            room: Arc::new(Semaphore::new(room.max(1))),
            apart: Arc::new(Semaphore::new(APART)),
            committers: committers.max(1),
            most: most.max(1),
            observer: OnceLock::new(),
        }
    }

    /// Has somebody watch; the first one stays.
    pub(crate) fn watch(&self, observer: Arc<dyn Observer>) {
        let _ = self.observer.set(observer);
    }

    /// Commits were applied in one call.
    fn coalesced(&self, commits: usize) {
        if let (Some(observer), true) = (self.observer.get(), commits > 1) {
            let commits = u32::try_from(commits).unwrap_or(u32::MAX);
            observer.observe(&Signal::CommitCoalesced { commits });
        }
    }

    /// Applies a commit. Dropping the future does not stop it once it stands in the queue.
    pub(crate) async fn submit(self: &Arc<Self>, prepared: Arc<Prepared>) -> Outcome {
        let Ok(room) = self.room.clone().acquire_owned().await else { return Err(gone()) };
        let (answer, told) = oneshot::channel();
        let (start, own) = {
            let mut state = self.state();
            let first = state.waiting.is_empty();
            let (answer, queue) = (Some(answer), self.clone());
            state.waiting.push_back(Job { prepared, answer, queue, taken: false, _room: room });
            match (self.may_start(&mut state), first) {
                (true, true) => (false, Some(state.pick(1))),
                (start, _) => (start, None),
            }
        };
        if start {
            self.start();
        }
        if let Some(own) = own {
            self.at_once(own).await;
        }
        told.await.unwrap_or_else(|_| Err(gone()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn may_start(&self, state: &mut State) -> bool {
        let may = state.running < self.committers && !state.waiting.is_empty();
        state.running += usize::from(may);
        may
    }

    fn start(self: &Arc<Self>) {
        // The guard goes along: a task that is dropped before it ran must count itself out too.
        tokio::spawn(run(Running { queue: self.clone(), counted: true }));
    }

    /// Applies the caller's own commit in the caller's task: a hand-over to another one costs a lone commit
    /// more than the call. It is empty where the commit has to wait for one that is under way.
    async fn at_once(self: &Arc<Self>, own: Vec<Job>) {
        // Dropped in reverse: connection, keys, place of a committer; then whoever waited meanwhile starts.
        let _onward = Onward(self.clone());
        let mut running = Running { queue: self.clone(), counted: true };
        let mut own = own;
        let mut kept = None;
        let Some(job) = own.first() else { return };
        let prepared = [job.prepared.clone()];
        let outcome = match self.applier.call(&mut kept, &prepared, &self.applier.batch_wait).await {
            Answer::Told(outcomes) => outcomes,
            Answer::Failed(error) => vec![Err(CommitError::Port(error))],
            Answer::Apart(..) => {
                if let Some(held) = kept.take() {
                    held.keep();
                }
                return self.take_apart(own);
            }
        };
        {
            let mut state = self.state();
            state.free(&mut own);
            if let Some(held) = kept.take() {
                held.keep();
            }
            running.count_out(&mut state);
        }
        tell(own, outcome);
    }

    /// Frees what is done and takes the next batch; where there is none the committer ends.
    fn next(&self, done: &mut [Job], kept: &mut Option<Held>, running: &mut Running) -> Vec<Job> {
        let mut state = self.state();
        state.free(done);
        let batch = state.pick(self.most);
        if batch.is_empty() {
            if let Some(held) = kept.take() {
                held.keep();
            }
            // Under the lock, so that whoever comes next sees that a committer is free.
            running.count_out(&mut state);
        }
        batch
    }

    /// Runs every commit of a batch that failed on a connection of its own, a few at once; one of them may
    /// be what broke the batch or wait for a lock that somebody holds for long.
    fn take_apart(self: &Arc<Self>, batch: Vec<Job>) {
        for mut job in batch {
            let queue = self.clone();
            tokio::spawn(async move {
                let turn = queue.apart.clone().acquire_owned().await;
                let outcome = queue.applier.alone(&job.prepared).await;
                drop(turn);
                let start = {
                    let mut state = queue.state();
                    state.free(std::slice::from_mut(&mut job));
                    queue.may_start(&mut state)
                };
                if start {
                    queue.start();
                }
                tell(vec![job], vec![outcome]);
            });
        }
    }
}

/// A committer: applies batches until nothing waits that may be applied now.
async fn run(mut running: Running) {
    let queue = running.queue.clone();
    let mut kept = None;
    let mut batch = queue.next(&mut [], &mut kept, &mut running);
    while !batch.is_empty() {
        let prepared: Vec<Arc<Prepared>> = batch.iter().map(|job| job.prepared.clone()).collect();
        let outcomes = match queue.applier.call(&mut kept, &prepared, &queue.applier.batch_wait).await {
            Answer::Told(outcomes) => {
                queue.coalesced(prepared.len());
                outcomes
            }
            Answer::Failed(error) => batch.iter().map(|_| Err(CommitError::Port(error.clone()))).collect(),
            Answer::Apart(..) => {
                queue.take_apart(batch);
                batch = queue.next(&mut [], &mut kept, &mut running);
                continue;
            }
        };
        // Before anybody is told: who commits again at once finds a free committer and its connection.
        let next = queue.next(&mut batch, &mut kept, &mut running);
        tell(batch, outcomes);
        batch = next;
    }
}

/// Gives every caller its result; nobody listens where the caller's future was dropped.
fn tell(jobs: Vec<Job>, outcomes: Vec<Outcome>) {
    for (mut job, outcome) in jobs.into_iter().zip(outcomes) {
        if let Some(answer) = job.answer.take() {
            let _ = answer.send(outcome);
        }
    }
}

impl State {
    /// Takes what may stand in one batch, in the order of arrival. What must wait makes everything behind
    /// it wait that shares a key with it.
    fn pick(&mut self, most: usize) -> Vec<Job> {
        let mut seen: HashMap<i64, Use> = HashMap::new();
        let (mut batch, mut kept) = (Vec::new(), VecDeque::new());
        let mut locks = 0;
        while let Some(job) = self.waiting.pop_front() {
            let fits = batch.is_empty() || locks + job.prepared.locks.len() <= MOST_LOCKS;
            let free = fits && self.is_free(&job) && is_apart(&seen, &job);
            enter(&mut seen, &job);
            if free {
                locks += job.prepared.locks.len();
                batch.push(job);
            } else {
                kept.push_back(job);
            }
            if batch.len() >= most || batch.len() + kept.len() >= LOOK {
                break;
            }
        }
        kept.append(&mut self.waiting);
        self.waiting = kept;
        for job in &mut batch {
            enter(&mut self.busy, job);
            job.taken = true;
        }
        batch
    }

    fn is_free(&self, job: &Job) -> bool {
        is_apart(&self.busy, job)
    }

    /// Frees the keys of commits that ended.
    fn free(&mut self, jobs: &mut [Job]) {
        for job in jobs.iter_mut().filter(|job| job.taken) {
            job.taken = false;
            for lock in job.prepared.locks.iter().filter(|lock| !lock.pool) {
                match self.busy.get_mut(&lock.key) {
                    Some(Use::Shared(holders)) if *holders > 1 => *holders -= 1,
                    _ => {
                        self.busy.remove(&lock.key);
                    }
                }
            }
        }
    }
}

/// Whether a commit shares nothing with these keys but pools and what both merely read.
fn is_apart(keys: &HashMap<i64, Use>, job: &Job) -> bool {
    job.prepared.locks.iter().filter(|lock| !lock.pool).all(|lock| match keys.get(&lock.key) {
        None => true,
        Some(Use::Shared(_)) => lock.shared,
        Some(Use::Alone) => false,
    })
}

fn enter(keys: &mut HashMap<i64, Use>, job: &Job) {
    for lock in job.prepared.locks.iter().filter(|lock| !lock.pool) {
        let holder = keys.entry(lock.key).or_insert(Use::Shared(0));
        match holder {
            Use::Shared(holders) if lock.shared => *holders += 1,
            _ => *holder = Use::Alone,
        }
    }
}

/// Counts a committer out, also when its runtime ends under it.
struct Running {
    queue: Arc<Queue>,
    counted: bool,
}

impl Running {
    fn count_out(&mut self, state: &mut State) {
        if std::mem::take(&mut self.counted) {
            state.running = state.running.saturating_sub(1);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.counted {
            let queue = self.queue.clone();
            self.count_out(&mut queue.state());
        }
    }
}

/// Starts a committer for what gathered while a caller applied its own commit.
struct Onward(Arc<Queue>);

impl Drop for Onward {
    fn drop(&mut self) {
        let start = {
            let mut state = self.0.state();
            Handle::try_current().is_ok() && self.0.may_start(&mut state)
        };
        if start {
            self.0.start();
        }
    }
}

/// The runtime ended under the commit.
fn gone() -> CommitError {
    CommitError::Port(PortError::new(PortErrorKind::Unavailable, Effect::Unknown, PORT, "commit"))
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Queue")
            .field("waiting", &state.waiting.len())
            .field("running", &state.running)
            .finish_non_exhaustive()
    }
}
