//! Many machines at one log: they take turns at its slices, each under a fenced lease.
//!
//! Whoever holds the lease of a slice works on it until nothing is left or its turn is over, and then looks
//! at the next one. Nobody has to know how many others there are, and a machine that dies is replaced when
//! its lease ends. What it does under a lease that it has lost is refused by the store.

use std::future::Future;
use std::num::NonZeroU16;
use std::pin::pin;
use std::time::Duration;

use super::commerce::Commerce;
use super::running::{Pace, Stop, Turned};
use crate::kernel::commit::Fence;
use crate::kernel::stream::Slice;
use crate::messaging::Reader;
use crate::port::lease::Lease;

/// How long a slice is left alone when its holder dies.
const SPAN: Duration = Duration::from_secs(30);
/// How long a holder goes on while there is something to do; far below [`SPAN`], so that a lease does not end
/// in the middle of a round.
const TURN: Duration = Duration::from_secs(5);

impl Commerce {
    /// Takes turns at the slices of a reader until `stop` is ready.
    pub(super) async fn take_turns<W, F>(
        &self,
        (reader, of): (&Reader, NonZeroU16),
        lease: &dyn Lease,
        stop: impl Future<Output = ()> + Send,
        work: W,
    ) where
        W: Fn(Slice, Fence) -> F + Send + Sync,
        F: Future<Output = Turned> + Send,
    {
        let mut stop = pin!(stop);
        let mut stop = Stop::new(stop.as_mut());
        let mut pace = Pace::default();
        // Machines that start together begin at different slices.
        let spread = self.ids().next(self.now()).into_bytes()[15];
        let mut start = usize::from(spread);
        loop {
            let mut all = Turned::End;
            let slices = Slice::parts(of).cycle().skip(start % usize::from(of.get()));
            for slice in slices.take(usize::from(of.get())) {
                match self.one_turn(slice, &format!("{reader}:{slice}"), lease, &mut stop, &work).await {
                    Turned::More => all = Turned::More,
                    Turned::Failed if all == Turned::End => all = Turned::Failed,
                    Turned::Failed | Turned::End => {}
                }
            }
            start = start.wrapping_add(1);
            let until = self.now().plus(pace.behind(all));
            if stop.or_sleep(self.sleeper(), until).await {
                return;
            }
        }
    }

    async fn one_turn<S, W, F>(
        &self,
        slice: Slice,
        name: &str,
        lease: &dyn Lease,
        stop: &mut Stop<'_, S>,
        work: &W,
    ) -> Turned
    where
        S: Future<Output = ()> + Send,
        W: Fn(Slice, Fence) -> F + Send + Sync,
        F: Future<Output = Turned> + Send,
    {
        if stop.now().await {
            return Turned::End;
        }
        let fence = match lease.acquire(name, SPAN).await {
            Ok(Some(granted)) => granted.fence,
            Ok(None) => return Turned::End,
            Err(_) => return Turned::Failed,
        };
        let over = self.now().plus(TURN);
        let mut turned = Turned::End;
        loop {
            match work(slice, fence.clone()).await {
                Turned::More => turned = Turned::More,
                Turned::End => break,
                Turned::Failed => {
                    turned = Turned::Failed;
                    break;
                }
            }
            if stop.now().await || self.now() >= over {
                break;
            }
        }
        // Where it cannot be given up it ends by itself.
        let _ = lease.release(&fence).await;
        turned
    }
}
