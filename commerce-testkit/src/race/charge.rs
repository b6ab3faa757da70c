//! G6: one charge, however often a checkout is sent and however the gateway answers.

use std::time::Duration;

use commerce_core::checkout::machine::Status;
use commerce_core::checkout::{Checkout, CheckoutError, order_of};
use commerce_core::kernel::error::CommitError;
use commerce_core::orders::{Order, OrderStatus};
use commerce_core::port::payment::ChargeState;
use commerce_core::value::id::CommandId;
use uuid::Uuid;

use super::courier::{BEHAVIOURS, Courier, Meanwhile};
use super::ground::{Bought, Ground, Wish, node};
use super::order::{Fact, happens};
use super::{Raced, Tally};
use crate::conformance::outcome::{Outcome, equal, holds, present};
use crate::conformance::{Failure, Fixture};
use crate::fake::{Behaviour, Gateway};

/// When the gateway calls back: during the call, and behind it.
const CALLBACKS: [(&str, usize, usize); 5] =
    [("never", 0, 0), ("before the answer", 1, 0), ("after it", 0, 1), ("twice", 0, 2), ("around it", 1, 1)];
/// How long the gateway takes, in seconds; others look after the call from 25 on.
const TAKES: [u64; 3] = [0, 10, 40];
/// How often the checkout is sent at once.
const SENDS: [usize; 2] = [2, 5];

/// One way in which a checkout can be sent and answered.
struct Case<'c> {
    number: u64,
    behaviour: &'c (&'c str, Behaviour),
    callbacks: (&'c str, usize, usize),
    takes: u64,
    sends: usize,
}

impl std::fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { behaviour: (behaviour, _), callbacks: (callbacks, ..), takes, sends, .. } = self;
        write!(f, "the gateway {behaviour} in {takes} s and calls back {callbacks}, sent {sends} times")
    }
}

fn same_order(case: &Case<'_>, outcomes: &[Bought]) -> Outcome {
    let mut orders = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(receipt) => orders.push(receipt.order),
            Err(error) => return Err(Failure::new(format!("{case}: a sender was told {error:?}"))),
        }
    }
    orders.dedup();
    equal(&format!("{case}: orders that senders were told of"), orders.len(), 1)
}

async fn run(ground: &Ground<'_>, courier: &Courier, case: &Case<'_>) -> Outcome {
    let cart = ground.fills(case.number, &[("MUG", 1)]).await?;
    ground.shop.gateway.script([case.behaviour.1.clone()]);
    let (_, during, behind) = case.callbacks;
    courier.meanwhile(Meanwhile {
        facts: vec![Fact::Report; during],
        takes: Duration::from_secs(case.takes),
        ..Meanwhile::default()
    });
    let command = CommandId::derived(Uuid::from_u128(6), &case.number.to_be_bytes());
    let wish = Wish { buyer: case.number, cart, cents: 1000, command: Some(command) };
    same_order(case, &ground.race(&vec![wish.clone(); case.sends]).await?)?;
    let call = present("the gateway's call", courier.last())?;
    for _ in 0..behind {
        happens(&ground.shop.commerce, &ground.shop.gateway, &ground.shop.clock, call, Fact::Report).await;
    }
    // Sent again behind it all, and under the same id with another total.
    same_order(case, &ground.race(std::slice::from_ref(&wish)).await?)?;
    let other = ground.race(&[Wish { cents: 999, ..wish }]).await?;
    let reused = matches!(other.as_slice(), [Err(CheckoutError::Commit(CommitError::KeyReused(_)))]);
    holds(&format!("{case}: the id is refused for another request, not answered with {other:?}"), reused)
}

pub(super) async fn g6_one_charge_however_it_is_sent_and_answered(f: &Fixture) -> Raced {
    let gateway = Gateway::approving();
    let clock = present("a clock", f.clock())?.clone();
    let courier = Courier::new(gateway.clone(), clock.clone());
    courier.serves(node(f, &clock, 2).with_payment_gateway(courier.clone()));
    let ground = Ground::calling(f, gateway, courier.clone()).await?;
    ground.lists("MUG", "10.00", 1000).await?;
    let mut number = 0;
    for behaviour in &BEHAVIOURS {
        for callbacks in CALLBACKS {
            for takes in TAKES {
                for sends in SENDS {
                    number += 1;
                    run(&ground, &courier, &Case { number, behaviour, callbacks, takes, sends }).await?;
                }
            }
        }
    }
    ground.settles().await?;
    judge(&ground, number).await
}

/// Reads the store and the gateway's books only.
async fn judge(ground: &Ground<'_>, cases: u64) -> Raced {
    let books = ground.books().await?;
    let ledger = ground.shop.gateway.ledger();
    let mut tally = Tally::default();
    tally.add("combinations", cases);
    equal("orders", books.all::<Order>().count() as u64, cases)?;
    for (id, order) in books.all::<Order>() {
        let charges: Vec<_> = ledger.accounts().filter(|account| account.order == id).collect();
        holds("an order has at most one charge", charges.len() <= 1)?;
        for charge in charges {
            let in_order =
                0 <= charge.refunded && charge.refunded <= charge.captured && charge.captured <= 1000;
            holds(&format!("refunded ≤ captured ≤ authorised: {charge:?}"), in_order)?;
        }
        let stands = order.status() == OrderStatus::Confirmed;
        let money = (ledger.kept(id), ledger.reserved(id));
        equal(&format!("kept and reserved of {id}"), money, if stands { (1000, 0) } else { (0, 0) })?;
        tally.add(if stands { "confirmed" } else { "given up" }, 1);
    }
    for (id, saga) in books.all::<Checkout>() {
        let status = saga.status();
        // Where the gateway itself never decides, somebody has to ask it; nothing else may be left.
        let undecided = ledger.accounts().any(|account| {
            account.order == order_of(id) && account.state == ChargeState::Processing && account.captured == 0
        });
        let parked = undecided && matches!(status, Status::ManualIntervention(_));
        let fits = status.is_terminal() || parked;
        holds(&format!("the checkout of {} has ended: {status:?}", order_of(id)), fits)?;
        tally.add("parked, as the gateway never decides", u64::from(parked));
    }
    ground.checks().await?;
    Ok(tally)
}
