//! One use of a promotion by one checkout.

use serde::{Deserialize, Serialize};

use super::command::RedemptionCommand;
use super::error::RedemptionError;
use super::event::{Grant, RedemptionEvent};
use super::policy::{budget_pool, customer_uses_pool, uses_pool};
use super::state::RedemptionStatus as Status;
use crate::kernel::aggregate::{Aggregate, EvolveError};
use crate::kernel::effects::Effects;
use crate::kernel::pool::PoolOp;
use crate::value::actor::Owner;
use crate::value::id::{Id, OrderId, marker};
use crate::value::time::Timestamp;

/// The name of the timer that ends a hold.
pub const EXPIRY: &str = "expiry";

/// One use of a promotion by one checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redemption {
    grant: Grant,
    version: u64,
    returns_usage: bool,
    status: Status,
    expires_at: Timestamp,
    order: Option<OrderId>,
}

impl Redemption {
    /// What it takes from pools, and for whom.
    pub const fn grant(&self) -> &Grant {
        &self.grant
    }

    /// The version of the promotion.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Where it stands.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// When the hold ends or would have ended by itself.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The order that used it.
    pub const fn order(&self) -> Option<OrderId> {
        self.order
    }

    const fn not(&self, command: &'static str) -> RedemptionError {
        RedemptionError::IllegalTransition { status: self.status, command }
    }

    fn extend(&self, expires_at: Timestamp) -> Result<Vec<RedemptionEvent>, RedemptionError> {
        if self.status != Status::Held {
            return Err(self.not("be extended"));
        }
        match expires_at.cmp(&self.expires_at) {
            std::cmp::Ordering::Less => Err(RedemptionError::BadExpiry { expires_at }),
            std::cmp::Ordering::Equal => Ok(Vec::new()),
            std::cmp::Ordering::Greater => Ok(vec![RedemptionEvent::Extended { expires_at }]),
        }
    }

    fn redeem(&self, order: OrderId) -> Result<Vec<RedemptionEvent>, RedemptionError> {
        match (self.status, self.order) {
            (Status::Held, _) => Ok(vec![RedemptionEvent::Redeemed { grant: self.grant.clone(), order }]),
            (Status::Redeemed, Some(known)) if known == order => Ok(Vec::new()),
            (Status::Redeemed, Some(known)) => Err(RedemptionError::UsedBy { order: known }),
            _ => Err(self.not("be redeemed")),
        }
    }

    fn expire(&self, now: Timestamp) -> Result<Vec<RedemptionEvent>, RedemptionError> {
        match self.status {
            Status::Held if now < self.expires_at => Err(RedemptionError::NotExpired),
            Status::Held => Ok(vec![RedemptionEvent::Expired { grant: self.grant.clone() }]),
            // The timer was late: somebody else ended the hold.
            _ => Ok(Vec::new()),
        }
    }

    fn reverse(&self) -> Result<Vec<RedemptionEvent>, RedemptionError> {
        match (self.status, self.order) {
            (Status::Redeemed, Some(order)) => Ok(vec![RedemptionEvent::Reversed {
                grant: self.grant.clone(),
                order,
                returned: self.returns_usage,
            }]),
            (Status::Reversed, _) => Ok(Vec::new()),
            _ => Err(self.not("be reversed")),
        }
    }
}

fn hold(command: RedemptionCommand) -> Result<RedemptionEvent, RedemptionError> {
    let RedemptionCommand::Hold {
        promotion,
        version,
        code,
        checkout,
        subject,
        amount,
        limited,
        per_customer_limit,
        budgeted,
        returns_usage,
        expires_at,
    } = command
    else {
        return Err(RedemptionError::NotFound);
    };
    let grant = Grant { promotion, code, checkout, subject, amount, limited, per_customer_limit, budgeted };
    Ok(RedemptionEvent::Held { grant, version, returns_usage, expires_at })
}

impl Aggregate for Redemption {
    const NAME: &'static str = "redemption";
    type Root = marker::Redemption;
    type Command = RedemptionCommand;
    type Event = RedemptionEvent;
    type Error = RedemptionError;

