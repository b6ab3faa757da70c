//! The views keep the contract of their port, on a real server, and are those of memory.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use commerce_adapters_memory::MemoryViews;
use commerce_adapters_postgres::{PgStore, PgViews, Settings};
use commerce_core::app::views::{Asked, OrderList, Projection, StockOverview};
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::stream::{Position, Slice};
use commerce_core::port::store::{LogQuery, Store};
use commerce_core::port::view::{
    Change, Document, FacetQuery, FieldKind, FieldValue, Filter, Selection, Sort, ViewBatch, ViewError,
    ViewId, ViewQuery, ViewSchema, ViewStore,
};
use commerce_core::value::time::Timestamp;
use commerce_testkit::build::{Draft, stream};
use commerce_testkit::conformance::ViewFixture;
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::server::Cluster;
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use server::{World, on_runtime};

async fn fresh() -> ViewFixture {
    let World { store, database } = World::new().await;
    let views = Arc::new(PgViews::on(&store)) as Arc<dyn ViewStore>;
    ViewFixture::from(views).with_block_on(move |task| {
        // The database lasts as long as the fixture.
        let _held = &database;
        server::runtime().handle().block_on(task);
    })
}

commerce_testkit::view_conformance!(fresh, block_on = on_runtime);

/// A small shop on a store, with some orders.
async fn sold(store: impl Store) -> Shop {
    let shop = Shop::on(store, Clock::default(), Gateway::capturing());
    shop.list("MUG", "12.50", 20).await.unwrap();
    shop.list("CUP", "7.00", 20).await.unwrap();
    for buyer in 1..=5 {
        let cart = shop.cart(buyer, &[("MUG", 1), ("CUP", 2)]).await.unwrap();
        shop.buy(buyer, cart).await.unwrap();
    }
    shop
}

async fn whole(views: &dyn ViewStore, view: &'static str) -> Vec<Document> {
    views.find(ViewQuery::new(view, 200)).await.unwrap().documents
}

#[test]
fn both_views_of_a_shop_are_those_of_memory() {
    on_runtime(async {
        let World { store, database } = World::new().await;
        let shop = sold(store.clone()).await;
        let (stored, memory) = (Arc::new(PgViews::on(&store)), Arc::new(MemoryViews::new()));
        for views in [stored.clone() as Arc<dyn ViewStore>, memory.clone()] {
            shop.staff().projector(OrderList, views.clone()).unwrap().catch_up().await.unwrap();
            shop.staff().projector(StockOverview, views).unwrap().catch_up().await.unwrap();
        }
        for view in ["order_list", "stock_overview"] {
            let documents = whole(&*stored, view).await;
            assert!(documents.len() >= 2, "{view}");
            assert_eq!(documents, whole(&*memory, view).await, "{view}");
        }
        // Other tools read them as they are.
        let shown = database.psql(
            "select f_status, f_total, body->>'status' from commerce.view_order_list_1 order by id limit 1",
        );
        assert_eq!(shown, "Confirmed|2650|Confirmed");
    });
}

#[test]
fn a_reader_elsewhere_follows_a_switch() {
    on_runtime(async {
        let world = World::new().await;
        let shop = sold(world.store.clone()).await;
        let views = Arc::new(PgViews::on(&world.store));
        let elsewhere: Arc<dyn ViewStore> = Arc::new(PgViews::on(&world.other()));
        let live = shop.staff().projector(OrderList, views.clone()).unwrap();
        live.catch_up().await.unwrap();
        let view = shop.staff().view(OrderList, elsewhere.clone()).unwrap();
        assert_eq!(view.find(Asked::default(), 10).await.unwrap().documents.len(), 5);
        let next = shop.staff().projector(OrderList, views).unwrap().generation(2);
        next.catch_up().await.unwrap();
        next.switch().await.unwrap();
        // It still knows the table of the first generation, which is gone.
        assert_eq!(view.find(Asked::default(), 10).await.unwrap().documents.len(), 5);
        let late = shop.staff().projector(OrderList, elsewhere).unwrap();
        assert!(late.round().await.is_err(), "a runner of the first generation is told so");
    });
}

#[test]
fn two_runners_elsewhere_write_every_event_once() {
    on_runtime(async {
        let world = World::new().await;
        let shop = sold(world.store.clone()).await;
        let runners = [(); 4].map(|()| {
            let views = Arc::new(PgViews::on(&world.other()));
            let shop = shop.clone();
            tokio::spawn(async move {
                shop.staff().projector(StockOverview, views).unwrap().catch_up().await.unwrap();
            })
        });
        for runner in runners {
            runner.await.unwrap();
        }
        let memory = Arc::new(MemoryViews::new());
        shop.staff().projector(StockOverview, memory.clone()).unwrap().catch_up().await.unwrap();
        let stored = whole(&PgViews::on(&world.store), "stock_overview").await;
        assert_eq!(stored, whole(&*memory, "stock_overview").await);
    });
}

