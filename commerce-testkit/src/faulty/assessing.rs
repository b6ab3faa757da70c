//! A carrier and a tax service that fail.

use async_trait::async_trait;
use commerce_core::kernel::error::PortError;
use commerce_core::port::carrier::{Carrier, CarrierRate, RateRequest};
use commerce_core::port::tax::{TaxCalculator, TaxRequest};
use commerce_core::value::TaxRate;

use super::{Faulty, Port};

#[async_trait]
impl Carrier for Faulty<dyn Carrier> {
    async fn rates(&self, request: RateRequest) -> Result<Vec<CarrierRate>, PortError> {
        let call = (Port::Carrier, "rates");
        self.faults.around(call, || self.port.rates(request.clone()), |error| error).await
    }
}

#[async_trait]
impl TaxCalculator for Faulty<dyn TaxCalculator> {
    async fn rates(&self, request: TaxRequest) -> Result<Vec<TaxRate>, PortError> {
        let call = (Port::Tax, "rates");
        self.faults.around(call, || self.port.rates(request.clone()), |error| error).await
    }
}
