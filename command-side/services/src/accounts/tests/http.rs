//! The routes, as a client meets them.

use serde_json::{Value, json};
use warp::filters::BoxedFilter;

use super::*;

struct Client {
    shop: Fixture,
    routes: BoxedFilter<(edge::Response,)>,
}

impl Client {
    async fn new() -> Self {
        let shop = Fixture::new().await;
        let routes = edge::recovered(routes(Arc::clone(&shop.accounts), Arc::clone(&shop.tokens)));
        Self { shop, routes }
    }

    async fn send(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, Value) {
        let mut request = warp::test::request().method(method).path(path).body(body);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = request.reply(&self.routes).await;
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        (response.status().as_u16(), body)
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send("POST", path, "", &body.to_string()).await
    }

    async fn token_of(&self, email: &str, roles: Vec<Role>) -> String {
        self.shop.accounts.seed(&kim(email), roles).await.unwrap();
        self.shop.sign_in(email).await.access_token
    }
}

fn kind(problem: &Value) -> &str {
    problem["type"]
        .as_str()
        .unwrap_or_default()
        .rsplit('/')
        .next()
        .unwrap_or_default()
}

#[tokio::test]
async fn from_registering_to_signing_out() {
    let client = Client::new().await;
    let new = json!({"email": "kim@example.com", "password": PASSWORD, "name": "Kim"});
    let (status, account) = client.post("/api/v1/accounts", &new).await;
    assert_eq!((status, &account["roles"]), (201, &json!(["customer"])));
    assert_eq!(
        account.as_object().unwrap().len(),
        4,
        "id, email, name, roles: {account}"
    );

    let credentials = json!({"email": "kim@example.com", "password": PASSWORD});
    let (status, signed_in) = client.post("/api/v1/sessions", &credentials).await;
    assert_eq!((status, &signed_in["token_type"]), (201, &json!("Bearer")));
    let refresh = json!({"refresh_token": signed_in["refresh_token"]});
    let (status, refreshed) = client.post("/api/v1/sessions/refresh", &refresh).await;
    assert_eq!(status, 201, "{refreshed}");
    let token = refreshed["access_token"].as_str().unwrap();
    assert_eq!(client.send("DELETE", "/api/v1/sessions", token, "").await.0, 204);
    let refresh = json!({"refresh_token": refreshed["refresh_token"]});
    let (status, problem) = client.post("/api/v1/sessions/refresh", &refresh).await;
    assert_eq!((status, kind(&problem)), (401, "refresh-token-refused"));
}

#[tokio::test]
async fn tokens_are_not_to_be_cached_and_a_command_says_where_it_is_seen() {
    let client = Client::new().await;
    let new = json!({"email": "kim@example.com", "password": PASSWORD, "name": "Kim"}).to_string();
    let request = warp::test::request().method("POST").path("/api/v1/accounts").body(new);
    let registered = request.reply(&client.routes).await;
    assert!(registered.headers().contains_key("consistency-token") && registered.headers().contains_key("location"));
    let credentials = json!({"email": "kim@example.com", "password": PASSWORD}).to_string();
    let request = warp::test::request()
        .method("POST")
        .path("/api/v1/sessions")
        .body(credentials);
    assert_eq!(
        request.reply(&client.routes).await.headers()["cache-control"],
        "no-store"
    );
}

#[tokio::test]
async fn bad_input_is_told_by_field() {
    let client = Client::new().await;
    let good = json!({"email": "kim@example.com", "password": PASSWORD, "name": "Kim"});
    for (field, value) in [
        ("email", json!("kim")),
        ("email", json!(7)),
        ("password", json!("short")),
        ("password", json!("x".repeat(129))),
        ("name", json!("")),
        ("name", json!("two\nlines")),
        ("roles", json!(["admin"])),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let (status, problem) = client.post("/api/v1/accounts", &body).await;
        assert_eq!(
            (status, &problem["errors"][0]["field"]),
            (422, &json!(field)),
            "{problem}"
        );
    }
    assert_eq!(client.send("POST", "/api/v1/accounts", "", "{").await.0, 400);
    assert_eq!(client.send("POST", "/api/v1/sessions", "", "\u{0}").await.0, 400);
    assert_eq!(client.post("/api/v1/sessions/refresh", &json!({})).await.0, 422);
    let huge = "x".repeat(70_000);
    assert_eq!(client.send("POST", "/api/v1/sessions", "", &huge).await.0, 413);
}

