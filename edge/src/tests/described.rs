use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use http_body_util::Full;
use warp::http::Request;

use super::ask;
use crate::{
    openapi::{self, merge, of_edge, unresolved_references},
    probes::{self, Readiness},
};

#[tokio::test]
async fn the_description_is_openapi_3_1_of_all_parts_and_refers_to_nothing_that_is_not_there() {
    let whole = merge(vec![of_edge()]);
    assert_eq!(unresolved_references(&whole), Vec::<String>::new());
    let request = Request::builder().uri("/openapi.json").body(Full::default()).unwrap();
    let (status, document) = ask(openapi::route(&whole), request).await;
    assert_eq!(status, 200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json"] {
        assert!(document["paths"][path]["get"]["responses"]["200"].is_object(), "{path}");
    }
    let tags: Vec<_> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].as_str().unwrap())
        .collect();
    assert_eq!(tags, ["Operation"], "only tags that something has");
}

#[tokio::test]
async fn the_shop_is_ready_when_every_part_is_and_says_which_is_not() {
    let well = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&well);
    let readiness = Readiness::new()
        .with("event log", async || Ok(()))
        .with("search", move || {
            let well = asked.load(Ordering::Relaxed);
            async move {
                if well {
                    Ok(())
                } else {
                    Err("3 of 9 segments read".to_owned())
                }
            }
        });
    let routes = probes::routes(Arc::new(readiness));
    let get = async |path: &str| {
        ask(
            routes.clone(),
            Request::builder().uri(path).body(Full::default()).unwrap(),
        )
        .await
    };
    let (status, problem) = get("/readyz").await;
    assert_eq!(
        (status, problem["detail"].as_str()),
        (503, Some("search: 3 of 9 segments read"))
    );
    assert_eq!(
        (&problem["checks"][0]["ready"], &problem["checks"][1]["ready"]),
        (&true.into(), &false.into())
    );
    assert_eq!(get("/healthz").await.0, 200, "not ready, but alive");
    well.store(true, Ordering::Relaxed);
    let (status, report) = get("/readyz").await;
    assert_eq!((status, &report["ready"]), (200, &true.into()));
}
