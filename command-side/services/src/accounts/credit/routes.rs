//! Credit over HTTP: admins set limits and take in what is paid, customers see what they have.

use std::sync::Arc;

use edge::{
    ConsistencyToken, JsonBody, Principal, Problem, ProblemDocument, RequestContext, Response, Role, Tokens,
    authenticated, body::JSON_LIMIT, json_body, reply, request_context, require,
};
use event_log::Position;
use event_schemas::{AccountId, Money};
use serde::Deserialize;
use utoipa::OpenApi;
use warp::{Filter, filters::BoxedFilter};

use super::{Credit, CreditAccount};
use crate::execution::CommandContext;

/// How much a customer may owe.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreditLimit {
    /// 0 for no credit.
    limit: Money,
}

/// A customer paid invoices.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvoicePayment {
    /// At most what is owed.
    amount: Money,
}

/// The routes: set a limit, take in a payment, see one's own.
pub(in crate::accounts) fn routes(credit: Arc<Credit>, tokens: Arc<Tokens>) -> BoxedFilter<(Response,)> {
    let v1 = warp::path!("api" / "v1" / ..);
    let with_credit = warp::any().map(move || Arc::clone(&credit));
    let signed_in = authenticated(tokens);
    let limit = warp::path!("accounts" / AccountId / "credit-limit")
        .and(warp::put())
        .and(with_credit.clone())
        .and(request_context())
        .and(signed_in.clone())
        .and(json_body(JSON_LIMIT))
        .then(put_limit)
        .map(reply::finish);
    let payment = warp::path!("accounts" / AccountId / "invoice-payments")
        .and(warp::post())
        .and(with_credit.clone())
        .and(request_context())
        .and(signed_in.clone())
        .and(json_body(JSON_LIMIT))
        .then(post_payment)
        .map(reply::finish);
    let own = warp::path!("me" / "credit")
        .and(warp::get())
        .and(with_credit)
        .and(signed_in)
        .then(get_own)
        .map(reply::finish);
    v1.and(own.or(limit).unify().or(payment).unify()).boxed()
}

/// The description of these routes.
pub(in crate::accounts) fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

#[derive(OpenApi)]
#[openapi(
    paths(put_limit, post_payment, get_own),
    components(schemas(CreditAccount, CreditLimit, InvoicePayment, Money, ProblemDocument))
)]
struct Description;

/// Say how much a customer may owe
#[utoipa::path(
    put,
    path = "/api/v1/accounts/{id}/credit-limit",
    tag = "Credit",
    operation_id = "setCreditLimit",
    params(("id" = AccountId, Path, description = "Whose limit")),
    request_body = CreditLimit,
    responses(
        (status = 200, description = "The limit is this from now on; what is reserved or owed beyond it stays", body = CreditAccount),
        (status = 403, description = "Only admins may", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "The currency cannot change while credit is used", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 422, description = "The limit is not acceptable", body = ProblemDocument,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
async fn put_limit(
    id: AccountId,
    credit: Arc<Credit>,
    context: RequestContext,
    principal: Principal,
    body: JsonBody<CreditLimit>,
) -> Result<Response, Problem> {
    require(&principal, &[Role::Admin])?;
    let command = CommandContext::of_request(&context, &principal, body.fingerprint);
    let position = credit.set_limit(id, body.value.limit, &command).await?;
    shown(&credit, id, position).await
}

/// Take in what a customer paid of their invoices
#[utoipa::path(
    post,
    path = "/api/v1/accounts/{id}/invoice-payments",
    tag = "Credit",
    operation_id = "recordInvoicePayment",
    params(
        ("id" = AccountId, Path, description = "Who paid"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body are taken in once"),
    ),
    request_body = InvoicePayment,
    responses(
        (status = 200, description = "So much less is owed", body = CreditAccount),
        (status = 403, description = "Only admins may", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "Nothing is owed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "More than is owed, or the key was used with another body", body = ProblemDocument,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
async fn post_payment(
    id: AccountId,
    credit: Arc<Credit>,
    context: RequestContext,
    principal: Principal,
    body: JsonBody<InvoicePayment>,
) -> Result<Response, Problem> {
    require(&principal, &[Role::Admin])?;
    let command = CommandContext::of_request(&context, &principal, body.fingerprint);
    let position = credit.pay(id, body.value.amount, &command).await?;
    shown(&credit, id, position).await
}

/// See one's own credit
#[utoipa::path(
    get,
    path = "/api/v1/me/credit",
    tag = "Credit",
    operation_id = "ownCredit",
    responses(
        (status = 200, description = "The limit, what counts against it, and what is left", body = CreditAccount),
        (status = 404, description = "This account may not buy by invoice", body = ProblemDocument,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
async fn get_own(credit: Arc<Credit>, principal: Principal) -> Result<Response, Problem> {
    shown(&credit, principal.account_id, None).await
}

async fn shown(credit: &Credit, id: AccountId, position: Option<Position>) -> Result<Response, Problem> {
    let account = credit.of(id).await?;
    let account = account.ok_or_else(|| Problem::not_found("no credit limit was ever set for this account"))?;
    let response = reply::ok(&account);
    Ok(match position {
        Some(position) => reply::with_token(response, ConsistencyToken::at(position.0)),
        None => response,
    })
}
