//! What a process says to the one that looks after it, a line of JSON each; and the answers.

use std::io::{self, BufRead, Write};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::port::payment::{
    Authorize, CallbackError, CallbackRequest, Charge, GatewayError, IdempotencyKey, Lookup, Operation,
    PaymentGateway, Settled, VerifiedCallback,
};
use commerce_core::value::id::PaymentId;
use serde_json::{Value, from_value, json};

use super::super::bank::Bank;
use crate::fake::Gateway;

/// The gateway and the bank of a process: at the other end of its pipes, where they outlive it.
pub(super) struct Remote<R, W> {
    pipes: Mutex<(R, W)>,
}

impl<R, W> std::fmt::Debug for Remote<R, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").finish_non_exhaustive()
    }
}

impl<R: BufRead, W: Write> Remote<R, W> {
    pub(super) const fn on(from: R, to: W) -> Self {
        Self { pipes: Mutex::new((from, to)) }
    }

    /// Says something and waits for the answer.
    pub(super) fn ask(&self, question: &Value) -> io::Result<Value> {
        let (from, to) = &mut *self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        say(to, question)?;
        hear(from)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn call(&self, operation: &'static str, request: &Value) -> Result<Value, GatewayError> {
        let broken = || PortError::new(PortErrorKind::Unavailable, Effect::Unknown, "pipe", operation);
        let answer = self.ask(&json!({ operation: request })).map_err(|_| broken())?;
        if let Some(code) = answer["declined"].as_str() {
            return Err(GatewayError::Declined { code: code.into() });
        }
        if let Some(effect) = answer["failed"].as_str() {
            let effect = if effect == "none" { Effect::None } else { Effect::Unknown };
            return Err(PortError::new(PortErrorKind::Timeout, effect, "pipe", operation).into());
        }
        Ok(answer)
    }
}

pub(super) fn say(to: &mut impl Write, what: &Value) -> io::Result<()> {
    writeln!(to, "{what}")?;
    to.flush()
}

/// The next line; `None` where the other end is gone.
pub(super) fn hear(from: &mut impl BufRead) -> io::Result<Option<Value>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 || !line.ends_with('\n') {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&line)?))
}

fn of_operation(request: &Operation) -> Value {
    let Operation { key, payment, charge, amount } = request;
    json!({ "key": key, "payment": payment, "charge": charge, "amount": amount })
}

fn senseless(operation: &'static str) -> GatewayError {
    PortError::new(PortErrorKind::Corrupt, Effect::Unknown, "pipe", operation).into()
}

#[async_trait]
impl<R: BufRead + Send + 'static, W: Write + Send + 'static> PaymentGateway for Remote<R, W> {
    fn name(&self) -> &'static str {
        "fake"
    }

    async fn authorize(&self, request: Authorize) -> Result<Charge, GatewayError> {
        let Authorize { key, payment, order, amount, capture, method } = &request;
        let request = json!({
            "key": key, "payment": payment, "order": order, "amount": amount, "capture": capture,
            "method": method.as_ref(),
        });
        let answer = self.call("authorize", &request)?;
        from_value(answer).map_err(|_| senseless("authorize"))
    }

    async fn capture(&self, request: Operation) -> Result<Settled, GatewayError> {
        let answer = self.call("capture", &of_operation(&request))?;
        from_value(answer).map_err(|_| senseless("capture"))
    }

    async fn void(&self, request: Operation) -> Result<Settled, GatewayError> {
        let answer = self.call("void", &of_operation(&request))?;
        from_value(answer).map_err(|_| senseless("void"))
    }

    async fn refund(&self, request: Operation) -> Result<Settled, GatewayError> {
        let answer = self.call("refund", &of_operation(&request))?;
        from_value(answer).map_err(|_| senseless("refund"))
    }

    async fn lookup(&self, key: &IdempotencyKey) -> Result<Lookup, GatewayError> {
        let answer = self.call("lookup", &json!({ "key": key }))?;
        let found = if let Some(code) = answer["refused"].as_str() {
            Some(Lookup::Refused { code: code.into() })
        } else if answer["charge"].is_object() {
            from_value(answer["charge"].clone()).ok().map(Lookup::Charge)
        } else if answer["settled"].is_object() {
            from_value(answer["settled"].clone()).ok().map(Lookup::Settled)
        } else {
            Some(Lookup::NotFound)
        };
        found.ok_or_else(|| senseless("lookup"))
    }

    /// What only the gateway and the shop know is known here too.
    fn verify(&self, request: &CallbackRequest) -> Result<VerifiedCallback, CallbackError> {
        Gateway::approving().verify(request)
    }
}

