//! What can be asked of a customer.

use super::digest::{EmailKey, TokenHash};
use super::event::AddressKind;
use super::state::Customer;
use crate::kernel::aggregate::{Aggregate, Command, Permission};
use crate::value::actor::Owner;
use crate::value::id::{AddressId, CustomerId};
use crate::value::time::Timestamp;
use crate::value::{Address, Email, PersonName, Phone, Reason};
use serde::Serialize;

/// What becomes of the phone number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub enum PhoneChange {
    /// It stays.
    #[default]
    Keep,
    /// It is replaced.
    Set(Phone),
    /// It is removed.
    Clear,
}

/// Whether the last address may be removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub enum LastAddress {
    /// It may; the checkout asks for one.
    #[default]
    MayGo,
    /// It may not.
    Stays,
}

/// What can be asked of a customer.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub enum CustomerCommand {
    /// Opens an account.
    Register {
        /// Who they will be: the id of the aggregate, and of the guest's subject where there was one.
        customer: CustomerId,
        /// Where to reach them.
        email: Email,
        /// Its unique key.
        key: EmailKey,
        /// Their name.
        name: PersonName,
        /// Their phone number.
        phone: Option<Phone>,
    },
    /// Changes the profile; what is absent stays.
    UpdateProfile {
        /// The new name.
        name: Option<PersonName>,
        /// The new phone number.
        phone: PhoneChange,
    },
    /// Asks for another e-mail address; a token goes to the new one.
    RequestEmailChange {
        /// The new address.
        email: Email,
        /// Its unique key, taken only at verification.
        key: EmailKey,
        /// The hash of the token.
        token: TokenHash,
        /// When the token stops working.
        expires: Timestamp,
    },
    /// Proves that the new e-mail address is theirs, and changes to it.
    VerifyEmailChange {
        /// The hash of the token that came back.
        token: TokenHash,
    },
    /// Adds an address to the book.
    AddAddress {
        /// Its id.
        id: AddressId,
        /// What for.
        kind: AddressKind,
        /// The address.
        address: Address,
        /// Whether it becomes the default of its kind; the first of a kind always does.
        default: bool,
    },
    /// Corrects an address.
    ChangeAddress {
        /// Which.
        id: AddressId,
        /// What it is now.
        address: Address,
    },
    /// Removes an address. The oldest that remains of its kind takes its place as default.
    RemoveAddress {
        /// Which.
        id: AddressId,
        /// The shop's policy.
        last: LastAddress,
    },
    /// Makes an address the default of its kind.
    SetDefaultAddress {
        /// Which.
        id: AddressId,
    },
    /// Closes the account; it can be brought back.
    Deactivate {
        /// Why.
        reason: Option<Reason>,
    },
    /// Brings a closed account back, unless its e-mail address was taken meanwhile.
    Reactivate,
    /// Forgets the person. The commit that carries it must erase the subject too.
    Erase,
}

impl Command for CustomerCommand {
    type Target = Customer;

    fn permission(&self) -> Permission {
        let action = match self {
            Self::Register { .. } => "register",
            Self::UpdateProfile { .. } => "update-profile",
            Self::RequestEmailChange { .. } => "request-email-change",
            Self::VerifyEmailChange { .. } => "verify-email-change",
            Self::AddAddress { .. } => "add-address",
            Self::ChangeAddress { .. } => "change-address",
            Self::RemoveAddress { .. } => "remove-address",
            Self::SetDefaultAddress { .. } => "set-default-address",
            Self::Deactivate { .. } => "deactivate",
            Self::Reactivate => "reactivate",
            Self::Erase => "erase",
        };
        Permission::new(Customer::NAME, action)
    }

    fn stands_alone(&self) -> bool {
        !matches!(self, Self::Erase)
    }

    fn claims_owner(&self) -> Option<Owner> {
        match self {
            Self::Register { customer, .. } => Some(Owner::Subject(customer.cast())),
            _ => None,
        }
    }
}
