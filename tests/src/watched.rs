//! A shop that is watched while everything happens that there is a signal of.

use std::fmt::Debug;
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use commerce_adapters_memory::{MemoryBroker, MemoryCache, MemoryStore, MemoryViews};
use commerce_core::app::caching::{CachePolicy, Cached, Loaded};
use commerce_core::app::checkout::{CheckoutReceipt, CheckoutRequest};
use commerce_core::app::consumer::{Consumer, ConsumerFailure, Delivery};
use commerce_core::app::views::OrderList;
use commerce_core::carts::CartCommand;
use commerce_core::checkout::payment_of;
use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::error::{CommitError, PortError};
use commerce_core::kernel::event::{EventId, RecordedEvent};
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::port::cache::{Cache, CacheKey, ttl};
use commerce_core::port::observer::{Observer, Signal};
use commerce_core::port::payment::{
    Authorize, CallbackFact, ChargeState, GatewayFact, GatewayRef, IdempotencyKey, PaymentGateway,
};
use commerce_core::port::platform::Platform;
use commerce_core::port::publisher::{Outgoing, Publisher};
use commerce_core::port::subscriber::Subscriber;
use commerce_core::resilience::guard::{Call, Which};
use commerce_core::resilience::{BreakerPolicy, Breaking, Guard, Guarded, Observed, Repeat};
use commerce_core::value::id::{CommandId, Id};
use commerce_core::value::{Code, Reason};
use commerce_testkit::fake::{Behaviour, Broker, Clock, Gateway, Ids, Sleeper};
use commerce_testkit::faulty::{Fault, Faults, Faulty, Port, Script};
use commerce_testkit::shop::Shop;
use uuid::Uuid;

use crate::refusing::Refusing;
use crate::shopping::{mugs, shop};
use crate::story::Story;
use crate::world::id;

/// The number of a card, as a careless host might take it for a token.
pub const CARD: &str = "4111111111111111";
/// The request of a buyer whose bank has to be asked.
pub const REQUEST: Uuid = Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_00c0_ffee);
/// What people said, what identifies them, and what is secret, in these scenes.
pub const PERSONAL: [&str; 16] = [
    "Erika",
    "Mustermann",
    "Heidestra",
    "51147",
    "Köln",
    "example.com",
    "15112345678",
    CARD,
    "authorise-payment",
    "notification/",
    "a dent",
    "changed my mind",
    "too slow",
    "insufficient_funds",
    "bank.example",
    "fake-signature",
];

