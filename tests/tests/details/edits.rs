//! An edit is priced by what is stored with its order; what shop and catalogue say by now is for what is new.

use std::sync::Arc;

use commerce_core::app::operations::OperationError;
use commerce_core::app::query::{ById, ByKey};
use commerce_core::app::shopfront::Listing;
use commerce_core::catalog::SKU_SCOPE;
use commerce_core::orders::edit::{Addition, OrderEditError, Proposal};
use commerce_core::orders::{OrderEditCommand, OrderError, Revision};
use commerce_core::prelude::*;
use commerce_core::value::shipping::{RateRule, ShippingMethod};
use commerce_core::value::{
    Benefit, Conditions, Label, Phase, PriceBook, PromotionRule, TaxClass, TraceStep,
};
use commerce_testkit::fake::START;
use commerce_testkit::shop::Shop;
use commerce_tests::world::id;
use pollster::block_on;

use super::{shop, tax};

fn post() -> ShippingMethod {
    ShippingMethod {
        code: commerce_core::value::Code::new("post").unwrap(),
        label: Label::new("Post").unwrap(),
        countries: Vec::new(),
        rate: RateRule::Flat(Shop::euros(500)),
        days: None,
    }
}

async fn promotion(shop: &Shop, name: &str, rule: PromotionRule, limits: (Option<u32>, Option<Money>)) {
    let create = PromotionCommand::Create {
        rule,
        usage_limit: limits.0,
        per_customer_limit: None,
        budget: limits.1,
        returns_usage: true,
    };
    let promotion: PromotionId = id(name);
    shop.staff().execute(promotion, create).await.unwrap();
    shop.staff().execute(promotion, PromotionCommand::Activate).await.unwrap();
}

fn percent(name: &str, percent: &str) -> PromotionRule {
    PromotionRule::new(id(name), Phase::Order, Benefit::Percent(Rate::parse(percent).unwrap()))
}

async fn order(shop: &Shop, order: OrderId) -> Arc<Order> {
    shop.staff().query(ById::<Order>(order)).await.unwrap().unwrap()
}

async fn bought(shop: &Shop, buyer: u64, lines: &[(&str, u32)]) -> OrderId {
    let cart = shop.cart(buyer, lines).await.unwrap();
    if !shop.staff().shipping_rates(cart).await.unwrap().is_empty() {
        let method = commerce_core::value::Code::new("post").unwrap();
        shop.buyer(buyer).execute(cart, CartCommand::ChooseShipping { method }).await.unwrap();
    }
    let receipt = shop.buy(buyer, cart).await.unwrap();
    assert_eq!(receipt.status, CheckoutStatus::Confirmed);
    receipt.order
}

/// What the order would cost with these units of its lines, and these of what is new.
async fn proposed(
    shop: &Shop,
    id: OrderId,
    wanted: &[u32],
    new: &[(&str, u32)],
) -> Result<Proposal, OperationError> {
    let staff = shop.staff();
    let edit = staff.open_edit(id).await.unwrap();
    let lines: Vec<OrderLineId> = order(shop, id).await.lines().map(|(line, _)| line.id).collect();
    for (line, wanted) in lines.into_iter().zip(wanted) {
        let set = OrderEditCommand::SetQuantity { line, wanted: *wanted };
        staff.execute(edit, set).await.unwrap();
    }
    for (sku, units) in new {
        let key = ByKey::<Product>::new(SKU_SCOPE, sku);
        let (product, known) = staff.query(key).await.unwrap().unwrap();
        let variant = *known.variants().keys().next().unwrap();
        let quantity = Quantity::new(*units).unwrap();
        let addition = Addition { line: staff.new_id(), product, variant, quantity };
        staff.execute(edit, OrderEditCommand::AddLine { addition }).await.unwrap();
    }
    staff.preview_edit(edit).await
}

