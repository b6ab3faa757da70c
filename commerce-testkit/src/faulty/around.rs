//! One call with whatever goes wrong with it.

use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};

use super::fault::{Fault, Port};
use super::faults::Faults;

/// How long a delayed call takes in all.
const DELAYS: [Duration; 5] = [
    Duration::from_secs(10),
    Duration::from_millis(4),
    Duration::from_millis(200),
    Duration::from_secs(2),
    Duration::from_secs(90),
];
/// How long a call is held back for others at most.
const HELD_BACK: Duration = Duration::from_secs(1);
/// How often others may go first where no time passes.
const TURNS: u32 = 16;

/// The operation that can be late.
pub(super) const COMMIT: &str = "commit";

/// Others go first, once.
async fn give_way() {
    let mut gave = false;
    poll_fn(|context| {
        if gave {
            return Poll::Ready(());
        }
        gave = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

pub(super) fn failure(port: Port, operation: &'static str, effect: Effect) -> PortError {
    let kind = if effect == Effect::None { PortErrorKind::Unavailable } else { PortErrorKind::Timeout };
    PortError::new(kind, effect, port.name(), operation)
}

impl Faults {
    /// Makes a call, or has it go wrong.
    ///
    /// For a port of your own: `call` makes the call, perhaps twice, and `fails` turns a failure into the
    /// port's error.
    ///
    /// # Errors
    ///
    /// What the call or the fault gives.
    pub async fn around<T, E, F>(
        &self,
        (port, operation): (Port, &'static str),
        mut call: impl FnMut() -> F + Send,
        fails: impl Fn(PortError) -> E + Send + Sync,
    ) -> Result<T, E>
    where
        T: Send,
        E: Send,
        F: Future<Output = Result<T, E>> + Send,
    {
        let fault = self.draw(port, operation).await;
        self.carry_out((port, operation), fault, &mut call, fails).await
    }

    /// What goes wrong with a call that is about to be made.
    pub(super) async fn draw(&self, port: Port, operation: &'static str) -> Option<Fault> {
        // Only a commit can be carried out when nobody waits for it; of others the answer is lost.
        let fault = match self.next(port, operation, true) {
            Some(Fault::Late) if operation != COMMIT => Some(Fault::FailAfter),
            fault => fault,
        };
        self.interleave().await;
        if let Some(fault) = fault {
            self.injected(port, fault);
        }
        fault
    }

    pub(super) async fn carry_out<T, E, F>(
        &self,
        (port, operation): (Port, &'static str),
        fault: Option<Fault>,
        call: &mut (impl FnMut() -> F + Send),
        fails: impl Fn(PortError) -> E + Send + Sync,
    ) -> Result<T, E>
    where
        T: Send,
        E: Send,
        F: Future<Output = Result<T, E>> + Send,
    {
        let answer = match fault {
            Some(Fault::FailBefore) => Err(fails(failure(port, operation, Effect::None))),
            Some(Fault::FailAfter | Fault::Late) => {
                drop(call().await);
                Err(fails(failure(port, operation, Effect::Unknown)))
            }
            Some(Fault::Delay) => {
                let span = self.span() / 2;
                self.wait(span).await;
                let answer = call().await;
                self.wait(span).await;
                answer
            }
            Some(Fault::Duplicate) => {
                let answer = call().await;
                self.interleave().await;
                drop(call().await);
                answer
            }
            Some(Fault::Reorder) => {
                self.hold_back(port).await;
                call().await
            }
            Some(Fault::DieBefore) => self.never().await,
            Some(Fault::DieAfter) => {
                drop(call().await);
                self.never().await
            }
            None => call().await,
        };
        self.pass(port);
        self.interleave().await;
        answer
    }

    /// The process is dead: nothing comes back.
    pub(super) async fn never<T>(&self) -> T {
        self.die();
        pending().await
    }

    pub(super) async fn interleave(&self) {
        if self.lock().yields {
            give_way().await;
        }
    }

    pub(super) fn span(&self) -> Duration {
        let choice = self.lock().plan.choose(DELAYS.len() as u64);
        usize::try_from(choice).ok().and_then(|choice| DELAYS.get(choice)).copied().unwrap_or_default()
    }

    /// Lets time pass.
    pub(super) async fn wait(&self, span: Duration) {
        let time = self.lock().time.clone();
        match time {
            Some((clock, sleeper)) => sleeper.sleep_until(clock.now().plus(span)).await,
            None => give_way().await,
        }
    }

    /// Whoever was held back for a call of this port may go on.
    pub(super) fn pass(&self, port: Port) {
        let wakers = {
            let mut shared = self.lock();
            let passed = shared.passed.entry(port).or_default();
            *passed = passed.saturating_add(1);
            std::mem::take(&mut shared.held_back)
        };
        for waker in wakers {
            waker.wake();
        }
    }

    /// Waits until another call of this port has passed, but not for ever.
    async fn hold_back(&self, port: Port) {
        let passed = |faults: &Self| faults.lock().passed.get(&port).copied().unwrap_or(0);
        let before = passed(self);
        if self.lock().time.is_none() {
            for _ in 0..TURNS {
                if passed(self) > before {
                    return;
                }
                give_way().await;
            }
            return;
        }
        let mut patience = pin!(self.wait(HELD_BACK));
        poll_fn(|context| {
            if passed(self) > before {
                return Poll::Ready(());
            }
            self.lock().held_back.push(context.waker().clone());
            patience.as_mut().poll(context)
        })
        .await;
    }
}
