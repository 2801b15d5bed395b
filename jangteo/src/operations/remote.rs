//! On a running shop, over HTTP.

use std::time::Duration;

use async_trait::async_trait;
use event_log::{Direction, EventFilter};
use event_schemas::{DeadLetterId, StreamName, saga::SagaStatus};
use projections::{AuditScope, CutOver, Decision};
use read_models::sagas::{SagaView, SagasView};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{OperationError, Operations, no_such_saga, no_such_stream};
use crate::ops::{
    auditing::AuditView,
    circuits::CircuitsView,
    comparison::ComparisonView,
    dead_letters::DeadLettersView,
    sagas::RetryAccepted,
    undelivered::UndeliveredView,
    view::{LogPage, ProjectionView, ProjectionsView, RebuildAccepted, StatsView, StreamPage, StreamsPage},
};

/// How long the shop may take to answer, beside what it was asked to wait.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running shop, and the right to operate it.
#[derive(Clone)]
pub struct RemoteShop {
    client: reqwest::Client,
    url: String,
    token: String,
}

/// What is read of a problem document.
#[derive(Deserialize)]
struct ProblemView {
    title: String,
    #[serde(default)]
    detail: Option<String>,
}

impl RemoteShop {
    /// The shop at `url` (`http://127.0.0.1:8080`), with an operator's token.
    pub fn new(url: &str, token: &str) -> Self {
        Self {
            client: reqwest::Client::new(),
            url: url.trim_end_matches('/').to_owned(),
            token: token.to_owned(),
        }
    }

    /// Whether anything that speaks HTTP answers there.
    pub async fn answers(&self) -> bool {
        let asked = self.client.get(format!("{}/healthz", self.url));
        asked.timeout(Duration::from_secs(2)).send().await.is_ok()
    }

