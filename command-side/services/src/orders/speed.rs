//! What an order costs beside its append: measured, not judged. `cargo test -p command-services --lib -- --ignored measured_orders`

use std::{sync::Arc, time::Instant};

use serde_json::json;

use crate::{
    carts::tests::given_product,
    testing::{Shop, customer},
};

const WRITERS: usize = 64;
const ORDERS_EACH: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn measured_orders_per_second() {
    let shop = Arc::new(Shop::open().await);
    let product = given_product(&shop, 129_000).await;
    let body = json!({
        "items": [{"product_id": product, "quantity": 1}],
        "shipping_address": {
            "recipient": "김하나", "phone": "+82 10 1234 5678", "postal_code": "04524", "line1": "세종대로 110",
            "city": "서울", "country": "KR"
        },
        "payment": {"method": "card", "token": "card_approve"}
    });
    let begun = Instant::now();
    let writers = (0..WRITERS).map(|writer| {
        let (shop, body, customer) = (Arc::clone(&shop), body.clone(), customer());
        tokio::spawn(async move {
            for n in 0..ORDERS_EACH {
                let request = shop.request(&customer, "POST", "/api/v1/orders");
                let keyed = request.header("idempotency-key", format!("{writer}-{n}")).json(&body);
                assert_eq!(shop.answer(keyed).await.status.as_u16(), 202);
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let orders = u32::try_from(WRITERS * ORDERS_EACH).unwrap();
    let each = begun.elapsed() / orders;
    println!("{orders} orders over the routes, a log in memory, 2 threads: {each:?} each");
}
