//! Customers, and the browsers that send everything again.

use std::time::Duration;

use async_trait::async_trait;
use commerce_core::app::checkout::{CheckoutReceipt, CheckoutRequest, CheckoutStatus};
use commerce_core::app::operations::OperationError;
use commerce_core::checkout::CheckoutError;
use commerce_core::kernel::error::ErrorClass;
use commerce_core::value::id::{CartId, CommandId};
use commerce_core::value::{Money, Reason};

use super::actor::Actor;
use super::basket::fill;
use super::context::Context;
use crate::check::Rule;
use crate::shop::Shop;

/// Somebody who buys, gives up, and sometimes thinks better of it.
#[derive(Debug)]
pub(super) struct Customer {
    pub(super) number: u64,
}

#[async_trait]
impl Actor for Customer {
    fn name(&self) -> String {
        format!("buyer-{}", self.number)
    }

    async fn live(self: Box<Self>, mut context: Context) {
        while !context.is_over() {
            context.rest(Duration::from_secs(40)).await;
            let Some(cart) = fill(&mut context, self.number).await else { continue };
            if context.dice().chance(80) {
                continue; // left behind
            }
            self.buy(&mut context, cart).await;
        }
    }
}

impl Customer {
    async fn buy(&self, context: &mut Context, cart: CartId) {
        let number = self.number;
        for _ in 0..2 {
            let ask = move |shop: Shop, _| async move { shop.buyer(number).quote(cart).await };
            let Some(book) = context.insist::<_, CheckoutError, _>("quote", ask).await.done() else { return };
            context.rest(Duration::from_secs(10)).await;
            let click = context.new_id();
            if context.dice().chance(200) {
                // The button is pressed twice.
                let browser = context.another();
                context.beside(again(browser, number, cart, book.total, click));
            }
            let receipt = checkout(context, number, cart, book.total, click).await;
            match receipt {
                Some(receipt) if receipt.status == CheckoutStatus::Confirmed => {
                    context.shelf().confirm(number, receipt.clone());
                    if context.dice().chance(120) {
                        self.cancel(context, receipt).await;
                    }
                    return;
                }
                // Another card; the cart is free again once everything is undone.
                Some(receipt) if matches!(receipt.status, CheckoutStatus::Failed { .. }) => {}
                // The bank has the word, or nobody knows: looked at again later.
                Some(receipt) => {
                    context.rest(Duration::from_secs(400)).await;
                    self.look(context, receipt).await;
                    return;
                }
                None => return,
            }
        }
    }

    /// The order page, loaded again.
    async fn look(&self, context: &mut Context, receipt: CheckoutReceipt) {
        let (number, checkout) = (self.number, receipt.checkout);
        let ask = move |shop: Shop, _| async move { shop.buyer(number).resume_checkout(checkout).await };
        let Some(now) = context.insist::<_, CheckoutError, _>("look", ask).await.done() else { return };
        if now.order != receipt.order {
            context.complain(Rule::Idempotency, format!("checkout {checkout} has changed its order"));
        }
        if now.status == CheckoutStatus::Confirmed {
            context.shelf().confirm(number, now);
        } else if context.dice().chance(300) {
            self.cancel(context, now).await;
        }
    }

    async fn cancel(&self, context: &mut Context, receipt: CheckoutReceipt) {
        let Ok(reason) = Reason::new("changed my mind") else { return };
        let (number, order) = (self.number, receipt.order);
        let cancel = move |shop: Shop, command| {
            let reason = reason.clone();
            async move { Context::buyer(&shop, number, command).cancel_order(order, reason).await }
        };
        context.insist::<(), OperationError, _>("cancel order", cancel).await;
    }
}

async fn again(mut context: Context, buyer: u64, cart: CartId, total: Money, click: CommandId) {
    checkout(&mut context, buyer, cart, total, click).await;
}

/// Sends a checkout until there is an answer, always under the same command id.
async fn checkout(
    context: &mut Context,
    buyer: u64,
    cart: CartId,
    total: Money,
    click: CommandId,
) -> Option<CheckoutReceipt> {
    for _ in 0..6 {
        let ask = move |process: super::Process| async move {
            let shop = Context::buyer(&process.shop, buyer, click);
            shop.checkout(CheckoutRequest::new(cart, total)).await
        };
        match context.ask("checkout", ask).await {
            Ok(Ok(receipt)) => {
                context.note("checkout", &format!("{:?}", receipt.status));
                return Some(receipt);
            }
            Ok(Err(error)) => {
                context.note("checkout", &error.to_string());
                match error.class() {
                    ErrorClass::Refused => return None,
                    ErrorClass::Bug => {
                        context.complain(Rule::Events, format!("checkout: {error:?}"));
                        return None;
                    }
                    ErrorClass::Contended | ErrorClass::Unavailable => {}
                }
            }
            Err(_) => context.note("checkout", "lost"),
        }
        context.rest(Duration::from_secs(8)).await;
    }
    None
}
