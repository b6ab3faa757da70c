//! Read models: filled while the shop is open and whatever fails, equal to what a rebuild gives, and shown
//! to those who may see them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a failing step is a failing test

use std::sync::{Arc, Mutex};
use std::time::Duration;

use commerce_adapters_memory::{MemoryStore, MemoryViews};
use commerce_core::app::views::{
    Asked, Indivisible, OrderList, Projection, ProjectorError, StockOverview, ViewReadError,
};
use commerce_core::identity::Denied;
use commerce_core::inventory::stock_pool;
use commerce_core::kernel::commit::Load;
use commerce_core::kernel::stream::{Position, Slice};
use commerce_core::orders::{Order, OrderStatus, OrderSummary};
use commerce_core::port::store::{LogQuery, Store};
use commerce_core::port::view::{
    Direction, Document, FieldValue, Filter, Selection, Sort, ViewError, ViewId, ViewQuery, ViewStore,
};
use commerce_core::value::actor::Actor as Who;
use commerce_testkit::fake::Gateway;
use commerce_testkit::shop::Shop;
use commerce_testkit::sim::{Ground, Simulation};
use commerce_tests::audit::Audit;
use commerce_tests::shopping::mugs;
use pollster::block_on;

/// A day of a shop with everything that fails, and the views that its processes have filled.
fn day(seed: u64) -> (Shop, MemoryStore, Arc<MemoryViews>) {
    let kept: Arc<Mutex<Option<MemoryStore>>> = Arc::default();
    let (ground, views) = (kept.clone(), MemoryViews::new());
    let filled = views.clone();
    let simulation = Simulation::on(move |clock| {
        let store = MemoryStore::with_clock(Arc::new(clock));
        *ground.lock().unwrap() = Some(store.clone());
        Ground::on(store).with_views(filled.clone())
    });
    let run = simulation.run(seed);
    assert!(run.failure.is_none(), "{run}");
    let store = kept.lock().unwrap().clone().unwrap();
    let shop = Shop::on(store.clone(), commerce_testkit::fake::Clock::default(), Gateway::approving());
    (shop, store, Arc::new(views))
}

/// Every document of a view, by id.
fn whole(views: &MemoryViews, view: &ViewId) -> Vec<Document> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let query = ViewQuery::new(view.name.clone(), 200).behind(after);
        let query = ViewQuery { generation: Some(view.generation), ..query };
        let page = block_on(views.find(query)).unwrap();
        all.extend(page.documents);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

/// Brings the view to the end of the log, builds it anew beside it, and gives both.
fn twice<P: Projection + Clone>(shop: &Shop, views: &Arc<MemoryViews>, projection: &P) -> [Vec<Document>; 2] {
    let live = shop.staff().projector(projection.clone(), views.clone()).unwrap();
    block_on(live.catch_up()).unwrap();
    let rebuilt = shop.staff().projector(projection.clone(), views.clone()).unwrap().generation(2000);
    block_on(rebuilt.catch_up()).unwrap();
    let name = projection.schema().id().name.clone();
    [1, 2000].map(|generation| whole(views, &ViewId::new(name.clone(), generation)))
}

#[test]
fn analytics_1_rebuilt_is_live() {
    for seed in 0..12_u64 {
        let (shop, _, views) = day(seed);
        let [live, rebuilt] = twice(&shop, &views, &OrderList);
        assert!(live.len() > 20, "a day has orders");
        assert_eq!(live, rebuilt);
        let [live, rebuilt] = twice(&shop, &views, &StockOverview);
        assert!(!live.is_empty());
        assert_eq!(live, rebuilt);
    }
}

