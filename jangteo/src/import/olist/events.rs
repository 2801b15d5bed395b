//! A story as the events that our shop would have written.
//!
//! | status | order | payment | parcel |
//! |-|-|-|-|
//! | created | placed | | |
//! | approved | placed | authorised | |
//! | processing, invoiced | confirmed | authorised | |
//! | shipped | shipped | captured | picked up |
//! | delivered | delivered | captured | delivered |
//! | canceled | cancelled | voided if it was authorised | as far as it came |
//! | unavailable | rejected | voided | |
//!
//! That the money of a canceled or unavailable order went back is not in the source; our shop always does that.

use event_schemas::{
    Address, Category, PaymentId, ShipmentId,
    order::{
        OrderCancelled, OrderConfirmed, OrderDelivered, OrderEvent, OrderItem, OrderPlaced, OrderRejected,
        OrderShipped, PaymentMethod, Reason,
    },
    payment::{
        PaymentAuthorisationRequested, PaymentAuthorised, PaymentCaptureRequested, PaymentCaptured, PaymentEvent,
        PaymentVoidRequested, PaymentVoided,
    },
    shipment::{ParcelDelivered, ParcelItem, ParcelPickedUp, ShipmentBooked, ShipmentEvent},
};

use super::{
    story::{Line, Story, reais},
    tables::Status,
};
use crate::{
    import::{delivery::Wave, history::History},
    sink::ImportedStream,
};

/// Stands where the source, for good reasons, names no person and no street.
const NOT_RECORDED: &str = "not recorded";

