//! What a cart makes of a command.

use std::time::Duration;

use super::cart::{Cart, MAX_CODES};
use super::command::CartCommand;
use super::error::CartError;
use super::event::CartEvent;
use super::evolve;
use super::lines::{CartLine, MAX_LINES};
use super::state::Status;
use crate::kernel::aggregate::{Aggregate, EvolveError};
use crate::kernel::effects::Effects;
use crate::kernel::personal::Personal;
use crate::value::actor::Owner;
use crate::value::id::{CartId, CartLineId, CheckoutId, CustomerId, OrderId, marker};
use crate::value::time::Timestamp;
use crate::value::{Currency, PromotionCode, Quantity, Reason};

/// How long a new cart, or one whose buyer has come back, is left alone.
const FIRST_LOOK: Duration = Duration::from_secs(60 * 60);
/// Wakes whoever looks whether the buyer is still there.
const IDLE_TIMER: &str = "idle";

type Decision = Result<Vec<CartEvent>, CartError>;

#[allow(clippy::unnecessary_wraps)] // the shape of a decision
fn one(event: CartEvent) -> Decision {
    Ok(vec![event])
}

/// The event, unless nothing would change.
#[allow(clippy::unnecessary_wraps)] // the shape of a decision
fn unless(same: bool, event: impl FnOnce() -> CartEvent) -> Decision {
    Ok(if same { Vec::new() } else { vec![event()] })
}

impl Cart {
    fn not(&self, command: &'static str) -> CartError {
        match (self.order, self.lock) {
            (Some(order), _) => CartError::AlreadyConverted { order },
            (None, Some(lock)) => CartError::Locked { checkout: lock.checkout, deadline: lock.deadline },
            (None, None) => CartError::IllegalTransition { status: self.status, command },
        }
    }

    fn open(&self, command: &'static str) -> Result<(), CartError> {
        if self.status == Status::Active { Ok(()) } else { Err(self.not(command)) }
    }

    /// An event behind which nothing happens, and nobody looks any more.
    #[allow(clippy::unnecessary_wraps)] // the shape of a decision
    fn last(&self, event: CartEvent) -> Decision {
        let mut events = vec![event];
        events.extend(self.watched.then_some(CartEvent::Unwatched));
        Ok(events)
    }

    pub(super) fn same_currency(&self, given: Currency) -> Result<(), CartError> {
        if given == self.currency {
            Ok(())
        } else {
            Err(CartError::CurrencyMismatch { cart: self.currency, given })
        }
    }

    fn add(&self, line: CartLine) -> Decision {
        if let Some(set) = &line.price_override {
            self.same_currency(set.price.currency())?;
        }
        if let Some(known) = self.lines.find(&line.key()) {
            let too_many = |_| CartError::TooManyUnits { line: known.id, max: Quantity::MAX.get() };
            let quantity = known.quantity.checked_add(line.quantity).map_err(too_many)?;
            return one(CartEvent::LineChanged { line: known.id, quantity });
        }
        if self.lines.get(line.id).is_some() {
            return Err(CartError::LineIdInUse { line: line.id });
        }
        if self.lines.len() >= MAX_LINES {
            return Err(CartError::TooManyLines { max: MAX_LINES });
        }
        one(CartEvent::LineAdded { line })
    }

    fn change(&self, line: CartLineId, quantity: u32) -> Decision {
        let known = self.lines.get(line).ok_or(CartError::NoSuchLine { line })?;
        if quantity == 0 {
            return one(CartEvent::LineRemoved { line });
        }
        let too_many = |_| CartError::TooManyUnits { line, max: Quantity::MAX.get() };
        let quantity = Quantity::new(quantity).map_err(too_many)?;
        unless(quantity == known.quantity, || CartEvent::LineChanged { line, quantity })
    }

    fn apply_code(&self, code: PromotionCode) -> Decision {
        if !self.codes.contains(&code) && self.codes.len() >= MAX_CODES {
            return Err(CartError::TooManyCodes { max: MAX_CODES });
        }
        unless(self.codes.contains(&code), || CartEvent::CodeApplied { code })
    }

    fn identify(&self, customer: CustomerId) -> Decision {
        match self.customer {
            Some(known) if known == customer => Ok(Vec::new()),
            Some(_) => Err(CartError::AlreadyIdentified),
            None => Ok(self.identified(customer)),
        }
    }