    fn decide(
        state: Option<&Self>,
        command: RedemptionCommand,
        now: Timestamp,
    ) -> Result<Vec<RedemptionEvent>, RedemptionError> {
        use RedemptionCommand as C;
        match (state, command) {
            (None, command) => match hold(command)? {
                RedemptionEvent::Held { grant, .. } if grant.amount.is_negative() => {
                    Err(RedemptionError::NegativeAmount)
                }
                RedemptionEvent::Held { expires_at, .. } if expires_at <= now => {
                    Err(RedemptionError::BadExpiry { expires_at })
                }
                event => Ok(vec![event]),
            },
            (Some(known), command @ C::Hold { .. }) => match hold(command)? {
                RedemptionEvent::Held { grant, version, .. }
                    if grant == known.grant && version == known.version =>
                {
                    Ok(Vec::new())
                }
                _ => Err(RedemptionError::AlreadyHeld),
            },
            (Some(known), C::Extend { expires_at }) => known.extend(expires_at),
            (Some(known), C::Redeem { order }) => known.redeem(order),
            (Some(known), C::Release { reason }) => match known.status {
                Status::Held => Ok(vec![RedemptionEvent::Released { grant: known.grant.clone(), reason }]),
                Status::Released | Status::Expired => Ok(Vec::new()),
                Status::Redeemed | Status::Reversed => Err(known.not("be released")),
            },
            (Some(known), C::Expire) => known.expire(now),
            (Some(known), C::Reverse) => known.reverse(),
        }
    }

    fn evolve(state: Option<Self>, event: &RedemptionEvent) -> Result<Self, EvolveError> {
        use RedemptionEvent as E;
        let Some(mut known) = state else {
            let E::Held { grant, version, returns_usage, expires_at } = event else {
                return Err(EvolveError::of(event));
            };
            return Ok(Self {
                grant: grant.clone(),
                version: *version,
                returns_usage: *returns_usage,
                status: Status::Held,
                expires_at: *expires_at,
                order: None,
            });
        };
        match event {
            E::Held { .. } => return Err(EvolveError::of(event)),
            E::Extended { expires_at } => known.expires_at = *expires_at,
            E::Redeemed { order, .. } => {
                known.order = Some(*order);
                known.status = Status::Redeemed;
            }
            E::Released { .. } => known.status = Status::Released,
            E::Expired { .. } => known.status = Status::Expired,
            E::Reversed { .. } => known.status = Status::Reversed,
        }
        Ok(known)
    }

    fn effects(_id: Id<marker::Redemption>, event: &RedemptionEvent) -> Effects {
        use RedemptionEvent as E;
        let end = || Effects::none().cancel_timer(EXPIRY);
        match event {
            E::Held { grant, expires_at, .. } => {
                let floor = grant.per_customer_limit.map_or(0, |limit| -i64::from(limit));
                let hold_one = PoolOp::HoldAbove { amount: 1, floor };
                moves(Effects::none().timer(EXPIRY, *expires_at), grant, PoolOp::Hold, hold_one)
            }
            E::Extended { expires_at } => Effects::none().timer(EXPIRY, *expires_at),
            E::Redeemed { grant, .. } => moves(end(), grant, PoolOp::Allocate, PoolOp::Allocate(1)),
            E::Released { grant, .. } | E::Expired { grant } => {
                moves(end(), grant, PoolOp::Release, PoolOp::Release(1))
            }
            E::Reversed { grant, returned: true, .. } => {
                moves(Effects::none(), grant, PoolOp::Return, PoolOp::Return(1))
            }
            E::Reversed { returned: false, .. } => Effects::none(),
        }
    }

    fn owner(&self) -> Owner {
        Owner::Subject(self.grant.subject)
    }
}

/// Moves every pool that the grant counts in; the customer's by a move of its own.
fn moves(mut effects: Effects, grant: &Grant, op: fn(u64) -> PoolOp, of_customer: PoolOp) -> Effects {
    if grant.limited {
        effects = effects.pool(uses_pool(grant.promotion), op(1));
    }
    if grant.per_customer_limit.is_some() {
        effects = effects.pool(customer_uses_pool(grant.promotion, grant.subject), of_customer);
    }
    if grant.budgeted {
        effects = effects.pool(budget_pool(grant.promotion), op(grant.amount.minor().unsigned_abs()));
    }
    effects
}
