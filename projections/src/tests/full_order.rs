//! What is shown of orders with several parcels, of invoices and of returns.

use event_schemas::{
    Category, DeadLetterId, Money, RepairCaseId,
    repair::{Discrepancy, RepairCaseEvent, RepairCaseOpened, RepairCaseResolved},
    shipment::ParcelStatus,
    subscription::{
        DeadLetterDiscarded, DeadLetterEvent, DeadLetterRetried, DeadLettered, PointsEarned, PointsEvent,
        PointsTakenBack,
    },
};
use read_models::{
    calendar::Day,
    dead_events::DeadEventState,
    my_page::{MyPageDocument, MyPageProjection},
    order_payment::PaymentStatus,
    order_returns::ReturnStage,
    order_view::{CancellationState, OrderStatus, OrderView},
    repair_cases::RepairCaseState,
};

use super::{
    history::{id, order, placed, registered, seller, step},
    parts::{Kind, Part},
    *,
};

/// What can happen beside orders: to a customer's points, a repair case, a dead letter.
pub(super) const BESIDE: usize = 7;

/// Appends one of the kinds of events that happen beside orders.
pub(super) async fn beside(log: &MemoryLog, thing: u128, kind: usize, at: i64) {
    let (case_id, dead_letter_id): (RepairCaseId, DeadLetterId) = (id(thing), id(thing));
    let (customer_id, order_id, points) = (id(thing), id(thing), 30);
    let stream = |category: Category| category.stream(Uuid::from_u128(thing));
    let points_event: PointsEvent = match kind {
        0 => PointsEarned {
            customer_id,
            order_id,
            points,
        }
        .into(),
        _ => PointsTakenBack {
            customer_id,
            order_id,
            points: 10,
        }
        .into(),
    };
    let case: RepairCaseEvent = match kind {
        2 => RepairCaseOpened {
            case_id,
            discrepancy: Discrepancy::AmountDiffers,
            payment_id: None,
            order_id: Some(order_id),
            key: "p/capture".to_owned(),
            ours: Some(Money::krw(1_000)),
            theirs: Some(Money::krw(900)),
            detail: "The provider took less.".to_owned(),
        }
        .into(),
        _ => RepairCaseResolved {
            case_id,
            resolution: "Taken by hand.".to_owned(),
            order_id: None,
            key: None,
        }
        .into(),
    };
    let letter: DeadLetterEvent = match kind {
        4 => DeadLettered {
            dead_letter_id,
            subscriber: "mails".to_owned(),
            event_id: Uuid::nil(),
            event_type: "OrderPlaced".to_owned(),
            position: 1,
            attempts: 5,
            error: "refused".to_owned(),
        }
        .into(),
        5 => DeadLetterRetried { dead_letter_id }.into(),
        _ => DeadLetterDiscarded {
            dead_letter_id,
            reason: "too late".to_owned(),
        }
        .into(),
    };
    match kind {
        0 | 1 => happens(log, stream(Category::Points), points_event, at).await,
        2 | 3 => happens(log, stream(Category::RepairCase), case, at).await,
        _ => happens(log, stream(Category::DeadLetter), letter, at).await,
    }
}

/// Two products of two sellers, confirmed.
async fn confirmed(log: &MemoryLog) -> [Part; 2] {
    order(log, placed(1, 7, &[10, 11]), 100).await;
    for (at, kind) in (101..).zip([0, 2, 3]) {
        step(log, 1, 10, kind, at).await;
    }
    let parts = [Part::of(1, 10), Part::of(1, 11)];
    for part in &parts {
        part.happens(log, Kind::Booked, 104).await;
    }
    parts
}