#[test]
fn taxes_and_shipping_stay_as_they_were_agreed_on() {
    block_on(async {
        let taxes = |percent| vec![tax("VAT", percent, None)];
        let shop = shop(|values| (values.taxes, values.shipping) = (taxes("20"), vec![post()]));
        let id = bought(&shop, 1, &[("MUG", 2)]).await;
        // Twenty and five, and a fifth of both.
        assert_eq!(order(&shop, id).await.total(), Shop::euros(3000));
        shop.settings(|values| values.taxes = taxes("50")).await;
        let shown = proposed(&shop, id, &[3], &[]).await.unwrap();
        assert_eq!((shown.book.total, shown.balance), (Shop::euros(4200), Shop::euros(1200)));
        assert_eq!(shown.book.shipping_total, Shop::euros(600));
        // What is added is taxed as it would be today.
        let more = proposed(&shop, id, &[3], &[("CAP", 1)]).await.unwrap();
        assert_eq!(more.book.total, Shop::euros(4200 + 3000));
    });
}

#[test]
fn what_is_added_is_taxed_as_in_its_country() {
    block_on(async {
        let shop = shop(|_| ());
        let id = bought(&shop, 1, &[("MUG", 1)]).await;
        let everywhere = [tax("eco", "1", None), tax("MwSt", "19", Some("DE")), tax("TVA", "20", Some("FR"))];
        shop.settings(|values| values.taxes = everywhere.into()).await;
        let shown = proposed(&shop, id, &[1], &[("CAP", 1)]).await.unwrap();
        assert_eq!(shown.book.total, Shop::euros(1000 + 2000 + 20 + 380));
    });
}

fn untaxed(book: &PriceBook) -> Vec<TaxClass> {
    let classes = book.trace.iter().filter_map(|step| match step {
        TraceStep::Untaxed { class } => Some(class.clone()),
        _ => None,
    });
    classes.collect()
}

#[test]
fn only_what_is_new_is_said_to_be_untaxed() {
    block_on(async {
        let shop = shop(|_| ());
        let id = bought(&shop, 1, &[("MUG", 1)]).await;
        let shown = proposed(&shop, id, &[2], &[]).await.unwrap();
        assert_eq!(untaxed(&shown.book), []);
        let more = proposed(&shop, id, &[2], &[("CAP", 1)]).await.unwrap();
        assert_eq!(untaxed(&more.book), [TaxClass::Standard]);
    });
}

#[test]
fn promotions_of_categories_know_the_lines_that_were_there() {
    block_on(async {
        let shop = shop(|_| ());
        let key = ByKey::<Product>::new(SKU_SCOPE, "MUG");
        let (_, mug) = shop.staff().query(key).await.unwrap().unwrap();
        let categories = mug.categories().iter().copied().collect();
        let condition = Conditions { categories, ..Conditions::default() };
        let tenth = PromotionRule { condition, ..percent("tenth", "10") };
        promotion(&shop, "tenth", tenth, (None, None)).await;
        let id = bought(&shop, 1, &[("MUG", 1)]).await;
        assert_eq!(order(&shop, id).await.total(), Shop::euros(900));
        let shown = proposed(&shop, id, &[2], &[]).await.unwrap();
        assert_eq!(shown.book.total, Shop::euros(1800));
    });
}

#[test]
fn a_promotion_that_was_used_up_stays_so_for_the_order() {
    block_on(async {
        let shop = shop(|_| ());
        promotion(&shop, "always", PromotionRule { priority: -1, ..percent("always", "10") }, (None, None))
            .await;
        promotion(&shop, "once", percent("once", "50"), (Some(1), None)).await;
        let first = bought(&shop, 2, &[("MUG", 1)]).await;
        assert_eq!(order(&shop, first).await.total(), Shop::euros(450));
        let id = bought(&shop, 1, &[("MUG", 1)]).await;
        assert_eq!(order(&shop, id).await.total(), Shop::euros(900));
        // The use comes back; the order had none all the same.
        let reason = commerce_core::value::Reason::new("a test").unwrap();
        shop.staff().cancel_order(first, reason).await.unwrap();
        let shown = proposed(&shop, id, &[2], &[]).await.unwrap();
        assert_eq!(shown.book.total, Shop::euros(1800));
    });
}

