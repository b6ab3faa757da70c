//! What a cart costs: taxes of its country, prices of its currency, and lines that say what was chosen.

use commerce_core::app::query::{ById, ByKey};
use commerce_core::app::shopfront::default_category;
use commerce_core::catalog::{PricePolicy, ProductDetails, SKU_SCOPE, VariantInput};
use commerce_core::checkout::Unavailable;
use commerce_core::prelude::*;
use commerce_core::value::{Code, Slug};
use commerce_testkit::shop::Shop;
use commerce_tests::world::id;
use pollster::block_on;

use super::{shop, tax};

#[test]
fn a_cart_is_taxed_as_where_it_goes() {
    block_on(async {
        let rules = [tax("eco", "1", None), tax("MwSt", "19", Some("DE")), tax("TVA", "20", Some("FR"))];
        let shop = shop(|values| values.taxes = rules.into());
        let cart = shop.cart(1, &[("MUG", 1)]).await.unwrap();
        assert_eq!(shop.buyer(1).quote(cart).await.unwrap().total, Shop::euros(1000 + 10 + 190));
    });
}

/// A shirt in two sizes, sold in dollars too; the large one in dollars only.
async fn shirts(shop: &Shop) {
    let (product, option) = (id("shirt"), Code::new("size").unwrap());
    let variant = |size: &str, prices: &[(&str, Currency)]| VariantInput {
        id: id(size),
        sku: Sku::new(&format!("SHIRT-{size}")).unwrap(),
        options: [(option.clone(), Code::new(size).unwrap())].into(),
        prices: prices.iter().map(|(text, currency)| Price::parse(text, *currency).unwrap()).collect(),
    };
    let mut details = ProductDetails::new(Name::new("Shirt").unwrap());
    details.tracked = false;
    let create = ProductCommand::Create {
        product,
        seller: None,
        slug: Slug::new("shirt").unwrap(),
        details: Box::new(details),
        options: vec![option.clone()],
        categories: [default_category()].into(),
        variants: vec![
            variant("m", &[("20.00", Currency::EUR), ("22.00", Currency::USD)]),
            variant("l", &[("23.00", Currency::USD)]),
        ],
        prices: PricePolicy::FreeAllowed,
    };
    shop.staff().execute(product, create).await.unwrap();
    shop.staff().execute(product, ProductCommand::Publish).await.unwrap();
}

#[test]
fn a_line_says_which_variant_was_chosen() {
    block_on(async {
        let shop = shop(|_| ());
        shirts(&shop).await;
        let cart = shop.cart(1, &[("SHIRT-M", 1), ("MUG", 1)]).await.unwrap();
        let receipt = shop.buy(1, cart).await.unwrap();
        let order = shop.staff().query(ById::<Order>(receipt.order)).await.unwrap().unwrap();
        let named = |sku: &str| {
            let line = order.content().lines.iter().find(|line| line.sku.as_str() == sku).unwrap();
            (line.name.as_str().to_owned(), line.variant_name.as_ref().map(|name| name.as_str().to_owned()))
        };
        assert_eq!(named("SHIRT-M"), ("Shirt".to_owned(), Some("size: m".to_owned())));
        assert_eq!(named("MUG"), ("MUG".to_owned(), None));
    });
}

#[test]
fn what_has_no_price_here_is_told_from_what_is_not_for_sale() {
    block_on(async {
        let shop = shop(|_| ());
        shirts(&shop).await;
        let buyer = shop.buyer(1);
        let cart = shop.cart(1, &[("SHIRT-L", 1)]).await.unwrap();
        let missing = async || match buyer.quote(cart).await {
            Err(CheckoutError::Lines(lines)) => lines.into_iter().map(|(_, why)| why).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(missing().await, [Unavailable::NoPrice]);
        let key = ByKey::<Product>::new(SKU_SCOPE, "SHIRT-L");
        let (product, _) = shop.staff().query(key).await.unwrap().unwrap();
        shop.staff().execute(product, ProductCommand::Unpublish).await.unwrap();
        assert_eq!(missing().await, [Unavailable::NotForSale]);
    });
}
