//! What a connection string says.

use std::{fmt, io, path::PathBuf};

use base64::Engine;
use eventstore::{ClientSettings, Credentials};

/// Why no log could be made of a connection string. Whether the server answers is not looked at: calls wait for that.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Not a connection string.
    #[error(
        "{0:?} is no connection string of an event log: expected esdb://[user:password@]host:port[,host:port…][?tls=false]"
    )]
    Malformed(String),
    /// Understood, but not to be had here.
    #[error("the event log cannot be reached this way: {0}")]
    Unsupported(String),
    /// The certificates to trust could not be read.
    #[error("the certificates in {path} cannot be used: {detail}")]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        detail: String,
    },
    /// TLS could not be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// The listener inside this process.
    #[error("no listener on loopback: {0}")]
    Listener(#[from] io::Error),
}

/// One node of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl From<eventstore::Endpoint> for Node {
    fn from(endpoint: eventstore::Endpoint) -> Self {
        Self {
            host: endpoint.host.trim_matches(['[', ']']).to_owned(),
            port: u16::try_from(endpoint.port).unwrap_or(2113),
        }
    }
}

/// Who we are to the server.
#[derive(Clone)]
pub(crate) struct Login {
    user: String,
    password: String,
}

impl Login {
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// For the client.
    pub(crate) fn credentials(&self) -> Credentials {
        Credentials::new(self.user.clone(), self.password.clone())
    }

    /// For a plain HTTP request.
    pub(crate) fn basic(&self) -> String {
        let text = format!("{}:{}", self.user, self.password);
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
    }
}

/// Whom to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The certificates of the platform.
    Platform,
    /// Those in this file.
    File(PathBuf),
    /// Anybody: `tlsVerifyCert=false`.
    Anybody,
}

/// A connection string, taken apart.
pub(crate) struct Address {
    /// At least one.
    pub(crate) nodes: Vec<Node>,
    /// Whether to ask the nodes who leads.
    pub(crate) cluster: bool,
    /// None without TLS.
    pub(crate) trust: Option<Trust>,
    pub(crate) login: Option<Login>,
    /// What of the parameters is the client's own affair, as `&name=value…`.
    kept: String,
}

/// Parameters that the client may have as they are.
const KEPT: &[&str] = &[
    "connectionname",
    "defaultdeadline",
    "discoveryinterval",
    "gossiptimeout",
    "keepaliveinterval",
    "keepalivetimeout",
];

impl Address {
    pub(crate) fn parse(text: &str) -> Result<Self, ConnectError> {
        let malformed = || ConnectError::Malformed(without_password(text));
        let settings: ClientSettings = text.parse().map_err(|_| malformed())?;
        if settings.user_certificate().is_some() {
            let detail = "user certificates (userCertFile, userKeyFile) are not supported; use a user and a password";
            return Err(ConnectError::Unsupported(detail.to_owned()));
        }
        let nodes: Vec<Node> = settings.hosts().iter().cloned().map(Node::from).collect();
        if nodes.iter().any(|node| node.host.is_empty()) || nodes.is_empty() {
            return Err(malformed());
        }
        let trust = settings.is_secure_mode_enabled().then(|| {
            if !settings.is_tls_certificate_verification_enabled() {
                Trust::Anybody
            } else {
                settings
                    .tls_ca_file()
                    .map_or(Trust::Platform, |path| Trust::File(path.into()))
            }
        });
        Ok(Self {
            cluster: settings.is_dns_discovery_enabled() || nodes.len() > 1,
            nodes,
            trust,
            login: login(text).ok_or_else(malformed)?,
            kept: kept(text),
        })
    }

    /// The connection string of a client that speaks to the relay on `port`.
    ///
    /// - `discoveryInterval=1`: the client sleeps that many milliseconds before its first use; 500 unless told otherwise
    /// - `maxDiscoverAttempts=2` is one attempt: with one node the first round only picks it
    /// - the relay's certificate is its own, made for this process, on a port that this process holds: there is nothing to verify.
    ///   Without a file of certificates the client would load those of the platform each time it is made, and panic at a bad one
    pub(crate) fn of_relay(&self, port: u16) -> Result<ClientSettings, ConnectError> {
        let secure = self.trust.is_some();
        let nothing = if cfg!(windows) { "NUL" } else { "/dev/null" };
        // The last of two parameters of one name counts.
        let text = format!(
            "esdb://127.0.0.1:{port}?discoveryInterval=1&gossipTimeout=3000{}&maxDiscoverAttempts=2&nodePreference=leader\
             &tls={secure}&tlsVerifyCert=false&tlsCAFile={nothing}",
            self.kept
        );
        // It warns of certificates without TLS.
        let parse = || text.parse::<ClientSettings>();
        tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), parse)
            .map_err(|error| ConnectError::Unsupported(error.message().to_owned()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes: Vec<_> = self.nodes.iter().map(ToString::to_string).collect();
        f.write_str(&nodes.join(","))
    }
}

