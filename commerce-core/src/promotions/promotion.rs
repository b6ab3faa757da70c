//! A discount, and how often it may be given.

use serde::{Deserialize, Serialize};

use super::command::PromotionCommand;
use super::error::PromotionError;
use super::event::{Listing, PromotionEvent};
use super::policy::{ACTIVE_SCOPE, CODE_SCOPE, budget_pool, check_rule, uses_pool};
use super::state::PromotionStatus as Status;
use crate::kernel::aggregate::{Aggregate, EvolveError};
use crate::kernel::effects::Effects;
use crate::kernel::pool::PoolOp;
use crate::value::id::{Id, marker};
use crate::value::time::Timestamp;
use crate::value::{Money, PromotionRule};

/// A discount, and how often it may be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    rule: PromotionRule,
    status: Status,
    usage_limit: Option<u32>,
    per_customer_limit: Option<u32>,
    budget: Option<Money>,
    returns_usage: bool,
    /// What the pools were supplied with so far; stays when a limit is lifted.
    uses_supplied: i64,
    budget_supplied: i64,
}

impl Promotion {
    /// What it gives and when.
    pub const fn rule(&self) -> &PromotionRule {
        &self.rule
    }

    /// Where it stands, as far as it is written down.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// The most uses.
    pub const fn usage_limit(&self) -> Option<u32> {
        self.usage_limit
    }

    /// The most uses of one customer.
    pub const fn per_customer_limit(&self) -> Option<u32> {
        self.per_customer_limit
    }

    /// The most that it may give in all.
    pub const fn budget(&self) -> Option<Money> {
        self.budget
    }

    /// Whether a use comes back when its order is cancelled after it was confirmed.
    pub const fn returns_usage(&self) -> bool {
        self.returns_usage
    }

    const fn is_automatic(&self) -> bool {
        self.rule.code.is_none()
    }

    const fn not(&self, command: &'static str) -> PromotionError {
        PromotionError::IllegalTransition { status: self.status, command }
    }

    /// The listing of an automatic promotion changes with its status.
    const fn listing(&self, listing: Listing) -> Listing {
        if self.is_automatic() { listing } else { Listing::Unchanged }
    }

    fn change_limits(
        &self,
        usage_limit: Option<u32>,
        per_customer_limit: Option<u32>,
        budget: Option<Money>,
    ) -> Result<Vec<PromotionEvent>, PromotionError> {
        if matches!(self.status, Status::Ended | Status::Archived) {
            return Err(self.not("change its limits"));
        }
        check_rule(&self.rule, budget)?;
        if (usage_limit, per_customer_limit, budget)
            == (self.usage_limit, self.per_customer_limit, self.budget)
        {
            return Ok(Vec::new());
        }
        let uses = usage_limit.map_or(self.uses_supplied, i64::from);
        let amount = budget.map_or(self.budget_supplied, Money::minor);
        Ok(vec![PromotionEvent::LimitsChanged {
            usage_limit,
            per_customer_limit,
            budget,
            uses_supplied: uses.saturating_sub(self.uses_supplied),
            budget_supplied: amount.saturating_sub(self.budget_supplied),
        }])
    }

    fn revise(&self, mut rule: PromotionRule) -> Result<Vec<PromotionEvent>, PromotionError> {
        if matches!(self.status, Status::Ended | Status::Archived) {
            return Err(self.not("be revised"));
        }
        if rule.promotion != self.rule.promotion {
            return Err(PromotionError::IdMismatch);
        }
        check_rule(&rule, self.budget)?;
        // What was spent stays in the pool, so the currency of a budget outlives the budget.
        if self.budget_supplied != 0 && rule.currency != self.rule.currency {
            return Err(PromotionError::CurrencyMismatch);
        }
        rule.version = self.rule.version;
        if rule == self.rule {
            return Ok(Vec::new());
        }
        rule.version = self.rule.version.saturating_add(1);
        let listing = match (self.is_automatic(), rule.code.is_none()) {
            (false, true) if self.status == Status::Active => Listing::Listed,
            (true, false) if self.status == Status::Active => Listing::Unlisted,
            _ => Listing::Unchanged,
        };
        let same_code = rule.code == self.rule.code;
        Ok(vec![PromotionEvent::Revised {
            code_freed: self.rule.code.clone().filter(|_| !same_code),
            code_taken: rule.code.clone().filter(|_| !same_code),
            rule: Box::new(rule),
            listing,
        }])
    }

    /// The step from one of `from`; nothing when it was made before.
    fn step(
        &self,
        from: &[Status],
        to: Status,
        command: &'static str,
        event: PromotionEvent,
    ) -> Result<Vec<PromotionEvent>, PromotionError> {
        if self.status == to {
            Ok(Vec::new())
        } else if from.contains(&self.status) {
            Ok(vec![event])
        } else {
            Err(self.not(command))
        }
    }
}

impl Aggregate for Promotion {
    const NAME: &'static str = "promotion";
    type Root = marker::Promotion;
    type Command = PromotionCommand;
    type Event = PromotionEvent;
    type Error = PromotionError;

