use std::{fs, path::Path};

use domain::{Aggregate, Order, Payment, order, payment};
use event_schemas::{Currency, Money, ShopEvent, order::OrderEvent};
use tempfile::TempDir;

use super::*;
use crate::import::tests::{Kept, gzip, real};

const CUSTOMERS: &str = "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state\n\
    c1,u1,35550,itapecerica,MG\nc2,u1,35550,itapecerica,MG\nc3,u2,01001,sao paulo,SP\n";
const SELLERS: &str = "seller_id,seller_zip_code_prefix,seller_city,seller_state\ns1,13023,campinas,SP\n";
const PRODUCTS: &str = "product_id,product_category_name,product_name_lenght,product_description_lenght,product_photos_qty,product_weight_g,product_length_cm,product_height_cm,product_width_cm\n\
    p1,cama_mesa_banho,1,1,1,225,16,10,14\np2,,,,,,,,\n";
const TRANSLATION: &str = "product_category_name,product_category_name_english\ncama_mesa_banho,bed_bath_table\n";
const ITEMS: &str = "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value\n\
    o1,1,p1,s1,2018-01-18 14:48:30,199.90,17.87\no1,2,p1,s1,2018-01-18 14:48:30,199.90,17.87\no2,1,p1,s1,2018-01-18 14:48:30,5,1.00\n";
const PAYMENTS: &str = "order_id,payment_sequential,payment_type,payment_installments,payment_value\n\
    o1,1,voucher,1,35.54\no1,2,credit_card,5,400.00\no2,1,boleto,1,6.00\no3,1,boleto,1,7.50\n";
const HEAD: &str = "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,order_delivered_customer_date,order_estimated_delivery_date\n";
const DELIVERED: &str = "o1,c1,delivered,2018-01-10 10:00:00,2018-01-12 10:00:00,2018-01-11 10:00:00,2018-01-20 10:00:00,2018-02-01 00:00:00\n";

fn folder(orders: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    put("olist_customers_dataset.csv", CUSTOMERS);
    put("olist_sellers_dataset.csv", SELLERS);
    put("olist_products_dataset.csv", PRODUCTS);
    put("product_category_name_translation.csv", TRANSLATION);
    put("olist_order_items_dataset.csv", ITEMS);
    put("olist_orders_dataset.csv", &format!("{HEAD}{orders}"));
    fs::write(
        folder.path().join("olist_order_payments_dataset.csv.gz"),
        gzip(PAYMENTS.as_bytes()),
    )
    .unwrap();
    folder
}

async fn told(orders: &str) -> (Kept, ImportSummary) {
    let mut kept = Kept::default();
    let summary = import(folder(orders).path(), &mut kept).await.unwrap();
    (kept, summary)
}

/// The times at which the events of a category happened, in their order.
fn times(kept: &Kept, category: &str) -> Vec<String> {
    let told = kept
        .told()
        .into_iter()
        .filter(|(stream, ..)| stream.category() == category);
    told.map(|(_, metadata, _)| metadata.occurred_at.to_string()[..10].to_owned())
        .collect()
}

#[tokio::test]
async fn a_delivered_order_is_told_to_its_end_at_its_real_times() {
    let (kept, summary) = told(DELIVERED).await;
    assert_eq!(
        (summary.read, summary.imported, summary.refused.count),
        (1, 1, 0),
        "{summary}"
    );
    assert_eq!(
        kept.types("order"),
        ["OrderPlaced", "OrderConfirmed", "OrderShipped", "OrderDelivered"]
    );
    // The parcel left before the money was approved: the steps keep their order, the clock keeps its word.
    assert_eq!(
        times(&kept, "order"),
        ["2018-01-10", "2018-01-12", "2018-01-11", "2018-01-20"]
    );
    let payment = [
        "PaymentAuthorisationRequested",
        "PaymentAuthorised",
        "PaymentCaptureRequested",
        "PaymentCaptured",
    ];
    assert_eq!(kept.types("payment"), payment);
    assert_eq!(
        kept.types("shipment"),
        ["ShipmentBooked", "ParcelPickedUp", "ParcelDelivered"]
    );
    // As in a living shop, the order is placed before it is paid, and paid before it is confirmed.
    let place = |name: &str| {
        kept.events
            .iter()
            .position(|(_, event)| event.event_type == name)
            .unwrap()
    };
    assert!(place("OrderPlaced") < place("PaymentAuthorised") && place("PaymentCaptured") < place("OrderConfirmed"));
    assert!(
        summary.to_string().contains("1 orders left before they were paid"),
        "{summary}"
    );
    let first_order = kept
        .events
        .iter()
        .position(|(stream, _)| stream.category() == "order")
        .unwrap();
    let known: Vec<_> = kept.events[..first_order]
        .iter()
        .map(|(_, event)| event.event_type.as_str())
        .collect();
    assert_eq!(known, ["CustomerRegistered", "SellerRegistered", "ProductListed"]);
}

