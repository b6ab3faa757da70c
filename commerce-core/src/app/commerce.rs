//! The handle of a shop.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::cache::StateCache;
use crate::identity::Principal;
use crate::kernel::event::Metadata;
use crate::kernel::timer::{DueTimer, LeaseToken, TimerKey};
use crate::port::carrier::Carrier;
use crate::port::clock::Sleeper;
use crate::port::ids::Ids;
use crate::port::notifier::Notifier;
use crate::port::observer::Observer;
use crate::port::payment::PaymentGateway;
pub use crate::port::platform::Platform;
use crate::port::store::Store;
use crate::port::tax::TaxCalculator;
use crate::value::Channel;
use crate::value::actor::Actor;
use crate::value::id::{CommandId, Id};
use crate::value::time::Timestamp;

/// A shop: one handle for all contexts.
///
/// Clones share everything; a clone made by [`acting_as`](Self::acting_as) or
/// [`with_command_id`](Self::with_command_id) differs in that one thing. The fresh handle acts for nobody
/// who may do anything: permissions are denied by default.
#[derive(Clone)]
pub struct Commerce {
    pub(crate) shared: Arc<Shared>,
    pub(crate) request: Request,
}

/// What all clones share.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) platform: Platform,
    pub(crate) gateways: Vec<Arc<dyn PaymentGateway>>,
    pub(crate) notifiers: Vec<Arc<dyn Notifier>>,
    pub(crate) carriers: Vec<Arc<dyn Carrier>>,
    pub(crate) taxes: Option<Arc<dyn TaxCalculator>>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) cache: StateCache,
}

/// Who asks, and under which ids.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) principal: Principal,
    pub(crate) command_id: Option<CommandId>,
    pub(crate) correlation: Option<Uuid>,
    pub(crate) causation: Option<Uuid>,
    pub(crate) lease: TimerLease,
    /// The time by which it is decided, where the store has told it.
    pub(crate) now: Option<Timestamp>,
}

/// The lease under which a due timer is handled. The first commit of the handler names it, so that a worker
/// whose lease ran out changes nothing; what that commit does to the timer ends the lease.
#[derive(Debug, Clone, Default)]
pub(crate) struct TimerLease(Arc<Mutex<Option<(TimerKey, LeaseToken)>>>);

impl TimerLease {
    /// The lease of a timer that was given out.
    pub(crate) fn of(timer: &DueTimer) -> Self {
        Self(Arc::new(Mutex::new(Some((timer.key.clone(), timer.token)))))
    }

