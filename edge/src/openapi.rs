//! One description of the API out of the descriptions of its parts.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::Value;
use utoipa::{
    OpenApi as _,
    openapi::{
        ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Server, Tag,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
        tag::TagBuilder,
    },
};
use warp::{
    Filter, Reply,
    filters::BoxedFilter,
    http::{HeaderValue, header},
};

use crate::reply::Response;

/// The name of the security scheme: `security(("bearer" = []))` on an operation.
pub const BEARER: &str = "bearer";

/// The tags that operations use, in the order a reader meets them.
pub const TAGS: [(&str, &str); 9] = [
    ("Accounts", "Who one is: accounts, sessions, roles, the first set-up."),
    ("Catalogue", "Products: listed by sellers, found and read by anybody."),
    ("Cart", "What a customer is about to order."),
    ("Orders", "From the order to the parcel at the door."),
    ("My page", "A customer's orders at a glance."),
    ("Seller", "What a seller has to send."),
    ("Carriers", "What carriers report, signed."),
    (
        "Operators",
        "Streams, projections, sagas, customers' pages: for those who look after the shop.",
    ),
    ("Operation", "Is it alive, is it ready, how is it doing."),
];

const ABOUT: &str = "The event-sourced shop in one binary.\n\n\
    Every error is `application/problem+json` (RFC 9457) with a stable `type`. Send an `Idempotency-Key` with every POST: the same \
    key and body get the same answer, however often and also after a restart. A command's reply carries a `Consistency-Token`; \
    a query that passes it back sees that command's effect (it waits a moment; then it says 503, or, asked with \
    `Prefer: return=stale`, shows what it has and marks it `Stale: true`). Amounts are integers in minor units with an ISO 4217 code.";

/// One description. Paths, schemas and tags of all parts; info, the bearer scheme and this server are added here.
pub fn merge(parts: Vec<OpenApi>) -> OpenApi {
    let info = InfoBuilder::new()
        .title("Jangteo")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(
            LicenseBuilder::new()
                .name("Apache-2.0")
                .identifier(Some("Apache-2.0"))
                .build(),
        ));
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("The `access_token` of `POST /api/v1/sessions`."));
    let components = ComponentsBuilder::new().security_scheme(BEARER, SecurityScheme::Http(bearer.build()));
    let mut whole = OpenApiBuilder::new()
        .info(info.build())
        .servers(Some([Server::new("/")]))
        .components(Some(components.build()))
        .tags(Some(TAGS.map(|(name, about)| tag(name, about))))
        .build();
    for mut part in parts {
        // A part's own word on a tag would stand beside ours.
        part.tags = None;
        whole.merge(part);
    }
    keep_used_tags(&mut whole);
    whole
}

/// A reader of the reference should not meet an empty chapter.
fn keep_used_tags(whole: &mut OpenApi) {
    let items = whole.paths.paths.values();
    let operations = items.flat_map(|item| [&item.get, &item.put, &item.post, &item.delete, &item.patch]);
    let used: BTreeSet<&String> = operations
        .flatten()
        .flat_map(|operation| operation.tags.iter().flatten())
        .collect();
    if let Some(tags) = &mut whole.tags {
        tags.retain(|tag| used.contains(&tag.name));
    }
}

/// Every `$ref` of the description that leads nowhere: a type that an operation names but nobody described.
pub fn unresolved_references(description: &OpenApi) -> Vec<String> {
    // Invariant: a description is plain data; writing it to memory cannot fail.
    let document = serde_json::to_value(description).unwrap_or_default();
    let mut references = BTreeSet::new();
    collect_references(&document, &mut references);
    let leads_nowhere = |reference: &String| document.pointer(reference.trim_start_matches('#')).is_none();
    references.into_iter().filter(leads_nowhere).collect()
}

fn collect_references(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                references.insert(reference.clone());
            }
            members
                .values()
                .for_each(|member| collect_references(member, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, references)),
        _ => {}
    }
}

fn tag(name: &str, about: &str) -> Tag {
    TagBuilder::new().name(name).description(Some(about)).build()
}

/// `GET /openapi.json`: that description, written once.
pub fn route(description: &OpenApi) -> BoxedFilter<(Response,)> {
    // Invariant: a description is plain data; writing it to memory cannot fail.
    let text = Bytes::from(description.to_json().unwrap_or_default());
    warp::path!("openapi.json")
        .and(warp::get())
        .map(move || openapi_json(text.clone()))
        .boxed()
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "Operation", operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1.", content_type = "application/json")))]
fn openapi_json(text: Bytes) -> Response {
    let mut response = warp::http::Response::new(text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// The probes, the metrics and the description itself, described.
pub fn of_edge() -> OpenApi {
    #[derive(utoipa::OpenApi)]
    #[openapi(paths(openapi_json))]
    struct Description;
    let mut whole = crate::probes::openapi();
    whole.merge(crate::telemetry::openapi());
    whole.merge(Description::openapi());
    whole
}
