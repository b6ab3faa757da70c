//! Sells a history once more, as carts that go through the whole checkout.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::SystemClock;
use commerce_core::app::checkout::{CheckoutRequest, CheckoutStatus};
use commerce_core::app::commerce::Commerce;
use commerce_core::app::query::ById;
use commerce_core::app::shopfront::Listing;
use commerce_core::carts::{CartCommand, PriceOverride};
use commerce_core::catalog::Product;
use commerce_core::inventory::{StockCommand, stock_item_id, stock_pool};
use commerce_core::kernel::pool::{PoolKey, PoolLevel};
use commerce_core::orders::event::OrderEvent;
use commerce_core::orders::state::Order;
use commerce_core::port::clock::Clock;
use commerce_core::port::store::{MAX_PAGE, Row, Store, Table};
use commerce_core::settings::CapturePolicy;
use commerce_core::value::actor::Owner;
use commerce_core::value::id::{LocationId, ProductId, VariantId};
use commerce_core::value::{Quantity, Reason, Sku};
use commerce_testkit::check::Findings;
use commerce_testkit::fake::{self, Gateway};
use commerce_testkit::shop::Shop;
use serde_json::{Value, json};

use super::figures::{amount, each};
use super::history::CURRENCY;
use super::plan::{Article, Plan, ROUNDING, Sale};

type Failure = Box<dyn Error + Send + Sync>;

/// Why a line's price is not the catalogue's.
const REASON: &str = "price of the imported invoice";
/// Behind every hold and deadline.
const LATER: Duration = Duration::from_secs(24 * 3600);
/// Millionths of a pound in a penny.
const PENNY: i128 = 10_000;

/// What came of a replay. Amounts are in millionths of the main unit.
#[derive(Debug)]
pub(crate) struct Replayed {
    /// Invoices, and the lines of the file in them.
    pub(crate) invoices: u64,
    pub(crate) lines: u64,
    /// Lines of the file that were not sold, by reason.
    pub(crate) left_out: BTreeMap<&'static str, u64>,
    /// What the lines of the file cost, exactly.
    pub(crate) exact: i128,
    pub(crate) sold: Sold,
    pub(crate) stock: Left,
    /// Checkouts that ended otherwise than confirmed.
    pub(crate) unconfirmed: Vec<String>,
    /// What filling the carts and buying them took.
    pub(crate) took: Duration,
    pub(crate) findings: Findings,
    products: u64,
    services: u64,
    cart_lines: u64,
}

/// What the log says of orders.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sold {
    pub(crate) confirmed: u64,
    /// Lines of the orders, and those whose amount had to be rounded.
    pub(crate) lines: u64,
    pub(crate) rounded: u64,
    /// What the orders' lines cost, and what the buyers pay.
    pub(crate) extensions: i128,
    pub(crate) gross: i128,
}

/// What the pools say of stock.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) pools: u64,
    pub(crate) available: i64,
    pub(crate) held: i64,
    pub(crate) allocated: i64,
    /// Pools that are not just used up, or that promise another number than was sold.
    pub(crate) wrong: u64,
}

/// A shop for a replay: it takes the money with the authorisation.
pub(crate) fn shop(store: impl Store, clock: fake::Clock) -> Shop {
    Shop::on(store, clock, Gateway::capturing())
}

