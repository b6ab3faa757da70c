//! Why something asked of a customer is refused.

use crate::value::id::AddressId;

/// Why something asked of a customer is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CustomerError {
    /// There is no such customer.
    #[error("no such customer")]
    NotFound,
    /// The id is in use.
    #[error("customer is registered already")]
    AlreadyRegistered,
    /// The account is closed.
    #[error("customer is deactivated")]
    Deactivated,
    /// The person was forgotten.
    #[error("customer was erased")]
    Erased,
    /// No change of the e-mail address was asked for.
    #[error("no change of the e-mail address was requested")]
    NoEmailChange,
    /// The new e-mail address is the present one.
    #[error("e-mail address is the present one")]
    SameEmail,
    /// The token is not the one that was sent last.
    #[error("token for the change of the e-mail address does not match")]
    WrongToken,
    /// The token is too old.
    #[error("token for the change of the e-mail address has expired")]
    TokenExpired,
    /// There is no such address in the book.
    #[error("no address {id}")]
    NoAddress {
        /// Which was asked for.
        id: AddressId,
    },
    /// The id of the address is in use.
    #[error("address {id} exists already")]
    AddressExists {
        /// Which.
        id: AddressId,
    },
    /// The policy keeps the last address.
    #[error("the last address cannot be removed")]
    LastAddress,
    /// The book is full.
    #[error("no more than {max} addresses")]
    TooManyAddresses {
        /// How many fit.
        max: usize,
    },
}