#[test]
fn the_lag_of_a_projector_is_what_it_has_not_followed() {
    let (shop, _) = block_on(mugs(Gateway::capturing(), 10));
    let views = Arc::new(MemoryViews::new());
    let live = shop.staff().projector(OrderList, views.clone()).unwrap();
    let lag = || block_on(live.lag()).unwrap();
    let before = lag();
    assert!(before.events > 0 && !before.more);
    // Asking writes nothing: what is not there is not made ready.
    assert_eq!(block_on(views.state(&OrderList.schema().id().name)).unwrap().generations.len(), 0);
    block_on(live.catch_up()).unwrap();
    assert_eq!(lag().events, 0);
    let cart = block_on(shop.cart(1, &[("MUG", 1)])).unwrap();
    let written = lag().events;
    assert!(written >= 3, "a line, a contact and an address");
    block_on(shop.buy(1, cart)).unwrap();
    assert!(lag().events > written);
    let beside = shop.staff().projector(OrderList, views).unwrap().generation(2);
    assert_eq!(block_on(beside.lag()).unwrap().events, before.events + lag().events);
}

#[test]
fn the_order_list_says_what_the_orders_say() {
    for seed in 20..26_u64 {
        let (shop, store, views) = day(seed);
        let [listed, _] = twice(&shop, &views, &OrderList);
        let orders = Audit::of(&store).all::<Order>();
        assert_eq!(listed.len(), orders.len());
        for (id, order, _) in orders {
            let entry = listed.iter().find(|entry| *entry.id == *id.to_string()).unwrap();
            let summary: OrderSummary = serde_json::from_slice(&entry.body).unwrap();
            assert_eq!(summary.number.as_ref(), order.number());
            assert_eq!(summary.status, order.status());
            assert_eq!(summary.total, order.total());
            assert_eq!(summary.buyer, order.content().subject);
            assert_eq!(summary.blocked, order.is_blocked());
            assert_eq!(summary.payment_status(), order.payment_status());
            assert_eq!(summary.fulfilment_status(), order.fulfilment_status());
            let wanted = order.lines().map(|(_, ledger)| u64::from(ledger.wanted())).sum::<u64>();
            assert_eq!(summary.units(), wanted);
            assert_eq!(entry.fields["status"], FieldValue::text(format!("{:?}", order.status())));
            assert_eq!(entry.fields["total"], FieldValue::Integer(order.total().minor()));
        }
    }
}

#[test]
fn the_stock_overview_says_what_the_pools_say() {
    for seed in 40..46_u64 {
        let (shop, store, views) = day(seed);
        let staff = shop.staff();
        block_on(staff.projector(StockOverview, views.clone()).unwrap().catch_up()).unwrap();
        let view = staff.view(StockOverview, views).unwrap();
        let listed = block_on(view.find(Asked::default(), 200)).unwrap().documents;
        assert!(!listed.is_empty());
        for stock in listed {
            let pools = vec![stock_pool(&stock.sku, stock.location)];
            let pools = block_on(store.load(Load { pools, ..Load::default() })).unwrap().pools;
            assert_eq!(stock.level(), pools[0].into(), "{}", stock.sku.as_str());
        }
    }
}

fn sold(buyers: u64) -> (Shop, MemoryStore, Arc<MemoryViews>) {
    let (shop, store) = block_on(mugs(Gateway::capturing(), 50));
    for buyer in 1..=buyers {
        let cart = block_on(shop.cart(buyer, &[("MUG", 1)])).unwrap();
        block_on(shop.buy(buyer, cart)).unwrap();
    }
    let views = Arc::new(MemoryViews::new());
    block_on(shop.staff().projector(OrderList, views.clone()).unwrap().catch_up()).unwrap();
    (shop, store, views)
}

