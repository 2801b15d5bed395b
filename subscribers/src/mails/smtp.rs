//! A mail server, by SMTP.

use std::time::Duration;

use async_trait::async_trait;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    transport::smtp::{self, authentication::Credentials},
};
use resilience::{CallError, Failure, Outlet, Settings};

use super::{Letter, Post, PostError, Sender};

/// How long a mail may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// "Service not available, closing transmission channel": the server speaks of itself, not of the mail.
const SHUTTING_DOWN: u16 = 421;

/// Which mail server, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpSettings {
    /// `smtps://host`, `smtp://host?tls=required`, or `smtp://host:port` without TLS.
    pub url: String,
    /// Name and password, where the server wants some.
    pub credentials: Option<(String, String)>,
}

/// The settings name no mail server.
#[derive(Debug, thiserror::Error)]
#[error("{0}: expected smtps://host, smtp://host?tls=required or smtp://host:port")]
pub struct NoSmtp(smtp::Error);

/// Hands mails to a mail server.
pub struct SmtpPost {
    server: AsyncSmtpTransport<Tokio1Executor>,
    outlet: Outlet,
}

impl SmtpPost {
    /// To this server. Nothing is sent yet.
    ///
    /// # Errors
    /// When the URL names none.
    pub fn new(settings: &SmtpSettings) -> Result<Self, NoSmtp> {
        let mut server = AsyncSmtpTransport::<Tokio1Executor>::from_url(&settings.url).map_err(NoSmtp)?;
        if let Some((name, password)) = &settings.credentials {
            server = server.credentials(Credentials::new(name.clone(), password.clone()));
        }
        let outlet = Outlet::new("smtp", Settings::default().places(4).deadline(DEADLINE));
        Ok(Self {
            server: server.timeout(Some(DEADLINE)).build(),
            outlet,
        })
    }
}

#[async_trait]
impl Post for SmtpPost {
    async fn hand_over(&self, letter: &Letter, sender: &Sender) -> Result<(), PostError> {
        let message = letter.message(sender)?;
        // Once: whether a mail whose answer was lost went out cannot be asked. The subscriber tries again, more slowly.
        let sent = self.outlet.call_once(|| async {
            let sent = self.server.send(message).await;
            sent.map(|_| ()).map_err(SmtpError)
        });
        sent.await.map_err(|failure| match failure {
            Failure::Failed(error) if !error.may_pass() => PostError::Refused(error.to_string()),
            failure => PostError::Away(failure.to_string()),
        })
    }
}

/// What the server said, or that it said nothing.
#[derive(Debug, thiserror::Error)]
#[error("{}", innermost(.0))]
struct SmtpError(smtp::Error);

impl CallError for SmtpError {
    fn may_pass(&self) -> bool {
        match self.0.status() {
            Some(code) => u16::from(code) == SHUTTING_DOWN,
            None => !self.0.is_client(),
        }
    }
}

fn innermost(error: &smtp::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    match error.status() {
        Some(code) => format!("{code} {cause}"),
        None => cause.to_string(),
    }
}
