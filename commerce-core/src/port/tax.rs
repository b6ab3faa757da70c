//! Services that know which taxes are levied.

use std::fmt::Debug;

use async_trait::async_trait;

use super::carrier::Destination;
use crate::kernel::error::PortError;
use crate::value::time::Timestamp;
use crate::value::{Currency, TaxClass, TaxRate};

/// What would be taxed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxRequest {
    /// Where it goes; `None` where the cart does not say, as with what is not sent.
    pub to: Option<Destination>,
    /// The classes of its lines and of sending, sorted, each once.
    pub classes: Vec<TaxClass>,
    /// The currency of the sale.
    pub currency: Currency,
    /// The time of the sale.
    pub at: Timestamp,
}

/// Knows the rates of taxes.
///
/// For jurisdictions that the rules in the shop's settings cannot say; with a calculator those rules are not
/// looked at. It gives rates and no amounts: how they are rounded and allocated stays one thing, so that an
/// edit or a refund years later computes the same.
#[async_trait]
pub trait TaxCalculator: Debug + Send + Sync + 'static {
    /// The rates that are levied on these classes; a class without one is not taxed.
    ///
    /// # Contract
    ///
    /// A question: nothing is filed, and asking again does no harm. Every rate is of a class that was asked
    /// for, and of one class every name is there once. Equal requests are answered alike.
    async fn rates(&self, request: TaxRequest) -> Result<Vec<TaxRate>, PortError>;
}
