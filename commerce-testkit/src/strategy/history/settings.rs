//! Histories of a shop's settings.

use commerce_core::settings::{CapturePolicy, SettingsCommand, SettingsValues, ShopSettings};
use commerce_core::value::Currency;
use proptest::prelude::{BoxedStrategy, Strategy};
use proptest::sample::select;

use super::{Storied, nth};

fn update() -> BoxedStrategy<SettingsCommand> {
    let capture = vec![CapturePolicy::WithAuthorization, CapturePolicy::AtConfirm, CapturePolicy::OnShip];
    let prefix = select(vec!["", "A-", "SHOP"]);
    (select(capture), 30_u32..2000, 1_u32..700, prefix, 0_u8..4)
        .prop_map(|(capture, hold_seconds, resume_seconds, prefix, places)| {
            let values = SettingsValues {
                currencies: vec![Currency::EUR, Currency::USD],
                capture,
                hold_seconds,
                payment_seconds: hold_seconds.saturating_sub(120),
                resume_seconds,
                order_prefix: prefix.to_owned(),
                locations: (0..places).map(nth).collect(),
                ..SettingsValues::default()
            };
            SettingsCommand::Update { values: Box::new(values) }
        })
        .boxed()
}

impl Storied for ShopSettings {
    fn begins() -> BoxedStrategy<SettingsCommand> {
        update()
    }

    fn continues() -> BoxedStrategy<SettingsCommand> {
        update()
    }
}
