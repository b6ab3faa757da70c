//! What is under way when the process dies.

use commerce_core::app::checkout::{CheckoutReceipt, CheckoutRequest, CheckoutStatus};
use commerce_core::checkout::fulfil::shipment_of;
use commerce_core::checkout::payment_of;
use commerce_core::orders::OrderStatus;
use commerce_core::port::payment::CallbackRequest;
use commerce_core::settings::{CapturePolicy, SettingsValues};
use commerce_core::value::id::{CartId, CommandId, Id, RefundId};
use commerce_core::value::{Money, Reason};
use uuid::Uuid;

use super::bank::Bank;
use crate::fake::{Behaviour, Gateway};
use crate::shop::Shop;

/// The buyer of every scenario.
const BUYER: u64 = 1;
/// Units that are there and that are bought.
pub(super) const STOCK: i64 = 5;
const UNITS: u32 = 2;
const CODE: &str = "TENTH";

/// What is under way when the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scenario {
    /// The gateway takes the money with the authorisation.
    CapturedAtOnce,
    /// Capture is a call of its own.
    AuthorisedThenCaptured,
    /// The gateway charges, and its answer is lost.
    AnswerLost,
    /// The buyer confirms elsewhere, and a callback tells.
    Redirected,
    /// The buyer was sent elsewhere and never comes back: undone at the deadline.
    Abandoned,
    /// The buyer pays when everything was undone: the money goes back.
    PaidTooLate,
    /// The card is declined: undone at once.
    Declined,
    /// Nothing is to pay.
    Free,
    /// There is too little.
    OutOfStock,
    /// A paid order is cancelled: refunded.
    CancelledPaid,
    /// An order whose money is only reserved is cancelled: voided.
    CancelledReserved,
    /// Part of the money is given back.
    Refunded,
    /// The parcel is sent, and the money taken with it.
    Sent,
}

/// What was prepared before anybody could die.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub(super) cart: CartId,
    pub(super) total: Money,
    pub(super) click: CommandId,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: [Self; 13] = [
        Self::CapturedAtOnce,
        Self::AuthorisedThenCaptured,
        Self::AnswerLost,
        Self::Redirected,
        Self::Abandoned,
        Self::PaidTooLate,
        Self::Declined,
        Self::Free,
        Self::OutOfStock,
        Self::CancelledPaid,
        Self::CancelledReserved,
        Self::Refunded,
        Self::Sent,
    ];

    pub(super) fn gateway(self) -> Gateway {
        match self {
            Self::AuthorisedThenCaptured | Self::CancelledReserved | Self::Sent => Gateway::approving(),
            Self::AnswerLost => Gateway::times_out_after_charging(),
            _ => Gateway::capturing(),
        }
    }

    fn waits_for_the_buyer(self) -> bool {
        matches!(self, Self::Redirected | Self::Abandoned | Self::PaidTooLate)
    }

    /// Whether the checkout ends without waiting for its buyer or a deadline.
    pub(super) fn ends_by_itself(self) -> bool {
        !self.waits_for_the_buyer()
    }

    /// How the order may stand in the end; `None` for no order at all.
    pub(super) fn allows(self, status: Option<OrderStatus>) -> bool {
        match self {
            Self::OutOfStock => status.is_none(),
            Self::Declined | Self::Abandoned => status == Some(OrderStatus::Failed),
            // Where nobody could tell that the buyer had paid before the deadline, the money goes back.
            Self::Redirected | Self::PaidTooLate => {
                matches!(status, Some(OrderStatus::Failed | OrderStatus::Confirmed))
            }
            Self::CancelledPaid | Self::CancelledReserved => status == Some(OrderStatus::Cancelled),
            _ => status == Some(OrderStatus::Confirmed),
        }
    }

    /// What the gateway keeps of a confirmed order.
    pub(super) fn kept(self, total: i64) -> i64 {
        if self == Self::Refunded { total - 100 } else { total }
    }

    /// A shop with goods, a coupon and a cart, and a gateway that is set to behave.
    pub(super) async fn prepare(self, shop: &Shop) -> Prepared {
        let stock = if self == Self::OutOfStock { 1 } else { u32::try_from(STOCK).unwrap_or(0) };
        if matches!(self, Self::CancelledReserved | Self::Sent) {
            shop.settings(|values| values.capture = CapturePolicy::OnShip).await;
        }
        // What fails here shows in the first run, which nobody disturbs.
        shop.list("MUG", "10.00", stock).await.unwrap_or_default();
        shop.coupon(CODE, if self == Self::Free { "100" } else { "10" }, Some(3)).await;
        let cart = shop.cart(BUYER, &[("MUG", UNITS)]).await.unwrap_or_else(|_| shop.commerce.new_id());
        shop.give_code(BUYER, cart, CODE).await;
        let total = if self == Self::Free { Shop::euros(0) } else { Shop::euros(1800) };
        if self.waits_for_the_buyer() {
            shop.gateway.script([Behaviour::Redirect("https://bank.example/confirm")]);
        } else if self == Self::Declined {
            shop.gateway.script([Behaviour::Decline("card-expired")]);
        }
        Prepared { cart, total, click: CommandId::derived(cart.uuid(), b"click") }
    }

    /// What the buyer, the bank and the staff do; done again, it goes on where it was.
    pub(super) async fn act(self, shop: &Shop, prepared: &Prepared, bank: &dyn Bank) {
        let buyer = shop.buyer(BUYER).with_command_id(prepared.click);
        let request = CheckoutRequest::new(prepared.cart, prepared.total);
        let Ok(receipt) = buyer.checkout(request).await else { return };
        if matches!(self, Self::Abandoned | Self::PaidTooLate) {
            // Timers that fail come back; whoever takes over waits for them too.
            shop.settle().await.unwrap_or_default();
        }
        if matches!(self, Self::Redirected | Self::PaidTooLate) {
            // Once only: asked again, the buyer has paid.
            bank.pay(payment_of(receipt.checkout));
            self.deliver(shop, bank).await;
            return;
        }
        if receipt.status == CheckoutStatus::Confirmed || self == Self::AnswerLost {
            self.afterwards(shop, &receipt).await;
        }
    }

    /// The bank tells what was not heard yet.
    pub(super) async fn deliver(self, shop: &Shop, bank: &dyn Bank) {
        let Some(CallbackRequest { headers, body }) = bank.untold() else { return };
        if shop.commerce.payment_callback("fake", headers, body).await.is_ok() {
            bank.heard();
        }
    }

    /// What follows on a confirmed order. A refusal of what was done before is an answer too.
    async fn afterwards(self, shop: &Shop, receipt: &CheckoutReceipt) {
        let staff = shop.staff().with_command_id(Id::derived(receipt.order.uuid(), b"afterwards"));
        let Ok(reason) = Reason::new("a test") else { return };
        match self {
            Self::CancelledPaid | Self::CancelledReserved => {
                staff.cancel_order(receipt.order, reason).await.unwrap_or_default();
            }
            Self::Refunded => {
                let refund = RefundId::derived(Uuid::nil(), b"refund");
                let payment = payment_of(receipt.checkout);
                let _status = staff.refund(payment, refund, Shop::euros(100), reason).await;
            }
            Self::Sent => {
                for location in SettingsValues::default().locations {
                    let parcel = shipment_of(receipt.checkout, location);
                    shop.staff().mark_ready(parcel).await.unwrap_or_default();
                    staff.dispatch(parcel, None).await.unwrap_or_default();
                }
            }
            _ => {}
        }
    }
}
