//! Without `--demo` the shop starts empty; a one-time token makes the first admin.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::shop::{Shop, answer};

#[tokio::test]
async fn the_set_up_token_makes_the_first_admin_once() {
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start(data.path(), &[]).await;
    let words = shop
        .greeting
        .split_whitespace()
        .filter(|word| word.len() >= 20 && !word.contains('/'));
    let candidates: Vec<_> = words
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .collect();
    assert!(!candidates.is_empty(), "no token was printed:\n{}", shop.greeting);

    let admin =
        |token: &str| json!({"token": token, "email": "boss@shop.example", "password": "jangteo-demo", "name": "Boss"});
    let (status, problem, _) = answer(
        shop.request(Method::POST, "setup")
            .json(&admin("not-the-token-not-the-token")),
    )
    .await;
    assert!(status.is_client_error(), "{status} {problem}");

    let mut created = Vec::new();
    for token in &candidates {
        let (status, body, _) = answer(shop.request(Method::POST, "setup").json(&admin(token))).await;
        if status == StatusCode::CREATED {
            assert!(body["roles"].to_string().contains("admin"), "{body}");
            created.push(*token);
        }
    }
    assert_eq!(created.len(), 1, "the token works exactly once:\n{}", shop.greeting);
    let (status, _, _) = answer(shop.request(Method::POST, "setup").json(&admin(created[0]))).await;
    assert!(status.is_client_error(), "a second use: {status}");

    let admin = shop.sign_in("boss@shop.example").await;
    let product = json!({"title": "Moon jar", "description": "", "brand": "", "category": "Home", "attributes": {},
        "price": {"amount": 129_000, "currency": "KRW"}});
    let (status, listed, token) = admin.send(Method::POST, "products", &product).await;
    assert_eq!(status, StatusCode::CREATED, "{listed}");
    let path = format!("products/{}", listed["id"].as_str().unwrap());
    let shown = admin
        .request(Method::GET, &path)
        .header("consistency-token", token)
        .send()
        .await
        .unwrap();
    assert_eq!(shown.status(), StatusCode::OK);
    shop.stop().await;
}
