//! G4: the last unit.

use commerce_core::app::checkout::CheckoutStatus;
use commerce_core::carts::CartCommand;
use commerce_core::catalog::SKU_SCOPE;
use commerce_core::inventory::{StockCommand, stock_item_id, stock_pool};
use commerce_core::kernel::commit::Load;
use commerce_core::kernel::unique::Key;
use commerce_core::settings::SettingsValues;
use commerce_core::value::id::{CartId, Id, LocationId};
use commerce_core::value::{Code, Quantity, Sku};
use uuid::Uuid;

use super::ground::{Ground, Wish, broken, confirmed, losers_are_told, repeats};
use super::{Raced, Tally};
use crate::conformance::outcome::{Outcome, equal, holds, present};
use crate::conformance::{Failure, Fixture};
use crate::fake::Gateway;

/// One wish per buyer, each for the same lines.
async fn wishes(
    ground: &Ground<'_>,
    buyers: std::ops::Range<u64>,
    lines: &[(&str, u32)],
    cents: i64,
) -> Result<Vec<Wish>, Failure> {
    let mut wishes = Vec::new();
    for buyer in buyers {
        wishes.push(Wish { buyer, cart: ground.fills(buyer, lines).await?, cents, command: None });
    }
    Ok(wishes)
}

/// This much is free and promised of a SKU, and nothing is held.
async fn stands(ground: &Ground<'_>, sku: &str, available: i64, allocated: i64) -> Outcome {
    let level = ground.level(sku).await?;
    let figures = (level.available, level.held, level.allocated);
    equal(&format!("{sku}: available, held, allocated"), figures, (available, 0, allocated))
}

pub(super) async fn g4_one_unit_has_one_buyer(f: &Fixture) -> Raced {
    let mut tally = Tally::default();
    let ground = Ground::new(f, Gateway::capturing()).await?;
    for round in 0..repeats(3) {
        let sku = format!("UNIT-{round}");
        ground.lists(&sku, "10.00", 1).await?;
        let wishes = wishes(&ground, round * 200..(round + 1) * 200, &[(&sku, 1)], 1000).await?;
        let outcomes = ground.race(&wishes).await?;
        equal("confirmed of 200 buyers for one unit", confirmed(&outcomes), 1)?;
        losers_are_told(&outcomes)?;
        stands(&ground, &sku, 0, 1).await?;
        tally.add("buyers", outcomes.len());
        tally.add("confirmed", confirmed(&outcomes));
    }
    ground.checks().await?;
    Ok(tally)
}

/// Three warehouses, and how much lies in each.
const PLACES: [(&str, u32); 3] = [("north", 50), ("south", 30), ("west", 20)];

fn place(name: &str) -> LocationId {
    LocationId::derived(Uuid::from_u128(4), name.as_bytes())
}

pub(super) async fn g4_every_unit_of_three_warehouses_is_sold_once(f: &Fixture) -> Raced {
    let ground = Ground::new(f, Gateway::capturing()).await?;
    let places = || PLACES.map(|(name, _)| place(name)).to_vec();
    ground.shop.settings(|values: &mut SettingsValues| values.locations = places()).await;
    ground.lists("MUG", "10.00", PLACES[0].1).await?;
    let sku = Sku::new("MUG").map_err(broken)?;
    for (name, units) in PLACES.into_iter().skip(1) {
        let (item, staff) = (stock_item_id(&sku, place(name)), ground.shop.staff());
        let open = StockCommand::Open { sku: sku.clone(), location: place(name) };
        staff.execute(item, open).await.map_err(broken)?;
        let quantity = Quantity::new(units).map_err(broken)?;
        staff.execute(item, StockCommand::Receive { quantity }).await.map_err(broken)?;
    }
    let outcomes = ground.race(&wishes(&ground, 0..1000, &[("MUG", 1)], 1000).await?).await?;
    equal("confirmed of 1,000 buyers for 100 units", confirmed(&outcomes), 100)?;
    losers_are_told(&outcomes)?;
    let pools = PLACES.map(|(name, _)| stock_pool(&sku, place(name))).to_vec();
    let levels = f.load(Load { pools, ..Load::default() }).await?.pools;
    for (level, (name, units)) in levels.into_iter().zip(PLACES) {
        let figures = (level.available, level.held, level.allocated);
        equal(&format!("available, held and allocated in the {name}"), figures, (0, 0, i64::from(units)))?;
    }
    ground.checks().await?;
    let mut tally = Tally::default();
    tally.add("buyers", outcomes.len());
    tally.add("confirmed", confirmed(&outcomes));
    Ok(tally)
}