/// Lists everything that a plan sells, with just enough stock, and sells it.
pub(crate) async fn run(shop: &Shop, plan: Plan) -> Result<Replayed, Failure> {
    let staff = shop.staff();
    let mut location = None;
    shop.settings(|values| {
        values.currencies = vec![CURRENCY];
        values.rounding.mode = ROUNDING;
        values.capture = CapturePolicy::WithAuthorization;
        location = values.locations.first().copied();
    })
    .await;
    let location = location.ok_or("a shop has a location")?;
    let listed = list(&staff, &plan.articles, location).await?;
    let reason = Reason::new(REASON)?;
    let (mut unconfirmed, started) = (Vec::new(), SystemClock.now());
    for sale in &plan.sales {
        if let Some(status) = sell(shop, &staff, sale, &listed, &reason).await? {
            unconfirmed.push(format!("{}: {status:?}", sale.number));
        }
    }
    let took = SystemClock.now().since(started);
    // Nothing is held behind the last deadline, whatever happened.
    shop.clock.advance(LATER);
    shop.commerce.run_due().await?;
    let expected = plan.articles.iter().filter(|(_, article)| article.tracked);
    let expected = expected.map(|(sku, article)| (stock_pool(sku, location), article.units)).collect();
    Ok(Replayed {
        invoices: plan.sales.len() as u64,
        lines: plan.sales.iter().map(|sale| sale.lines.len() as u64).sum(),
        cart_lines: plan.sales.iter().map(|sale| sale.joined).sum(),
        exact: plan.sales.iter().map(|sale| sale.exact).sum(),
        left_out: plan.left_out,
        products: plan.articles.values().filter(|article| article.tracked).count() as u64,
        services: plan.articles.values().filter(|article| !article.tracked).count() as u64,
        sold: sold(&staff).await?,
        stock: left(&**shop.commerce.store(), &expected).await?,
        unconfirmed,
        took,
        findings: Findings::of(shop).await?,
    })
}

/// Puts everything on sale; a product may need more than one delivery.
async fn list(
    staff: &Commerce,
    articles: &BTreeMap<Sku, Article>,
    location: LocationId,
) -> Result<HashMap<Sku, (ProductId, VariantId)>, Failure> {
    let mut listed = HashMap::with_capacity(articles.len());
    for (sku, article) in articles {
        let mut listing = Listing::new(sku.clone(), article.name.clone(), article.price);
        if !article.tracked {
            listing = listing.service();
        }
        let product = staff.list(listing).await?;
        let mut due = if article.tracked { article.units } else { 0 };
        while due > 0 {
            let units = u32::try_from(due.min(Quantity::MAX.get().into()))?;
            let receive = StockCommand::Receive { quantity: Quantity::new(units)? };
            staff.execute(stock_item_id(sku, location), receive).await?;
            due -= u64::from(units);
        }
        let known = staff.query(ById::<Product>(product)).await?.ok_or("a product is listed")?;
        let variant = known.variants().keys().next().copied().ok_or("a product has a variant")?;
        listed.insert(sku.clone(), (product, variant));
    }
    Ok(listed)
}

/// Fills a cart and buys it; tells the status where that is not confirmed.
async fn sell(
    shop: &Shop,
    staff: &Commerce,
    sale: &Sale,
    listed: &HashMap<Sku, (ProductId, VariantId)>,
    reason: &Reason,
) -> Result<Option<CheckoutStatus>, Failure> {
    let buyer = shop.commerce.acting_as(sale.buyer);
    let owner = Owner::Subject(sale.buyer.subject().ok_or("a buyer is a person")?);
    buyer.execute(sale.cart, CartCommand::Create { owner, currency: CURRENCY }).await?;
    for line in &sale.lines {
        let (product, variant) = *listed.get(&line.sku).ok_or("everything sold is listed")?;
        let add = CartCommand::AddLine {
            line: staff.new_id(),
            product,
            variant,
            quantity: line.quantity,
            customisation: None,
            price_override: Some(PriceOverride { price: line.unit_price, reason: reason.clone() }),
        };
        staff.execute(sale.cart, add).await?;
    }
    buyer.execute(sale.cart, CartCommand::SetContact { email: sale.email()? }).await?;
    buyer.execute(sale.cart, CartCommand::SetShippingAddress { address: sale.address()? }).await?;
    // The total comes from the file: a cart that costs anything else is refused.
    let receipt = buyer.checkout(CheckoutRequest::new(sale.cart, sale.total)).await?;
    Ok((receipt.status != CheckoutStatus::Confirmed).then_some(receipt.status))
}

