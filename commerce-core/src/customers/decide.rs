//! What a command leads to.

use super::command::{CustomerCommand, LastAddress, PhoneChange};
use super::digest::{EmailKey, TokenHash};
use super::error::CustomerError;
use super::event::{AddressKind, CustomerEvent, ProfileField};
use super::state::{Customer, CustomerStatus};
use crate::kernel::personal::Personal;
use crate::value::id::AddressId;
use crate::value::time::Timestamp;
use crate::value::{Address, Email, PersonName, Reason};

type Decision = Result<Vec<CustomerEvent>, CustomerError>;

/// The most addresses in one book.
const MAX_ADDRESSES: usize = 100;

pub(super) fn decide(state: Option<&Customer>, command: CustomerCommand, now: Timestamp) -> Decision {
    let Some(customer) = state else { return register(command) };
    match (customer.status, command) {
        (_, CustomerCommand::Register { .. }) => Err(CustomerError::AlreadyRegistered),
        (CustomerStatus::Erased, CustomerCommand::Erase)
        | (CustomerStatus::Deactivated, CustomerCommand::Deactivate { .. })
        | (CustomerStatus::Active, CustomerCommand::Reactivate) => Ok(Vec::new()),
        (CustomerStatus::Erased, _) => Err(CustomerError::Erased),
        (_, CustomerCommand::Erase) => Ok(vec![CustomerEvent::Erased]),
        (CustomerStatus::Deactivated, CustomerCommand::Reactivate) => {
            Ok(vec![CustomerEvent::Reactivated { key: customer.key.clone() }])
        }
        (CustomerStatus::Deactivated, _) => Err(CustomerError::Deactivated),
        (CustomerStatus::Active, command) => customer.decide_active(command, now),
    }
}

fn register(command: CustomerCommand) -> Decision {
    let CustomerCommand::Register { customer, email, key, name, phone } = command else {
        return Err(CustomerError::NotFound);
    };
    let subject = customer.cast();
    Ok(vec![CustomerEvent::Registered {
        customer,
        email: Personal::new(subject, email),
        key: Personal::new(subject, key),
        name: Personal::new(subject, name),
        phone: phone.map(|phone| Personal::new(subject, phone)),
    }])
}

impl Customer {
    fn decide_active(&self, command: CustomerCommand, now: Timestamp) -> Decision {
        match command {
            CustomerCommand::UpdateProfile { name, phone } => Ok(self.update_profile(name, phone)),
            CustomerCommand::RequestEmailChange { email, key, token, expires } => {
                self.request_email_change(email, key, token, expires)
            }
            CustomerCommand::VerifyEmailChange { token } => self.verify_email_change(token, now),
            CustomerCommand::AddAddress { id, kind, address, default } => {
                self.add_address(id, kind, address, default)
            }
            CustomerCommand::ChangeAddress { id, address } => self.change_address(id, address),
            CustomerCommand::RemoveAddress { id, last } => self.remove_address(id, last),
            CustomerCommand::SetDefaultAddress { id } => self.set_default_address(id),
            CustomerCommand::Deactivate { reason } => Ok(self.deactivate(reason)),
            CustomerCommand::Reactivate | CustomerCommand::Erase | CustomerCommand::Register { .. } => {
                Err(CustomerError::AlreadyRegistered)
            }
        }
    }

    fn update_profile(&self, name: Option<PersonName>, phone: PhoneChange) -> Vec<CustomerEvent> {
        let personal = |phone| Some(Personal::new(self.subject(), phone));
        let name = name.map_or_else(|| self.name.clone(), |name| Personal::new(self.subject(), name));
        let phone = match phone {
            PhoneChange::Keep => self.phone.clone(),
            PhoneChange::Set(phone) => personal(phone),
            PhoneChange::Clear => None,
        };
        let mut updated_fields = Vec::new();
        if name != self.name {
            updated_fields.push(ProfileField::Name);
        }
        if phone != self.phone {
            updated_fields.push(ProfileField::Phone);
        }
        if updated_fields.is_empty() {
            return Vec::new();
        }
        vec![CustomerEvent::ProfileUpdated { updated_fields, name, phone }]
    }

    fn request_email_change(
        &self,
        email: Email,
        key: EmailKey,
        token: TokenHash,
        expires: Timestamp,
    ) -> Decision {
        if self.email().is_some_and(|present| present.as_str() == email.as_str()) {
            return Err(CustomerError::SameEmail);
        }
        let subject = self.subject();
        Ok(vec![CustomerEvent::EmailChangeRequested {
            email: Personal::new(subject, email),
            key: Personal::new(subject, key),
            token,
            expires,
        }])
    }

    fn verify_email_change(&self, token: TokenHash, now: Timestamp) -> Decision {
        let pending = self.pending.as_ref().ok_or(CustomerError::NoEmailChange)?;
        if pending.token != token {
            return Err(CustomerError::WrongToken);
        }
        if now >= pending.expires {
            return Err(CustomerError::TokenExpired);
        }
        Ok(vec![CustomerEvent::EmailChanged {
            email: pending.email.clone(),
            old_key: self.key.clone(),
            new_key: pending.key.clone(),
        }])
    }

    fn add_address(&self, id: AddressId, kind: AddressKind, address: Address, default: bool) -> Decision {
        if self.addresses.contains_key(&id) {
            return Err(CustomerError::AddressExists { id });
        }
        if self.addresses.len() >= MAX_ADDRESSES {
            return Err(CustomerError::TooManyAddresses { max: MAX_ADDRESSES });
        }
        let first = !self.addresses.values().any(|known| known.kind == kind);
        let address = Personal::new(self.subject(), address);
        Ok(vec![CustomerEvent::AddressAdded { id, kind, address, default: default || first }])
    }

    fn change_address(&self, id: AddressId, address: Address) -> Decision {
        let known = self.addresses.get(&id).ok_or(CustomerError::NoAddress { id })?;
        let address = Personal::new(self.subject(), address);
        if known.address == address {
            return Ok(Vec::new());
        }
        Ok(vec![CustomerEvent::AddressChanged { id, address }])
    }

    fn remove_address(&self, id: AddressId, last: LastAddress) -> Decision {
        let gone = self.addresses.get(&id).ok_or(CustomerError::NoAddress { id })?;
        if last == LastAddress::Stays && self.addresses.len() == 1 {
            return Err(CustomerError::LastAddress);
        }
        let mut others =
            self.addresses.iter().filter(|(known, other)| **known != id && other.kind == gone.kind);
        let new_default = if gone.default { others.next().map(|(known, _)| *known) } else { None };
        Ok(vec![CustomerEvent::AddressRemoved { id, new_default }])
    }

    fn set_default_address(&self, id: AddressId) -> Decision {
        let known = self.addresses.get(&id).ok_or(CustomerError::NoAddress { id })?;
        Ok(if known.default { Vec::new() } else { vec![CustomerEvent::DefaultAddressSet { id }] })
    }

    fn deactivate(&self, reason: Option<Reason>) -> Vec<CustomerEvent> {
        let reason = reason.map(|reason| Personal::new(self.subject(), reason));
        vec![CustomerEvent::Deactivated { key: self.key.clone(), reason }]
    }
}
