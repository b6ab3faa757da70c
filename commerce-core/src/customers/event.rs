//! What can happen to a customer.

use serde::{Deserialize, Serialize};

use super::digest::{EmailKey, TokenHash};
use crate::kernel::personal::Personal;
use crate::value::id::{AddressId, CustomerId};
use crate::value::time::Timestamp;
use crate::value::{Address, Email, PersonName, Phone, Reason};

/// What an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressKind {
    /// Goods go there.
    Shipping,
    /// Invoices go there.
    Billing,
}

/// A part of the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProfileField {
    /// The name.
    Name,
    /// The phone number.
    Phone,
}

/// What can happen to a customer.
///
/// The keys of e-mail addresses are personal too: where one was erased, the event takes no key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CustomerEvent {
    /// An account was opened.
    Registered {
        /// Whose.
        customer: CustomerId,
        /// Where to reach them.
        email: Personal<Email>,
        /// The unique key taken.
        key: Personal<EmailKey>,
        /// Their name.
        name: Personal<PersonName>,
        /// Their phone number.
        phone: Option<Personal<Phone>>,
    },
    /// The profile changed.
    ProfileUpdated {
        /// What changed.
        updated_fields: Vec<ProfileField>,
        /// The name afterwards.
        name: Personal<PersonName>,
        /// The phone number afterwards.
        phone: Option<Personal<Phone>>,
    },
    /// Another e-mail address was asked for.
    EmailChangeRequested {
        /// Which.
        email: Personal<Email>,
        /// The key that its verification takes.
        key: Personal<EmailKey>,
        /// The hash of the token sent there.
        token: TokenHash,
        /// When the token stops working.
        expires: Timestamp,
    },
    /// The new e-mail address was verified and is theirs.
    EmailChanged {
        /// The new address.
        email: Personal<Email>,
        /// The unique key given up.
        old_key: Personal<EmailKey>,
        /// The unique key taken; equal to the old one where only the spelling changed.
        new_key: Personal<EmailKey>,
    },
    /// An address was added.
    AddressAdded {
        /// Its id.
        id: AddressId,
        /// What for.
        kind: AddressKind,
        /// The address.
        address: Personal<Address>,
        /// Whether it is the default of its kind now.
        default: bool,
    },
    /// An address was corrected.
    AddressChanged {
        /// Which.
        id: AddressId,
        /// What it is now.
        address: Personal<Address>,
    },
    /// An address was removed.
    AddressRemoved {
        /// Which.
        id: AddressId,
        /// Which one takes its place as default, where it was one.
        new_default: Option<AddressId>,
    },
    /// An address became the default of its kind.
    DefaultAddressSet {
        /// Which.
        id: AddressId,
    },
    /// The account was closed.
    Deactivated {
        /// The unique key given up.
        key: Personal<EmailKey>,
        /// Why.
        reason: Option<Personal<Reason>>,
    },
    /// The account was brought back.
    Reactivated {
        /// The unique key taken.
        key: Personal<EmailKey>,
    },
    /// The person was forgotten; the store frees their unique keys in the same commit.
    Erased,
}

crate::event_types! {
    CustomerEvent {
        Registered => "CustomerRegistered" v1,
        ProfileUpdated => "CustomerProfileUpdated" v1,
        EmailChangeRequested => "CustomerEmailChangeRequested" v1,
        EmailChanged => "CustomerEmailChanged" v1,
        AddressAdded => "CustomerAddressAdded" v1,
        AddressChanged => "CustomerAddressChanged" v1,
        AddressRemoved => "CustomerAddressRemoved" v1,
        DefaultAddressSet => "CustomerDefaultAddressSet" v1,
        Deactivated => "CustomerDeactivated" v1,
        Reactivated => "CustomerReactivated" v1,
        Erased => "CustomerErased" v1,
    }
}
