//! How a check says that a store breaks its contract.

use std::fmt::{self, Debug};

use commerce_core::kernel::commit::Receipt;
use commerce_core::kernel::error::{CommitError, PortError};
use commerce_core::kernel::stream::InvalidSlice;

/// What an adapter did instead of what its contract says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// A failure in words.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        Self(format!("a commit that must pass was refused: {error} ({error:?})"))
    }
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        Self(format!("a call that must pass failed: {error}"))
    }
}

impl From<InvalidSlice> for Failure {
    fn from(error: InvalidSlice) -> Self {
        Self(format!("the check itself is wrong: {error}"))
    }
}

/// What a check comes to.
pub type Outcome = Result<(), Failure>;

/// Both must be equal.
#[allow(clippy::needless_pass_by_value)] // so that checks read without `&`
pub(crate) fn equal<T: PartialEq<U> + Debug, U: Debug>(what: &str, actual: T, expected: U) -> Outcome {
    if actual == expected {
        return Ok(());
    }
    Err(Failure(format!("{what}\n  expected: {expected:?}\n    actual: {actual:?}")))
}

/// It must hold.
pub(crate) fn holds(what: &str, condition: bool) -> Outcome {
    if condition { Ok(()) } else { Err(Failure(format!("it does not hold that {what}"))) }
}

/// It must be there.
pub(crate) fn present<T>(what: &str, value: Option<T>) -> Result<T, Failure> {
    value.ok_or_else(|| Failure(format!("missing: {what}")))
}

/// The commit must be refused; gives the refusal.
pub(crate) fn refused(what: &str, result: Result<Receipt, CommitError>) -> Result<CommitError, Failure> {
    match result {
        Ok(receipt) => Err(Failure(format!("{what} must be refused but gave {receipt:?}"))),
        Err(CommitError::Port(error)) => Err(error.into()),
        Err(error) => Ok(error),
    }
}

/// The commit must be refused as malformed.
pub(crate) fn malformed(what: &str, result: Result<Receipt, CommitError>) -> Outcome {
    match refused(what, result)? {
        CommitError::Malformed(_) => Ok(()),
        other => Err(Failure(format!("{what} must be malformed but was refused with {other:?}"))),
    }
}