async fn sold(staff: &Commerce) -> Result<Sold, Failure> {
    let mut sold = Sold::default();
    let mut placed = HashMap::new();
    each::<Order>(staff, |logged| match logged.event {
        OrderEvent::Placed { content, .. } => drop(placed.insert(logged.id, Arc::clone(&content.book))),
        OrderEvent::Confirmed { .. } => {
            let Some(book) = placed.remove(&logged.id) else { return };
            sold.confirmed += 1;
            sold.lines += book.lines.len() as u64;
            for line in &book.lines {
                let exact = i128::from(line.unit_price.micros()) * i128::from(line.quantity.get());
                sold.rounded += u64::from(exact % PENNY != 0);
                sold.extensions += i128::from(line.list.minor()) * PENNY;
            }
            sold.gross += i128::from(book.total.minor()) * PENNY;
        }
        _ => {}
    })
    .await?;
    Ok(sold)
}

async fn left(store: &dyn Store, expected: &BTreeMap<PoolKey, u64>) -> Result<Left, Failure> {
    let mut levels: BTreeMap<PoolKey, PoolLevel> = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let rows = store.scan(Table::Pools, after.as_deref(), MAX_PAGE).await?;
        let before = levels.len();
        for row in rows {
            if let Row::Pool(pool, level) = row {
                after = Some(pool.to_string());
                levels.insert(pool, level);
            }
        }
        if levels.len() == before {
            break;
        }
    }
    let mut left = Left { pools: levels.len() as u64, ..Left::default() };
    for (pool, level) in &levels {
        left.available += level.available;
        left.held += level.held;
        left.allocated += level.allocated;
        let sold = expected.get(pool).and_then(|units| i64::try_from(*units).ok());
        let used_up = level.physical() == level.allocated && Some(level.allocated) == sold;
        left.wrong += u64::from(!used_up);
    }
    left.wrong += expected.keys().filter(|pool| !levels.contains_key(pool)).count() as u64;
    Ok(left)
}

impl Replayed {
    /// Whether everything was sold and nothing is left.
    pub(crate) fn holds(&self) -> bool {
        self.findings.hold()
            && self.unconfirmed.is_empty()
            && self.sold.confirmed == self.invoices
            && self.sold.lines == self.cart_lines
            && self.stock.wrong == 0
    }

    /// Everything, name by name, in the order in which it is read best.
    pub(crate) fn figures(&self) -> Vec<(&'static str, Value)> {
        let per_second = |count: u64| u128::from(count) * 1_000_000 / self.took.as_micros().max(1);
        let (sold, stock) = (&self.sold, &self.stock);
        vec![
            ("invoices", json!(self.invoices)),
            ("lines", json!(self.lines)),
            ("lines_left_out", json!(self.left_out)),
            ("products", json!(self.products)),
            ("services", json!(self.services)),
            ("orders_confirmed", json!(sold.confirmed)),
            ("orders_unconfirmed", json!(self.unconfirmed)),
            ("order_lines", json!(sold.lines)),
            ("order_lines_rounded", json!(sold.rounded)),
            ("gross_exact", json!(amount(self.exact))),
            ("gross_of_lines", json!(amount(sold.extensions))),
            ("gross_paid", json!(amount(sold.gross))),
            ("stock_pools", json!(stock.pools)),
            ("stock_left", json!(stock.available)),
            ("stock_held", json!(stock.held)),
            ("stock_allocated", json!(stock.allocated)),
            ("stock_pools_wrong", json!(stock.wrong)),
            ("milliseconds", json!(u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX))),
            ("orders_per_second", json!(u64::try_from(per_second(self.invoices)).unwrap_or(u64::MAX))),
            ("lines_per_second", json!(u64::try_from(per_second(self.lines)).unwrap_or(u64::MAX))),
            ("findings", json!(self.findings.lines().collect::<Vec<_>>())),
        ]
    }
}
