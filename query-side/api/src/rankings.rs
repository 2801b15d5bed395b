//! `GET /api/v1/best-sellers` and `GET /api/v1/trending`: what others buy.

use std::sync::Arc;

use edge::{Problem, Response, reply};
use event_schemas::ProductId;
use read_models::{
    Page,
    best_sellers::{BestSeller, BestSellers, BestSellersView, RankedCard, Window},
    documents::Model,
    models::ranking::Ranked,
    products::{ProductPage, Products},
    trending::{Trending, TrendingProduct, TrendingView},
};
use warp::{Filter, filters::BoxedFilter};

use crate::{
    Queries, cursor,
    description::{BadParameter, Behind, FreshnessHeaders},
    freshness::{Wish, wish},
    parameters::{self, Parameters},
    product::image_url,
    unreadable, with,
};

pub(crate) fn best_sellers_route(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "best-sellers")
        .and(warp::get())
        .and(with(queries))
        .and(parameters::raw())
        .and(wish())
        .then(async |queries: Arc<Queries>, given, wish| best_sellers(&queries, given, wish).await)
        .map(reply::finish)
        .boxed()
}

pub(crate) fn trending_route(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "trending")
        .and(warp::get())
        .and(with(queries))
        .and(parameters::raw())
        .and(wish())
        .then(async |queries: Arc<Queries>, given, wish| trending(&queries, given, wish).await)
        .map(reply::finish)
        .boxed()
}

/// What sold best in the last 7 or 30 days: pieces that left the house.
#[utoipa::path(get, path = "/api/v1/best-sellers", tag = "Catalogue", operation_id = "bestSellers",
    params(
        ("category" = Option<String>, Query, description = "Only this category and those beneath it."),
        ("window" = Option<Window>, Query, description = "How far back; `week` unless said otherwise."),
        ("size" = Option<u32>, Query, description = "Products on a page, 1 to 100; 20 unless said otherwise."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before, with the same parameters."),
        FreshnessHeaders,
    ),
    responses(
        (status = 200, description = "The products.", body = BestSellersView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        BadParameter, Behind,
    ))]
async fn best_sellers(queries: &Queries, given: Vec<(String, String)>, wish: Wish) -> Result<Response, Problem> {
    let parameters = Parameters::of(given, &["category", "window", "size", "cursor"])?;
    let category = parameters.text("category").unwrap_or_default();
    let window: Window = parameters.word("window", "week, month")?.unwrap_or_default();
    let list = format!("best_sellers {window:?} {category}");
    let (size, after) = (parameters.size()?, parameters.cursor(&list)?);
    let shown = queries
        .shown(&[Ranked::<BestSellers>::NAME, Products::NAME], wish)
        .await?;
    let best = queries.models.best_sellers();
    let page = best
        .best(window, category, after.as_deref(), size)
        .await
        .map_err(unreadable)?;
    let page = on_sale(queries, page).await?;
    let view = BestSellersView {
        next_cursor: page.next.as_deref().map(|place| cursor::write(&list, place)),
        products: page.map(|(product, sold)| BestSeller { product, sold }).items,
    };
    Ok(shown.public(reply::ok(&view)))
}

/// What is ordered far more often in the last 24 hours than in the week before.
#[utoipa::path(get, path = "/api/v1/trending", tag = "Catalogue", operation_id = "trending",
    params(
        ("category" = Option<String>, Query, description = "Only this category and those beneath it."),
        ("size" = Option<u32>, Query, description = "Products on a page, 1 to 100; 20 unless said otherwise."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before, with the same parameters."),
        FreshnessHeaders,
    ),
    responses(
        (status = 200, description = "The products.", body = TrendingView,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        BadParameter, Behind,
    ))]
async fn trending(queries: &Queries, given: Vec<(String, String)>, wish: Wish) -> Result<Response, Problem> {
    let parameters = Parameters::of(given, &["category", "size", "cursor"])?;
    let category = parameters.text("category").unwrap_or_default();
    let list = format!("trending {category}");
    let (size, after) = (parameters.size()?, parameters.cursor(&list)?);
    let shown = queries.shown(&[Ranked::<Trending>::NAME, Products::NAME], wish).await?;
    let rising = queries.models.trending().rising(category, after.as_deref(), size).await;
    let page = on_sale(queries, rising.map_err(unreadable)?).await?;
    let view = TrendingView {
        next_cursor: page.next.as_deref().map(|place| cursor::write(&list, place)),
        products: page.map(|(product, trend)| TrendingProduct { product, trend }).items,
    };
    Ok(shown.public(reply::ok(&view)))
}

/// The products of a page as they are now. One that was delisted in this moment is left out.
async fn on_sale<T>(queries: &Queries, page: Page<(ProductId, T)>) -> Result<Page<(RankedCard, T)>, Problem> {
    let mut items = Vec::with_capacity(page.items.len());
    for (id, figure) in page.items {
        let product = queries.models.products().product(id).await.map_err(unreadable)?;
        items.extend(product.filter(|page| !page.delisted).map(|page| (card(page), figure)));
    }
    Ok(Page { items, next: page.next })
}

fn card(page: ProductPage) -> RankedCard {
    RankedCard {
        id: page.id,
        title: page.title,
        brand: page.brand,
        category: page.category,
        price: page.price,
        in_stock: page.stock.available > 0,
        image_url: page.image.map(|image| image_url(&image.key)),
    }
}
