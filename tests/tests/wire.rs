//! What the relay says in every dialect: a consumer written against a source document works unchanged.
//!
//! `golden/wire/` has a file per dialect with the messages of a day in a shop, one a line; of the library's
//! own dialect the first message of every event. `UPDATE_GOLDEN=1` writes them anew, and the change is to be
//! looked at: a message that differs breaks consumers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a failing step is a failing test

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::{Arc, LazyLock};

use commerce_core::app::query::ById;
use commerce_core::app::relay::wire::{AtHand, Need, Profile, WireError, envelope, routing_key, topic};
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::orders::{Order, OrderCommand};
use commerce_core::port::publisher::Outgoing;
use commerce_core::value::Reason;
use commerce_core::value::actor::Actor;
use commerce_core::value::id::OrderId;
use commerce_testkit::fake::Gateway;
use commerce_testkit::shop::Shop;
use commerce_tests::house::root;
use commerce_tests::orders::{Basket, number, order};
use commerce_tests::shopping::{contents, mugs};
use commerce_tests::story::{PHONE, Story};
use commerce_tests::world::id;
use pollster::block_on;
use serde::Deserialize;
use serde_json::{Number, Value};
use uuid::Uuid;

type Told = Vec<(Arc<RecordedEvent>, Vec<Outgoing>)>;

static DAY: LazyLock<Story> = LazyLock::new(|| block_on(Story::day()));

fn told_by(story: &Story, profile: Profile) -> Told {
    let system = story.shop.commerce.acting_as(Actor::System);
    let log = contents(&story.store).log;
    log.into_iter()
        .map(|recorded| {
            let messages = block_on(profile.look_up(&system, &recorded)).unwrap();
            (recorded, messages)
        })
        .collect()
}

fn told(profile: Profile) -> Told {
    told_by(&DAY, profile)
}

fn json(message: &Outgoing) -> Value {
    serde_json::from_slice(&message.body).unwrap()
}

/// The document's name of a message: by its envelope, or by exchange and key where there is none.
fn name(message: &Outgoing) -> String {
    let by_key = [
        ("order.exchange", "order.created", "OrderCreatedEvent"),
        ("order.exchange", "order.confirmed", "OrderConfirmedEvent"),
        ("order.exchange", "order.cancelled", "OrderCancelledEvent"),
        ("payment.exchange", "payment.success", "PaymentSuccessEvent"),
        ("payment.exchange", "payment.failed", "PaymentFailedEvent"),
        ("inventory.exchange", "inventory.reserved", "StockReservedEvent"),
        ("inventory.exchange", "inventory.released", "StockReleasedEvent"),
        ("inventory.exchange", "inventory.low-stock", "LowStockAlertEvent"),
        ("user.exchange", "user.profile.updated", "UserProfileUpdatedEvent"),
    ];
    let known = by_key.iter().find(|(topic, key, _)| (*topic, *key) == (&*message.topic, &*message.key));
    known.map_or_else(
        || json(message)["eventType"].as_str().unwrap().to_owned(),
        |(_, _, name)| (*name).to_owned(),
    )
}

/// The payload of a message, inside its envelope if it has one.
fn payload(message: &Outgoing) -> Value {
    let mut body = json(message);
    if body.get("eventType").is_some() { body["data"].take() } else { body }
}

fn file(profile: Profile) -> String {
    format!("{profile:?}.json").to_lowercase()
}

/// One message a line; bodies as they are, to the byte.
fn golden(profile: Profile) -> String {
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    for (recorded, messages) in told(profile) {
        let event = recorded.event.name.to_string();
        if profile == Profile::Canonical && !seen.insert(event.clone()) {
            continue;
        }
        for message in messages {
            let Outgoing { id, topic, key, ordering, body } = message;
            let body = String::from_utf8(body.to_vec()).unwrap();
            lines.push(format!(
                r#"{{"of":"{event}","id":"{id}","topic":"{topic}","key":"{key}","ordering":"{ordering}","body":{body}}}"#
            ));
        }
    }
    format!("[\n{}\n]\n", lines.join(",\n"))
}

#[test]
fn every_dialect_says_what_it_said() {
    let folder = root().join("tests/golden/wire");
    for profile in Profile::ALL {
        let (path, now) = (folder.join(file(profile)), golden(profile));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, &now).unwrap();
        }
        let before = fs::read_to_string(&path).unwrap_or_default();
        let differs = before.lines().zip(now.lines()).find(|(before, now)| before != now);
        assert_eq!(differs, None, "{profile:?} differs from tests/golden/wire; see UPDATE_GOLDEN");
        assert_eq!(before.lines().count(), now.lines().count(), "{profile:?}");
        assert!(serde_json::from_str::<Vec<Value>>(&now).unwrap().len() > 5, "{profile:?}");
    }
}

