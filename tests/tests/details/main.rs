//! What is easily overlooked: limits and the values beside them, classes of errors, what is logged, and what
//! a process does while it waits.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

mod classes;
mod edits;
mod imports;
mod operations;
mod quotes;
mod reading;
mod rules;
mod running;
mod unknown;

use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_core::prelude::*;
use commerce_core::settings::TaxRule;
use commerce_core::value::{Label, TaxClass, TaxRate};
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;

/// A shop with these settings, a mug for ten euros and a cap for twenty.
fn shop(settings: impl FnOnce(&mut SettingsValues) + Send) -> Shop {
    let clock = Clock::default();
    let shop = Shop::on(MemoryStore::with_clock(Arc::new(clock.clone())), clock, Gateway::capturing());
    pollster::block_on(async {
        shop.settings(settings).await;
        shop.list("MUG", "10.00", 50).await.unwrap();
        shop.list("CAP", "20.00", 50).await.unwrap();
    });
    shop
}

/// A tax on everything, or on what goes to a country.
fn tax(name: &str, percent: &str, country: Option<&str>) -> TaxRule {
    let (name, rate) = (Label::new(name).unwrap(), Rate::parse(percent).unwrap());
    let country = country.map(|code| code.parse().unwrap());
    TaxRule { country, rate: TaxRate { name, class: TaxClass::Standard, rate } }
}