    /// The customer, and what is personal again under their name; what was erased stays away.
    fn identified(&self, customer: CustomerId) -> Vec<CartEvent> {
        let mut events = vec![CartEvent::Identified { customer }];
        if let Some(email) = self.email.as_ref().and_then(|value| taken_over(value, customer)) {
            events.push(CartEvent::ContactSet { email });
        }
        if let Some(address) = self.shipping_address.as_ref().and_then(|value| taken_over(value, customer)) {
            events.push(CartEvent::ShippingAddressSet { address });
        }
        if let Some(address) = self.billing_address.as_ref().and_then(|value| taken_over(value, customer)) {
            events.push(CartEvent::BillingAddressSet { address });
        }
        events
    }

    /// Decides for a buyer who does something: where the cart was abandoned, they have come back.
    fn returning(&self, now: Timestamp, decide: impl FnOnce(&Self) -> Decision) -> Decision {
        if self.status != Status::Abandoned {
            return decide(self);
        }
        let mut events = reactivated(now);
        events.extend(decide(&Self { status: Status::Active, ..self.clone() })?);
        Ok(events)
    }

    /// What can be changed while the cart is open.
    fn edit(&self, command: CartCommand) -> Decision {
        use CartCommand as C;
        self.open("be changed")?;
        let subject = self.subject;
        match command {
            C::AddLine { line: id, product, variant, quantity, customisation, price_override } => {
                self.add(CartLine { id, product, variant, quantity, customisation, price_override })
            }
            C::ChangeQuantity { line, quantity } => self.change(line, quantity),
            C::RemoveLine { line } => self.change(line, 0),
            C::ApplyCode { code } => self.apply_code(code),
            C::RemoveCode { code } => unless(!self.codes.contains(&code), || CartEvent::CodeRemoved { code }),
            C::SetContact { email } => {
                let email = Personal::new(subject, email);
                unless(self.email.as_ref() == Some(&email), || CartEvent::ContactSet { email })
            }
            C::SetShippingAddress { address } => {
                let address = Personal::new(subject, address);
                let same = self.shipping_address.as_ref() == Some(&address);
                unless(same, || CartEvent::ShippingAddressSet { address })
            }
            C::SetBillingAddress { address } => {
                let address = Personal::new(subject, address);
                let same = self.billing_address.as_ref() == Some(&address);
                unless(same, || CartEvent::BillingAddressSet { address })
            }
            C::ChooseShipping { method } => {
                let same = self.shipping_method.as_ref() == Some(&method);
                unless(same, || CartEvent::ShippingChosen { method })
            }
            C::Identify { customer } => self.identify(customer),
            _ => Err(self.not("be changed")),
        }
    }

    fn start(&self, checkout: CheckoutId, number: u32, deadline: Timestamp, now: Timestamp) -> Decision {
        if self.lock.is_some_and(|lock| lock.checkout == checkout && lock.number == number) {
            return Ok(Vec::new());
        }
        self.open("be checked out")?;
        if self.lines.is_empty() {
            return Err(CartError::Empty);
        }
        if number != self.next_checkout() {
            return Err(CartError::WrongCheckoutNumber { expected: self.next_checkout() });
        }
        if deadline <= now {
            return Err(CartError::BadDeadline { deadline });
        }
        one(CartEvent::CheckoutStarted { checkout, number, deadline })
    }

    fn extend(&self, checkout: CheckoutId, deadline: Timestamp) -> Decision {
        match self.lock {
            Some(lock) if lock.checkout == checkout && deadline < lock.deadline => {
                Err(CartError::BadDeadline { deadline })
            }
            Some(lock) if lock.checkout == checkout => {
                unless(deadline == lock.deadline, || CartEvent::CheckoutExtended { checkout, deadline })
            }
            _ => Err(CartError::NotLockedBy { checkout }),
        }
    }

    fn fail(&self, checkout: CheckoutId, reason: Reason) -> Decision {
        match self.lock {
            Some(lock) if lock.checkout == checkout => one(CartEvent::CheckoutFailed { checkout, reason }),
            _ if self.failed == Some(checkout) => Ok(Vec::new()),
            None if self.order.is_some() => Err(self.not("fail its checkout")),
            _ => Err(CartError::NotLockedBy { checkout }),
        }
    }