/// What the documents and the alias table name. `UserRegistered`, `UserLoggedIn`, `PasswordChanged` and
/// `UserVerifiedEvent` are missing: accounts that sign in are the host's.
fn names(profile: Profile) -> Vec<&'static str> {
    let text = match profile {
        Profile::Seed0 => "ProductCreated OrderPlaced CustomerRegistered PaymentProcessed",
        Profile::Seed1 => {
            "ProductCreated InventoryChanged OrderPlaced OrderPaid OrderShipped OrderStatusChanged"
        }
        Profile::Seed2 => {
            "ProductCreatedEvent ProductUpdatedEvent ProductStockUpdatedEvent ProductDeletedEvent \
             OrderCreatedEvent OrderStatusUpdatedEvent OrderCancelledEvent \
             PaymentProcessedEvent PaymentFailedEvent PaymentRefundedEvent"
        }
        Profile::Seed3 => {
            "ProductCreated ProductUpdated PriceChanged ProductDeleted \
             OrderCreated OrderConfirmed OrderCancelled OrderCompleted \
             PaymentInitiated PaymentProcessed PaymentFailed RefundProcessed PaymentRefunded \
             InventoryReserved InventoryReleased StockLevelChanged LowStockAlert \
             ShipmentCreated ShipmentDispatched ShipmentDelivered TrackingUpdated \
             NotificationSent NotificationFailed EmailDelivered"
        }
        Profile::Seed4 => {
            "OrderCreatedEvent OrderConfirmedEvent OrderCancelledEvent PaymentSuccessEvent \
             PaymentFailedEvent StockReservedEvent StockReleasedEvent LowStockAlertEvent \
             UserProfileUpdatedEvent"
        }
        _ => "",
    };
    text.split_whitespace().collect()
}

#[test]
fn every_name_of_a_document_is_said_and_no_other() {
    for profile in Profile::ALL.into_iter().filter(|profile| *profile != Profile::Canonical) {
        let said: BTreeSet<String> =
            told(profile).iter().flat_map(|(_, messages)| messages.iter().map(name)).collect();
        let known: BTreeSet<String> = names(profile).into_iter().map(str::to_owned).collect();
        assert_eq!(said, known, "{profile:?}");
    }
}

#[test]
fn the_topics_are_those_of_the_documents() {
    let topics = |profile| -> BTreeSet<String> {
        let all = told(profile);
        all.iter().flat_map(|(_, messages)| messages).map(|message| message.topic.to_string()).collect()
    };
    let known = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(topics(Profile::Seed2), known(&["product-events", "order-events", "payment-events"]));
    let services = ["catalog", "order", "payment", "inventory", "shipping", "notification"];
    let services: BTreeSet<String> = services.iter().map(|service| format!("{service}-events")).collect();
    assert_eq!(topics(Profile::Seed3), services);
    let exchanges = ["order.exchange", "payment.exchange", "inventory.exchange", "user.exchange"];
    assert_eq!(topics(Profile::Seed4), known(&exchanges));
}

#[test]
fn the_librarys_own_dialect_is_the_envelope_as_it_was() {
    assert_eq!(Profile::default(), Profile::Canonical);
    for (recorded, messages) in told(Profile::Canonical) {
        let expected = Outgoing {
            id: recorded.event.id,
            topic: topic(&recorded.stream.kind).into(),
            key: routing_key(&recorded.event.name).into(),
            ordering: recorded.stream.to_string().into(),
            body: envelope(&recorded).unwrap().into(),
        };
        assert_eq!(messages, [expected]);
    }
}

#[test]
fn the_payload_fields_are_those_that_the_fifth_document_fixes() {
    let fixed = BTreeMap::from([
        ("OrderCreatedEvent", vec!["OrderId", "UserId", "TotalAmount", "Items"]),
        ("OrderConfirmedEvent", vec!["OrderId", "Items", "DiscountCode"]),
        ("OrderCancelledEvent", vec!["OrderId", "Reason", "Items"]),
        ("PaymentSuccessEvent", vec!["PaymentId", "OrderId", "Amount", "TransactionId"]),
        ("PaymentFailedEvent", vec!["PaymentId", "OrderId", "Reason", "ErrorCode"]),
        ("StockReservedEvent", vec!["ReservationId", "ProductId", "Quantity"]),
        ("StockReleasedEvent", vec!["ProductId", "Quantity", "Reason"]),
        ("LowStockAlertEvent", vec!["ProductId", "CurrentStock", "Threshold"]),
        ("UserProfileUpdatedEvent", vec!["UserId", "UpdatedFields"]),
    ]);
    for (_, messages) in told(Profile::Seed4) {
        for message in messages {
            let body = json(&message);
            let fields: BTreeSet<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
            let expected: BTreeSet<&str> = fixed[name(&message).as_str()].iter().copied().collect();
            assert_eq!(fields, expected);
        }
    }
}

