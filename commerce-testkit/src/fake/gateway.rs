//! A payment gateway with a ledger of its own, which a checker can read.

mod ledger;
mod webhook;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::port::payment::{
    Authorize, CallbackError, CallbackRequest, Charge, ChargeState, GatewayError, IdempotencyKey, Lookup,
    Operation, PaymentGateway, Settled, VerifiedCallback,
};

pub use ledger::{Account, Ledger};

use crate::dice::Dice;

/// How the gateway answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// Does what it is asked.
    Approve,
    /// Takes the money with the authorisation, whatever was asked.
    Capture,
    /// Refuses for good.
    Decline(&'static str),
    /// Sends the buyer elsewhere first.
    Redirect(&'static str),
    /// Works on it and calls back later.
    Process,
    /// Does what it is asked, and the answer is lost.
    LoseAnswer,
    /// Takes the money with the authorisation, and the answer is lost.
    CaptureAndLoseAnswer,
    /// Fails without doing anything.
    FailBefore,
    /// Fails without doing anything, and nobody can tell.
    LoseRequest,
}

/// A scriptable payment gateway.
///
/// Clones share everything. Each call takes the next behaviour of the script; behind its end the default
/// counts. The same key always gets the first result, as the port's contract says.
#[derive(Debug, Clone)]
pub struct Gateway {
    name: &'static str,
    default: Behaviour,
    /// A means of payment that is always declined, and why.
    declined: Option<(&'static str, &'static str)>,
    inner: Arc<Mutex<Inner>>,
}

/// How often which behaviour is drawn.
type Weights = Vec<(u32, Behaviour)>;

#[derive(Debug, Default)]
struct Inner {
    script: VecDeque<Behaviour>,
    /// Dice, and what they choose from: for authorisations, for everything else.
    mood: Option<(Dice, Weights, Weights)>,
    ledger: Ledger,
    calls: u64,
    messages: u64,
}

impl Gateway {
    /// A gateway named `fake` that behaves like this unless its script says otherwise.
    pub fn new(default: Behaviour) -> Self {
        Self { name: "fake", default, declined: None, inner: Arc::default() }
    }

    /// Authorises everything; capture is a call of its own.
    pub fn approving() -> Self {
        Self::new(Behaviour::Approve)
    }

    /// Takes the money with the authorisation.
    pub fn capturing() -> Self {
        Self::new(Behaviour::Capture)
    }

    /// Refuses everything.
    pub fn declining(code: &'static str) -> Self {
        Self::new(Behaviour::Decline(code))
    }

    /// Sends every buyer elsewhere first.
    pub fn redirecting(url: &'static str) -> Self {
        Self::new(Behaviour::Redirect(url))
    }

    /// Charges, but its answers never arrive.
    pub fn times_out_after_charging() -> Self {
        Self::new(Behaviour::CaptureAndLoseAnswer)
    }

    /// Behaves by chance from now on: by these weights at authorisations, by those at captures, voids and
    /// refunds. The script comes first.
    pub fn moody(&self, dice: Dice, authorisations: Weights, operations: Weights) {
        self.lock().mood = Some((dice, authorisations, operations));
    }

    /// Behaves by its default again.
    pub fn calm_down(&self) {
        self.lock().mood = None;
    }

    /// Under another name.
    #[must_use]
    pub fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Declines whatever is paid by this means.
    #[must_use]
    pub const fn declining_method(mut self, method: &'static str, code: &'static str) -> Self {
        self.declined = Some((method, code));
        self
    }

    /// How the next calls behave, one each.
    pub fn script(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.lock().script.extend(behaviours);
    }

    /// What it has booked.
    pub fn ledger(&self) -> Ledger {
        self.lock().ledger.clone()
    }

    /// How often it was called, look-ups included.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next behaviour.
    fn turn(&self, authorises: bool) -> (MutexGuard<'_, Inner>, Behaviour) {
        let mut inner = self.lock();
        inner.calls += 1;
        let scripted = inner.script.pop_front();
        let behaviour = scripted.or_else(|| inner.by_mood(authorises));
        let behaviour = behaviour.unwrap_or_else(|| self.default.clone());
        (inner, behaviour)
    }

    fn operate(
        &self,
        request: &Operation,
        operation: &'static str,
        book: impl FnOnce(&mut Ledger, &Operation) -> Result<Settled, GatewayError>,
    ) -> Result<Settled, GatewayError> {
        let (mut inner, behaviour) = self.turn(false);
        if let Some(settled) = inner.ledger.settled(&request.key) {
            return Ok(settled);
        }
        if let Some(code) = inner.ledger.refusal(&request.key) {
            return Err(GatewayError::Declined { code: code.into() });
        }
        match behaviour {
            Behaviour::Decline(code) => {
                inner.ledger.refuse(&request.key, code);
                Err(GatewayError::Declined { code: code.into() })
            }
            Behaviour::FailBefore => Err(failure(Effect::None, operation)),
            Behaviour::LoseRequest => Err(failure(Effect::Unknown, operation)),
            Behaviour::LoseAnswer | Behaviour::CaptureAndLoseAnswer => {
                book(&mut inner.ledger, request)?;
                Err(failure(Effect::Unknown, operation))
            }
            _ => book(&mut inner.ledger, request),
        }
    }
}

impl Inner {
    fn by_mood(&mut self, authorises: bool) -> Option<Behaviour> {
        let (dice, authorisations, operations) = self.mood.as_mut()?;
        let weights = if authorises { authorisations } else { operations };
        let all = weights.iter().fold(0_u64, |sum, (weight, _)| sum.saturating_add(u64::from(*weight)));
        let mut throw = dice.below(all);
        for (weight, behaviour) in weights {
            if throw < u64::from(*weight) {
                return Some(behaviour.clone());
            }
            throw = throw.saturating_sub(u64::from(*weight));
        }
        None
    }
}

fn failure(effect: Effect, operation: &'static str) -> GatewayError {
    let kind = if effect == Effect::None { PortErrorKind::Unavailable } else { PortErrorKind::Timeout };
    PortError::new(kind, effect, "fake gateway", operation).into()
}

#[async_trait]
impl PaymentGateway for Gateway {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn authorize(&self, request: Authorize) -> Result<Charge, GatewayError> {
        let (mut inner, behaviour) = self.turn(true);
        if let Some(charge) = inner.ledger.charge(&request.key) {
            return Ok(charge);
        }
        if let Some(code) = inner.ledger.refusal(&request.key) {
            return Err(GatewayError::Declined { code: code.into() });
        }
        let declined = self.declined.filter(|(method, _)| *request.method == **method);
        let behaviour = declined.map_or(behaviour, |(_, code)| Behaviour::Decline(code));
        let state = match &behaviour {
            Behaviour::Approve | Behaviour::LoseAnswer if request.capture => ChargeState::Captured,
            Behaviour::Approve | Behaviour::LoseAnswer => ChargeState::Authorized,
            Behaviour::Capture | Behaviour::CaptureAndLoseAnswer => ChargeState::Captured,
            Behaviour::Redirect(url) => ChargeState::RequiresAction { url: (*url).into() },
            Behaviour::Process => ChargeState::Processing,
            Behaviour::Decline(code) => {
                inner.ledger.refuse(&request.key, code);
                return Err(GatewayError::Declined { code: (*code).into() });
            }
            Behaviour::FailBefore => return Err(failure(Effect::None, "authorize")),
            Behaviour::LoseRequest => return Err(failure(Effect::Unknown, "authorize")),
        };
        let charge = inner.ledger.open(&request, state);
        if matches!(behaviour, Behaviour::LoseAnswer | Behaviour::CaptureAndLoseAnswer) {
            return Err(failure(Effect::Unknown, "authorize"));
        }
        Ok(charge)
    }

    async fn capture(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.operate(&request, "capture", Ledger::capture)
    }

    async fn void(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.operate(&request, "void", Ledger::void)
    }

    async fn refund(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.operate(&request, "refund", Ledger::refund)
    }

    async fn lookup(&self, key: &IdempotencyKey) -> Result<Lookup, GatewayError> {
        let mut inner = self.lock();
        inner.calls += 1;
        Ok(inner.ledger.lookup(key))
    }

    fn verify(&self, request: &CallbackRequest) -> Result<VerifiedCallback, CallbackError> {
        webhook::verify(request)
    }
}