    /// What the next commit has to name.
    pub(crate) fn named(&self) -> Option<(TimerKey, LeaseToken)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A commit has named it.
    pub(crate) fn used(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Commerce {
    /// A shop on this store and platform, without a payment gateway.
    pub fn new(store: impl Store, platform: Platform) -> Self {
        Self::from_arc(Arc::new(store), platform)
    }

    /// A shop on a store that is shared with others.
    pub fn from_arc(store: Arc<dyn Store>, platform: Platform) -> Self {
        let shared = Shared {
            store,
            platform,
            gateways: Vec::new(),
            notifiers: Vec::new(),
            carriers: Vec::new(),
            taxes: None,
            observer: None,
            cache: StateCache::default(),
        };
        let nobody = Principal::from(Actor::Guest(Id::derived(Uuid::nil(), b"nobody")));
        let request = Request {
            principal: nobody,
            command_id: None,
            correlation: None,
            causation: None,
            lease: TimerLease::default(),
            now: None,
        };
        Self { shared: Arc::new(shared), request }
    }

    /// With a payment gateway; several are told apart by their names.
    ///
    /// Made before the first clone: a later call starts an independent cache.
    #[must_use]
    pub fn with_payment_gateway(self, gateway: impl PaymentGateway) -> Self {
        self.with_shared_gateway(Arc::new(gateway))
    }

    /// With a payment gateway that is shared with others.
    #[must_use]
    pub fn with_shared_gateway(self, gateway: Arc<dyn PaymentGateway>) -> Self {
        self.rebuilt(|shared| shared.gateways.push(gateway))
    }

    /// With a provider of messages that is shared with others.
    #[must_use]
    pub fn with_shared_notifier(self, notifier: Arc<dyn Notifier>) -> Self {
        self.rebuilt(|shared| shared.notifiers.push(notifier))
    }

    pub(super) fn rebuilt(self, change: impl FnOnce(&mut Shared)) -> Self {
        let mut shared = Shared {
            store: self.shared.store.clone(),
            platform: self.shared.platform.clone(),
            gateways: self.shared.gateways.clone(),
            notifiers: self.shared.notifiers.clone(),
            carriers: self.shared.carriers.clone(),
            taxes: self.shared.taxes.clone(),
            observer: self.shared.observer.clone(),
            cache: StateCache::default(),
        };
        change(&mut shared);
        Self { shared: Arc::new(shared), request: self.request }
    }

    /// The same shop, acting for somebody whom the host has authenticated.
    #[must_use]
    pub fn acting_as(&self, who: impl Into<Principal>) -> Self {
        let mut other = self.clone();
        other.request.principal = who.into();
        other
    }

    /// The same shop; the next command bears this id, and a repeat of it returns the first result.
    #[must_use]
    pub fn with_command_id(&self, id: CommandId) -> Self {
        let mut other = self.clone();
        other.request.command_id = Some(id);
        other
    }

    /// The same shop; events bear this correlation id and, where given, what caused them.
    #[must_use]
    pub fn with_correlation(&self, correlation: Uuid, causation: Option<Uuid>) -> Self {
        let mut other = self.clone();
        other.request.correlation = Some(correlation);
        other.request.causation = causation;
        other
    }

    /// The system, handling a timer that was leased to it.
    pub(crate) fn under_lease(&self, timer: &DueTimer) -> Self {
        let mut other = self.acting_as(Actor::System);
        other.request.lease = TimerLease::of(timer);
        other
    }

    /// The same shop, deciding by a time that the store has told.
    pub(crate) fn at(&self, now: Timestamp) -> Self {
        let mut other = self.clone();
        other.request.now = Some(now);
        other
    }

    /// A new id, time-ordered.
    pub fn new_id<T>(&self) -> Id<T> {
        let now = self.now();
        // A port that gives nil breaks its contract; deriving keeps the id valid instead of panicking.
        Id::from_uuid(self.ids().next(now))
            .unwrap_or_else(|_| Id::derived(Uuid::nil(), &now.as_micros().to_be_bytes()))
    }

    /// The shop's present time.
    pub fn now(&self) -> Timestamp {
        self.request.now.unwrap_or_else(|| self.shared.platform.clock.now())
    }

    /// The store that it stands on.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.shared.store
    }

    pub(crate) fn ids(&self) -> &dyn Ids {
        &*self.shared.platform.ids
    }

    pub(crate) fn sleeper(&self) -> &dyn Sleeper {
        &*self.shared.platform.sleeper
    }

    pub(crate) fn gateway(&self, name: &str) -> Option<&Arc<dyn PaymentGateway>> {
        self.shared.gateways.iter().find(|gateway| gateway.name() == name)
    }

    pub(crate) fn notifier(&self, channel: Channel) -> Option<&Arc<dyn Notifier>> {
        self.shared.notifiers.iter().find(|notifier| notifier.serves(channel))
    }

    /// The metadata of events of this request.
    pub(crate) fn metadata(&self) -> Metadata {
        let causation = self.request.causation.or(self.request.command_id.map(Id::uuid));
        let correlation = self
            .request
            .correlation
            .or(self.request.command_id.map(Id::uuid))
            .unwrap_or_else(|| self.ids().next(self.now()));
        Metadata { correlation, causation, actor: self.request.principal.actor() }
    }
}

impl fmt::Debug for Commerce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gateways: Vec<_> = self.shared.gateways.iter().map(|gateway| gateway.name()).collect();
        f.debug_struct("Commerce")
            .field("store", &self.shared.store)
            .field("gateways", &gateways)
            .field("actor", &self.request.principal.actor())
            .finish_non_exhaustive()
    }
}
