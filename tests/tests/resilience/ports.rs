//! The ports that are no gateways, behind guards.

use std::collections::BTreeMap;
use std::sync::Arc;

use commerce_core::port::carrier::{Carrier as _, Destination, RateRequest};
use commerce_core::port::notifier::{Contact, Notice, Notifier, NotifierError};
use commerce_core::port::payment::IdempotencyKey;
use commerce_core::port::publisher::{Outgoing, Publisher};
use commerce_core::port::tax::{TaxCalculator, TaxRequest};
use commerce_core::prelude::*;
use commerce_core::resilience::{Backoff, Fallback, Guarded, Retrying};
use commerce_core::value::{Channel, Code, Label, TaxClass, TaxRate};
use commerce_testkit::fake::{
    Broker, Carrier, Clock, Delivery, Levy, Offer, Outbox, Reception, START, TaxTable,
};
use commerce_testkit::shop::Shop;
use commerce_tests::world::id;
use pollster::block_on;

use super::{platform, seconds};

fn retrying(clock: &Clock) -> Retrying {
    Retrying::by(Backoff::default(), &platform(clock))
}

fn notice(number: u32) -> Notice {
    Notice {
        key: IdempotencyKey(format!("notice-{number}").into()),
        channel: Channel::Email,
        template: Code::new("order-confirmed").unwrap(),
        subject: Shop::subject(1),
        contact: Contact { email: Some(Email::new("anna@example.com").unwrap()), phone: None },
        data: BTreeMap::new(),
    }
}

#[test]
fn a_message_is_sent_once_however_often_it_is_handed_over() {
    block_on(async {
        let (clock, outbox) = (Clock::default(), Outbox::taking());
        let notifier = Guarded::new(outbox.clone(), retrying(&clock));
        let channels = [Channel::Email, Channel::Sms, Channel::Push];
        assert_eq!(
            channels.map(|channel| notifier.serves(channel)),
            channels.map(|channel| outbox.serves(channel))
        );
        outbox.script([Reception::FailBefore, Reception::LoseAnswer]);
        let first = notifier.send(notice(1)).await.unwrap();
        assert!(first.is_some(), "the provider's name for it");
        assert_eq!((outbox.calls(), outbox.taken().len(), seconds(&clock)), (3, 1, 3));
        // What the recipient does not want is not asked again.
        outbox.script([Reception::Unwanted]);
        assert!(matches!(notifier.send(notice(2)).await, Err(NotifierError::Unwanted(_))));
        assert_eq!(outbox.calls(), 4);
        outbox.script([
            Reception::LoseRequest,
            Reception::FailBefore,
            Reception::FailBefore,
            Reception::FailBefore,
        ]);
        let Err(NotifierError::Port(error)) = notifier.send(notice(3)).await else { panic!("it was sent") };
        assert_eq!((error.effect, outbox.calls()), (Effect::Unknown, 8));
    });
}

fn outgoing(number: u32) -> Outgoing {
    Outgoing {
        id: id(&format!("message {number}")),
        topic: "order-events".into(),
        key: "order.placed".into(),
        ordering: "order:1".into(),
        body: Arc::from(&b"{}"[..]),
    }
}

#[test]
fn a_batch_is_published_again_only_where_nothing_of_it_was_taken() {
    block_on(async {
        let (clock, broker) = (Clock::default(), Broker::default());
        let publisher = Guarded::new(broker.clone(), retrying(&clock));
        let batch = || vec![outgoing(1), outgoing(2)];
        broker.script([Delivery::FailBefore, Delivery::FailBefore]);
        assert_eq!(publisher.publish(batch()).await, Ok(()));
        assert_eq!((broker.taken().len(), seconds(&clock)), (2, 3));
        // The first message once more would come behind the second one: that is for whoever keeps the order.
        broker.script([Delivery::Take, Delivery::FailBefore]);
        let failed = publisher.publish(batch()).await.unwrap_err();
        assert_eq!((failed.taken, failed.failed.effect), (1, Effect::None));
        assert_eq!((broker.taken().len(), seconds(&clock)), (3, 3));
        broker.script([
            Delivery::LoseRequest,
            Delivery::FailBefore,
            Delivery::FailBefore,
            Delivery::FailBefore,
        ]);
        let failed = publisher.publish(batch()).await.unwrap_err();
        assert_eq!((failed.taken, failed.failed.effect), (0, Effect::Unknown));
    });
}

fn taxes(percent: &str) -> (TaxTable, TaxRate) {
    let (name, rate) = (Label::new("VAT").unwrap(), Rate::parse(percent).unwrap());
    let rate = TaxRate { name, class: TaxClass::Standard, rate };
    (TaxTable::new().levying(None, rate.clone()), rate)
}

#[test]
fn questions_are_asked_again() {
    block_on(async {
        let clock = Clock::default();
        let (table, rate) = taxes("19");
        let guarded = Guarded::new(table.clone(), retrying(&clock));
        let request =
            || TaxRequest { to: None, classes: vec![TaxClass::Standard], currency: Currency::EUR, at: START };
        table.script([Levy::Fail(PortErrorKind::Throttled)]);
        assert_eq!(guarded.rates(request()).await, Ok(vec![rate.clone()]));
        assert_eq!((table.asked().len(), seconds(&clock)), (2, 1));

        let (second, other) = taxes("7");
        let either = Fallback::new(Arc::new(table.clone()), Arc::new(second));
        assert_eq!(either.rates(request()).await, Ok(vec![rate]));
        table.script([Levy::Fail(PortErrorKind::Unavailable), Levy::Fail(PortErrorKind::Invalid)]);
        assert_eq!(either.rates(request()).await, Ok(vec![other]));
        assert_eq!(either.rates(request()).await.unwrap_err().kind, PortErrorKind::Invalid);

        let carrier = Carrier::new().offering("express", 790, None);
        let guarded = Guarded::new(carrier.clone(), retrying(&clock));
        carrier.script([Offer::Fail(PortErrorKind::Timeout)]);
        let to = Destination { country: "DE".parse().unwrap(), region: None, postcode: None };
        let request = RateRequest { to, subtotal: Shop::euros(1000), goods: Vec::new() };
        assert_eq!(guarded.rates(request).await.unwrap().len(), 1);
        assert_eq!(carrier.asked().len(), 2);
    });
}
