//! One projection per file.

mod carts;
mod catalogue;
mod my_page;
mod order_steps;
mod products;
mod sagas;
mod seller_orders;
mod stock_levels;
mod tracking;

pub(crate) use carts::CartsProjection;
pub(crate) use catalogue::CatalogueProjection;
pub(crate) use my_page::MyPageProjection;
pub(crate) use products::ProductsProjection;
pub(crate) use sagas::SagasProjection;
pub(crate) use seller_orders::SellerOrdersProjection;
pub(crate) use tracking::TrackingProjection;
