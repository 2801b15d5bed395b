//! What the shop counts of its orders, seen by shoppers, sellers and admins.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::shop::{Shop, answer, order_body, succeeds};

const FAST: &[&str] = &["--demo", "--carrier-speed", "2000000"];

#[tokio::test]
async fn what_is_bought_is_counted_at_once_and_the_same_after_a_rebuild() {
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start(data.path(), FAST).await;
    let (customer, seller) = (shop.sign_in("customer").await, shop.sign_in("seller").await);
    let product = customer.find("coffee").await;
    let items = || Some(json!([{ "product_id": product["id"], "quantity": 2 }]));

    // The first order's token is enough for the seller to see it in today's sales.
    let (status, placed, token) = customer
        .send(Method::POST, "orders", &order_body(items(), "card_approve"))
        .await;
    assert_eq!(status, StatusCode::ACCEPTED, "{placed}");
    let today = seller
        .request(Method::GET, "seller/sales")
        .header("consistency-token", token);
    let (status, sales, _) = answer(today).await;
    assert_eq!(status, StatusCode::OK, "{sales}");
    let day = sales["days"][0].clone();
    assert_eq!(
        (&day["orders"], &day["pieces"], &day["called_off"]),
        (&json!(1), &json!(2), &json!(0))
    );

    // A declined card: it is taken out of the day again.
    let declined = customer.order(items(), "card_decline").await;
    customer.order_reaches(&declined, "rejected").await;
    shop.eventually("the rejected order is taken out", async || {
        let day = seller.query("seller/sales").await["days"][0].clone();
        (&day["orders"], &day["called_off"]) == (&json!(1), &json!(1))
    })
    .await;

    customer
        .order_reaches(placed["id"].as_str().unwrap(), "delivered")
        .await;
    let category = product["category"].as_str().unwrap();
    let best = async || {
        let request = shop.get("best-sellers").query(&[("category", category)]);
        answer(request).await.1["products"].clone()
    };
    shop.eventually("it is a best seller", async || best().await != json!([]))
        .await;
    let sold = best().await;
    assert_eq!(
        (&sold[0]["id"], &sold[0]["sold"]),
        (&product["id"], &json!(2)),
        "{sold}"
    );
    assert_eq!(sold[0]["title"], product["title"]);

    for _ in 0..3 {
        customer.order(items(), "card_decline").await;
    }
    shop.eventually("it is trending", async || {
        let trending: Value = answer(shop.get("trending")).await.1;
        trending["products"][0]["id"] == product["id"]
    })
    .await;
    let admin = shop.sign_in("admin").await;
    assert!(admin.query("seller/stock-alerts").await["alerts"].is_array());
    shop.stop().await;

    let folder = data.path().to_str().unwrap();
    let rebuilt = [
        "projection",
        "rebuild",
        "best_sellers",
        "seller_sales",
        "trending",
        "--if-identical",
        "--data",
        folder,
    ];
    succeeds(&rebuilt).await;
}
