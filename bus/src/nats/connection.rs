//! Where the server is, and how we come to it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_nats::{
    ConnectOptions, Event, jetstream,
    rustls::{self, ClientConfig, RootCertStore, pki_types::CertificateDer, pki_types::pem::PemObject as _},
};
use resilience::Outlet;
use tokio::sync::watch;

use super::{Nats, NatsError};

/// How long the server may take for one request.
const REQUEST: Duration = Duration::from_secs(5);
/// How many messages may be on their way to the server, all senders of this process together.
const IN_FLIGHT: usize = 4_096;

/// Where NATS is.
#[derive(Debug, Clone)]
pub struct NatsSettings {
    /// `nats://host:4222` or `tls://host:4222`; several, with commas between, for a cluster.
    pub url: String,
    /// What all subjects begin with, and in capitals the streams' names. Two shops on one server differ here.
    pub prefix: String,
    /// Who we are; none where the URL says it, or nobody asks.
    pub credentials: Option<Credentials>,
    /// Whom to trust beside the system's authorities (PEM).
    pub trusted: Option<PathBuf>,
}

/// Who we are to the server.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A NATS credentials file: a JWT and the seed that signs for it.
    Signed(String),
    /// A user and a password.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// A token.
    Token(String),
}

impl Credentials {
    /// From a file: one that NATS tools wrote (`.creds`), or a line `user:password`, or a line with a token.
    ///
    /// # Errors
    /// When it cannot be read or is empty.
    pub fn read(file: &Path) -> io::Result<Self> {
        let text = std::fs::read_to_string(file)?;
        Self::parse(&text).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the file is empty"))
    }

    fn parse(text: &str) -> Option<Self> {
        if text.contains("BEGIN NATS USER JWT") {
            return Some(Self::Signed(text.to_owned()));
        }
        let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
        Some(match line.split_once(':') {
            Some((user, password)) => Self::Password {
                user: user.to_owned(),
                password: password.to_owned(),
            },
            None => Self::Token(line.to_owned()),
        })
    }
}

/// Never a secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signed(_) => "Signed(…)",
            Self::Password { .. } => "Password(…)",
            Self::Token(_) => "Token(…)",
        })
    }
}

impl Nats {
    /// Connects. From then on the connection is renewed whenever it is lost.
    ///
    /// # Errors
    /// When the server cannot be reached or will not have us.
    pub async fn connect(settings: &NatsSettings) -> Result<Self, NatsError> {
        let url = without_credentials(&settings.url);
        let failed = |detail: &dyn fmt::Display| NatsError {
            url: url.clone(),
            detail: detail.to_string(),
        };
        let (there, connected) = watch::channel(true);
        let shown = url.clone();
        let tls = tls(settings.trusted.as_deref()).map_err(|error| failed(&error))?;
        let options = ConnectOptions::new()
            .name("jangteo")
            .tls_client_config(tls)
            .connection_timeout(REQUEST)
            .request_timeout(Some(REQUEST))
            .ping_interval(Duration::from_secs(10))
            .event_callback(move |event| note(&there, &shown, &event));
        let options = signed_in(options, settings.credentials.as_ref()).map_err(|error| failed(&error))?;
        let servers: Vec<&str> = settings.url.split(',').map(str::trim).collect();
        let client = options.connect(servers).await.map_err(|error| failed(&error))?;
        let context = jetstream::context::ContextBuilder::new()
            .timeout(REQUEST)
            .ack_timeout(REQUEST)
            .max_ack_inflight(IN_FLIGHT)
            .build(client);
        Ok(Self {
            context,
            outlet: Outlet::new("nats", way_out()),
            prefix: settings.prefix.clone(),
            url,
            connected,
        })
    }
}

/// The server says when it is back: a breaker that waits longer than that would hold up what could go.
fn way_out() -> resilience::Settings {
    resilience::Settings::default()
        .places(IN_FLIGHT)
        .patience(REQUEST)
        .deadline(REQUEST + Duration::from_secs(1))
        .breaks(5, Duration::from_millis(200), Duration::from_secs(2))
}

fn signed_in(options: ConnectOptions, credentials: Option<&Credentials>) -> io::Result<ConnectOptions> {
    match credentials {
        None => Ok(options),
        Some(Credentials::Signed(text)) => options.credentials(text),
        Some(Credentials::Password { user, password }) => Ok(options.user_and_password(user.clone(), password.clone())),
        Some(Credentials::Token(token)) => Ok(options.token(token.clone())),
    }
}

/// With a provider of its own: one that the process installs for all breaks EventStoreDB's client, which brings its own.
fn tls(trusted: Option<&Path>) -> Result<ClientConfig, Box<dyn std::error::Error + Send + Sync>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = trusted {
        for certificate in CertificateDer::pem_file_iter(file)? {
            roots.add(certificate?)?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Keeps whether the server is there, and tells operators what became of the connection.
fn note(there: &watch::Sender<bool>, url: &str, event: &Event) -> std::future::Ready<()> {
    let before = *there.borrow();
    let now = match event {
        Event::Connected => true,
        Event::Disconnected | Event::Closed => false,
        _ => before,
    };
    there.send_replace(now);
    metrics::gauge!("jangteo_nats_connected").set(if now { 1.0 } else { 0.0 });
    match event {
        // The first connection and our own farewell are no news.
        Event::Closed => {}
        Event::Connected | Event::Disconnected if before != now => tell_change(url, now),
        Event::Connected | Event::Disconnected => {}
        other => tell(url, other),
    }
    std::future::ready(())
}

fn tell_change(url: &str, there: bool) {
    if there {
        tracing::info!(url, "NATS is back");
    } else {
        tracing::warn!(url, "NATS is away; commands and events wait");
    }
}

fn tell(url: &str, event: &Event) {
    let trouble = matches!(event, Event::ServerError(_) | Event::SlowConsumer(_));
    if trouble {
        tracing::warn!(url, %event, "NATS");
    } else {
        tracing::debug!(url, %event, "NATS");
    }
}

/// The address as it may be shown.
fn without_credentials(url: &str) -> String {
    let one = |url: &str| match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => url.to_owned(),
    };
    url.split(',').map(|url| one(url.trim())).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read_in_three_forms_and_never_shown() {
        let password = Credentials::parse("\nshop:s3:cret\n").unwrap();
        let (user, secret) = ("shop".to_owned(), "s3:cret".to_owned());
        assert_eq!(password, Credentials::Password { user, password: secret });
        assert_eq!(format!("{password:?}"), "Password(…)");
        assert_eq!(
            Credentials::parse(" tok \n"),
            Some(Credentials::Token("tok".to_owned()))
        );
        let signed = Credentials::parse("-----BEGIN NATS USER JWT-----\nx");
        assert!(matches!(signed, Some(Credentials::Signed(_))));
        assert_eq!(Credentials::parse(" \n"), None);
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        assert_eq!(without_credentials("nats://u:p@h:4222"), "nats://h:4222");
        assert_eq!(without_credentials("nats://a:1, tls://t@b:2"), "nats://a:1,tls://b:2");
    }
}
