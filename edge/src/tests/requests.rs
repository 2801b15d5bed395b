use event_schemas::AccountId;
use http_body_util::Full;
use serde_json::json;
use uuid::Uuid;
use warp::{Filter, http::Request};

use super::ask;
use crate::{ConsistencyToken, FieldError, Problem, RequestContext, consistency_token, reply, request_context};

async fn context_of(method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, serde_json::Value) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let filter = request_context().map(|context: RequestContext| {
        let actor = AccountId::from_uuid(Uuid::from_u128(7));
        reply::ok(&json!({
            "request": context.request_id,
            "correlation": context.correlation_id,
            "trace": context.traceparent,
            "command": context.command_id(Some(actor)),
            "anonymous": context.command_id(None),
        }))
    });
    ask(filter, request.body(Full::default()).unwrap()).await
}

#[tokio::test]
async fn a_key_makes_the_same_request_the_same_command() {
    let keyed = [("idempotency-key", "k")];
    let (_, first) = context_of("POST", "/orders", &keyed).await;
    let (_, again) = context_of("POST", "/orders?x=1", &keyed).await;
    assert_eq!(
        (&first["command"], &first["anonymous"]),
        (&again["command"], &again["anonymous"])
    );
    assert_ne!(first["command"], first["anonymous"], "another actor, another command");
    for (method, path, headers) in [
        ("PUT", "/orders", &keyed[..]),
        ("POST", "/orders/1", &keyed[..]),
        ("POST", "/orders", &[("idempotency-key", "l")][..]),
        ("POST", "/orders", &[][..]),
    ] {
        assert_ne!(
            context_of(method, path, headers).await.1["command"],
            first["command"],
            "{method} {path}"
        );
    }
    let (_, looked) = context_of("GET", "/orders", &keyed).await;
    assert_ne!(
        context_of("GET", "/orders", &keyed).await.1["command"],
        looked["command"],
        "two looks are two"
    );
    let (_, unkeyed) = context_of("POST", "/orders", &[]).await;
    assert_ne!(
        context_of("POST", "/orders", &[]).await.1["command"],
        unkeyed["command"]
    );
}

#[tokio::test]
async fn a_key_must_be_printable_and_of_bounded_length() {
    let longest = "k".repeat(200);
    assert_eq!(context_of("POST", "/", &[("idempotency-key", &longest)]).await.0, 200);
    for wrong in ["", &"k".repeat(201), "schlüssel", "a\tb"] {
        let (status, problem) = context_of("POST", "/", &[("idempotency-key", wrong)]).await;
        assert_eq!(status, 400, "{wrong} was taken");
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .to_lowercase()
                .contains("idempotency-key"),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn a_uuid_as_request_id_is_the_correlation_id_and_only_a_trace_is_a_trace() {
    let id = Uuid::now_v7().to_string();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let (_, context) = context_of("GET", "/", &[("x-request-id", &id), ("traceparent", trace)]).await;
    assert_eq!(
        (context["request"].as_str(), context["correlation"].as_str()),
        (Some(&*id), Some(&*id))
    );
    assert_eq!(context["trace"], trace);
    let (_, context) = context_of("GET", "/", &[("x-request-id", "mine"), ("traceparent", "00-xyz")]).await;
    assert_eq!(
        (context["request"].as_str(), &context["trace"]),
        (Some("mine"), &json!(null))
    );
    let (_, again) = context_of("GET", "/", &[("x-request-id", "mine")]).await;
    assert_eq!(context["correlation"], again["correlation"]);
}

#[tokio::test]
async fn a_consistency_token_comes_back_as_it_was_given_out_or_not_at_all() {
    let filter =
        consistency_token().map(|token: Option<ConsistencyToken>| reply::ok(&token.map(ConsistencyToken::position)));
    let asked = async |value: Option<&str>| {
        let mut request = Request::builder();
        if let Some(value) = value {
            request = request.header("consistency-token", value);
        }
        ask(filter.clone(), request.body(Full::default()).unwrap()).await
    };
    for position in [0, 1, 4_711, u64::MAX] {
        let text = ConsistencyToken::at(position).to_string();
        assert_eq!(asked(Some(&text)).await, (200, json!(position)));
    }
    assert_eq!(asked(None).await, (200, json!(null)));
    for broken in ["", "7", "AQAAAAAAAAA", "AgAAAAAAAAAB", "%%%", "AQAAAAAAAAABAA", "ü"] {
        let (status, problem) = asked(Some(broken)).await;
        assert_eq!(status, 400, "{broken}: {problem}");
    }
}

#[test]
fn a_problem_has_the_members_of_rfc_9457_and_its_own() {
    let problem = Problem::validation(vec![FieldError::new("a", "too long"), FieldError::new("b", "missing")])
        .with("hint", 7)
        .with("status", 200);
    let document = problem.document();
    assert_eq!(document["type"], "https://jangteo.shop/problems/validation");
    assert_eq!(document["status"], 422, "a member of the RFC cannot be replaced");
    assert_eq!(document["detail"], "a: too long; b: missing");
    assert_eq!(
        (&document["hint"], &document["errors"][1]["field"]),
        (&json!(7), &json!("b"))
    );
    assert!(document.get("instance").is_none(), "there is no request");
}

#[test]
fn a_fault_of_ours_gives_nothing_away() {
    let problem = Problem::internal("password of the database is hunter2");
    assert!(!problem.document().to_string().contains("hunter2"));
}
