//! What holds behind every commit.

use std::collections::{BTreeMap, BTreeSet};

use commerce_core::carts::{Cart, Status as CartStatus};
use commerce_core::checkout::machine::Status;
use commerce_core::checkout::{Checkout, order_of};
use commerce_core::inventory::Reservation;
use commerce_core::inventory::state::Status as ReservationStatus;
use commerce_core::kernel::aggregate::{Aggregate, stream_of};
use commerce_core::kernel::stream::StreamId;
use commerce_core::orders::{Order, OrderStatus};
use commerce_core::payments::Payment;
use commerce_core::promotions::{Promotion, Redemption, RedemptionStatus};
use commerce_core::value::id::{CartId, Id, OrderId, PromotionId, RedemptionId};

use super::books::{Books, Touched};
use super::{Breach, Rule, money};

/// What belongs to what, found without reading everything again.
#[derive(Debug, Default)]
pub(super) struct Indexes {
    /// Orders that stand, by the cart they came from.
    standing: BTreeMap<CartId, BTreeSet<OrderId>>,
    /// Uses that count, by promotion.
    uses: BTreeMap<PromotionId, BTreeSet<RedemptionId>>,
}

/// Collects what is wrong.
type Breaches<'b> = &'b mut Vec<Breach>;

impl Books {
    /// Judges what a stretch of the log has touched.
    pub(super) fn always(&mut self, touched: &Touched, breaches: Breaches<'_>) {
        for stream in &touched.streams {
            match stream.kind.as_ref() {
                Order::NAME => self.with(stream, breaches, Self::order),
                Payment::NAME => self.with(stream, breaches, Self::payment),
                Reservation::NAME => self.with(stream, breaches, Self::reservation),
                Redemption::NAME => self.with(stream, breaches, Self::redemption),
                Checkout::NAME => self.with(stream, breaches, Self::checkout),
                _ => {}
            }
        }
        // Carts last: they are judged by the orders that came with them.
        for stream in touched.streams.iter().filter(|stream| stream.kind == Cart::NAME) {
            self.with(stream, breaches, Self::cart);
        }
        for pool in &touched.pools {
            if let Some(fault) = self.pools.fault(pool) {
                let rule = if pool.as_str().starts_with("promotion") { Rule::Coupons } else { Rule::Stock };
                breaches.push(Breach::new(rule, fault));
            }
        }
        for key in &touched.keys {
            let owners = self.keys.get(key).map_or(0, BTreeSet::len);
            if owners > 1 {
                breaches.push(Breach::new(Rule::Unique, format!("{key} belongs to {owners} streams")));
            }
        }
    }