    /// Posts lines of JSON.
    pub(crate) async fn post_ndjson<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Vec<u8>,
    ) -> Result<T, OperationError> {
        let request = self.request(Method::POST, path);
        let request = request.header("content-type", "application/x-ndjson").body(body);
        self.sent(request).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.token)
            .timeout(PATIENCE)
    }

    /// Reads.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<T, OperationError> {
        self.sent(self.request(Method::GET, &with_query(path, query))).await
    }

    /// Posts JSON.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl serde::Serialize,
    ) -> Result<T, OperationError> {
        self.sent(self.request(Method::POST, path).json(body)).await
    }

    async fn sent<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, OperationError> {
        let body = self.answer(request).await?;
        serde_json::from_slice(&body).map_err(|error| {
            OperationError::Shop(format!(
                "{} answered what this version of jangteo does not understand: {error}",
                self.url
            ))
        })
    }

    /// What is answered without a body.
    async fn done(&self, request: RequestBuilder) -> Result<(), OperationError> {
        self.answer(request).await.map(|_| ())
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Vec<u8>, OperationError> {
        let unreachable = |error: reqwest::Error| {
            OperationError::Shop(format!(
                "the shop at {} does not answer ({}): is it running? `jangteo up` starts it",
                self.url,
                innermost(&error)
            ))
        };
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(unreachable)?;
        if !status.is_success() {
            return Err(self.refused(status, &body));
        }
        Ok(body.to_vec())
    }

    fn refused(&self, status: StatusCode, body: &[u8]) -> OperationError {
        let problem: Option<ProblemView> = serde_json::from_slice(body).ok();
        let said = problem.map_or_else(
            || String::from_utf8_lossy(body).chars().take(200).collect(),
            |problem| match problem.detail {
                Some(detail) => format!("{}: {detail}", problem.title),
                None => problem.title,
            },
        );
        match status {
            StatusCode::NOT_FOUND => OperationError::NotFound(said),
            StatusCode::CONFLICT => OperationError::Projections(said),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => OperationError::Shop(format!(
                "{} refuses ({status}, {said}): give an operator's token with --token or JANGTEO_TOKEN, \
                 or run this as the user who owns the data folder",
                self.url
            )),
            _ => OperationError::Shop(format!("{} refuses ({status}): {said}", self.url)),
        }
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

fn with_query(path: &str, query: &[(&str, String)]) -> String {
    let mut text = path.to_owned();
    for (place, (name, value)) in query.iter().enumerate() {
        text.push(if place == 0 { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        text.push_str(&percent_encoded(value));
    }
    text
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn projection(name: &str, what: &str) -> String {
    format!("/api/v1/ops/projections/{}/{what}", percent_encoded(name))
}

/// Operates a running shop.
pub struct RemoteOperations {
    shop: RemoteShop,
}

impl RemoteOperations {
    /// On that shop.
    pub fn new(shop: RemoteShop) -> Self {
        Self { shop }
    }
}

#[async_trait]
impl Operations for RemoteOperations {
    async fn streams(&self, prefix: &str, after: Option<&str>, size: usize) -> Result<StreamsPage, OperationError> {
        let mut query = vec![("prefix", prefix.to_owned()), ("size", size.to_string())];
        query.extend(after.map(|after| ("after", after.to_owned())));
        self.shop.get("/api/v1/ops/streams", &query).await
    }

    async fn stream(
        &self,
        name: &StreamName,
        from: Option<u64>,
        direction: Direction,
        size: usize,
    ) -> Result<StreamPage, OperationError> {
        let direction = match direction {
            Direction::Forwards => "forwards",
            Direction::Backwards => "backwards",
        };
        let mut query = vec![("direction", direction.to_owned()), ("size", size.to_string())];
        query.extend(from.map(|from| ("from", from.to_string())));
        let path = format!("/api/v1/ops/streams/{}", percent_encoded(name.as_str()));
        match self.shop.get(&path, &query).await {
            Err(OperationError::NotFound(_)) => Err(no_such_stream(name)),
            answer => answer,
        }
    }

    async fn events(
        &self,
        after: u64,
        filter: &EventFilter,
        size: usize,
        wait: Duration,
    ) -> Result<LogPage, OperationError> {
        let mut query = vec![("after", after.to_string()), ("size", size.to_string())];
        query.push(("wait", wait.as_secs().to_string()));
        query.push(("category", filter.categories.join(",")));
        query.push(("type", filter.types.join(",")));
        self.shop.get("/api/v1/ops/events", &query).await
    }

    fn is_live(&self) -> bool {
        true
    }

    async fn stats(&self) -> Result<StatsView, OperationError> {
        self.shop.get("/api/v1/ops/stats", &[]).await
    }

    async fn projections(&self) -> Result<Vec<ProjectionView>, OperationError> {
        match self.shop.get("/api/v1/ops/projections", &[]).await {
            Ok(ProjectionsView { projections, .. }) => Ok(projections),
            Err(OperationError::NotFound(_)) => Err(OperationError::NotFound(format!(
                "the process at {} runs no projections: in a shop whose roles have processes of their own, ask the projection \
                 role (its --data or --server)",
                self.shop.url
            ))),
            Err(error) => Err(error),
        }
    }

    async fn rebuild(&self, name: &str, cut_over: CutOver) -> Result<(), OperationError> {
        let cut_over = match cut_over {
            CutOver::OnApproval => "on_approval",
            CutOver::IfIdentical => "if_identical",
            CutOver::Always => "always",
        };
        let path = projection(name, "rebuilds");
        let path = with_query(&path, &[("cut_over", cut_over.to_owned())]);
        let request = self.shop.request(Method::POST, &path);
        let _: RebuildAccepted = self.shop.sent(request).await?;
        Ok(())
    }

    async fn decide(&self, name: &str, decision: Decision) -> Result<(), OperationError> {
        let what = match decision {
            Decision::Approve => "approvals",
            Decision::Reject => "rejections",
            Decision::RollBack => "rollbacks",
        };
        let request = self.shop.request(Method::POST, &projection(name, what));
        let _: RebuildAccepted = self.shop.sent(request).await?;
        Ok(())
    }

    async fn comparison(&self, name: &str) -> Result<Option<ComparisonView>, OperationError> {
        match self.shop.get(&projection(name, "comparison"), &[]).await {
            Ok(comparison) => Ok(Some(comparison)),
            Err(OperationError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn audit(&self, name: &str, scope: AuditScope) -> Result<(), OperationError> {
        let query = [("all", scope.all.to_string()), ("repair", scope.repair.to_string())];
        let path = with_query(&projection(name, "audits"), &query);
        let _: AuditView = self.shop.sent(self.shop.request(Method::POST, &path)).await?;
        Ok(())
    }

    async fn audited(&self, name: &str) -> Result<AuditView, OperationError> {
        self.shop.get(&projection(name, "audits"), &[]).await
    }

    async fn dead_letters(&self, name: &str, size: usize) -> Result<DeadLettersView, OperationError> {
        let query = [("size", size.to_string())];
        self.shop.get(&projection(name, "dead-letters"), &query).await
    }

    async fn undelivered(&self, all: bool) -> Result<UndeliveredView, OperationError> {
        let query = [("all", all.to_string())];
        match self.shop.get("/api/v1/ops/subscribers", &query).await {
            Err(OperationError::NotFound(_)) => Err(OperationError::NotFound(format!(
                "the process at {} runs no subscribers: in a shop whose roles have processes of their own, ask the saga role (its \
                 --data or --server)",
                self.shop.url
            ))),
            answer => answer,
        }
    }

    async fn retry(&self, id: DeadLetterId) -> Result<(), OperationError> {
        let path = format!("/api/v1/ops/dead-letters/{id}/retries");
        self.shop.done(self.shop.request(Method::POST, &path)).await
    }

    async fn discard(&self, id: DeadLetterId, reason: &str) -> Result<(), OperationError> {
        let path = format!("/api/v1/ops/dead-letters/{id}/discards");
        let request = self.shop.request(Method::POST, &path);
        self.shop
            .done(request.json(&serde_json::json!({ "reason": reason })))
            .await
    }

    async fn circuits(&self) -> Result<CircuitsView, OperationError> {
        self.shop.get("/api/v1/ops/circuits", &[]).await
    }

    async fn sagas(&self, status: Option<SagaStatus>, size: usize) -> Result<SagasView, OperationError> {
        let mut query = vec![("size", size.to_string())];
        let word = status.and_then(|status| serde_json::to_value(status).ok());
        query.extend(word.and_then(|word| Some(("state", word.as_str()?.to_owned()))));
        self.shop.get("/api/v1/ops/sagas", &query).await
    }

    async fn saga(&self, id: Uuid) -> Result<SagaView, OperationError> {
        self.shop.get(&format!("/api/v1/ops/sagas/{id}"), &[]).await
    }

    async fn retry_saga(&self, id: Uuid) -> Result<(), OperationError> {
        let path = format!("/api/v1/ops/sagas/{id}/retry");
        let told: Result<RetryAccepted, _> = self.shop.sent(self.shop.request(Method::POST, &path)).await;
        match told {
            Ok(_) => Ok(()),
            Err(OperationError::NotFound(_)) => Err(no_such_saga(id)),
            Err(OperationError::Projections(over)) => Err(OperationError::Saga(over)),
            Err(error) => Err(error),
        }
    }

    async fn close(&self) {}
}
