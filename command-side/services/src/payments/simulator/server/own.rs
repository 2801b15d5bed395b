//! The provider's own JSON, which [`crate::payments::providers::HttpProvider`] speaks.

use event_schemas::{Money, payment::PaymentOperation};
use hyper::Method;
use serde_json::json;

use super::{Act, Answer, Request, faults::Call, webhooks::News};
use crate::payments::{
    providers::own::{OperationBody, OutcomeBody, PageBody},
    simulator::{
        ledger::{Asked, Decided, Notes},
        page,
    },
};

pub(super) fn read(request: &Request) -> Option<(Call, Act)> {
    match (&request.method, request.path.as_str()) {
        (&Method::POST, "/v1/operations") => Some(operation(request)),
        (&Method::GET, "/v1/operations") => {
            let key = request.query.get("key").cloned().unwrap_or_default();
            let look_up: Act = Box::new(move |ledger| match ledger.decided(&key) {
                Ok(Some(decided)) => answer(decided),
                Ok(None) => Answer::of(404, json!({ "error": "no such operation" })),
                Err(error) => Answer::of(500, json!({ "error": error })),
            });
            Some((Call::LookUp, look_up))
        }
        (&Method::GET, "/v1/ledger") => {
            let after = request.query.get("after").cloned();
            let read: Act = Box::new(move |ledger| match page(ledger, after.as_deref()) {
                Ok(page) => Answer::of(200, json!(PageBody::from(page))),
                Err(error) => Answer::of(500, json!({ "error": error.to_string() })),
            });
            Some((Call::Ledger, read))
        }
        _ => None,
    }
}

fn operation(request: &Request) -> (Call, Act) {
    let body: OperationBody = match request.json() {
        Ok(body) => body,
        Err(error) => {
            return (
                Call::LookUp,
                Box::new(move |_| Answer::of(422, json!({ "error": error }))),
            );
        }
    };
    let call = match body.operation {
        PaymentOperation::Authorise => Call::Authorise,
        PaymentOperation::Capture => Call::Capture,
        PaymentOperation::Void => Call::Void,
        PaymentOperation::Refund => Call::Refund,
    };
    let act: Act = Box::new(move |ledger| {
        let asked = asked(&body, body.amount);
        match ledger.once(&body.key, &asked, &Notes::new()) {
            Ok(decided) => Answer {
                news: Some(News::own(&body.key)),
                ..answer(decided)
            },
            Err(error) => Answer::of(500, json!({ "error": error })),
        }
    });
    (call, act)
}

fn asked(body: &OperationBody, amount: Money) -> Asked {
    let reference = body.reference.clone().unwrap_or_default();
    match body.operation {
        PaymentOperation::Authorise => Asked::Authorise {
            amount,
            token: body.token.clone().unwrap_or_default(),
        },
        PaymentOperation::Capture => Asked::Capture { reference, amount },
        PaymentOperation::Void => Asked::Void { reference },
        PaymentOperation::Refund => Asked::Refund { reference, amount },
    }
}

fn answer(decided: Decided) -> Answer {
    Answer::of(200, json!(OutcomeBody::from(decided.outcome())))
}
