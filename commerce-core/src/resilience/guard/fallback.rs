//! A second one to ask.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::kernel::error::PortError;
use crate::port::carrier::{Carrier, CarrierRate, RateRequest};
use crate::port::tax::{TaxCalculator, TaxRequest};
use crate::resilience::speaks_against;
use crate::value::TaxRate;

/// Asks a second port where the first one fails; for ports that only answer questions.
///
/// A question that the first one does not accept is not asked again: the fault is the question's. Where both
/// fail, the first one's error counts. There is none for gateways and notifiers: what the first one may have
/// done, a second one would do once more.
#[derive(Debug)]
pub struct Fallback<P: ?Sized> {
    first: Arc<P>,
    second: Arc<P>,
}

impl<P: ?Sized> Fallback<P> {
    /// Asks the first one, and the second one where that fails.
    pub const fn new(first: Arc<P>, second: Arc<P>) -> Self {
        Self { first, second }
    }
}

#[async_trait]
impl<P: Carrier + ?Sized> Carrier for Fallback<P> {
    async fn rates(&self, request: RateRequest) -> Result<Vec<CarrierRate>, PortError> {
        match self.first.rates(request.clone()).await {
            Err(failed) if speaks_against(&failed) => self.second.rates(request).await.or(Err(failed)),
            answer => answer,
        }
    }
}

#[async_trait]
impl<P: TaxCalculator + ?Sized> TaxCalculator for Fallback<P> {
    async fn rates(&self, request: TaxRequest) -> Result<Vec<TaxRate>, PortError> {
        match self.first.rates(request.clone()).await {
            Err(failed) if speaks_against(&failed) => self.second.rates(request).await.or(Err(failed)),
            answer => answer,
        }
    }
}
