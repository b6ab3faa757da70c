//! From an error to a status: one match over its class, and the few cases that say more.

use std::error::Error;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use commerce_core::app::reading::ReadError;
use commerce_core::app::shopfront::ShopfrontError;
use commerce_core::prelude::*;
use serde_json::json;

/// What the caller is told.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    message: String,
}

impl Failure {
    pub(super) fn new(status: StatusCode, message: &str) -> Self {
        Self { status, message: message.to_owned() }
    }

    fn of(class: ErrorClass, error: &dyn Error) -> Self {
        let status = match class {
            ErrorClass::Refused => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorClass::Contended => StatusCode::CONFLICT,
            ErrorClass::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorClass::Bug => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if class == ErrorClass::Refused {
            return Self { status, message: reasons(error) };
        }
        // The rest is for the host's log, and nobody else.
        eprintln!("{}", reasons(error));
        Self::new(status, status.canonical_reason().unwrap_or_default())
    }

    fn with(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

/// An error and what is behind it.
fn reasons(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.message }))).into_response()
    }
}

impl From<CheckoutError> for Failure {
    fn from(error: CheckoutError) -> Self {
        let failure = Self::of(error.class(), &error);
        match error {
            CheckoutError::Denied(_) => failure.with(StatusCode::FORBIDDEN),
            // The buyer looks at the cart again, and may go on.
            CheckoutError::InsufficientStock(_)
            | CheckoutError::PriceChanged { .. }
            | CheckoutError::PromotionExhausted(_) => failure.with(StatusCode::CONFLICT),
            _ => failure,
        }
    }
}

impl<E: Error + 'static> From<CommandError<E>> for Failure {
    fn from(error: CommandError<E>) -> Self {
        let failure = Self::of(error.class(), &error);
        match error {
            CommandError::Denied(_) => failure.with(StatusCode::FORBIDDEN),
            _ => failure,
        }
    }
}

impl From<ShopfrontError> for Failure {
    fn from(error: ShopfrontError) -> Self {
        match error {
            ShopfrontError::Checkout(error) => error.into(),
            ShopfrontError::NoSuchSku(_) => Self::of(error.class(), &error).with(StatusCode::NOT_FOUND),
            _ => Self::of(error.class(), &error),
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            // Whether somebody else's order exists is nobody's business.
            ReadError::Denied(_) => Self::new(StatusCode::NOT_FOUND, "no such order"),
            _ => Self::of(error.class(), &error),
        }
    }
}

impl From<PaymentCallbackError> for Failure {
    fn from(error: PaymentCallbackError) -> Self {
        match error {
            PaymentCallbackError::NoGateway => Self::of(error.class(), &error).with(StatusCode::NOT_FOUND),
            PaymentCallbackError::Callback(_) => {
                Self::of(error.class(), &error).with(StatusCode::UNAUTHORIZED)
            }
            _ => Self::of(error.class(), &error),
        }
    }
}
