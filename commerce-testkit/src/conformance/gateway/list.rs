//! Every check of payment gateways with its clause.

use super::super::suite::{PortCheck, port_checks};
use super::fixture::GatewayFixture;
use super::{callback, charge, operation};

/// Hands the checks of the `PaymentGateway` port to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __gateway_checks {
    ([$($with:tt)+] $context:tt) => { $($with)+! { $context
        { charge gateway_has_one_name
            "name: constant." }
        { charge gateway_charges_what_is_asked_for
            "authorize: reserves or takes what is asked for." }
        { charge gateway_same_key_is_one_charge
            "authorize: the same key again answers with the first result." }
        { charge gateway_other_key_is_another_charge
            "authorize: another key is another charge." }
        { charge gateway_decline_is_final
            "authorize: `Declined` is final." }
        { charge gateway_charge_is_looked_up
            "lookup: what came of the call with this key." }
        { charge gateway_unknown_key_is_not_found
            "lookup: `NotFound` where the call did not have an effect." }
        { charge gateway_lost_answer_is_looked_up
            "authorize, lookup: an error with an unknown effect is resolved by looking it up." }
        { operation gateway_captures_no_more_than_authorised
            "capture: in part or whole; never more than was authorised." }
        { operation gateway_same_key_captures_once
            "capture: the same key again takes nothing more." }
        { operation gateway_void_gives_up
            "void: a charge that is given up already counts as success; nothing is taken of it." }
        { operation gateway_refunds_no_more_than_taken
            "refund: in part or whole; never more than was taken." }
        { operation gateway_same_key_refunds_once
            "refund: the same key again gives back nothing more." }
        { operation gateway_equal_refunds_are_two
            "refund: another key is another refund." }
        { operation gateway_operation_is_looked_up
            "lookup: a capture, void or refund." }
        { callback gateway_genuine_callback_is_read
            "verify: authenticates a callback and reads it; changes nothing." }
        { callback gateway_altered_callback_is_refused
            "verify: checks the signature over the bytes of the body." }
        { callback gateway_unsigned_callback_is_refused
            "verify: checks the signature before it looks at the body." }
    } };
}

/// Writes one `#[test]` per clause of the `PaymentGateway` port's contract.
///
/// Takes an async factory of [`GatewayFixture`](crate::conformance::GatewayFixture)s: a sandbox, and how it
/// is made to approve, decline and lose an answer.
///
/// ```no_run
/// # mod sandbox {
/// #     use commerce_testkit::conformance::GatewayFixture;
/// #     use commerce_testkit::fake::Gateway;
/// #     pub async fn fixture() -> GatewayFixture {
/// #         GatewayFixture::new(Gateway::approving(), "card", uuid::Uuid::nil())
/// #     }
/// # }
/// commerce_testkit::gateway_conformance!(|| sandbox::fixture());
/// ```
#[macro_export]
macro_rules! gateway_conformance {
    ($factory:expr $(,)?) => {
        $crate::gateway_conformance!($factory, block_on = $crate::conformance::block_on);
    };
    ($factory:expr, block_on = $block_on:expr $(,)?) => {
        $crate::__gateway_checks!([$crate::__port_tests] [
            $crate::conformance::gateway_checks, $factory, $block_on
        ]);
    };
}

/// The checks of the `PaymentGateway` port, one per clause.
pub fn gateway_checks() -> Vec<PortCheck<GatewayFixture>> {
    crate::__gateway_checks!([port_checks] [])
}
