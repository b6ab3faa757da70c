//! Whoever acts in a simulated shop.

use std::fmt::Debug;

use async_trait::async_trait;
use commerce_core::app::error::CommandError;
use commerce_core::app::operations::OperationError;
use commerce_core::app::reading::ReadError;
use commerce_core::app::shopfront::ShopfrontError;
use commerce_core::checkout::CheckoutError;
use commerce_core::kernel::error::{CommitError, ErrorClass};

use super::context::Context;

/// Somebody who acts: a customer, a member of the staff, a machine.
///
/// Lives outside the shop's processes and survives their deaths, as people do. Chance comes from the
/// [`Context`], time from it too; nothing else may decide what it does, or equal seeds would differ.
#[async_trait]
pub trait Actor: Debug + Send + 'static {
    /// Its name in traces.
    fn name(&self) -> String;

    /// Acts until [`Context::is_over`].
    async fn live(self: Box<Self>, context: Context);
}

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// It was carried out.
    Done(T),
    /// It was refused: asking again does not help.
    Refused(String),
    /// It failed for now, or its answer was lost: asking again under the same command id helps.
    Failed(String),
}

impl<T> Answer<T> {
    /// What came of it, where it was carried out.
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(value) => Some(value),
            Self::Refused(_) | Self::Failed(_) => None,
        }
    }
}

/// An error that says what to do about it.
pub trait Class: std::error::Error {
    /// What to do about it; a bug is a finding of the simulation.
    fn class(&self) -> ErrorClass;
}

impl<E: std::error::Error + 'static> Class for CommandError<E> {
    fn class(&self) -> ErrorClass {
        match self {
            // Units that are not there cannot leave: of a command on stock that is a refusal.
            Self::Commit(CommitError::Unbalanced(_)) => ErrorClass::Refused,
            _ => Self::class(self),
        }
    }
}

impl Class for CheckoutError {
    fn class(&self) -> ErrorClass {
        Self::class(self)
    }
}

impl Class for OperationError {
    fn class(&self) -> ErrorClass {
        match self {
            // Backordered units cannot be sent before they are there.
            Self::Commit(CommitError::Unbalanced(_)) => ErrorClass::Refused,
            _ => Self::class(self),
        }
    }
}

impl Class for ShopfrontError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Checkout(error) => error.class(),
            _ => ErrorClass::Refused,
        }
    }
}

impl Class for ReadError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Denied(_) => ErrorClass::Refused,
            Self::Port(_) => ErrorClass::Unavailable,
            _ => ErrorClass::Bug,
        }
    }
}
