//! Checks of charges.

use commerce_core::kernel::error::Effect;
use commerce_core::port::payment::{Authorize, ChargeState, GatewayError, Lookup};

use super::super::outcome::{Outcome, equal, holds, present};
use super::fixture::GatewayFixture;

pub(crate) async fn gateway_has_one_name(f: &GatewayFixture) -> Outcome {
    let first = f.gateway.name();
    holds("it has a name", !first.is_empty())?;
    f.captured().await?;
    equal("its name behind some calls", f.gateway.name(), first)
}

pub(crate) async fn gateway_charges_what_is_asked_for(f: &GatewayFixture) -> Outcome {
    let charge = f.gateway.authorize(f.request(&f.key())).await?;
    equal("the amount of the charge", charge.amount, f.money(10_000))?;
    holds("it has a reference", !charge.reference.0.is_empty())?;
    let approved = matches!(charge.state, ChargeState::Authorized | ChargeState::Captured);
    holds("an approved means of payment is approved", approved)
}

pub(crate) async fn gateway_same_key_is_one_charge(f: &GatewayFixture) -> Outcome {
    let request = f.request(&f.key());
    let first = f.gateway.authorize(request.clone()).await?;
    equal("the second answer under one key", f.gateway.authorize(request).await?, first)
}

pub(crate) async fn gateway_other_key_is_another_charge(f: &GatewayFixture) -> Outcome {
    let first = f.gateway.authorize(f.request(&f.key())).await?;
    let second = f.gateway.authorize(f.request(&f.key())).await?;
    holds("another key is another charge", first.reference != second.reference)
}

pub(crate) async fn gateway_decline_is_final(f: &GatewayFixture) -> Outcome {
    let method = present("a means of payment that is declined", f.declines.clone())?;
    let request = Authorize { method, ..f.request(&f.key()) };
    let declined = |result: &Result<_, GatewayError>| matches!(result, Err(GatewayError::Declined { .. }));
    let first = f.gateway.authorize(request.clone()).await;
    holds("a means of payment that is declined is declined", declined(&first))?;
    holds("and stays so under its key", declined(&f.gateway.authorize(request).await))
}

pub(crate) async fn gateway_charge_is_looked_up(f: &GatewayFixture) -> Outcome {
    let key = f.key();
    let charge = f.gateway.authorize(f.request(&key)).await?;
    equal("the charge that is looked up", f.gateway.lookup(&key).await?, Lookup::Charge(charge))
}

pub(crate) async fn gateway_unknown_key_is_not_found(f: &GatewayFixture) -> Outcome {
    equal("what a key that nobody used comes to", f.gateway.lookup(&f.key()).await?, Lookup::NotFound)
}

pub(crate) async fn gateway_lost_answer_is_looked_up(f: &GatewayFixture) -> Outcome {
    let lose = present("a way to lose an answer", f.lose_answer.as_ref())?;
    let key = f.key();
    lose();
    let lost = f.gateway.authorize(f.request(&key)).await;
    let unknown = match &lost {
        Err(GatewayError::Port(error)) => error.effect == Effect::Unknown,
        _ => false,
    };
    holds("a lost answer has an unknown effect", unknown)?;
    holds("what was carried out is found", matches!(f.gateway.lookup(&key).await?, Lookup::Charge(_)))?;
    let again = f.gateway.authorize(f.request(&key)).await?;
    equal("the charge behind a repeat", f.gateway.lookup(&key).await?, Lookup::Charge(again))
}