#[tokio::test]
async fn pieces_become_lines_and_freight_stays_in_the_payment() {
    let (kept, _) = told(DELIVERED).await;
    let placed = kept.told().into_iter().find_map(|(_, metadata, event)| match event {
        ShopEvent::Order(OrderEvent::OrderPlaced(placed)) if metadata.imported => Some(placed),
        _ => None,
    });
    let placed = placed.unwrap();
    assert_eq!((placed.items.len(), placed.items[0].quantity), (1, 2));
    assert_eq!(placed.items[0].title, "Bed bath table p1");
    assert_eq!(placed.total, Money::new(39_980, Currency::BRL));
    assert_eq!(
        (placed.payment.method.as_str(), placed.shipping_address.city.as_str()),
        ("credit_card", "itapecerica, MG")
    );
    assert_eq!(placed.promised_by.unwrap().to_string(), "2018-02-01T00:00:00.000Z");
    let captured = kept
        .events
        .iter()
        .find(|(_, event)| event.event_type == "PaymentCaptured")
        .unwrap();
    assert!(String::from_utf8_lossy(&captured.1.data).contains("43554"));
}

#[tokio::test]
async fn each_status_ends_where_it_should() {
    for (row, order, payment, shipment) in [
        ("created,2018-01-01 10:00:00,,,,", "OrderPlaced", "", ""),
        (
            "approved,2018-01-01 10:00:00,2018-01-02 10:00:00,,,",
            "OrderPlaced",
            "PaymentAuthorised",
            "",
        ),
        (
            "invoiced,2018-01-01 10:00:00,2018-01-02 10:00:00,,,",
            "OrderConfirmed",
            "PaymentAuthorised",
            "",
        ),
        (
            "shipped,2018-01-01 10:00:00,,,,",
            "OrderShipped",
            "PaymentCaptured",
            "ParcelPickedUp",
        ),
        (
            "delivered,2018-01-01 10:00:00,,,,",
            "OrderDelivered",
            "PaymentCaptured",
            "ParcelDelivered",
        ),
        ("canceled,2018-01-01 10:00:00,,,,", "OrderCancelled", "", ""),
        (
            "canceled,2018-01-01 10:00:00,2018-01-02 10:00:00,2018-01-03 10:00:00,,",
            "OrderCancelled",
            "PaymentVoided",
            "ParcelPickedUp",
        ),
        (
            "unavailable,2018-01-01 10:00:00,2018-01-02 10:00:00,,,",
            "OrderRejected",
            "PaymentVoided",
            "",
        ),
    ] {
        let (kept, summary) = told(&format!("o2,c3,{row}\n")).await;
        assert_eq!(summary.imported, 1, "{row}: {summary}");
        let last = |category| kept.types(category).last().copied().unwrap_or("");
        assert_eq!(
            (last("order"), last("payment"), last("shipment")),
            (order, payment, shipment),
            "{row}"
        );
    }
}

