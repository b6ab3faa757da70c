//! What a message needs beside its event, and where it comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::WireError;
use crate::app::commerce::Commerce;
use crate::app::reading::{Ask, ReadError};
use crate::catalog::{Product, SKU_SCOPE};
use crate::identity::authorise;
use crate::kernel::aggregate::{Aggregate, Permission, stream_of};
use crate::kernel::codec::decode;
use crate::kernel::event::RecordedEvent;
use crate::kernel::replay::ReplayError;
use crate::kernel::stream::Version;
use crate::kernel::unique::Key;
use crate::notifications::Notification;
use crate::orders::Order;
use crate::payments::Payment;
use crate::port::store::MAX_PAGE;
use crate::value::Sku;
use crate::value::actor::Owner;
use crate::value::id::{Id, NotificationId, OrderId, PaymentId, ProductId};

/// What a message needs beside its event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// The order.
    Order(OrderId),
    /// The payment, which knows its order.
    Payment(PaymentId),
    /// The product, which knows its prices.
    Product(ProductId),
    /// The notification, which knows how it reaches its recipient.
    Notification(NotificationId),
    /// Which products are sold under these SKUs.
    Products(Vec<Sku>),
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(id) => write!(f, "order {id}"),
            Self::Payment(id) => write!(f, "payment {id}"),
            Self::Product(id) => write!(f, "product {id}"),
            Self::Notification(id) => write!(f, "notification {id}"),
            Self::Products(skus) => {
                let skus: Vec<&str> = skus.iter().map(Sku::as_str).collect();
                write!(f, "the products of {}", skus.join(", "))
            }
        }
    }
}

/// What is at hand beside an event; nothing to begin with.
#[derive(Debug, Clone, Default)]
pub struct AtHand {
    /// The order, best as it was once the event had happened.
    pub order: Option<Arc<Order>>,
    /// The payment.
    pub payment: Option<Arc<Payment>>,
    /// The product, best as it was once the request was through that caused the event.
    pub product: Option<Arc<Product>>,
    /// The notification.
    pub notification: Option<Arc<Notification>>,
    /// The products by SKU; `None` where nothing is sold under it any more.
    pub products: BTreeMap<Sku, Option<ProductId>>,
}

/// The state of an aggregate, or what is said where there is none.
async fn state<A: Aggregate>(shop: &Commerce, id: Id<A::Root>, need: Need) -> Result<Arc<A>, WireError> {
    let instance = shop.read::<A>(id).await?;
    instance.state.clone().map(Arc::new).ok_or(WireError::Missing(need))
}

impl AtHand {
    /// Finds what is needed, for staff and the system.
    pub(super) async fn find(
        &mut self,
        shop: &Commerce,
        recorded: &RecordedEvent,
        need: Need,
    ) -> Result<(), WireError> {
        let permission = Permission::new("consumer_progress", "advance");
        let allowed = authorise(&shop.request.principal, permission, Some(Owner::Shop));
        allowed.map_err(ReadError::from)?;
        match &need {
            Need::Order(id) => {
                let found = match then::<Order>(shop, recorded, *id, Until::Event).await? {
                    Some(order) => order,
                    None => state::<Order>(shop, *id, need).await?,
                };
                self.order = Some(found);
            }
            Need::Payment(id) => self.payment = Some(state::<Payment>(shop, *id, need).await?),
            Need::Product(id) => {
                let found = match then::<Product>(shop, recorded, *id, Until::Request).await? {
                    Some(product) => product,
                    None => state::<Product>(shop, *id, need).await?,
                };
                self.product = Some(found);
            }
            Need::Notification(id) => {
                self.notification = Some(state::<Notification>(shop, id.cast(), need).await?);
            }
            Need::Products(skus) => {
                let mut ask = Ask::default();
                ask.load.by_claim.extend(skus.iter().map(|sku| Key::new(SKU_SCOPE, sku.as_str())));
                let owners = shop.ask(ask).await.map_err(ReadError::from)?.loaded.by_claim;
                for (sku, owner) in skus.iter().zip(owners) {
                    let product = owner.filter(|owner| owner.kind == Product::NAME);
                    let product = product.and_then(|owner| ProductId::from_uuid(owner.id).ok());
                    self.products.insert(sku.clone(), product);
                }
            }
        }
        Ok(())
    }
}

/// How far an aggregate is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// To the event.
    Event,
    /// To the last event of the same request: a product is created before it has prices.
    Request,
}

/// An aggregate as it was then, where the event is its own: so a message that is sent again says the same.
/// Nothing where its beginning is not kept.
async fn then<A: Aggregate>(
    shop: &Commerce,
    recorded: &RecordedEvent,
    id: Id<A::Root>,
    until: Until,
) -> Result<Option<Arc<A>>, ReadError> {
    let stream = stream_of::<A>(id);
    if recorded.stream != stream {
        return Ok(None);
    }
    let belongs = |event: &RecordedEvent| {
        let same = event.event.metadata.correlation == recorded.event.metadata.correlation;
        event.version <= recorded.version || (until == Until::Request && same)
    };
    let (mut state, mut after) = (None, Version::NONE);
    loop {
        let page = shop.store().read_stream(&stream, after, MAX_PAGE).await?;
        for past in &page {
            if !belongs(past) {
                return Ok(state.map(Arc::new));
            }
            if past.version != after.after(1) {
                return Ok(None);
            }
            let event = decode(&past.event).map_err(ReplayError::from)?;
            state = Some(A::evolve(state, &event).map_err(ReplayError::from)?);
            after = past.version;
        }
        if page.is_empty() {
            return Ok(state.filter(|_| after >= recorded.version).map(Arc::new));
        }
    }
}
