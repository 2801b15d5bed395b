//! The bundled pages: `/` is the reference of the API, drawn in the browser from `/openapi.json`; `/my-page`, `/selling` and
//! `/operations` are for customers, sellers and operators.
//!
//! Plain files in `web/pages/`, compiled in: nothing is fetched from elsewhere, nothing is inlined, so that the pages' content
//! security policy can forbid all the rest. Each file has an `ETag` of its content and is asked for again (`no-cache`), so a
//! new version of the shop never meets an old script.

use std::hash::{DefaultHasher, Hash, Hasher};

use warp::{
    Filter, Reply,
    filters::BoxedFilter,
    http::{HeaderValue, StatusCode, header},
    reply::Response,
};

/// What the pages may do: run our scripts, use our styles, talk to this shop. Nothing else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A bundled file.
struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static [u8],
}

macro_rules! assets {
    ($($name:literal: $media_type:expr),+ $(,)?) => {
        [$(Asset { name: $name, media_type: $media_type, content: include_bytes!(concat!("../pages/", $name)) }),+]
    };
}

static PAGE: Asset = Asset {
    name: "index.html",
    media_type: HTML,
    content: include_bytes!("../pages/index.html"),
};

/// One page for all three: its script draws the one that the address names.
static SHOP: Asset = Asset {
    name: "shop.html",
    media_type: HTML,
    content: include_bytes!("../pages/shop.html"),
};

/// Where it is served.
const SHOP_PAGES: [&str; 3] = ["my-page", "selling", "operations"];

static ASSETS: [Asset; 17] = assets![
    "mark.svg": "image/svg+xml",
    "page.css": CSS,
    "reference.css": CSS,
    "page.js": SCRIPT,
    "dom.js": SCRIPT,
    "session.js": SCRIPT,
    "description.js": SCRIPT,
    "schema-view.js": SCRIPT,
    "operation-view.js": SCRIPT,
    "try-it.js": SCRIPT,
    "first-order.js": SCRIPT,
    "shop.css": CSS,
    "shop.js": SCRIPT,
    "parts.js": SCRIPT,
    "my-page.js": SCRIPT,
    "selling.js": SCRIPT,
    "operations.js": SCRIPT,
];

/// `GET /`, the shop's pages, and `GET /assets/…`.
pub fn routes() -> BoxedFilter<(Response,)> {
    let presented = warp::header::optional::<String>("if-none-match");
    let page = warp::path::end()
        .and(warp::get())
        .and(presented)
        .map(|presented: Option<String>| PAGE.answer(presented.as_deref()));
    let asset = warp::path("assets")
        .and(warp::path::param())
        .and(warp::path::end())
        .and(warp::get())
        .and(presented)
        .and_then(|name: String, presented: Option<String>| {
            let asset = ASSETS.iter().find(|asset| asset.name == name);
            std::future::ready(
                asset
                    .map(|asset| asset.answer(presented.as_deref()))
                    .ok_or_else(warp::reject::not_found),
            )
        });
    let shop = warp::path::param()
        .and(warp::path::end())
        .and(warp::get())
        .and(presented)
        .and_then(|name: String, presented: Option<String>| {
            let known = SHOP_PAGES.contains(&name.as_str());
            let answer = known.then(|| SHOP.answer(presented.as_deref()));
            std::future::ready(answer.ok_or_else(warp::reject::not_found))
        });
    page.or(shop).unify().or(asset).unify().boxed()
}

impl Asset {
    fn answer(&self, presented: Option<&str>) -> Response {
        let etag = self.etag();
        let known = presented.is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == etag));
        let mut response = if known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            self.content.into_response()
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            headers.insert(header::ETAG, etag);
        }
        response
    }

    /// Changes with the content. Not a secret and not a signature: any hash will do.
    fn etag(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.content.hash(&mut hasher);
        format!("\"{:016x}\"", hasher.finish())
    }
}

#[cfg(test)]
mod tests;
