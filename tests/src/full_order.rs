//! The full order over the real shop: one basket of two sellers, sent and paid parcel by parcel; what cannot be sent; a
//! cancellation that races with the carrier; goods that come back; orders by invoice.

mod market;

use reqwest::StatusCode;
use serde_json::json;

use crate::shop::statuses;
use market::{JAR, KETTLE, Market, PIECES, sum};

#[tokio::test]
async fn a_basket_of_two_sellers_is_sent_and_paid_parcel_by_parcel() {
    let market = Market::open().await;
    let order = market.confirmed(2, 1).await;
    let shown = order.shown().await;
    assert_eq!(
        (sum(&shown, "authorised"), sum(&shown, "captured")),
        (2 * JAR + KETTLE, 0)
    );
    let parcels = order.parcels().await;
    let [jars, kettle] = &parcels[..] else {
        panic!("{parcels:?}")
    };

    assert_eq!(order.report(jars, "picked_up").await, StatusCode::OK);
    let shipped = order
        .becomes("paid for the first parcel", |shown| sum(shown, "captured") == 2 * JAR)
        .await;
    assert_eq!(shipped["status"], "shipped", "{shipped:#}");
    let (status, refused) = order.cancel().await;
    assert_eq!(status, StatusCode::CONFLICT, "{refused}");
    assert!(
        refused["detail"].as_str().unwrap().contains("return it instead"),
        "{refused}"
    );

    assert_eq!(order.report(jars, "delivered").await, StatusCode::OK);
    order
        .becomes("one of two parcels delivered", |shown| {
            let parcels = shown["parcels"].as_array().unwrap();
            parcels.iter().filter(|parcel| parcel["status"] == "delivered").count() == 1
        })
        .await;
    assert_eq!(order.shown().await["status"], "shipped", "the kettle is still to come");

    assert_eq!(order.report(kettle, "delivered").await, StatusCode::OK);
    let delivered = order
        .becomes("delivered and paid", |shown| {
            shown["status"] == "delivered" && sum(shown, "captured") == 2 * JAR + KETTLE
        })
        .await;
    assert_eq!(
        delivered["payment"]["captures"].as_array().unwrap().len(),
        2,
        "{delivered:#}"
    );
    assert_eq!(sum(&delivered, "voided"), 0, "{delivered:#}");
    market.customer().available_becomes(&market.jar, PIECES - 2).await;
    market.customer().available_becomes(&market.kettle, PIECES - 1).await;
    market.close().await;
}

#[tokio::test]
async fn what_a_seller_cannot_send_is_not_paid_and_the_rest_arrives() {
    let market = Market::open().await;
    let order = market.confirmed(2, 1).await;
    let parcels = order.parcels().await;
    let [jars, kettle] = &parcels[..] else {
        panic!("{parcels:?}")
    };

    let (status, refused) = order.cannot_send(0, kettle).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "not this seller's parcel: {refused}");
    assert_eq!(order.report(jars, "picked_up").await, StatusCode::OK);
    let (status, refused) = order.cannot_send(0, jars).await;
    assert_eq!(status, StatusCode::CONFLICT, "too late: {refused}");
    for _ in 0..2 {
        let (status, done) = order.cannot_send(1, kettle).await;
        assert_eq!(
            (status, &done["status"]),
            (StatusCode::OK, &json!("cancelled")),
            "{done}"
        );
    }
    market.customer().available_becomes(&market.kettle, PIECES).await;
    assert_eq!(order.report(jars, "delivered").await, StatusCode::OK);
    let delivered = order
        .becomes("delivered, its rest given back", |shown| {
            shown["status"] == "delivered" && sum(shown, "voided") == KETTLE
        })
        .await;
    assert_eq!(sum(&delivered, "captured"), 2 * JAR, "{delivered:#}");
    let dropped = delivered["parcels"]
        .as_array()
        .unwrap()
        .iter()
        .find(|parcel| parcel["id"] == **kettle);
    assert_eq!(dropped.unwrap()["reason"]["code"], "cannot_send", "{delivered:#}");

    let (status, refused) = order
        .request_return(&json!([{"product_id": market.kettle, "quantity": 1}]))
        .await;
    assert_eq!(
        status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "the kettle never came: {refused}"
    );

    // Where no parcel is left, the order is off; here it is the carrier that will not come.
    let order = market.confirmed(1, 0).await;
    let parcels = order.parcels().await;
    assert_eq!(order.report(&parcels[0], "cancelled").await, StatusCode::OK);
    let off = order
        .becomes("cancelled, all given back", |shown| {
            shown["status"] == "cancelled" && shown["payment"]["status"] == "voided"
        })
        .await;
    assert_eq!(sum(&off, "captured"), 0, "{off:#}");
    market.customer().available_becomes(&market.jar, PIECES - 2).await;
    market.close().await;
}

