use event_schemas::{ReturnId, ShipmentId, order::Reason, shipment::ParcelStatus};
use read_models::{
    order_returns::{ReturnStage, ReturnView},
    seller_orders::SharedOrder,
    tracking::{ShipmentView, TrackingView},
};

use super::*;

#[tokio::test]
async fn an_order_is_there_for_its_customer_and_for_those_who_look_after_the_shop() {
    let shop = shop().await;
    let customer = someone(&[Role::Customer]);
    let order = order_of(&customer, 1);
    shop.show_order(&order).await;
    let path = format!("orders/{}", order.id);
    for who in [&customer, &someone(&[Role::Admin]), &someone(&[Role::Operator])] {
        let answer = shop.get_as(who, &path).await;
        assert_eq!((answer.0, answer.2["status"].as_str()), (200, Some("placed")));
        assert_eq!(answer.2["history"][0]["status"], "placed");
        assert_eq!(
            shop.get_as(who, &format!("{path}/tracking")).await.2,
            serde_json::json!({ "shipments": [] })
        );
    }
    for path in [path.clone(), format!("{path}/tracking")] {
        for stranger in [someone(&[Role::Customer]), someone(&[Role::Seller])] {
            assert_eq!(
                shop.get_as(&stranger, &path).await.problem(),
                (404, "not-found"),
                "{path}"
            );
        }
        assert_eq!(shop.get(&path).await.problem(), (401, "unauthenticated"));
    }
    assert_eq!(
        shop.get_as(&customer, &format!("orders/{}", OrderId::fresh()))
            .await
            .problem()
            .0,
        404
    );
    assert_eq!(shop.get_as(&customer, "orders/one").await.problem().0, 404);
}

#[tokio::test]
async fn tracking_shows_the_parcels() {
    let shop = shop().await;
    let customer = someone(&[Role::Customer]);
    let order = order_of(&customer, 1);
    shop.show_order(&order).await;
    let parcel = ShipmentView {
        id: ShipmentId::fresh(),
        seller_id: None,
        reason: None,
        carrier: "hanbit".to_owned(),
        tracking_number: "HB1".to_owned(),
        status: ParcelStatus::InTransit,
        destination: "Seoul".to_owned(),
        estimated_delivery: None,
        events: vec![],
    };
    let shipments = vec![parcel];
    fill(shop.models.tracking(), [(order.id, TrackingView { shipments })]).await;
    let answer = shop.get_as(&customer, &format!("orders/{}/tracking", order.id)).await;
    assert_eq!(
        (
            &answer.2["shipments"][0]["carrier"],
            &answer.2["shipments"][0]["status"]
        ),
        (&"hanbit".into(), &"in_transit".into())
    );
}

#[tokio::test]
async fn my_page_has_all_of_the_customers_orders_newest_first_and_nobody_elses() {
    let shop = shop().await;
    let (customer, other) = (someone(&[Role::Customer]), someone(&[Role::Customer]));
    shop.show_customer(customer.account_id, "Kim Minji").await;
    let mut expected = vec![];
    for placed_at in 1..=7 {
        let order = order_of(&customer, placed_at);
        shop.show_order(&order).await;
        shop.show_order(&order_of(&other, placed_at)).await;
        expected.insert(0, order.id.to_string());
    }
    for size in [1, 3, 7, 100] {
        assert_eq!(
            shop.walk(&customer, &format!("my-page?size={size}"), "orders").await,
            expected,
            "pages of {size}"
        );
    }
    let page = shop.get_as(&customer, "my-page").await;
    assert_eq!(
        (&page.2["customer"]["name"], &page.2["next_cursor"]),
        (&"Kim Minji".into(), &Value::Null)
    );
    assert_eq!(page.2["customer"]["points"], 7);
    let new = shop.get_as(&someone(&[Role::Customer]), "my-page").await;
    assert_eq!(new.ids("orders"), Vec::<String>::new());
    assert_eq!(shop.get("my-page").await.0, 401);
    assert_eq!(
        shop.get_as(&customer, "my-page?page=2").await.2["errors"][0]["field"],
        "page"
    );
    assert_eq!(
        shop.get_as(&customer, "my-page?cursor=x").await.problem(),
        (400, "broken-cursor")
    );
}

fn return_to(seller: SellerId) -> ReturnView {
    ReturnView {
        id: ReturnId::fresh(),
        stage: ReturnStage::Requested,
        seller_id: Some(seller),
        items: vec![],
        reason: Reason::new("other", "It does not fit."),
        accepted: vec![],
        refund: None,
        note: None,
        refusal: None,
        history: vec![],
    }
}

#[tokio::test]
async fn a_seller_sees_of_each_order_what_is_theirs() {
    let shop = shop().await;
    let (seller, other) = (someone(&[Role::Seller]), someone(&[Role::Seller]));
    let shared = SharedOrder {
        id: OrderId::fresh(),
        status: OrderStatus::Confirmed,
        reason: None,
        items: vec![line(seller.account_id, 1_000), line(other.account_id, 500)],
        placed_at: Timestamp::from_millis(5),
        history: vec![],
        destination: "Busan".to_owned(),
        cancellation: None,
        parcels: vec![],
        returns: vec![return_to(other.account_id)],
    };
    fill(shop.models.seller_orders(), [(shared.id, shared)]).await;
    for (who, total) in [(&seller, 1_000), (&other, 500)] {
        let page = shop.get_as(who, "seller/orders").await;
        assert_eq!(page.2["orders"][0]["items"].as_array().unwrap().len(), 1);
        assert_eq!(page.2["orders"][0]["total"]["amount"], total);
    }
    for (who, orders) in [(&seller, 0), (&other, 1)] {
        let page = shop.get_as(who, "seller/orders?returns=open").await;
        assert_eq!(page.ids("orders").len(), orders);
    }
    let wrong = shop.get_as(&seller, "seller/orders?returns=all").await;
    assert_eq!(wrong.2["errors"][0]["field"], "returns");
    assert_eq!(
        shop.get_as(&someone(&[Role::Seller]), "seller/orders")
            .await
            .ids("orders")
            .len(),
        0
    );
    assert_eq!(
        shop.get_as(&someone(&[Role::Customer]), "seller/orders")
            .await
            .problem(),
        (403, "forbidden")
    );
}
