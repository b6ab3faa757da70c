//! What a checkout refuses, and that a refusal changes nothing.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

use std::collections::BTreeMap;
use std::time::Duration;

use commerce_core::app::callback::{CallbackOutcome, PaymentCallbackError};
use commerce_core::app::checkout::{CheckoutRequest, CheckoutStatus};
use commerce_core::carts::CartCommand;
use commerce_core::catalog::ProductCommand;
use commerce_core::checkout::error::Unavailable;
use commerce_core::checkout::{CheckoutError, payment_of};
use commerce_core::inventory::{Reservation, StockCommand, StockPolicy, stock_item_id};
use commerce_core::kernel::aggregate::Aggregate;
use commerce_core::kernel::error::CommitError;
use commerce_core::orders::{Coverage, Order, OrderStatus};
use commerce_core::payments::{QuarantineReason, QuarantinedCallback};
use commerce_core::port::payment::{CallbackError, CallbackFact, ChargeState, MAX_CALLBACK};
use commerce_core::port::store::Store;
use commerce_core::promotions::{customer_uses_pool, uses_pool};
use commerce_core::settings::SettingsValues;
use commerce_core::value::id::{CartId, LocationId, ProductId};
use commerce_core::value::{Quantity, Sku};
use commerce_testkit::fake::{Behaviour, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::audit::Audit;
use commerce_tests::cases;
use commerce_tests::shopping::{Coupon, contents, mugs, shop};
use commerce_tests::world::{Contents, id};
use pollster::block_on;
use proptest::prelude::*;

fn mug() -> Sku {
    Sku::new("MUG").unwrap()
}

fn main_location() -> LocationId {
    SettingsValues::default().locations[0]
}

fn product_of(store: &dyn Store) -> ProductId {
    Audit::of(store).all::<commerce_core::catalog::Product>()[0].0
}

async fn pays(shop: &Shop, buyer: u64, cart: CartId, cents: i64) -> Result<CheckoutStatus, CheckoutError> {
    let request = CheckoutRequest::new(cart, Shop::euros(cents));
    shop.buyer(buyer).checkout(request).await.map(|receipt| receipt.status)
}

proptest! {
    #![proptest_config(cases(256))]

    /// A change of the cart ends what was shown before; the same cart costs the same again.
    #[test]
    fn carts_3(quantities in prop::collection::vec(1_u32..6, 1..6)) {
        block_on(async {
            let (shop, store) = mugs(Gateway::capturing(), 100).await;
            let cart = shop.cart(1, &[("MUG", 1)]).await.unwrap();
            let line = Audit::of(&store).all::<commerce_core::carts::Cart>()[0].1.lines().iter().next().unwrap().id;
            let mut shown = 1;
            for quantity in quantities {
                shop.buyer(1).execute(cart, CartCommand::ChangeQuantity { line, quantity }).await.unwrap();
                let quote = shop.buyer(1).quote(cart).await.unwrap();
                assert_eq!(quote.total, Shop::euros(1250 * i64::from(quantity)));
                assert_eq!(shop.buyer(1).quote(cart).await.unwrap(), quote);
                if quantity != shown {
                    let outcome = pays(&shop, 1, cart, 1250 * i64::from(shown)).await;
                    assert!(matches!(outcome, Err(CheckoutError::PriceChanged { .. })));
                }
                shown = quantity;
            }
            assert_eq!(pays(&shop, 1, cart, 1250 * i64::from(shown)).await, Ok(CheckoutStatus::Confirmed));
        });
    }

    /// Another price than the one shown is an error with both, and nothing else.
    #[test]
    fn carts_8(units in 1_u32..10, expected in -10_i64..20_000) {
        block_on(async {
            let (shop, store) = mugs(Gateway::capturing(), 10).await;
            let cart = shop.cart(1, &[("MUG", units)]).await.unwrap();
            let actual = 1250 * i64::from(units);
            let before = contents(&store);
            let outcome = pays(&shop, 1, cart, expected).await;
            if expected == actual {
                assert_eq!(outcome, Ok(CheckoutStatus::Confirmed));
            } else {
                let (expected, actual) = (Shop::euros(expected), Shop::euros(actual));
                assert_eq!(outcome, Err(CheckoutError::PriceChanged { expected, actual }));
                assert_eq!(contents(&store), before);
                assert_eq!(shop.gateway.calls(), 0);
            }
        });
    }

    /// Units are taken where they are: an order is refused only where all places together have too little.
    #[test]
    fn units_are_taken_from_several_locations(stocks in prop::array::uniform3(0_u32..5), wanted in 1_u32..13) {
        block_on(splits(stocks, wanted));
    }

    /// What is done to a message ends in a typed error, and nothing changes.
    #[test]
    fn payments_10(at in any::<prop::sample::Index>(), flip in 1_u8..=255, what in 0..5_u8) {
        block_on(tampers(at, flip, what));
    }
}

async fn splits(stocks: [u32; 3], wanted: u32) {
    let (shop, store) = shop(Gateway::capturing());
    let locations = [main_location(), id("second"), id("third")];
    shop.settings(|values| values.locations = locations.to_vec()).await;
    shop.list("MUG", "12.50", stocks[0]).await.unwrap();
    for (location, units) in locations.into_iter().zip(stocks).skip(1) {
        let item = stock_item_id(&mug(), location);
        shop.staff().execute(item, StockCommand::Open { sku: mug(), location }).await.unwrap();
        if let Ok(quantity) = Quantity::new(units) {
            shop.staff().execute(item, StockCommand::Receive { quantity }).await.unwrap();
        }
    }
    let cart = shop.cart(1, &[("MUG", wanted)]).await.unwrap();
    let before = contents(&store);
    let outcome = pays(&shop, 1, cart, 1250 * i64::from(wanted)).await;
    let audit = Audit::of(&store);
    let there: u32 = stocks.iter().sum();
    if there < wanted {
        let Err(CheckoutError::InsufficientStock(short)) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!((short[0].wanted, short[0].available), (i64::from(wanted), i64::from(there)));
        assert_eq!(contents(&store), before);
        return;
    }
    assert_eq!(outcome, Ok(CheckoutStatus::Confirmed));
    audit.agrees_with(&store);
    let reservation = &audit.all::<Reservation>()[0].1;
    let mut taken: BTreeMap<LocationId, u32> = BTreeMap::new();
    for line in reservation.lines() {
        *taken.entry(line.reserved.location).or_default() += line.reserved.quantity.get();
    }
    assert_eq!(taken.values().sum::<u32>(), wanted);
    for (location, units) in locations.iter().zip(stocks) {
        assert!(taken.get(location).copied().unwrap_or(0) <= units);
    }
    // One place where one can serve it, and one parcel for each place.
    let whole = stocks.iter().any(|units| *units >= wanted);
    assert!(!whole || taken.len() == 1);
    assert_eq!(audit.all::<commerce_core::shipping::Shipment>().len(), taken.len());
}

#[test]
fn four_of_three_and_two_are_split_and_six_refused() {
    block_on(async {
        splits([3, 2, 0], 4).await;
        splits([3, 2, 0], 6).await;
    });
}

/// What is stored besides the messages that were not accepted.
fn without_quarantine(store: &dyn Store) -> Contents {
    let mut contents = contents(store);
    contents.log.retain(|recorded| recorded.stream.kind != QuarantinedCallback::NAME);
    contents
}

async fn tampers(at: prop::sample::Index, flip: u8, what: u8) {
    let (shop, store) = mugs(Gateway::redirecting("https://bank.example/3ds"), 10).await;
    let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
    let receipt = shop.buy(1, cart).await.unwrap();
    let message = shop.gateway.decide(payment_of(receipt.checkout), ChargeState::Captured).unwrap();
    let fact: CallbackFact = serde_json::from_slice(&message.body).unwrap();
    let deliver = async |headers, body| shop.commerce.payment_callback("fake", headers, body).await;
    let before = without_quarantine(&store);
    let (outcome, expected) = match what {
        0 => {
            let mut body = message.body.clone();
            let at = at.index(body.len());
            body[at] ^= flip;
            (
                deliver(message.headers.clone(), body).await,
                PaymentCallbackError::Callback(CallbackError::Signature),
            )
        }
        1 => (deliver(Vec::new(), message.body.clone()).await, CallbackError::Signature.into()),
        2 => {
            let body = vec![flip; MAX_CALLBACK + 1];
            (deliver(message.headers.clone(), body).await, CallbackError::TooLong.into())
        }
        _ => {
            let (headers, body) = (message.headers.clone(), message.body.clone());
            let other = shop.commerce.payment_callback("another", headers, body).await;
            (other, PaymentCallbackError::NoGateway)
        }
    };
    let reason = match &expected {
        PaymentCallbackError::Callback(CallbackError::TooLong) => vec![QuarantineReason::TooLong],
        PaymentCallbackError::Callback(_) => vec![QuarantineReason::Signature],
        _ => Vec::new(),
    };
    assert_eq!(outcome, Err(expected));
    assert_eq!(without_quarantine(&store), before);
    let kept: Vec<_> =
        Audit::of(&store).all::<QuarantinedCallback>().into_iter().map(|(_, kept, _)| kept).collect();
    assert_eq!(kept.iter().map(|kept| kept.entry().reason).collect::<Vec<_>>(), reason);
    // The message itself is taken, once; another one under its id is not.
    assert_eq!(deliver(message.headers.clone(), message.body.clone()).await, Ok(CallbackOutcome::Recorded));
    let after = without_quarantine(&store);
    assert_eq!(deliver(message.headers, message.body).await, Ok(CallbackOutcome::AlreadyKnown));
    let reused = Gateway::message(&CallbackFact { at: shop.commerce.now(), ..fact });
    let outcome = deliver(reused.headers, reused.body).await;
    assert_eq!(outcome, Err(PaymentCallbackError::MessageReused));
    assert_eq!(without_quarantine(&store), after);
    let kept = Audit::of(&store).all::<QuarantinedCallback>();
    assert!(kept.iter().any(|(_, kept, _)| kept.entry().reason == QuarantineReason::MessageReused));
}

#[test]
fn carts_9_what_was_taken_back_is_named_and_nothing_is_stored() {
    block_on(async {
        let (shop, store) = mugs(Gateway::capturing(), 10).await;
        let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
        let product = product_of(&store);
        shop.staff().execute(product, ProductCommand::Unpublish).await.unwrap();
        let before = contents(&store);
        let Err(CheckoutError::Lines(lines)) = pays(&shop, 1, cart, 2500).await else {
            panic!("sold what is not for sale");
        };
        assert_eq!((lines.len(), lines[0].1), (1, Unavailable::NotForSale));
        assert_eq!(contents(&store), before);
        // The line is still there, at its price, once the product is back.
        shop.staff().execute(product, ProductCommand::Publish).await.unwrap();
        assert_eq!(pays(&shop, 1, cart, 2500).await, Ok(CheckoutStatus::Confirmed));
    });
}

#[test]
fn payments_5_a_command_id_stands_for_one_request() {
    block_on(async {
        let (shop, store) = mugs(Gateway::capturing(), 10).await;
        let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
        let other = shop.cart(1, &[("MUG", 1)]).await.unwrap();
        let buyer = shop.buyer(1).with_command_id(id("once"));
        let first = buyer.checkout(CheckoutRequest::new(cart, Shop::euros(2500))).await.unwrap();
        let before = contents(&store);
        let again = buyer.checkout(CheckoutRequest::new(cart, Shop::euros(2500))).await.unwrap();
        assert_eq!(again, first);
        for request in [
            CheckoutRequest::new(other, Shop::euros(1250)),
            CheckoutRequest::new(cart, Shop::euros(2501)),
            CheckoutRequest::new(cart, Shop::euros(2500)).pay_with("fake", "another card"),
        ] {
            let outcome = buyer.checkout(request).await;
            assert!(matches!(outcome, Err(CheckoutError::Commit(CommitError::KeyReused(_)))), "{outcome:?}");
        }
        assert_eq!(contents(&store), before);
        assert_eq!(shop.gateway.ledger().accounts().count(), 1);
    });
}

#[test]
fn payments_6_the_announcement_is_stored_before_the_call_and_silence_is_no_refusal() {
    block_on(async {
        let (shop, store) = mugs(Gateway::new(Behaviour::LoseRequest), 10).await;
        let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
        let receipt = shop.buy(1, cart).await.unwrap();
        assert_eq!(receipt.status, CheckoutStatus::Pending);
        let audit = Audit::of(&store);
        let (_, payment, _) = &audit.all::<commerce_core::payments::Payment>()[0];
        assert_eq!(payment.pending().len(), 1);
        assert_eq!(audit.all::<Order>()[0].1.status(), OrderStatus::Pending);
        // Found out by a look, and asked for again under the same key.
        shop.gateway.script([Behaviour::CaptureAndLoseAnswer]);
        for _ in 0..2 {
            shop.clock.advance(Duration::from_secs(61));
            shop.commerce.run_due().await.unwrap();
        }
        let receipt = shop.buyer(1).resume_checkout(receipt.checkout).await.unwrap();
        assert_eq!(receipt.status, CheckoutStatus::Confirmed);
        assert_eq!(shop.gateway.ledger().accounts().count(), 1);
    });
}

#[test]
fn orders_9_a_cart_that_was_bought_gives_its_order_again() {
    block_on(async {
        let (shop, store) = mugs(Gateway::capturing(), 10).await;
        let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
        let first = shop.buy(1, cart).await.unwrap();
        let before = contents(&store);
        // Whatever total is expected by now, and under whatever command id.
        for (number, cents) in [2500, 1, 99_999].into_iter().enumerate() {
            let buyer = shop.buyer(1).with_command_id(id(&format!("command-{number}")));
            let again = buyer.checkout(CheckoutRequest::new(cart, Shop::euros(cents))).await.unwrap();
            assert_eq!(again, first);
        }
        assert_eq!(contents(&store), before);
    });
}

#[test]
fn orders_10_what_is_confirmed_is_covered_and_its_stock_promised() {
    for (gateway, captured) in [(Gateway::capturing(), true), (Gateway::approving(), false)] {
        block_on(async {
            let (shop, store) = mugs(gateway, 10).await;
            let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
            let receipt = shop.buy(1, cart).await.unwrap();
            let audit = Audit::of(&store);
            let (_, order, _) = &audit.all::<Order>()[0];
            let (payment, amount) = (payment_of(receipt.checkout), Shop::euros(2500));
            let covered = match order.coverage() {
                Some(Coverage::Captured { payment: by, amount: sum }) => {
                    captured && (*by, *sum) == (payment, amount)
                }
                Some(Coverage::Authorized { payment: by, amount: sum }) => {
                    !captured && (*by, *sum) == (payment, amount)
                }
                _ => false,
            };
            assert!(covered, "{:?}", order.coverage());
            let committed = audit.all::<Reservation>()[0].1.status();
            assert_eq!(committed, commerce_core::inventory::state::Status::Committed);
        });
    }
}

#[test]
fn promotions_1_a_limit_of_uses_counts_the_customer_too() {
    block_on(async {
        let (shop, store) = mugs(Gateway::capturing(), 50).await;
        let coupon = Coupon { uses: Some(3), each: Some(1), ..Coupon::new("TENTH") };
        coupon.activate(&shop).await;
        for (round, buyer) in [1, 1, 2].into_iter().enumerate() {
            let cart = shop.cart(buyer, &[("MUG", 1)]).await.unwrap();
            coupon.apply(&shop, buyer, cart).await;
            let outcome = pays(&shop, buyer, cart, 1125).await;
            if round == 1 {
                assert!(matches!(outcome, Err(CheckoutError::PromotionExhausted(_))), "{outcome:?}");
            } else {
                assert_eq!(outcome, Ok(CheckoutStatus::Confirmed));
            }
        }
        let pools = Audit::of(&store).pools();
        assert_eq!(pools[&uses_pool(coupon.id())].allocated, 2);
    });
}

#[test]
fn promotions_2_a_failed_payment_gives_the_use_back_and_the_next_attempt_has_it() {
    block_on(async {
        let (shop, store) = mugs(Gateway::capturing(), 50).await;
        let coupon = Coupon { uses: Some(1), each: Some(1), ..Coupon::new("TENTH") };
        coupon.activate(&shop).await;
        let cart = shop.cart(1, &[("MUG", 1)]).await.unwrap();
        coupon.apply(&shop, 1, cart).await;
        shop.gateway.script([Behaviour::Decline("no")]);
        assert!(matches!(pays(&shop, 1, cart, 1125).await, Ok(CheckoutStatus::Failed { .. })));
        let mine = customer_uses_pool(coupon.id(), Shop::subject(1));
        let pools = Audit::of(&store).pools();
        assert_eq!(pools[&uses_pool(coupon.id())].available, 1);
        assert!(!pools.contains_key(&mine), "nothing is held of this customer's uses");
        // While the same checkout waits for the bank, asking again keeps its use and does not need another.
        shop.gateway.script([Behaviour::Redirect("https://bank.example/3ds")]);
        for _ in 0..3 {
            let status = pays(&shop, 1, cart, 1125).await;
            assert!(matches!(status, Ok(CheckoutStatus::ActionRequired { .. })), "{status:?}");
        }
        assert_eq!(Audit::of(&store).pools()[&uses_pool(coupon.id())].held, 1);
        // Nobody else gets it meanwhile.
        let other = shop.cart(2, &[("MUG", 1)]).await.unwrap();
        coupon.apply(&shop, 2, other).await;
        let refused = pays(&shop, 2, other, 1125).await;
        assert!(matches!(refused, Err(CheckoutError::PriceChanged { .. })), "{refused:?}");
        let last = shop.buyer(1).checkout(CheckoutRequest::new(cart, Shop::euros(1125))).await.unwrap();
        let message = shop.gateway.decide(payment_of(last.checkout), ChargeState::Captured).unwrap();
        shop.commerce.payment_callback("fake", message.headers, message.body).await.unwrap();
        let pools = Audit::of(&store).pools();
        assert_eq!((pools[&uses_pool(coupon.id())].allocated, pools[&mine].allocated), (1, 1));
    });
}

#[test]
fn backorder_is_opt_in() {
    block_on(async {
        let (shop, store) = mugs(Gateway::capturing(), 1).await;
        let cart = shop.cart(1, &[("MUG", 3)]).await.unwrap();
        let refused = pays(&shop, 1, cart, 3750).await;
        assert!(matches!(refused, Err(CheckoutError::InsufficientStock(_))), "{refused:?}");
        let policy = StockPolicy::AllowBackorder { limit: 2 };
        let allow = StockCommand::SetPolicy { policy, safety_stock: 0 };
        shop.staff().execute(stock_item_id(&mug(), main_location()), allow).await.unwrap();
        assert_eq!(pays(&shop, 1, cart, 3750).await, Ok(CheckoutStatus::Confirmed));
        let level = shop.level("MUG").await.unwrap();
        assert_eq!((level.available, level.allocated, level.physical()), (-2, 3, 1));
        let next = shop.cart(2, &[("MUG", 1)]).await.unwrap();
        assert!(matches!(pays(&shop, 2, next, 1250).await, Err(CheckoutError::InsufficientStock(_))));
        Audit::of(&store).agrees_with(&store);
    });
}

#[test]
fn identity_4_nobody_buys_or_sees_the_cart_of_another() {
    block_on(async {
        let (shop, store) = mugs(Gateway::capturing(), 10).await;
        let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
        let before = contents(&store);
        assert!(matches!(pays(&shop, 2, cart, 2500).await, Err(CheckoutError::Denied(_))));
        assert!(matches!(shop.buyer(2).quote(cart).await, Err(CheckoutError::Denied(_))));
        assert_eq!(contents(&store), before);
        let command = id("mine");
        let request = || CheckoutRequest::new(cart, Shop::euros(2500));
        let receipt = shop.buyer(1).with_command_id(command).checkout(request()).await.unwrap();
        // Neither by its id, nor by the id of the command, nor by the cart.
        for outcome in [
            shop.buyer(2).resume_checkout(receipt.checkout).await,
            shop.commerce.resume_checkout(receipt.checkout).await,
            shop.buyer(2).with_command_id(command).checkout(request()).await,
            shop.buyer(2).checkout(request()).await,
        ] {
            assert!(matches!(outcome, Err(CheckoutError::Denied(_))), "{outcome:?}");
        }
        assert_eq!(shop.staff().resume_checkout(receipt.checkout).await, Ok(receipt));
    });
}

#[test]
fn a_command_id_fills_a_cart_once() {
    block_on(async {
        let (shop, store) = mugs(Gateway::capturing(), 9).await;
        let (cart, two) = (id("cart"), Quantity::new(2).unwrap());
        let currency = commerce_core::value::Currency::EUR;
        for (click, units) in [("first", 2), ("first", 2), ("second", 4)] {
            let buyer = shop.buyer(1).with_command_id(id(click));
            let added = buyer.add_to_cart(cart, &mug(), two, currency).await.unwrap();
            assert_eq!(added.repeated, added.events.is_empty());
            let carts = Audit::of(&store).all::<commerce_core::carts::Cart>();
            let in_cart: Vec<_> = carts[0].1.lines().iter().map(|line| line.quantity.get()).collect();
            assert_eq!(in_cart, [units]);
        }
    });
}
