//! Filling carts with goods that are on the shelf.

use std::time::Duration;

use commerce_core::app::error::CommandError;
use commerce_core::app::shopfront::ShopfrontError;
use commerce_core::carts::{CartCommand, CartError};
use commerce_core::value::id::CartId;
use commerce_core::value::{Code, Currency, PromotionCode, Quantity, Sku};

use super::context::Context;
use super::shelf::CODES;
use super::world::{EXPRESS, POST};
use crate::shop::Shop;

type Refused = CommandError<CartError>;

/// A cart that can be bought, unless the shop refuses.
pub(super) async fn fill(context: &mut Context, buyer: u64) -> Option<CartId> {
    let cart: CartId = context.new_id();
    let lines = 1 + context.dice().below(2);
    for _ in 0..lines {
        let goods = context.shelf().goods();
        let sku = context.dice().pick(&goods).and_then(|sku| Sku::new(sku).ok())?;
        let units = u32::try_from(1 + context.dice().below(3)).ok()?;
        let quantity = Quantity::new(units).ok()?;
        let add = move |shop: Shop, command| {
            let sku = sku.clone();
            async move {
                let shop = Context::buyer(&shop, buyer, command);
                shop.add_to_cart(cart, &sku, quantity, Currency::EUR).await.map(drop)
            }
        };
        context.insist::<(), ShopfrontError, _>("add to cart", add).await.done()?;
        context.rest(Duration::from_secs(3)).await;
    }
    let (email, address) = Shop::contact(buyer);
    give(context, buyer, cart, CartCommand::SetContact { email }).await?;
    give(context, buyer, cart, CartCommand::SetShippingAddress { address }).await?;
    let method = if context.dice().chance(500) { EXPRESS } else { POST };
    give(context, buyer, cart, CartCommand::ChooseShipping { method: Code::new(method).ok()? }).await?;
    if context.dice().chance(350) {
        let code = context.dice().pick(&CODES).and_then(|(code, ..)| PromotionCode::new(code).ok())?;
        give(context, buyer, cart, CartCommand::ApplyCode { code }).await?;
    }
    Some(cart)
}

async fn give(context: &mut Context, buyer: u64, cart: CartId, command: CartCommand) -> Option<()> {
    let set = move |shop: Shop, id| {
        let command = command.clone();
        async move { Context::buyer(&shop, buyer, id).execute(cart, command).await.map(drop) }
    };
    context.insist::<(), Refused, _>("change cart", set).await.done()
}