#[tokio::test]
async fn refusals_have_types_of_their_own() {
    let client = Client::new().await;
    let new = json!({"email": "kim@example.com", "password": PASSWORD, "name": "Kim"});
    client.post("/api/v1/accounts", &new).await;
    let (status, problem) = client.post("/api/v1/accounts", &new).await;
    assert_eq!((status, kind(&problem)), (409, "email-taken"));
    let wrong = json!({"email": "kim@example.com", "password": "wrong"});
    let (status, problem) = client.post("/api/v1/sessions", &wrong).await;
    assert_eq!((status, kind(&problem)), (401, "wrong-credentials"));
    let set_up = json!({"token": "guess", "email": "a@b.kr", "password": PASSWORD, "name": "A"});
    let (status, problem) = client.post("/api/v1/setup", &set_up).await;
    assert_eq!((status, kind(&problem)), (403, "setup-token-wrong"));
    assert_eq!(client.send("DELETE", "/api/v1/sessions", "", "").await.0, 401);
    assert_eq!(client.send("DELETE", "/api/v1/sessions", "forged", "").await.0, 401);
}

#[tokio::test]
async fn roles_are_an_admins_business() {
    let client = Client::new().await;
    let account = client.shop.register("kim@example.com").await;
    let path = format!("/api/v1/accounts/{}/roles", account.id);
    let roles = json!({"roles": ["seller"]}).to_string();
    let customer = client.shop.sign_in("kim@example.com").await.access_token;
    assert_eq!(client.send("PUT", &path, &customer, &roles).await.0, 403);
    assert_eq!(client.send("PUT", &path, "", &roles).await.0, 401);
    let admin = client.token_of("boss@example.com", vec![Role::Admin]).await;
    let (status, changed) = client.send("PUT", &path, &admin, &roles).await;
    assert_eq!((status, &changed["roles"]), (200, &json!(["seller"])));
    let unknown = format!("/api/v1/accounts/{}/roles", AccountId::fresh());
    assert_eq!(client.send("PUT", &unknown, &admin, &roles).await.0, 404);
    assert_eq!(
        client
            .send("PUT", "/api/v1/accounts/no-id/roles", &admin, &roles)
            .await
            .0,
        404
    );
    let king = json!({"roles": ["king"]}).to_string();
    assert_eq!(client.send("PUT", &path, &admin, &king).await.0, 422);
}

#[tokio::test]
async fn a_key_used_with_another_body_is_refused_over_http_too() {
    let client = Client::new().await;
    let send = async |name: &str| {
        let body = json!({"email": "kim@example.com", "password": PASSWORD, "name": name}).to_string();
        let request = warp::test::request()
            .method("POST")
            .path("/api/v1/accounts")
            .header("idempotency-key", "k");
        let response = request.body(body).reply(&client.routes).await;
        (
            response.status().as_u16(),
            serde_json::from_slice::<Value>(response.body()).unwrap(),
        )
    };
    let first = send("Kim").await;
    assert_eq!(send("Kim").await, first);
    let (status, problem) = send("Lee").await;
    assert_eq!((status, kind(&problem)), (422, "idempotency-key-reused"));
}

#[test]
fn every_path_is_described() {
    let description = serde_json::to_value(openapi()).unwrap();
    let paths: Vec<_> = description["paths"].as_object().unwrap().keys().cloned().collect();
    let expected = [
        "accounts",
        "accounts/{id}/credit-limit",
        "accounts/{id}/invoice-payments",
        "accounts/{id}/roles",
        "me/credit",
        "sessions",
        "sessions/refresh",
        "setup",
    ];
    assert_eq!(paths, expected.map(|path| format!("/api/v1/{path}")));
}

#[tokio::test]
async fn credit_is_given_by_admins_and_seen_by_its_owner() {
    let client = Client::new().await;
    let account = client.shop.register("kim@example.com").await;
    let customer = client.shop.sign_in("kim@example.com").await.access_token;
    let admin = client.token_of("boss@example.com", vec![Role::Admin]).await;
    assert_eq!(client.send("GET", "/api/v1/me/credit", &customer, "").await.0, 404);
    let path = format!("/api/v1/accounts/{}/credit-limit", account.id);
    let limit = json!({"limit": {"amount": 500_000, "currency": "KRW"}}).to_string();
    assert_eq!(client.send("PUT", &path, &customer, &limit).await.0, 403);
    assert_eq!(client.send("PUT", &path, "", &limit).await.0, 401);
    let (status, set) = client.send("PUT", &path, &admin, &limit).await;
    assert_eq!((status, &set["available"]["amount"]), (200, &json!(500_000)), "{set}");
    assert_eq!(client.send("GET", "/api/v1/me/credit", &customer, "").await, (200, set));
    let negative = json!({"limit": {"amount": -1, "currency": "KRW"}}).to_string();
    let (status, problem) = client.send("PUT", &path, &admin, &negative).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("limit.amount")));
    let payments = format!("/api/v1/accounts/{}/invoice-payments", account.id);
    let paid = json!({"amount": {"amount": 1, "currency": "KRW"}}).to_string();
    let (status, problem) = client.send("POST", &payments, &admin, &paid).await;
    assert_eq!((status, kind(&problem)), (409, "nothing-owed"));
}
