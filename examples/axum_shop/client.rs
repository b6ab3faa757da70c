//! A browser and a gateway, over a socket like any other.
#![allow(
    clippy::indexing_slicing,
    reason = "a JSON value that is asked for what it does not hold gives null"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use commerce_core::port::payment::{CallbackRequest, ChargeState};
use commerce_core::value::id::PaymentId;
use commerce_testkit::fake::{Behaviour, Gateway};
use serde_json::{Value, json};

use super::Outcome;

const ANNA: &str = "00000000-0000-4000-8000-00000000a77a";
const EVE: &str = "00000000-0000-4000-8000-000000000e5e";

/// Sends a request and gives the status and the body of the answer.
fn send(to: SocketAddr, request: &str, headers: &[(&str, &str)], body: &[u8]) -> Outcome<(u16, Value)> {
    let mut stream = TcpStream::connect(to)?;
    write!(stream, "{request} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n")?;
    write!(stream, "content-type: application/json\r\ncontent-length: {}\r\n", body.len())?;
    for (name, value) in headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(body)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).ok_or("no status")?.parse()?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("no body")?;
    Ok((status, serde_json::from_str(body).unwrap_or_default()))
}

struct Browser {
    server: SocketAddr,
    user: &'static str,
}

impl Browser {
    fn ask(&self, request: &str, key: &str, body: &Value) -> Outcome<(u16, Value)> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = [("x-user", self.user), ("idempotency-key", key)];
        send(self.server, request, &headers, body.as_bytes())
    }

    /// Fills a cart and gives its total.
    fn fill(&self, cart: &str, quantity: u32) -> Outcome<Value> {
        let line = json!({ "sku": "TICKET", "quantity": quantity });
        let (status, _) = self.ask(&format!("POST /carts/{cart}/lines"), "fill", &line)?;
        println!("  POST /carts/…/lines ({quantity} tickets) -> {status}");
        let contact = json!({ "email": "anna@example.com" });
        self.ask(&format!("PUT /carts/{cart}/contact"), "contact", &contact)?;
        let (status, quote) = self.ask(&format!("GET /carts/{cart}/quote"), "", &Value::Null)?;
        println!("  GET /carts/…/quote -> {status} {quote}");
        Ok(quote["total"].clone())
    }

    fn buy(&self, cart: &str, total: &Value, key: &str) -> Outcome<Value> {
        let purchase = json!({ "cart": cart, "total": total });
        let (status, answer) = self.ask("POST /checkouts", key, &purchase)?;
        let told = if status < 400 || status == 402 { &answer["payment"] } else { &answer };
        println!("  POST /checkouts -> {status} {told}");
        Ok(answer)
    }

    fn look(&self, order: &Value) -> Outcome<()> {
        let number = order["order"].as_str().unwrap_or_default();
        let (status, order) = self.ask(&format!("GET /orders/{number}"), "", &Value::Null)?;
        println!("  GET /orders/… -> {status} {order}");
        Ok(())
    }
}

fn cart(number: u64) -> String {
    format!("00000000-0000-4000-8000-0000000ca{number:03}")
}

/// Visits the shop at this address, and its bank.
pub(super) fn visit(server: SocketAddr, gateway: &Gateway) -> Outcome<()> {
    let (anna, eve) = (Browser { server, user: ANNA }, Browser { server, user: EVE });
    println!("1. A paid order, and the same request once more");
    let total = anna.fill(&cart(1), 2)?;
    let first = anna.buy(&cart(1), &total, "click-1")?;
    let again = anna.buy(&cart(1), &total, "click-1")?;
    println!("  the same order: {}", first["order"] == again["order"]);
    anna.look(&first)?;

    println!("\n2. Somebody else looks at it");
    eve.look(&first)?;

    println!("\n3. A bank that wants the buyer to confirm, and tells us");
    gateway.script([Behaviour::Redirect("https://bank.example/confirm")]);
    let total = anna.fill(&cart(2), 1)?;
    let order = anna.buy(&cart(2), &total, "click-2")?;
    anna.look(&order)?;
    let payment = last_payment(gateway).ok_or("a charge")?;
    let message = gateway.decide(payment, ChargeState::Captured).ok_or("a message")?;
    deliver(server, "fake", &CallbackRequest { headers: Vec::new(), ..message.clone() })?;
    deliver(server, "fake", &message)?;
    deliver(server, "fake", &message)?;
    deliver(server, "another", &message)?;
    anna.look(&order)?;

    println!("\n4. What cannot be bought");
    let total = eve.fill(&cart(3), 8)?;
    eve.buy(&cart(3), &total, "click-3")?;
    eve.buy(&cart(3), &json!({ "minor": 1, "currency": "EUR" }), "click-4")?;
    anna.buy(&cart(3), &total, "click-5")?;
    let line = json!({ "sku": "ORCHESTRA", "quantity": 1 });
    let (status, answer) = eve.ask(&format!("POST /carts/{}/lines", cart(3)), "line", &line)?;
    println!("  POST /carts/…/lines (ORCHESTRA) -> {status} {answer}");
    let (status, answer) = send(server, "POST /checkouts", &[], b"{}")?;
    println!("  POST /checkouts of nobody -> {status} {answer}");

    println!("\n5. A card that is declined");
    gateway.script([Behaviour::Decline("card-expired")]);
    let total = eve.fill(&cart(4), 1)?;
    let order = eve.buy(&cart(4), &total, "click-6")?;
    eve.look(&order)
}

fn last_payment(gateway: &Gateway) -> Option<PaymentId> {
    gateway.ledger().accounts().find(|account| account.captured == 0).map(|account| account.payment)
}

fn deliver(server: SocketAddr, gateway: &str, message: &CallbackRequest) -> Outcome<()> {
    let headers: Vec<_> =
        message.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let request = format!("POST /payments/{gateway}/callback");
    let (status, answer) = send(server, &request, &headers, &message.body)?;
    let signed = if headers.is_empty() { "unsigned" } else { "signed" };
    let said = answer["error"].as_str().unwrap_or_default();
    println!("{}", format!("  {request} ({signed}) -> {status} {said}").trim_end());
    Ok(())
}
