//! Accounts over HTTP.

use std::sync::Arc;

use edge::{
    ConsistencyToken, JsonBody, Principal, Problem, ProblemDocument, RequestContext, Response, Role, Tokens,
    authenticated, body::JSON_LIMIT, json_body, reply, request_context, require,
};
use event_schemas::AccountId;
use utoipa::OpenApi;
use warp::{Filter, filters::BoxedFilter, http::StatusCode};

use super::{Account, Accounts, Credentials, Done, NewAccount, NewRoles, RefreshToken, SetUp, SignedIn, credit};

/// The routes: register, roles, set-up, sign in, refresh, sign out.
pub fn routes(accounts: Arc<Accounts>, tokens: Arc<Tokens>) -> BoxedFilter<(Response,)> {
    let credit = credit::routes::routes(Arc::clone(accounts.credit()), Arc::clone(&tokens));
    let v1 = warp::path!("api" / "v1" / ..);
    let with_accounts = warp::any().map(move || Arc::clone(&accounts));
    let signed_in = authenticated(tokens);

    let register = warp::path!("accounts")
        .and(warp::post())
        .and(with_accounts.clone())
        .and(request_context())
        .and(json_body(JSON_LIMIT))
        .then(post_account)
        .map(reply::finish);
    let roles = warp::path!("accounts" / AccountId / "roles")
        .and(warp::put())
        .and(with_accounts.clone())
        .and(request_context())
        .and(signed_in.clone())
        .and(json_body(JSON_LIMIT))
        .then(put_roles)
        .map(reply::finish);
    let setup = warp::path!("setup")
        .and(warp::post())
        .and(with_accounts.clone())
        .and(request_context())
        .and(json_body(JSON_LIMIT))
        .then(post_setup)
        .map(reply::finish);
    let refresh = warp::path!("sessions" / "refresh")
        .and(warp::post())
        .and(with_accounts.clone())
        .and(request_context())
        .and(json_body(JSON_LIMIT))
        .then(post_refresh)
        .map(reply::finish);
    let sign_in = warp::path!("sessions")
        .and(warp::post())
        .and(with_accounts.clone())
        .and(request_context())
        .and(json_body(JSON_LIMIT))
        .then(post_session)
        .map(reply::finish);
    let sign_out = warp::path!("sessions")
        .and(warp::delete())
        .and(with_accounts)
        .and(request_context())
        .and(signed_in)
        .then(delete_session)
        .map(reply::finish);
    let routes = sign_in.or(refresh).unify().or(sign_out).unify().or(register).unify();
    v1.and(routes.or(roles).unify().or(setup).unify())
        .or(credit)
        .unify()
        .boxed()
}

/// The description of these routes.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut all = Description::openapi();
    all.merge(credit::routes::openapi());
    all
}

#[derive(OpenApi)]
#[openapi(
    paths(post_account, put_roles, post_setup, post_session, post_refresh, delete_session),
    components(schemas(
        Account,
        NewAccount,
        NewRoles,
        SetUp,
        Credentials,
        RefreshToken,
        SignedIn,
        ProblemDocument,
        Role
    ))
)]
struct Description;

