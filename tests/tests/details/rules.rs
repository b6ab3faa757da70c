//! Rules of single aggregates at the values that decide: limits, no-ops, what stands alone and whose it is.

use commerce_core::carts::{Cart, CartCommand, CartError, CartEvent, CartLine, MergeStrategy};
use commerce_core::catalog::{ProductCommand, ProductDetails, ProductError};
use commerce_core::inventory::{ReservationCommand, StockCommand, StockItem};
use commerce_core::kernel::pool::PoolLevel;
use commerce_core::kernel::rebuild::moves_between;
use commerce_core::kernel::replay::fold;
use commerce_core::payments::Payment;
use commerce_core::prelude::*;
use commerce_core::promotions::RedemptionCommand;
use commerce_core::returns::ReturnCommand;
use commerce_core::value::PromotionCode;
use commerce_testkit::fake::START;
use commerce_testkit::shop::Shop;
use commerce_tests::world::id;

fn quantity(units: u32) -> Quantity {
    Quantity::new(units).unwrap()
}

fn cart() -> Cart {
    let owner = Owner::Subject(Shop::subject(1));
    let created = Cart::decide(None, CartCommand::Create { owner, currency: Currency::EUR }, START).unwrap();
    fold::<Cart>(None, &created).unwrap().unwrap()
}

fn line(number: usize) -> CartLine {
    CartLine {
        id: id(&format!("line {number}")),
        product: id("product"),
        variant: id(&format!("variant {number}")),
        quantity: quantity(1),
        customisation: None,
        price_override: None,
    }
}

fn merge(lines: usize, codes: usize) -> Result<Vec<CartEvent>, CartError> {
    let merge = CartCommand::Merge {
        source: id("source"),
        currency: Currency::EUR,
        lines: (0..lines).map(line).collect(),
        codes: (0..codes).map(|number| PromotionCode::new(&format!("CODE{number}")).unwrap()).collect(),
        strategy: MergeStrategy::Sum,
    };
    Cart::decide(Some(&cart()), merge, START)
}

#[test]
fn a_merged_cart_is_as_large_as_any_and_no_larger() {
    assert_eq!(merge(10_000, 0).unwrap().len(), 10_001);
    assert_eq!(merge(10_001, 0), Err(CartError::TooManyLines { max: 10_000 }));
    assert_eq!(merge(0, 100).unwrap().len(), 101);
    assert_eq!(merge(0, 101), Err(CartError::TooManyCodes { max: 100 }));
}

#[test]
fn carts_are_claimed_by_their_first_owner_and_overridden_by_whoever_may() {
    let owner = Owner::Subject(Shop::subject(1));
    let create = CartCommand::Create { owner, currency: Currency::EUR };
    assert_eq!(create.claims_owner(), Some(owner));
    assert_eq!(CartCommand::Abandon.claims_owner(), None);
    let reason = commerce_core::value::Reason::new("a present").unwrap();
    let price = Price::parse("1.00", Currency::EUR).unwrap();
    let set = commerce_core::carts::PriceOverride { price, reason };
    let merge = |lines| CartCommand::Merge {
        source: id("source"),
        currency: Currency::EUR,
        lines,
        codes: Vec::new(),
        strategy: MergeStrategy::Sum,
    };
    assert_eq!(merge(vec![line(1)]).permission(), Permission::new("cart", "merge"));
    let overridden = merge(vec![line(1), CartLine { price_override: Some(set), ..line(2) }]);
    assert_eq!(overridden.permission(), Permission::new("cart", "override-price"));
}

#[test]
fn what_nothing_has_to_follow_stands_alone() {
    assert!(ReservationCommand::Expire.stands_alone());
    assert!(!ReservationCommand::Commit.stands_alone());
    assert!(RedemptionCommand::Expire.stands_alone());
    assert!(!RedemptionCommand::Reverse.stands_alone());
    assert!(ReturnCommand::Close.stands_alone() && ReturnCommand::MarkInTransit.stands_alone());
}

