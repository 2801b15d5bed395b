//! The HTTP of what is decided from the log: products, pictures, carts, orders, returns. Accounts and carriers bring their own.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use edge::{Response, Tokens};
use utoipa::OpenApi;
use warp::{Filter, filters::BoxedFilter};

use crate::{carts, images, orders, products, returns, services::Services, shipping::cannot_send};

/// The routes, those asked most first.
pub fn routes(services: &Services, tokens: &Arc<Tokens>) -> BoxedFilter<(Response,)> {
    orders::routes::routes(&services.orders, tokens)
        .or(carts::routes::routes(&services.carts, tokens))
        .unify()
        .or(images::routes::routes(services.products.images().clone()))
        .unify()
        .or(products::routes::routes(
            &services.products,
            &services.inventory,
            tokens,
        ))
        .unify()
        .or(returns::routes::routes(services, tokens))
        .unify()
        .or(cannot_send::routes(&services.shipping, tokens))
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
        returns::routes::openapi(),
        cannot_send::openapi(),
    ] {
        all.merge(part);
    }
    all
}
