//! Visitors who read products and buy one, so many a second.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use commerce_adapters_memory::{MemoryCache, SystemClock, platform};
use commerce_adapters_redis::{RedisCache, RedisRateLimiter, RedisSessions, SideSettings};
use commerce_core::app::caching::{CachePolicy, Cached, Layered, Lenient, Loaded, SIDE_BREAKER, breaking};
use commerce_core::catalog::SKU_SCOPE;
use commerce_core::port::cache::{CacheKey, ttl};
use commerce_core::port::rate_limiter::{Acquired, Limit, LimitKey, RateLimiter};
use commerce_core::port::session::{Expected, IDLE, SessionKey, SessionStore, SessionWrite};
use commerce_core::prelude::*;
use commerce_core::resilience::{Breaking, Guarded};
use commerce_testkit::shop::Shop;
use tokio::sync::watch;
use tokio::time::{Instant, interval};

/// What is sold as often as anybody wants it.
const PRODUCTS: usize = 20;
/// What there is little of.
pub(crate) const RARE: &str = "RARE";
/// So little.
pub(crate) const RARE_UNITS: u32 = 25;
/// One visitor of so many wants it.
const WANTS_RARE: u64 = 8;
/// Between one visitor and the next: 50 a second.
const APART: Duration = Duration::from_millis(20);
/// Products that each of them looks at.
const LOOKS: u64 = 3;

/// What stands beside the store, on Redis, as a host would have it.
pub(crate) struct Side {
    pages: Cached<String, String>,
    limits: Lenient,
    sessions: Arc<dyn SessionStore>,
}

impl Side {
    pub(crate) fn on(url: &str, shop: &str) -> Self {
        // The default waits a tenth of a second; a machine that tests much at once gets a little more.
        let settings = SideSettings::for_shop(shop).unwrap().waiting(Duration::from_millis(200));
        let platform = platform();
        let shared = breaking(Arc::new(RedisCache::open(url, settings.clone()).unwrap()), &platform);
        let own = MemoryCache::new(Arc::new(SystemClock));
        // A short first level, or there would be few to ask the second.
        let cache = Layered::new(Arc::new(own), shared).first_for(Duration::from_millis(50));
        let limits = Arc::new(RedisRateLimiter::open(url, settings.clone()).unwrap());
        let sessions = RedisSessions::open(url, settings).unwrap();
        Self {
            pages: Cached::new(Arc::new(cache), CachePolicy::keeping(ttl::PRODUCT), 1),
            limits: Lenient::new(limits, &platform),
            sessions: Arc::new(Guarded::new(sessions, Breaking::by(SIDE_BREAKER, &platform))),
        }
    }

    /// Answers of both levels of the cache, and calls of it that failed.
    pub(crate) fn hits_and_failures(&self) -> (u64, u64) {
        let counts = self.pages.counts();
        (counts.hits, counts.failures)
    }
}

/// What has become of some visitors.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Orders that were acknowledged.
    pub(crate) orders: Vec<OrderId>,
    /// Those of them that are of what there is little of.
    pub(crate) rare: u32,
    /// Visitors who were told that there is none left.
    pub(crate) sold_out: usize,
    /// What else anybody was told.
    pub(crate) errors: Vec<String>,
    /// Visitors who had to begin a session anew.
    pub(crate) without_session: usize,
    visits: Vec<Duration>,
    checkouts: Vec<Duration>,
}

/// Of hundred, so many were as fast as this.
fn percentile(spans: &[Duration], percent: usize) -> Duration {
    let mut spans = spans.to_vec();
    spans.sort();
    spans.get((spans.len() * percent / 100).min(spans.len().saturating_sub(1))).copied().unwrap_or_default()
}

impl Outcome {
    pub(crate) fn p99_of_checkouts(&self) -> Duration {
        percentile(&self.checkouts, 99)
    }

    pub(crate) fn print(&self, what: &str) {
        let Self { visits, checkouts, .. } = self;
        println!(
            "{what}: {} orders, {} sold out, {} errors, {} sessions begun anew; \
             visit p50 {:.1?} p99 {:.1?}, checkout p50 {:.1?} p99 {:.1?}",
            self.orders.len(),
            self.sold_out,
            self.errors.len(),
            self.without_session,
            percentile(visits, 50),
            percentile(visits, 99),
            percentile(checkouts, 50),
            percentile(checkouts, 99),
        );
    }
}

