//! What holds once nothing happens any more.

use std::collections::BTreeMap;

use commerce_core::carts::Cart;
use commerce_core::checkout::machine::Status;
use commerce_core::checkout::{Checkout, payment_of};
use commerce_core::orders::{Order, OrderStatus, PaymentSums};
use commerce_core::payments::{Payment, RefundStatus};
use commerce_core::port::payment::ChargeState;
use commerce_core::promotions::{Promotion, Redemption, RedemptionStatus};
use commerce_core::value::id::OrderId;

use super::books::Books;
use super::findings::Findings;
use super::{Breach, Rule, goods};
use crate::fake::gateway::Ledger;

/// Whether somebody is called for: the gateway refuses to give back, or the checkout is parked.
fn is_parked(books: &Books, order: &Order) -> bool {
    let Some(checkout) = order.content().checkout else { return false };
    let parked = books
        .get::<Checkout>(checkout)
        .is_some_and(|saga| matches!(saga.status(), Status::ManualIntervention(_)));
    let refused = books.get::<Payment>(payment_of(checkout)).is_some_and(|payment| {
        payment.refunds().values().any(|refund| refund.status == RefundStatus::Failed)
    });
    parked || refused
}

/// What the gateway should keep or reserve of an order.
fn due(order: &Order) -> i64 {
    let live = matches!(order.status(), OrderStatus::Confirmed | OrderStatus::Completed);
    if !live || order.is_imported() {
        return 0;
    }
    let sum = |of: fn(&PaymentSums) -> i64| order.payments().values().map(of).fold(0, i64::saturating_add);
    // What an edit leaves open is for buyer and shop to settle: it was paid what was due before.
    let due = if order.revised().number == 0 {
        order.total().minor()
    } else {
        sum(|payment| payment.captured.max(if payment.voided { 0 } else { payment.authorized }))
    };
    due.saturating_sub(sum(|payment| payment.refunded))
}

impl Findings {
    /// I1: what the gateway keeps or reserves of an order is its total less what the order says was given
    /// back, or it keeps nothing; and its books are ours.
    pub(super) fn money(&mut self, books: &Books, ledger: &Ledger) {
        let (mut wrong, mut confirmed, mut orders) = (None, 0_usize, 0_usize);
        for (id, order) in books.all::<Order>() {
            orders = orders.saturating_add(1);
            let live = matches!(order.status(), OrderStatus::Confirmed | OrderStatus::Completed);
            confirmed = confirmed.saturating_add(usize::from(live));
            let reserved = if live { ledger.reserved(id) } else { 0 };
            let (kept, due) = (ledger.kept(id).saturating_add(reserved), due(order));
            if kept != due && !is_parked(books, order) {
                wrong = Some(format!("order {id} ({:?}): {kept} kept, {due} due", order.status()));
            }
        }
        let line = format!(
            "{confirmed} confirmed of {orders} orders; the gateway has each total once, less refunds, else nothing"
        );
        self.rule(Rule::Money, wrong, &line);
        self.rule(Rule::Money, gateway_fault(books, ledger), "the gateway's books are ours");
        let bought: Vec<OrderId> = books.all::<Cart>().filter_map(|(_, cart)| cart.order()).collect();
        let mut distinct = bought.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let twice = (distinct.len() != bought.len()).then(|| "two carts became one order".to_owned());
        let line = format!("{} carts were bought, each became one order", bought.len());
        self.rule(Rule::Idempotency, twice, &line);
    }

    /// I2, I3: what is there is what came less what left, and nothing is held for anybody.
    pub(super) fn stock(&mut self, books: &Books) {
        let pools = books.pools.levels();
        let short = pools.keys().find_map(|pool| books.pools.fault(pool));
        self.rule(Rule::Stock, short, &format!("none of {} pools is below its floor", pools.len()));
        let held = pools.iter().find(|(_, level)| level.held != 0);
        let held = held.map(|(pool, level)| format!("{} units of {pool} are held", level.held));
        self.rule(Rule::Reservations, held, "nothing is held for anybody any more");
        self.rule(
            Rule::Stock,
            goods::fault(books),
            "what came less what left is there, and what is promised is allocated",
        );
    }

