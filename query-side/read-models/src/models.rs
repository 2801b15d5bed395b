//! The read models, one per file: the document as a client sees it, its key, its index, a typed reader, and what each event
//! does to it. To add one: its file, and its line in the list below.

pub mod best_sellers;
pub mod calendar;
pub mod carts;
pub mod catalogue;
pub mod dead_events;
pub mod my_page;
#[cfg(test)]
mod old_documents;
pub mod order_parcels;
pub mod order_payment;
pub mod order_returns;
mod order_steps;
pub mod order_view;
mod popularity;
pub mod products;
pub mod ranking;
pub mod repair_cases;
pub mod sagas;
pub mod seller_orders;
pub mod seller_sales;
pub mod stock_alerts;
mod stock_levels;
pub mod tracking;
pub mod trending;

use self::{
    best_sellers::BestSellersProjection, carts::CartsProjection, catalogue::CatalogueProjection,
    dead_events::DeadEventsProjection, my_page::MyPageProjection, products::ProductsProjection,
    repair_cases::RepairCasesProjection, sagas::SagasProjection, seller_orders::SellerOrdersProjection,
    seller_sales::SellerSalesProjection, stock_alerts::StockAlertsProjection, tracking::TrackingProjection,
    trending::TrendingProjection,
};
use crate::registry::read_models;

read_models! {
    /// Product pages.
    products: ProductsProjection,
    /// The entries of the catalogue; to search it, see [`ReadModels::search`](crate::ReadModels::search).
    catalogue: CatalogueProjection,
    /// Customers and their orders.
    my_page: MyPageProjection,
    /// Sellers' orders.
    seller_orders: SellerOrdersProjection,
    /// Where parcels are.
    tracking: TrackingProjection,
    /// Carts.
    carts: CartsProjection,
    /// Where sagas stand.
    sagas: SagasProjection,
    /// What an operator must look into.
    repair_cases: RepairCasesProjection,
    /// What subscribers could not take in.
    dead_events: DeadEventsProjection,
    /// What sold best.
    best_sellers: BestSellersProjection,
    /// What is ordered more than before.
    trending: TrendingProjection,
    /// What sellers sold, day by day.
    seller_sales: SellerSalesProjection,
    /// What has run out, or soon will.
    stock_alerts: StockAlertsProjection,
}