#[tokio::test]
async fn an_order_without_items_has_one_line_at_the_price_paid() {
    let (kept, summary) = told("o3,c3,unavailable,2018-01-01 10:00:00,2018-01-02 10:00:00,,,\n").await;
    assert_eq!((summary.imported, kept.types("product").len()), (1, 0));
    let placed = String::from_utf8_lossy(
        &kept
            .events
            .iter()
            .find(|(_, e)| e.event_type == "OrderPlaced")
            .unwrap()
            .1
            .data,
    )
    .into_owned();
    assert!(
        placed.contains("not recorded by the source") && placed.contains(r#""total":{"amount":750"#),
        "{placed}"
    );
}

#[tokio::test]
async fn orders_come_by_time_and_a_person_is_one_customer() {
    let later = DELIVERED.replace("o1,c1", "o9,c2").replace("2018-01-10", "2018-01-01");
    let (kept, summary) = told(&format!("{DELIVERED}{later}")).await;
    let placed: Vec<_> = times(&kept, "order").into_iter().take(2).collect();
    assert_eq!(placed, ["2018-01-01", "2018-01-10"]);
    assert_eq!(kept.types("customer"), ["CustomerRegistered"]);
    let example = summary.example_customer.unwrap();
    assert_eq!((example.id, example.orders), (people::customer_id("u1").uuid(), 2));
}

#[tokio::test]
async fn broken_rows_are_named_by_their_first_line_and_the_rest_goes_on() {
    let orders = format!(
        "o4,\"c\n1\",delivered,2018-01-10 10:00:00,,,,\no5,c1,lost,2018-01-10 10:00:00,,,,\no6,c1,delivered\n\
         o7,c1,delivered,yesterday,,,,\n{DELIVERED}o8,c1,created,,,,,\n"
    );
    let (kept, summary) = told(&orders).await;
    assert_eq!(
        (summary.read, summary.imported, summary.refused.count),
        (6, 1, 5),
        "{summary}"
    );
    let mut lines: Vec<_> = summary.refused.first.iter().map(|bad| bad.line).collect();
    lines.sort_unstable();
    assert_eq!(lines, [2, 4, 5, 6, 8], "{summary}");
    let text = summary.to_string();
    for word in [
        "its customer is not",
        "lost",
        "3 fields",
        "\"yesterday\" is not a time",
        "a time is missing",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert_eq!(kept.types("order").len(), 4);
}

#[tokio::test]
async fn a_second_import_adds_nothing_and_a_missing_file_is_named() {
    let folder = folder(DELIVERED);
    let mut kept = Kept::default();
    let first = import(folder.path(), &mut kept).await.unwrap();
    let again = import(folder.path(), &mut kept).await.unwrap();
    assert_eq!(
        (again.events_appended, again.events_already_there),
        (0, first.events_appended)
    );
    fs::remove_file(folder.path().join("olist_sellers_dataset.csv")).unwrap();
    let error = import(folder.path(), &mut kept).await.unwrap_err().to_string();
    assert!(error.contains("olist_sellers_dataset.csv cannot be read"), "{error}");
    let error = import(Path::new("/nowhere"), &mut kept).await.unwrap_err();
    assert!(matches!(error, ImportError::Unreadable { .. }));
}

/// Folds the streams of a category into aggregates, and counts them by what they became.
fn outcomes<A: Aggregate>(kept: &Kept, name: impl Fn(&A) -> String) -> std::collections::BTreeMap<String, usize> {
    use event_schemas::DomainEvent;
    let mut folded = std::collections::HashMap::<_, A>::new();
    for (stream, event) in &kept.events {
        if stream.category() == A::Event::CATEGORY.as_str() {
            let version = A::Event::TYPES
                .iter()
                .find(|(name, _)| *name == event.event_type)
                .unwrap()
                .1;
            let event = A::Event::decode(&event.event_type, version, &event.data).unwrap();
            folded.entry(stream.clone()).or_default().evolve(&event);
        }
    }
    let mut outcomes = std::collections::BTreeMap::new();
    for aggregate in folded.values() {
        *outcomes.entry(name(aggregate)).or_default() += 1;
    }
    outcomes
}

#[tokio::test]
async fn all_real_orders_are_taken_and_end_as_the_source_says() {
    let Some(dir) = real("olist") else { return };
    let mut kept = Kept::default();
    let summary = import(&dir, &mut kept).await.unwrap();
    println!("{summary}");
    assert_eq!(
        (summary.read, summary.imported, summary.refused.count),
        (35_627, 35_627, 0),
        "{summary}"
    );
    assert_eq!(summary.example_customer.as_ref().map(|example| example.orders), Some(7));
    let orders = outcomes(&kept, |order: &Order| {
        order
            .placed()
            .map_or("none".to_owned(), |placed| format!("{:?}", placed.status))
    });
    let payments = outcomes(&kept, |payment: &Payment| format!("{:?}", payment.stage()));
    println!("{orders:?} {payments:?}");
    let of = |status: order::Status| orders.get(&format!("{status:?}")).copied();
    // created and approved are placed; processing and invoiced are confirmed.
    assert_eq!(of(order::Status::Placed), Some(7));
    assert_eq!(of(order::Status::Confirmed), Some(545));
    assert_eq!(of(order::Status::Shipped), Some(902));
    assert_eq!(of(order::Status::Delivered), Some(33_170));
    assert_eq!(of(order::Status::Cancelled), Some(439));
    assert_eq!(of(order::Status::Rejected), Some(564));
    let money = |stage: payment::Stage| payments.get(&format!("{stage:?}")).copied();
    // One delivered order has no payment in the source.
    assert_eq!(money(payment::Stage::Captured), Some(902 + 33_170 - 1));
    assert_eq!(money(payment::Stage::Voided), Some(297 + 6 + 69 + 564));
    assert_eq!(money(payment::Stage::Authorised), Some(547));
}
