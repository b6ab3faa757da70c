//! The warehouse: parcels that leave, and goods that come back.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::app::error::CommandError;
use commerce_core::app::operations::OperationError;
use commerce_core::app::operations::returns::ReturnUnits;
use commerce_core::app::query::ById;
use commerce_core::app::reading::ReadError;
use commerce_core::checkout::fulfil::shipment_of;
use commerce_core::orders::Order;
use commerce_core::returns::{
    ApprovedLine, CountedLine, InspectedLine, Resolution, ReturnCommand, ReturnError,
};
use commerce_core::settings::SettingsValues;
use commerce_core::shipping::{CarrierStatus, Tracking};
use commerce_core::value::id::{LocationId, OrderId, OrderLineId, ReturnId};
use commerce_core::value::{Code, Quantity, Reason};

use super::actor::Actor;
use super::context::Context;
use super::shelf::Sold;
use crate::shop::Shop;

/// Sends what was sold, and takes some of it back.
#[derive(Debug, Default)]
pub(super) struct Warehouse {
    sent: BTreeSet<OrderId>,
}

#[async_trait]
impl Actor for Warehouse {
    fn name(&self) -> String {
        "warehouse".to_owned()
    }

    async fn live(mut self: Box<Self>, mut context: Context) {
        let Some(location) = SettingsValues::default().locations.first().copied() else { return };
        while !context.is_over() {
            context.rest(Duration::from_secs(12)).await;
            let waiting = context.shelf().sold();
            let waiting: Vec<_> =
                waiting.into_iter().filter(|sold| !self.sent.contains(&sold.receipt.order)).collect();
            let Some(sold) = context.dice().pick(&waiting).cloned() else { continue };
            if send(&mut context, &sold, location).await.is_some() {
                self.sent.insert(sold.receipt.order);
                if context.dice().chance(500) {
                    let buyer = context.another();
                    context.beside(async move {
                        let mut buyer = buyer;
                        take_back(&mut buyer, &sold, location).await;
                    });
                }
            }
        }
    }
}

/// Makes ready, hands over, and hears that it has arrived.
async fn send(context: &mut Context, sold: &Sold, location: LocationId) -> Option<()> {
    let parcel = shipment_of(sold.receipt.checkout, location);
    let ready =
        move |shop: Shop, id| async move { shop.staff().with_command_id(id).mark_ready(parcel).await };
    context.insist::<(), OperationError, _>("make ready", ready).await.done()?;
    let number = Code::new(&format!("T{}", context.dice().below(1_000_000))).ok()?;
    let tracking = Tracking { carrier: Code::new("dhl").ok()?, number };
    let hand = move |shop: Shop, id| {
        let tracking = tracking.clone();
        async move { shop.staff().with_command_id(id).dispatch(parcel, Some(tracking)).await }
    };
    context.insist::<(), OperationError, _>("dispatch", hand).await.done()?;
    // The carrier's news come out of order.
    let mut news = vec![
        (CarrierStatus::InTransit, 1_u16),
        (CarrierStatus::OutForDelivery, 2),
        (CarrierStatus::Delivered, 3),
    ];
    if context.dice().chance(300) {
        news.swap(0, 2);
    }
    let now = context.now();
    for (status, rank) in news {
        context.rest(Duration::from_secs(6)).await;
        let at = now.plus(Duration::from_secs(u64::from(rank)));
        let tell = move |shop: Shop, id| async move {
            shop.staff().with_command_id(id).record_tracking(parcel, status, at, rank).await
        };
        context.insist::<(), OperationError, _>("tracking", tell).await;
    }
    Some(())
}

/// The first line of an order, whole.
async fn first_line(context: &mut Context, sold: &Sold) -> Option<(OrderLineId, Quantity)> {
    let order = sold.receipt.order;
    let ask = move |shop: Shop, _| async move { shop.staff().query(ById::<Order>(order)).await };
    let order = context.insist::<_, ReadError, _>("read order", ask).await.done()??;
    order.lines().next().map(|(line, _)| (line.id, line.quantity))
}

/// Asked for, allowed, counted, looked at and paid for.
async fn take_back(context: &mut Context, sold: &Sold, location: LocationId) -> Option<()> {
    let (line, quantity) = first_line(context, sold).await?;
    let (goods, order, buyer): (ReturnId, OrderId, u64) = (context.new_id(), sold.receipt.order, sold.buyer);
    let reason = Reason::new("does not please").ok()?;
    let request = move |shop: Shop, id| {
        let units = vec![ReturnUnits { line, quantity, reason: reason.clone() }];
        async move { Context::buyer(&shop, buyer, id).request_return(goods, order, units).await }
    };
    context.insist::<(), OperationError, _>("request return", request).await.done()?;
    let number = Code::new(&format!("R{}", context.dice().below(1_000_000_000))).ok()?;
    let lines = vec![ApprovedLine { line, quantity }];
    let expires_at = context.now().plus(Duration::from_secs(7 * 24 * 3600));
    let approve = ReturnCommand::Approve { number, lines, expires_at };
    let allow = move |shop: Shop, id| {
        let approve = approve.clone();
        async move { shop.staff().with_command_id(id).execute(goods, approve).await.map(drop) }
    };
    context.insist::<(), CommandError<ReturnError>, _>("approve return", allow).await.done()?;
    context.rest(Duration::from_secs(120)).await;
    let counts = vec![CountedLine { line, received: quantity.get(), wrong: 0 }];
    let count = move |shop: Shop, id| {
        let counts = counts.clone();
        async move { shop.staff().with_command_id(id).receive_return(goods, counts, true).await }
    };
    context.insist::<(), OperationError, _>("receive return", count).await.done()?;
    let damaged = u32::from(context.dice().chance(300));
    let restocked = quantity.get().saturating_sub(damaged);
    let found = vec![InspectedLine { line, restocked, damaged, rejected: 0 }];
    let inspect = move |shop: Shop, id| {
        let found = found.clone();
        async move { shop.staff().with_command_id(id).inspect_return(goods, location, found).await }
    };
    context.insist::<(), OperationError, _>("inspect return", inspect).await.done()?;
    let most = u64::try_from(sold.receipt.total.minor()).ok()?;
    let amount = Shop::euros(i64::try_from(1 + context.dice().below(most.max(1))).ok()?);
    let resolve = move |shop: Shop, id| async move {
        let resolution = Resolution::Refund { amount };
        shop.staff().with_command_id(id).resolve_return(goods, resolution).await.map(drop)
    };
    context.insist::<(), OperationError, _>("resolve return", resolve).await.done()
}
