//! Asks the routes as a browser does.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use warp::http::Request;

use super::*;

async fn get(path: &str, etag: Option<&HeaderValue>) -> Response {
    let mut request = Request::builder().uri(path);
    if let Some(etag) = etag {
        request = request.header(header::IF_NONE_MATCH, etag);
    }
    let service = TowerToHyperService::new(warp::service(routes()));
    service
        .call(request.body(Empty::<Bytes>::new()).unwrap())
        .await
        .unwrap()
}

async fn text(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What stands between `before` and the next quote, everywhere in the text.
fn quoted(text: &str, before: &str) -> Vec<String> {
    text.split(before)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn the_pages_and_all_they_refer_to_are_there() {
    let mut wanted = vec![];
    for path in ["/", "/my-page", "/selling", "/operations"] {
        let page = get(path, None).await;
        assert_eq!(page.status(), 200, "{path}");
        assert_eq!(page.headers()[header::CONTENT_TYPE], HTML);
        let page = text(page).await;
        let mut referred: Vec<String> = [quoted(&page, "src=\""), quoted(&page, "href=\"")].concat();
        referred.retain(|path| path.starts_with('/'));
        assert!(referred.len() >= 4, "{referred:?}");
        wanted.extend(referred);
    }
    wanted.retain(|path| path.starts_with("/assets/") || SHOP_PAGES.iter().any(|page| path[1..] == **page));
    for asset in ASSETS.iter().filter(|asset| asset.media_type == SCRIPT) {
        let script = std::str::from_utf8(asset.content).unwrap();
        wanted.extend(
            quoted(script, "from \"./")
                .into_iter()
                .map(|name| format!("/assets/{name}")),
        );
    }
    for path in wanted {
        let response = get(&path, None).await;
        assert_eq!(response.status(), 200, "{path}");
        assert!(
            response.headers()[header::CONTENT_SECURITY_POLICY]
                .to_str()
                .unwrap()
                .contains("script-src 'self'")
        );
        assert!(!text(response).await.is_empty());
    }
}

#[tokio::test]
async fn what_the_browser_has_already_is_not_sent_again() {
    let first = get("/assets/page.js", None).await;
    let again = get("/assets/page.js", Some(&first.headers()[header::ETAG])).await;
    assert_eq!(again.status(), 304);
    assert_eq!(text(again).await, "");
    let changed = get("/assets/page.js", Some(&HeaderValue::from_static("\"0\""))).await;
    assert_eq!(changed.status(), 200);
}

#[tokio::test]
async fn other_paths_are_not_ours() {
    for path in [
        "/assets/",
        "/assets/nothing.js",
        "/assets/../Cargo.toml",
        "/assets/page.js/x",
        "/index.html",
        "/my-page/x",
        "/shop.html",
    ] {
        assert_eq!(get(path, None).await.status(), 404, "{path}");
    }
}

/// The policy forbids inline scripts and styles; a page that has one would silently not work.
#[test]
fn no_page_has_an_inline_script_or_style_or_fetches_from_elsewhere() {
    for page in [&PAGE, &SHOP] {
        let page = std::str::from_utf8(page.content).unwrap();
        assert_eq!(
            page.matches("<script").count(),
            page.matches("<script type=\"module\" src=").count()
        );
        for forbidden in ["<style", "style=\"", "onclick=", "javascript:"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }
    for asset in ASSETS.iter().chain([&PAGE, &SHOP]) {
        let text = std::str::from_utf8(asset.content).unwrap();
        let elsewhere = text.matches("http").count() - text.matches("http://www.w3.org/2000/svg").count();
        let in_expressions = text.matches("https?:").count() + text.matches("on https and").count();
        let in_names = text.matches("http-").count();
        assert_eq!(
            elsewhere,
            in_expressions + in_names,
            "{} refers to another site",
            asset.name
        );
        for forbidden in ["innerHTML", "eval(", ".style."] {
            assert!(!text.contains(forbidden), "{}: {forbidden}", asset.name);
        }
    }
}
