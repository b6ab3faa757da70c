//! Histories of the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use commerce_core::catalog::{
    CategoryCommand, CategoryTree, PricePolicy, Product, ProductCommand, ProductDetails, VariantInput,
};
use commerce_core::value::id::CategoryId;
use commerce_core::value::{Code, Currency, Price, Slug};
use proptest::collection::btree_set;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use super::{Storied, few, name, nth, sku};

fn price() -> impl Strategy<Value = Price> {
    let currency = select(vec![Currency::EUR, Currency::USD]);
    (0_i64..5000, currency)
        .prop_filter_map("a price", |(cents, currency)| Price::from_micros(cents * 10_000, currency).ok())
}

fn variant() -> impl Strategy<Value = VariantInput> {
    let option = |text: &str| Code::new(text).ok();
    let options = select(vec!["small", "large"])
        .prop_filter_map("an option", move |size| Some(BTreeMap::from([(option("size")?, option(size)?)])));
    (few(), sku(), options, proptest::collection::vec(price(), 0..3))
        .prop_map(|(id, sku, options, prices)| VariantInput { id, sku, options, prices })
}

fn details() -> impl Strategy<Value = Box<ProductDetails>> {
    (name(), any::<bool>()).prop_map(|(name, featured)| {
        let mut details = ProductDetails::new(name);
        details.featured = featured;
        Box::new(details)
    })
}

fn categories() -> impl Strategy<Value = BTreeSet<CategoryId>> {
    btree_set(few(), 0..3)
}

fn slug() -> impl Strategy<Value = Slug> {
    select(vec!["one", "two", "three"]).prop_filter_map("a slug", |text| Slug::new(text).ok())
}

impl Storied for Product {
    fn begins() -> BoxedStrategy<ProductCommand> {
        let variants = proptest::collection::vec(variant(), 1..3);
        let sizes = Just("size").prop_filter_map("an option", |text| Some(vec![Code::new(text).ok()?]));
        (slug(), details(), sizes, categories(), variants)
            .prop_map(|(slug, details, options, categories, variants)| ProductCommand::Create {
                product: nth(0),
                seller: None,
                slug,
                details,
                options,
                categories,
                variants,
                prices: PricePolicy::FreeAllowed,
            })
            .boxed()
    }

    fn continues() -> BoxedStrategy<ProductCommand> {
        use ProductCommand as C;
        let policy = || select(vec![PricePolicy::Positive, PricePolicy::FreeAllowed]);
        prop_oneof![
            2 => (slug(), details()).prop_map(|(slug, details)| C::Update { slug, details }),
            3 => (variant(), policy()).prop_map(|(variant, prices)| C::AddVariant { variant, prices }),
            1 => few().prop_map(|variant| C::RemoveVariant { variant }),
            4 => (few(), price(), policy())
                .prop_map(|(variant, price, prices)| C::SetPrice { variant, price, prices }),
            1 => few().prop_map(|variant| C::ClearPrice { variant, currency: Currency::USD }),
            2 => categories().prop_map(|categories| C::AssignCategories { categories }),
            4 => Just(C::Publish),
            2 => Just(C::Unpublish),
            1 => Just(C::Delete),
        ]
        .boxed()
    }
}

impl Storied for CategoryTree {
    fn begins() -> BoxedStrategy<CategoryCommand> {
        (name(), slug(), -3..3_i32)
            .prop_map(|(name, slug, sort)| CategoryCommand::Create {
                category: nth(0),
                name,
                slug,
                parent: None,
                sort,
            })
            .boxed()
    }

    fn continues() -> BoxedStrategy<CategoryCommand> {
        use CategoryCommand as C;
        let parent = || option::of(few());
        prop_oneof![
            5 => (few(), name(), slug(), parent(), -3..3_i32).prop_map(
                |(category, name, slug, parent, sort)| C::Create { category, name, slug, parent, sort }
            ),
            2 => (few(), name(), slug())
                .prop_map(|(category, name, slug)| C::Rename { category, name, slug }),
            3 => (few(), parent(), -3..3_i32)
                .prop_map(|(category, parent, sort)| C::Move { category, parent, sort }),
            1 => (few(), parent()).prop_map(|(category, successor)| C::Delete { category, successor }),
        ]
        .boxed()
    }
}
