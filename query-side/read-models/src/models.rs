//! The read models, one per file: the document as a client sees it, its key, its index, a typed reader, and what each event
//! does to it. To add one: its file, and its line in the list below.

pub mod carts;
pub mod catalogue;
pub mod my_page;
mod order_steps;
pub mod order_view;
mod popularity;
pub mod products;
pub mod sagas;
pub mod seller_orders;
mod stock_levels;
pub mod tracking;

use self::{
    carts::CartsProjection, catalogue::CatalogueProjection, my_page::MyPageProjection, products::ProductsProjection,
    sagas::SagasProjection, seller_orders::SellerOrdersProjection, tracking::TrackingProjection,
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
}