#[test]
fn a_product_has_a_hundred_tags_at_most() {
    let with = |count: usize| {
        let mut details = ProductDetails::new(Name::new("Mug").unwrap());
        details.tags = (0..count).map(|tag| format!("tag{tag}").parse().unwrap()).collect();
        let create = ProductCommand::Create {
            product: id("product"),
            seller: None,
            slug: commerce_core::value::Slug::new("mug").unwrap(),
            details: Box::new(details),
            options: Vec::new(),
            categories: [id("category")].into(),
            variants: Vec::new(),
            prices: commerce_core::catalog::PricePolicy::FreeAllowed,
        };
        Product::decide(None, create, START)
    };
    assert!(!matches!(with(100), Err(ProductError::TooMany { .. })), "{:?}", with(100));
    assert!(matches!(with(101), Err(ProductError::TooMany { .. })), "{:?}", with(101));
}

#[test]
fn what_is_so_already_is_a_no_op() {
    let open = StockCommand::Open { sku: Sku::new("MUG").unwrap(), location: id("north") };
    let mut events = StockItem::decide(None, open, START).unwrap();
    let item = fold::<StockItem>(None, &events).unwrap().unwrap();
    let set = |item: &StockItem, threshold| {
        StockItem::decide(Some(item), StockCommand::SetThreshold { threshold }, START).unwrap()
    };
    assert_eq!(set(&item, None), []);
    let changed = set(&item, Some(3));
    assert_eq!(changed.len(), 1);
    events.extend(changed);
    let item = fold::<StockItem>(None, &events).unwrap().unwrap();
    assert_eq!(set(&item, Some(3)), []);
    assert_eq!(set(&item, Some(4)).len(), 1);
    assert_eq!(set(&item, None).len(), 1);
}

#[test]
fn no_move_is_made_for_what_does_not_change() {
    let level = |available, held, allocated| PoolLevel { available, held, allocated, floor: 0 };
    let same = level(5, 2, 1);
    assert_eq!(moves_between(same, same), []);
    assert_eq!(moves_between(same, level(4, 3, 1)).len(), 1, "one is held more");
    assert_eq!(moves_between(same, level(6, 1, 1)).len(), 1, "one is held less");
    assert_eq!(moves_between(same, level(6, 2, 0)).len(), 1, "one is given back");
    assert_eq!(moves_between(same, level(4, 2, 2)).len(), 2, "one is held and promised");
    assert_eq!(moves_between(same, PoolLevel { floor: 3, ..same }).len(), 1);
}

#[test]
fn a_payment_says_how_it_takes_its_money() {
    let shop = |capture| {
        let create = commerce_core::payments::PaymentCommand::Initiate {
            payment: id("payment"),
            order: id("order"),
            checkout: id("checkout"),
            gateway: "fake".into(),
            method: "card".into(),
            amount: Shop::euros(100),
            capture,
            deadline: START.plus(std::time::Duration::from_secs(600)),
            key: commerce_core::port::payment::IdempotencyKey("key".into()),
            resolve_at: START.plus(std::time::Duration::from_secs(30)),
        };
        let events = Payment::decide(None, create, START).unwrap();
        fold::<Payment>(None, &events).unwrap().unwrap().captures_at_once()
    };
    assert!(shop(true));
    assert!(!shop(false));
}

#[test]
fn what_has_ended_has_ended() {
    use commerce_core::returns::Status as R;
    use commerce_core::shipping::Status as S;
    let open = [
        R::Requested,
        R::Approved,
        R::InTransit,
        R::PartiallyReceived,
        R::Received,
        R::Inspected,
        R::Resolved,
    ];
    assert!(open.iter().all(|status| !status.is_terminal()));
    assert!([R::Rejected, R::Cancelled, R::Expired, R::Closed].iter().all(|status| status.is_terminal()));
    let open =
        [S::Pending, S::ReadyToShip, S::OnHold, S::Dispatched, S::InTransit, S::OutForDelivery, S::Exception];
    assert!(open.iter().all(|status| !status.is_terminal()));
    assert!(
        [S::Cancelled, S::Delivered, S::ReturnedToSender, S::Lost].iter().all(|status| status.is_terminal())
    );
}

