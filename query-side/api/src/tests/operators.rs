use event_schemas::{DeadLetterId, RepairCaseId, repair::Discrepancy, saga::SagaStatus};
use read_models::{
    dead_events::{DeadEventState, DeadEventView},
    repair_cases::{RepairCaseState, RepairCaseView},
    sagas::SagaView,
};

use super::*;

#[tokio::test]
async fn looking_at_a_customers_page_is_written_down_first() {
    let shop = shop().await;
    let (operator, customer) = (someone(&[Role::Operator]), someone(&[Role::Customer]));
    shop.show_customer(customer.account_id, "Kim Minji").await;
    let order = order_of(&customer, 1);
    shop.show_order(&order).await;
    let path = format!("ops/customers/{}/my-page", customer.account_id);
    assert_eq!(
        shop.get_as(&operator, &path).await.ids("orders"),
        [order.id.to_string()]
    );
    assert_eq!(
        *shop.trail.viewed.lock().unwrap(),
        [(operator.account_id, customer.account_id)]
    );
    for other in [&customer, &someone(&[Role::Admin, Role::Seller])] {
        assert_eq!(shop.get_as(other, &path).await.problem(), (403, "forbidden"));
    }
    let nobody = format!("ops/customers/{}/my-page", CustomerId::fresh());
    assert_eq!(shop.get_as(&operator, &nobody).await.problem(), (404, "not-found"));
}

#[tokio::test]
async fn without_the_audit_there_is_no_page() {
    let trail = Trail {
        broken: true,
        ..Trail::default()
    };
    let shop = shop_with(trail, DEFAULT_PATIENCE).await;
    let customer = someone(&[Role::Customer]);
    shop.show_order(&order_of(&customer, 1)).await;
    let path = format!("ops/customers/{}/my-page", customer.account_id);
    let answer = shop.get_as(&someone(&[Role::Operator]), &path).await;
    assert_eq!(answer.problem().0, 503);
    assert!(answer.2.get("orders").is_none());
}

fn saga(status: SagaStatus, started_at: i64) -> SagaView {
    SagaView {
        id: Uuid::now_v7(),
        saga: "place_order".to_owned(),
        status,
        step: "authorise_payment".to_owned(),
        reason: None,
        last_fact: "StockReserved".to_owned(),
        started_at: Timestamp::from_millis(started_at),
        updated_at: Timestamp::from_millis(started_at),
        wake_at: None,
        version: 1,
    }
}

#[tokio::test]
async fn sagas_are_listed_by_state_and_looked_up() {
    let shop = shop().await;
    let operator = someone(&[Role::Operator]);
    let sagas = [
        saga(SagaStatus::Running, 1),
        saga(SagaStatus::OutcomeUnknown, 2),
        saga(SagaStatus::Running, 3),
    ];
    fill(shop.models.sagas(), sagas.iter().map(|saga| (saga.id, saga.clone()))).await;
    let [oldest, unknown, newest] = sagas.map(|saga| saga.id.to_string());
    let all = [newest.clone(), unknown.clone(), oldest.clone()];
    assert_eq!(shop.walk(&operator, "ops/sagas?size=1", "sagas").await, all);
    assert_eq!(
        shop.walk(&operator, "ops/sagas?size=1&state=running", "sagas").await,
        [newest, oldest]
    );
    assert_eq!(
        shop.get_as(&operator, "ops/sagas?state=outcome_unknown")
            .await
            .ids("sagas"),
        std::slice::from_ref(&unknown)
    );
    let lost = shop.get_as(&operator, "ops/sagas?state=lost").await;
    assert_eq!(
        (lost.problem().0, &lost.2["errors"][0]["field"]),
        (400, &"state".into())
    );
    let first = shop.get_as(&operator, "ops/sagas?size=1").await;
    let cursor = first.2["next_cursor"].as_str().unwrap();
    let elsewhere = shop
        .get_as(&operator, &format!("ops/sagas?state=running&cursor={cursor}"))
        .await;
    assert_eq!(elsewhere.problem(), (400, "broken-cursor"));

    let one = shop.get_as(&operator, &format!("ops/sagas/{unknown}")).await;
    assert_eq!((one.0, one.2["status"].as_str()), (200, Some("outcome_unknown")));
    assert_eq!(
        shop.get_as(&operator, &format!("ops/sagas/{}", Uuid::now_v7()))
            .await
            .problem()
            .0,
        404
    );
    assert_eq!(shop.get_as(&operator, "ops/sagas/x").await.problem().0, 404);
    for path in ["ops/sagas".to_owned(), format!("ops/sagas/{unknown}")] {
        assert_eq!(
            shop.get_as(&someone(&[Role::Admin]), &path).await.problem(),
            (403, "forbidden")
        );
        assert_eq!(shop.get(&path).await.problem().0, 401);
    }
}

