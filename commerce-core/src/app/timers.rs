//! Whatever is due: holds that end, carts that nobody uses, checkouts and payments that somebody has to go on
//! with.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use super::commerce::Commerce;
use super::error::CommandError;
use super::observing::span::Span;
use super::running::Stop;
use crate::carts::Cart;
use crate::checkout::Checkout;
use crate::inventory::{Reservation, ReservationCommand, ReservationError};
use crate::kernel::aggregate::Aggregate;
use crate::kernel::error::{CommitError, PortError};
use crate::kernel::timer::DueTimer;
use crate::messaging::dead_letter::DeadLetterError;
use crate::messaging::{DeadLetter, DeadLetterCommand};
use crate::notifications::Notification;
use crate::payments::{ParkedCallback, Payment};
use crate::port::store::DueQuery;
use crate::promotions::{Redemption, RedemptionCommand, RedemptionError};
use crate::returns::Return;
use crate::value::id::{CartId, CheckoutId, Id, PaymentId, ReturnId};
use crate::value::time::Timestamp;

/// How many timers one worker takes at a time.
const BATCH: u32 = 50;
/// How long they are its own.
const LEASE: Duration = Duration::from_secs(60);
/// The longest sleep between two looks, so that timers set by others are not missed for longer.
const IDLE: Duration = Duration::from_millis(500);

/// Why a timer was not handled: any of the errors of what it is for.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn is_lost_lease(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut error = Some(error);
    while let Some(present) = error {
        if matches!(present.downcast_ref(), Some(CommitError::LeaseLost(_))) {
            return true;
        }
        error = present.source();
    }
    false
}

/// What a round found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Round {
    /// Timers that were handled.
    pub handled: u32,
    /// Timers whose handling failed; they come back when their lease ends.
    pub failed: u32,
    /// When the next one is due, as far as is known.
    pub next: Option<Timestamp>,
}

impl Commerce {
    /// Handles what is due now: one round, at most fifty timers.
    ///
    /// Safe on many machines at once: each timer is leased to one of them. A failure of one timer does
    /// not touch the others.
    ///
    /// # Errors
    ///
    /// [`PortError`] where the store does not tell what is due.
    pub async fn run_due(&self) -> Result<Round, PortError> {
        let mut kinds = vec![
            Cart::NAME,
            Checkout::NAME,
            Payment::NAME,
            Reservation::NAME,
            Redemption::NAME,
            Return::NAME,
            ParkedCallback::NAME,
            DeadLetter::NAME,
        ];
        // A process without a provider leaves messages to one that has it.
        if !self.shared.notifiers.is_empty() {
            kinds.push(Notification::NAME);
        }
        let kinds = kinds.into_iter().map(Into::into).collect();
        let due = self.store().due(DueQuery { kinds, limit: BATCH, lease: LEASE }).await?;
        let mut round = Round { next: due.next, ..Round::default() };
        // What is due is decided by the time that found it due, not by this process's own.
        let shop = self.at(due.now);
        for timer in due.timers {
            let span = Span::timer(&timer.key.stream.kind, timer.key.stream.id);
            match span.around(shop.under_lease(&timer).handle(&timer)).await {
                Err(error) if !is_lost_lease(&*error) => round.failed = round.failed.saturating_add(1),
                // A lease is lost where somebody else went on with it, be it through another timer.
                _ => round.handled = round.handled.saturating_add(1),
            }
        }
        Ok(round)
    }

    /// Handles what becomes due until `stop` is ready; the round under way is finished first.
    ///
    /// Runs wherever the host polls it, on as many machines as it likes.
    pub async fn run_timers(&self, stop: impl Future<Output = ()> + Send) {
        let mut stop = pin!(stop);
        let mut stop = Stop::new(stop.as_mut());
        loop {
            let round = self.run_due().await.unwrap_or_default();
            let now = self.now();
            let idle = now.plus(IDLE);
            let until =
                if round.handled == BATCH { now } else { round.next.map_or(idle, |due| due.min(idle)) };
            if stop.or_sleep(self.sleeper(), until).await {
                return;
            }
        }
    }

    async fn handle(&self, timer: &DueTimer) -> Result<(), Failure> {
        let id = timer.key.stream.id;
        match timer.key.stream.kind.as_ref() {
            Cart::NAME => match CartId::from_uuid(id) {
                Ok(cart) => Ok(self.look_after_cart(cart).await?),
                Err(_) => Ok(()),
            },
            Checkout::NAME => match CheckoutId::from_uuid(id) {
                Ok(checkout) => Ok(self.resume_checkout(checkout).await.map(drop)?),
                Err(_) => Ok(()),
            },
            Payment::NAME => match PaymentId::from_uuid(id) {
                Ok(payment) => Ok(self.settle_payment(payment).await?),
                Err(_) => Ok(()),
            },
            Reservation::NAME => {
                let Ok(id) = Id::from_uuid(id) else { return Ok(()) };
                match self.execute(id, ReservationCommand::Expire).await {
                    Err(CommandError::Rejected(ReservationError::NotExpired)) | Ok(_) => Ok(()),
                    Err(error) => Err(error.into()),
                }
            }
            Notification::NAME => match Id::from_uuid(id) {
                Ok(id) => self.send_notification(id).await,
                Err(_) => Ok(()),
            },
            Return::NAME => match ReturnId::from_uuid(id) {
                Ok(id) => Ok(self.expire_return(id).await?),
                Err(_) => Ok(()),
            },
            DeadLetter::NAME => {
                let Ok(id) = Id::from_uuid(id) else { return Ok(()) };
                match self.execute(id, DeadLetterCommand::Purge).await {
                    Err(CommandError::Rejected(DeadLetterError::Kept { .. })) | Ok(_) => Ok(()),
                    Err(error) => Err(error.into()),
                }
            }
            ParkedCallback::NAME => match Id::from_uuid(id) {
                Ok(id) => Ok(self.retry_parked(id).await?),
                Err(_) => Ok(()),
            },
            _ => {
                let Ok(id) = Id::from_uuid(id) else { return Ok(()) };
                match self.execute(id, RedemptionCommand::Expire).await {
                    Err(CommandError::Rejected(RedemptionError::NotExpired)) | Ok(_) => Ok(()),
                    Err(error) => Err(error.into()),
                }
            }
        }
    }
}
