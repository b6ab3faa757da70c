//! Histories of shipments.

use commerce_core::kernel::personal::Personal;
use commerce_core::shipping::{CarrierStatus, Shipment, ShipmentCommand, ShipmentLine, Tracking};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop_oneof};
use proptest::sample::select;

use super::{Storied, address, code, few, nth, reason, sku, soon, units};

fn lines() -> impl Strategy<Value = Vec<ShipmentLine>> {
    let line = (few(), option::of(0_u32..3), sku(), units()).prop_map(
        |(order_line, reservation_line, sku, quantity)| ShipmentLine {
            order_line,
            reservation_line,
            sku,
            quantity,
        },
    );
    vec(line, 1..4)
}

impl Storied for Shipment {
    fn begins() -> BoxedStrategy<ShipmentCommand> {
        (lines(), address())
            .prop_map(|(lines, address)| ShipmentCommand::Create {
                order: nth(0),
                lines,
                reservation: nth(0),
                location: nth(0),
                address: Personal::new(nth(0), address),
            })
            .boxed()
    }

    fn continues() -> BoxedStrategy<ShipmentCommand> {
        use ShipmentCommand as C;
        let statuses = vec![
            CarrierStatus::InTransit,
            CarrierStatus::OutForDelivery,
            CarrierStatus::Delivered,
            CarrierStatus::Exception,
        ];
        let tracking = (code(), code()).prop_map(|(carrier, number)| Tracking { carrier, number });
        prop_oneof![
            5 => Just(C::MarkReady),
            1 => reason().prop_map(|reason| C::Hold { reason }),
            2 => lines().prop_map(|lines| C::Repack { lines }),
            2 => Just(C::Unhold),
            1 => reason().prop_map(|reason| C::Cancel { reason }),
            5 => option::of(tracking).prop_map(|tracking| C::Dispatch { tracking }),
            8 => (select(statuses), soon(), 0_u16..4)
                .prop_map(|(status, at, rank)| C::RecordTracking { status, at, rank }),
            1 => Just(C::ReturnToSender),
            1 => Just(C::Lose),
        ]
        .boxed()
    }
}