/// What stands between `esdb://` and the path or the parameters.
fn authority(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.split(['?', '/']).next().unwrap_or_default()
}

fn without_password(text: &str) -> String {
    match authority(text).rsplit_once('@') {
        Some((userinfo, _)) => text.replacen(userinfo, "…", 1),
        None => text.to_owned(),
    }
}

/// The user and the password. The client takes them as they stand there, percent-encoded, so they are read here. None when malformed.
fn login(text: &str) -> Option<Option<Login>> {
    let Some((userinfo, _)) = authority(text).rsplit_once('@') else {
        return Some(None);
    };
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let (user, password) = (percent_decoded(user)?, percent_decoded(password)?);
    Some((!user.is_empty()).then_some(Login { user, password }))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = vec![];
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        if *first == b'%' {
            let (digits, behind) = behind.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = behind;
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8(bytes).ok()
}

fn kept(text: &str) -> String {
    let parameters = text.split_once('?').map_or("", |(_, parameters)| parameters).split('&');
    let is_kept = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or_default().to_lowercase();
        KEPT.contains(&name.as_str())
    };
    parameters
        .filter(is_kept)
        .map(|parameter| format!("&{parameter}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn nodes_and_trust() {
        let one = address("esdb://localhost");
        assert_eq!(
            (one.to_string().as_str(), one.cluster, one.trust),
            ("localhost:2113", false, Some(Trust::Platform))
        );
        let plain = address("esdb://127.0.0.1:99?tls=false");
        assert_eq!((plain.to_string().as_str(), plain.trust), ("127.0.0.1:99", None));
        let many = address("esdb://a:1,b:2,c?tlsCAFile=/x/ca.pem");
        assert_eq!((many.to_string().as_str(), many.cluster), ("a:1,b:2,c:2113", true));
        assert_eq!(many.trust, Some(Trust::File("/x/ca.pem".into())));
        let found = address("esdb+discover://cluster.example:2113?tlsVerifyCert=false");
        assert_eq!(
            (found.nodes.len(), found.cluster, found.trust),
            (1, true, Some(Trust::Anybody))
        );
        assert_eq!(address("esdb://[::1]:7").to_string(), "[::1]:7");
    }

    #[test]
    fn passwords_are_decoded_and_never_shown() {
        let login = address("esdb://admin:ch%40nge%3Ait@localhost:2113").login.unwrap();
        assert_eq!((login.user(), login.password.as_str()), ("admin", "ch@nge:it"));
        assert_eq!(login.basic(), "Basic YWRtaW46Y2hAbmdlOml0");
        assert!(address("esdb://localhost:2113").login.is_none());
        let Err(error) = Address::parse("postgres://admin:secret@localhost") else {
            panic!("taken")
        };
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(Address::parse("esdb://admin:%zz@localhost").is_err());
    }

    #[test]
    fn the_client_gets_the_relay_and_what_is_its_own_affair() {
        let address = address(
            "esdb://admin:x@a:1,b:2?tls=true&keepAliveInterval=12000&discoveryInterval=70&nodePreference=follower",
        );
        let settings = address.of_relay(4711).unwrap();
        assert_eq!((settings.hosts().len(), settings.hosts()[0].port), (1, 4711));
        assert!(settings.is_secure_mode_enabled() && !settings.is_tls_certificate_verification_enabled());
        assert_eq!(settings.discovery_interval().as_millis(), 70);
        assert_eq!(settings.node_preference(), eventstore::NodePreference::Leader);
        assert!(settings.default_authenticated_user().is_none());
    }

    #[test]
    fn what_is_not_supported_is_said() {
        let error = Address::parse("esdb://a?userCertFile=/c&userKeyFile=/k").err().unwrap();
        assert!(error.to_string().contains("user certificates"), "{error}");
    }
}
