//! Where a buyer pays who was sent elsewhere.

use std::sync::{Mutex, MutexGuard, PoisonError};

use commerce_core::port::payment::{CallbackRequest, ChargeState};
use commerce_core::value::id::PaymentId;

use crate::fake::Gateway;

/// The bank as the shop's processes know it; it outlives them.
pub(super) trait Bank: Send + Sync {
    /// The buyer pays, once. Without a charge there is nothing to pay.
    fn pay(&self, payment: PaymentId);

    /// The message that was not heard yet.
    fn untold(&self) -> Option<CallbackRequest>;

    /// The shop accepted the message.
    fn heard(&self);
}

/// A bank that books at the fake gateway.
pub(super) struct FakeBank {
    gateway: Gateway,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    message: Option<CallbackRequest>,
    heard: bool,
}

impl FakeBank {
    pub(super) fn at(gateway: Gateway) -> Self {
        Self { gateway, told: Mutex::default() }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bank for FakeBank {
    fn pay(&self, payment: PaymentId) {
        let mut told = self.told();
        if told.message.is_none() {
            told.message = self.gateway.decide(payment, ChargeState::Captured);
        }
    }

    fn untold(&self) -> Option<CallbackRequest> {
        let told = self.told();
        told.message.clone().filter(|_| !told.heard)
    }

    fn heard(&self) {
        self.told().heard = true;
    }
}
