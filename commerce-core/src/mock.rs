//! Mocks of every port, with [mockall](https://docs.rs/mockall): say which calls are expected, and what they
//! answer. For tests that are about one call; where behaviour matters, `commerce-testkit` has fakes, which
//! keep the contracts of their ports by themselves.
#![allow(missing_docs)] // mockall writes the methods; each expects a call of the port's method of that name
#![allow(clippy::ref_option_ref)] // in code that mockall writes

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mockall::mock;
use uuid::Uuid;

use crate::kernel::commit::{Commit, Fence, Load, Loaded, Receipt};
use crate::kernel::error::{CommitError, PortError};
use crate::kernel::event::RecordedEvent;
use crate::kernel::stream::{StreamId, Version};
use crate::port::cache::{Cache, CacheKey, CachePrefix, Fill, Found, Invalidation, Invalidations, Tag};
use crate::port::carrier::{Carrier, CarrierRate, RateRequest};
use crate::port::clock::{Clock, Sleeper};
use crate::port::ids::Ids;
use crate::port::lease::{Granted, Lease};
use crate::port::notifier::{Notice, Notifier, NotifierError};
use crate::port::observer::{Observer, Signal};
use crate::port::payment::{
    Authorize, CallbackError, CallbackRequest, Charge, GatewayError, IdempotencyKey, Lookup, Operation,
    PaymentGateway, Settled, VerifiedCallback,
};
use crate::port::publisher::{Outgoing, PublishError, Publisher};
use crate::port::rate_limiter::{Acquired, Limit, LimitKey, RateLimiter};
use crate::port::session::{Session, SessionKey, SessionStore, SessionWrite};
use crate::port::store::{Capabilities, Due, DueQuery, LogQuery, Opening, Page, Row, Store, Table};
use crate::port::tax::{TaxCalculator, TaxRequest};
use crate::port::view::{
    Document, FacetQuery, Facets, ViewBatch, ViewError, ViewId, ViewPage, ViewQuery, ViewSchema, ViewState,
    ViewStore,
};
use crate::value::time::Timestamp;
use crate::value::{Channel, Code, TaxRate};

mock! {
    /// A mock of the store.
    #[derive(Debug)]
    pub Store {}

    #[async_trait]
    impl Store for Store {
        fn capabilities(&self) -> Capabilities;
        async fn load(&self, load: Load) -> Result<Loaded, PortError>;
        async fn commit(&self, commit: Commit) -> Result<Receipt, CommitError>;
        async fn read_all(&self, query: LogQuery) -> Result<Page, PortError>;
        async fn read_stream(
            &self,
            stream: &StreamId,
            after: Version,
            limit: u32,
        ) -> Result<Vec<Arc<RecordedEvent>>, PortError>;
        async fn due(&self, query: DueQuery) -> Result<Due, PortError>;
        async fn scan<'s, 'a>(
            &'s self,
            table: Table,
            after: Option<&'a str>,
            limit: u32,
        ) -> Result<Vec<Row>, PortError>;
        async fn opening<'s, 'a>(
            &'s self,
            table: Table,
            after: Option<&'a str>,
            limit: u32,
        ) -> Result<Opening, PortError>;
    }
}

mock! {
    /// A mock of named leases.
    #[derive(Debug)]
    pub Lease {}

    #[async_trait]
    impl Lease for Lease {
        async fn acquire(&self, name: &str, span: Duration) -> Result<Option<Granted>, PortError>;
        async fn renew(&self, fence: &Fence, span: Duration) -> Result<Option<Granted>, PortError>;
        async fn release(&self, fence: &Fence) -> Result<(), PortError>;
    }
}

mock! {
    /// A mock of the clock.
    #[derive(Debug)]
    pub Clock {}

    impl Clock for Clock {
        fn now(&self) -> Timestamp;
    }
}

mock! {
    /// A mock of whatever waits.
    #[derive(Debug)]
    pub Sleeper {}

    #[async_trait]
    impl Sleeper for Sleeper {
        async fn sleep_until(&self, time: Timestamp);
    }
}

mock! {
    /// A mock of the source of identifiers.
    #[derive(Debug)]
    pub Ids {}

    impl Ids for Ids {
        fn next(&self, now: Timestamp) -> Uuid;
    }
}

mock! {
    /// A mock of somebody who watches.
    #[derive(Debug)]
    pub Observer {}

    impl Observer for Observer {
        fn observe<'s>(&self, signal: &Signal<'s>);
    }
}