/// Keeps what it sees.
#[derive(Debug, Clone, Default)]
pub struct Diary(Arc<Mutex<Vec<(&'static str, String)>>>);

impl Diary {
    /// The name of every signal, and all that it shows.
    pub fn entries(&self) -> Vec<(&'static str, String)> {
        self.0.lock().unwrap().clone()
    }

    /// Whether there is a signal of this name that shows all of this.
    pub fn shows(&self, name: &str, what: &[&str]) -> bool {
        let shown = |text: &String| what.iter().all(|what| text.contains(what));
        self.entries().iter().any(|(of, text)| *of == name && shown(text))
    }
}

impl Observer for Diary {
    fn observe(&self, signal: &Signal<'_>) {
        self.0.lock().unwrap().push((signal.name(), format!("{signal:?}")));
    }
}

/// Lets everything happen.
pub async fn everything(observer: &Arc<dyn Observer>) {
    let story = Story::morning_in(observed(observer).await).await.goes_on().await;
    followed(&story.shop).await;
    received(&story.shop).await;
    turned_away(&story.shop).await;
    called_back(observer).await;
    parked(observer).await;
    contended(observer).await;
    guarded(observer).await;
    cached(observer).await;
    redirected(observer).await;
}

/// A shop with ten mugs, and somebody who watches it and its gateway.
pub async fn observed(observer: &Arc<dyn Observer>) -> (Shop, MemoryStore) {
    let (clock, gateway) = (Clock::default(), Gateway::capturing());
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let guard = Observed::by("fake", observer.clone(), &platform(&clock));
    let around = Arc::new(Guarded::new(gateway.clone(), guard));
    let mut shop = Shop::on_gateway(Arc::new(store.clone()), clock, gateway, (around, 1));
    shop.commerce = shop.commerce.with_observer(observer.clone());
    shop.list("MUG", "12.50", 10).await.unwrap();
    (shop, store)
}

fn platform(clock: &Clock) -> Platform {
    Platform {
        clock: Arc::new(clock.clone()),
        sleeper: Arc::new(Sleeper::jumping(clock.clone())),
        ids: Arc::new(Ids::seeded(7)),
    }
}

/// Does not like orders, and says so with the address of whoever has placed it.
#[derive(Debug)]
struct Grumpy;

#[async_trait]
impl Consumer for Grumpy {
    fn name(&self) -> Code {
        Code::new("grumpy").unwrap()
    }

    fn wants(&self, event: &RecordedEvent) -> bool {
        event.stream.kind == "order"
    }

    async fn handle(&self, _: Delivery<'_>) -> Result<Commit, ConsumerFailure> {
        Err(ConsumerFailure::permanent(Reason::lossy("Erika Mustermann <buyer1@example.com> bounced")))
    }
}

/// A relay, a consumer and a projector follow the log; some messages are put aside.
async fn followed(shop: &Shop) {
    let staff = shop.staff();
    let broker = Broker::default();
    let relay = staff.relay(Code::new("relay").unwrap(), broker).unwrap();
    let consumer = staff.consumer(Grumpy).unwrap();
    let views = Arc::new(MemoryViews::new());
    let projector = staff.projector(OrderList, views).unwrap();
    relay.lag().await.unwrap();
    consumer.lag().await.unwrap();
    projector.lag().await.unwrap();
    while !relay.round().await.unwrap().end {}
    while !consumer.round().await.unwrap().end {}
    projector.catch_up().await.unwrap();
    projector.lag().await.unwrap();
}

/// A broker brings what is no envelope, and an envelope that somebody has written a name into.
async fn received(shop: &Shop) {
    let broker = MemoryBroker::new(Arc::new(shop.clock.clone()));
    let subscriber: Arc<dyn Subscriber> = Arc::new(broker.subscribe("group", ["topic"]));
    let envelope = format!(
        r#"{{"eventId":"{}","occurredOn":"2011-01-04T10:00:00.000000Z","eventType":"Erika <a@example.com>",
        "aggregateId":"{REQUEST}","aggregateType":"order","version":1,"schemaVersion":1,
        "correlationId":"{REQUEST}","actor":{},"data":null}}"#,
        Uuid::from_u128(8),
        r#""system""#,
    );
    let bodies = ["Erika Mustermann".to_owned(), envelope];
    let message = |(number, body): (u8, &String)| Outgoing {
        id: EventId::derived(Uuid::nil(), &[number]),
        topic: "topic".into(),
        key: "key".into(),
        ordering: "ordering".into(),
        body: Arc::from(body.as_bytes()),
    };
    broker.publish((0..).zip(&bodies).map(message).collect()).await.unwrap();
    let receiver = shop.staff().receiver(Grumpy, subscriber).unwrap();
    let round = receiver.round().await.unwrap();
    assert_eq!(round.buried, 2, "{round:?}");
}

/// Somebody sends a message that the gateway has not signed.
async fn turned_away(shop: &Shop) {
    let headers = vec![("fake-signature".to_owned(), "guessed".to_owned())];
    let body = b"Erika Mustermann, buyer1@example.com".to_vec();
    shop.commerce.payment_callback("fake", headers, body).await.unwrap_err();
}

/// The gateway says that a buyer has paid, says it again, and then speaks of another charge.
async fn called_back(observer: &Arc<dyn Observer>) {
    let (mut shop, _) = mugs(Gateway::redirecting("https://bank.example/3ds"), 10).await;
    shop.commerce = shop.commerce.with_observer(observer.clone());
    let cart = shop.cart(1, &[("MUG", 1)]).await.unwrap();
    let receipt = shop.buy(1, cart).await.unwrap();
    let payment = payment_of(receipt.checkout);
    let paid = shop.gateway.decide(payment, ChargeState::Authorized).unwrap();
    let other = Gateway::message(&CallbackFact {
        event: "other".into(),
        payment: Some(payment),
        charge: GatewayRef("of somebody else".into()),
        fact: GatewayFact::Authorized { amount: receipt.total },
        at: shop.commerce.now(),
    });
    for message in [paid.clone(), paid, other] {
        let _ = shop.commerce.payment_callback("fake", message.headers, message.body).await;
    }
}

/// The gateway authorises, and never captures.
async fn parked(observer: &Arc<dyn Observer>) {
    let (mut shop, _) = mugs(Gateway::approving(), 10).await;
    shop.commerce = shop.commerce.with_observer(observer.clone());
    let refusals = std::iter::repeat_n(Behaviour::Decline("insufficient_funds"), 1000);
    shop.gateway.script(std::iter::once(Behaviour::Approve).chain(refusals));
    let cart = shop.cart(1, &[("MUG", 1)]).await.unwrap();
    shop.buy(1, cart).await.unwrap();
    shop.settle().await.unwrap();
}

