//! Who is asking, what a request brings, what is wrong with a body.

mod bodies;
mod described;
mod requests;
mod telemetry;
mod tokens;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use warp::{Filter, Rejection, http::Request};

use crate::{Response, rejection::recovered};

/// Asks a filter as the server does.
async fn ask<F>(filter: F, request: Request<Full<Bytes>>) -> (u16, serde_json::Value)
where
    F: Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static,
{
    let service = TowerToHyperService::new(warp::service(recovered(filter)));
    let response = service.call(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}
