//! The HTTP of what is decided from the log: products, pictures, carts, orders. Accounts and carriers bring their own.

use std::sync::Arc;

use edge::{Response, Tokens};
use utoipa::OpenApi;
use warp::{Filter, filters::BoxedFilter};

use crate::{carts, images, inventory::Inventory, orders, products};

/// The services behind these routes.
pub struct Routed<'a> {
    /// What is for sale.
    pub products: &'a Arc<products::Products>,
    /// What customers are about to buy.
    pub carts: &'a Arc<carts::Carts>,
    /// What customers bought.
    pub orders: &'a Arc<orders::Orders>,
    /// What is in stock.
    pub inventory: &'a Arc<Inventory>,
}

/// The routes, those asked most first.
pub fn routes(services: &Routed<'_>, tokens: &Arc<Tokens>) -> BoxedFilter<(Response,)> {
    orders::routes::routes(services.orders, tokens)
        .or(carts::routes::routes(services.carts, tokens))
        .unify()
        .or(images::routes::routes(services.products.images().clone()))
        .unify()
        .or(products::routes::routes(services.products, services.inventory, tokens))
        .unify()
        .boxed()
}

/// What OpenAPI says of them.
pub fn openapi() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    struct Commands;
    let mut all = Commands::openapi();
    for part in [
        orders::routes::openapi(),
        carts::routes::openapi(),
        products::routes::openapi(),
        images::routes::openapi(),
    ] {
        all.merge(part);
    }
    all
}
