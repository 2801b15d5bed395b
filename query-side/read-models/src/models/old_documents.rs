//! Documents as shops stored them before orders had parcels, returns and invoices: they are still read, and what is new in
//! them is empty until a rebuild.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    my_page::MyPageDocument,
    order_payment::PaymentStatus,
    seller_orders::{SellerOrders, SharedOrder},
    tracking::TrackingView,
};
use crate::documents::Model;

const ID: &str = "018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f";
const AT: &str = "2026-10-01T09:00:00.000Z";

fn read<D: DeserializeOwned>(stored: Value) -> D {
    serde_json::from_value(stored).unwrap()
}

fn items() -> Value {
    let price = json!({ "amount": 9000, "currency": "KRW" });
    json!([{ "product_id": ID, "seller_id": ID, "title": "Cup", "unit_price": price, "quantity": 1, "line_total": price }])
}

#[test]
fn an_order_on_my_page() {
    let stored = json!({ "order": {
        "id": ID, "customer_id": ID, "status": "shipped", "items": items(), "total": { "amount": 9000, "currency": "KRW" },
        "placed_at": AT, "history": [{ "status": "placed", "at": AT }],
        "payment": { "status": "captured", "amount": { "amount": 9000, "currency": "KRW" } },
        "shipping_address": { "recipient": "Kim", "phone": "010", "postal_code": "04524", "line1": "110", "city": "Seoul", "country": "KR" }
    }});
    let MyPageDocument::Order(order) = read(stored) else {
        panic!("it is an order");
    };
    assert_eq!(
        (order.payment.status, &order.payment.method[..]),
        (PaymentStatus::Captured, "card")
    );
    assert!(order.parcels.is_empty() && order.returns.is_empty() && order.cancellation.is_none());
}

#[test]
fn a_customer_on_my_page() {
    let MyPageDocument::Customer(customer) = read(json!({ "customer": { "id": ID, "name": "김하나" } })) else {
        panic!("it is a customer");
    };
    assert_eq!((&customer.view.name[..], customer.view.points), ("김하나", 0));
}

#[test]
fn a_sellers_order() {
    let order: SharedOrder = read(json!({
        "id": ID, "status": "confirmed", "items": items(), "placed_at": AT, "history": [], "destination": "Seoul"
    }));
    assert_eq!(
        SellerOrders::index(&order).len(),
        1,
        "it stands in its seller's list, and in no other"
    );
}

#[test]
fn a_parcel_that_is_tracked() {
    let tracking: TrackingView = read(json!({ "shipments": [{
        "id": ID, "carrier": "simulator", "tracking_number": "S1", "status": "picked_up", "destination": "Seoul", "events": []
    }]}));
    assert_eq!(
        (tracking.shipments[0].seller_id, &tracking.shipments[0].reason),
        (None, &None)
    );
}
