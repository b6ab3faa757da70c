//! Checks of captures, voids and refunds.

use commerce_core::port::payment::Lookup;

use super::super::outcome::{Outcome, equal, holds};
use super::fixture::{GatewayFixture, is_final};

pub(crate) async fn gateway_captures_no_more_than_authorised(f: &GatewayFixture) -> Outcome {
    let charge = f.authorized().await?;
    let part = f.gateway.capture(f.operation(&charge, 6_000)).await?;
    equal("the amount of a part", part.amount, f.money(6_000))?;
    let more = f.gateway.capture(f.operation(&charge, 4_001)).await;
    holds("more than is left is refused", is_final(&more))?;
    let rest = f.gateway.capture(f.operation(&charge, 4_000)).await?;
    equal("the amount of the rest", rest.amount, f.money(4_000))
}

pub(crate) async fn gateway_same_key_captures_once(f: &GatewayFixture) -> Outcome {
    let charge = f.authorized().await?;
    let part = f.operation(&charge, 6_000);
    let first = f.gateway.capture(part.clone()).await?;
    equal("the second answer under one key", f.gateway.capture(part).await?, first)?;
    f.gateway.capture(f.operation(&charge, 4_000)).await?;
    Ok(())
}

pub(crate) async fn gateway_void_gives_up(f: &GatewayFixture) -> Outcome {
    let charge = f.authorized().await?;
    let void = f.operation(&charge, 10_000);
    f.gateway.void(void.clone()).await?;
    f.gateway.void(void).await?;
    f.gateway.void(f.operation(&charge, 10_000)).await?;
    let late = f.gateway.capture(f.operation(&charge, 10_000)).await;
    holds("nothing is taken of a charge that was given up", is_final(&late))
}

pub(crate) async fn gateway_refunds_no_more_than_taken(f: &GatewayFixture) -> Outcome {
    let charge = f.captured().await?;
    let part = f.gateway.refund(f.operation(&charge, 2_500)).await?;
    equal("the amount of a part", part.amount, f.money(2_500))?;
    let more = f.gateway.refund(f.operation(&charge, 7_501)).await;
    holds("more than was taken is refused", is_final(&more))?;
    let rest = f.gateway.refund(f.operation(&charge, 7_500)).await?;
    equal("the amount of the rest", rest.amount, f.money(7_500))
}

pub(crate) async fn gateway_same_key_refunds_once(f: &GatewayFixture) -> Outcome {
    let charge = f.captured().await?;
    let part = f.operation(&charge, 5_000);
    let first = f.gateway.refund(part.clone()).await?;
    equal("the second answer under one key", f.gateway.refund(part).await?, first)?;
    f.gateway.refund(f.operation(&charge, 5_000)).await?;
    Ok(())
}

pub(crate) async fn gateway_equal_refunds_are_two(f: &GatewayFixture) -> Outcome {
    let charge = f.captured().await?;
    let first = f.gateway.refund(f.operation(&charge, 1_000)).await?;
    let second = f.gateway.refund(f.operation(&charge, 1_000)).await?;
    holds("two keys are two refunds", first.reference != second.reference)
}

pub(crate) async fn gateway_operation_is_looked_up(f: &GatewayFixture) -> Outcome {
    let charge = f.captured().await?;
    let refund = f.operation(&charge, 1_000);
    let settled = f.gateway.refund(refund.clone()).await?;
    equal("the refund that is looked up", f.gateway.lookup(&refund.key).await?, Lookup::Settled(settled))
}
