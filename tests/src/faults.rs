//! A process that dies where a test says: around a commit or around a call of the gateway.
//!
//! Dying is a future that never goes on: whoever polls it with [`until_it_dies`] drops it, as the end of a
//! process would.

use std::collections::BTreeSet;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use commerce_adapters_memory::MemoryStore;
use commerce_core::checkout::CheckoutEvent;
use commerce_core::kernel::codec::decode;
use commerce_core::kernel::commit::{Commit, Load, Loaded, Receipt};
use commerce_core::kernel::error::{CommitError, PortError};
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::payments::PaymentEvent;
use commerce_core::port::payment::{
    Authorize, CallbackError, CallbackRequest, Charge, GatewayError, IdempotencyKey, Lookup, Operation,
    PaymentGateway, Settled, VerifiedCallback,
};
use commerce_core::port::store::{Capabilities, Due, DueQuery, LogQuery, Page, Row, Store, Table};
use commerce_core::value::id::PaymentId;
use commerce_testkit::fake::Gateway;
use pollster::block_on;

/// Where a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// In front of the next commit but this many.
    BeforeCommit(u8),
    /// Behind the next commit but this many.
    AfterCommit(u8),
    /// In front of the gateway's next call.
    BeforeCall,
    /// Behind the gateway's next call.
    AfterCall,
}

/// When the process dies, and what a watcher saw; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    death: Option<Death>,
    violations: Vec<String>,
    unvoided: BTreeSet<PaymentId>,
}

impl Faults {
    /// The process dies there.
    pub fn die(&self, death: Option<Death>) {
        self.lock().death = death;
    }

    /// Calls that must not have been made.
    pub fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
    }

    /// Whether the gateway has refused to give up what it had reserved.
    pub fn refused_to_void(&self, payment: PaymentId) -> bool {
        self.lock().unvoided.contains(&payment)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// Whether a commit dies, and behind it or in front of it.
    fn at_commit(&self) -> Option<bool> {
        let mut guard = self.lock();
        match guard.death {
            Some(Death::BeforeCommit(0)) => Some(false),
            Some(Death::AfterCommit(0)) => Some(true),
            Some(Death::BeforeCommit(left)) => {
                guard.death = Some(Death::BeforeCommit(left - 1));
                None
            }
            Some(Death::AfterCommit(left)) => {
                guard.death = Some(Death::AfterCommit(left - 1));
                None
            }
            _ => None,
        }
    }

    fn dies(&self, death: Death) -> bool {
        self.lock().death == Some(death)
    }
}

/// Polls until the future is done or its process is dead.
pub fn until_it_dies<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// The store of a process that may die.
#[derive(Debug, Clone)]
pub struct MortalStore {
    /// What outlives it.
    pub store: MemoryStore,
    /// When it dies.
    pub faults: Faults,
}

#[async_trait]
impl Store for MortalStore {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    async fn load(&self, load: Load) -> Result<Loaded, PortError> {
        self.store.load(load).await
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt, CommitError> {
        match self.faults.at_commit() {
            Some(false) => pending().await,
            Some(true) => {
                let _ = self.store.commit(commit).await;
                pending().await
            }
            None => self.store.commit(commit).await,
        }
    }

    async fn read_all(&self, query: LogQuery) -> Result<Page, PortError> {
        self.store.read_all(query).await
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        limit: u32,
    ) -> Result<Vec<Arc<RecordedEvent>>, PortError> {
        self.store.read_stream(stream, after, limit).await
    }

    async fn due(&self, query: DueQuery) -> Result<Due, PortError> {
        self.store.due(query).await
    }

    async fn scan(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Vec<Row>, PortError> {
        self.store.scan(table, after, limit).await
    }
}

/// A gateway whose caller may die, and that watches for calls forward once undoing has begun.
#[derive(Debug, Clone)]
pub struct WatchedGateway {
    /// The gateway.
    pub gateway: Gateway,
    /// Where the checkouts are.
    pub store: MemoryStore,
    /// When its caller dies.
    pub faults: Faults,
}

impl WatchedGateway {
    /// Notes a forward call of a checkout that is being undone.
    fn forward(&self, payment: PaymentId, call: &str) {
        let read = |kind: &'static str, id| {
            let stream = StreamId { kind: kind.into(), id };
            block_on(self.store.read_stream(&stream, Version::NONE, 1000)).unwrap()
        };
        let begun = read("payment", payment.uuid()).into_iter().next().expect("announced before it is made");
        let PaymentEvent::Initiated { checkout, .. } = decode(&begun.event).unwrap() else {
            panic!("a payment begins otherwise");
        };
        let undoing = read("checkout", checkout.uuid()).iter().any(|recorded| {
            matches!(decode(&recorded.event).unwrap(), CheckoutEvent::CompensationStarted { .. })
        });
        if undoing {
            self.faults.lock().violations.push(format!("{call} of {payment} while {checkout} is undone"));
        }
    }

    async fn around<T>(&self, call: impl Future<Output = T> + Send) -> T {
        if self.faults.dies(Death::BeforeCall) {
            pending::<()>().await;
        }
        let answer = call.await;
        if self.faults.dies(Death::AfterCall) {
            pending::<()>().await;
        }
        answer
    }
}

#[async_trait]
impl PaymentGateway for WatchedGateway {
    fn name(&self) -> &'static str {
        self.gateway.name()
    }

    async fn authorize(&self, request: Authorize) -> Result<Charge, GatewayError> {
        self.forward(request.payment, "authorize");
        self.around(self.gateway.authorize(request)).await
    }

    async fn capture(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.forward(request.payment, "capture");
        self.around(self.gateway.capture(request)).await
    }

    async fn void(&self, request: Operation) -> Result<Settled, GatewayError> {
        let payment = request.payment;
        let answer = self.gateway.void(request).await;
        if matches!(answer, Err(GatewayError::Declined { .. })) {
            self.faults.lock().unvoided.insert(payment);
        }
        self.around(async { answer }).await
    }

    async fn refund(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.around(self.gateway.refund(request)).await
    }

    async fn lookup(&self, key: &IdempotencyKey) -> Result<Lookup, GatewayError> {
        self.gateway.lookup(key).await
    }

    fn verify(&self, request: &CallbackRequest) -> Result<VerifiedCallback, CallbackError> {
        self.gateway.verify(request)
    }
}
