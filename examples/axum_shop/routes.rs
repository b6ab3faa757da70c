//! The routes. Each turns a request into one call of the library.

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post, put};
use commerce_core::orders::NUMBER_SCOPE;
use commerce_core::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::status::Failure;

type Answer<T> = Result<T, Failure>;

pub(super) fn router(commerce: Commerce) -> Router {
    Router::new()
        .route("/carts/{cart}/lines", post(add))
        .route("/carts/{cart}/contact", put(contact))
        .route("/carts/{cart}/quote", get(quote))
        .route("/checkouts", post(checkout))
        .route("/orders/{number}", get(order))
        .route("/payments/{gateway}/callback", post(callback))
        .with_state(commerce)
}

/// Who asks. A host takes it from its session; this one believes a header.
struct Buyer(CustomerId);

impl<S: Sync> FromRequestParts<S> for Buyer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        let user = parts.headers.get("x-user").and_then(|header| header.to_str().ok());
        let user = user.and_then(|text| text.parse().ok());
        user.map(Self).ok_or_else(|| Failure::new(StatusCode::UNAUTHORIZED, "who are you?"))
    }
}

impl Buyer {
    /// The shop as this buyer sees it.
    fn at(&self, commerce: &Commerce) -> Commerce {
        commerce.acting_as(Actor::User(self.0))
    }
}

#[derive(Deserialize)]
struct Line {
    sku: Sku,
    quantity: Quantity,
}

async fn add(
    State(commerce): State<Commerce>,
    buyer: Buyer,
    Path(cart): Path<CartId>,
    Json(Line { sku, quantity }): Json<Line>,
) -> Answer<StatusCode> {
    buyer.at(&commerce).add_to_cart(cart, &sku, quantity, Currency::EUR).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Contact {
    email: Email,
}

async fn contact(
    State(commerce): State<Commerce>,
    buyer: Buyer,
    Path(cart): Path<CartId>,
    Json(Contact { email }): Json<Contact>,
) -> Answer<StatusCode> {
    buyer.at(&commerce).execute(cart, CartCommand::SetContact { email }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn quote(
    State(commerce): State<Commerce>,
    buyer: Buyer,
    Path(cart): Path<CartId>,
) -> Answer<Json<Value>> {
    let book = buyer.at(&commerce).quote(cart).await?;
    Ok(Json(json!({ "total": book.total })))
}

#[derive(Deserialize)]
struct Purchase {
    cart: CartId,
    total: Money,
}

/// The header `idempotency-key` names the request: sent again, it gets the first one's answer.
async fn checkout(
    State(commerce): State<Commerce>,
    buyer: Buyer,
    headers: HeaderMap,
    Json(Purchase { cart, total }): Json<Purchase>,
) -> Answer<(StatusCode, Json<Value>)> {
    let mut shop = buyer.at(&commerce);
    if let Some(key) = headers.get("idempotency-key") {
        // Two buyers may choose the same key.
        shop = shop.with_command_id(CommandId::derived(buyer.0.uuid(), key.as_bytes()));
    }
    let receipt = shop.checkout(CheckoutRequest::new(cart, total)).await?;
    let (status, state) = match &receipt.status {
        CheckoutStatus::Confirmed => (StatusCode::CREATED, json!({ "state": "confirmed" })),
        CheckoutStatus::ActionRequired { url, .. } => {
            (StatusCode::ACCEPTED, json!({ "state": "action required", "url": url.as_ref() }))
        }
        CheckoutStatus::Failed { code } => {
            (StatusCode::PAYMENT_REQUIRED, json!({ "state": "failed", "code": code.as_ref() }))
        }
        // A callback or a timer goes on, or a person does.
        _ => (StatusCode::ACCEPTED, json!({ "state": "pending" })),
    };
    let order = json!({ "order": receipt.number.as_str(), "total": receipt.total, "payment": state });
    Ok((status, Json(order)))
}

async fn order(
    State(commerce): State<Commerce>,
    buyer: Buyer,
    Path(number): Path<String>,
) -> Answer<Json<Value>> {
    let found = buyer.at(&commerce).query(ByKey::<Order>::new(NUMBER_SCOPE, &number)).await?;
    let (_, order) = found.ok_or_else(|| Failure::new(StatusCode::NOT_FOUND, "no such order"))?;
    let status = format!("{:?}", order.status());
    Ok(Json(json!({ "status": status, "total": order.total() })))
}

/// The body is handed on as it came: the gateway's signature covers its bytes.
async fn callback(
    State(commerce): State<Commerce>,
    Path(gateway): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer<StatusCode> {
    let pair = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let headers = headers.iter().map(pair).collect();
    commerce.payment_callback(&gateway, headers, body.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}