/// Puts one more unit of a SKU into a cart, in a line of its own.
async fn another_line(ground: &Ground<'_>, buyer: u64, cart: CartId, sku: &str) -> Outcome {
    let load = Load { by_claim: vec![Key::new(SKU_SCOPE, sku)], ..Load::default() };
    let owner = ground.fixture.load(load).await?.by_claim.into_iter().flatten().next();
    let product = present("the product of a sku", owner)?.id;
    let shop = ground.shop.buyer(buyer);
    let add = CartCommand::AddLine {
        line: shop.new_id(),
        product: Id::from_uuid(product).map_err(broken)?,
        variant: Id::from_uuid(product).map_err(broken)?,
        quantity: Quantity::new(1).map_err(broken)?,
        customisation: Some(Code::new("engraved").map_err(broken)?),
        price_override: None,
    };
    shop.execute(cart, add).await.map_err(broken).map(|_| ())
}

pub(super) async fn g4_two_lines_of_one_sku_count_together(f: &Fixture) -> Raced {
    let ground = Ground::new(f, Gateway::capturing()).await?;
    ground.lists("MUG", "10.00", 25).await?;
    let wishes = wishes(&ground, 0..60, &[("MUG", 1)], 2000).await?;
    for wish in &wishes {
        another_line(&ground, wish.buyer, wish.cart, "MUG").await?;
    }
    let outcomes = ground.race(&wishes).await?;
    equal("confirmed for two of 25 units each", confirmed(&outcomes), 12)?;
    losers_are_told(&outcomes)?;
    stands(&ground, "MUG", 1, 24).await?;
    ground.checks().await?;
    let mut tally = Tally::default();
    tally.add("buyers of two lines", outcomes.len());
    tally.add("confirmed", confirmed(&outcomes));
    Ok(tally)
}

pub(super) async fn g4_a_cart_gets_all_of_its_lines_or_none(f: &Fixture) -> Raced {
    let ground = Ground::new(f, Gateway::capturing()).await?;
    for (sku, stock) in [("A", 10), ("B", 6), ("C", 8)] {
        ground.lists(sku, "1.00", stock).await?;
    }
    // Half of them in the other order, so that locks taken in the order of lines would meet head-on.
    let mut all = wishes(&ground, 0..30, &[("A", 1), ("B", 1), ("C", 2)], 400).await?;
    all.extend(wishes(&ground, 30..60, &[("C", 2), ("B", 1), ("A", 1)], 400).await?);
    let outcomes = ground.race(&all).await?;
    equal("confirmed for four of the scarcest", confirmed(&outcomes), 4)?;
    losers_are_told(&outcomes)?;
    stands(&ground, "A", 6, 4).await?;
    stands(&ground, "B", 2, 4).await?;
    stands(&ground, "C", 0, 8).await?;
    ground.checks().await?;
    let mut tally = Tally::default();
    tally.add("buyers of three skus", outcomes.len());
    tally.add("confirmed", confirmed(&outcomes));
    Ok(tally)
}

pub(super) async fn g4_what_is_not_paid_is_sold_again(f: &Fixture) -> Raced {
    let ground = Ground::new(f, Gateway::redirecting("https://bank.example/3ds")).await?;
    ground.lists("MUG", "10.00", 10).await?;
    let outcomes = ground.race(&wishes(&ground, 0..30, &[("MUG", 1)], 1000).await?).await?;
    let waits = |status: &CheckoutStatus| matches!(status, CheckoutStatus::ActionRequired { .. });
    let waiting = outcomes.iter().flatten().filter(|receipt| waits(&receipt.status)).count();
    equal("buyers who were sent to their bank", waiting, 10)?;
    equal("units held for them", ground.level("MUG").await?.held, 10)?;
    ground.settles().await?;
    stands(&ground, "MUG", 10, 0).await?;
    ground.shop.gateway.script(vec![crate::fake::Behaviour::Capture; 10]);
    let again = ground.race(&wishes(&ground, 100..130, &[("MUG", 1)], 1000).await?).await?;
    equal("confirmed of the units that came back", confirmed(&again), 10)?;
    losers_are_told(&again)?;
    stands(&ground, "MUG", 0, 10).await?;
    let kept: i64 = ground.shop.gateway.ledger().accounts().map(|account| account.captured).sum();
    holds("only those who got a unit paid", kept == 10_000)?;
    ground.checks().await?;
    let mut tally = Tally::default();
    tally.add("holds that ended", waiting);
    tally.add("units sold again", confirmed(&again));
    Ok(tally)
}