#[tokio::test]
async fn between_a_cancellation_and_the_carrier_exactly_one_wins() {
    const ORDERS: usize = 6;
    let market = Market::open().await;
    let mut shipped = 0;
    for number in 0..ORDERS {
        let order = market.confirmed(1, 0).await;
        let parcel = order.parcels().await.remove(0);
        // At the same moment, and either first.
        let (cancelled, reported) = match number % 3 {
            0 => tokio::join!(order.cancel(), order.report(&parcel, "picked_up")),
            1 => {
                let cancelled = order.cancel().await;
                order.becomes("cancelled", |shown| shown["status"] == "cancelled").await;
                (cancelled, order.report(&parcel, "picked_up").await)
            }
            _ => {
                let reported = order.report(&parcel, "picked_up").await;
                (order.cancel().await, reported)
            }
        };
        assert!(
            [StatusCode::ACCEPTED, StatusCode::CONFLICT].contains(&cancelled.0),
            "{cancelled:?}"
        );
        let settled = order
            .becomes("settled", |shown| {
                let off = shown["status"] == "cancelled" && shown["payment"]["status"] == "voided";
                let wish = &shown["cancellation"]["state"];
                off || (sum(shown, "captured") == JAR && *wish != "requested")
            })
            .await;
        let history = statuses(&settled);
        if reported == StatusCode::OK {
            shipped += 1;
            assert!(
                history.contains(&"shipped") && !history.contains(&"cancelled"),
                "{settled:#}"
            );
            assert_eq!(order.report(&parcel, "delivered").await, StatusCode::OK);
            order.becomes("delivered", |shown| shown["status"] == "delivered").await;
        } else {
            assert_eq!(reported, StatusCode::CONFLICT, "a parcel that was called off");
            assert!(
                history.contains(&"cancelled") && !history.contains(&"shipped"),
                "{settled:#}"
            );
            assert_eq!(cancelled.0, StatusCode::ACCEPTED, "{cancelled:?}");
            assert_eq!(sum(&settled, "captured"), 0, "{settled:#}");
        }
    }
    assert!(
        (2..=4).contains(&shipped),
        "each was first twice at least: {shipped} of {ORDERS} were shipped"
    );
    market.customer().available_becomes(&market.jar, PIECES - shipped).await;
    market.close().await;
}

