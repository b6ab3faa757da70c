//! What has to be true of read models once they have caught up.

use std::sync::Arc;

use commerce_core::app::views::{OrderList, Projection, StockOverview};
use commerce_core::inventory::view::{StockLevel, StockSummary};
use commerce_core::inventory::{StockItem, stock_pool};
use commerce_core::orders::{Order, OrderSummary};
use commerce_core::port::view::{Document, ViewQuery, ViewStore};

use crate::check::{Books, Breach, Rule};
use crate::shop::Shop;

/// The generation in which a view is built anew.
const ANEW: u32 = 1000;

fn wrong(what: impl Into<String>) -> Breach {
    Breach::new(Rule::Events, what.into())
}

/// Both views, followed to the end of the log, are what a rebuild makes of it byte for byte, and say what
/// the folded orders and the pools say.
///
/// # Errors
///
/// What differs, or why nobody could tell.
pub(super) async fn views_say_what_the_log_says(
    shop: &Shop,
    views: &Arc<dyn ViewStore>,
) -> Result<(), Breach> {
    let mut books = Books::default();
    books.read(&**shop.commerce.store()).await.map_err(|error| wrong(error.to_string()))?;
    orders(&books, &rebuilt_is_live(shop, views, OrderList).await?)?;
    stock(&books, &rebuilt_is_live(shop, views, StockOverview).await?)
}

/// Fills the view to the end and builds it anew beside it; gives the documents, which are those of both.
async fn rebuilt_is_live<P: Projection + Clone>(
    shop: &Shop,
    views: &Arc<dyn ViewStore>,
    projection: P,
) -> Result<Vec<Document>, Breach> {
    let fill = |generation| {
        shop.staff().projector(projection.clone(), views.clone()).map(|p| p.generation(generation))
    };
    let schema = projection.schema();
    let view = schema.id();
    for generation in [view.generation, ANEW] {
        let projector = fill(generation).map_err(|error| wrong(error.to_string()))?;
        projector.catch_up().await.map_err(|error| wrong(format!("{}: {error}", view.name)))?;
    }
    let live = whole(views, &view.name, view.generation).await?;
    if live == whole(views, &view.name, ANEW).await? {
        Ok(live)
    } else {
        Err(wrong(format!("{} is not what a rebuild makes of it", view.name)))
    }
}

async fn whole(views: &Arc<dyn ViewStore>, view: &str, generation: u32) -> Result<Vec<Document>, Breach> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let query = ViewQuery::new(view.to_owned(), u32::MAX).behind(after);
        let page = views.find(ViewQuery { generation: Some(generation), ..query }).await;
        let page = page.map_err(|error| wrong(error.to_string()))?;
        all.extend(page.documents);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

fn orders(books: &Books, listed: &[Document]) -> Result<(), Breach> {
    let known = books.all::<Order>().count();
    if listed.len() != known {
        return Err(wrong(format!("{} orders are listed, {known} are there", listed.len())));
    }
    for (id, order) in books.all::<Order>() {
        let id = id.to_string();
        let entry = listed.iter().find(|entry| *entry.id == *id);
        let entry = entry.ok_or_else(|| wrong(format!("order {id} is not listed")))?;
        let shown: OrderSummary =
            serde_json::from_slice(&entry.body).map_err(|error| wrong(error.to_string()))?;
        let same = shown.number.as_ref() == order.number()
            && (shown.status, shown.total) == (order.status(), order.total())
            && shown.payment_status() == order.payment_status()
            && shown.fulfilment_status() == order.fulfilment_status();
        if !same {
            return Err(wrong(format!("order {id} is listed as something else")));
        }
    }
    Ok(())
}

fn stock(books: &Books, listed: &[Document]) -> Result<(), Breach> {
    for (id, item) in books.all::<StockItem>() {
        let id = id.to_string();
        let entry = listed.iter().find(|entry| *entry.id == *id);
        let entry = entry.ok_or_else(|| wrong(format!("stock item {id} is not listed")))?;
        let shown: StockSummary =
            serde_json::from_slice(&entry.body).map_err(|error| wrong(error.to_string()))?;
        let level: StockLevel = books.level(&stock_pool(item.sku(), item.location())).into();
        if shown.level() != level || shown.threshold != item.threshold() {
            return Err(wrong(format!("stock item {id} is listed with another level")));
        }
    }
    Ok(())
}