/// A shop, what stands beside it, and who was there.
pub(crate) struct Visits {
    pub(crate) shop: Shop,
    pub(crate) side: Side,
    outcome: Mutex<Outcome>,
}

impl Visits {
    pub(crate) async fn to(shop: Shop, side: Side) -> Arc<Self> {
        for number in 0..PRODUCTS {
            shop.list(&format!("MUG-{number}"), "10.00", 100_000).await.unwrap();
        }
        shop.list(RARE, "99.00", RARE_UNITS).await.unwrap();
        Arc::new(Self { shop, side, outcome: Mutex::default() })
    }

    /// Visitors come until told to stop; what has become of them.
    pub(crate) async fn come(self: &Arc<Self>, first: u64, stop: watch::Receiver<bool>) -> Outcome {
        let (mut ticks, mut visitors) = (interval(APART), Vec::new());
        for number in first.. {
            ticks.tick().await;
            if *stop.borrow() {
                break;
            }
            let here = self.clone();
            visitors.push(tokio::spawn(async move {
                if let Err(error) = here.visit(number).await {
                    here.outcome.lock().unwrap().errors.push(format!("{number}: {error}"));
                }
            }));
        }
        for visitor in visitors {
            visitor.await.unwrap();
        }
        std::mem::take(&mut *self.outcome.lock().unwrap())
    }

    async fn visit(&self, number: u64) -> Result<(), String> {
        let (begun, whose) = (Instant::now(), number.to_string());
        let allowed = self.side.limits.acquire(&LimitKey::new("visit", &whose), Limit::PER_USER, 1).await;
        let Ok(Acquired::Allowed { .. }) = allowed else { return Err(format!("{allowed:?}")) };
        let session = SessionKey::new("session", whose.as_bytes());
        // As a host does it: a session that cannot be read or written is begun anew, and nobody is told.
        let write = SessionWrite { data: (*b"mug").into(), idle: IDLE, expected: Expected::Any };
        let kept = self.side.sessions.put(&session, write).await.is_ok();
        for look in 0..LOOKS {
            self.look(number.wrapping_mul(7).wrapping_add(look) % PRODUCTS as u64).await?;
        }
        let known = matches!(self.side.sessions.get(&session).await, Ok(Some(_)));
        let rare = number.is_multiple_of(WANTS_RARE);
        let sku = if rare { RARE.to_owned() } else { format!("MUG-{}", number % PRODUCTS as u64) };
        let bought = self.buy(number, &sku).await;
        let mut outcome = self.outcome.lock().unwrap();
        outcome.without_session += usize::from(!(kept && known));
        match bought {
            Ok((order, span)) => {
                outcome.orders.push(order);
                outcome.rare += u32::from(rare);
                outcome.checkouts.push(span);
                outcome.visits.push(begun.elapsed());
            }
            Err((ErrorClass::Refused, _)) if rare => outcome.sold_out += 1,
            Err((_, error)) => return Err(error),
        }
        Ok(())
    }

    /// A product page through the cache; the store's own error is the only one there is.
    async fn look(&self, number: u64) -> Result<(), String> {
        let sku = format!("MUG-{number}");
        let key = CacheKey::new("catalog", "product", &sku, "detail").unwrap();
        let load = || async {
            let found = self.shop.staff().query(ByKey::<Product>::new(SKU_SCOPE, &sku)).await;
            let found = found.map_err(|error| format!("{error:?}"))?;
            Ok(Loaded::new(found.map(|_| sku.clone())))
        };
        let page = self.side.pages.get(&key, load).await?;
        if page.as_deref() == Some(&sku) { Ok(()) } else { Err(format!("{sku} is shown as {page:?}")) }
    }

    async fn buy(&self, number: u64, sku: &str) -> Result<(OrderId, Duration), (ErrorClass, String)> {
        let cart = self.shop.cart(number, &[(sku, 1)]).await;
        let cart = cart.map_err(|error| (error.class(), format!("{error:?}")))?;
        let begun = Instant::now();
        let receipt = self.shop.buy(number, cart).await;
        let receipt = receipt.map_err(|error| (error.class(), format!("{error:?}")))?;
        if receipt.status != CheckoutStatus::Confirmed {
            return Err((ErrorClass::Bug, format!("{:?}", receipt.status)));
        }
        Ok((receipt.order, begun.elapsed()))
    }
}
