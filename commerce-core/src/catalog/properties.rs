//! Properties of the catalogue, over histories of valid and invalid commands.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::kernel::aggregate::Aggregate;
use crate::kernel::codec::{decode, encode};
use crate::kernel::event::{DomainEvent, EventId, Metadata, NewEvent};
use crate::kernel::replay::fold;
use crate::kernel::stream::Label;
use crate::kernel::unique::Key;
use crate::value::actor::Actor;
use crate::value::id::{CategoryId, Id, ProductId, VariantId};
use crate::value::time::Timestamp;
use crate::value::{Code, Currency, Name, Price, Sku, Slug};

fn id<T>(number: u8) -> Id<T> {
    Id::derived(Uuid::nil(), &[number])
}

fn code(text: &str) -> Code {
    Code::new(text).unwrap()
}

fn currency(number: u8) -> Currency {
    Currency::from_code(if number == 0 { "EUR" } else { "JPY" }).unwrap()
}

fn slug() -> impl Strategy<Value = Slug> {
    (0..4_u8).prop_map(|n| Slug::new(&format!("thing-{n}")).unwrap())
}

fn price() -> impl Strategy<Value = Price> {
    (0..3_u32, 0..2_u8).prop_map(|(units, c)| Price::parse(&units.to_string(), currency(c)).unwrap())
}

fn policy() -> impl Strategy<Value = PricePolicy> {
    prop_oneof![Just(PricePolicy::Positive), Just(PricePolicy::FreeAllowed)]
}

fn categories() -> impl Strategy<Value = BTreeSet<CategoryId>> {
    prop::collection::btree_set((0..4_u8).prop_map(id), 0..3)
}

fn details() -> impl Strategy<Value = Box<ProductDetails>> {
    (0..2_u8).prop_map(|n| Box::new(ProductDetails::new(Name::new(&format!("Thing {n}")).unwrap())))
}

fn variant() -> impl Strategy<Value = VariantInput> {
    let options = prop::collection::btree_map(
        prop_oneof![9 => Just(code("size")), 1 => Just(code("colour"))],
        prop_oneof![Just(code("S")), Just(code("M")), Just(code("L"))],
        1..=1,
    );
    let options = prop_oneof![1 => Just(Options::new()), 6 => options];
    (0..8_u8, 0..8_u8, options, prop::collection::vec(price(), 0..3)).prop_map(|(n, sku, options, prices)| {
        VariantInput { id: id(n), sku: Sku::new(&format!("SKU-{sku}")).unwrap(), options, prices }
    })
}

pub(crate) fn command(who: u8) -> impl Strategy<Value = ProductCommand> {
    let options = prop_oneof![8 => Just(vec![code("size")]), 1 => Just(vec![code("size"), code("size")])];
    let variants = prop::collection::vec(variant(), 0..3);
    let variant_id = || (0..8_u8).prop_map(id::<crate::value::id::marker::Variant>);
    prop_oneof![
        3 => (slug(), details(), options, categories(), variants, policy()).prop_map(
            move |(slug, details, options, categories, variants, prices)| ProductCommand::Create {
                product: id(who), seller: None, slug, details, options, categories, variants, prices,
            }
        ),
        1 => (slug(), details()).prop_map(|(slug, details)| ProductCommand::Update { slug, details }),
        5 => (variant(), policy()).prop_map(|(variant, prices)| ProductCommand::AddVariant { variant, prices }),
        2 => variant_id().prop_map(|variant| ProductCommand::RemoveVariant { variant }),
        4 => (variant_id(), price(), policy())
            .prop_map(|(variant, price, prices)| ProductCommand::SetPrice { variant, price, prices }),
        2 => (variant_id(), 0..2_u8)
            .prop_map(|(variant, c)| ProductCommand::ClearPrice { variant, currency: currency(c) }),
        2 => categories().prop_map(|categories| ProductCommand::AssignCategories { categories }),
        3 => Just(ProductCommand::Publish),
        1 => Just(ProductCommand::Unpublish),
        1 => Just(ProductCommand::Delete),
    ]
}

