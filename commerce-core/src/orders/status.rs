//! Derived statuses: functions of sums, stored nowhere.

use serde::{Deserialize, Serialize};

use super::ledger::LineLedger;
use super::snapshot::PaymentSums;

/// How far an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OrderPaymentStatus {
    /// No payment was attempted.
    None,
    /// A payment is under way.
    Pending,
    /// Less than due is reserved.
    PartiallyAuthorized,
    /// What is due is reserved.
    Authorized,
    /// Less than due was taken.
    PartiallyPaid,
    /// What is due was taken.
    Paid,
    /// More than due was taken.
    Overpaid,
    /// Some of it went back.
    PartiallyRefunded,
    /// All of it went back.
    Refunded,
    /// Every attempt was given up.
    Voided,
    /// A buyer disputes a charge.
    Disputed,
}

/// The payment status for what is due, in minor units.
pub fn payment_status(payments: &[PaymentSums], due: i64) -> OrderPaymentStatus {
    use OrderPaymentStatus as S;
    let sum = |column: fn(&PaymentSums) -> i64| {
        payments.iter().fold(0_i64, |sum, payment| sum.saturating_add(column(payment)))
    };
    let captured = sum(|payment| payment.captured);
    let back = sum(|payment| payment.refunded).saturating_add(sum(|payment| payment.charged_back));
    let live = payments.iter().filter(|payment| !payment.voided);
    let authorized = live.fold(0_i64, |sum, payment| sum.saturating_add(payment.authorized));
    if sum(|payment| payment.disputed) > sum(|payment| payment.charged_back) {
        S::Disputed
    } else if captured > 0 && back >= captured {
        S::Refunded
    } else if back > 0 {
        S::PartiallyRefunded
    } else if captured > due {
        S::Overpaid
    } else if captured > 0 && captured == due {
        S::Paid
    } else if captured > 0 {
        S::PartiallyPaid
    } else if due == 0 {
        S::Paid
    } else if authorized >= due {
        S::Authorized
    } else if authorized > 0 {
        S::PartiallyAuthorized
    } else if payments.is_empty() {
        S::None
    } else if payments.iter().all(|payment| payment.voided) {
        S::Voided
    } else {
        S::Pending
    }
}

/// How far an order is fulfilled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FulfilmentStatus {
    /// Nothing has left.
    Unfulfilled,
    /// Nothing has left, and units are promised that are not there.
    Backordered,
    /// Some units have left.
    PartiallyShipped,
    /// Every wanted unit has left.
    Shipped,
    /// Some units have arrived.
    PartiallyDelivered,
    /// Every wanted unit has arrived.
    Delivered,
    /// Some units came back.
    PartiallyReturned,
    /// Every delivered unit came back.
    Returned,
}

/// The fulfilment status of these lines.
pub fn fulfilment_status<'l>(
    lines: impl IntoIterator<Item = &'l LineLedger>,
    backordered: bool,
) -> FulfilmentStatus {
    use FulfilmentStatus as S;
    let (mut wanted, mut shipped, mut delivered, mut returned) = (0_u64, 0_u64, 0_u64, 0_u64);
    for line in lines {
        wanted += u64::from(line.wanted());
        shipped += u64::from(line.shipped);
        delivered += u64::from(line.delivered);
        returned += u64::from(line.return_received);
    }
    if returned > 0 && returned >= delivered {
        S::Returned
    } else if returned > 0 {
        S::PartiallyReturned
    } else if wanted > 0 && delivered >= wanted {
        S::Delivered
    } else if delivered > 0 {
        S::PartiallyDelivered
    } else if wanted > 0 && shipped >= wanted {
        S::Shipped
    } else if shipped > 0 {
        S::PartiallyShipped
    } else if backordered {
        S::Backordered
    } else {
        S::Unfulfilled
    }
}
