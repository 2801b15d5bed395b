//! What sold best: pieces that left the house in the last 7 and in the last 30 days, by category.

use event_schemas::{Category, Money, ProductId, ShopEvent, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    calendar::Day,
    popularity::sold,
    ranking::{Counting, Ranked, RankedProduct, Ranking, Sums},
};
use crate::{
    documents::{Collection, StoreError},
    paging::Page,
};

/// The answer to `GET best-sellers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BestSellersView {
    /// Best first.
    pub products: Vec<BestSeller>,
    /// Where the next page starts; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A product with what it sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BestSeller {
    /// The product.
    #[serde(flatten)]
    pub product: RankedCard,
    /// Pieces in the window.
    pub sold: u64,
}

/// A product as rankings show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RankedCard {
    /// The product.
    pub id: ProductId,
    /// One line.
    pub title: String,
    /// The maker's brand.
    pub brand: String,
    /// Path of category names.
    pub category: String,
    /// For one piece.
    pub price: Money,
    /// It can be bought now.
    pub in_stock: bool,
    /// Where its picture is, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "/images/2f6b.png")]
    pub image_url: Option<String>,
}

/// How far back to look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// The last 7 days, today among them.
    #[default]
    Week,
    /// The last 30 days.
    Month,
}

impl Window {
    /// Its list, and its place among the sums.
    const fn list(self) -> (u8, usize) {
        match self {
            Self::Week => (b'w', 0),
            Self::Month => (b'm', 1),
        }
    }
}

/// The ranking `best_sellers`.
#[derive(Debug, Clone, Copy)]
pub enum BestSellers {}

/// Fills it.
pub type BestSellersProjection = Counting<BestSellers>;

impl Ranking for BestSellers {
    const NAME: &'static str = "best_sellers";
    const CATEGORIES: &'static [Category] = &[Category::Product, Category::Reservation];
    const WINDOWS: [i64; 2] = [7, 30];

    fn bucket(at: Timestamp) -> i64 {
        Day::of(at).number()
    }

    fn counted(event: &ShopEvent) -> impl Iterator<Item = (ProductId, u64)> {
        let lines = sold(event).map_or(&[][..], |(_, lines)| lines);
        lines.iter().map(|line| (line.product_id, line.quantity.into()))
    }

    fn ranks(sums: Sums) -> impl Iterator<Item = (u8, u64)> {
        let lists = [Window::Week, Window::Month].map(Window::list);
        lists
            .into_iter()
            .map(move |(list, at)| (list, sums[at]))
            .filter(|(_, sold)| *sold > 0)
    }
}

impl Collection<Ranked<BestSellers>> {
    /// What sold best, of a category with those beneath it or of all with an empty one: products with the pieces sold.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn best(
        &self,
        window: Window,
        category: &str,
        after: Option<&[u8]>,
        size: usize,
    ) -> Result<Page<(ProductId, u64)>, StoreError> {
        let (list, at) = window.list();
        let page = self.list(list, category, after, size).await?;
        let sold = |product: RankedProduct| (product.id, product.sums[at]);
        Ok(page.map(sold))
    }
}
