//! The simulated provider as a server: its own JSON, Stripe's shapes and Toss Payments', all over one ledger; faults on
//! request; signed webhooks. `jangteo simulate provider` runs it.
//!
//! | path | what |
//! |---|---|
//! | `/v1/operations`, `/v1/ledger` | its own JSON (`own`) |
//! | `/v1/payment_intents`, `/v1/refunds`, `/v1/balance_transactions` | Stripe's (`stripe`) |
//! | `/v1/payments`, `/v1/transactions` | Toss Payments' (`toss`) |
//! | `/faults` | what goes wrong from now on ([`faults`]) |

pub mod faults;
mod own;
mod request;
mod stripe;
mod toss;
mod webhooks;

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet, time::sleep};

pub use self::webhooks::WebhookTarget;
use self::{
    faults::{Call, Fault, Faults, Mischief},
    request::Request,
    webhooks::Webhooks,
};
use super::{SimulatorSettings, ledger::Ledger};

/// How long a call whose answer never comes is held open.
const NEVER: Duration = Duration::from_secs(60);

/// The server.
pub struct ProviderServer {
    ledger: Arc<Ledger>,
    mischief: Mischief,
    webhooks: Option<Webhooks>,
    /// What callers must present; anybody may call where there is none.
    key: Option<String>,
}

/// An answer, and whom to tell what it did.
struct Answer {
    status: StatusCode,
    body: Value,
    news: Option<webhooks::News>,
}

impl Answer {
    fn of(status: u16, body: Value) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            body,
            news: None,
        }
    }
}

/// The connection breaks.
#[derive(Debug, thiserror::Error)]
#[error("the connection breaks, as was wished")]
struct Broken;

/// What a request turned out to be: which call, and how it is done.
type Act = Box<dyn FnOnce(&Ledger) -> Answer + Send>;

impl ProviderServer {
    /// Over the ledger in `folder`.
    ///
    /// # Errors
    /// When the ledger cannot be opened.
    pub fn open(folder: &Path, settings: SimulatorSettings) -> Result<Self, fjall::Error> {
        Ok(Self {
            ledger: Arc::new(Ledger::open(folder, settings.slow)?),
            mischief: Mischief::default(),
            webhooks: None,
            key: None,
        })
    }

    /// With a key that callers must present: as a bearer token, or as the user of basic authentication.
    #[must_use]
    pub fn with_key(self, key: Option<String>) -> Self {
        Self { key, ..self }
    }

    /// Telling the shop what was done.
    #[must_use]
    pub fn with_webhooks(self, target: Option<WebhookTarget>) -> Self {
        let webhooks = target.map(Webhooks::new);
        Self { webhooks, ..self }
    }

    /// With faults from the beginning.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        self.mischief.set(faults);
        self
    }

    /// Serves until dropped.
    pub async fn serve(self, listener: TcpListener) {
        let server = Arc::new(self);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let _ = stream.set_nodelay(true);
                        let server = Arc::clone(&server);
                        connections.spawn(async move {
                            let service = service_fn(move |request| Arc::clone(&server).respond(request));
                            let protocol = auto::Builder::new(TokioExecutor::new());
                            if let Err(error) = protocol.serve_connection(TokioIo::new(stream), service).await {
                                tracing::debug!(%error, "a connection to the provider ended early");
                            }
                        });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        sleep(Duration::from_millis(50)).await;
                    }
                }
            }
        }
    }

    async fn respond(self: Arc<Self>, request: hyper::Request<Incoming>) -> Result<Response<Full<Bytes>>, Broken> {
        let request = Request::read(request).await.map_err(|_| Broken)?;
        let answer = match (&request.method, request.path.as_str()) {
            (_, "/healthz") => Answer::of(200, json!({})),
            (&Method::PUT, "/faults") => match serde_json::from_slice(&request.body) {
                Ok(faults) => {
                    self.mischief.set(faults);
                    Answer::of(200, json!(self.mischief.shown()))
                }
                Err(error) => Answer::of(422, json!({ "error": error.to_string() })),
            },
            (_, "/faults") => Answer::of(200, json!(self.mischief.shown())),
            _ if !request.presents(self.key.as_deref()) => Answer::of(401, json!({ "error": "wrong key" })),
            _ => match read(&request) {
                Some((call, act)) => self.under_faults(call, request.key.as_deref(), act).await?,
                None => Answer::of(404, json!({ "error": "no such path" })),
            },
        };
        let mut response = Response::new(Full::from(answer.body.to_string()));
        *response.status_mut() = answer.status;
        let json = hyper::header::HeaderValue::from_static("application/json");
        response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
        Ok(response)
    }

    async fn under_faults(self: &Arc<Self>, call: Call, key: Option<&str>, act: Act) -> Result<Answer, Broken> {
        let fault = self.mischief.draw(call);
        match fault {
            Some((Fault::Timeout, _)) => {
                sleep(NEVER).await;
                return Err(Broken);
            }
            Some((Fault::Drop, _)) => return Err(Broken),
            Some((Fault::Error500, _)) => return Ok(Answer::of(500, json!({ "error": "as was wished" }))),
            Some((Fault::Conflict409, _)) => return Ok(Answer::of(409, json!({ "error": "as was wished" }))),
            _ => {}
        }
        let late = match fault {
            Some((Fault::Slow, millis)) => Duration::from_millis(millis),
            _ => Duration::ZERO,
        };
        let answer = self.act(late, key, act).await?;
        match fault {
            Some((Fault::ActThenDrop, _)) => Err(Broken),
            Some((Fault::ActThenTimeout, _)) => {
                sleep(NEVER).await;
                Err(Broken)
            }
            Some((Fault::ActThenError500, _)) => Ok(Answer::of(500, json!({ "error": "as was wished" }))),
            _ => Ok(answer),
        }
    }

    /// Does it in a task of its own: a caller who hangs up does not undo it.
    async fn act(self: &Arc<Self>, late: Duration, key: Option<&str>, act: Act) -> Result<Answer, Broken> {
        let (server, key) = (Arc::clone(self), key.map(str::to_owned));
        let acting = tokio::spawn(async move {
            sleep(late).await;
            let mut answer = act(&server.ledger);
            if let (Some(webhooks), Some(news)) = (&server.webhooks, answer.news.take()) {
                webhooks.tell(news);
            }
            let decided = key.and_then(|key| server.ledger.decided(&key).ok().flatten());
            let Some(decided) = decided else { return Ok(answer) };
            sleep(decided.left()).await;
            if decided.loses_its_answer() {
                Err(Broken)
            } else {
                Ok(answer)
            }
        });
        acting.await.map_err(|_| Broken)?
    }
}

/// Which call it is, in whose shapes.
fn read(request: &Request) -> Option<(Call, Act)> {
    own::read(request)
        .or_else(|| stripe::read(request))
        .or_else(|| toss::read(request))
}