/// Others are faster, and a request is repeated.
async fn contended(observer: &Arc<dyn Observer>) {
    let (Shop { clock, gateway, .. }, store) = shop(Gateway::capturing());
    let stale = || CommitError::Stale {
        stream: StreamId::new("cart", REQUEST),
        expected: Version::NONE,
        actual: Version::new(1),
    };
    let store = Refusing::on(store, "cart", stale);
    let mut shop = Shop::on(store.clone(), clock, gateway);
    shop.commerce = shop.commerce.with_observer(observer.clone());
    shop.list("MUG", "12.50", 10).await.unwrap();
    let cart = shop.cart(1, &[("MUG", 1)]).await.unwrap();
    store.next(2);
    let contact = |number| CartCommand::SetContact { email: Shop::contact(number).0 };
    let buyer = shop.buyer(1).with_command_id(CommandId::derived(Uuid::nil(), b"contact"));
    for _ in 0..2 {
        buyer.execute(cart, contact(4)).await.unwrap();
    }
    shop.buyer(2).execute(cart, contact(5)).await.unwrap_err();
    store.next(9);
    shop.buyer(1).execute(cart, contact(6)).await.unwrap_err();
}

/// A gateway that fails for a while behind its circuit, and a caller who does not wait.
async fn guarded(observer: &Arc<dyn Observer>) {
    let (clock, gateway) = (Clock::default(), Gateway::approving());
    let platform = platform(&clock);
    gateway.script([Behaviour::FailBefore, Behaviour::LoseRequest, Behaviour::Decline("no")]);
    let policy = BreakerPolicy { failures: 2, ..BreakerPolicy::default() };
    let breaking = Breaking::by(policy, &platform).watched("acme", observer.clone());
    let watched = Observed::by("acme", observer.clone(), &platform);
    let gateway = Guarded::new(Guarded::new(gateway, breaking), watched.clone());
    for number in 0..4 {
        let _ = gateway.authorize(authorise(number)).await;
        if number == 2 {
            clock.advance(Duration::from_secs(60));
        }
    }
    let which = Which { operation: "authorize", repeat: Repeat::Keyed };
    let mut call = pin!(watched.around(which, || -> Call<'_, (), PortError> { Box::pin(pending()) }));
    poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_pending())).await;
}

/// The page of somebody's account, out of a cache that fails in the end.
async fn cached(observer: &Arc<dyn Observer>) {
    let clock = Clock::default();
    let cache: Arc<dyn Cache> = Arc::new(MemoryCache::new(Arc::new(clock.clone())));
    let faults = Faults::scripted(Script::default().nth(Port::Cache, "get", 5, Fault::FailBefore));
    let cache: Faulty<dyn Cache> = Faulty::on(cache, faults);
    let pages = Cached::<u8, PortError>::new(Arc::new(cache), CachePolicy::keeping(ttl::PROFILE), 1)
        .serving_stale(ttl::PROFILE, Arc::new(clock.clone()))
        .watched(observer.clone());
    let key = CacheKey::new("user", "profile", "buyer1@example.com", "Erika Mustermann").unwrap();
    for _ in 0..4 {
        pages.get(&key, || async { Ok(Loaded::new(Some(7))) }).await.unwrap();
        clock.advance(ttl::PROFILE / 2);
    }
}

fn authorise(number: u32) -> Authorize {
    Authorize {
        key: IdempotencyKey(format!("{number}:authorise-payment").into()),
        payment: id(&format!("payment {number}")),
        order: id("order"),
        amount: Shop::euros(1000),
        capture: false,
        method: CARD.into(),
    }
}

/// A buyer whose request bears an id is sent to their bank and does not come back; gives what stands at the
/// end.
pub async fn redirected(observer: &Arc<dyn Observer>) -> (Shop, MemoryStore, CheckoutReceipt) {
    let (shop, store) = observed(observer).await;
    shop.gateway.script([Behaviour::Redirect("https://bank.example/3ds")]);
    let cart = shop.cart(3, &[("MUG", 1)]).await.unwrap();
    let buyer = shop.buyer(3).with_correlation(REQUEST, Some(Id::<()>::derived(REQUEST, b"click").uuid()));
    let total = buyer.quote(cart).await.unwrap().total;
    let request = CheckoutRequest::new(cart, total).pay_with("fake", CARD);
    let receipt = buyer.checkout(request).await.unwrap();
    shop.settle().await.unwrap();
    (shop, store, receipt)
}
