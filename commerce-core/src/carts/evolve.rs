//! What an event makes of a cart.

use super::cart::Cart;
use super::event::CartEvent;
use super::state::{CheckoutLock, Status};
use crate::kernel::aggregate::EvolveError;
use crate::value::actor::Owner;

pub(super) fn evolve(state: Option<Cart>, event: &CartEvent) -> Result<Cart, EvolveError> {
    let unfit = || EvolveError::of(event);
    match (state, event) {
        (None, CartEvent::Created { owner: Owner::Subject(subject), currency, look_at }) => {
            let mut cart = Cart::new(*subject, *currency);
            cart.watched = look_at.is_some();
            Ok(cart)
        }
        (None, _) => Err(unfit()),
        (Some(mut known), event) => known.apply(event).map(|()| known).ok_or_else(unfit),
    }
}

impl Cart {
    /// `None` where the event does not fit.
    fn apply(&mut self, event: &CartEvent) -> Option<()> {
        use CartEvent as E;
        match event {
            E::Created { .. } => return None,
            E::LineAdded { line } => self.lines.insert(line.clone())?,
            E::LineChanged { line, quantity } => self.lines.set_quantity(*line, *quantity)?,
            E::LineRemoved { line } => self.lines.remove(*line)?,
            E::CodeApplied { code } => drop(self.codes.insert(code.clone())),
            E::CodeRemoved { code } => drop(self.codes.remove(code)),
            E::ContactSet { email } => self.email = Some(email.clone()),
            E::ShippingAddressSet { address } => self.shipping_address = Some(address.clone()),
            E::BillingAddressSet { address } => self.billing_address = Some(address.clone()),
            E::ShippingChosen { method } => self.shipping_method = Some(method.clone()),
            E::Identified { customer } => {
                self.subject = customer.cast();
                self.customer = Some(*customer);
                (self.email, self.shipping_address, self.billing_address) = (None, None, None);
            }
            E::Absorbed { source } => drop(self.absorbed.insert(*source)),
            E::Merged { target } => {
                self.merged_into = Some(*target);
                self.status = Status::Merged;
            }
            E::Abandoned => self.status = Status::Abandoned,
            E::Reactivated => self.status = Status::Active,
            E::Expired => self.status = Status::Expired,
            E::Watched { .. } => self.watched = true,
            E::Unwatched => self.watched = false,
            E::CheckoutStarted { .. }
            | E::CheckoutExtended { .. }
            | E::CheckoutFailed { .. }
            | E::Converted { .. } => self.apply_checkout(event)?,
        }
        Some(())
    }

    fn apply_checkout(&mut self, event: &CartEvent) -> Option<()> {
        use CartEvent as E;
        match event {
            E::CheckoutStarted { checkout, number, deadline } => {
                self.lock = Some(CheckoutLock { checkout: *checkout, number: *number, deadline: *deadline });
                self.checkouts = *number;
                self.status = Status::CheckingOut;
            }
            E::CheckoutExtended { checkout, deadline } => {
                let lock = self.lock.as_mut().filter(|lock| lock.checkout == *checkout)?;
                lock.deadline = *deadline;
            }
            E::CheckoutFailed { checkout, .. } => {
                self.lock.take_if(|lock| lock.checkout == *checkout)?;
                self.failed = Some(*checkout);
                self.status = Status::Active;
            }
            E::Converted { checkout, order } => {
                self.lock.take_if(|lock| lock.checkout == *checkout)?;
                self.order = Some(*order);
                self.status = Status::Converted;
            }
            _ => return None,
        }
        Some(())
    }
}
