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
    /// The product.
    pub product: Option<Arc<Product>>,
    /// The notification.
    pub notification: Option<Arc<Notification>>,
    /// The products by SKU; `None` where nothing is sold under it any more.
    pub products: BTreeMap<Sku, Option<ProductId>>,
}

/// Only an order, or nothing.
impl From<Option<&Order>> for AtHand {
    fn from(order: Option<&Order>) -> Self {
        Self { order: order.cloned().map(Arc::new), ..Self::default() }
    }
}

/// What was found before.
impl From<&AtHand> for AtHand {
    fn from(known: &AtHand) -> Self {
        known.clone()
    }
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
                let found = match order_then(shop, recorded, *id).await? {
                    Some(order) => order,
                    None => state::<Order>(shop, *id, need).await?,
                };
                self.order = Some(found);
            }
            Need::Payment(id) => self.payment = Some(state::<Payment>(shop, *id, need).await?),
            Need::Product(id) => self.product = Some(state::<Product>(shop, *id, need).await?),
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

/// The order as it was once the event had happened, where the event is its own: so a message that is sent
/// again says the same. Nothing where its beginning is not kept.
async fn order_then(
    shop: &Commerce,
    recorded: &RecordedEvent,
    id: OrderId,
) -> Result<Option<Arc<Order>>, ReadError> {
    let stream = stream_of::<Order>(id);
    if recorded.stream != stream {
        return Ok(None);
    }
    let (mut order, mut after) = (None, Version::NONE);
    while after < recorded.version {
        let page = shop.store().read_stream(&stream, after, MAX_PAGE).await?;
        if page.is_empty() {
            return Ok(None);
        }
        for past in page.iter().take_while(|past| past.version <= recorded.version) {
            if past.version != after.after(1) {
                return Ok(None);
            }
            let event = decode(&past.event).map_err(ReplayError::from)?;
            order = Some(Order::evolve(order, &event).map_err(ReplayError::from)?);
            after = past.version;
        }
    }
    Ok(order.map(Arc::new))
}