#[test]
fn buyers_see_their_own_orders_and_staff_see_all() {
    let (shop, _, views) = sold(3);
    let all = block_on(shop.staff().view(OrderList, views.clone()).unwrap().find(Asked::default(), 10));
    assert_eq!(all.unwrap().documents.len(), 3);
    let own = shop.buyer(2).view(OrderList, views.clone()).unwrap();
    let listed = block_on(own.find(Asked::default(), 10)).unwrap().documents;
    assert_eq!(listed.iter().map(|order| order.buyer).collect::<Vec<_>>(), [Shop::subject(2)]);
    // Asking for another's gives nothing, by filter, by id and in counts.
    let others = Selection::default()
        .and(Filter::Is(OrderList::BUYER.into(), FieldValue::text(Shop::subject(1).to_string())));
    let asked = Asked { selection: others.clone(), ..Asked::default() };
    assert_eq!(block_on(own.find(asked, 10)).unwrap().documents, []);
    assert_eq!(block_on(own.facets(others, vec![OrderList::STATUS.into()], 10)).unwrap().matches, 0);
    let everything = whole(&views, &ViewId::new("order_list", 1));
    let seen = everything.iter().filter(|order| block_on(own.get(&order.id)).unwrap().is_some());
    assert_eq!(seen.count(), 1);
}

#[test]
fn nobody_sees_what_is_for_staff() {
    let (shop, _, views) = sold(1);
    let guest = shop.commerce.acting_as(Who::Guest(Shop::subject(1)));
    for who in [&shop.commerce, &guest, &shop.buyer(1)] {
        let refused = who.view(StockOverview, views.clone()).unwrap_err();
        assert!(matches!(refused, Denied::Permission { .. }), "{refused:?}");
        assert!(who.projector(OrderList, views.clone()).is_err());
    }
    let seller = shop.commerce.acting_as(Who::Seller(Shop::customer(1).cast()));
    let refused = seller.view(StockOverview, views).unwrap_err();
    assert!(matches!(refused, Denied::NotOwner { .. }), "{refused:?}");
}

#[test]
fn a_list_is_filtered_sorted_and_counted() {
    let (shop, _, views) = sold(5);
    let view = shop.staff().view(OrderList, views).unwrap();
    let status = |status: OrderStatus| {
        let is = Filter::Is(OrderList::STATUS.into(), FieldValue::text(format!("{status:?}")));
        Asked {
            selection: Selection::default().and(is),
            sort: Sort { field: Some(OrderList::PLACED_AT.into()), direction: Direction::Descending },
            after: None,
        }
    };
    let first = block_on(view.find(status(OrderStatus::Confirmed), 3)).unwrap();
    assert_eq!(first.documents.len(), 3);
    let rest = Asked { after: first.next, ..status(OrderStatus::Confirmed) };
    let rest = block_on(view.find(rest, 3)).unwrap();
    assert_eq!((rest.documents.len(), rest.next), (2, None));
    let placed: Vec<_> = first.documents.iter().chain(&rest.documents).map(|order| order.placed_at).collect();
    assert!(placed.is_sorted_by(|left, right| left >= right));
    assert_eq!(block_on(view.find(status(OrderStatus::Failed), 3)).unwrap().documents, []);
    let facets = block_on(view.facets(Selection::default(), vec![OrderList::PAYMENT.into()], 5)).unwrap();
    let (_, counts) = &facets.fields[0];
    assert_eq!((&counts[0].value, counts[0].count), (&FieldValue::text("Paid"), 5));
    let number = first.documents[1].number.clone().unwrap();
    let found = Asked { selection: Selection::default().matching(number.as_str()), ..Asked::default() };
    assert_eq!(block_on(view.find(found, 5)).unwrap().documents, [first.documents[1].clone()]);
}

#[test]
fn a_later_generation_takes_the_place_of_the_one_that_is_read() {
    let (shop, _, views) = sold(2);
    let staff = shop.staff();
    let old = staff.projector(OrderList, views.clone()).unwrap();
    let new = staff.projector(OrderList, views.clone()).unwrap().generation(2);
    block_on(new.catch_up()).unwrap();
    let cart = block_on(shop.cart(3, &[("MUG", 1)])).unwrap();
    block_on(shop.buy(3, cart)).unwrap();
    // Nobody reads the new one before it is switched to, and the old one goes on until then.
    block_on(old.catch_up()).unwrap();
    let count = || {
        let view = staff.view(OrderList, views.clone()).unwrap();
        block_on(view.find(Asked::default(), 10)).unwrap().documents.len()
    };
    assert_eq!(count(), 3);
    block_on(new.switch()).unwrap();
    assert_eq!(count(), 2);
    block_on(new.catch_up()).unwrap();
    assert_eq!(count(), 3);
    assert_eq!(block_on(old.round()), Err(ProjectorError::View(ViewError::Retired { live: 2 })));
    // A runner of what was retired ends by itself; one of what is read runs until it is stopped.
    block_on(old.run(std::future::pending()));
    block_on(new.run(std::future::ready(())));
}

