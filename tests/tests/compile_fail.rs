//! What does not compile, and that every future of the facade can be sent to another thread.

use commerce_core::app::checkout::CheckoutRequest;
use commerce_core::app::commerce::Commerce;
use commerce_core::app::import::ImportBatch;
use commerce_core::app::shopfront::Listing;
use commerce_core::carts::{Cart, CartCommand};
use commerce_core::kernel::stream::Position;
use commerce_core::port::payment::VerifiedCallback;
use commerce_core::value::id::{CartId, CheckoutId, PaymentId};
use commerce_core::value::{Currency, Quantity, Sku};

#[test]
fn what_mixes_things_up_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}

fn assert_send<T: Send>(_: T) {}
fn assert_shared<T: Send + Sync + Clone + 'static>() {}

/// Never called: that it compiles is the test.
#[allow(dead_code)]
fn futures_are_send(
    shop: &Commerce,
    (cart, checkout, payment): (CartId, CheckoutId, PaymentId),
    (listing, sku, fact): (Listing, &Sku, VerifiedCallback),
    (request, batch): (CheckoutRequest, &ImportBatch),
) {
    assert_send(shop.execute(cart, CartCommand::Abandon));
    assert_send(shop.list(listing));
    assert_send(shop.add_to_cart(cart, sku, Quantity::ONE, Currency::EUR));
    assert_send(shop.quote(cart));
    assert_send(shop.checkout(request));
    assert_send(shop.resume_checkout(checkout));
    assert_send(shop.payment_callback("fake", Vec::new(), Vec::new()));
    assert_send(shop.payment_fact("fake", fact));
    assert_send(shop.settle_payment(payment));
    assert_send(shop.run_due());
    assert_send(shop.run_timers(std::future::pending()));
    assert_send(shop.import(batch));
    assert_send(shop.events_of::<Cart>(Position::START, 1));
}

#[test]
fn the_facade_is_shared_between_threads() {
    assert_shared::<Commerce>();
}