fn repair_case(state: RepairCaseState, opened_at: i64) -> RepairCaseView {
    RepairCaseView {
        id: RepairCaseId::fresh(),
        state,
        discrepancy: Discrepancy::AmountDiffers,
        payment_id: None,
        order_id: None,
        key: "p1/capture".to_owned(),
        ours: Some(Money::krw(1_000)),
        theirs: Some(Money::krw(900)),
        detail: "The provider took less.".to_owned(),
        opened_at: Timestamp::from_millis(opened_at),
        resolved_at: None,
        resolution: None,
        version: 0,
    }
}

fn dead_letter(state: DeadEventState, dead_since: i64) -> DeadEventView {
    DeadEventView {
        id: DeadLetterId::fresh(),
        state,
        subscriber: "mails".to_owned(),
        event_id: Uuid::now_v7(),
        event_type: "OrderConfirmed".to_owned(),
        position: 7,
        attempts: 5,
        error: "550 no such mailbox".to_owned(),
        dead_since: Timestamp::from_millis(dead_since),
        settled_at: None,
        discarded_because: None,
        version: 0,
    }
}

#[tokio::test]
async fn what_operators_must_look_into_is_listed_by_state_and_looked_up() {
    let shop = shop().await;
    let operator = someone(&[Role::Operator]);
    let cases = [
        repair_case(RepairCaseState::Open, 1),
        repair_case(RepairCaseState::Resolved, 2),
    ];
    let letters = [
        dead_letter(DeadEventState::Open, 1),
        dead_letter(DeadEventState::Discarded, 2),
    ];
    fill(
        shop.models.repair_cases(),
        cases.iter().map(|case| (case.id, case.clone())),
    )
    .await;
    fill(
        shop.models.dead_events(),
        letters.iter().map(|letter| (letter.id, letter.clone())),
    )
    .await;
    let cases = cases.map(|case| case.id.to_string());
    let letters = letters.map(|letter| letter.id.to_string());
    for (path, list, [open, settled]) in [
        ("ops/repair-cases", "repair_cases", cases),
        ("ops/dead-letters", "dead_letters", letters),
    ] {
        let all = shop.walk(&operator, &format!("{path}?size=1"), list).await;
        assert_eq!(all, [settled, open.clone()]);
        let pressing = shop.get_as(&operator, &format!("{path}?state=open")).await;
        assert_eq!(pressing.ids(list), std::slice::from_ref(&open));
        let one = shop.get_as(&operator, &format!("{path}/{open}")).await;
        assert_eq!((one.0, &one.2["state"]), (200, &"open".into()));
        let wrong = shop.get_as(&operator, &format!("{path}?state=lost")).await;
        assert_eq!(
            (wrong.problem().0, &wrong.2["errors"][0]["field"]),
            (400, &"state".into())
        );
        let unknown = shop.get_as(&operator, &format!("{path}/{}", Uuid::now_v7())).await;
        assert_eq!(unknown.problem(), (404, "not-found"));
        assert_eq!(shop.get_as(&someone(&[Role::Admin]), path).await.problem().0, 403);
        assert_eq!(shop.get(path).await.problem().0, 401);
    }
}
