//! A seller who cannot send a parcel.

use domain::commands::{Directive, ServiceCommand};
use edge::Principal;
use event_schemas::shipment::ParcelPickedUp;
use serde_json::json;

use super::*;
use crate::testing::{Answer, Shop, admin, customer, seller};

/// A shop in which the first seller's parcel is booked.
struct Booked {
    shop: Shop,
    seller: Principal,
}

impl Booked {
    async fn new() -> Self {
        let (shop, seller) = (Shop::open().await, seller());
        let ServiceCommand::BookShipment {
            shipment_id,
            order_id,
            items,
            address,
            ..
        } = book(1)
        else {
            unreachable!()
        };
        let command = ServiceCommand::BookShipment {
            shipment_id,
            order_id,
            seller_id: Some(seller.account_id),
            items,
            address,
        };
        let directive: Directive = directive(command);
        shop.services.execute(&directive).await.unwrap();
        Self { shop, seller }
    }

    async fn cannot_send(&self, who: &Principal, parcel_of: u128, reason: &str) -> Answer {
        let path = format!(
            "/api/v1/seller/orders/{}/parcels/{}/cancellation",
            order(parcel_of),
            parcel(1)
        );
        self.shop.ask(who, "POST", &path, &json!({ "reason": reason })).await
    }

    async fn events(&self) -> Vec<ShipmentEvent> {
        let stored = self.shop.events::<Shipment>(parcel(1).uuid()).await;
        stored.into_iter().map(|(_, event)| event).collect()
    }
}

#[tokio::test]
async fn a_seller_calls_a_booked_parcel_off_once_and_says_why() {
    let booked = Booked::new().await;
    for _ in 0..2 {
        let answer = booked.cannot_send(&booked.seller, 1, "It broke.").await;
        assert_eq!(answer.json()["status"], "cancelled", "{answer:?}");
        assert!(!answer.header("consistency-token").is_empty());
    }
    let events = booked.events().await;
    let [
        ShipmentEvent::ShipmentBooked(parcel),
        ShipmentEvent::ShipmentCancelled(off),
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(parcel.seller_id, Some(booked.seller.account_id));
    assert_eq!(off.reason, Some(Reason::new("cannot_send", "It broke.")));
}

#[tokio::test]
async fn a_reason_that_is_not_taken_calls_no_carrier_off() {
    let booked = Booked::new().await;
    booked
        .cannot_send(&booked.seller, 1, "")
        .await
        .names_fields(&["reason"]);
    assert_eq!(booked.events().await.len(), 1);
    assert_eq!(
        booked.cannot_send(&admin(), 1, "It broke.").await.status.as_u16(),
        200,
        "an admin may, and the parcel was still there"
    );
}

#[tokio::test]
async fn the_carrier_may_be_faster() {
    let booked = Booked::new().await;
    let picked_up = ParcelPickedUp {
        shipment_id: parcel(1),
        order_id: order(1),
        location: String::new(),
    };
    booked
        .shop
        .given::<Shipment>(parcel(1).uuid(), [picked_up.into()])
        .await;
    booked
        .cannot_send(&booked.seller, 1, "It broke.")
        .await
        .is_problem(409, "parcel-under-way");
}

#[tokio::test]
async fn other_sellers_parcels_are_not_there() {
    let booked = Booked::new().await;
    for (who, order, status, problem) in [
        (&seller(), 1, 404, "parcel-not-found"),
        (&booked.seller, 2, 404, "parcel-not-found"),
        (&customer(), 1, 403, "forbidden"),
    ] {
        booked
            .cannot_send(who, order, "It broke.")
            .await
            .is_problem(status, problem);
    }
    assert_eq!(booked.events().await.len(), 1);
}
