//! Guards: decorators that stand around the calls of a port.
//!
//! A [`Guarded`] port is the port, with a [`Guard`] around every call that leaves the process: [`TimeLimited`],
//! [`Breaking`], [`Retrying`], [`Bulkheaded`], [`Observed`]. They are put around each other, the innermost first:
//!
//! ```
//! use std::time::Duration;
//! use commerce_core::port::payment::PaymentGateway;
//! use commerce_core::port::platform::Platform;
//! use commerce_core::resilience::{Backoff, BreakerPolicy, Breaking, Guarded, Retrying, TimeLimited};
//!
//! fn guarded(gateway: impl PaymentGateway, platform: &Platform) -> impl PaymentGateway {
//!     let gateway = Guarded::new(gateway, TimeLimited::to(Duration::from_secs(30), platform));
//!     let gateway = Guarded::new(gateway, Breaking::by(BreakerPolicy::default(), platform));
//!     Guarded::new(gateway, Retrying::by(Backoff::default(), platform))
//! }
//! ```
//!
//! What counts as a failure is decided by the kind and the effect of the error: a card that is declined
//! opens no circuit, and a call whose effect is unknown is made again only where it bears a key or reads.

mod breaking;
mod bulkheaded;
mod fallback;
mod observed;
mod ports;
mod retrying;
mod time_limited;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::Repeat;
use crate::kernel::error::PortError;
use crate::port::notifier::NotifierError;
use crate::port::payment::GatewayError;
use crate::port::publisher::PublishError;

pub use breaking::Breaking;
pub use bulkheaded::Bulkheaded;
pub use fallback::Fallback;
pub use observed::Observed;
pub use retrying::Retrying;
pub use time_limited::TimeLimited;

/// A call under way.
pub type Call<'c, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>;

/// Which call of a port it is, for those that stand around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Which {
    /// Its name, for errors.
    pub operation: &'static str,
    /// What makes it safe to repeat.
    pub repeat: Repeat,
}

/// The error of a port, seen from outside: either the port failed, or it answered what nobody likes.
pub trait Failure: Send {
    /// What failed; `None` where the other side answered.
    fn port(&self) -> Option<&PortError>;

    /// The failed port, to say of its effect what only somebody around several calls knows.
    fn port_mut(&mut self) -> Option<&mut PortError>;

    /// Whether the whole call may be made again where its kind and effect allow it.
    fn is_whole(&self) -> bool {
        true
    }

    /// The error of a call that a guard did not let through or did not wait for.
    fn of(error: PortError) -> Self;
}

impl Failure for PortError {
    fn port(&self) -> Option<&PortError> {
        Some(self)
    }

    fn port_mut(&mut self) -> Option<&mut PortError> {
        Some(self)
    }

    fn of(error: PortError) -> Self {
        error
    }
}

impl Failure for GatewayError {
    fn port(&self) -> Option<&PortError> {
        match self {
            Self::Port(error) => Some(error),
            Self::Declined { .. } => None,
        }
    }

    fn port_mut(&mut self) -> Option<&mut PortError> {
        match self {
            Self::Port(error) => Some(error),
            Self::Declined { .. } => None,
        }
    }

    fn of(error: PortError) -> Self {
        error.into()
    }
}

impl Failure for NotifierError {
    fn port(&self) -> Option<&PortError> {
        match self {
            Self::Port(error) => Some(error),
            Self::Unwanted(_) | Self::Undeliverable(_) => None,
        }
    }

    fn port_mut(&mut self) -> Option<&mut PortError> {
        match self {
            Self::Port(error) => Some(error),
            Self::Unwanted(_) | Self::Undeliverable(_) => None,
        }
    }

    fn of(error: PortError) -> Self {
        error.into()
    }
}

impl Failure for PublishError {
    fn port(&self) -> Option<&PortError> {
        Some(&self.failed)
    }

    fn port_mut(&mut self) -> Option<&mut PortError> {
        Some(&mut self.failed)
    }

    /// What the broker took already would be handed over once more, behind its successors.
    fn is_whole(&self) -> bool {
        self.taken == 0
    }

    fn of(failed: PortError) -> Self {
        Self { taken: 0, failed }
    }
}

/// Stands around the calls of a port.
pub trait Guard: std::fmt::Debug + Send + Sync + 'static {
    /// Makes a call, or does not; possibly several times.
    ///
    /// # Contract
    ///
    /// An error that is given instead of the call's own says truly whether the call may have had its effect.
    /// Dropping the future ends whatever it keeps.
    fn around<'c, T, E, F>(&'c self, which: Which, call: F) -> impl Future<Output = Result<T, E>> + Send
    where
        T: Send,
        E: Failure,
        F: Fn() -> Call<'c, T, E> + Send + Sync;
}

/// A port with a guard around it. Is the port, where `P` is one of those that call other machines: payment
/// gateways, carriers, tax services, notifiers, publishers, caches, limits, sessions.
#[derive(Debug)]
pub struct Guarded<P: ?Sized, G> {
    guard: G,
    port: Arc<P>,
}

impl<P, G> Guarded<P, G> {
    /// Puts a guard around a port.
    pub fn new(port: P, guard: G) -> Self {
        Self::shared(Arc::new(port), guard)
    }
}

impl<P: ?Sized, G> Guarded<P, G> {
    /// Puts a guard around a port that others use too.
    pub const fn shared(port: Arc<P>, guard: G) -> Self {
        Self { guard, port }
    }

    /// The guard.
    pub const fn guard(&self) -> &G {
        &self.guard
    }
}
