//! The ports that can be guarded, and what makes each of their calls safe to repeat.

use std::time::Duration;

use async_trait::async_trait;

use super::{Guard, Guarded, Which};
use crate::kernel::error::PortError;
use crate::kernel::stream::Version;
use crate::port::cache::{Cache, CacheKey, CachePrefix, Fill, Found, Tag};
use crate::port::carrier::{Carrier, CarrierRate, RateRequest};
use crate::port::notifier::{Notice, Notifier, NotifierError};
use crate::port::payment::{
    Authorize, CallbackError, CallbackRequest, Charge, GatewayError, IdempotencyKey, Lookup, Operation,
    PaymentGateway, Settled, VerifiedCallback,
};
use crate::port::publisher::{Outgoing, PublishError, Publisher};
use crate::port::rate_limiter::{Acquired, Limit, LimitKey, RateLimiter};
use crate::port::session::{Session, SessionKey, SessionStore, SessionWrite};
use crate::port::tax::{TaxCalculator, TaxRequest};
use crate::resilience::Repeat;
use crate::value::{Channel, Code, TaxRate};

const fn keyed(operation: &'static str) -> Which {
    Which { operation, repeat: Repeat::Keyed }
}

const fn once(operation: &'static str) -> Which {
    Which { operation, repeat: Repeat::Once }
}

const fn reading(operation: &'static str) -> Which {
    Which { operation, repeat: Repeat::Read }
}

/// Every operation bears an idempotency key; a look-up reads. The name and the check of callbacks are the
/// gateway's own and are not guarded.
#[async_trait]
impl<P: PaymentGateway + ?Sized, G: Guard> PaymentGateway for Guarded<P, G> {
    fn name(&self) -> &'static str {
        self.port.name()
    }

    async fn authorize(&self, request: Authorize) -> Result<Charge, GatewayError> {
        self.guard.around(keyed("authorize"), || self.port.authorize(request.clone())).await
    }

    async fn capture(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.guard.around(keyed("capture"), || self.port.capture(request.clone())).await
    }

    async fn void(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.guard.around(keyed("void"), || self.port.void(request.clone())).await
    }

    async fn refund(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.guard.around(keyed("refund"), || self.port.refund(request.clone())).await
    }

    async fn lookup(&self, key: &IdempotencyKey) -> Result<Lookup, GatewayError> {
        self.guard.around(reading("lookup"), || self.port.lookup(key)).await
    }

    fn verify(&self, request: &CallbackRequest) -> Result<VerifiedCallback, CallbackError> {
        self.port.verify(request)
    }
}

#[async_trait]
impl<P: Carrier + ?Sized, G: Guard> Carrier for Guarded<P, G> {
    async fn rates(&self, request: RateRequest) -> Result<Vec<CarrierRate>, PortError> {
        self.guard.around(reading("rates"), || self.port.rates(request.clone())).await
    }
}

#[async_trait]
impl<P: TaxCalculator + ?Sized, G: Guard> TaxCalculator for Guarded<P, G> {
    async fn rates(&self, request: TaxRequest) -> Result<Vec<TaxRate>, PortError> {
        self.guard.around(reading("rates"), || self.port.rates(request.clone())).await
    }
}

/// A message bears a key: the same one is sent once.
#[async_trait]
impl<P: Notifier + ?Sized, G: Guard> Notifier for Guarded<P, G> {
    fn serves(&self, channel: Channel) -> bool {
        self.port.serves(channel)
    }

    async fn send(&self, notice: Notice) -> Result<Option<Code>, NotifierError> {
        self.guard.around(keyed("send"), || self.port.send(notice.clone())).await
    }
}

/// Messages bear ids by which consumers know a repeat.
#[async_trait]
impl<P: Publisher + ?Sized, G: Guard> Publisher for Guarded<P, G> {
    async fn publish(&self, batch: Vec<Outgoing>) -> Result<(), PublishError> {
        self.guard.around(keyed("publish"), || self.port.publish(batch.clone())).await
    }
}

/// Every call may be repeated.
#[async_trait]
impl<P: Cache + ?Sized, G: Guard> Cache for Guarded<P, G> {
    async fn get(&self, key: &CacheKey) -> Result<Found, PortError> {
        self.guard.around(reading("get"), || self.port.get(key)).await
    }

    async fn set(&self, key: &CacheKey, fill: Fill) -> Result<bool, PortError> {
        self.guard.around(keyed("set"), || self.port.set(key, fill.clone())).await
    }

    async fn remove(&self, key: &CacheKey, version: Option<Version>) -> Result<bool, PortError> {
        self.guard.around(keyed("remove"), || self.port.remove(key, version)).await
    }

    async fn remove_tag(&self, tag: &Tag) -> Result<(), PortError> {
        self.guard.around(keyed("remove_tag"), || self.port.remove_tag(tag)).await
    }

    async fn remove_prefix(&self, prefix: &CachePrefix) -> Result<(), PortError> {
        self.guard.around(keyed("remove_prefix"), || self.port.remove_prefix(prefix)).await
    }

    async fn exists(&self, key: &CacheKey) -> Result<bool, PortError> {
        self.guard.around(reading("exists"), || self.port.exists(key)).await
    }

    async fn refresh(&self, key: &CacheKey, ttl: Duration) -> Result<bool, PortError> {
        self.guard.around(keyed("refresh"), || self.port.refresh(key, ttl)).await
    }
}

/// What was taken out of a bucket is not taken twice.
#[async_trait]
impl<P: RateLimiter + ?Sized, G: Guard> RateLimiter for Guarded<P, G> {
    async fn acquire(&self, key: &LimitKey, limit: Limit, cost: u32) -> Result<Acquired, PortError> {
        self.guard.around(once("acquire"), || self.port.acquire(key, limit, cost)).await
    }
}

/// A write that is repeated meets its own revision, and would be refused.
#[async_trait]
impl<P: SessionStore + ?Sized, G: Guard> SessionStore for Guarded<P, G> {
    async fn get(&self, key: &SessionKey) -> Result<Option<Session>, PortError> {
        self.guard.around(reading("get"), || self.port.get(key)).await
    }

    async fn put(&self, key: &SessionKey, write: SessionWrite) -> Result<Option<u64>, PortError> {
        self.guard.around(once("put"), || self.port.put(key, write.clone())).await
    }

    async fn remove(&self, key: &SessionKey) -> Result<bool, PortError> {
        self.guard.around(keyed("remove"), || self.port.remove(key)).await
    }
}
