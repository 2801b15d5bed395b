//! Toss Payments' shapes, as its public API reference tells: confirmation takes the money; a cancellation, whole or in part,
//! gives it back.
//!
//! Two things are played otherwise: a test card's name stands for the `paymentKey` that the checkout window would hand out,
//! and the answer's `paymentKey` is the one to go on with.

use event_schemas::{Money, ids::derived_uuid, payment::PaymentOperation};
use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Act, Answer, Request, faults::Call, webhooks::News};
use crate::payments::{
    OperationKey,
    simulator::{
        ledger::{Asked, Authorisation, Decided, Ledger, Line, Notes},
        verdict::Verdict,
    },
};

/// Transactions in one answer at most.
const PAGE: usize = 5_000;
/// Where a confirmation's note keeps the shop's name for it.
const ORDER: &str = "orderId";
const REASON: &str = "cancelReason";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Confirm {
    payment_key: String,
    order_id: String,
    amount: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cancel {
    cancel_reason: String,
    cancel_amount: Option<i64>,
}

pub(super) fn read(request: &Request) -> Option<(Call, Act)> {
    let key = request.key.clone().unwrap_or_default();
    let read: (Call, Act) = match (&request.method, request.words().get(1..)?) {
        (&Method::POST, ["payments", "confirm"]) => {
            let body = request.json::<Confirm>();
            (
                Call::Authorise,
                Box::new(move |ledger| with(body, |body| confirm(ledger, &key, body))),
            )
        }
        (&Method::POST, ["payments", payment, "cancel"]) => {
            let (reference, body) = (reference(payment), request.json::<Cancel>());
            // One call at Toss's: which of the two it is for the shop, its key tells.
            let void = key
                .parse()
                .is_ok_and(|key: OperationKey| key.id.operation == PaymentOperation::Void);
            let call = if void { Call::Void } else { Call::Refund };
            (
                call,
                Box::new(move |ledger| with(body, |body| cancel(ledger, &key, &reference, &body))),
            )
        }
        (&Method::GET, ["payments", "orders", order]) => {
            let order = (*order).to_owned();
            (Call::LookUp, Box::new(move |ledger| of_order(ledger, &order)))
        }
        (&Method::GET, ["payments", payment]) => {
            let reference = reference(payment);
            (Call::LookUp, Box::new(move |ledger| shown(ledger, &reference)))
        }
        (&Method::GET, ["transactions"]) => {
            let after = request.query.get("startingAfter").cloned();
            (
                Call::Ledger,
                Box::new(move |ledger| transactions(ledger, after.as_deref())),
            )
        }
        _ => return None,
    };
    Some(read)
}

fn with<T>(body: Result<T, String>, then: impl FnOnce(T) -> Answer) -> Answer {
    body.map_or_else(|error| failure(400, "INVALID_REQUEST", &error), then)
}

fn failure(status: u16, code: &str, message: &str) -> Answer {
    Answer::of(status, json!({ "code": code, "message": message }))
}

fn reference(payment: &str) -> String {
    payment.replacen("toss_", "sim_", 1)
}

fn payment_key(reference: &str) -> String {
    reference.replacen("sim_", "toss_", 1)
}

/// Sets the money aside and takes it, under two keys: repeated after an end in between, it goes on.
fn confirm(ledger: &Ledger, key: &str, body: Confirm) -> Answer {
    let (amount, token) = (Money::krw(body.amount), body.payment_key);
    let notes = Notes::from([(ORDER.to_owned(), body.order_id)]);
    let taken = |decided: Decided| match decided.verdict {
        Verdict::Done { reference } => {
            let asked = Asked::Capture { reference, amount };
            ledger.once(&format!("{key}#taken"), &asked, &notes)
        }
        Verdict::Refused { .. } => Ok(decided),
    };
    match ledger
        .once(key, &Asked::Authorise { amount, token }, &notes)
        .and_then(taken)
    {
        Ok(Decided {
            verdict: Verdict::Done { reference },
            ..
        }) => changed(ledger, &reference),
        Ok(decided) => refused(&decided.verdict),
        Err(detail) => failure(500, "FAILED_INTERNAL_SYSTEM_PROCESSING", &detail),
    }
}

fn cancel(ledger: &Ledger, key: &str, reference: &str, body: &Cancel) -> Answer {
    let Ok(Some(aside)) = ledger.authorisation(reference) else {
        return unknown();
    };
    let amount = body.cancel_amount.unwrap_or(aside.captured() - aside.refunded());
    let asked = Asked::Refund {
        reference: reference.to_owned(),
        amount: Money::new(amount, aside.amount.currency),
    };
    let notes = Notes::from([(REASON.to_owned(), body.cancel_reason.clone())]);
    match ledger.once(key, &asked, &notes) {
        Ok(Decided {
            verdict: Verdict::Done { reference },
            ..
        }) => changed(ledger, &reference),
        Ok(decided) => refused(&decided.verdict),
        Err(detail) => failure(500, "FAILED_INTERNAL_SYSTEM_PROCESSING", &detail),
    }
}

fn refused(verdict: &Verdict) -> Answer {
    let Verdict::Refused { code, message } = verdict else {
        return failure(500, "UNKNOWN", "");
    };
    match code.as_str() {
        "idempotency_key_reused" => failure(400, "INVALID_IDEMPOTENCY_KEY", message),
        "exceeds_captured" => failure(403, "NOT_CANCELABLE_AMOUNT", message),
        "insufficient_funds" => failure(403, "REJECT_CARD_PAYMENT", message),
        _ => failure(403, "REJECT_CARD_COMPANY", message),
    }
}

fn unknown() -> Answer {
    failure(404, "NOT_FOUND_PAYMENT", "존재하지 않는 결제 정보 입니다.")
}

fn changed(ledger: &Ledger, reference: &str) -> Answer {
    let answer = shown(ledger, reference);
    let news = Some(News::Toss(answer.body.clone()));
    Answer { news, ..answer }
}

fn shown(ledger: &Ledger, reference: &str) -> Answer {
    match ledger.authorisation(reference) {
        Ok(Some(aside)) => Answer::of(200, payment(reference, &aside)),
        _ => unknown(),
    }
}

/// The shop names its payments by their ids, and asks under the key made of it.
fn of_order(ledger: &Ledger, order: &str) -> Answer {
    match ledger.decided(&format!("{order}/authorise")) {
        Ok(Some(decided)) if !decided.left().is_zero() => {
            Answer::of(200, json!({ "orderId": order, "status": "IN_PROGRESS" }))
        }
        Ok(Some(Decided {
            verdict: Verdict::Done { reference },
            ..
        })) => shown(ledger, &reference),
        _ => unknown(),
    }
}

fn payment(reference: &str, aside: &Authorisation) -> Value {
    let cancels: Vec<Value> = aside
        .done
        .iter()
        .filter(|line| line.operation == PaymentOperation::Refund)
        .map(cancelled)
        .collect();
    let balance = aside.captured() - aside.refunded();
    let status = match (aside.captured(), aside.refunded()) {
        (0, _) => "IN_PROGRESS",
        (_, 0) => "DONE",
        _ if balance == 0 => "CANCELED",
        _ => "PARTIAL_CANCELED",
    };
    json!({
        "paymentKey": payment_key(reference), "orderId": order_of(aside), "status": status,
        "currency": aside.amount.currency, "totalAmount": aside.amount.amount, "balanceAmount": balance,
        "cancels": if cancels.is_empty() { Value::Null } else { Value::Array(cancels) },
    })
}

fn order_of(aside: &Authorisation) -> &str {
    let order = aside.done.iter().find_map(|line| line.notes.get(ORDER));
    order.map_or("", String::as_str)
}

fn cancelled(line: &Line) -> Value {
    json!({ "transactionKey": transaction_key(line), "cancelReason": line.notes.get(REASON), "cancelAmount": line.amount.amount,
        "canceledAt": line.at, "cancelStatus": "DONE" })
}

fn transaction_key(line: &Line) -> String {
    format!("txrd_{}", derived_uuid(Uuid::nil(), &line.key).simple())
}

/// Oldest first, from the transaction after `startingAfter` on.
fn transactions(ledger: &Ledger, after: Option<&str>) -> Answer {
    let lines = match ledger.lines(0, usize::MAX) {
        Ok(mut lines) => {
            let last_known = lines
                .iter()
                .position(|(_, line)| after == Some(&*transaction_key(line)));
            lines.split_off(last_known.map_or(0, |place| place + 1))
        }
        Err(detail) => return failure(500, "FAILED_INTERNAL_SYSTEM_PROCESSING", &detail),
    };
    let moves = |line: &Line| matches!(line.operation, PaymentOperation::Capture | PaymentOperation::Refund);
    let told: Vec<Value> = lines
        .iter()
        .filter(|(_, line)| moves(line))
        .take(PAGE)
        .map(|(_, line)| {
            let aside = ledger.authorisation(&line.reference).ok().flatten();
            let status = if line.operation == PaymentOperation::Capture {
                "DONE"
            } else {
                "PARTIAL_CANCELED"
            };
            json!({ "transactionKey": transaction_key(line), "paymentKey": payment_key(&line.reference),
                "orderId": aside.as_ref().map_or("", order_of), "status": status, "amount": line.amount.amount,
                "currency": line.amount.currency, "transactionAt": line.at })
        })
        .collect();
    Answer::of(200, Value::Array(told))
}
