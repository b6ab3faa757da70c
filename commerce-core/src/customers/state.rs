//! A customer, folded from what happened.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::command::CustomerCommand;
use super::digest::{EmailKey, TokenHash};
use super::error::CustomerError;
use super::event::{AddressKind, CustomerEvent};
use super::{EMAIL_SCOPE, decide};
use crate::kernel::aggregate::{Aggregate, EvolveError};
use crate::kernel::effects::Effects;
use crate::kernel::personal::Personal;
use crate::value::actor::Owner;
use crate::value::id::{AddressId, CustomerId, Id, SubjectId, marker};
use crate::value::time::Timestamp;
use crate::value::{Address, Email, PersonName, Phone};

/// Whether an account is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerStatus {
    /// In use.
    Active,
    /// Closed, can be brought back.
    Deactivated,
    /// Forgotten, for good.
    Erased,
}

/// An address of the book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAddress {
    /// What for.
    pub kind: AddressKind,
    /// The address.
    pub address: Personal<Address>,
    /// Whether it is the default of its kind.
    pub default: bool,
}

/// An e-mail address that waits for its verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PendingEmail {
    pub(super) email: Personal<Email>,
    pub(super) key: Personal<EmailKey>,
    pub(super) token: TokenHash,
    pub(super) expires: Timestamp,
}

/// A customer. The invariants are those of the [context](super).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    pub(super) id: CustomerId,
    pub(super) status: CustomerStatus,
    pub(super) email: Personal<Email>,
    pub(super) key: Personal<EmailKey>,
    pub(super) name: Personal<PersonName>,
    pub(super) phone: Option<Personal<Phone>>,
    pub(super) pending: Option<PendingEmail>,
    pub(super) addresses: BTreeMap<AddressId, StoredAddress>,
}

impl Customer {
    /// Who they are.
    pub const fn id(&self) -> CustomerId {
        self.id
    }

    /// The data subject that they are.
    pub const fn subject(&self) -> SubjectId {
        self.id.cast()
    }

    /// Whether the account is in use.
    pub const fn status(&self) -> CustomerStatus {
        self.status
    }

    /// The verified or first e-mail address, unless erased.
    pub const fn email(&self) -> Option<&Email> {
        self.email.get()
    }

    /// The e-mail address that waits for its verification.
    pub fn pending_email(&self) -> Option<&Email> {
        self.pending.as_ref().and_then(|pending| pending.email.get())
    }

    /// Their name, unless erased.
    pub const fn name(&self) -> Option<&PersonName> {
        self.name.get()
    }

    /// Their phone number.
    pub fn phone(&self) -> Option<&Phone> {
        self.phone.as_ref().and_then(Personal::get)
    }

    /// The address book, oldest first.
    pub const fn addresses(&self) -> &BTreeMap<AddressId, StoredAddress> {
        &self.addresses
    }

    /// The default address of a kind.
    pub fn default_address(&self, kind: AddressKind) -> Option<(AddressId, &Address)> {
        let (id, stored) = self.addresses.iter().find(|(_, known)| known.kind == kind && known.default)?;
        stored.address.get().map(|address| (*id, address))
    }

    /// The guard that orders ask: only who is active may place one.
    ///
    /// # Errors
    ///
    /// [`CustomerError::Deactivated`] or [`CustomerError::Erased`].
    pub const fn may_order(&self) -> Result<(), CustomerError> {
        match self.status {
            CustomerStatus::Active => Ok(()),
            CustomerStatus::Deactivated => Err(CustomerError::Deactivated),
            CustomerStatus::Erased => Err(CustomerError::Erased),
        }
    }

    fn registered(event: &CustomerEvent) -> Result<Self, EvolveError> {
        let CustomerEvent::Registered { customer, email, key, name, phone } = event else {
            return Err(EvolveError::of(event));
        };
        Ok(Self {
            id: *customer,
            status: CustomerStatus::Active,
            email: email.clone(),
            key: key.clone(),
            name: name.clone(),
            phone: phone.clone(),
            pending: None,
            addresses: BTreeMap::new(),
        })
    }

