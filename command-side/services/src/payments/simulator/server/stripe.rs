//! Stripe's shapes, as its public API reference tells: form bodies, `Idempotency-Key`, payment intents captured by hand and
//! in parts, refunds, balance transactions, errors.

use std::collections::BTreeMap;

use event_schemas::{Money, payment::PaymentOperation};
use hyper::Method;
use serde_json::{Value, json};

use super::{Act, Answer, Request, faults::Call, webhooks::News};
use crate::payments::simulator::{
    ledger::{Asked, Authorisation, Decided, Ledger, Line, Notes},
    verdict::Verdict,
};

/// Balance transactions in one answer at most.
const PAGE: usize = 100;

type Form = BTreeMap<String, String>;

pub(super) fn read(request: &Request) -> Option<(Call, Act)> {
    let (key, form) = (request.key.clone().unwrap_or_default(), request.form());
    let words = request.words();
    let read: (Call, Act) = match (&request.method, words.get(1..)?) {
        (&Method::POST, ["payment_intents"]) => (Call::Authorise, Box::new(move |ledger| create(ledger, &key, &form))),
        (&Method::POST, ["payment_intents", intent, "capture"]) => {
            let reference = reference(intent);
            (
                Call::Capture,
                Box::new(move |ledger| capture(ledger, &key, reference, &form)),
            )
        }
        (&Method::POST, ["payment_intents", intent, "cancel"]) => {
            let reference = reference(intent);
            (Call::Void, Box::new(move |ledger| cancel(ledger, &key, reference)))
        }
        (&Method::GET, ["payment_intents", "search"]) => {
            let query = request.query.get("query").cloned().unwrap_or_default();
            (Call::LookUp, Box::new(move |ledger| search(ledger, &query)))
        }
        (&Method::GET, ["payment_intents", intent]) => {
            let reference = reference(intent);
            (Call::LookUp, Box::new(move |ledger| shown(ledger, &reference)))
        }
        (&Method::POST, ["refunds"]) => (Call::Refund, Box::new(move |ledger| refund(ledger, &key, &form))),
        (&Method::GET, ["refunds"]) => {
            let intent = request.query.get("payment_intent").cloned().unwrap_or_default();
            (
                Call::LookUp,
                Box::new(move |ledger| refunds(ledger, &reference(&intent))),
            )
        }
        (&Method::GET, ["balance_transactions"]) => {
            let query = request.query.clone();
            (Call::Ledger, Box::new(move |ledger| transactions(ledger, &query)))
        }
        _ => return None,
    };
    Some(read)
}

/// `pi_…` is the ledger's `sim_…`.
fn reference(intent: &str) -> String {
    intent.replacen("pi_", "sim_", 1)
}

fn named(prefix: &str, reference: &str) -> String {
    reference.replacen("sim_", prefix, 1)
}

fn money(form: &Form, name: &str, currency: Option<&str>) -> Option<Money> {
    let amount = form.get(name)?.parse().ok()?;
    let currency = currency
        .or_else(|| form.get("currency").map(String::as_str))
        .unwrap_or("krw");
    Some(Money::new(amount, currency.to_uppercase().parse().ok()?))
}

fn metadata(form: &Form) -> Notes {
    let within = |name: &str| Some(name.strip_prefix("metadata[")?.strip_suffix(']')?.to_owned());
    form.iter()
        .filter_map(|(name, value)| Some((within(name)?, value.clone())))
        .collect()
}

fn error(status: u16, kind: &str, code: &str, message: &str) -> Answer {
    Answer::of(
        status,
        json!({ "error": { "type": kind, "code": code, "message": message } }),
    )
}

fn missing(what: &str) -> Answer {
    error(
        400,
        "invalid_request_error",
        "parameter_missing",
        &format!("Missing required param: {what}."),
    )
}

fn create(ledger: &Ledger, key: &str, form: &Form) -> Answer {
    let Some(amount) = money(form, "amount", None) else {
        return missing("amount");
    };
    if form.get("capture_method").map(String::as_str) != Some("manual")
        || form.get("confirm").map(String::as_str) != Some("true")
    {
        return error(
            400,
            "invalid_request_error",
            "simulator",
            "Only manual capture, confirmed at once, is played here.",
        );
    }
    let token = form.get("payment_method").cloned().unwrap_or_default();
    match ledger.once(key, &Asked::Authorise { amount, token }, &metadata(form)) {
        Ok(decided) => created(ledger, &decided),
        Err(detail) => error(500, "api_error", "ledger", &detail),
    }
}

