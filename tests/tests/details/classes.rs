//! Every error says what to do about it: ask for something else, try again, wait, or look for the defect.

use commerce_core::app::operations::OperationError;
use commerce_core::app::reading::ReadError;
use commerce_core::app::shopfront::ShopfrontError;
use commerce_core::carts::CartError;
use commerce_core::checkout::error::InternalRefusal;
use commerce_core::identity::Denied;
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::replay::ReplayError;
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::payments::parked::ParkedError;
use commerce_core::port::payment::CallbackError;
use commerce_core::prelude::*;
use uuid::Uuid;

const DENIED: Denied = Denied::Permission { permission: Permission::new("order", "read") };

fn port() -> PortError {
    PortError::new(PortErrorKind::Timeout, Effect::Unknown, "a store", "commit")
}

fn corrupt() -> ReplayError {
    ReplayError::Gap { expected: Version::new(2), found: Version::new(4) }
}

fn stale() -> CommitError {
    let stream = StreamId::new("cart", Uuid::from_u128(1));
    CommitError::Stale { stream, expected: Version::NONE, actual: Version::new(1) }
}

#[test]
fn of_commands() {
    type Error = CommandError<CartError>;
    assert_eq!(Error::Rejected(CartError::Empty).class(), ErrorClass::Refused);
    assert_eq!(Error::Denied(DENIED).class(), ErrorClass::Refused);
    assert_eq!(Error::Conflict { attempts: 5 }.class(), ErrorClass::Contended);
    assert_eq!(Error::Commit(stale()).class(), ErrorClass::Contended);
    assert_eq!(Error::Commit(CommitError::Short(Vec::new())).class(), ErrorClass::Refused);
    assert_eq!(Error::Commit(CommitError::Port(port())).class(), ErrorClass::Unavailable);
    assert_eq!(Error::Commit(CommitError::Malformed("a key")).class(), ErrorClass::Bug);
    assert_eq!(Error::Port(port()).class(), ErrorClass::Unavailable);
    assert_eq!(Error::Corrupt(corrupt()).class(), ErrorClass::Bug);
}

#[test]
fn of_checkouts() {
    assert_eq!(CheckoutError::NoAddress.class(), ErrorClass::Refused);
    assert_eq!(CheckoutError::InsufficientStock(Vec::new()).class(), ErrorClass::Refused);
    assert_eq!(CheckoutError::Conflict { attempts: 5 }.class(), ErrorClass::Contended);
    assert_eq!(CheckoutError::Commit(stale()).class(), ErrorClass::Contended);
    assert_eq!(CheckoutError::Commit(CommitError::Malformed("a key")).class(), ErrorClass::Bug);
    assert_eq!(CheckoutError::Port(port()).class(), ErrorClass::Unavailable);
    assert_eq!(CheckoutError::Corrupt(corrupt()).class(), ErrorClass::Bug);
    assert_eq!(CheckoutError::Internal(InternalRefusal::Text).class(), ErrorClass::Bug);
}

#[test]
fn of_operations() {
    assert_eq!(OperationError::Denied(DENIED).class(), ErrorClass::Refused);
    assert_eq!(OperationError::Cart(CartError::Empty).class(), ErrorClass::Refused);
    assert_eq!(OperationError::PaymentInProgress.class(), ErrorClass::Contended);
    assert_eq!(OperationError::Conflict { attempts: 5 }.class(), ErrorClass::Contended);
    assert_eq!(OperationError::Commit(stale()).class(), ErrorClass::Contended);
    assert_eq!(OperationError::Port(port()).class(), ErrorClass::Unavailable);
    assert_eq!(OperationError::Corrupt(corrupt()).class(), ErrorClass::Bug);
    let checkout = CheckoutError::Conflict { attempts: 5 };
    assert_eq!(OperationError::Checkout(checkout).class(), ErrorClass::Contended);
}

#[test]
fn of_readers_and_of_the_shopfront() {
    assert_eq!(ReadError::Denied(DENIED).class(), ErrorClass::Refused);
    assert_eq!(ReadError::Port(port()).class(), ErrorClass::Unavailable);
    assert_eq!(ReadError::Corrupt(corrupt()).class(), ErrorClass::Bug);
    assert_eq!(ShopfrontError::Cart(CartError::Empty).class(), ErrorClass::Refused);
    let checkout = CheckoutError::Port(port());
    assert_eq!(ShopfrontError::Checkout(checkout).class(), ErrorClass::Unavailable);
}

#[test]
fn of_callbacks() {
    assert_eq!(PaymentCallbackError::NoGateway.class(), ErrorClass::Refused);
    assert_eq!(PaymentCallbackError::Callback(CallbackError::Signature).class(), ErrorClass::Refused);
    let parked: CommandError<ParkedError> = CommandError::Port(port());
    assert_eq!(PaymentCallbackError::Parked(parked).class(), ErrorClass::Unavailable);
    let checkout = CheckoutError::Conflict { attempts: 5 };
    assert_eq!(PaymentCallbackError::Checkout(checkout).class(), ErrorClass::Contended);
}