/// Views may be read from a replica, which lags; decisions are made on the primary and nowhere else.
#[test]
fn a_replica_answers_and_decides_nothing() {
    on_runtime(async {
        let primary = Cluster::start(false);
        let connect = |cluster: &Cluster| PgStore::connect(&cluster.url("postgres")).unwrap();
        let store = connect(&primary);
        store.migrate().await.unwrap();
        let replica = primary.replica();
        let behind = connect(&replica);
        let shop = sold(store.clone()).await;
        let filling = shop.staff().projector(OrderList, Arc::new(PgViews::on(&store))).unwrap();
        filling.catch_up().await.unwrap();
        let end = store.read_all(LogQuery::after(Position::START, 1000)).await.unwrap().next;
        // The shop's sleepers only move its clock; here time really has to pass.
        let read_only = Arc::new(PgViews::on(&behind));
        for _ in 0..600 {
            let state = read_only.state("order_list").await.unwrap();
            if state.checkpoint(1, Slice::ALL) >= Some(end) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let view = shop.staff().view(OrderList, read_only.clone()).unwrap();
        view.wait_for(end, Duration::ZERO).await.unwrap();
        let listed = view.find(Asked::default(), 10).await.unwrap();
        assert_eq!(listed.documents.len(), 5);
        let decided =
            behind.commit(commerce_core::kernel::commit::Commit::default().appends(&stream("s"), 0, 1));
        let refused = decided.await.unwrap_err();
        assert!(matches!(refused, CommitError::Port(_)), "{refused:?}");
        let id = OrderList.schema().id().clone();
        let batch = ViewBatch { view: id, slice: Slice::ALL, after: end, next: end, changes: Vec::new() };
        let written = read_only.write(batch).await.unwrap_err();
        assert!(matches!(written, ViewError::Port(_)), "{written:?}");
    });
}

const VIEW: &str = "things";

fn schema() -> ViewSchema {
    ViewSchema::new(VIEW, 1)
        .required("name", FieldKind::Text)
        .required("rank", FieldKind::Integer)
        .required("at", FieldKind::Moment)
        .optional("kind", FieldKind::Text)
        .optional("tags", FieldKind::Texts)
        .optional("fine", FieldKind::Flag)
}

/// Few values, so that they meet; letters of all kinds, signs and quotes among them.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "a", "A", "b", "ab", "ß", "Ä", "ä", "中", "i̇", "a'b", "x\"y", "\\", "%", "_"
        ])
        .prop_map(str::to_owned),
        "[a-cA-C ]{0,4}",
        "\\PC{0,6}",
    ]
}

fn moment() -> impl Strategy<Value = FieldValue> {
    let times = prop_oneof![Just(Timestamp::MIN), Just(Timestamp::MAX), Just(Timestamp::UNIX_EPOCH)];
    let near = (-3_i64..3).prop_map(|micros| Timestamp::from_micros(micros).unwrap());
    prop_oneof![times, near].prop_map(FieldValue::Moment)
}

fn number() -> impl Strategy<Value = FieldValue> {
    prop_oneof![Just(i64::MIN), Just(i64::MAX), -3_i64..3].prop_map(FieldValue::Integer)
}

fn tags() -> impl Strategy<Value = FieldValue> {
    btree_set(word(), 0..4).prop_map(FieldValue::texts)
}

fn text() -> impl Strategy<Value = FieldValue> {
    word().prop_map(FieldValue::text)
}

prop_compose! {
    fn document()(
        id in "[a-cA-Cä'-]{1,2}",
        name in text(),
        rank in number(),
        at in moment(),
        kind in option::of(text()),
        tags in option::of(tags()),
        fine in option::of(any::<bool>()),
        searched in option::of("[a-cA-Cäß0-2'&|!:* -]{0,24}"),
    ) -> Document {
        let body = serde_json::to_vec(&serde_json::json!({ "id": id, "2": 1.50, "1": [null, "\u{1}\\u0000"] }));
        let mut document = Document::new(id, body.unwrap()).with("name", name).with("rank", rank).with("at", at);
        let optional = [("kind", kind), ("tags", tags), ("fine", fine.map(FieldValue::Flag))];
        for (field, value) in optional {
            if let Some(value) = value {
                document = document.with(field, value);
            }
        }
        match searched {
            Some(searched) => document.searched(&searched),
            None => document,
        }
    }
}

