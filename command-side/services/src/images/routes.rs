//! `GET /images/{key}`: a picture, for good.

use edge::{Problem, ProblemDocument, Response, reply};
use utoipa::OpenApi;
use warp::{
    Filter, Reply,
    filters::BoxedFilter,
    http::{HeaderValue, header},
};

use super::{Format, Images};

/// A key never means another picture, so nobody needs to ask for it twice.
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

pub(crate) fn routes(images: Images) -> BoxedFilter<(Response,)> {
    warp::path!("images" / String)
        .and(warp::get().or(warp::head()).unify())
        .and(warp::header::optional::<String>("if-none-match"))
        .then(move |key: String, known: Option<String>| {
            let images = images.clone();
            async move { get(&images, &key, known.as_deref()).await }
        })
        .map(reply::finish)
        .boxed()
}

/// What OpenAPI says of it.
pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(paths(get), components(schemas(ProblemDocument)))]
    struct Description;
    Description::openapi()
}

/// See a picture
#[utoipa::path(
    get,
    path = "/images/{key}",
    tag = "Catalogue",
    operation_id = "getImage",
    params(("key" = String, Path, description = "The picture's key, from a product's `image`")),
    responses(
        (status = 200, description = "The picture; may be kept for good", content_type = "image/png"),
        (status = 304, description = "The picture you have"),
        (status = 404, description = "There is no such picture", body = ProblemDocument,
         content_type = "application/problem+json"),
    ),
)]
async fn get(images: &Images, key: &str, known: Option<&str>) -> Result<Response, Problem> {
    let Some((format, bytes)) = images.get(key).await? else {
        return Err(Problem::not_found(
            "there is no such picture: take the key from a product's `image`",
        ));
    };
    let tag = format!("\"{key}\"");
    if known.is_some_and(|known| known.split(',').any(|known| known.trim() == tag)) {
        return Ok(with_headers(
            warp::http::StatusCode::NOT_MODIFIED.into_response(),
            &tag,
            format,
        ));
    }
    Ok(with_headers(bytes.to_vec().into_response(), &tag, format))
}

fn with_headers(mut response: Response, tag: &str, format: Format) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    headers.insert(header::CACHE_CONTROL, FOR_GOOD);
    // What a stranger uploaded is a picture and nothing else, whatever a browser thinks it sees.
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}
