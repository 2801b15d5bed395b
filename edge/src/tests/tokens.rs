use std::{fs, os::unix::fs::PermissionsExt, sync::Arc, time::Duration};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use event_schemas::{AccountId, Timestamp};
use http_body_util::Full;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;
use uuid::Uuid;
use warp::{Filter, http::Request};

use super::ask;
use crate::{Principal, Role, Tokens, authenticated, optional_principal, reply, require, tokens::KeyError};

const TTL: Duration = Duration::from_secs(900);

fn seller() -> Principal {
    Principal {
        session_id: Some(Uuid::now_v7()),
        ..Principal::new(AccountId::fresh(), vec![Role::Customer, Role::Seller])
    }
}

fn issued(tokens: &Tokens, principal: &Principal) -> String {
    tokens.issue(principal, principal.session_id.unwrap(), Timestamp::now(), TTL)
}

/// The slug of the problem that the token is refused with.
fn refusal(tokens: &Tokens, token: &str) -> &'static str {
    let problem = tokens.verify(token).unwrap_err();
    assert_eq!(problem.status(), 401);
    problem.slug()
}

#[test]
fn a_token_says_who_it_was_issued_to_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let token = issued(&Tokens::open(&file).unwrap(), &seller());
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else may read the key");
    let reopened = Tokens::open(&file).unwrap();
    let who = seller();
    assert_eq!(reopened.verify(&issued(&reopened, &who)).unwrap(), who);
    assert!(reopened.verify(&token).is_ok());
}

#[test]
fn a_file_that_holds_no_key_is_said_to_hold_none_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    fs::write(&file, "not a key").unwrap();
    assert!(matches!(Tokens::open(&file), Err(KeyError::NotAKey(_))));
    assert_eq!(fs::read(&file).unwrap(), b"not a key");
    assert!(matches!(
        Tokens::open(&folder.path().join("no/such/folder")),
        Err(KeyError::File { .. })
    ));
}

#[test]
fn a_token_ends_on_time_also_when_it_was_seen_before() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = Tokens::open(&folder.path().join("key")).unwrap();
    let issued_at = Timestamp::from_millis(1_800_000_000_000);
    let token = tokens.issue(&seller(), Uuid::now_v7(), issued_at, TTL);
    for _ in 0..2 {
        assert!(tokens.verify_at(&token, issued_at.plus_millis(899_999)).is_ok());
    }
    for _ in 0..2 {
        let problem = tokens.verify_at(&token, issued_at.plus_millis(900_000)).unwrap_err();
        assert_eq!(problem.slug(), "token-expired");
    }
}

#[test]
fn what_is_not_our_token_is_refused_and_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = Tokens::open(&folder.path().join("key")).unwrap();
    let elsewhere = Tokens::open(&folder.path().join("other-key")).unwrap();
    let token = issued(&tokens, &seller());
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();

    assert_eq!(refusal(&tokens, &issued(&elsewhere, &seller())), "token-forged");
    let admin = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap())
        .unwrap()
        .replace("seller", "admin");
    let promoted = format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(admin));
    assert_eq!(refusal(&tokens, &promoted), "token-forged");

    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    assert_eq!(
        refusal(&tokens, &format!("{none}.{claims}.")),
        "token-algorithm-refused"
    );
    assert_eq!(
        refusal(&tokens, &format!("{none}.{claims}.{signature}")),
        "token-algorithm-refused"
    );

    for garbage in [
        "",
        "x",
        "a.b.c",
        "..",
        &token[1..],
        &"x".repeat(100_000),
        &format!("{token}.x"),
    ] {
        assert_eq!(
            refusal(&tokens, garbage),
            "token-malformed",
            "{}",
            &garbage[..garbage.len().min(40)]
        );
    }
}

/// Anybody can read the public key off our tokens' verifier; as an HMAC secret it must open nothing.
#[test]
fn the_public_key_is_no_secret_to_sign_with_and_another_audience_is_not_us() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let tokens = Tokens::open(&file).unwrap();
    let pkcs8 = fs::read(&file).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).unwrap();
    let exp = Timestamp::now().as_millis() / 1000 + 900;
    let claims = |aud: &str| {
        json!({"iss": "jangteo", "aud": aud, "sub": AccountId::fresh(), "sid": Uuid::now_v7(),
            "roles": ["admin"], "iat": 0, "exp": exp})
    };
    let hmac = EncodingKey::from_secret(pair.public_key().as_ref());
    let confused = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims("jangteo-api"), &hmac).unwrap();
    assert_eq!(refusal(&tokens, &confused), "token-algorithm-refused");
    let ours = EncodingKey::from_ed_der(&pkcs8);
    let sign = |aud| jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims(aud), &ours).unwrap();
    assert_eq!(refusal(&tokens, &sign("somebody-else")), "token-foreign");
    assert!(tokens.verify(&sign("jangteo-api")).is_ok());
}

#[test]
fn the_operator_token_is_operator_and_admin_and_only_where_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let tokens = Tokens::open(&file).unwrap().with_operator_token("local-secret");
    let operator = tokens.verify("local-secret").unwrap();
    assert!(require(&operator, &[Role::Operator]).is_ok() && require(&operator, &[Role::Admin]).is_ok());
    let refused = require(&operator, &[Role::Customer]).unwrap_err();
    assert_eq!(
        (
            refused.status().as_u16(),
            refused.document()["required_roles"][0].as_str()
        ),
        (403, Some("customer"))
    );
    assert_eq!(refusal(&tokens, "local-secre"), "token-malformed");
    assert_eq!(
        refusal(&Tokens::open(&file).unwrap().with_operator_token(""), ""),
        "token-malformed"
    );
}

#[tokio::test]
async fn the_filters_read_the_authorization_header() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = Arc::new(Tokens::open(&folder.path().join("key")).unwrap());
    let who = seller();
    let token = issued(&tokens, &who);
    let must = authenticated(Arc::clone(&tokens)).map(|who: Principal| reply::ok(&who.account_id));
    let may = optional_principal(tokens).map(|who: Option<Principal>| reply::ok(&who.map(|who| who.account_id)));
    let request = |value: Option<&str>| {
        let mut request = Request::builder();
        if let Some(value) = value {
            request = request.header("authorization", value);
        }
        request.body(Full::default()).unwrap()
    };
    let id = json!(who.account_id);
    for good in [format!("Bearer {token}"), format!("bearer  {token}")] {
        assert_eq!(ask(must.clone(), request(Some(&good))).await, (200, id.clone()));
        assert_eq!(ask(may.clone(), request(Some(&good))).await, (200, id.clone()));
    }
    for bad in [
        Some("Bearer"),
        Some("Bearer "),
        Some("Basic YTpi"),
        Some(token.as_str()),
        Some("Bearer x"),
    ] {
        assert_eq!(ask(must.clone(), request(bad)).await.0, 401, "{bad:?}");
        assert_eq!(ask(may.clone(), request(bad)).await.0, 401, "{bad:?}");
    }
    assert_eq!(ask(must, request(None)).await.0, 401);
    assert_eq!(ask(may, request(None)).await, (200, json!(null)));
}
