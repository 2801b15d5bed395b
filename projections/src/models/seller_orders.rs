//! Sellers' orders: `seller_orders`.

use event_schemas::{Category, ShopEvent, order::OrderEvent};
use read_models::{
    order_view::OrderStatus,
    seller_orders::{SellerOrders, SharedOrder},
};

use super::order_steps::{order_of, step};
use crate::projection::{Fact, Key, Projection, Unexpected, known};

/// Fills the sellers' orders.
#[derive(Debug, Default)]
pub(crate) struct SellerOrdersProjection;

impl Projection for SellerOrdersProjection {
    type Model = SellerOrders;
    const CATEGORIES: &'static [Category] = &[Category::Order, Category::Reservation, Category::Payment];

    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected> {
        if step(fact.event).is_some() {
            keys.extend(order_of(fact.event));
        }
        Ok(())
    }

    fn apply(
        &mut self,
        fact: &Fact<'_>,
        _: &Key<Self>,
        document: &mut Option<SharedOrder>,
    ) -> Result<bool, Unexpected> {
        let Some((status, reason)) = step(fact.event) else {
            return Ok(false);
        };
        if let (ShopEvent::Order(OrderEvent::OrderPlaced(placed)), None) = (fact.event, &document) {
            *document = Some(SharedOrder {
                id: placed.order_id,
                status: OrderStatus::Placed,
                reason: None,
                items: placed.items.iter().map(Into::into).collect(),
                placed_at: fact.at,
                history: vec![],
                destination: placed.shipping_address.city.clone(),
            });
        }
        let order = known(document, "an order")?;
        if order.status.is_final() {
            return Ok(false);
        }
        order.reason = reason.cloned().or(order.reason.take());
        order.reach(status, fact.at);
        Ok(true)
    }
}
