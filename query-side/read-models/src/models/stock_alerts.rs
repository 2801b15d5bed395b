//! Which of a seller's products have run out or soon will.

use event_schemas::{Category, ProductId, SellerId, ShopEvent, Timestamp, product::ProductEvent};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    products::set,
    stock_levels::{level, levels},
};
use crate::{
    documents::{Collection, IndexKeys, Model, StoreError},
    paging::{Page, id_bytes},
    projection::{Fact, Key, Projection, Unexpected, known},
};

/// So many pieces or fewer are low.
pub const LOW: u64 = 5;

/// The answer to `GET seller/stock-alerts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StockAlertsView {
    /// What ran out first, then what is low; in each the one that has been so for longest comes first.
    pub alerts: Vec<StockAlert>,
    /// Where the next page starts; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A product that has run out or soon will.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StockAlert {
    /// The product.
    pub product_id: ProductId,
    /// Who sells it.
    pub seller_id: SellerId,
    /// One line.
    pub title: String,
    /// How bad it is.
    pub level: StockLevel,
    /// Pieces that can still be sold.
    pub available: u64,
    /// Since when it has been at this level.
    pub since: Timestamp,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StockLevel {
    /// Nothing.
    Out,
    /// Five pieces or fewer.
    Low,
    /// Enough, or none was ever there.
    Enough,
}

impl StockLevel {
    const fn of(available: u64) -> Self {
        match available {
            0 => Self::Out,
            1..=LOW => Self::Low,
            _ => Self::Enough,
        }
    }

    /// A letter for each; part of the stored index, in which what ran out comes first.
    const fn letter(self) -> u8 {
        match self {
            Self::Out => b'0',
            Self::Low => b'1',
            Self::Enough => b'9',
        }
    }
}

/// The read model `stock_alerts`.
#[derive(Debug, Clone, Copy)]
pub enum StockAlerts {}

/// What is watched of a product, whether there is reason for an alert or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchedStock {
    /// As an alert would say it.
    #[serde(flatten)]
    alert: StockAlert,
    /// It can be found.
    listed: bool,
}

impl Model for StockAlerts {
    const NAME: &'static str = "stock_alerts";
    type Key = ProductId;
    type Document = WatchedStock;

    fn index(WatchedStock { alert, listed }: &WatchedStock) -> IndexKeys {
        if !listed || alert.level == StockLevel::Enough {
            return vec![];
        }
        let since = alert.since.as_millis().cast_unsigned() ^ (1 << 63);
        let place = [
            &[alert.level.letter()],
            &since.to_be_bytes()[..],
            &id_bytes(alert.product_id),
        ]
        .concat();
        [Some(alert.seller_id), None]
            .map(|seller| [of_seller(seller), place.clone()].concat())
            .into()
    }
}

/// The start of the keys of a seller's alerts, or of everybody's.
fn of_seller(seller: Option<SellerId>) -> Vec<u8> {
    seller.map_or_else(|| b"*".to_vec(), |seller| [b"s".as_slice(), &id_bytes(seller)].concat())
}

impl Collection<StockAlerts> {
    /// A seller's alerts, or everybody's, the most pressing first: all of them, or those of one level.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn alerts(
        &self,
        seller: Option<SellerId>,
        level: Option<StockLevel>,
        after: Option<&[u8]>,
        size: usize,
    ) -> Result<Page<StockAlert>, StoreError> {
        let mut list = of_seller(seller);
        list.extend(level.map(StockLevel::letter));
        Ok(self.page(&list, after, size).await?.map(|watched| watched.alert))
    }
}

/// Fills the stock alerts.
#[derive(Debug, Default)]
pub struct StockAlertsProjection;

impl Projection for StockAlertsProjection {
    type Model = StockAlerts;
    const CATEGORIES: &'static [Category] = &[Category::Product, Category::Stock, Category::Reservation];

    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected> {
        match fact.event {
            ShopEvent::Product(event) => keys.push(event.product_id()),
            event => keys.extend(levels(event).map(|(product, _)| product)),
        }
        Ok(())
    }

    fn apply(
        &mut self,
        fact: &Fact<'_>,
        key: &Key<Self>,
        document: &mut Option<WatchedStock>,
    ) -> Result<bool, Unexpected> {
        if let (ShopEvent::Product(ProductEvent::ProductListed(listed)), None) = (fact.event, &document) {
            let alert = StockAlert {
                product_id: listed.product_id,
                seller_id: listed.seller_id,
                title: listed.title.clone(),
                level: StockLevel::Enough,
                available: 0,
                since: fact.at,
            };
            *document = Some(WatchedStock { alert, listed: true });
            return Ok(true);
        }
        let watched = known(document, "a product")?;
        let before = watched.clone();
        match fact.event {
            ShopEvent::Product(ProductEvent::ProductRevised(revised)) => set(&mut watched.alert.title, &revised.title),
            ShopEvent::Product(ProductEvent::ProductDelisted(_)) => watched.listed = false,
            event => {
                if let Some(available) = level(event, *key) {
                    watched.alert.stands_at(available, fact.at);
                }
            }
        }
        Ok(*watched != before)
    }
}

impl StockAlert {
    fn stands_at(&mut self, available: u64, at: Timestamp) {
        self.available = available;
        let level = StockLevel::of(available);
        if std::mem::replace(&mut self.level, level) != level {
            self.since = at;
        }
    }
}
