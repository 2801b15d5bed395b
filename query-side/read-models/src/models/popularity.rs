//! How much a product is bought, roughly: a level that grows with the logarithm of the pieces sold.
//!
//! Counting exactly would index the product again at every sale. This counts as Morris did: on level `c` a piece raises the
//! level with a chance of 2^(−c/4), so that a thousand sales write some thirty times. The die is cast by a hash of the order
//! and the product: the same events always come to the same level.

use event_schemas::{
    OrderId, ProductId, ShopEvent,
    stock::{ReservationEvent, StockLine},
};

/// An order counts for no more pieces than this: one customer who buys thousands makes no favourite.
const MOST_PIECES: u32 = 20;

/// What 2^(−1/4) is to the power of 0, 1, 2 and 3, as shares of `u64::MAX`.
const QUARTERS: [u64; 4] = [
    u64::MAX,
    0xd744_fcca_d69d_6af4,
    0xb504_f333_f9de_6484,
    0x9837_f051_8db8_a96f,
];

/// What an event sold: the order, and its lines; nothing for an event that sells nothing. Sold is what left the house.
pub(super) fn sold(event: &ShopEvent) -> Option<(OrderId, &[StockLine])> {
    match event {
        ShopEvent::Reservation(ReservationEvent::StockIssued(issued)) => Some((issued.order_id, &issued.lines)),
        _ => None,
    }
}

/// The level of a product after an event, if it was `level` before.
pub(super) fn level_after(event: &ShopEvent, product: ProductId, level: u32) -> u32 {
    let Some((order, lines)) = sold(event) else {
        return level;
    };
    let lines = lines.iter().filter(|line| line.product_id == product);
    let pieces = lines.fold(0_u32, |sum, line| sum.saturating_add(line.quantity));
    let seed = order.uuid().as_u128() ^ product.uuid().as_u128().rotate_left(64);
    (0..pieces.min(MOST_PIECES)).fold(level, |level, piece| {
        level + u32::from(cast(seed, piece) <= chance(level))
    })
}

/// The chance to leave this level, as a share of `u64::MAX`.
fn chance(level: u32) -> u64 {
    let quarter = QUARTERS[(level % 4) as usize];
    quarter.checked_shr(level / 4).unwrap_or_default()
}

/// A die with 2^64 faces: the finaliser of splitmix64 over both halves.
fn cast(seed: u128, piece: u32) -> u64 {
    let mix = |value: u64| {
        let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    };
    let [high, low] = [(seed >> 64) as u64, seed as u64];
    mix(mix(high).wrapping_add(low).wrapping_add(u64::from(piece)))
}

#[cfg(test)]
mod tests {
    use event_schemas::stock::StockIssued;
    use uuid::Uuid;

    use super::*;

    fn sale(order: u128, quantity: u32) -> ShopEvent {
        let line = StockLine {
            product_id: ProductId::from_uuid(Uuid::from_u128(1)),
            quantity,
            available: 0,
        };
        let order_id = OrderId::from_uuid(Uuid::from_u128(order));
        ShopEvent::Reservation(
            StockIssued {
                shipment_id: None,
                order_id,
                lines: vec![line],
            }
            .into(),
        )
    }

    fn level_of(orders: std::ops::Range<u128>, quantity: u32) -> u32 {
        let product = ProductId::from_uuid(Uuid::from_u128(1));
        orders.fold(0, |level, order| level_after(&sale(order, quantity), product, level))
    }

    #[test]
    fn the_level_grows_with_the_logarithm_of_what_is_sold() {
        let levels = [1, 10, 100, 1_000, 10_000].map(|orders| level_of(0..orders, 1));
        assert_eq!(levels[0], 1, "the first sale counts");
        for (level, expected) in levels.into_iter().zip([1_i64, 6, 17, 30, 43]) {
            assert!((i64::from(level) - expected).abs() <= 4, "{levels:?}");
        }
    }

    #[test]
    fn one_large_order_is_no_crowd() {
        assert!(level_of(0..1, 1_000_000) <= level_of(0..200, 1));
        let product = ProductId::from_uuid(Uuid::from_u128(2));
        assert_eq!(level_after(&sale(1, 9), product, 7), 7, "another product's sale");
        assert_eq!(chance(u32::MAX), 0);
    }
}