fn history() -> impl Strategy<Value = Vec<(u8, ProductCommand)>> {
    let step = (0..3_u8).prop_flat_map(|who| (Just(who), command(who)));
    prop::collection::vec(step, 1..50)
}

/// Three products, their logs, and the unique keys as a store keeps them.
#[derive(Default)]
struct Shop {
    states: BTreeMap<u8, Product>,
    logs: BTreeMap<u8, Vec<ProductEvent>>,
    keys: BTreeMap<Key, u8>,
}

impl Shop {
    /// Carries a command out; what it led to, or `None` where the product or the store refuses.
    fn give(&mut self, who: u8, command: ProductCommand) -> Option<Vec<ProductEvent>> {
        let events = Product::decide(self.states.get(&who), command, Timestamp::UNIX_EPOCH).ok()?;
        let mut keys = self.keys.clone();
        for event in &events {
            let effects = Product::effects(id(who), event);
            for key in effects.releases {
                assert_eq!(keys.remove(&key), Some(who), "{key} was not held");
            }
            for claim in effects.claims {
                if *keys.entry(claim.key).or_insert(who) != who {
                    return None;
                }
            }
        }
        self.keys = keys;
        if let Some(state) = fold(self.states.remove(&who), &events).unwrap() {
            self.states.insert(who, state);
        }
        self.logs.entry(who).or_default().extend(events.clone());
        Some(events)
    }
}

