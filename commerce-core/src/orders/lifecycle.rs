//! The lifecycle of an order: a table, and the one function that reads it.

use serde::{Deserialize, Serialize};

/// Where an order stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OrderStatus {
    /// Being put together by staff.
    Draft,
    /// Placed; stock is held, payment is not covered yet.
    Pending,
    /// Covered and promised.
    Confirmed,
    /// Everything delivered and paid.
    Completed,
    /// Never came about: declined, out of stock, too late.
    Failed,
    /// Given up by the buyer or staff.
    Cancelled,
}

/// What moves an order on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Trigger {
    /// Staff begin an order.
    Draft,
    /// A checkout places the order, or staff place their draft.
    Place,
    /// The checkout's pivot.
    Confirm,
    /// The checkout failed.
    Fail,
    /// The buyer or staff give it up.
    Cancel,
    /// Everything is delivered and the balance is zero.
    Complete,
}

/// From where, by what, to where.
pub type Transition = (Option<OrderStatus>, Trigger, OrderStatus);

/// Everything that can happen to the status of an order. What is not here is refused.
pub const TRANSITIONS: &[Transition] = &[
    (None, Trigger::Draft, OrderStatus::Draft),
    (None, Trigger::Place, OrderStatus::Pending),
    (Some(OrderStatus::Draft), Trigger::Place, OrderStatus::Pending),
    (Some(OrderStatus::Draft), Trigger::Cancel, OrderStatus::Cancelled),
    (Some(OrderStatus::Pending), Trigger::Confirm, OrderStatus::Confirmed),
    (Some(OrderStatus::Pending), Trigger::Fail, OrderStatus::Failed),
    (Some(OrderStatus::Pending), Trigger::Cancel, OrderStatus::Cancelled),
    (Some(OrderStatus::Confirmed), Trigger::Cancel, OrderStatus::Cancelled),
    (Some(OrderStatus::Confirmed), Trigger::Complete, OrderStatus::Completed),
];

/// Where the trigger leads, if anywhere.
pub fn next(from: Option<OrderStatus>, trigger: Trigger) -> Option<OrderStatus> {
    TRANSITIONS.iter().find(|(start, by, _)| (*start, *by) == (from, trigger)).map(|(_, _, to)| *to)
}

/// The table as Markdown, for the documentation.
pub fn markdown() -> String {
    let rows = TRANSITIONS.iter().map(|(from, trigger, to)| {
        let from = from.map_or_else(|| "–".to_owned(), |from| format!("{from:?}"));
        format!("| {from} | {trigger:?} | {to:?} |\n")
    });
    ["| from | trigger | to |\n|---|---|---|\n".to_owned()].into_iter().chain(rows).collect()
}
