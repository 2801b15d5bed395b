//! One row of orders, told as the events our shop would have written.
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
//! Times are the source's, however odd: the order of events in a stream follows the steps, not the clock. A missing time is
//! that of the step before. The source has no time for the end of a canceled or unavailable order: the latest time it
//! knows of the order stands in. That such an order's money went back is not in the source either; our shop always does that.

use std::collections::BTreeMap;

use event_schemas::{
    Address, Category, Currency, CustomerId, Money, OrderId, PaymentId, ProductId, SellerId, ShipmentId, Timestamp,
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
    people,
    tables::{CustomerRow, OrderRow, PaymentRow, Status, Tables},
};
use crate::{
    import::history::{History, imported_id},
    sink::ImportedStream,
};

/// Stands where the source, for good reasons, names no person and no street.
const NOT_RECORDED: &str = "not recorded";

/// What had to be filled in, over all orders.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    pub(super) without_items: u64,
    pub(super) missing_times: u64,
}

/// One line of an order: all pieces of a product.
#[derive(Debug)]
pub(super) struct Line {
    /// The product in the source; empty for goods that are not recorded.
    pub(super) source_id: String,
    /// The seller in the source; empty likewise.
    pub(super) seller: String,
    pub(super) product_id: ProductId,
    pub(super) seller_id: SellerId,
    pub(super) title: String,
    pub(super) price: i64,
    quantity: u32,
}

/// When each step was, as far as the order came.
#[derive(Debug, Clone, Copy, Default)]
struct Steps {
    authorised: Option<Timestamp>,
    confirmed: Option<Timestamp>,
    picked_up: Option<Timestamp>,
    delivered: Option<Timestamp>,
    /// Cancelled or rejected.
    ended: Option<Timestamp>,
}

/// An order with all that is known of it.
#[derive(Debug)]
pub(super) struct Story<'t> {
    row: &'t OrderRow,
    order_id: OrderId,
    pub(super) customer: &'t CustomerRow,
    pub(super) customer_id: CustomerId,
    pub(super) placed_at: Timestamp,
    pub(super) lines: Vec<Line>,
    paid: Option<(Money, PaymentMethod)>,
    steps: Steps,
}

/// Puts an order together, or says why it cannot be told.
pub(super) fn tell<'t>(row: &'t OrderRow, tables: &'t Tables, gaps: &mut Gaps) -> Result<Story<'t>, String> {
    let customer = tables
        .customers
        .get(&row.customer_id)
        .ok_or("its customer is not in olist_customers_dataset")?;
    let payments = tables.payments.get(&row.order_id).map_or(&[][..], Vec::as_slice);
    let lines = match tables.items.get(&row.order_id) {
        Some(_) => lines(row, tables)?,
        None => {
            gaps.without_items += 1;
            vec![unrecorded(payments)]
        }
    };
    Ok(Story {
        row,
        order_id: imported_id(&format!("olist:order:{}", row.order_id)),
        customer,
        customer_id: people::customer_id(&customer.unique_id),
        placed_at: row.purchased,
        lines,
        paid: paid(payments),
        steps: steps(row, gaps),
    })
}

/// The source has a row for each piece; an order has a line for each product.
fn lines(row: &OrderRow, tables: &Tables) -> Result<Vec<Line>, String> {
    let mut lines: BTreeMap<&str, Line> = BTreeMap::new();
    for item in tables.items.get(&row.order_id).into_iter().flatten() {
        let seller_id = people::seller_id(&item.seller_id);
        let line = lines.entry(&item.product_id).or_insert_with(|| Line {
            source_id: item.product_id.clone(),
            seller: item.seller_id.clone(),
            product_id: people::product_id(&item.product_id),
            seller_id,
            title: people::title(&item.product_id, tables),
            price: item.price,
            quantity: 0,
        });
        if line.price != item.price || line.seller_id != seller_id {
            return Err(format!(
                "product {} is in it at two prices or from two sellers",
                item.product_id
            ));
        }
        line.quantity += 1;
    }
    Ok(lines.into_values().collect())
}

/// The line of an order whose items are not in the source.
fn unrecorded(payments: &[PaymentRow]) -> Line {
    Line {
        source_id: String::new(),
        seller: String::new(),
        product_id: people::product_id(""),
        seller_id: people::seller_id(""),
        title: "Goods not recorded by the source".to_owned(),
        price: payments.iter().map(|payment| payment.value).sum(),
        quantity: 1,
    }
}

/// What was paid in all, in the way that most of it was paid; nothing where nothing was.
fn paid(payments: &[PaymentRow]) -> Option<(Money, PaymentMethod)> {
    let most = payments.iter().max_by_key(|payment| payment.value)?;
    let method = PaymentMethod {
        method: most.method.clone(),
        token: "imported".to_owned(),
    };
    Some((reais(payments.iter().map(|payment| payment.value).sum()), method))
}

fn steps(row: &OrderRow, gaps: &mut Gaps) -> Steps {
    let mut known = |time: Option<Timestamp>, before: Timestamp| {
        gaps.missing_times += u64::from(time.is_none());
        Some(time.unwrap_or(before))
    };
    let mut steps = Steps::default();
    match row.status {
        Status::Created => {}
        Status::Approved => steps.authorised = known(row.approved, row.purchased),
        Status::Invoiced | Status::Processing => {
            steps.authorised = known(row.approved, row.purchased);
            steps.confirmed = steps.authorised;
        }
        Status::Shipped | Status::Delivered => {
            let authorised = known(row.approved, row.purchased);
            let picked_up = known(row.carrier, authorised.unwrap_or(row.purchased));
            if row.status == Status::Delivered {
                steps.delivered = known(row.delivered, picked_up.unwrap_or(row.purchased));
            }
            steps = Steps {
                authorised,
                confirmed: authorised,
                picked_up,
                ..steps
            };
        }
        Status::Canceled | Status::Unavailable => {
            let times = [row.approved, row.carrier, row.delivered];
            steps = Steps {
                authorised: row.approved,
                confirmed: row.approved.filter(|_| row.status == Status::Canceled),
                picked_up: row.carrier,
                delivered: row.delivered,
                ended: times.into_iter().flatten().chain([row.purchased]).max(),
            };
        }
    }
    steps
}

const fn reais(centavos: i64) -> Money {
    Money::new(centavos, Currency::BRL)
}

impl Story<'_> {
    /// The histories of the order, its payment and its parcel.
    pub(super) fn streams(&self) -> Vec<ImportedStream> {
        [self.order(), self.payment(), self.parcel()]
            .into_iter()
            .filter_map(History::finish)
            .collect()
    }

    fn history(&self, category: Category, id: uuid::Uuid) -> History {
        History::new(category, id, self.order_id.uuid())
    }

    fn order(&self) -> History {
        let order_id = self.order_id;
        let mut history = self.history(Category::Order, order_id.uuid());
        history.add::<OrderEvent>(self.placed_at, self.placed());
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
                    payment_id,
                    order_id,
                    amount,
                },
            );
            history.add::<PaymentEvent>(
                at,
                PaymentCaptured {
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
