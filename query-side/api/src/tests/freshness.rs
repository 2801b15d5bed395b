use edge::ConsistencyToken;

use super::*;

/// Every query, with a path that names something or nothing: freshness comes before what is found.
const QUERIES: [&str; 18] = [
    "search",
    "products/018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f",
    "cart",
    "orders/018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f",
    "orders/018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f/tracking",
    "my-page",
    "seller/orders",
    "best-sellers",
    "trending",
    "seller/sales",
    "seller/stock-alerts",
    "ops/customers/018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f/my-page",
    "ops/sagas",
    "ops/sagas/018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f",
    "ops/repair-cases",
    "ops/repair-cases/018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f",
    "ops/dead-letters",
    "ops/dead-letters/018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f",
];

fn all_reached(shop: &Shop, position: u64) {
    for model in ReadModels::NAMES {
        shop.models.progress().reached(model, position);
    }
}

#[tokio::test]
async fn what_is_not_shown_yet_is_a_503_that_says_when_to_ask_again() {
    let shop = shop().await;
    all_reached(&shop, 9);
    let who = someone(&Role::ALL);
    let token = ConsistencyToken::at(10).to_string();
    for query in QUERIES {
        let answer = shop.ask(query, Some(&who), &[("consistency-token", &token)]).await;
        assert_eq!(answer.problem(), (503, "not-caught-up"), "{query}");
        assert_eq!(answer.header("retry-after"), Some("1"), "{query}");
    }
    assert!(
        shop.trail.viewed.lock().unwrap().is_empty(),
        "nothing was shown, so nobody looked"
    );
    all_reached(&shop, 10);
    for query in QUERIES {
        let answer = shop.ask(query, Some(&who), &[("consistency-token", &token)]).await;
        assert!([200, 404].contains(&answer.0), "{query}: {}", answer.2);
    }
}

#[tokio::test]
async fn who_prefers_a_stale_answer_gets_one_marked_so() {
    let shop = shop().await;
    all_reached(&shop, 9);
    let who = someone(&[Role::Customer]);
    let token = ConsistencyToken::at(10).to_string();
    let answer = shop
        .ask(
            "my-page",
            Some(&who),
            &[("consistency-token", &token), ("prefer", "return=stale")],
        )
        .await;
    assert_eq!((answer.0, answer.header("stale")), (200, Some("true")));
    assert_eq!(answer.header("preference-applied"), Some("return=stale"));
    assert_eq!(
        answer.header("consistency-token"),
        Some(&*ConsistencyToken::at(9).to_string())
    );
    all_reached(&shop, 10);
    let answer = shop
        .ask(
            "my-page",
            Some(&who),
            &[("consistency-token", &token), ("prefer", "return=stale")],
        )
        .await;
    assert_eq!((answer.0, answer.header("stale")), (200, None), "fresh after all");
}

#[tokio::test]
async fn a_query_waits_for_the_command_to_be_shown() {
    let shop = shop_with(Trail::default(), Duration::from_secs(30)).await;
    let who = someone(&[Role::Customer]);
    let token = ConsistencyToken::at(10).to_string();
    let headers = [("consistency-token", token.as_str())];
    let order = order_of(&who, 1);
    let path = format!("orders/{}/tracking", order.id);
    let (answer, ()) = tokio::join!(shop.ask(&path, Some(&who), &headers), async {
        shop.show_order(&order).await;
        shop.models.progress().reached("my_page", 10);
        tokio::task::yield_now().await;
        shop.models.progress().reached("tracking", 12);
    });
    assert_eq!(answer.0, 200);
    // It reflects what the slower of the two models shows.
    assert_eq!(
        answer.header("consistency-token"),
        Some(&*ConsistencyToken::at(10).to_string())
    );
}

#[tokio::test]
async fn a_token_that_is_none_is_refused() {
    let shop = shop().await;
    let answer = shop.ask("search", None, &[("consistency-token", "soon")]).await;
    assert_eq!(
        (answer.problem().0, &answer.2["errors"][0]["field"]),
        (400, &"Consistency-Token".into())
    );
}