fn stored<E: DomainEvent>(event: &E) -> E {
    let encoded = encode(event).unwrap();
    let metadata = Metadata { correlation: Uuid::nil(), causation: None, actor: Actor::System };
    decode(&NewEvent {
        id: EventId::derived(Uuid::nil(), b"e"),
        name: Label::Borrowed(event.name()),
        schema: 1,
        at: Timestamp::UNIX_EPOCH,
        metadata,
        data: encoded.data,
        personal: encoded.personal,
    })
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// catalog-1: the policy of the command decides whether a price may be zero.
    #[test]
    fn catalog_1_prices_are_positive_unless_free_is_allowed(history in history()) {
        let mut shop = Shop::default();
        for (who, command) in history {
            let strict = match &command {
                ProductCommand::Create { prices, .. }
                | ProductCommand::AddVariant { prices, .. }
                | ProductCommand::SetPrice { prices, .. } => *prices == PricePolicy::Positive,
                _ => true,
            };
            for event in shop.give(who, command).unwrap_or_default() {
                if let ProductEvent::PriceChanged { new: Some(new), .. } = event {
                    prop_assert!(!strict || !new.is_zero());
                }
            }
        }
    }

    /// catalog-2: the keys held are exactly the slugs and SKUs of what lives, so no two share one.
    #[test]
    fn catalog_2_slugs_and_skus_are_unique_among_the_living(history in history()) {
        let mut shop = Shop::default();
        for (who, command) in history {
            shop.give(who, command);
            let mut expected = BTreeMap::new();
            let living = |known: &&Product| known.status() != ProductStatus::Deleted;
            for (who, known) in shop.states.iter().filter(|(_, known)| living(known)) {
                let variants = known.variants().values().filter(|variant| !variant.removed);
                let mut keys = vec![Key::new(PRODUCT_SLUG_SCOPE, known.slug().as_str())];
                keys.extend(variants.map(|variant| Key::new(SKU_SCOPE, variant.sku.as_str())));
                for key in keys {
                    prop_assert_eq!(expected.insert(key, *who), None);
                }
            }
            prop_assert_eq!(&shop.keys, &expected);
        }
    }

    /// catalog-3, catalog-5: categories are there; one value per option, no two variants alike.
    #[test]
    fn catalog_5_option_tuples_are_complete_and_unique(history in history()) {
        let mut shop = Shop::default();
        for (who, command) in history {
            shop.give(who, command);
            for known in shop.states.values() {
                prop_assert!(!known.categories().is_empty());
                let declared: BTreeSet<&Code> = known.options().iter().collect();
                prop_assert_eq!(declared.len(), known.options().len());
                let mut seen = BTreeSet::new();
                for variant in known.variants().values() {
                    prop_assert_eq!(&variant.options.keys().collect::<BTreeSet<_>>(), &declared);
                    prop_assert!(variant.removed || seen.insert(&variant.options));
                }
            }
        }
    }

    /// catalog-6, catalog-10: what is published sells; what is not, or is removed, is offered to nobody.
    #[test]
    fn catalog_6_published_products_sell(history in history()) {
        let mut shop = Shop::default();
        for (who, command) in history {
            shop.give(who, command);
            for known in shop.states.values() {
                let published = known.status() == ProductStatus::Published;
                let mut offers = 0;
                for (variant, c) in known.variants().keys().flat_map(|v| [(v, 0), (v, 1)]) {
                    let Some(offer) = known.offer(*variant, currency(c)) else { continue };
                    prop_assert!(published && !known.variants()[variant].removed);
                    prop_assert_eq!(offer.unit_price.currency(), currency(c));
                    offers += 1;
                }
                prop_assert_eq!(published, offers > 0 && published);
            }
        }
    }

    /// catalog-8: a price change says old and new, they differ, and replay gives the same history.
    #[test]
    fn catalog_8_price_changes_are_the_price_history(history in history()) {
        let mut shop = Shop::default();
        let mut prices: BTreeMap<(u8, VariantId, Currency), Price> = BTreeMap::new();
        for (who, command) in history {
            for event in shop.give(who, command).unwrap_or_default() {
                prop_assert_eq!(&stored(&event), &event);
                if let ProductEvent::PriceChanged { variant, currency, old, new } = event {
                    prop_assert!(old != new);
                    let before = match new {
                        Some(new) => prices.insert((who, variant, currency), new),
                        None => prices.remove(&(who, variant, currency)),
                    };
                    prop_assert_eq!(before, old);
                }
            }
            let mut now = BTreeMap::new();
            for (who, known) in &shop.states {
                for (variant, stored) in known.variants() {
                    now.extend(stored.prices.iter().map(|price| ((*who, *variant, price.currency()), *price)));
                }
            }
            prop_assert_eq!(&now, &prices);
        }
        for (who, log) in &shop.logs {
            let replayed: Option<Product> = fold(None, log).unwrap();
            prop_assert_eq!(replayed.as_ref(), shop.states.get(who));
        }
    }
}

#[test]
fn catalog_10_what_is_deleted_stays_readable() {
    let (product, variant): (ProductId, VariantId) = (id(1), id(2));
    let mut shop = Shop::default();
    let create = ProductCommand::Create {
        product,
        seller: Some(id(9)),
        slug: Slug::new("tea").unwrap(),
        details: Box::new(ProductDetails::new(Name::new("Tea").unwrap())),
        options: Vec::new(),
        categories: BTreeSet::from([id(3)]),
        variants: vec![VariantInput {
            id: variant,
            sku: Sku::new("TEA").unwrap(),
            options: Options::new(),
            prices: vec![Price::parse("2.50", currency(0)).unwrap()],
        }],
        prices: PricePolicy::Positive,
    };
    shop.give(1, create).unwrap();
    shop.give(1, ProductCommand::Publish).unwrap();
    assert!(shop.states[&1].offer(variant, currency(0)).is_some());
    shop.give(1, ProductCommand::Delete).unwrap();
    let known = &shop.states[&1];
    assert_eq!((known.id(), known.details().name.as_str()), (product, "Tea"));
    assert!(known.variants().contains_key(&variant));
    assert_eq!(known.offer(variant, currency(0)), None);
    assert!(shop.keys.is_empty());
}
