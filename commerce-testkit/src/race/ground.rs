//! A shop on the store under test, and buyers on threads.

use std::sync::Arc;
use std::time::Duration;

use commerce_core::app::checkout::{CheckoutReceipt, CheckoutRequest, CheckoutStatus};
use commerce_core::app::commerce::{Commerce, Platform};
use commerce_core::app::shopfront::Listing;
use commerce_core::carts::CartCommand;
use commerce_core::checkout::CheckoutError;
use commerce_core::kernel::error::ErrorClass;
use commerce_core::kernel::pool::PoolLevel;
use commerce_core::port::payment::PaymentGateway;
use commerce_core::value::id::{CartId, CommandId};
use commerce_core::value::{Currency, Email, Name, Price, Quantity, Sku};

use crate::check::{Books, Findings};
use crate::conformance::outcome::equal;
use crate::conformance::{Failure, Fixture};
use crate::fake::{Clock, Gateway, Ids, Sleeper};
use crate::shop::Shop;

/// How many threads buyers share.
const THREADS: usize = 16;

/// What a buyer wants: which cart for how many cents, and under which command id.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) buyer: u64,
    pub(super) cart: CartId,
    pub(super) cents: i64,
    pub(super) command: Option<CommandId>,
}

/// What came of it.
pub(super) type Bought = Result<CheckoutReceipt, CheckoutError>;

/// How often a suite repeats.
pub(super) fn repeats(default: u64) -> u64 {
    std::env::var("COMMERCE_RACE_REPEATS").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Anything that fails while a shop is set up.
pub(super) fn broken(error: impl std::fmt::Debug) -> Failure {
    Failure::new(format!("a step that must succeed failed: {error:?}"))
}

/// A shop on a fixture's store.
pub(super) struct Ground<'f> {
    pub(super) fixture: &'f Fixture,
    pub(super) shop: Shop,
}

impl<'f> Ground<'f> {
    /// A shop whose gateway behaves like this.
    pub(super) async fn new(fixture: &'f Fixture, gateway: Gateway) -> Result<Self, Failure> {
        let calls = gateway.clone();
        Self::calling(fixture, gateway, calls).await
    }

    /// A shop that reaches its gateway through another.
    pub(super) async fn calling(
        fixture: &'f Fixture,
        gateway: Gateway,
        calls: impl PaymentGateway,
    ) -> Result<Self, Failure> {
        let clock = match fixture.clock() {
            Some(clock) => clock.clone(),
            None => Clock::at(fixture.now().await?),
        };
        let commerce = node(fixture, &clock, 1).with_payment_gateway(calls);
        Ok(Self { fixture, shop: Shop { commerce, clock, gateway } })
    }

    /// Puts something on sale that needs no sending, with its stock.
    pub(super) async fn lists(&self, sku: &str, price: &str, stock: u32) -> Result<(), Failure> {
        let price = Price::parse(price, Currency::EUR).map_err(broken)?;
        let mut listing =
            Listing::new(Sku::new(sku).map_err(broken)?, Name::new(sku).map_err(broken)?, price).digital();
        if stock > 0 {
            listing = listing.with_stock(Quantity::new(stock).map_err(broken)?);
        }
        self.shop.staff().list(listing).await.map_err(broken).map(|_| ())
    }

    /// A cart of a buyer with these lines.
    pub(super) async fn fills(&self, buyer: u64, lines: &[(&str, u32)]) -> Result<CartId, Failure> {
        let shop = self.shop.buyer(buyer);
        let cart: CartId = shop.new_id();
        for (sku, units) in lines {
            let (sku, units) = (Sku::new(sku).map_err(broken)?, Quantity::new(*units).map_err(broken)?);
            shop.add_to_cart(cart, &sku, units, Currency::EUR).await.map_err(broken)?;
        }
        let email = Email::new(&format!("buyer{buyer}@example.com")).map_err(broken)?;
        shop.execute(cart, CartCommand::SetContact { email }).await.map_err(broken)?;
        Ok(cart)
    }