#[test]
fn a_runner_takes_its_place_once_it_has_caught_up() {
    let (shop, store, views) = sold(2);
    let staff = shop.staff();
    let new = staff.projector(OrderList, views.clone()).unwrap().generation(7);
    let mut looks = 0;
    let until = std::future::poll_fn(|_| {
        looks += 1;
        if looks > 4 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    });
    block_on(new.run(until));
    let state = block_on(views.state("order_list")).unwrap();
    assert_eq!(state.live, Some(7));
    let end = block_on(store.read_all(LogQuery::after(Position::START, 1000))).unwrap().next;
    assert_eq!(state.checkpoint(7, Slice::ALL), Some(end));
}

#[test]
fn two_runners_of_one_view_write_every_event_once() {
    let (shop, _, views) = sold(8);
    let staff = shop.staff();
    let runners = [(); 2].map(|()| staff.projector(OrderList, views.clone()).unwrap().generation(2));
    std::thread::scope(|scope| {
        for runner in &runners {
            scope.spawn(|| block_on(runner.catch_up()).unwrap());
        }
    });
    let [live, raced] = [1, 2].map(|generation| whole(&views, &ViewId::new("order_list", generation)));
    assert_eq!(live, raced);
}

#[test]
fn slices_together_make_the_whole() {
    let (shop, _, views) = sold(8);
    let staff = shop.staff();
    for index in 0..3 {
        let slice = Slice::new(index, 3).unwrap();
        let part = staff.projector(OrderList, views.clone()).unwrap().generation(2);
        block_on(part.within(slice).unwrap().catch_up()).unwrap();
    }
    let [whole_log, slices] = [1, 2].map(|generation| whole(&views, &ViewId::new("order_list", generation)));
    assert_eq!(whole_log, slices);
    let stock = staff.projector(StockOverview, views.clone()).unwrap();
    assert_eq!(stock.within(Slice::new(0, 2).unwrap()).unwrap_err(), Indivisible);
    let stock = staff.projector(StockOverview, views).unwrap();
    assert!(stock.within(Slice::new(0, 1).unwrap()).is_ok(), "one part of one is the whole");
}

#[test]
fn whoever_waits_reads_their_own_writes() {
    let (shop, store, views) = sold(1);
    let staff = shop.staff();
    let view = staff.view(OrderList, views.clone()).unwrap();
    let cart = block_on(shop.cart(2, &[("MUG", 1)])).unwrap();
    let placed = block_on(shop.buy(2, cart)).unwrap();
    let end = block_on(store.read_all(LogQuery::after(Position::START, 1000))).unwrap().next;
    let early = block_on(view.wait_for(end, Duration::from_millis(50)));
    assert!(matches!(early, Err(ViewReadError::View(ViewError::Port(_)))), "{early:?}");
    block_on(staff.projector(OrderList, views).unwrap().catch_up()).unwrap();
    assert_eq!(block_on(view.wait_for(end, Duration::ZERO)), Ok(()));
    assert!(block_on(view.get(&placed.order.to_string())).unwrap().is_some());
}

#[test]
fn nothing_personal_is_in_a_document() {
    let (_, _, views) = sold(2);
    let (email, _) = Shop::contact(1);
    for document in whole(&views, &ViewId::new("order_list", 1)) {
        let text = format!("{} {:?}", String::from_utf8_lossy(&document.body), document.fields);
        for secret in [email.as_str(), "Erika", "Heidestra", "51147"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}