impl Story<'_> {
    /// The histories of the order, its payment and its parcel, in the waves in which a living shop would write them: placed,
    /// then paid and sent, then what the order makes of that.
    pub(super) fn pieces(&self) -> Vec<(Wave, ImportedStream)> {
        let pieces = [
            (Wave::Beginnings, self.beginning()),
            (Wave::Doings, self.payment()),
            (Wave::Doings, self.parcel()),
            (Wave::Outcomes, self.outcome()),
        ];
        let told = |(wave, history): (_, History)| Some((wave, history.finish()?));
        pieces.into_iter().filter_map(told).collect()
    }

    fn history(&self, category: Category, id: uuid::Uuid) -> History {
        History::new(category, id, self.order_id.uuid())
    }

    fn beginning(&self) -> History {
        let mut history = self.history(Category::Order, self.order_id.uuid());
        history.add::<OrderEvent>(self.placed_at, self.placed());
        history
    }

    fn outcome(&self) -> History {
        let order_id = self.order_id;
        let mut history = self.history(Category::Order, order_id.uuid());
        if let Some(at) = self.steps.confirmed {
            history.add::<OrderEvent>(at, OrderConfirmed { order_id });
        }
        let reason = match (self.row.status, self.steps.ended) {
            (Status::Canceled, Some(_)) => {
                Reason::new("cancelled", "The order was cancelled; the source does not say by whom.")
            }
            _ => Reason::new(
                "out_of_stock",
                "The seller could not deliver: the source calls the order unavailable.",
            ),
        };
        match (self.steps.ended, self.row.status) {
            (Some(at), Status::Canceled) => history.add::<OrderEvent>(at, OrderCancelled { order_id, reason }),
            (Some(at), _) => history.add::<OrderEvent>(at, OrderRejected { order_id, reason }),
            (None, _) => {
                if let Some(at) = self.steps.picked_up {
                    let shipment_id = self.shipment_id();
                    history.add::<OrderEvent>(at, OrderShipped { order_id, shipment_id });
                }
                if let Some(at) = self.steps.delivered {
                    history.add::<OrderEvent>(at, OrderDelivered { order_id });
                }
            }
        }
        history
    }

    fn placed(&self) -> OrderPlaced {
        let item = |line: &Line| OrderItem {
            product_id: line.product_id,
            seller_id: line.seller_id,
            title: line.title.clone(),
            unit_price: reais(line.price),
            quantity: line.quantity,
        };
        let total = self
            .lines
            .iter()
            .map(|line| line.price * i64::from(line.quantity))
            .sum();
        let unpaid = || PaymentMethod {
            method: NOT_RECORDED.to_owned(),
            token: "imported".to_owned(),
        };
        OrderPlaced {
            order_id: self.order_id,
            customer_id: self.customer_id,
            items: self.lines.iter().map(item).collect(),
            total: reais(total),
            shipping_address: Address {
                recipient: NOT_RECORDED.to_owned(),
                phone: NOT_RECORDED.to_owned(),
                postal_code: self.customer.zip.clone(),
                line1: NOT_RECORDED.to_owned(),
                line2: None,
                city: self.city(),
                country: "BR".to_owned(),
            },
            payment: self.paid.as_ref().map_or_else(unpaid, |(_, method)| method.clone()),
            from_cart: false,
            promised_by: self.row.promised,
        }
    }

    /// Nothing where nothing was paid or nobody approved it.
    fn payment(&self) -> History {
        let order_id = self.order_id;
        let payment_id = PaymentId::derived(order_id.uuid(), "payment");
        let mut history = self.history(Category::Payment, payment_id.uuid());
        let (Some((amount, method)), Some(authorised)) = (self.paid.clone(), self.steps.authorised) else {
            return history;
        };
        let requested = PaymentAuthorisationRequested {
            payment_id,
            order_id,
            amount,
            method,
        };
        history.add::<PaymentEvent>(self.placed_at, requested);
        let provider_reference = format!("olist:{}", self.row.order_id);
        history.add::<PaymentEvent>(
            authorised,
            PaymentAuthorised {
                payment_id,
                order_id,
                amount,
                provider_reference,
            },
        );
        if let Some(at) = self.steps.ended {
            history.add::<PaymentEvent>(at, PaymentVoidRequested { payment_id, order_id });
            history.add::<PaymentEvent>(
                at,
                PaymentVoided {
                    payment_id,
                    order_id,
                    amount,
                },
            );
        } else if let Some(at) = self.steps.picked_up {
            history.add::<PaymentEvent>(
                at,
                PaymentCaptureRequested {
                    shipment_id: None,
                    payment_id,
                    order_id,
                    amount,
                },
            );
            history.add::<PaymentEvent>(
                at,
                PaymentCaptured {
                    shipment_id: None,
                    payment_id,
                    order_id,
                    amount,
                },
            );
        }
        history
    }

    /// One parcel an order, also where several sellers took part: the source has one date for all.
    fn parcel(&self) -> History {
        let (order_id, shipment_id) = (self.order_id, self.shipment_id());
        let mut history = self.history(Category::Shipment, shipment_id.uuid());
        let Some(picked_up) = self.steps.picked_up else {
            return history;
        };
        let item = |line: &Line| ParcelItem {
            product_id: line.product_id,
            quantity: line.quantity,
        };
        let booked = ShipmentBooked {
            seller_id: None,
            shipment_id,
            order_id,
            carrier: "olist".to_owned(),
            tracking_number: self.row.order_id.clone(),
            items: self.lines.iter().map(item).collect(),
            destination: self.city(),
            estimated_delivery: self.row.promised,
        };
        history.add::<ShipmentEvent>(self.steps.confirmed.unwrap_or(self.placed_at), booked);
        let location = String::new();
        history.add::<ShipmentEvent>(
            picked_up,
            ParcelPickedUp {
                shipment_id,
                order_id,
                location,
            },
        );
        if let Some(at) = self.steps.delivered {
            let location = self.city();
            history.add::<ShipmentEvent>(
                at,
                ParcelDelivered {
                    shipment_id,
                    order_id,
                    location,
                },
            );
        }
        history
    }

    fn shipment_id(&self) -> ShipmentId {
        ShipmentId::derived(self.order_id.uuid(), "shipment")
    }

    fn city(&self) -> String {
        format!("{}, {}", self.customer.city, self.customer.state)
    }
}
