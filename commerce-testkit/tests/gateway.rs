//! The fake gateway keeps the contract of its port, and the checks of gateways bite.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::sync::Arc;

use commerce_core::port::payment::{CallbackFact, CallbackRequest, GatewayFact, GatewayRef, PaymentGateway};
use commerce_core::value::time::Timestamp;
use commerce_testkit::broken::{BrokenGateway, GatewayBreak};
use commerce_testkit::conformance::{GatewayFixture, Verdict, gateway_checks, port, run_port};
use commerce_testkit::fake::{Behaviour, Gateway};
use pollster::block_on;
use uuid::Uuid;

fn callback() -> CallbackRequest {
    Gateway::message(&CallbackFact {
        event: "message-1".into(),
        payment: None,
        charge: GatewayRef("charge-1".into()),
        fact: GatewayFact::Voided,
        at: Timestamp::UNIX_EPOCH,
    })
}

/// A fake that declines one means of payment, in front of which something may be broken.
fn sandbox(flaw: Option<GatewayBreak>, capturing: bool) -> GatewayFixture {
    let fake = if capturing { Gateway::capturing() } else { Gateway::approving() };
    let fake = fake.declining_method("stolen", "stolen-card");
    let (gateway, loses): (Arc<dyn PaymentGateway>, _) = (Arc::new(fake.clone()), fake);
    GatewayFixture::new(BrokenGateway::before(gateway, Some(callback()), flaw), "card", Uuid::nil())
        .declining("stolen")
        .with_callback(callback())
        .with_lost_answer(move || loses.script([Behaviour::LoseAnswer]))
}

commerce_testkit::gateway_conformance!(|| async { sandbox(None, false) });

#[test]
fn a_gateway_that_takes_the_money_at_once_conforms_too() {
    let report = block_on(port(gateway_checks(), || async { sandbox(None, true).taking_at_once() }));
    report.assert();
    let reason = "the gateway takes all with the authorisation";
    let skipped = [
        "gateway_captures_no_more_than_authorised",
        "gateway_same_key_captures_once",
        "gateway_void_gives_up",
    ];
    assert_eq!(report.skipped(), skipped.map(|name| (name, reason)));
}

#[test]
fn what_cannot_be_provoked_is_skipped_by_name() {
    let bare = || async { GatewayFixture::new(Gateway::approving(), "card", Uuid::nil()) };
    let report = block_on(port(gateway_checks(), bare));
    report.assert();
    let skipped: Vec<_> = report.skipped().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        skipped,
        [
            "gateway_decline_is_final",
            "gateway_lost_answer_is_looked_up",
            "gateway_genuine_callback_is_read",
            "gateway_altered_callback_is_refused",
            "gateway_unsigned_callback_is_refused"
        ]
    );
}

#[test]
fn every_break_is_caught_by_its_check() {
    let checks = gateway_checks();
    let caught = |flaw: GatewayBreak| {
        let check = checks.iter().find(|check| check.name == flaw.caught_by());
        let check = check.expect("the check of a break exists");
        let verdict = block_on(run_port(check, &|| async move { sandbox(Some(flaw), false) }));
        matches!(verdict, Verdict::Failed(_))
    };
    let missed: Vec<_> = GatewayBreak::ALL.iter().filter(|flaw| !caught(**flaw)).collect();
    assert!(missed.is_empty(), "breaks that their check does not catch: {missed:?}");
}

#[test]
fn every_check_catches_a_break() {
    let caught: BTreeSet<&str> = GatewayBreak::ALL.iter().map(|flaw| flaw.caught_by()).collect();
    let idle: Vec<_> =
        gateway_checks().into_iter().map(|check| check.name).filter(|name| !caught.contains(name)).collect();
    assert!(idle.is_empty(), "checks that no break is meant for: {idle:?}");
}
