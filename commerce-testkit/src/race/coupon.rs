//! G5: the last use of a coupon.

use commerce_core::app::checkout::CheckoutStatus;
use commerce_core::carts::CartCommand;
use commerce_core::checkout::CheckoutError;
use commerce_core::orders::{Order, OrderStatus};
use commerce_core::promotions::PromotionCommand;
use commerce_core::value::id::PromotionId;
use commerce_core::value::{Benefit, Phase, PromotionCode, PromotionRule, Rate};
use uuid::Uuid;

use super::ground::{Bought, Ground, Wish, broken, confirmed, repeats};
use super::{Raced, Tally};
use crate::conformance::outcome::{Outcome, equal, holds};
use crate::conformance::{Failure, Fixture};
use crate::fake::{Behaviour, Gateway};

/// What a mug costs, and with a tenth off.
const FULL: i64 = 1000;
const REDUCED: i64 = 900;

/// Puts a code in force that takes a tenth off.
async fn coupon(ground: &Ground<'_>, code: &str, uses: Option<u32>, each: Option<u32>) -> Outcome {
    let id = PromotionId::derived(Uuid::from_u128(5), code.as_bytes());
    let benefit = Benefit::Percent(Rate::parse("10").map_err(broken)?);
    let mut rule = PromotionRule::new(id, Phase::Order, benefit);
    rule.code = Some(PromotionCode::new(code).map_err(broken)?);
    let create = PromotionCommand::Create {
        rule,
        usage_limit: uses,
        per_customer_limit: each,
        budget: None,
        returns_usage: true,
    };
    let staff = ground.shop.staff();
    staff.execute(id, create).await.map_err(broken)?;
    staff.execute(id, PromotionCommand::Activate).await.map_err(broken)?;
    Ok(())
}

/// A buyer's wish for one mug at the reduced price.
async fn wish(ground: &Ground<'_>, buyer: u64, code: &str) -> Result<Wish, Failure> {
    let cart = ground.fills(buyer, &[("MUG", 1)]).await?;
    let apply = CartCommand::ApplyCode { code: PromotionCode::new(code).map_err(broken)? };
    ground.shop.buyer(buyer).execute(cart, apply).await.map_err(broken)?;
    Ok(Wish { buyer, cart, cents: REDUCED, command: None })
}

/// Orders that stand at the reduced price: the uses, counted from orders alone.
async fn uses(ground: &Ground<'_>) -> Result<usize, Failure> {
    let books = ground.books().await?;
    let orders = books.all::<Order>().map(|(_, order)| order);
    let standing = orders.filter(|order| order.status() == OrderStatus::Confirmed);
    Ok(standing.filter(|order| order.total().minor() == REDUCED).count())
}

/// Whoever lost was told that the coupon is used up: by the store, or by the price without it.
fn losers_are_told(outcomes: &[Bought]) -> Outcome {
    let wrong = outcomes.iter().find(|outcome| match outcome {
        Ok(receipt) => receipt.status != CheckoutStatus::Confirmed,
        Err(CheckoutError::PromotionExhausted(_)) => false,
        Err(CheckoutError::PriceChanged { actual, .. }) => actual.minor() != FULL,
        Err(_) => true,
    });
    wrong.map_or(Ok(()), |wrong| Err(Failure::new(format!("a loser was told {wrong:?}"))))
}

async fn race_for(f: &Fixture, code: &str, limit: u32, rounds: u64) -> Raced {
    let ground = Ground::new(f, Gateway::capturing()).await?;
    ground.lists("MUG", "10.00", 10_000).await?;
    let mut tally = Tally::default();
    for round in 0..rounds {
        let code = format!("{code}-{round}");
        coupon(&ground, &code, Some(limit), None).await?;
        let before = uses(&ground).await?;
        let mut wishes = Vec::new();
        for buyer in round * 100..(round + 1) * 100 {
            wishes.push(wish(&ground, buyer, &code).await?);
        }
        let outcomes = ground.race(&wishes).await?;
        losers_are_told(&outcomes)?;
        equal(&format!("confirmed with {limit} uses"), confirmed(&outcomes), limit as usize)?;
        equal("uses, counted from orders", uses(&ground).await? - before, limit as usize)?;
        tally.add("buyers", outcomes.len());
        tally.add("uses", confirmed(&outcomes));
    }
    ground.checks().await?;
    Ok(tally)
}