fn filter() -> impl Strategy<Value = Filter> {
    let value = prop_oneof![
        (Just("name"), text()),
        (Just("rank"), number()),
        (Just("at"), moment()),
        (Just("kind"), text()),
        (Just("fine"), any::<bool>().prop_map(FieldValue::Flag)),
    ];
    let tag = (Just("tags"), prop_oneof![text(), tags()]);
    prop_oneof![
        prop_oneof![value.clone(), tag].prop_map(|(field, value)| Filter::Is(field.into(), value)),
        value.clone().prop_map(|(field, value)| Filter::AtLeast(field.into(), value)),
        value.prop_map(|(field, value)| Filter::Below(field.into(), value)),
        vec(text(), 0..3).prop_map(|texts| Filter::OneOf("kind".into(), texts)),
        vec(prop_oneof![text(), tags()], 0..3).prop_map(|texts| Filter::OneOf("tags".into(), texts)),
    ]
}

fn selection() -> impl Strategy<Value = Selection> {
    (vec(filter(), 0..3), option::weighted(0.3, "[a-cA-Cäß0-2'&|!:* -]{0,6}"))
        .prop_map(|(filters, search)| Selection { filters, search: search.map(Into::into) })
}

fn sort() -> impl Strategy<Value = Sort> {
    let field = option::of(prop::sample::select(vec!["name", "rank", "at"]));
    (field, any::<bool>()).prop_map(|(field, up)| match (field, up) {
        (Some(field), true) => Sort::ascending(field),
        (Some(field), false) => Sort::descending(field),
        (None, up) => Sort {
            field: None,
            direction: if up { Sort::ascending("").direction } else { Sort::descending("").direction },
        },
    })
}

/// Every answer of both, page by page.
async fn equal(both: [&dyn ViewStore; 2], selection: &Selection, sort: &Sort) -> Result<(), TestCaseError> {
    let mut after = None;
    loop {
        let query = ViewQuery::new(VIEW, 3).selecting(selection.clone()).sorted(sort.clone()).behind(after);
        let pages = [both[0].find(query.clone()).await, both[1].find(query).await];
        prop_assert_eq!(&pages[0], &pages[1]);
        after = pages[0].clone().unwrap().next;
        if after.is_none() {
            break;
        }
    }
    let fields = ["name", "rank", "at", "kind", "tags", "fine"].map(Into::into).to_vec();
    let query = FacetQuery { view: VIEW.into(), selection: selection.clone(), fields, limit: 4 };
    prop_assert_eq!(both[0].facets(query.clone()).await, both[1].facets(query).await);
    Ok(())
}

#[test]
fn any_answer_is_that_of_memory() {
    let world = on_runtime(World::new());
    let (stored, memory) = (PgViews::on(&world.store), MemoryViews::new());
    on_runtime(async {
        stored.define(schema()).await.unwrap();
        memory.define(schema()).await.unwrap();
    });
    let steps = AtomicU64::new(0);
    let case = (vec(document(), 1..6), vec("[a-cA-Cä'-]{1,2}", 0..2), vec((selection(), sort()), 1..6));
    let mut runner = proptest::test_runner::TestRunner::new(commerce_tests::cases(150));
    runner
        .run(&case, |(documents, removed, questions)| {
            let view = ViewId::new(VIEW, 1);
            let step = steps.fetch_add(1, Ordering::Relaxed);
            let (after, next) = (Position::from_parts(0, step), Position::from_parts(0, step + 1));
            let removed = removed.into_iter().map(|id| Change::Remove(id.into()));
            let changes: Vec<Change> = documents.into_iter().map(Change::Put).chain(removed).collect();
            let batch = ViewBatch { view, slice: Slice::ALL, after, next, changes };
            on_runtime(async {
                prop_assert_eq!(stored.write(batch.clone()).await, memory.write(batch).await);
                for (selection, sort) in &questions {
                    equal([&stored, &memory], selection, sort).await?;
                }
                Ok(())
            })
        })
        .unwrap();
}

#[test]
fn the_settings_of_a_store_are_those_of_its_views() {
    on_runtime(async {
        let schema = commerce_adapters_postgres::Schema::new("other_shop").unwrap();
        let World { store, database } = World::with(Settings::default().with_schema(schema)).await;
        let views = PgViews::on(&store);
        views.define(OrderList.schema()).await.unwrap();
        let tables = database.psql("select count(*) from other_shop.view_order_list_1");
        assert_eq!(tables, "0");
    });
}
