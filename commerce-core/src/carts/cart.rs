//! What a buyer wants.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::lines::Lines;
use super::state::{CheckoutLock, Status};
use crate::kernel::personal::Personal;
use crate::value::actor::Owner;
use crate::value::id::{CartId, CheckoutId, CustomerId, OrderId, SubjectId};
use crate::value::{Address, Code, Currency, Email, PromotionCode};

/// The most codes of one cart.
pub const MAX_CODES: usize = 100;

/// What a buyer wants, before it is an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    pub(super) subject: SubjectId,
    pub(super) customer: Option<CustomerId>,
    pub(super) currency: Currency,
    pub(super) status: Status,
    pub(super) lines: Lines,
    pub(super) codes: BTreeSet<PromotionCode>,
    pub(super) email: Option<Personal<Email>>,
    pub(super) shipping_address: Option<Personal<Address>>,
    pub(super) billing_address: Option<Personal<Address>>,
    pub(super) shipping_method: Option<Code>,
    pub(super) lock: Option<CheckoutLock>,
    pub(super) checkouts: u32,
    pub(super) failed: Option<CheckoutId>,
    pub(super) order: Option<OrderId>,
    pub(super) merged_into: Option<CartId>,
    pub(super) absorbed: BTreeSet<CartId>,
    /// Whether a timer is set.
    #[serde(default)]
    pub(super) watched: bool,
}

impl Cart {
    pub(super) fn new(subject: SubjectId, currency: Currency) -> Self {
        Self {
            subject,
            customer: None,
            currency,
            status: Status::Active,
            lines: Lines::default(),
            codes: BTreeSet::new(),
            email: None,
            shipping_address: None,
            billing_address: None,
            shipping_method: None,
            lock: None,
            checkouts: 0,
            failed: None,
            order: None,
            merged_into: None,
            absorbed: BTreeSet::new(),
            watched: false,
        }
    }

    /// The buyer, under whom everything personal in the cart is kept.
    pub const fn subject(&self) -> SubjectId {
        self.subject
    }

    /// Whose it is.
    pub const fn belongs_to(&self) -> Owner {
        Owner::Subject(self.subject)
    }

    /// The customer who said that it is theirs.
    pub const fn customer(&self) -> Option<CustomerId> {
        self.customer
    }

    /// The currency of everything in it.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// Where it stands.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// What is in it.
    pub const fn lines(&self) -> &Lines {
        &self.lines
    }

    /// The discounts that are wanted, in the order of the codes.
    pub fn codes(&self) -> impl ExactSizeIterator<Item = &PromotionCode> {
        self.codes.iter()
    }

    /// Where the buyer can be reached; nothing inside once it is erased.
    pub const fn email(&self) -> Option<&Personal<Email>> {
        self.email.as_ref()
    }

    /// Where the goods go; nothing inside once it is erased.
    pub const fn shipping_address(&self) -> Option<&Personal<Address>> {
        self.shipping_address.as_ref()
    }

    /// Where the invoice goes; nothing inside once it is erased.
    pub const fn billing_address(&self) -> Option<&Personal<Address>> {
        self.billing_address.as_ref()
    }

    /// The code of the shipping method that was chosen.
    pub const fn shipping_method(&self) -> Option<&Code> {
        self.shipping_method.as_ref()
    }

    /// The lock of the checkout that is under way.
    pub const fn lock(&self) -> Option<&CheckoutLock> {
        self.lock.as_ref()
    }

    /// The number that the next checkout must bear.
    pub const fn next_checkout(&self) -> u32 {
        self.checkouts.saturating_add(1)
    }

    /// The order that it became.
    pub const fn order(&self) -> Option<OrderId> {
        self.order
    }

    /// The cart into which its lines went.
    pub const fn merged_into(&self) -> Option<CartId> {
        self.merged_into
    }
}