    /// Applies an event behind the first; `None` where it cannot follow.
    fn apply(&mut self, event: &CustomerEvent) -> Option<()> {
        match event {
            CustomerEvent::Registered { .. } => return None,
            CustomerEvent::ProfileUpdated { name, phone, .. } => {
                self.name = name.clone();
                self.phone.clone_from(phone);
            }
            CustomerEvent::EmailChangeRequested { email, key, token, expires } => {
                let (email, key) = (email.clone(), key.clone());
                self.pending = Some(PendingEmail { email, key, token: *token, expires: *expires });
            }
            CustomerEvent::EmailChanged { email, new_key, .. } => {
                self.email = email.clone();
                self.key = new_key.clone();
                self.pending = None;
            }
            CustomerEvent::AddressAdded { id, kind, address, default } => {
                let stored = StoredAddress { kind: *kind, address: address.clone(), default: false };
                self.addresses.insert(*id, stored);
                if *default {
                    self.make_default(*id)?;
                }
            }
            CustomerEvent::AddressChanged { id, address } => {
                self.addresses.get_mut(id)?.address = address.clone();
            }
            CustomerEvent::AddressRemoved { id, new_default } => {
                self.addresses.remove(id)?;
                if let Some(next) = new_default {
                    self.make_default(*next)?;
                }
            }
            CustomerEvent::DefaultAddressSet { id } => self.make_default(*id)?,
            CustomerEvent::Deactivated { .. } => {
                self.status = CustomerStatus::Deactivated;
                self.pending = None;
            }
            CustomerEvent::Reactivated { .. } => self.status = CustomerStatus::Active,
            CustomerEvent::Erased => self.forget(),
        }
        Some(())
    }

    fn make_default(&mut self, id: AddressId) -> Option<()> {
        let kind = self.addresses.get(&id)?.kind;
        for (known, stored) in self.addresses.iter_mut().filter(|(_, stored)| stored.kind == kind) {
            stored.default = *known == id;
        }
        Some(())
    }

    fn forget(&mut self) {
        let subject = self.subject();
        self.status = CustomerStatus::Erased;
        self.email = Personal::erased(subject);
        self.key = Personal::erased(subject);
        self.name = Personal::erased(subject);
        self.phone = None;
        self.pending = None;
        self.addresses.clear();
    }
}

impl Aggregate for Customer {
    const NAME: &'static str = "customer";

    type Root = marker::Customer;
    type Command = CustomerCommand;
    type Event = CustomerEvent;
    type Error = CustomerError;

    fn decide(
        state: Option<&Self>,
        command: CustomerCommand,
        now: Timestamp,
    ) -> Result<Vec<CustomerEvent>, CustomerError> {
        decide::decide(state, command, now)
    }

    fn evolve(state: Option<Self>, event: &CustomerEvent) -> Result<Self, EvolveError> {
        let Some(mut customer) = state else { return Self::registered(event) };
        customer.apply(event).ok_or_else(|| EvolveError::of(event))?;
        Ok(customer)
    }

    fn effects(_id: Id<Self::Root>, event: &CustomerEvent) -> Effects {
        let take = |effects: Effects, key: &Personal<EmailKey>| match key.get() {
            Some(known) => effects.claim_personal(EMAIL_SCOPE, *known, key.subject()),
            None => effects,
        };
        let give = |effects: Effects, key: &Personal<EmailKey>| match key.get() {
            Some(known) => effects.release(EMAIL_SCOPE, *known),
            None => effects,
        };
        match event {
            CustomerEvent::Registered { key, .. } | CustomerEvent::Reactivated { key } => {
                take(Effects::none(), key)
            }
            CustomerEvent::Deactivated { key, .. } => give(Effects::none(), key),
            CustomerEvent::EmailChanged { old_key, new_key, .. } if old_key != new_key => {
                take(give(Effects::none(), old_key), new_key)
            }
            _ => Effects::none(),
        }
    }

    fn owner(&self) -> Owner {
        Owner::Subject(self.subject())
    }
}