    fn decide(
        state: Option<&Self>,
        command: PromotionCommand,
        _now: Timestamp,
    ) -> Result<Vec<PromotionEvent>, PromotionError> {
        use PromotionCommand as C;
        use PromotionEvent as E;
        let Some(known) = state else {
            let C::Create { mut rule, usage_limit, per_customer_limit, budget, returns_usage } = command
            else {
                return Err(PromotionError::NotFound);
            };
            check_rule(&rule, budget)?;
            rule.version = 1;
            let rule = Box::new(rule);
            return Ok(vec![E::Created { rule, usage_limit, per_customer_limit, budget, returns_usage }]);
        };
        match command {
            C::Create { mut rule, usage_limit, per_customer_limit, budget, returns_usage } => {
                rule.version = 1;
                let limits = (usage_limit, per_customer_limit, budget, returns_usage);
                let same = rule == known.rule
                    && limits
                        == (known.usage_limit, known.per_customer_limit, known.budget, known.returns_usage);
                if same { Ok(Vec::new()) } else { Err(PromotionError::AlreadyExists) }
            }
            C::Activate => {
                let event = E::Activated { listing: known.listing(Listing::Listed) };
                known.step(&[Status::Draft], Status::Active, "be activated", event)
            }
            C::Pause => {
                let event = E::Paused { listing: known.listing(Listing::Unlisted) };
                known.step(&[Status::Active], Status::Paused, "be paused", event)
            }
            C::Resume => {
                let event = E::Resumed { listing: known.listing(Listing::Listed) };
                known.step(&[Status::Paused], Status::Active, "be resumed", event)
            }
            C::ChangeLimits { usage_limit, per_customer_limit, budget } => {
                known.change_limits(usage_limit, per_customer_limit, budget)
            }
            C::Revise { rule } => known.revise(rule),
            C::End => {
                let listed = known.status == Status::Active && known.is_automatic();
                let listing = if listed { Listing::Unlisted } else { Listing::Unchanged };
                known.step(&[Status::Active, Status::Paused], Status::Ended, "end", E::Ended { listing })
            }
            C::Archive => {
                let event = E::Archived { code_freed: known.rule.code.clone() };
                known.step(&[Status::Ended, Status::Draft], Status::Archived, "be archived", event)
            }
        }
    }

    fn evolve(state: Option<Self>, event: &PromotionEvent) -> Result<Self, EvolveError> {
        use PromotionEvent as E;
        let Some(mut known) = state else {
            let E::Created { rule, usage_limit, per_customer_limit, budget, returns_usage } = event else {
                return Err(EvolveError::of(event));
            };
            return Ok(Self {
                rule: rule.as_ref().clone(),
                status: Status::Draft,
                usage_limit: *usage_limit,
                per_customer_limit: *per_customer_limit,
                budget: *budget,
                returns_usage: *returns_usage,
                uses_supplied: usage_limit.map_or(0, i64::from),
                budget_supplied: budget.map_or(0, Money::minor),
            });
        };
        match event {
            E::Created { .. } => return Err(EvolveError::of(event)),
            E::Activated { .. } | E::Resumed { .. } => known.status = Status::Active,
            E::Paused { .. } => known.status = Status::Paused,
            E::LimitsChanged { usage_limit, per_customer_limit, budget, uses_supplied, budget_supplied } => {
                known.usage_limit = *usage_limit;
                known.per_customer_limit = *per_customer_limit;
                known.budget = *budget;
                known.uses_supplied = known.uses_supplied.saturating_add(*uses_supplied);
                known.budget_supplied = known.budget_supplied.saturating_add(*budget_supplied);
            }
            E::Revised { rule, .. } => known.rule = rule.as_ref().clone(),
            E::Ended { .. } => known.status = Status::Ended,
            E::Archived { .. } => known.status = Status::Archived,
        }
        Ok(known)
    }

    fn effects(id: Id<marker::Promotion>, event: &PromotionEvent) -> Effects {
        use PromotionEvent as E;
        let supply = |effects: Effects, uses: i64, budget: i64| {
            let moves = [(uses_pool(id), uses), (budget_pool(id), budget)];
            moves
                .into_iter()
                .filter(|(_, amount)| *amount != 0)
                .fold(effects, |effects, (pool, amount)| effects.pool(pool, PoolOp::Supply(amount)))
        };
        match event {
            E::Created { rule, usage_limit, budget, .. } => {
                let code = rule.code.as_ref();
                let effects =
                    code.map_or_else(Effects::none, |code| Effects::none().claim(CODE_SCOPE, code.as_str()));
                supply(effects, usage_limit.map_or(0, i64::from), budget.map_or(0, Money::minor))
            }
            E::Activated { listing }
            | E::Paused { listing }
            | E::Resumed { listing }
            | E::Ended { listing } => list(Effects::none(), id, *listing),
            E::LimitsChanged { uses_supplied, budget_supplied, .. } => {
                supply(Effects::none(), *uses_supplied, *budget_supplied)
            }
            E::Revised { code_freed, code_taken, listing, .. } => {
                let mut effects = list(Effects::none(), id, *listing);
                if let Some(code) = code_freed {
                    effects = effects.release(CODE_SCOPE, code.as_str());
                }
                if let Some(code) = code_taken {
                    effects = effects.claim(CODE_SCOPE, code.as_str());
                }
                effects
            }
            E::Archived { code_freed: Some(code) } => Effects::none().release(CODE_SCOPE, code.as_str()),
            E::Archived { code_freed: None } => Effects::none(),
        }
    }
}

fn list(effects: Effects, id: Id<marker::Promotion>, listing: Listing) -> Effects {
    match listing {
        Listing::Unchanged => effects,
        Listing::Listed => effects.claim(ACTIVE_SCOPE, id.to_string()),
        Listing::Unlisted => effects.release(ACTIVE_SCOPE, id.to_string()),
    }
}
