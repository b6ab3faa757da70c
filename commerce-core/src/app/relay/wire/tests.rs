//! What a dialect says of single events, and what it needs for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::{AtHand, Need, Profile, WireError};
use crate::catalog::{Product, ProductEvent};
use crate::inventory::{Reservation, ReservationEvent, ReservedLine, StockEvent, StockItem};
use crate::kernel::aggregate::Aggregate;
use crate::kernel::codec::{CodecError, encode};
use crate::kernel::event::{DomainEvent, EventId, Metadata, NewEvent, RecordedEvent};
use crate::kernel::stream::{Position, StreamId, Version};
use crate::notifications::{Notification, NotificationEvent};
use crate::orders::{Order, OrderEvent};
use crate::payments::{Payment, PaymentEvent};
use crate::port::payment::GatewayRef;
use crate::promotions::{Promotion, PromotionEvent};
use crate::value::actor::Actor;
use crate::value::id::{CheckoutId, Id, LocationId, ProductId, RefundId};
use crate::value::time::Timestamp;
use crate::value::{Code, Currency, Money, Quantity, Reason, Sku};

const STREAM: Uuid = Uuid::from_u128(0x5eed);

fn recorded<A: Aggregate>(event: &A::Event) -> RecordedEvent {
    let encoded = encode(event).unwrap();
    let event = NewEvent {
        id: EventId::derived(Uuid::nil(), b"event"),
        name: event.name().into(),
        schema: 1,
        at: Timestamp::UNIX_EPOCH,
        metadata: Metadata { correlation: Uuid::nil(), causation: None, actor: Actor::System },
        data: encoded.data,
        personal: encoded.personal,
    };
    let stream = StreamId::new(A::NAME, STREAM);
    RecordedEvent { position: Position::START, stream, version: Version::new(1), event }
}

fn id<T>() -> Id<T> {
    Id::from_uuid(STREAM).unwrap()
}

fn derived<T>(name: &str) -> Id<T> {
    Id::derived(Uuid::nil(), name.as_bytes())
}

fn sku(text: &str) -> Sku {
    Sku::new(text).unwrap()
}

fn reason() -> Reason {
    Reason::new("a test").unwrap()
}

fn captured() -> RecordedEvent {
    recorded::<Payment>(&PaymentEvent::Captured {
        charge: GatewayRef("charge".into()),
        operation: GatewayRef("capture".into()),
        amount: Money::from_minor(1250, Currency::EUR),
        key: None,
    })
}

fn refunded() -> RecordedEvent {
    recorded::<Payment>(&PaymentEvent::Refunded {
        refund: Some(RefundId::derived(Uuid::nil(), b"refund")),
        key: None,
        operation: GatewayRef("refund".into()),
        amount: Money::from_minor(1250, Currency::EUR),
    })
}

fn reserved() -> RecordedEvent {
    let line = |text| ReservedLine {
        sku: sku(text),
        location: derived("location"),
        quantity: Quantity::new(2).unwrap(),
    };
    recorded::<Reservation>(&ReservationEvent::Reserved {
        checkout: derived("checkout"),
        lines: vec![line("MUG"), line("GONE"), line("MUG")],
        expires_at: Timestamp::UNIX_EPOCH,
        extendable_until: Timestamp::UNIX_EPOCH,
    })
}

fn missing(profile: Profile, recorded: &RecordedEvent) -> Option<Need> {
    match profile.messages(recorded, &AtHand::default()) {
        Err(WireError::Missing(need)) => Some(need),
        _ => None,
    }
}

#[test]
fn a_dialect_says_what_it_needs() {
    use Profile::{Seed0, Seed1, Seed2, Seed3, Seed4};
    let cancelled = recorded::<Order>(&OrderEvent::Cancelled { reason: reason(), cart: None });
    for profile in [Seed1, Seed2, Seed3, Seed4] {
        assert_eq!(missing(profile, &cancelled), Some(Need::Order(id())), "{profile:?}");
    }
    for profile in [Seed0, Seed1, Seed2, Seed3, Seed4] {
        assert_eq!(missing(profile, &captured()), Some(Need::Payment(id())), "{profile:?}");
    }
    for profile in [Seed2, Seed3] {
        assert_eq!(missing(profile, &refunded()), Some(Need::Payment(id())), "{profile:?}");
    }
    let delivered = recorded::<Notification>(&NotificationEvent::Delivered);
    assert_eq!(missing(Seed3, &delivered), Some(Need::Notification(id())));
    for profile in [Seed3, Seed4] {
        let skus = vec![sku("GONE"), sku("MUG")];
        assert_eq!(missing(profile, &reserved()), Some(Need::Products(skus)), "{profile:?}");
    }
    assert_eq!(missing(Seed0, &cancelled), None);
}