fn created(ledger: &Ledger, decided: &Decided) -> Answer {
    match &decided.verdict {
        Verdict::Done { reference } => changed(ledger, reference),
        Verdict::Refused { code, .. } if code == "idempotency_key_reused" => refused(&decided.verdict),
        Verdict::Refused { code, message } => {
            let intent = declined_intent(decided);
            let body = json!({ "error": { "type": "card_error", "code": code, "decline_code": code,
                "message": message, "payment_intent": intent } });
            Answer::of(402, body)
        }
    }
}

/// A payment intent whose card was declined waits for another.
fn declined_intent(decided: &Decided) -> Value {
    let (code, message) = match &decided.verdict {
        Verdict::Refused { code, message } => (code.as_str(), message.as_str()),
        Verdict::Done { .. } => ("", ""),
    };
    json!({ "id": "pi_declined", "object": "payment_intent", "status": "requires_payment_method",
        "metadata": decided.notes, "last_payment_error": { "code": code, "message": message } })
}

fn capture(ledger: &Ledger, key: &str, reference: String, form: &Form) -> Answer {
    let currency = ledger
        .authorisation(&reference)
        .ok()
        .flatten()
        .map(|aside| aside.amount.currency.to_string());
    let Some(amount) = money(form, "amount_to_capture", currency.as_deref()) else {
        return missing("amount_to_capture");
    };
    done(ledger, key, &Asked::Capture { reference, amount }, &metadata(form))
}

fn cancel(ledger: &Ledger, key: &str, reference: String) -> Answer {
    done(ledger, key, &Asked::Void { reference }, &Notes::new())
}

fn done(ledger: &Ledger, key: &str, asked: &Asked, notes: &Notes) -> Answer {
    match ledger.once(key, asked, notes) {
        Ok(Decided {
            verdict: Verdict::Done { reference },
            ..
        }) => changed(ledger, &reference),
        Ok(decided) => refused(&decided.verdict),
        Err(detail) => error(500, "api_error", "ledger", &detail),
    }
}

fn refused(verdict: &Verdict) -> Answer {
    let Verdict::Refused { code, message } = verdict else {
        return error(500, "api_error", "simulator", "");
    };
    match code.as_str() {
        "idempotency_key_reused" => error(400, "idempotency_error", code, message),
        "unknown_authorisation" => error(404, "invalid_request_error", "resource_missing", message),
        "already_settled" => error(400, "invalid_request_error", "payment_intent_unexpected_state", message),
        _ => error(400, "invalid_request_error", "amount_too_large", message),
    }
}

/// The intent after it was changed; the shop is told.
fn changed(ledger: &Ledger, reference: &str) -> Answer {
    let answer = shown(ledger, reference);
    let news = Some(News::Stripe(answer.body.clone()));
    Answer { news, ..answer }
}

fn shown(ledger: &Ledger, reference: &str) -> Answer {
    match ledger.authorisation(reference) {
        Ok(Some(aside)) => Answer::of(200, intent(reference, &aside)),
        Ok(None) => error(
            404,
            "invalid_request_error",
            "resource_missing",
            "No such payment_intent",
        ),
        Err(detail) => error(500, "api_error", "ledger", &detail),
    }
}

fn intent(reference: &str, aside: &Authorisation) -> Value {
    let captured = aside.captured();
    let status = match (aside.is_voided(), captured) {
        (true, 0) => "canceled",
        (true, _) => "succeeded",
        (false, captured) if captured == aside.amount.amount => "succeeded",
        (false, _) => "requires_capture",
    };
    let kept = |line: &&Line| matches!(line.operation, PaymentOperation::Authorise | PaymentOperation::Capture);
    let metadata: Notes = aside
        .done
        .iter()
        .filter(kept)
        .flat_map(|line| line.notes.clone())
        .collect();
    json!({
        "id": named("pi_", reference), "object": "payment_intent", "status": status,
        "amount": aside.amount.amount, "amount_capturable": aside.capturable(), "amount_received": captured,
        "currency": aside.amount.currency.to_string().to_lowercase(), "capture_method": "manual",
        "latest_charge": named("ch_", reference), "metadata": metadata,
    })
}

/// `metadata['jangteo_key']:'…'`. The index here is the idempotency key, with which our adapter sends the same.
fn search(ledger: &Ledger, query: &str) -> Answer {
    let mut quoted = query.split('\'');
    let (field, wanted) = (quoted.nth(1).unwrap_or_default(), quoted.nth(1).unwrap_or_default());
    let found = match ledger.decided(wanted) {
        Ok(found) => found.filter(|decided| decided.notes.get(field).is_some_and(|value| value == wanted)),
        Err(detail) => return error(500, "api_error", "ledger", &detail),
    };
    let intents: Vec<Value> = found
        .into_iter()
        .filter_map(|decided| found_intent(ledger, &decided))
        .collect();
    Answer::of(
        200,
        json!({ "object": "search_result", "has_more": false, "data": intents }),
    )
}

