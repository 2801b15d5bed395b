//! One HTTP/1.1 connection: the least a client can cost.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::Result;

/// A connection that carries one request at a time.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    authority: String,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The `Consistency-Token`, where there was one.
    pub(crate) consistency: Option<String>,
    pub(crate) body: Bytes,
}

impl Connection {
    pub(crate) async fn open(authority: &str) -> Result<Self> {
        let stream = TcpStream::connect(authority).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            authority: authority.to_owned(),
        })
    }

    /// Sends a request; any status is an answer.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        bearer: Option<&str>,
        consistency: Option<&str>,
        body: Option<Bytes>,
    ) -> Result<Answer> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.authority);
        if let Some(token) = bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(token) = consistency {
            request = request.header("consistency-token", token);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        self.sender.ready().await?;
        let response: Response<Incoming> = self
            .sender
            .send_request(request.body(Full::new(body.unwrap_or_default()))?)
            .await?;
        let status = response.status().as_u16();
        let token = response.headers().get("consistency-token");
        let consistency = token.and_then(|token| token.to_str().ok()).map(str::to_owned);
        let body = response.into_body().collect().await?.to_bytes();
        Ok(Answer {
            status,
            consistency,
            body,
        })
    }

    /// Sends JSON, expects success, reads JSON.
    pub(crate) async fn json(&mut self, method: &str, path: &str, bearer: Option<&str>, body: &Value) -> Result<Value> {
        let sent = (!body.is_null()).then(|| Bytes::from(body.to_string()));
        let answer = self.send(method, path, bearer, None, sent).await?;
        if answer.status >= 300 {
            return Err(format!(
                "{method} {path}: {} {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            )
            .into());
        }
        if answer.body.is_empty() {
            Ok(Value::Null)
        } else {
            Ok(serde_json::from_slice(&answer.body)?)
        }
    }
}
