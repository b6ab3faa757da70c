//! Checks of callbacks.

use commerce_core::port::payment::{CallbackError, CallbackRequest};

use super::super::outcome::{Failure, Outcome, equal, holds, present};
use super::fixture::GatewayFixture;

pub(crate) async fn gateway_genuine_callback_is_read(f: &GatewayFixture) -> Outcome {
    let genuine = present("a genuine callback", f.callback.as_ref())?;
    let read = |request| f.gateway.verify(request).map(|verified| verified.fact().clone());
    let first = read(genuine).map_err(|error| Failure::new(format!("a genuine callback: {error}")))?;
    equal("the same callback, read again", read(genuine), Ok(first))
}

pub(crate) async fn gateway_altered_callback_is_refused(f: &GatewayFixture) -> Outcome {
    let genuine = present("a genuine callback", f.callback.as_ref())?;
    for place in [0, genuine.body.len() / 2, genuine.body.len().saturating_sub(1)] {
        let mut altered = genuine.clone();
        if let Some(byte) = altered.body.get_mut(place) {
            *byte ^= 1;
        }
        refused(f, &format!("a body with byte {place} altered"), &altered)?;
    }
    let longer = CallbackRequest { body: [&genuine.body[..], b" "].concat(), ..genuine.clone() };
    refused(f, "a body with a blank more", &longer)
}

pub(crate) async fn gateway_unsigned_callback_is_refused(f: &GatewayFixture) -> Outcome {
    let genuine = present("a genuine callback", f.callback.as_ref())?;
    refused(f, "a callback without headers", &CallbackRequest { headers: Vec::new(), ..genuine.clone() })?;
    refused(f, "nothing at all", &CallbackRequest::default())?;
    // The signature comes first: what is not signed is not even looked at.
    refused(
        f,
        "nonsense without a signature",
        &CallbackRequest { headers: Vec::new(), body: vec![0xff; 100] },
    )
}

fn refused(f: &GatewayFixture, what: &str, request: &CallbackRequest) -> Outcome {
    holds(&format!("{what} is not the gateway's"), f.gateway.verify(request) == Err(CallbackError::Signature))
}