/// Register as a customer
#[utoipa::path(
    post,
    path = "/api/v1/accounts",
    tag = "Accounts",
    operation_id = "registerAccount",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body get the same answer")),
    request_body = NewAccount,
    responses(
        (status = 201, description = "Registered, as a customer", body = Account,
         headers(("Consistency-Token" = String, description = "For queries that should see it"))),
        (status = 409, description = "The address is taken", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 422, description = "Fields are not acceptable, or the key was used with another body",
         body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn post_account(
    accounts: Arc<Accounts>,
    context: RequestContext,
    body: JsonBody<NewAccount>,
) -> Result<Response, Problem> {
    created(&accounts.register(&body.value, &body.fingerprint, &context).await?)
}

/// Decide what an account may do
#[utoipa::path(
    put,
    path = "/api/v1/accounts/{id}/roles",
    tag = "Accounts",
    operation_id = "changeRoles",
    params(("id" = AccountId, Path, description = "Whose roles")),
    request_body = NewRoles,
    responses(
        (status = 200, description = "The account has these roles and no others; sessions learn of it when they refresh",
         body = Account),
        (status = 403, description = "Only admins may", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "No such account", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 409, description = "Nobody would be left to give roles", body = ProblemDocument,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
async fn put_roles(
    id: AccountId,
    accounts: Arc<Accounts>,
    context: RequestContext,
    principal: Principal,
    body: JsonBody<NewRoles>,
) -> Result<Response, Problem> {
    require(&principal, &[Role::Admin])?;
    let done = accounts.change_roles(id, &body.value, &principal, &context).await?;
    Ok(with_position(reply::ok(&done.answer), &done))
}

/// Make the first admin of an empty shop
#[utoipa::path(
    post,
    path = "/api/v1/setup",
    tag = "Accounts",
    operation_id = "setUp",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body get the same answer")),
    request_body = SetUp,
    responses(
        (status = 201, description = "There is an admin, who may also sell and look after the shop", body = Account),
        (status = 403, description = "Not the token that was printed", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 409, description = "There is an admin already", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 422, description = "Fields are not acceptable", body = ProblemDocument,
         content_type = "application/problem+json"),
    )
)]
async fn post_setup(
    accounts: Arc<Accounts>,
    context: RequestContext,
    body: JsonBody<SetUp>,
) -> Result<Response, Problem> {
    created(&accounts.set_up(&body.value, &body.fingerprint, &context).await?)
}

/// Sign in
#[utoipa::path(
    post,
    path = "/api/v1/sessions",
    tag = "Accounts",
    operation_id = "signIn",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body get the same answer")),
    request_body = Credentials,
    responses(
        (status = 201, description = "Signed in", body = SignedIn),
        (status = 401, description = "Address or password is wrong", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong passwords for this address; see Retry-After",
         body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn post_session(
    accounts: Arc<Accounts>,
    context: RequestContext,
    body: JsonBody<Credentials>,
) -> Result<Response, Problem> {
    let signed_in = accounts.sign_in(&body.value, &body.fingerprint, &context).await?;
    Ok(never_stored(reply::json(StatusCode::CREATED, &signed_in)))
}

/// Stay signed in
#[utoipa::path(
    post,
    path = "/api/v1/sessions/refresh",
    tag = "Accounts",
    operation_id = "refreshSession",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body get the same answer")),
    request_body = RefreshToken,
    responses(
        (status = 201, description = "A new pair of tokens; the refresh token that was sent is used up", body = SignedIn),
        (status = 401, description = "The refresh token is not valid any more; where it had been used before, its whole \
         session is ended", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn post_refresh(
    accounts: Arc<Accounts>,
    context: RequestContext,
    body: JsonBody<RefreshToken>,
) -> Result<Response, Problem> {
    let signed_in = accounts.refresh(&body.value, &context).await?;
    Ok(never_stored(reply::json(StatusCode::CREATED, &signed_in)))
}

/// Sign out
#[utoipa::path(
    delete,
    path = "/api/v1/sessions",
    tag = "Accounts",
    operation_id = "signOut",
    responses(
        (status = 204, description = "The session cannot be refreshed any more"),
        (status = 401, description = "Nobody is signed in", body = ProblemDocument,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
async fn delete_session(
    accounts: Arc<Accounts>,
    context: RequestContext,
    principal: Principal,
) -> Result<Response, Problem> {
    accounts.sign_out(&principal, context.received_at).await?;
    Ok(reply::no_content())
}

fn created(done: &Done<Account>) -> Result<Response, Problem> {
    let location = format!("/api/v1/accounts/{}", done.answer.id);
    Ok(with_position(reply::created(&location, &done.answer), done))
}

fn with_position<T>(response: Response, done: &Done<T>) -> Response {
    match done.position {
        Some(position) => reply::with_token(response, ConsistencyToken::at(position.0)),
        None => response,
    }
}

/// Tokens are for one pair of eyes: no cache on the way keeps them (RFC 6749, 5.1).
fn never_stored(mut response: Response) -> Response {
    let no_store = warp::http::HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(warp::http::header::CACHE_CONTROL, no_store);
    response
}