    fn with<T>(
        &mut self,
        stream: &StreamId,
        breaches: Breaches<'_>,
        judge: fn(&mut Self, Id<T>, Breaches<'_>),
    ) {
        if let Ok(id) = Id::from_uuid(stream.id) {
            judge(self, id, breaches);
        }
    }

    fn order(&mut self, id: OrderId, breaches: Breaches<'_>) {
        let Some(order) = self.get::<Order>(id) else { return };
        let book = &order.content().book;
        if let Some(fault) = money::fault(book).filter(|_| !order.is_imported()) {
            breaches.push(Breach::new(Rule::Money, format!("order {id}: {fault}")));
        }
        let lines: BTreeMap<_, _> =
            order.content().lines.iter().map(|line| (line.id.uuid(), line.quantity)).collect();
        let priced = book.lines.iter().map(|line| (line.line.uuid(), line.quantity)).collect();
        // What was cancelled or edited since has a history of its own.
        let as_placed =
            order.lines().all(|(line, units)| (line.quantity.get(), 0) == (units.ordered, units.cancelled));
        if as_placed && !order.is_imported() && lines != priced {
            let what = format!("order {id}: what is priced is not what is sold");
            breaches.push(Breach::new(Rule::Money, what));
        }
        for (payment, sums) in order.payments() {
            let back = sums.refunded.saturating_add(sums.charged_back);
            if back > sums.captured {
                let what = format!("order {id}: {back} of {} went back of {payment}", sums.captured);
                breaches.push(Breach::new(Rule::Money, what));
            }
        }
        let Some(cart) = order.content().cart else { return };
        let stands = !matches!(order.status(), OrderStatus::Failed | OrderStatus::Cancelled);
        // An order that was confirmed used its cart up, also where it was cancelled later.
        let stands = stands || order.coverage().is_some();
        let standing = self.indexes.standing.entry(cart).or_default();
        if stands {
            standing.insert(id);
        } else {
            standing.remove(&id);
        }
        if standing.len() > 1 {
            let what = format!("cart {cart} became {} orders", standing.len());
            breaches.push(Breach::new(Rule::Idempotency, what));
        }
    }

    fn payment(&mut self, id: Id<<Payment as Aggregate>::Root>, breaches: Breaches<'_>) {
        let Some(payment) = self.get::<Payment>(id) else { return };
        let ledger = payment.ledger();
        let (captured, amount) = (ledger.captured(), payment.amount().minor());
        let back = ledger.refunded().saturating_add(ledger.lost());
        if back > captured || captured > amount {
            let what = format!("payment {id}: {captured} of {amount} captured, {back} went back");
            breaches.push(Breach::new(Rule::Money, what));
        }
        let saga = self.get::<Checkout>(payment.checkout());
        let goes_on = saga.is_some_and(|saga| !saga.status().is_terminal());
        if !payment.pending().is_empty() && !goes_on && !self.is_woken(&stream_of::<Payment>(id)) {
            let what = format!("payment {id} awaits an answer that nobody looks for");
            breaches.push(Breach::new(Rule::Sagas, what));
        }
    }

    fn reservation(&mut self, id: Id<<Reservation as Aggregate>::Root>, breaches: Breaches<'_>) {
        let Some(reservation) = self.get::<Reservation>(id) else { return };
        if reservation.status() != ReservationStatus::Held {
            return;
        }
        let saga = self.get::<Checkout>(reservation.checkout());
        let owned = saga.is_some_and(|saga| !saga.status().is_terminal());
        let ends = reservation.expires_at().is_none() || self.is_woken(&stream_of::<Reservation>(id));
        if !ends || (saga.is_some() && !owned) {
            let what = format!("reservation {id} holds units for nobody, or without an end");
            breaches.push(Breach::new(Rule::Reservations, what));
        }
    }

    fn redemption(&mut self, id: RedemptionId, breaches: Breaches<'_>) {
        let Some(redemption) = self.get::<Redemption>(id) else { return };
        let grant = redemption.grant().clone();
        let counts = match redemption.status() {
            RedemptionStatus::Held | RedemptionStatus::Redeemed => true,
            RedemptionStatus::Released | RedemptionStatus::Expired => false,
            // Whether a reversal gives the use back is the promotion's policy.
            RedemptionStatus::Reversed => {
                self.get::<Promotion>(grant.promotion).is_some_and(|promotion| !promotion.returns_usage())
            }
        };
        if redemption.status() == RedemptionStatus::Held && !self.is_woken(&stream_of::<Redemption>(id)) {
            breaches.push(Breach::new(Rule::Coupons, format!("redemption {id} is held without an end")));
        }
        let uses = self.indexes.uses.entry(grant.promotion).or_default();
        if counts {
            uses.insert(id);
        } else {
            uses.remove(&id);
        }
        let uses = uses.clone();
        let used = uses.len();
        let limit = self.get::<Promotion>(grant.promotion).and_then(Promotion::usage_limit);
        if limit.is_some_and(|limit| used > limit as usize) {
            let what = format!("promotion {} is used {used} times", grant.promotion);
            breaches.push(Breach::new(Rule::Coupons, what));
        }
        let of_subject = |id: &&RedemptionId| {
            self.get::<Redemption>(**id).is_some_and(|used| used.grant().subject == grant.subject)
        };
        let used = uses.iter().filter(of_subject).count();
        if grant.per_customer_limit.is_some_and(|limit| used > limit as usize) {
            let what = format!("{} uses promotion {} {used} times", grant.subject, grant.promotion);
            breaches.push(Breach::new(Rule::Coupons, what));
        }
    }

    fn checkout(&mut self, id: Id<<Checkout as Aggregate>::Root>, breaches: Breaches<'_>) {
        let Some(saga) = self.get::<Checkout>(id) else { return };
        let status = saga.status();
        let parked = matches!(status, Status::ManualIntervention(_));
        if !status.is_terminal() && !parked && !self.is_woken(&stream_of::<Checkout>(id)) {
            let what = format!("checkout {id} is {status:?}, and nobody goes on with it");
            breaches.push(Breach::new(Rule::Sagas, what));
        }
        let order = self.get::<Order>(order_of(id)).map(Order::status);
        let failed = matches!(order, Some(OrderStatus::Failed | OrderStatus::Cancelled));
        if status == Status::Compensated && !failed {
            let what = format!("checkout {id} is undone, its order is {order:?}");
            breaches.push(Breach::new(Rule::Sagas, what));
        }
        self.courses.moved(id.uuid(), status, breaches);
    }

    fn cart(&mut self, id: CartId, breaches: Breaches<'_>) {
        let Some(cart) = self.get::<Cart>(id) else { return };
        let order = cart.order();
        let known = order.and_then(|order| self.get::<Order>(order));
        let confirmed = known.is_some_and(|order| order.coverage().is_some() || order.is_imported());
        if cart.status() == CartStatus::Converted && !confirmed {
            let what = format!("cart {id} was bought, its order {order:?} was not confirmed");
            breaches.push(Breach::new(Rule::Sagas, what));
        }
    }
}
