//! What an actor has: time, chance, and a shop to ask.

use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use commerce_core::app::commerce::Commerce;
use commerce_core::kernel::error::ErrorClass;
use commerce_core::port::clock::{Clock as _, Sleeper as _};
use commerce_core::value::id::{CommandId, Id};
use commerce_core::value::time::Timestamp;
use uuid::Uuid;

use super::actor::{Answer, Class};
use super::shelf::Shelf;
use super::world::World;
use crate::check::{Breach, Rule};
use crate::dice::Dice;
use crate::fake::Sleeper;
use crate::faulty::Faults;
use crate::shop::Shop;

/// How often a request is sent again.
const TRIES: u32 = 6;

/// One of the processes of the shop, for one request.
#[derive(Debug, Clone)]
pub struct Process {
    /// The shop, as this process has it.
    pub shop: Shop,
    /// What goes wrong in this process, for ports of your own.
    pub faults: Faults,
}

/// The process died, and nobody knows what came of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost;

/// What an actor has: time, chance, and a shop to ask.
#[derive(Debug)]
pub struct Context {
    pub(super) world: Arc<World>,
    name: Arc<str>,
    dice: Dice,
}

/// Where the answer to a request arrives.
struct Slot<T> {
    answer: Option<Result<T, Lost>>,
    waiting: Option<Waker>,
}

/// Says that the request is lost, should its process die first.
struct Courier<T>(Arc<Mutex<Slot<T>>>);

impl<T> Courier<T> {
    fn bring(&self, answer: Result<T, Lost>) {
        let waiting = {
            let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            slot.answer.get_or_insert(answer);
            slot.waiting.take()
        };
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }
}

impl<T> Drop for Courier<T> {
    fn drop(&mut self) {
        self.bring(Err(Lost));
    }
}

impl Context {
    pub(super) fn new(world: Arc<World>, name: &str) -> Self {
        let dice = world.fork_dice();
        Self { world, name: name.into(), dice }
    }

    /// A context for somebody who acts at the same time.
    #[must_use]
    pub fn another(&mut self) -> Self {
        let dice = self.dice.fork();
        Self { world: self.world.clone(), name: self.name.clone(), dice }
    }

    /// Does something beside what this actor does.
    pub fn beside(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.world.spawn(None, self.name.clone(), Box::pin(future));
    }

    /// Whether it is time to go home.
    pub fn is_over(&self) -> bool {
        self.world.is_over()
    }

    /// This actor's chance.
    pub const fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// What the shop sells and has sold, as everybody can see it.
    pub fn shelf(&self) -> &Shelf {
        &self.world.shelf
    }

    /// A new id; equal seeds give equal ids.
    pub fn new_id<T>(&mut self) -> Id<T> {
        Id::derived(Uuid::nil(), &self.dice.throw().to_be_bytes())
    }

    /// Lets at most this much time pass.
    pub async fn rest(&mut self, most: Duration) {
        let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        let span = Duration::from_micros(self.dice.below(most.max(1)));
        Sleeper::waiting(self.world.clock.clone()).sleep_until(self.now().plus(span)).await;
    }

    /// Sends a request to one of the processes.
    ///
    /// # Errors
    ///
    /// [`Lost`] where the process dies.
    pub async fn ask<T, F>(
        &mut self,
        what: &str,
        request: impl FnOnce(Process) -> F + Send,
    ) -> Result<T, Lost>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let (node, process) = self.world.choose(self.dice.throw());
        let slot = Arc::new(Mutex::new(Slot { answer: None, waiting: None }));
        let courier = Courier(slot.clone());
        let request = request(process);
        let task = async move {
            let answer = request.await;
            courier.bring(Ok(answer));
        };
        self.world.count_command();
        self.world.spawn(Some(node), format!("{} {what}", self.name).into(), Box::pin(task));
        poll_fn(|context| {
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(answer) = slot.answer.take() {
                return Poll::Ready(answer);
            }
            slot.waiting = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Asks until there is an answer, but not for ever; under one command id, so that nothing happens
    /// twice.
    ///
    /// A [bug](ErrorClass::Bug) is a finding of the simulation.
    pub async fn insist<T, E, F>(
        &mut self,
        what: &str,
        request: impl Fn(Shop, CommandId) -> F + Send + Sync,
    ) -> Answer<T>
    where
        T: Send + 'static,
        E: Class + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let command = self.new_id();
        let mut failed = String::new();
        for _ in 0..TRIES {
            match self.ask(what, |process| request(process.shop, command)).await {
                Ok(Ok(done)) => {
                    self.note(what, "done");
                    return Answer::Done(done);
                }
                Ok(Err(error)) => {
                    self.note(what, &error.to_string());
                    match error.class() {
                        ErrorClass::Refused => return Answer::Refused(tell(&error)),
                        ErrorClass::Bug => {
                            self.world.breach(Breach::new(Rule::Events, format!("{what}: {}", tell(&error))));
                            return Answer::Refused(tell(&error));
                        }
                        ErrorClass::Contended | ErrorClass::Unavailable => failed = tell(&error),
                    }
                }
                Err(Lost) => {
                    self.note(what, "lost");
                    "the process died".clone_into(&mut failed);
                }
            }
            self.rest(Duration::from_secs(5)).await;
        }
        Answer::Failed(failed)
    }

    /// Writes into the trace.
    pub fn note(&self, what: &str, came: &str) {
        self.world.write(|| format!("{} {what}: {came}", self.name));
    }

    /// Says that something must not be.
    pub fn complain(&self, rule: Rule, what: impl Into<String>) {
        self.world.breach(Breach::new(rule, what));
    }

    /// The handle of this shop for the customer with a number, under a command id.
    pub fn buyer(shop: &Shop, number: u64, command: CommandId) -> Commerce {
        shop.buyer(number).with_command_id(command)
    }
}

/// An error with what caused it.
fn tell(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