#[test]
fn units_of_a_return_add_up() {
    let line = commerce_core::returns::Line {
        returnable: 9,
        requested: 8,
        reason: commerce_core::value::Reason::new("broken").unwrap(),
        approved: 7,
        received: 6,
        wrong: 0,
        restocked: 1,
        damaged: 2,
        rejected: 3,
    };
    assert_eq!((line.inspected(), line.accepted(), line.missing()), (6, 3, 1));
}

#[test]
fn a_line_promotion_looks_at_list_prices_only() {
    use commerce_core::promotions::{Promotion, PromotionError};
    use commerce_core::value::{Benefit, Conditions, Phase, PromotionRule, Threshold, TotalAfter};
    let create = |phase, after| {
        let min_subtotal = Some(Threshold { amount: Shop::euros(1), after });
        let rule = PromotionRule {
            condition: Conditions { min_subtotal, ..Conditions::default() },
            currency: Some(Currency::EUR),
            ..PromotionRule::new(id("promotion"), phase, Benefit::Percent(Rate::parse("10").unwrap()))
        };
        let create = PromotionCommand::Create {
            rule,
            usage_limit: None,
            per_customer_limit: None,
            budget: None,
            returns_usage: true,
        };
        Promotion::decide(None, create, START).map(drop)
    };
    let wrong = Err(PromotionError::WrongPhase);
    assert_eq!(create(Phase::Line, TotalAfter::List), Ok(()));
    assert_eq!(create(Phase::Line, TotalAfter::LinePromotions), wrong);
    assert_eq!(create(Phase::Order, TotalAfter::LinePromotions), Ok(()));
    assert_eq!(create(Phase::Order, TotalAfter::OrderPromotions), wrong);
    assert_eq!(create(Phase::Shipping, TotalAfter::OrderPromotions), Ok(()));
}

#[test]
fn two_ways_of_sending_have_two_codes() {
    use commerce_core::settings::{SettingsError, ShopSettings};
    use commerce_core::value::shipping::{RateRule, ShippingMethod};
    let method = |code: &str| ShippingMethod {
        code: commerce_core::value::Code::new(code).unwrap(),
        label: commerce_core::value::Label::new("Post").unwrap(),
        rate: RateRule::Flat(Shop::euros(500)),
        days: None,
        countries: Vec::new(),
    };
    let update = |shipping| {
        let values = SettingsValues { shipping, ..SettingsValues::default() };
        ShopSettings::decide(None, SettingsCommand::Update { values: Box::new(values) }, START).map(drop)
    };
    assert_eq!(update(vec![method("a"), method("b")]), Ok(()));
    assert_eq!(update(vec![method("a"), method("b"), method("a")]), Err(SettingsError::DuplicateMethod));
}

#[test]
fn publishing_what_is_published_is_a_no_op() {
    let variant = commerce_core::catalog::VariantInput {
        id: id("variant"),
        sku: Sku::new("MUG").unwrap(),
        options: std::collections::BTreeMap::new(),
        prices: vec![Price::parse("1.00", Currency::EUR).unwrap()],
    };
    let create = ProductCommand::Create {
        product: id("product"),
        seller: None,
        slug: commerce_core::value::Slug::new("mug").unwrap(),
        details: Box::new(ProductDetails::new(Name::new("Mug").unwrap())),
        options: Vec::new(),
        categories: [id("category")].into(),
        variants: vec![variant],
        prices: commerce_core::catalog::PricePolicy::FreeAllowed,
    };
    let mut events = Product::decide(None, create, START).unwrap();
    let draft = fold::<Product>(None, &events).unwrap().unwrap();
    let published = Product::decide(Some(&draft), ProductCommand::Publish, START).unwrap();
    assert_eq!(published.len(), 1);
    events.extend(published);
    let product = fold::<Product>(None, &events).unwrap().unwrap();
    assert_eq!(Product::decide(Some(&product), ProductCommand::Publish, START), Ok(Vec::new()));
}