#[test]
fn a_need_says_of_whom() {
    let need = Need::Products(vec![sku("MUG"), sku("CAP")]);
    assert_eq!(WireError::Missing(need).to_string(), "missing beside the event: the products of MUG, CAP");
    assert_eq!(Need::Order(id()).to_string(), format!("order {STREAM}"));
}

#[test]
fn what_no_document_knows_is_left_out() {
    let ended = recorded::<Promotion>(&PromotionEvent::Archived { code_freed: None });
    let noted = recorded::<Order>(&OrderEvent::Unblocked);
    let published = recorded::<Product>(&ProductEvent::Published);
    for event in [ended, noted, published] {
        for profile in Profile::ALL.into_iter().filter(|profile| *profile != Profile::Canonical) {
            assert_eq!(
                profile.messages(&event, &AtHand::default()),
                Ok(Vec::new()),
                "{profile:?}: {}",
                event.event.name
            );
        }
        assert_eq!(Profile::Canonical.messages(&event, &AtHand::default()).map(|all| all.len()), Ok(1));
    }
}

#[test]
fn a_line_of_which_nothing_is_sold_any_more_is_left_out() {
    let (event, mug) = (reserved(), derived("mug"));
    let products = BTreeMap::from([(sku("MUG"), Some(mug)), (sku("GONE"), None)]);
    let messages = Profile::Seed4.messages(&event, &AtHand { products, ..AtHand::default() }).unwrap();
    let expected = format!(r#"{{"ReservationId":"{STREAM}","ProductId":"{mug}","Quantity":2}}"#);
    assert_eq!(messages.len(), 2);
    assert!(messages.iter().all(|message| *message.body == *expected.as_bytes()));
    assert_eq!(messages[0].id, event.event.id);
    assert_eq!(messages[1].id, EventId::derived(event.event.id.uuid(), b"StockReservedEvent/1"));
}

#[test]
fn an_alert_is_a_low_stock_of_the_product() {
    let (mug, location): (ProductId, LocationId) = (derived("mug"), derived("location"));
    let alert = StockEvent::LowStock { sku: sku("MUG"), location, available: -1, threshold: 5 };
    let at_hand = AtHand { products: BTreeMap::from([(sku("MUG"), Some(mug))]), ..AtHand::default() };
    let message = Profile::Seed4.messages(&recorded::<StockItem>(&alert), &at_hand).unwrap().remove(0);
    assert_eq!((&*message.topic, &*message.key), ("inventory.exchange", "inventory.low-stock"));
    assert_eq!(
        *message.body,
        *format!(r#"{{"ProductId":"{mug}","CurrentStock":-1,"Threshold":5}}"#).as_bytes()
    );
    let gone = AtHand { products: BTreeMap::from([(sku("MUG"), None)]), ..AtHand::default() };
    assert_eq!(Profile::Seed4.messages(&recorded::<StockItem>(&alert), &gone), Ok(Vec::new()));
}

#[test]
fn a_payload_that_cannot_be_read_is_said_and_kept_apart_from_a_newer_one() {
    let mut broken = captured();
    broken.event.data = Arc::from(&b"{"[..]);
    assert_eq!(Profile::Canonical.messages(&broken, &AtHand::default()), Err(WireError::NoJson));
    let error = Profile::Seed4.messages(&broken, &AtHand::default()).unwrap_err();
    assert!(matches!(error, WireError::Payload(CodecError::Malformed { .. })) && error.is_permanent());
    let mut newer = captured();
    newer.event.schema = 9;
    assert!(!Profile::Seed4.messages(&newer, &AtHand::default()).unwrap_err().is_permanent());
    let mut nameless = captured();
    nameless.stream = StreamId::new(Payment::NAME, Uuid::nil());
    assert_eq!(Profile::Seed4.messages(&nameless, &AtHand::default()), Err(WireError::NoId));
}

#[test]
fn a_payment_that_fails_names_its_order_itself() {
    let order = crate::checkout::order_of(CheckoutId::derived(Uuid::nil(), b"checkout"));
    let failed = recorded::<Payment>(&PaymentEvent::Failed { order, code: "refused".into() });
    let message = Profile::Seed4.messages(&failed, &AtHand::default()).unwrap().remove(0);
    let body =
        format!(r#"{{"PaymentId":"{STREAM}","OrderId":"{order}","Reason":"refused","ErrorCode":"refused"}}"#);
    assert_eq!(*message.body, *body.as_bytes());
}

#[test]
fn a_notification_that_was_sent_needs_nothing() {
    let sent = recorded::<Notification>(&NotificationEvent::Sent { reference: Code::new("r").ok() });
    let message = Profile::Seed3.messages(&sent, &AtHand::default()).unwrap().remove(0);
    assert_eq!((&*message.topic, &*message.key), ("notification-events", "notification.sent"));
}