#[tokio::test]
async fn goods_that_come_back_are_refunded_and_on_sale_again() {
    let market = Market::open().await;
    let order = market.delivered(2, 1).await;
    let jars = |quantity: u32| json!([{"product_id": market.jar, "quantity": quantity}]);
    let both = json!([{"product_id": market.jar, "quantity": 1}, {"product_id": market.kettle, "quantity": 1}]);
    let (status, refused) = order.request_return(&both).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused["type"].as_str().unwrap().ends_with("/several-sellers"),
        "{refused}"
    );
    assert_eq!(order.request_return(&jars(3)).await.0, StatusCode::UNPROCESSABLE_ENTITY);

    let (status, requested) = order.request_return(&jars(2)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{requested}");
    let id = requested["id"].as_str().unwrap();
    let (status, _) = order.request_return(&jars(1)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "no piece comes back twice");
    let finding = json!({"accepted": jars(2), "resellable": jars(1), "note": "One is chipped."});
    assert_eq!(
        order.about_return(id, "inspection", &finding).await.0,
        StatusCode::CONFLICT,
        "not there yet"
    );
    let (status, received) = order.about_return(id, "receipt", &json!({})).await;
    assert_eq!(
        (status, &received["status"]),
        (StatusCode::OK, &json!("received")),
        "{received}"
    );
    let (status, inspected) = order.about_return(id, "inspection", &finding).await;
    assert_eq!(
        (status, &inspected["status"]),
        (StatusCode::OK, &json!("inspected")),
        "{inspected}"
    );

    let shown = order
        .becomes("refunded", |shown| {
            shown["returns"][0]["stage"] == "completed" && sum(shown, "captured") == 2 * JAR + KETTLE
        })
        .await;
    assert_eq!(sum(&shown, "refunded"), 2 * JAR, "{shown:#}");
    market.customer().available_becomes(&market.jar, PIECES - 1).await;

    // A part of what comes back, and nothing of it.
    let order = market.delivered(2, 0).await;
    for (accepted, stage) in [(jars(1), "completed"), (json!([]), "refused")] {
        let (status, requested) = order.request_return(&jars(1)).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{requested}");
        let id = requested["id"].as_str().unwrap().to_owned();
        order.about_return(&id, "receipt", &json!({})).await;
        let finding = json!({ "accepted": accepted });
        assert_eq!(order.about_return(&id, "inspection", &finding).await.0, StatusCode::OK);
        order
            .becomes(stage, |shown| {
                let returns = shown["returns"].as_array().unwrap();
                returns
                    .iter()
                    .any(|known| known["id"] == *id && known["stage"] == stage)
            })
            .await;
    }
    assert_eq!(sum(&order.shown().await, "refunded"), JAR, "a partial refund");
    market.customer().available_becomes(&market.jar, PIECES - 3).await;
    market.close().await;
}

#[tokio::test]
async fn an_order_by_invoice_counts_against_the_limit_and_beyond_it_is_rejected() {
    let market = Market::open().await;
    let order = market.by_invoice(1, 0).await;
    let rejected = order.becomes("rejected", |shown| shown["status"] == "rejected").await;
    assert_eq!(
        rejected["reason"]["code"], "credit_limit_exceeded",
        "no limit is none: {rejected:#}"
    );
    market.limit(3 * JAR).await;

    let order = market.by_invoice(2, 1).await;
    let confirmed = order
        .becomes("confirmed, its parcels booked", |shown| {
            shown["status"] == "confirmed" && shown["parcels"].as_array().is_some_and(|all| all.len() == 2)
        })
        .await;
    assert_eq!(confirmed["payment"]["method"], "invoice", "{confirmed:#}");
    assert_eq!(market.credit("available").await, JAR - KETTLE);
    let beyond = market.by_invoice(1, 0).await;
    let rejected = beyond.becomes("rejected", |shown| shown["status"] == "rejected").await;
    assert_eq!(rejected["reason"]["code"], "credit_limit_exceeded", "{rejected:#}");

    // The kettle cannot be sent, the jars arrive, and one of them comes back.
    let parcels = order.parcels().await;
    assert_eq!(order.cannot_send(1, &parcels[1]).await.0, StatusCode::OK);
    assert_eq!(order.report(&parcels[0], "delivered").await, StatusCode::OK);
    order.becomes("delivered", |shown| shown["status"] == "delivered").await;
    market
        .shop
        .eventually("only the jars are owed", async || {
            (market.credit("owed").await, market.credit("available").await) == (2 * JAR, JAR)
        })
        .await;
    let jar = json!([{"product_id": market.jar, "quantity": 1}]);
    let (_, requested) = order.request_return(&jar).await;
    let id = requested["id"].as_str().unwrap();
    order.about_return(id, "receipt", &json!({})).await;
    let finding = json!({"accepted": jar, "resellable": jar});
    assert_eq!(order.about_return(id, "inspection", &finding).await.0, StatusCode::OK);
    order
        .becomes("refunded", |shown| shown["returns"][0]["stage"] == "completed")
        .await;
    assert_eq!(
        (market.credit("owed").await, market.credit("available").await),
        (JAR, 2 * JAR)
    );
    market.customer().available_becomes(&market.jar, PIECES - 1).await;
    market.close().await;
}