    /// I6: sagas end, or are parked.
    pub(super) fn sagas(&mut self, books: &Books) {
        let (mut ended, mut undone, mut parked, mut open) = (0_u64, 0_u64, 0_u64, None);
        for (id, saga) in books.all::<Checkout>() {
            let count = match saga.status() {
                Status::Completed => &mut ended,
                Status::Compensated => &mut undone,
                Status::ManualIntervention(_) => &mut parked,
                status => {
                    open = Some(format!("checkout {id} is {status:?}"));
                    continue;
                }
            };
            *count = count.saturating_add(1);
        }
        let line = format!("{ended} checkouts completed, {undone} undone, {parked} parked");
        self.rule(Rule::Sagas, open, &line);
    }

    /// I7: uses are what confirmed orders say.
    pub(super) fn coupons(&mut self, books: &Books) {
        let mut used: BTreeMap<_, u32> = BTreeMap::new();
        for (_, order) in books.all::<Order>() {
            if !matches!(order.status(), OrderStatus::Confirmed | OrderStatus::Completed) {
                continue;
            }
            let book = &order.content().book;
            let mut promotions: Vec<_> =
                book.lines.iter().flat_map(|line| &line.discounts).map(|off| off.promotion).collect();
            promotions.sort_unstable();
            promotions.dedup();
            for promotion in promotions {
                let count = used.entry(promotion).or_default();
                *count = count.saturating_add(1);
            }
        }
        let over = books.all::<Promotion>().find_map(|(id, promotion)| {
            let (limit, used) = (promotion.usage_limit()?, used.get(&id).copied().unwrap_or(0));
            (used > limit).then(|| format!("{used} orders use promotion {id}, {limit} may"))
        });
        let held = books.all::<Redemption>().find(|(_, used)| used.status() == RedemptionStatus::Held);
        let held = held.map(|(id, _)| format!("redemption {id} is held"));
        let line =
            format!("{} promotions, none used by more orders than may", books.all::<Promotion>().count());
        self.rule(Rule::Coupons, over.or(held), &line);
    }
}

/// A charge of which the gateway and the shop think differently, or that was charged twice.
fn gateway_fault(books: &Books, ledger: &Ledger) -> Option<String> {
    let mut paid: BTreeMap<OrderId, u32> = BTreeMap::new();
    for account in ledger.accounts() {
        let id = account.payment;
        if let Some(breach) = account_breach(account) {
            return Some(breach.what);
        }
        let Some(payment) = books.get::<Payment>(id) else {
            return Some(format!("the gateway has charged {id}, which nobody asked for"));
        };
        let known = (payment.ledger().captured(), payment.ledger().refunded());
        let parked = books.get::<Order>(account.order).is_some_and(|order| is_parked(books, order));
        if known != (account.captured, account.refunded) && !parked {
            let theirs = (account.captured, account.refunded);
            return Some(format!("payment {id}: {known:?} here, {theirs:?} at the gateway"));
        }
        // What the gateway refuses to give up is not the shop's to give up.
        let refused = ledger.has_refused_to_void(id);
        if payment.ledger().voided && account.state == ChargeState::Authorized && !refused {
            return Some(format!("payment {id} is given up here, and still reserved at the gateway"));
        }
        if account.captured > account.refunded {
            let count = paid.entry(account.order).or_default();
            *count = count.saturating_add(1);
        }
    }
    paid.into_iter()
        .find(|(_, count)| *count > 1)
        .map(|(order, count)| format!("order {order} is paid {count} times"))
}

/// What must not be in one account of the gateway.
pub(super) fn account_breach(account: &crate::fake::gateway::Account) -> Option<Breach> {
    let (amount, captured, refunded) = (account.amount.minor(), account.captured, account.refunded);
    let sound = 0 <= refunded && refunded <= captured && captured <= amount;
    let what = || format!("payment {}: {captured} of {amount} taken, {refunded} given back", account.payment);
    (!sound).then(|| Breach::new(Rule::Money, what()))
}