mock! {
    /// A mock of a payment gateway.
    #[derive(Debug)]
    pub PaymentGateway {}

    #[async_trait]
    impl PaymentGateway for PaymentGateway {
        fn name(&self) -> &'static str;
        async fn authorize(&self, request: Authorize) -> Result<Charge, GatewayError>;
        async fn capture(&self, request: Operation) -> Result<Settled, GatewayError>;
        async fn void(&self, request: Operation) -> Result<Settled, GatewayError>;
        async fn refund(&self, request: Operation) -> Result<Settled, GatewayError>;
        async fn lookup(&self, key: &IdempotencyKey) -> Result<Lookup, GatewayError>;
        fn verify(&self, request: &CallbackRequest) -> Result<VerifiedCallback, CallbackError>;
    }
}

mock! {
    /// A mock of a provider of messages.
    #[derive(Debug)]
    pub Notifier {}

    #[async_trait]
    impl Notifier for Notifier {
        fn serves(&self, channel: Channel) -> bool;
        async fn send(&self, notice: Notice) -> Result<Option<Code>, NotifierError>;
    }
}

mock! {
    /// A mock of a carrier.
    #[derive(Debug)]
    pub Carrier {}

    #[async_trait]
    impl Carrier for Carrier {
        async fn rates(&self, request: RateRequest) -> Result<Vec<CarrierRate>, PortError>;
    }
}

mock! {
    /// A mock of a tax service.
    #[derive(Debug)]
    pub TaxCalculator {}

    #[async_trait]
    impl TaxCalculator for TaxCalculator {
        async fn rates(&self, request: TaxRequest) -> Result<Vec<TaxRate>, PortError>;
    }
}

mock! {
    /// A mock of a broker.
    #[derive(Debug)]
    pub Publisher {}

    #[async_trait]
    impl Publisher for Publisher {
        async fn publish(&self, batch: Vec<Outgoing>) -> Result<(), PublishError>;
    }
}

mock! {
    /// A mock of a store of views.
    #[derive(Debug)]
    pub ViewStore {}

    #[async_trait]
    impl ViewStore for ViewStore {
        async fn define(&self, schema: ViewSchema) -> Result<(), ViewError>;
        async fn state(&self, view: &str) -> Result<ViewState, ViewError>;
        async fn write(&self, batch: ViewBatch) -> Result<(), ViewError>;
        async fn get(
            &self,
            view: &str,
            generation: Option<u32>,
            ids: Vec<Arc<str>>,
        ) -> Result<Vec<Option<Document>>, ViewError>;
        async fn find(&self, query: ViewQuery) -> Result<ViewPage, ViewError>;
        async fn facets(&self, query: FacetQuery) -> Result<Facets, ViewError>;
        async fn switch(&self, view: &ViewId) -> Result<(), ViewError>;
    }
}

mock! {
    /// A mock of a cache.
    #[derive(Debug)]
    pub Cache {}

    #[async_trait]
    impl Cache for Cache {
        async fn get(&self, key: &CacheKey) -> Result<Found, PortError>;
        async fn set(&self, key: &CacheKey, fill: Fill) -> Result<bool, PortError>;
        async fn remove(&self, key: &CacheKey, version: Option<Version>) -> Result<bool, PortError>;
        async fn remove_tag(&self, tag: &Tag) -> Result<(), PortError>;
        async fn remove_prefix(&self, prefix: &CachePrefix) -> Result<(), PortError>;
        async fn exists(&self, key: &CacheKey) -> Result<bool, PortError>;
        async fn refresh(&self, key: &CacheKey, ttl: Duration) -> Result<bool, PortError>;
    }
}

mock! {
    /// A mock of what tells others what was removed from a cache.
    #[derive(Debug)]
    pub Invalidations {}

    #[async_trait]
    impl Invalidations for Invalidations {
        async fn announce(&self, invalidation: &Invalidation) -> Result<(), PortError>;
    }
}

mock! {
    /// A mock of limits.
    #[derive(Debug)]
    pub RateLimiter {}

    #[async_trait]
    impl RateLimiter for RateLimiter {
        async fn acquire(&self, key: &LimitKey, limit: Limit, cost: u32) -> Result<Acquired, PortError>;
    }
}

mock! {
    /// A mock of a store of sessions.
    #[derive(Debug)]
    pub SessionStore {}

    #[async_trait]
    impl SessionStore for SessionStore {
        async fn get(&self, key: &SessionKey) -> Result<Option<Session>, PortError>;
        async fn put(&self, key: &SessionKey, write: SessionWrite) -> Result<Option<u64>, PortError>;
        async fn remove(&self, key: &SessionKey) -> Result<bool, PortError>;
    }
}
