//! What an order remembers of the moment it was placed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::kernel::personal::Personal;
use crate::value::id::{
    CartId, CheckoutId, CustomerId, OrderLineId, PaymentId, ProductId, SellerId, SubjectId, VariantId,
};
use crate::value::{Address, Email, Money, Name, PriceBook, Quantity, Reason, Sku};

/// A line as it was bought. Its price is the line of the same id in the order's price book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// Its id; the same UUID as the cart line's.
    pub id: OrderLineId,
    /// The product.
    pub product: ProductId,
    /// The variant.
    pub variant: VariantId,
    /// Its SKU.
    pub sku: Sku,
    /// The product's name at the time.
    pub name: Name,
    /// The variant's options at the time, for example `Size: M`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub variant_name: Option<Name>,
    /// Who sells it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seller: Option<SellerId>,
    /// Units.
    pub quantity: Quantity,
    /// Whether stock is kept of it.
    pub tracked: bool,
    /// Whether it has to be sent.
    pub shippable: bool,
    /// Why the price differs from the catalogue's, where staff overrode it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub override_reason: Option<Reason>,
}

/// Everything that is fixed when an order is placed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderContent {
    /// The cart it came from.
    pub cart: Option<CartId>,
    /// The checkout that placed it.
    pub checkout: Option<CheckoutId>,
    /// The customer, where one is known.
    pub customer: Option<CustomerId>,
    /// The person it belongs to, customer or guest.
    pub subject: SubjectId,
    /// Where to write to.
    pub email: Option<Personal<Email>>,
    /// Where to send it.
    pub shipping_address: Option<Personal<Address>>,
    /// Whom to bill.
    pub billing_address: Option<Personal<Address>>,
    /// What was bought.
    pub lines: Vec<OrderLine>,
    /// At which price: final, never computed again.
    pub book: Arc<PriceBook>,
}

/// Why the order may be confirmed: its payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// Nothing is due.
    Free,
    /// Money is reserved.
    Authorized {
        /// By which payment.
        payment: PaymentId,
        /// How much.
        amount: Money,
    },
    /// Money was taken.
    Captured {
        /// By which payment.
        payment: PaymentId,
        /// How much.
        amount: Money,
    },
    /// Somebody let it pass; the event names them.
    Override {
        /// Why.
        reason: Reason,
    },
}

/// What payments report of an order, in minor units of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PaymentSums {
    /// Reserved at some time.
    pub authorized: i64,
    /// Taken.
    pub captured: i64,
    /// Given back.
    pub refunded: i64,
    /// Gone back by disputes.
    pub charged_back: i64,
    /// In dispute.
    pub disputed: i64,
    /// Whether the attempt was given up.
    pub voided: bool,
}