fn found_intent(ledger: &Ledger, decided: &Decided) -> Option<Value> {
    let mut intent = match &decided.verdict {
        Verdict::Done { reference } => intent(reference, &ledger.authorisation(reference).ok()??),
        Verdict::Refused { .. } => declined_intent(decided),
    };
    if !decided.left().is_zero() {
        intent["status"] = json!("processing");
    }
    Some(intent)
}

fn refund(ledger: &Ledger, key: &str, form: &Form) -> Answer {
    let reference = reference(form.get("payment_intent").map_or("", String::as_str));
    let aside = ledger.authorisation(&reference).ok().flatten();
    let currency = aside.map(|aside| aside.amount.currency.to_string());
    let Some(amount) = money(form, "amount", currency.as_deref()) else {
        return missing("amount");
    };
    let notes = metadata(form);
    match ledger.once(key, &Asked::Refund { reference, amount }, &notes) {
        Ok(Decided {
            verdict: Verdict::Done { reference },
            ..
        }) => {
            let line = |aside: Authorisation| aside.done.into_iter().find(|line| line.key == key);
            let line = ledger.authorisation(&reference).ok().flatten().and_then(line);
            let body = line.map_or(Value::Null, |line| refund_shown(&line));
            Answer {
                news: Some(News::Stripe(shown(ledger, &reference).body)),
                ..Answer::of(200, body)
            }
        }
        Ok(decided) => refused(&decided.verdict),
        Err(detail) => error(500, "api_error", "ledger", &detail),
    }
}

fn refund_shown(line: &Line) -> Value {
    json!({ "id": format!("re_{}", line.key.replace('/', "_")), "object": "refund", "status": "succeeded",
        "amount": line.amount.amount, "currency": line.amount.currency.to_string().to_lowercase(),
        "payment_intent": named("pi_", &line.reference), "metadata": line.notes })
}

fn refunds(ledger: &Ledger, reference: &str) -> Answer {
    let done = ledger
        .authorisation(reference)
        .ok()
        .flatten()
        .map(|aside| aside.done)
        .unwrap_or_default();
    let refunds = done
        .iter()
        .rev()
        .filter(|line| line.operation == PaymentOperation::Refund);
    let refunds: Vec<Value> = refunds.map(refund_shown).collect();
    Answer::of(200, json!({ "object": "list", "has_more": false, "data": refunds }))
}

/// Newest first, as all of Stripe's lists; `ending_before` gives those just newer than that one, `starting_after` those just
/// older. `source` gives those of one charge.
fn transactions(ledger: &Ledger, query: &Form) -> Answer {
    let lines = match ledger.lines(0, usize::MAX) {
        Ok(lines) => lines,
        Err(detail) => return error(500, "api_error", "ledger", &detail),
    };
    let moves = |line: &Line| matches!(line.operation, PaymentOperation::Capture | PaymentOperation::Refund);
    let of_source = |line: &Line| {
        query
            .get("source")
            .is_none_or(|source| *source == named("ch_", &line.reference))
    };
    let number = |name: &str| {
        query
            .get(name)
            .and_then(|id| id.strip_prefix("txn_")?.parse::<u64>().ok())
    };
    let (newer, older) = (number("ending_before"), number("starting_after"));
    let limit = query
        .get("limit")
        .and_then(|limit| limit.parse().ok())
        .unwrap_or(10)
        .min(PAGE);
    let mut found: Vec<&(u64, Line)> = lines
        .iter()
        .filter(|(_, line)| moves(line) && of_source(line))
        .filter(|(at, _)| newer.is_none_or(|newer| *at > newer) && older.is_none_or(|older| *at < older))
        .collect();
    if newer.is_none() {
        found.reverse();
    }
    let has_more = found.len() > limit;
    found.truncate(limit);
    if newer.is_some() {
        found.reverse();
    }
    let data: Vec<Value> = found.into_iter().map(|(at, line)| transaction(*at, line)).collect();
    Answer::of(200, json!({ "object": "list", "has_more": has_more, "data": data }))
}

fn transaction(number: u64, line: &Line) -> Value {
    let refund = line.operation == PaymentOperation::Refund;
    let amount = if refund {
        -line.amount.amount
    } else {
        line.amount.amount
    };
    let charge = named("ch_", &line.reference);
    let source = if refund {
        refund_shown(line)
    } else {
        json!({ "id": charge, "object": "charge", "payment_intent": named("pi_", &line.reference) })
    };
    json!({ "id": format!("txn_{number}"), "object": "balance_transaction", "amount": amount,
        "currency": line.amount.currency.to_string().to_lowercase(), "created": line.at.as_millis() / 1000,
        "type": if refund { "refund" } else { "charge" }, "source": source })
}