#[test]
fn a_budget_grants_no_more_than_it_did() {
    block_on(async {
        let shop = shop(|_| ());
        let half = PromotionRule { currency: Some(Currency::EUR), ..percent("half", "50") };
        promotion(&shop, "half", half, (None, Some(Shop::euros(10_000)))).await;
        let given = bought(&shop, 1, &[("MUG", 2)]).await;
        assert_eq!(order(&shop, given).await.total(), Shop::euros(1000));
        let same = proposed(&shop, given, &[2], &[]).await.unwrap();
        assert_eq!(same.book.total, Shop::euros(1000));
        let less = proposed(&shop, given, &[1], &[]).await.unwrap();
        assert_eq!(less.book.total, Shop::euros(500));
        let refused = proposed(&shop, given, &[3], &[]).await.unwrap_err();
        let beyond = OrderEditError::BeyondGrant {
            promotion: id("half"),
            granted: Shop::euros(1000),
            wanted: Shop::euros(1500),
        };
        assert_eq!(refused, OperationError::Edit(beyond));
    });
}

/// What an order makes of a revision whose prices were tampered with.
fn tampered(order: &Order, book: &PriceBook, change: impl FnOnce(&mut PriceBook)) -> Result<(), OrderError> {
    let mut book = book.clone();
    change(&mut book);
    let revision = Revision {
        edit: id("edit"),
        number: 1,
        targets: Vec::new(),
        added: Vec::new(),
        book: Arc::new(book),
        reservation: None,
        parcels: Vec::new(),
    };
    Order::decide(Some(order), OrderCommand::Edit { revision: Box::new(revision) }, START).map(drop)
}

#[test]
fn an_order_takes_no_prices_that_do_not_fit_it() {
    block_on(async {
        let taxes = vec![tax("VAT", "20", None)];
        let shop = shop(|values| (values.taxes, values.shipping) = (taxes, vec![post()]));
        let id = bought(&shop, 1, &[("MUG", 2), ("CAP", 1)]).await;
        let order = order(&shop, id).await;
        let book = &order.content().book;
        assert_eq!(tampered(&order, book, |_| ()), Ok(()));
        let refused = |change: &dyn Fn(&mut PriceBook)| match tampered(&order, book, change) {
            Err(OrderError::Inconsistent(why)) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(&|book| book.currency = Currency::USD), "another currency or number of lines");
        assert_eq!(refused(&|book| drop(book.lines.pop())), "another currency or number of lines");
        assert_eq!(refused(&|book| book.lines[0].sku = Sku::new("PEN").unwrap()), "a line differs");
        assert_eq!(refused(&|book| book.lines.reverse()), "a line differs");
        let (first, second) = (book.lines[0].line, book.lines[1].line);
        assert_ne!(first, second);
        assert_eq!(refused(&|book| book.lines[0].line = second), "a line differs");
        assert_eq!(refused(&|book| book.lines[0].quantity = Quantity::new(3).unwrap()), "a quantity differs");
        let price = Price::parse("9.99", Currency::EUR).unwrap();
        assert_eq!(refused(&|book| book.lines[0].unit_price = price), "a unit price differs");
        let sum = "the total is not the sum of its parts";
        assert_eq!(refused(&|book| book.total = Shop::euros(1)), sum);
        assert_eq!(refused(&|book| book.shipping_total = Shop::euros(0)), sum);
        assert_eq!(refused(&|book| book.fee_total = Shop::euros(1)), sum);
    });
}

#[test]
fn a_ticket_needs_no_parcel_when_it_is_added() {
    block_on(async {
        let shop = shop(|_| ());
        let price = Price::parse("3.00", Currency::EUR).unwrap();
        let ticket = Listing::new(Sku::new("TICKET").unwrap(), Name::new("Ticket").unwrap(), price);
        shop.staff().list(ticket.digital()).await.unwrap();
        let id = bought(&shop, 1, &[("MUG", 1)]).await;
        let shown = proposed(&shop, id, &[1], &[("TICKET", 2)]).await.unwrap();
        let added = &shown.added[0];
        assert_eq!((added.tracked, added.shippable, added.quantity.get()), (true, false, 2));
        assert_eq!(shown.book.total, Shop::euros(1600));
    });
}
