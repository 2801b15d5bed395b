//! One row of orders with all that the other tables say of it: who, what, how paid, and when each step was.
//!
//! Times are the source's, however odd: the order of events in a stream follows the steps, not the clock. A missing time is
//! that of the step before. The source has no time for the end of a canceled or unavailable order: the latest time it
//! knows of the order stands in.

use std::collections::BTreeMap;

use event_schemas::{Currency, CustomerId, Money, OrderId, ProductId, SellerId, Timestamp, order::PaymentMethod};

use super::{
    people,
    tables::{CustomerRow, OrderRow, PaymentRow, Status, Tables},
};
use crate::import::history::imported_id;

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
    pub(super) quantity: u32,
}

/// When each step was, as far as the order came.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Steps {
    pub(super) authorised: Option<Timestamp>,
    pub(super) confirmed: Option<Timestamp>,
    pub(super) picked_up: Option<Timestamp>,
    pub(super) delivered: Option<Timestamp>,
    /// Cancelled or rejected.
    pub(super) ended: Option<Timestamp>,
}

/// An order with all that is known of it.
#[derive(Debug)]
pub(super) struct Story<'t> {
    pub(super) row: &'t OrderRow,
    pub(super) order_id: OrderId,
    pub(super) customer: &'t CustomerRow,
    pub(super) customer_id: CustomerId,
    pub(super) placed_at: Timestamp,
    pub(super) lines: Vec<Line>,
    pub(super) paid: Option<(Money, PaymentMethod)>,
    pub(super) steps: Steps,
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

/// So many centavos.
pub(super) const fn reais(centavos: i64) -> Money {
    Money::new(centavos, Currency::BRL)
}
