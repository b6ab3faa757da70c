//! Whoever keeps the prices, the stock and the money.

use std::time::Duration;

use async_trait::async_trait;
use commerce_core::app::error::CommandError;
use commerce_core::app::operations::OperationError;
use commerce_core::catalog::{PricePolicy, ProductCommand, ProductError};
use commerce_core::checkout::payment_of;
use commerce_core::inventory::{StockCommand, StockError, stock_item_id};
use commerce_core::orders::{OrderCommand, OrderError};
use commerce_core::settings::SettingsValues;
use commerce_core::value::id::RefundId;
use commerce_core::value::{Money, Price, Quantity, Reason, Sku};

use super::actor::Actor;
use super::context::Context;
use crate::shop::Shop;

/// A member of the staff, who does one thing after the other.
#[derive(Debug)]
pub(super) struct Clerk;

fn reason() -> Option<Reason> {
    Reason::new("as the shop sees fit").ok()
}

#[async_trait]
impl Actor for Clerk {
    fn name(&self) -> String {
        "clerk".to_owned()
    }

    async fn live(self: Box<Self>, mut context: Context) {
        while !context.is_over() {
            context.rest(Duration::from_secs(15)).await;
            let goods = context.shelf().goods();
            let Some(sku) = context.dice().pick(&goods).and_then(|sku| Sku::new(sku).ok()) else { return };
            match context.dice().below(10) {
                0..=3 => receive(&mut context, sku).await,
                4 => reprice(&mut context, sku).await,
                5..=6 => refund(&mut context).await,
                7 => cancel(&mut context).await,
                _ => block(&mut context).await,
            };
        }
    }
}

async fn receive(context: &mut Context, sku: Sku) -> Option<()> {
    let units = u32::try_from(1 + context.dice().below(9)).ok()?;
    let quantity = Quantity::new(units).ok()?;
    let location = SettingsValues::default().locations.first().copied()?;
    let receive = move |shop: Shop, command| {
        let item = stock_item_id(&sku, location);
        async move {
            let staff = shop.staff().with_command_id(command);
            staff.execute(item, StockCommand::Receive { quantity }).await.map(drop)
        }
    };
    context.insist::<(), CommandError<StockError>, _>("receive stock", receive).await.done()
}

async fn reprice(context: &mut Context, sku: Sku) -> Option<()> {
    let cents = i64::try_from(100 + context.dice().below(5000)).ok()?;
    let price = Price::from_money(Shop::euros(cents)).ok()?;
    let product = context.shelf().product(sku.as_str())?;
    let set = move |shop: Shop, command| async move {
        let variant = product.cast();
        let set = ProductCommand::SetPrice { variant, price, prices: PricePolicy::default() };
        shop.staff().with_command_id(command).execute(product, set).await.map(drop)
    };
    context.insist::<(), CommandError<ProductError>, _>("change price", set).await.done()
}

/// Some or all of the money of some order; what is too much is refused.
async fn refund(context: &mut Context) -> Option<()> {
    let throw = context.dice().throw();
    let sold = context.shelf().one(throw)?;
    let (payment, id) = (payment_of(sold.receipt.checkout), context.new_id::<()>());
    let total = u64::try_from(sold.receipt.total.minor()).ok()?;
    let minor = i64::try_from(1 + context.dice().below(total.max(1))).ok()?;
    let (amount, refund, reason): (Money, RefundId, Reason) = (Shop::euros(minor), id.cast(), reason()?);
    let give = move |shop: Shop, command| {
        let reason = reason.clone();
        async move {
            let staff = shop.staff().with_command_id(command);
            staff.refund(payment, refund, amount, reason).await.map(drop)
        }
    };
    context.insist::<(), OperationError, _>("refund", give).await.done()
}

async fn cancel(context: &mut Context) -> Option<()> {
    let throw = context.dice().throw();
    let order = context.shelf().one(throw)?.receipt.order;
    let reason = reason()?;
    let cancel = move |shop: Shop, command| {
        let reason = reason.clone();
        async move { shop.staff().with_command_id(command).cancel_order(order, reason).await }
    };
    context.insist::<(), OperationError, _>("cancel order", cancel).await.done()
}

/// An order is looked at before it may leave.
async fn block(context: &mut Context) -> Option<()> {
    let throw = context.dice().throw();
    let order = context.shelf().one(throw)?.receipt.order;
    let reason = reason()?;
    for command in [OrderCommand::Block { reason }, OrderCommand::Unblock] {
        let tell = move |shop: Shop, id| {
            let command = command.clone();
            async move { shop.staff().with_command_id(id).execute(order, command).await.map(drop) }
        };
        context.insist::<(), CommandError<OrderError>, _>("block order", tell).await.done()?;
        context.rest(Duration::from_secs(60)).await;
    }
    Some(())
}