pub(super) async fn g5_a_coupon_for_one_is_used_once(f: &Fixture) -> Raced {
    race_for(f, "ONCE", 1, repeats(2)).await
}

pub(super) async fn g5_a_coupon_for_ten_is_used_ten_times(f: &Fixture) -> Raced {
    race_for(f, "TEN", 10, repeats(2)).await
}

pub(super) async fn g5_a_coupon_per_customer_is_used_once_by_each(f: &Fixture) -> Raced {
    let ground = Ground::new(f, Gateway::capturing()).await?;
    ground.lists("MUG", "10.00", 1000).await?;
    coupon(&ground, "EACH", None, Some(1)).await?;
    let mut wishes = Vec::new();
    for number in 0..100 {
        wishes.push(wish(&ground, number % 10, "EACH").await?);
    }
    let outcomes = ground.race(&wishes).await?;
    losers_are_told(&outcomes)?;
    let books = ground.books().await?;
    for customer in 0..10 {
        let subject = crate::shop::Shop::subject(customer);
        let orders = books.all::<Order>().map(|(_, order)| order);
        let theirs = orders.filter(|order| order.content().subject == subject);
        let reduced = theirs
            .filter(|order| order.status() == OrderStatus::Confirmed && order.total().minor() == REDUCED);
        equal("uses by one customer with ten carts at once", reduced.count(), 1)?;
    }
    ground.checks().await?;
    let mut tally = Tally::default();
    tally.add("carts of ten customers", outcomes.len());
    tally.add("uses", uses(&ground).await?);
    Ok(tally)
}

pub(super) async fn g5_a_payment_that_fails_gives_its_use_back(f: &Fixture) -> Raced {
    let ground = Ground::new(f, Gateway::capturing()).await?;
    ground.lists("MUG", "10.00", 1000).await?;
    let mut tally = Tally::default();
    for round in 0..repeats(5) {
        let code = format!("BACK-{round}");
        coupon(&ground, &code, Some(1), None).await?;
        let own = wish(&ground, round, &code).await?;
        ground.shop.gateway.script([Behaviour::Decline("no-funds")]);
        let failed = ground.race(std::slice::from_ref(&own)).await?;
        let refused = matches!(failed.as_slice(),
            [Ok(receipt)] if matches!(receipt.status, CheckoutStatus::Failed { .. }));
        holds(&format!("the first payment fails: {failed:?}"), refused)?;
        let before = uses(&ground).await?;
        // The buyer tries again while nine others try the same code.
        let mut wishes = vec![own];
        for other in 0..9 {
            wishes.push(wish(&ground, 1000 + round * 10 + other, &code).await?);
        }
        let outcomes = ground.race(&wishes).await?;
        losers_are_told(&outcomes)?;
        equal("confirmed of the use that came back", confirmed(&outcomes), 1)?;
        equal("uses, counted from orders", uses(&ground).await? - before, 1)?;
        tally.add("failed payments", 1);
        tally.add("uses", confirmed(&outcomes));
    }
    // Alone, the buyer's own second try keeps the reduction.
    coupon(&ground, "OWN", Some(1), None).await?;
    let own = wish(&ground, 5000, "OWN").await?;
    ground.shop.gateway.script([Behaviour::Decline("no-funds")]);
    ground.race(std::slice::from_ref(&own)).await?;
    let again = ground.race(&[own]).await?;
    equal("confirmed of one's own second try", confirmed(&again), 1)?;
    tally.add("own second tries", 1);
    ground.checks().await?;
    Ok(tally)
}