    /// Everybody buys at once; outcomes in the order of the wishes.
    pub(super) async fn race(&self, wishes: &[Wish]) -> Result<Vec<Bought>, Failure> {
        let share = wishes.len().div_ceil(THREADS).max(1);
        let buyers = wishes.chunks(share).map(|wishes| {
            let (shop, wishes) = (self.shop.clone(), wishes.to_vec());
            async move {
                let mut bought = Vec::with_capacity(wishes.len());
                for wish in wishes {
                    bought.push(buy(&shop, &wish).await);
                }
                bought
            }
        });
        let outcomes: Vec<Bought> = self.fixture.race(buyers.collect()).await.into_iter().flatten().collect();
        equal("buyers who came back", outcomes.len(), wishes.len())?;
        Ok(outcomes)
    }

    /// Lets time pass and handles timers until nothing happens any more.
    pub(super) async fn settles(&self) -> Result<(), Failure> {
        for _ in 0..40 {
            self.shop.clock.advance(Duration::from_secs(130));
            sweeps(&self.shop.commerce).await?;
        }
        Ok(())
    }

    /// The level of a SKU's pool at the first location.
    pub(super) async fn level(&self, sku: &str) -> Result<PoolLevel, Failure> {
        self.shop.level(sku).await.map_err(broken)
    }

    /// What the log says.
    pub(super) async fn books(&self) -> Result<Books, Failure> {
        let mut books = Books::default();
        let breaches = books.read(self.fixture.store()).await?;
        breaches.first().map_or(Ok(books), |breach| Err(Failure::new(breach.to_string())))
    }

    /// The checker has nothing to say against it.
    pub(super) async fn checks(&self) -> Result<(), Failure> {
        let findings = Findings::of(&self.shop).await?;
        if findings.hold() {
            return Ok(());
        }
        Err(Failure::new(findings.lines().collect::<Vec<_>>().join("\n")))
    }
}

/// A process of the shop, with a clock of its own, without a gateway.
pub(super) fn node(fixture: &Fixture, clock: &Clock, seed: u64) -> Commerce {
    let platform = Platform {
        clock: Arc::new(clock.clone()),
        sleeper: Arc::new(Sleeper::jumping(clock.clone())),
        ids: Arc::new(Ids::seeded(seed)),
    };
    Commerce::from_arc(fixture.shared(), platform)
}

/// Handles timers until none is due; gives how many were.
pub(super) async fn sweeps(shop: &Commerce) -> Result<u64, Failure> {
    let mut handled = 0;
    for _ in 0..1000 {
        let round = shop.run_due().await?;
        if round.failed > 0 {
            return Err(Failure::new(format!("{} timers could not be handled", round.failed)));
        }
        if round.handled == 0 {
            return Ok(handled);
        }
        handled += u64::from(round.handled);
    }
    Err(Failure::new(format!("timers do not end at {}", shop.now())))
}

/// Buys as a host does that asks again where others were faster.
async fn buy(shop: &Shop, wish: &Wish) -> Bought {
    let mut buyer = shop.buyer(wish.buyer);
    if let Some(command) = wish.command {
        buyer = buyer.with_command_id(command);
    }
    let mut tries = 0;
    loop {
        tries += 1;
        match buyer.checkout(CheckoutRequest::new(wish.cart, Shop::euros(wish.cents))).await {
            Err(error) if error.class() == ErrorClass::Contended && tries < 200 => {}
            outcome => return outcome,
        }
    }
}

/// How many were confirmed.
pub(super) fn confirmed(outcomes: &[Bought]) -> usize {
    outcomes.iter().flatten().filter(|receipt| receipt.status == CheckoutStatus::Confirmed).count()
}

/// Whoever lost was told that the stock does not suffice, and nothing else.
pub(super) fn losers_are_told(outcomes: &[Bought]) -> Result<(), Failure> {
    let wrong = outcomes.iter().find(|outcome| match outcome {
        Ok(receipt) => receipt.status != CheckoutStatus::Confirmed,
        Err(CheckoutError::InsufficientStock(_)) => false,
        Err(_) => true,
    });
    wrong.map_or(Ok(()), |wrong| Err(Failure::new(format!("a loser was told {wrong:?}"))))
}