/// Pipes that are gone tell nothing: the process is about to end.
impl<R: BufRead + Send, W: Write + Send> Bank for Remote<R, W> {
    fn pay(&self, payment: PaymentId) {
        drop(self.ask(&json!({ "pay": payment })));
    }

    fn untold(&self) -> Option<CallbackRequest> {
        let message = self.ask(&json!({ "untold": {} })).ok()?;
        let (headers, body) = (message["headers"].clone(), message["body"].clone());
        Some(CallbackRequest { headers: from_value(headers).ok()?, body: from_value(body).ok()? })
    }

    fn heard(&self) {
        drop(self.ask(&json!({ "heard": {} })));
    }
}

fn answer_of_bank(bank: &dyn Bank, operation: &str, request: &Value) -> Option<Value> {
    match operation {
        "pay" => bank.pay(from_value(request.clone()).ok()?),
        "heard" => bank.heard(),
        "untold" => {
            let CallbackRequest { headers, body } = bank.untold().unwrap_or_default();
            // Nothing to tell has no body.
            return Some(if body.is_empty() {
                json!({})
            } else {
                json!({ "headers": headers, "body": body })
            });
        }
        _ => return None,
    }
    Some(json!({}))
}

/// Answers a question of a process with what the gateway or the bank does; `None` for what is no question to
/// them.
pub(super) async fn answer(gateway: &Gateway, bank: &dyn Bank, question: &Value) -> Option<Value> {
    let (operation, request) = question.as_object()?.iter().next()?;
    if let Some(answer) = answer_of_bank(bank, operation, request) {
        return Some(answer);
    }
    let get = |name: &str| request[name].clone();
    let done: Result<Value, GatewayError> = match operation.as_str() {
        "authorize" => {
            let request = Authorize {
                key: from_value(get("key")).ok()?,
                payment: from_value(get("payment")).ok()?,
                order: from_value(get("order")).ok()?,
                amount: from_value(get("amount")).ok()?,
                capture: get("capture").as_bool()?,
                method: get("method").as_str()?.into(),
            };
            gateway.authorize(request).await.map(|charge| json!(charge))
        }
        "capture" | "void" | "refund" => {
            let request = Operation {
                key: from_value(get("key")).ok()?,
                payment: from_value(get("payment")).ok()?,
                charge: from_value(get("charge")).ok()?,
                amount: from_value(get("amount")).ok()?,
            };
            let settled = match operation.as_str() {
                "capture" => gateway.capture(request).await,
                "void" => gateway.void(request).await,
                _ => gateway.refund(request).await,
            };
            settled.map(|settled| json!(settled))
        }
        "lookup" => gateway.lookup(&from_value(get("key")).ok()?).await.map(|found| match found {
            Lookup::Charge(charge) => json!({ "charge": charge }),
            Lookup::Settled(settled) => json!({ "settled": settled }),
            Lookup::Refused { code } => json!({ "refused": code.as_ref() }),
            Lookup::NotFound => json!({}),
        }),
        _ => return None,
    };
    Some(done.unwrap_or_else(|error| match error {
        GatewayError::Declined { code } => json!({ "declined": code.as_ref() }),
        GatewayError::Port(error) if error.effect == Effect::None => json!({ "failed": "none" }),
        _ => json!({ "failed": "unknown" }),
    }))
}
