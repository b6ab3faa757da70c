//! A process of the shop: its handle, its faults, and what it does by itself.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use commerce_core::app::commerce::{Commerce, Platform};
use commerce_core::app::stock_watch::StockWatch;
use commerce_core::app::views::{OrderList, StockOverview};
use commerce_core::port::carrier::Carrier;
use commerce_core::port::clock::{Clock as ClockPort, Sleeper as SleeperPort};
use commerce_core::port::ids::Ids as IdsPort;
use commerce_core::port::lease::Lease;
use commerce_core::port::notifier::Notifier;
use commerce_core::port::payment::PaymentGateway;
use commerce_core::port::publisher::Publisher;
use commerce_core::port::store::Store;
use commerce_core::port::tax::TaxCalculator;
use commerce_core::port::view::ViewStore;
use commerce_core::value::Code;

use super::Ground;
use super::context::Process;
use super::world::{Work, World};
use crate::fake::{Clock, Ids, Sleeper};
use crate::faulty::{Faults, Faulty};
use crate::shop::Shop;

/// How often due timers are looked for.
const SWEEP: Duration = Duration::from_secs(7);
/// How often the log is read for low stock.
const WATCH: Duration = Duration::from_secs(45);
/// How often the log is read for the broker.
const RELAY: Duration = Duration::from_secs(120);
/// How often the log is read for the views.
const FILL: Duration = Duration::from_secs(90);

/// Starts a process with nothing cached.
pub(super) fn start(
    world: &World,
    ground: &Ground,
    gateway: &Arc<dyn PaymentGateway>,
    faults: &Faults,
    number: u64,
) -> Process {
    let faults = faults.next_process();
    let (clock, sleeper): (Arc<dyn ClockPort>, Arc<dyn SleeperPort>) =
        (Arc::new(world.clock.clone()), Arc::new(Sleeper::waiting(world.clock.clone())));
    let ids: Arc<dyn IdsPort> = Arc::new(Ids::seeded(number));
    let (clock, sleeper): (Faulty<dyn ClockPort>, Faulty<dyn SleeperPort>) =
        (Faulty::on(clock, faults.clone()), Faulty::on(sleeper, faults.clone()));
    let ids: Faulty<dyn IdsPort> = Faulty::on(ids, faults.clone());
    let platform = Platform { clock: Arc::new(clock), sleeper: Arc::new(sleeper), ids: Arc::new(ids) };
    let store: Faulty<dyn Store> = Faulty::on(ground.store.clone(), faults.clone());
    let gateway: Faulty<dyn PaymentGateway> = Faulty::on(gateway.clone(), faults.clone());
    let outbox: Arc<dyn Notifier> = Arc::new(world.outbox.clone());
    let outbox: Faulty<dyn Notifier> = Faulty::on(outbox, faults.clone());
    let (carrier, taxes): (Arc<dyn Carrier>, Arc<dyn TaxCalculator>) =
        (Arc::new(world.carrier.clone()), Arc::new(world.taxes.clone()));
    let carrier: Faulty<dyn Carrier> = Faulty::on(carrier, faults.clone());
    let taxes: Faulty<dyn TaxCalculator> = Faulty::on(taxes, faults.clone());
    let commerce = Commerce::new(store, platform)
        .with_payment_gateway(gateway)
        .with_notifier(outbox)
        .with_carrier(carrier)
        .with_tax_calculator(taxes);
    let shop = Shop { commerce, clock: world.clock.clone(), gateway: world.gateway.clone() };
    Process { shop, faults }
}

/// What a process does for as long as it lives.
pub(super) fn background(world: &World, process: &Process, ground: &Ground) -> Vec<(&'static str, Work)> {
    let (sweeper, watcher) = (process.clone(), process.clone());
    let lease: Faulty<dyn Lease> = Faulty::on(ground.lease.clone(), process.faults.clone());
    let mut works: Vec<(&'static str, Work)> =
        vec![("timers", Box::pin(sweep(sweeper))), ("watch", Box::pin(watch(watcher, lease.clone())))];
    if let Some(broker) = world.broker.clone() {
        let broker: Arc<dyn Publisher> = Arc::new(broker);
        let broker: Faulty<dyn Publisher> = Faulty::on(broker, process.faults.clone());
        works.push(("relay", Box::pin(publish(process.clone(), lease, broker))));
    }
    if let Some(views) = ground.views.clone() {
        let views: Faulty<dyn ViewStore> = Faulty::on(views, process.faults.clone());
        works.push(("views", Box::pin(fill(process.clone(), Arc::new(views)))));
    }
    works
}

async fn pause(clock: &Clock, span: Duration) {
    Sleeper::waiting(clock.clone()).sleep_until(clock.now().plus(span)).await;
}

async fn sweep(process: Process) {
    loop {
        pause(&process.shop.clock, SWEEP).await;
        // What failed comes back when its lease ends.
        process.shop.commerce.run_due().await.unwrap_or_default();
    }
}

/// Small batches, so that a broker has many chances to fail.
const BATCH: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

/// Publishes what is new, under a lease: relays of several processes do no harm, but get in each other's way.
async fn publish(process: Process, lease: Faulty<dyn Lease>, broker: Faulty<dyn Publisher>) {
    let Ok(name) = Code::new("relay") else { return };
    let Ok(relay) = process.shop.staff().relay(name, broker) else { return };
    let relay = relay.in_batches_of(BATCH);
    loop {
        pause(&process.shop.clock, RELAY).await;
        let Ok(Some(granted)) = lease.acquire("relay", RELAY).await else { continue };
        // The next round goes on at the message that failed.
        relay.round().await.unwrap_or_default();
        lease.release(&granted.fence).await.unwrap_or_default();
    }
}

/// Fills the views, without a lease: every process writes what it comes to first.
async fn fill(process: Process, views: Arc<dyn ViewStore>) {
    let staff = process.shop.staff();
    let Ok(orders) = staff.projector(OrderList, views.clone()) else { return };
    let Ok(stock) = staff.projector(StockOverview, views) else { return };
    loop {
        pause(&process.shop.clock, FILL).await;
        // The next round goes on at the page that failed.
        orders.round().await.unwrap_or_default();
        stock.round().await.unwrap_or_default();
    }
}

/// Reads the log under a lease, so that one process at a time does.
async fn watch(process: Process, lease: Faulty<dyn Lease>) {
    let mut watch = StockWatch::default();
    loop {
        pause(&process.shop.clock, WATCH).await;
        let Ok(Some(granted)) = lease.acquire("stock-watch", WATCH).await else { continue };
        // The next round goes on at the event that failed.
        process.shop.staff().watch_stock(&mut watch).await.unwrap_or_default();
        if let Ok(Some(granted)) = lease.renew(&granted.fence, WATCH).await {
            lease.release(&granted.fence).await.unwrap_or_default();
        }
    }
}