    fn convert(&self, checkout: CheckoutId, order: OrderId) -> Decision {
        match (self.order, self.lock) {
            (Some(known), _) if known == order => Ok(Vec::new()),
            (Some(_), _) => Err(self.not("be converted")),
            (None, Some(lock)) if lock.checkout == checkout => {
                self.last(CartEvent::Converted { checkout, order })
            }
            (None, _) => Err(CartError::NotLockedBy { checkout }),
        }
    }
}

fn reactivated(now: Timestamp) -> Vec<CartEvent> {
    vec![CartEvent::Reactivated, CartEvent::Watched { look_at: now.plus(FIRST_LOOK) }]
}

fn taken_over<T: Clone>(value: &Personal<T>, customer: CustomerId) -> Option<Personal<T>> {
    value.get().map(|value| Personal::new(customer.cast(), value.clone()))
}

impl Aggregate for Cart {
    const NAME: &'static str = "cart";
    type Root = marker::Cart;
    type Command = CartCommand;
    type Event = CartEvent;
    type Error = CartError;

    fn decide(state: Option<&Self>, command: CartCommand, now: Timestamp) -> Decision {
        use CartCommand as C;
        let Some(known) = state else {
            return match command {
                C::Create { owner: owner @ Owner::Subject(_), currency } => {
                    let look_at = Some(now.plus(FIRST_LOOK));
                    one(CartEvent::Created { owner, currency, look_at })
                }
                C::Create { .. } => Err(CartError::OwnerIsNoBuyer),
                _ => Err(CartError::NotFound),
            };
        };
        match command {
            C::Create { owner, currency } => {
                let same = owner == known.belongs_to() && currency == known.currency;
                if same { Ok(Vec::new()) } else { Err(CartError::AlreadyExists) }
            }
            C::StartCheckout { checkout, number, deadline } => {
                known.returning(now, |known| known.start(checkout, number, deadline, now))
            }
            C::ExtendCheckout { checkout, deadline } => known.extend(checkout, deadline),
            C::FailCheckout { checkout, reason } => known.fail(checkout, reason),
            C::Convert { checkout, order } => known.convert(checkout, order),
            C::MergeInto { target } if known.merged_into == Some(target) => Ok(Vec::new()),
            C::MergeInto { target } => known.returning(now, |known| {
                known.open("be merged")?;
                known.last(CartEvent::Merged { target })
            }),
            C::Merge { source, .. } if known.absorbed.contains(&source) => Ok(Vec::new()),
            C::Merge { source, currency, lines, codes, strategy } => known.returning(now, |known| {
                known.open("take over another")?;
                known.absorb(source, currency, lines, codes, strategy)
            }),
            C::Abandon if known.status == Status::Abandoned => Ok(Vec::new()),
            C::Abandon => known.open("be abandoned").and_then(|()| one(CartEvent::Abandoned)),
            C::Reactivate => match known.status {
                Status::Active => Ok(Vec::new()),
                Status::Abandoned => Ok(reactivated(now)),
                _ => Err(known.not("be reactivated")),
            },
            C::Expire => match known.status {
                Status::Expired => Ok(Vec::new()),
                Status::Active | Status::Abandoned => known.last(CartEvent::Expired),
                _ => Err(known.not("expire")),
            },
            C::Watch { .. } if known.status.is_terminal() => Ok(Vec::new()),
            C::Watch { look_at } => one(CartEvent::Watched { look_at }),
            edit => known.returning(now, |known| known.edit(edit)),
        }
    }

    fn evolve(state: Option<Self>, event: &CartEvent) -> Result<Self, EvolveError> {
        evolve::evolve(state, event)
    }

    fn effects(_id: CartId, event: &CartEvent) -> Effects {
        match event {
            CartEvent::Created { look_at: Some(look_at), .. } | CartEvent::Watched { look_at } => {
                Effects::none().timer(IDLE_TIMER, *look_at)
            }
            CartEvent::Unwatched => Effects::none().cancel_timer(IDLE_TIMER),
            _ => Effects::none(),
        }
    }

    fn owner(&self) -> Owner {
        self.belongs_to()
    }
}
