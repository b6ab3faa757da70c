//! Histories of stock and reservations.

use commerce_core::inventory::{
    Reservation, ReservationCommand, ReservedLine, StockCommand, StockItem, StockPolicy,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop_oneof};

use super::{Storied, few, nth, reason, sku, soon, units};

impl Storied for StockItem {
    fn begins() -> BoxedStrategy<StockCommand> {
        sku().prop_map(|sku| StockCommand::Open { sku, location: nth(0) }).boxed()
    }

    fn continues() -> BoxedStrategy<StockCommand> {
        use StockCommand as C;
        let policy = prop_oneof![
            Just(StockPolicy::Deny),
            (0_u32..9).prop_map(|limit| StockPolicy::AllowBackorder { limit }),
            (0_u32..9, soon())
                .prop_map(|(limit, available_from)| StockPolicy::PreOrder { limit, available_from }),
        ];
        prop_oneof![
            4 => units().prop_map(|quantity| C::Receive { quantity }),
            1 => units().prop_map(|quantity| C::Restock { quantity }),
            2 => (units(), reason()).prop_map(|(quantity, reason)| C::Withdraw { quantity, reason }),
            2 => (-9..9_i32, reason()).prop_map(|(delta, reason)| C::Adjust { delta, reason }),
            2 => (policy, 0_u32..5)
                .prop_map(|(policy, safety_stock)| C::SetPolicy { policy, safety_stock }),
            2 => option::of(0_u32..9).prop_map(|threshold| C::SetThreshold { threshold }),
            3 => (-3_i64..20, 0_i64..20)
                .prop_map(|(available, on_hand)| C::ObserveLevel { available, on_hand }),
        ]
        .boxed()
    }
}

impl Storied for Reservation {
    fn begins() -> BoxedStrategy<ReservationCommand> {
        let line = (sku(), few(), units()).prop_map(|(sku, location, quantity)| ReservedLine {
            sku,
            location,
            quantity,
        });
        (vec(line, 1..4), soon(), soon())
            .prop_map(|(lines, one, other)| ReservationCommand::Hold {
                checkout: nth(0),
                lines,
                expires_at: one.min(other),
                extendable_until: one.max(other),
            })
            .boxed()
    }

    fn continues() -> BoxedStrategy<ReservationCommand> {
        use ReservationCommand as C;
        prop_oneof![
            3 => soon().prop_map(|expires_at| C::Extend { expires_at }),
            1 => Just(C::Pin),
            4 => Just(C::Commit),
            1 => reason().prop_map(|reason| C::Release { reason }),
            3 => (0_u32..4, units(), reason())
                .prop_map(|(line, quantity, reason)| C::ReleasePart { line, quantity, reason }),
            4 => vec((0_u32..4, units()), 1..3).prop_map(|units| C::Consume { units }),
            1 => Just(C::Expire),
        ]
        .boxed()
    }
}