async fn shown(log: &MemoryLog) -> OrderView {
    let (documents, unexpected) = project::<MyPageProjection>(&events(log).await, 1);
    assert!(unexpected.is_empty(), "{unexpected:?}");
    match documents.into_values().next().flatten() {
        Some(MyPageDocument::Order(order)) => *order,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_seller_has_a_parcel_and_each_parcel_is_paid_when_it_is_picked_up() {
    let log = MemoryLog::new();
    let [first, second] = confirmed(&log).await;
    first.happens(&log, Kind::PickedUp, 110).await;
    first.happens(&log, Kind::Captured, 111).await;
    let order = shown(&log).await;
    let [one, other] = &order.parcels[..] else {
        panic!("{:?}", order.parcels);
    };
    assert_eq!((one.seller_id, one.status), (Some(seller(10)), ParcelStatus::PickedUp));
    assert_eq!(
        (one.items[0].title.as_str(), one.amount),
        ("Thing 10", Money::krw(2_000))
    );
    assert_eq!(one.picked_up_at.map(Timestamp::as_millis), Some(110));
    assert_eq!((other.id, other.status), (second.shipment_id(), ParcelStatus::Booked));
    assert_eq!(order.payment.status, PaymentStatus::Captured);
    assert_eq!(order.payment.captured, Some(Money::krw(2_000)));
    assert_eq!(order.payment.captures[0].shipment_id, Some(first.shipment_id()));

    second.happens(&log, Kind::PickedUp, 112).await;
    second.happens(&log, Kind::CaptureLost, 113).await;
    let lost = shown(&log).await.payment;
    assert_eq!(lost.status, PaymentStatus::Unknown);
    assert_eq!(lost.unknown[0].part, Some(second.shipment_id().uuid()));
    second.happens(&log, Kind::Captured, 114).await;
    let paid = shown(&log).await.payment;
    assert_eq!(
        (paid.status, paid.captured),
        (PaymentStatus::Captured, Some(Money::krw(4_000)))
    );
}

#[tokio::test]
async fn a_parcel_that_cannot_be_sent_says_why() {
    let log = MemoryLog::new();
    let [first, _] = confirmed(&log).await;
    first.happens(&log, Kind::SellerCannotSend, 110).await;
    first.happens(&log, Kind::ItemsCancelled, 111).await;
    first.happens(&log, Kind::PickedUp, 112).await;
    let order = shown(&log).await;
    assert_eq!(order.parcels[0].status, ParcelStatus::Cancelled);
    assert_eq!(order.parcels[0].reason.as_ref().unwrap().code, "seller_cannot_send");
    assert_eq!(
        (order.parcels[1].status, order.status),
        (ParcelStatus::Booked, OrderStatus::Confirmed)
    );
}

#[tokio::test]
async fn a_wish_to_cancel_is_shown_until_it_is_known_what_came_of_it() {
    let log = MemoryLog::new();
    let [first, _] = confirmed(&log).await;
    first.happens(&log, Kind::CancellationRequested, 110).await;
    let state = shown(&log).await.cancellation.unwrap().state;
    assert_eq!(state, CancellationState::Requested);
    first.happens(&log, Kind::CancellationDenied, 111).await;
    let state = shown(&log).await.cancellation.unwrap().state;
    assert_eq!(state, CancellationState::Denied);
    step(&log, 1, 10, 13, 112).await;
    let order = shown(&log).await;
    assert_eq!((order.cancellation, order.status), (None, OrderStatus::Cancelled));
}

#[tokio::test]
async fn a_return_goes_from_requested_to_completed() {
    let log = MemoryLog::new();
    let [first, second] = confirmed(&log).await;
    first.happens(&log, Kind::Captured, 109).await;
    for (at, kind) in (110..).zip([
        Kind::ReturnRequested,
        Kind::ReturnReceived,
        Kind::ReturnInspected,
        Kind::Refunded,
        Kind::Restocked,
        Kind::ReturnCompleted,
    ]) {
        first.happens(&log, kind, at).await;
    }
    second.happens(&log, Kind::ReturnRequested, 120).await;
    second.happens(&log, Kind::ReturnReceived, 121).await;
    second.happens(&log, Kind::ReturnRefused, 122).await;
    let order = shown(&log).await;
    let [back, refused] = &order.returns[..] else {
        panic!("{:?}", order.returns);
    };
    let stages: Vec<_> = back
        .history
        .iter()
        .map(|change| (change.stage, change.at.as_millis()))
        .collect();
    use ReturnStage::{Completed, Inspected, Received, Refused, Requested};
    assert_eq!(
        stages,
        [(Requested, 110), (Received, 111), (Inspected, 112), (Completed, 115)]
    );
    assert_eq!((back.refund, back.accepted[0].quantity), (Some(Money::krw(1_000)), 1));
    assert_eq!(
        (refused.stage, &refused.refusal.as_ref().unwrap().code[..]),
        (Refused, "used")
    );
    assert_eq!(order.payment.refunded, Some(Money::krw(1_000)));
    assert_eq!(
        order.payment.status,
        PaymentStatus::Captured,
        "half of it was given back"
    );
}

#[tokio::test]
async fn an_invoice_is_reserved_charged_and_given_back() {
    let log = MemoryLog::new();
    order(&log, placed(1, 7, &[10]), 100).await;
    let part = Part::of(1, 10);
    for (at, kind, status) in [
        (101, Kind::CreditReserved, PaymentStatus::Authorised),
        (102, Kind::CreditCharged, PaymentStatus::Captured),
        (103, Kind::CreditRefunded, PaymentStatus::Refunded),
    ] {
        part.happens(&log, kind, at).await;
        assert_eq!(shown(&log).await.payment.status, status);
    }
    assert_eq!(shown(&log).await.status, OrderStatus::PaymentAuthorised);
    let log = MemoryLog::new();
    order(&log, placed(1, 7, &[10]), 100).await;
    part.happens(&log, Kind::CreditExceeded, 101).await;
    assert_eq!(shown(&log).await.payment.status, PaymentStatus::Declined);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seller_sees_their_parcel_and_what_comes_back_to_them() {
    let shop = Shop::open().await;
    let [first, _] = confirmed(&shop.log).await;
    first.happens(&shop.log, Kind::ReturnRequested, 110).await;
    shop.settled().await;
    let orders = shop.read_models.seller_orders();
    let returning = async |seller| orders.of_seller(seller, true, None, 10).await.unwrap().items;
    let mine = returning(seller(10)).await;
    assert_eq!((mine.len(), mine[0].parcels.len(), mine[0].returns.len()), (1, 1, 1));
    assert_eq!(returning(seller(11)).await.len(), 0);
    let others = orders.of_seller(seller(11), false, None, 10).await.unwrap().items;
    assert_eq!((others[0].parcels.len(), others[0].returns.len()), (1, 0));
    first.happens(&shop.log, Kind::ReturnReceived, 111).await;
    first.happens(&shop.log, Kind::ReturnInspected, 112).await;
    first.happens(&shop.log, Kind::Restocked, 113).await;
    shop.settled().await;
    assert_eq!(
        returning(seller(10)).await.len(),
        0,
        "nothing is left to do for the seller"
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parcel_that_is_not_sent_is_not_sold() {
    let shop = Shop::open().await;
    let [first, second] = confirmed(&shop.log).await;
    second.happens(&shop.log, Kind::PickedUp, 110).await;
    step(&shop.log, 1, 10, 6, 111).await;
    first.happens(&shop.log, Kind::ItemsCancelled, 112).await;
    first.happens(&shop.log, Kind::ItemsCancelled, 113).await;
    shop.settled().await;
    let day = Day::of(Timestamp::from_millis(100));
    let sales = shop.read_models.seller_sales();
    for (product, left) in [(10, (0, 0, 1)), (11, (1, 2, 0))] {
        let days = sales
            .days(Some(seller(product)), day..=day, None, 10)
            .await
            .unwrap()
            .items;
        let found = (days[0].orders, days[0].pieces, days[0].called_off);
        assert_eq!(found, left, "of {product}");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn points_repair_cases_and_dead_letters_are_shown() {
    let shop = Shop::open().await;
    registered(&shop.log, 7, "김하나").await;
    for (at, kind) in (100..).zip(0..BESIDE - 1) {
        beside(&shop.log, 7, kind, at).await;
    }
    beside(&shop.log, 8, 2, 200).await;
    beside(&shop.log, 8, 4, 201).await;
    shop.settled().await;
    let models = &shop.read_models;
    let customer = models.my_page().customer(id(7)).await.unwrap().unwrap();
    assert_eq!((customer.name.as_str(), customer.points), ("김하나", 20));
    let open = models
        .repair_cases()
        .list(Some(RepairCaseState::Open), None, 10)
        .await
        .unwrap()
        .items;
    assert_eq!(open.iter().map(|case| case.id).collect::<Vec<_>>(), [id(8)]);
    let case = models.repair_cases().get(&id(7)).await.unwrap().unwrap();
    assert_eq!(case.resolution.as_deref(), Some("Taken by hand."));
    let letters = models.dead_events();
    let open = letters.list(Some(DeadEventState::Open), None, 10).await.unwrap().items;
    assert_eq!(open.iter().map(|letter| letter.id).collect::<Vec<_>>(), [id(8)]);
    assert_eq!(
        letters.get(&id(7)).await.unwrap().unwrap().state,
        DeadEventState::Retried
    );
    shop.close().await;
}
