//! What is trending: products ordered far more often in the last 24 hours than in the week before.

use event_schemas::{Category, ProductId, ShopEvent, Timestamp, order::OrderEvent};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    best_sellers::RankedCard,
    calendar::hour,
    ranking::{Counting, Ranked, RankedProduct, Ranking, Sums},
};
use crate::{
    documents::{Collection, StoreError},
    paging::Page,
};

/// Fewer orders than this in a day are chance, not a trend.
const FEWEST: u64 = 3;
/// Days before the last one that it is held against.
const DAYS_BEFORE: u64 = 7;
/// Orders a day that every product is taken to have had: so that twice nothing is not much.
const USUAL: u64 = 2;

/// The answer to `GET trending`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrendingView {
    /// The steepest rise first.
    pub products: Vec<TrendingProduct>,
    /// Where the next page starts; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A product with what was ordered of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrendingProduct {
    /// The product.
    #[serde(flatten)]
    pub product: RankedCard,
    /// How it is ordered.
    #[serde(flatten)]
    pub trend: Trend,
}

/// How a product is ordered now and before. Orders, not pieces: one customer who orders a hundred is no trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Trend {
    /// Orders in the last 24 hours.
    pub orders: u64,
    /// Orders in the 7 days before.
    pub orders_before: u64,
}

impl Trend {
    const fn of([day, all]: Sums) -> Self {
        Self {
            orders: day,
            orders_before: all.saturating_sub(day),
        }
    }

    /// How many times as often as before, in thousandths.
    const fn rise(self) -> u64 {
        self.orders.saturating_mul(1_000 * DAYS_BEFORE) / self.orders_before.saturating_add(USUAL * DAYS_BEFORE)
    }
}

const LIST: u8 = b't';

/// The ranking `trending`.
#[derive(Debug, Clone, Copy)]
pub enum Trending {}

/// Fills it.
pub type TrendingProjection = Counting<Trending>;

impl Ranking for Trending {
    const NAME: &'static str = "trending";
    const CATEGORIES: &'static [Category] = &[Category::Product, Category::Order];
    const WINDOWS: [i64; 2] = [24, 8 * 24];

    fn bucket(at: Timestamp) -> i64 {
        hour(at)
    }

    fn counted(event: &ShopEvent) -> impl Iterator<Item = (ProductId, u64)> {
        let items = match event {
            ShopEvent::Order(OrderEvent::OrderPlaced(placed)) => &placed.items[..],
            _ => &[],
        };
        items.iter().map(|item| (item.product_id, 1))
    }

    fn ranks(sums: Sums) -> impl Iterator<Item = (u8, u64)> {
        let trend = Trend::of(sums);
        (trend.orders >= FEWEST).then(|| (LIST, trend.rise())).into_iter()
    }
}

impl Collection<Ranked<Trending>> {
    /// What is trending, of a category with those beneath it or of all with an empty one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rising(
        &self,
        category: &str,
        after: Option<&[u8]>,
        size: usize,
    ) -> Result<Page<(ProductId, Trend)>, StoreError> {
        let page = self.list(LIST, category, after, size).await?;
        let trend = |product: RankedProduct| (product.id, Trend::of(product.sums));
        Ok(page.map(trend))
    }
}
