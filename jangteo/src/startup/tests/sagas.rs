//! Sagas that are stuck: seen and told to try again, on a running shop and on a stopped one's folder alike.

use event_schemas::{Actor, Category, ContentType, Metadata, NewEvent, Timestamp};
use uuid::Uuid;

use super::*;

/// A saga that reserved nothing for two days, as another process left it: its order is unknown, its goods too.
fn stuck(order: Uuid) -> ImportedStream {
    let metadata = Metadata {
        imported: true,
        ..Metadata::new(Timestamp::now(), order, Actor::system("place_order"))
    };
    let product = Uuid::now_v7();
    let money = json!({"amount": 1000, "currency": "KRW"});
    let address =
        json!({"recipient": "A", "phone": "1", "postal_code": "1", "line1": "1", "city": "1", "country": "KR"});
    let brief = json!({
        "lines": [{"product_id": product, "quantity": 1}],
        "amount": money,
        "method": {"method": "card", "token": "card_approve"},
        "address": address,
    });
    let state = json!({
        "order_id": order, "stock": "asked", "payment": "untouched", "parcel": "untouched", "order": "placed",
        "attempts": 50, "brief": brief,
    });
    let advanced = json!({
        "definition": 1, "fact": order, "fact_type": "timeout", "status": "stuck", "step": "reserve_stock",
        "reason": "reserve_stock was asked for 50 times and not answered", "state": state,
    });
    let event = NewEvent {
        id: Uuid::now_v7(),
        event_type: "SagaAdvanced".to_owned(),
        content: ContentType::Json,
        metadata: serde_json::to_vec(&metadata).unwrap().into(),
        data: advanced.to_string().into(),
    };
    ImportedStream {
        stream: Category::PlaceOrder.stream(order),
        events: vec![event],
    }
}

/// Waits until the shop says this of the saga.
async fn until(order: Uuid, shop: &dyn Operations, what: &str) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        let shown = said(&format!("jangteo saga show {order}"), shop).await;
        if shown.as_ref().is_ok_and(|shown| shown.contains(what)) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "not {what:?}: {shown:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_saga_is_listed_and_tries_again_when_it_is_told() {
    let temp = tempfile::tempdir().unwrap();
    let running = shop(temp.path(), false).await;
    let token = running.folder().operator_token().unwrap();
    let asked = || RemoteShop::new(&running.url(), &token);
    let [now, later] = [Uuid::now_v7(), Uuid::now_v7()];
    let written = RemoteSink::new(asked())
        .write(vec![stuck(now), stuck(later)])
        .await
        .unwrap();
    assert_eq!(written.appended, 2, "{written:?}");
    let remote = RemoteOperations::new(asked());
    until(later, &remote, "state    stuck").await;
    let listed = said("jangteo saga list --state stuck", &remote).await.unwrap();
    assert!(
        listed.contains(&now.to_string()) && listed.contains("asked for 50 times"),
        "{listed}"
    );

    said(&format!("jangteo saga retry {now}"), &remote).await.unwrap();
    // Inventory answers at last: there are no such goods. So the order is rejected, if only there were one.
    until(now, &remote, "out_of_stock").await;
    let unknown = format!("jangteo saga retry {}", Uuid::now_v7());
    let refused = said(&unknown, &remote).await.unwrap_err().to_string();
    assert!(refused.contains("jangteo saga list"), "{refused}");
    running.stop().await;

    let local = LocalOperations::open(&config(temp.path(), false)).await.unwrap();
    let listed = said("jangteo saga list --state stuck", &local).await.unwrap();
    assert!(
        listed.contains(&later.to_string()) && !listed.contains(&now.to_string()),
        "{listed}"
    );
    let told = said(&format!("jangteo saga retry {later}"), &local).await.unwrap();
    assert!(told.contains("when the shop starts"), "{told}");
    local.close().await;
    let again = shop(temp.path(), false).await;
    let token = again.folder().operator_token().unwrap();
    let remote = RemoteOperations::new(RemoteShop::new(&again.url(), &token));
    until(later, &remote, "out_of_stock").await;
    again.stop().await;
}
