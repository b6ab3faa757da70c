//! The main job: a small shop sells, and nothing that goes wrong costs anybody anything.
//!
//! Runs on the memory store, without a server: `cargo run --example checkout`. On PostgreSQL:
//! `cargo run --example checkout --features postgres -- --store postgres://…`
#![allow(clippy::print_stdout)] // an example is there to be read

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use commerce_core::app::checkout::{CheckoutRequest, CheckoutStatus};
use commerce_core::app::query::{ById, ByKey};
use commerce_core::checkout::{CheckoutError, payment_of};
use commerce_core::kernel::stream::Version;
use commerce_core::orders::{NUMBER_SCOPE, Order};
use commerce_core::port::payment::ChargeState;
use commerce_core::value::id::{CartId, CommandId};
use commerce_examples::backend::{self, block_on};
use commerce_testkit::check::Findings;
use commerce_testkit::fake::{Behaviour, Clock, Gateway};
use commerce_testkit::shop::Shop;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Buyers in the race, and units that they race for.
const BUYERS: u64 = 50;
const UNITS: u32 = 10;

fn main() -> Outcome<()> {
    let clock = Clock::default();
    let store = backend::store(Arc::new(clock.clone()))?;
    let shop = Shop::on_shared(store, clock, Gateway::capturing(), 1);
    block_on(sell(&shop))?;
    race(&shop)?;
    block_on(check(&shop))
}

async fn stock(shop: &Shop, sku: &str) -> Outcome<String> {
    let level = shop.level(sku).await?;
    Ok(format!("{} free, {} held, {} promised", level.available, level.held, level.allocated))
}

async fn sell(shop: &Shop) -> Outcome<()> {
    println!("A shop lists two products.");
    shop.list("MUG", "12.50", 20).await?;
    shop.list("POSTER", "8.00", UNITS).await?;
    println!("  MUG 12.50 EUR: {}", stock(shop, "MUG").await?);
    println!("  POSTER 8.00 EUR: {}", stock(shop, "POSTER").await?);
    paid(shop).await?;
    declined(shop).await?;
    redirected(shop).await?;
    twice(shop).await
}

async fn paid(shop: &Shop) -> Outcome<()> {
    println!("\n1. A paid order");
    let cart = shop.cart(1, &[("MUG", 2)]).await?;
    let receipt = shop.buy(1, cart).await?;
    println!("  order {} over {}: {:?}", receipt.number, receipt.total, receipt.status);
    let number = ByKey::<Order>::new(NUMBER_SCOPE, receipt.number.as_str());
    let (id, order) = shop.staff().query(number).await?.ok_or("the order is there")?;
    println!("  found by its number: {:?}, payment {:?}", order.status(), order.payment_status());
    for fact in shop.staff().history::<Order>(id, Version::NONE).await? {
        println!("    {} {} by {:?}", fact.version, fact.name, fact.actor);
    }
    println!("  MUG: {}", stock(shop, "MUG").await?);
    Ok(())
}

async fn declined(shop: &Shop) -> Outcome<()> {
    println!("\n2. A card that is declined");
    shop.gateway.script([Behaviour::Decline("card-expired")]);
    let cart = shop.cart(2, &[("MUG", 5)]).await?;
    let receipt = shop.buy(2, cart).await?;
    println!("  order {}: {:?}", receipt.number, receipt.status);
    println!("  MUG: {}", stock(shop, "MUG").await?);
    println!("  the gateway keeps {} cents", shop.gateway.ledger().kept(receipt.order));
    let again = shop.buy(2, cart).await?;
    println!("  the same cart with another card, order {}: {:?}", again.number, again.status);
    Ok(())
}

async fn redirected(shop: &Shop) -> Outcome<()> {
    println!("\n3. A payment that the buyer confirms elsewhere");
    shop.gateway.script([Behaviour::Redirect("https://bank.example/confirm")]);
    let cart = shop.cart(3, &[("MUG", 1)]).await?;
    let receipt = shop.buy(3, cart).await?;
    if let CheckoutStatus::ActionRequired { url, .. } = &receipt.status {
        println!("  order {} waits for the buyer at {url}", receipt.number);
    }
    println!("  MUG: {}", stock(shop, "MUG").await?);
    let payment = payment_of(receipt.checkout);
    let message = shop.gateway.decide(payment, ChargeState::Captured).ok_or("the charge is there")?;
    for _ in 0..2 {
        let (headers, body) = (message.headers.clone(), message.body.clone());
        let outcome = shop.commerce.payment_callback("fake", headers, body).await?;
        println!("  the bank calls back: {outcome:?}");
    }
    let order = shop.staff().query(ById::<Order>(receipt.order)).await?.ok_or("the order is there")?;
    println!("  order {}: {:?}, MUG: {}", receipt.number, order.status(), stock(shop, "MUG").await?);
    Ok(())
}

async fn twice(shop: &Shop) -> Outcome<()> {
    println!("\n4. The same checkout, sent twice");
    let cart = shop.cart(4, &[("MUG", 1)]).await?;
    let buyer = shop.buyer(4).with_command_id(CommandId::derived(cart.uuid(), b"click"));
    let request = CheckoutRequest::new(cart, Shop::euros(1250));
    let first = buyer.checkout(request.clone()).await?;
    let second = buyer.checkout(request).await?;
    println!("  first: order {}, second: order {}", first.number, second.number);
    println!("  one order: {}, charged {} cents", first == second, shop.gateway.ledger().kept(first.order));
    Ok(())
}

fn race(shop: &Shop) -> Outcome<()> {
    println!("\n5. {BUYERS} buyers on two threads race for {UNITS} posters");
    let carts: Vec<(u64, CartId)> = (100..100 + BUYERS)
        .map(|buyer| Ok((buyer, block_on(shop.cart(buyer, &[("POSTER", 1)]))?)))
        .collect::<Outcome<_>>()?;
    let (won, lost) = (AtomicU64::new(0), AtomicU64::new(0));
    let middle = carts.len() / 2;
    thread::scope(|scope| {
        let halves = [carts.get(..middle), carts.get(middle..)];
        let workers: Vec<_> = halves
            .into_iter()
            .map(|half| {
                let (won, lost) = (&won, &lost);
                scope.spawn(move || {
                    for (buyer, cart) in half.unwrap_or_default() {
                        match block_on(shop.buy(*buyer, *cart)) {
                            Ok(receipt) if receipt.status == CheckoutStatus::Confirmed => {
                                won.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(CheckoutError::InsufficientStock(_)) => {
                                lost.fetch_add(1, Ordering::Relaxed);
                            }
                            other => return Err(format!("unexpected: {other:?}")),
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(outcome) => outcome,
            Err(_) => Err("a buyer's thread died".to_owned()),
        })
    })?;
    println!("  won: {won:?}, told that it is sold out: {lost:?}");
    println!("  POSTER: {}", block_on(stock(shop, "POSTER"))?);
    Ok(())
}

async fn check(shop: &Shop) -> Outcome<()> {
    println!("\nAt the end, read from the store and the gateway's own books:");
    shop.clock.advance(Duration::from_secs(3600));
    shop.commerce.run_due().await?;
    let findings = Findings::of(shop).await?;
    for finding in findings.lines() {
        println!("  {finding}");
    }
    if findings.hold() { Ok(()) } else { Err("an invariant does not hold".into()) }
}