/// As the fifth document's inventory service reads it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OrderConfirmedEvent {
    order_id: Uuid,
    items: Vec<Item>,
    discount_code: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    product_id: Uuid,
    quantity: i32,
    unit_price: Number,
}

/// As the third document's consumers read it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SixFields {
    event_id: Uuid,
    occurred_on: chrono::DateTime<chrono::Utc>,
    event_type: String,
    aggregate_id: Uuid,
    version: i64,
    data: Value,
}

fn first(profile: Profile, wanted: &str) -> Outgoing {
    let mut messages = told(profile).into_iter().flat_map(|(_, messages)| messages);
    messages.find(|message| name(message) == wanted).unwrap()
}

#[test]
fn consumers_of_the_fifth_document_read_what_they_know() {
    let confirmed: OrderConfirmedEvent =
        serde_json::from_slice(&first(Profile::Seed4, "OrderConfirmedEvent").body).unwrap();
    assert_eq!(confirmed.discount_code.as_deref(), Some("SAVE"));
    assert_eq!(confirmed.items.iter().map(|item| item.quantity).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(confirmed.items[0].product_id, DAY.products[0].uuid());
    assert!(!confirmed.order_id.is_nil() && confirmed.items.iter().all(|item| item.unit_price.is_f64()));
    let created = first(Profile::Seed4, "OrderCreatedEvent");
    let text = String::from_utf8(created.body.to_vec()).unwrap();
    // 2 × 12.50 + 9.99, less a tenth.
    assert!(text.contains(r#""TotalAmount":31.49,"Items":["#), "{text}");
    assert_eq!(json(&created)["UserId"], Shop::customer(1).to_string());
}

#[test]
fn consumers_of_the_third_document_read_six_fields() {
    for (recorded, messages) in told(Profile::Seed2) {
        for message in messages {
            let six: SixFields = serde_json::from_slice(&message.body).unwrap();
            assert_eq!(six.event_id, message.id.uuid());
            assert_eq!(six.occurred_on, recorded.event.at.to_datetime());
            assert_eq!(six.version, i64::try_from(recorded.version.get()).unwrap());
            assert!(six.event_type.ends_with("Event") && six.data.is_object());
            let owner = if six.event_type == "ProductStockUpdatedEvent" {
                six.data["productId"].as_str().unwrap().parse().unwrap()
            } else {
                recorded.stream.id
            };
            assert_eq!(six.aggregate_id, owner);
        }
    }
}

#[test]
fn orders_are_followed_from_status_to_status() {
    for (profile, wanted, from, to) in [
        (Profile::Seed1, "OrderStatusChanged", "From", "To"),
        (Profile::Seed2, "OrderStatusUpdatedEvent", "from", "to"),
    ] {
        let mut status: BTreeMap<Arc<str>, String> = BTreeMap::new();
        for message in told(profile).into_iter().flat_map(|(_, messages)| messages) {
            if name(&message) == wanted {
                let step = payload(&message);
                let before = status.entry(message.ordering).or_insert_with(|| "Pending".to_owned());
                assert_eq!(step[from], before.as_str());
                *before = step[to].as_str().unwrap().to_owned();
            }
        }
        let ends: BTreeSet<&str> = status.values().map(String::as_str).collect();
        assert_eq!(ends, BTreeSet::from(["Completed", "Cancelled", "Failed", "Confirmed"]), "{profile:?}");
    }
}

/// A draft is the shop's own business: no document ever hears of it, so none hears of its end.
#[test]
fn a_draft_that_is_given_up_is_told_to_nobody() {
    block_on(async {
        let (shop, store) = mugs(Gateway::capturing(), 1).await;
        let staff = shop.staff();
        let reason = Reason::new("a test").unwrap();
        for index in [0, 1] {
            let content = Basket { cart: None, lines: vec![(2, 150)] }.content();
            staff.execute(order(index), OrderCommand::Draft { content }).await.unwrap();
        }
        let place = OrderCommand::Place { number: number(1), content: None };
        staff.execute(order(1), place).await.unwrap();
        for index in [0, 1] {
            staff.cancel_order(order(index), reason.clone()).await.unwrap();
        }
        let story = Story { shop: shop.clone(), store, products: DAY.products };
        for (profile, count) in
            [(Profile::Seed1, 1), (Profile::Seed2, 2), (Profile::Seed3, 1), (Profile::Seed4, 1)]
        {
            let all = told_by(&story, profile).into_iter();
            let ends = all.filter(|(recorded, _)| recorded.event.name == "OrderCancelled");
            let counts: Vec<usize> = ends.map(|(_, messages)| messages.len()).collect();
            assert_eq!(counts, [0, count], "{profile:?}");
        }
        // Whoever buys without an account is somebody all the same.
        let all = told_by(&story, Profile::Seed4);
        let placed = all.iter().find(|(recorded, _)| recorded.event.name == "OrderPlaced").unwrap();
        assert_eq!(json(&placed.1[0])["UserId"], id::<()>("buyer").to_string());
    });
}

#[test]
fn a_saga_that_is_rolled_back_refunds_under_its_own_name() {
    let refunds = told(Profile::Seed3).into_iter().filter(|(event, _)| event.event.name == "RefundProcessed");
    let said: Vec<Vec<String>> = refunds.map(|(_, messages)| messages.iter().map(name).collect()).collect();
    assert_eq!(said, [vec!["RefundProcessed"], vec!["RefundProcessed", "PaymentRefunded"]]);
}

#[test]
fn a_reservation_is_a_message_per_line() {
    let held = told(Profile::Seed4).into_iter().find(|(event, _)| event.event.name == "InventoryReserved");
    let (recorded, messages) = held.unwrap();
    let units: Vec<Value> = messages.iter().map(|message| json(message)["Quantity"].clone()).collect();
    assert_eq!(units, [2, 1]);
    assert!(messages.iter().all(|one| *one.ordering == recorded.stream.to_string()));
}

#[test]
fn ids_are_the_events_or_follow_from_them() {
    for profile in Profile::ALL {
        let (once, again) = (told(profile), told(profile));
        assert_eq!(once, again, "{profile:?}");
        let mut ids = BTreeSet::new();
        for (recorded, messages) in once {
            let first = messages.first().map(|message| message.id);
            assert!(first.is_none_or(|id| id == recorded.event.id));
            assert!(messages.iter().all(|message| ids.insert(message.id)), "{profile:?}: an id twice");
        }
    }
}

/// What happens later does not change what is said again of what happened before.
#[test]
fn an_event_is_told_again_as_it_was() {
    block_on(async {
        let story = Story::morning().await;
        let receipt = story.buy(1, &[("MUG", 2)]).await;
        let before = Profile::ALL.map(|profile| told_by(&story, profile));
        let reason = Reason::new("changed my mind").unwrap();
        story.shop.buyer(1).cancel_order(receipt.order, reason).await.unwrap();
        story.changed().await;
        for (profile, before) in Profile::ALL.into_iter().zip(before) {
            assert_eq!(told_by(&story, profile)[..before.len()], before, "{profile:?}");
        }
    });
}

#[test]
fn nothing_personal_is_in_any_dialect() {
    let (email, _) = Shop::contact(1);
    for profile in Profile::ALL {
        for message in told(profile).into_iter().flat_map(|(_, messages)| messages) {
            let text = String::from_utf8(message.body.to_vec()).unwrap();
            for secret in [email.as_str(), "Erika", "Mustermann", "Heidestra", "51147", PHONE, "015112345678"]
            {
                assert!(!text.contains(secret), "{profile:?}: {secret} in {text}");
            }
            let stripped = profile == Profile::Canonical || !text.contains("\"personal\"");
            assert!(stripped, "{profile:?}: {text}");
        }
    }
}

#[test]
fn an_order_at_hand_is_enough_for_the_events_of_orders() {
    let staff = DAY.shop.staff();
    let log = contents(&DAY.store).log;
    let confirmed = log.iter().find(|recorded| recorded.event.name == "OrderConfirmed").unwrap();
    let order = OrderId::from_uuid(confirmed.stream.id).unwrap();
    let missing = Profile::Seed4.messages(confirmed, &AtHand::default());
    assert_eq!(missing, Err(WireError::Missing(Need::Order(order))));
    let order = block_on(staff.query(ById::<Order>(order))).unwrap().unwrap();
    let at_hand = AtHand { order: Some(order), ..AtHand::default() };
    let by_hand = Profile::Seed4.messages(confirmed, &at_hand).unwrap();
    assert_eq!(by_hand, block_on(Profile::Seed4.look_up(&staff, confirmed)).unwrap());
    // A payment that its order knows is found by it.
    let paid = log.iter().find(|recorded| recorded.event.name == "PaymentProcessed").unwrap();
    let by_order = Profile::Seed4.messages(paid, &at_hand).unwrap();
    assert_eq!(by_order, block_on(Profile::Seed4.look_up(&staff, paid)).unwrap());
}

#[test]
fn only_staff_and_the_system_look_things_up() {
    let log = contents(&DAY.store).log;
    let confirmed = log.iter().find(|recorded| recorded.event.name == "OrderConfirmed").unwrap();
    let refused = block_on(Profile::Seed4.look_up(&DAY.shop.buyer(1), confirmed)).unwrap_err();
    assert!(matches!(refused, WireError::Read(_)) && !refused.is_permanent(), "{refused}");
}
