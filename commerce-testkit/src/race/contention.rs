//! G13: many workers on one aggregate, and each on its own.

use std::sync::Arc;

use commerce_core::app::commerce::{Commerce, Platform};
use commerce_core::app::error::CommandError;
use commerce_core::inventory::{StockCommand, StockError, stock_item_id};
use commerce_core::kernel::error::ErrorClass;
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::port::store::{MAX_PAGE, Store};
use commerce_core::settings::SettingsValues;
use commerce_core::value::actor::Actor;
use commerce_core::value::id::{CommandId, Id, StockItemId};
use commerce_core::value::{Quantity, Sku};
use uuid::Uuid;

use super::ground::broken;
use super::{Raced, Tally};
use crate::conformance::outcome::{equal, present};
use crate::conformance::{Failure, Fixture};
use crate::fake::{Clock, Ids, Sleeper};
use crate::faulty::{Fault, Faults, Faulty, Port, Rates};

const WORKERS: u64 = 32;
/// How many units each receives, one by one.
const UNITS: u64 = 10;

fn item(number: u64) -> Result<(Sku, StockItemId), Failure> {
    let sku = Sku::new(&format!("SKU-{number}")).map_err(broken)?;
    let location = present("a location", SettingsValues::default().locations.first().copied())?;
    Ok((sku.clone(), stock_item_id(&sku, location)))
}

/// A process of its own for every worker: nothing is shared but the store.
fn process(store: Arc<dyn Store>, clock: &Clock, seed: u64) -> Commerce {
    let platform = Platform {
        clock: Arc::new(clock.clone()),
        sleeper: Arc::new(Sleeper::jumping(clock.clone())),
        ids: Arc::new(Ids::seeded(seed)),
    };
    Commerce::from_arc(store, platform).acting_as(Actor::Admin(Id::derived(Uuid::nil(), b"staff")))
}

/// Receives units, each under an id of its own, and asks again until it is told what came of each; gives
/// how often it had to.
async fn work(shop: Commerce, worker: u64, item: StockItemId) -> Result<u64, CommandError<StockError>> {
    let mut again = 0;
    for unit in 0..UNITS {
        let command = CommandId::derived(Uuid::from_u128(13), &(worker * UNITS + unit).to_be_bytes());
        let shop = shop.with_command_id(command);
        loop {
            let quantity = Quantity::new(1).unwrap_or(Quantity::MAX);
            match shop.execute(item, StockCommand::Receive { quantity }).await {
                Ok(_) => break,
                Err(error)
                    if matches!(error.class(), ErrorClass::Contended | ErrorClass::Unavailable)
                        && again < 10_000 =>
                {
                    again += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(again)
}

/// Every update of an item is there, once, and its versions have no gaps.
async fn judge(f: &Fixture, sku: &Sku, id: StockItemId, units: u64) -> Result<(), Failure> {
    let location = present("a location", SettingsValues::default().locations.first().copied())?;
    let pool = commerce_core::inventory::stock_pool(sku, location);
    let level = f.level(pool.as_str()).await?;
    equal("units received", level.available, units.cast_signed())?;
    let stream = StreamId::new("stock_item", id.uuid());
    let mut versions = Vec::new();
    let mut after = Version::NONE;
    loop {
        let page = f.store().read_stream(&stream, after, MAX_PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.version;
        versions.extend(page.iter().map(|event| event.version.get()));
    }
    equal("versions", versions, (1..=units + 1).collect::<Vec<_>>())
}

async fn contend(f: &Fixture, items: u64) -> Raced {
    let clock = match f.clock() {
        Some(clock) => clock.clone(),
        None => Clock::at(f.now().await?),
    };
    // Of a hundred calls one fails as a deadlock would, and one is carried out and nobody is told.
    let rates = Rates::default().of(Port::Store, Fault::FailBefore, 10).of(Port::Store, Fault::FailAfter, 10);
    let faults = Faults::seeded(13, rates);
    let flaky = Arc::new(Faulty::on(f.shared(), faults.clone()));
    let location = present("a location", SettingsValues::default().locations.first().copied())?;
    for number in 0..items {
        let (sku, id) = item(number)?;
        let open = StockCommand::Open { sku, location };
        process(f.shared(), &clock, 1000 + number).execute(id, open).await.map_err(broken)?;
    }
    let mut workers = Vec::new();
    for worker in 0..WORKERS {
        let shop = process(Arc::clone(&flaky) as Arc<dyn Store>, &clock, worker + 1);
        workers.push(work(shop, worker, item(worker % items)?.1));
    }
    let done = f.race(workers).await;
    equal("workers who came back", done.len() as u64, WORKERS)?;
    let mut tally = Tally::default();
    for again in done {
        tally.add("conflicts and failures that reached a worker", again.map_err(broken)?);
    }
    for number in 0..items {
        let (sku, id) = item(number)?;
        judge(f, &sku, id, WORKERS / items * UNITS).await?;
    }
    tally.add("updates", WORKERS * UNITS);
    tally.add("injected failures", faults.tally().total());
    Ok(tally)
}

pub(super) async fn g13_no_update_of_one_aggregate_is_lost(f: &Fixture) -> Raced {
    contend(f, 1).await
}

pub(super) async fn g13_no_update_of_many_aggregates_is_lost(f: &Fixture) -> Raced {
    contend(f, WORKERS).await
}
