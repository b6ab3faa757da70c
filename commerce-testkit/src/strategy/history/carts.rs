//! Histories of carts.

use commerce_core::carts::{Cart, CartCommand, MergeStrategy, PriceOverride};
use commerce_core::value::actor::Owner;
use commerce_core::value::{Currency, Price, PromotionCode};
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop_oneof};
use proptest::sample::select;

use super::{Storied, address, code, email, few, mostly_first, nth, reason, soon, units};

fn promotion() -> impl Strategy<Value = PromotionCode> {
    select(vec!["TENTH", "GIFT"]).prop_filter_map("a code", |text| PromotionCode::new(text).ok())
}

fn override_() -> impl Strategy<Value = PriceOverride> {
    let price = (0_i64..900)
        .prop_filter_map("a price", |cents| Price::from_micros(cents * 10_000, Currency::EUR).ok());
    (price, reason()).prop_map(|(price, reason)| PriceOverride { price, reason })
}

impl Storied for Cart {
    fn begins() -> BoxedStrategy<CartCommand> {
        Just(CartCommand::Create { owner: Owner::Subject(nth(0)), currency: Currency::EUR }).boxed()
    }

    fn continues() -> BoxedStrategy<CartCommand> {
        use CartCommand as C;
        let line = (few(), few(), few(), units(), option::of(code()), option::weighted(0.1, override_()));
        let strategy = select(vec![MergeStrategy::Sum, MergeStrategy::Larger, MergeStrategy::KeepTarget]);
        prop_oneof![
            8 => line.prop_map(|(line, product, variant, quantity, customisation, price_override)| {
                C::AddLine { line, product, variant, quantity, customisation, price_override }
            }),
            3 => (few(), 0_u32..9).prop_map(|(line, quantity)| C::ChangeQuantity { line, quantity }),
            2 => few().prop_map(|line| C::RemoveLine { line }),
            2 => promotion().prop_map(|code| C::ApplyCode { code }),
            1 => promotion().prop_map(|code| C::RemoveCode { code }),
            2 => email().prop_map(|email| C::SetContact { email }),
            2 => address().prop_map(|address| C::SetShippingAddress { address }),
            1 => address().prop_map(|address| C::SetBillingAddress { address }),
            1 => code().prop_map(|method| C::ChooseShipping { method }),
            1 => few().prop_map(|customer| C::Identify { customer }),
            4 => (mostly_first(), 1_u32..3, soon())
                .prop_map(|(checkout, number, deadline)| C::StartCheckout { checkout, number, deadline }),
            3 => (mostly_first(), soon()).prop_map(|(checkout, deadline)| C::ExtendCheckout { checkout, deadline }),
            3 => (mostly_first(), reason()).prop_map(|(checkout, reason)| C::FailCheckout { checkout, reason }),
            1 => (mostly_first(), few()).prop_map(|(checkout, order)| C::Convert { checkout, order }),
            1 => few().prop_map(|target| C::MergeInto { target }),
            1 => (few(), strategy, proptest::collection::vec(promotion(), 0..2)).prop_map(
                |(source, strategy, codes)| {
                    C::Merge { source, currency: Currency::EUR, lines: Vec::new(), codes, strategy }
                }
            ),
            1 => Just(C::Abandon),
            1 => Just(C::Reactivate),
            1 => Just(C::Expire),
        ]
        .boxed()
    }
}
