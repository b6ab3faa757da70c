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

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(authorized: i64, captured: i64) -> PaymentSums {
        PaymentSums { authorized, captured, ..PaymentSums::default() }
    }

    #[test]
    fn the_payment_status_follows_from_the_sums() {
        use OrderPaymentStatus as S;
        let voided = |authorized| PaymentSums { voided: true, ..sums(authorized, 0) };
        let back = |refunded, charged_back| PaymentSums { refunded, charged_back, ..sums(100, 100) };
        let disputed = |disputed, charged_back| PaymentSums { charged_back, disputed, ..sums(100, 100) };
        let cases = [
            (vec![], 100, S::None),
            (vec![sums(0, 0)], 100, S::Pending),
            (vec![voided(0)], 100, S::Voided),
            (vec![voided(100), voided(0)], 100, S::Voided),
            (vec![voided(100), sums(0, 0)], 100, S::Pending),
            (vec![sums(99, 0)], 100, S::PartiallyAuthorized),
            (vec![sums(1, 0)], 100, S::PartiallyAuthorized),
            (vec![voided(99), sums(1, 0)], 100, S::PartiallyAuthorized),
            (vec![sums(100, 0)], 100, S::Authorized),
            (vec![sums(101, 0)], 100, S::Authorized),
            (vec![sums(60, 0), sums(40, 0)], 100, S::Authorized),
            (vec![sums(100, 1)], 100, S::PartiallyPaid),
            (vec![sums(100, 99)], 100, S::PartiallyPaid),
            (vec![sums(100, 100)], 100, S::Paid),
            (vec![sums(60, 60), sums(40, 40)], 100, S::Paid),
            (vec![sums(101, 101)], 100, S::Overpaid),
            (vec![back(1, 0)], 100, S::PartiallyRefunded),
            (vec![back(0, 1)], 100, S::PartiallyRefunded),
            (vec![back(99, 0)], 100, S::PartiallyRefunded),
            (vec![back(100, 0)], 100, S::Refunded),
            (vec![back(60, 40)], 100, S::Refunded),
            (vec![back(60, 41)], 100, S::Refunded),
            (vec![disputed(10, 0)], 100, S::Disputed),
            (vec![disputed(10, 9)], 100, S::Disputed),
            (vec![disputed(10, 10)], 100, S::PartiallyRefunded),
            (vec![disputed(100, 100)], 100, S::Refunded),
            (vec![], 0, S::Paid),
            (vec![sums(0, 0)], 0, S::Paid),
            (vec![voided(0)], 0, S::Paid),
            (vec![sums(5, 5)], 0, S::Overpaid),
        ];
        for (payments, due, status) in cases {
            assert_eq!(payment_status(&payments, due), status, "{payments:?} of {due}");
        }
    }

    #[test]
    fn the_fulfilment_status_follows_from_the_sums() {
        use FulfilmentStatus as S;
        let line = |ordered, cancelled, shipped, delivered, return_received| LineLedger {
            ordered,
            cancelled,
            shipped,
            delivered,
            return_received,
            ..LineLedger::default()
        };
        let cases = [
            (vec![], false, S::Unfulfilled),
            (vec![line(2, 0, 0, 0, 0)], false, S::Unfulfilled),
            (vec![line(2, 0, 0, 0, 0)], true, S::Backordered),
            (vec![line(2, 2, 0, 0, 0)], false, S::Unfulfilled),
            (vec![line(2, 0, 1, 0, 0)], true, S::PartiallyShipped),
            (vec![line(2, 0, 2, 0, 0), line(3, 0, 2, 0, 0)], false, S::PartiallyShipped),
            (vec![line(2, 0, 2, 0, 0), line(3, 0, 3, 0, 0)], false, S::Shipped),
            (vec![line(2, 1, 1, 0, 0)], false, S::Shipped),
            (vec![line(2, 0, 2, 1, 0)], false, S::PartiallyDelivered),
            (vec![line(2, 0, 2, 2, 0), line(3, 0, 3, 2, 0)], false, S::PartiallyDelivered),
            (vec![line(2, 0, 2, 2, 0), line(3, 1, 2, 2, 0)], false, S::Delivered),
            (vec![line(2, 0, 2, 2, 1)], false, S::PartiallyReturned),
            (vec![line(2, 0, 2, 2, 2), line(3, 0, 3, 3, 1)], false, S::PartiallyReturned),
            (vec![line(2, 0, 2, 2, 2), line(3, 0, 3, 3, 3)], false, S::Returned),
            (vec![line(2, 0, 2, 1, 1)], false, S::Returned),
        ];
        for (lines, backordered, status) in cases {
            assert_eq!(fulfilment_status(&lines, backordered), status, "{lines:?}");
        }
    }
}
