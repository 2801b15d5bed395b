//! Where the event log is, and who else may read it.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

use super::address::{address, begins_with, without_password};

/// Where the event log is, and who else may read it.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(derive(Debug, Clone, Default, Serialize, clap::Args)))]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct EventLogSettings {
    /// Where the event log is: "embedded" (in DIR/log), or esdb://user:password@host:port for a server that speaks
    /// EventStoreDB's protocol, such as `jangteo serve --role log` (user "operator", password from its DIR/operator-token).
    #[config(default = "embedded", env = "JANGTEO_LOG")]
    #[config(layer_attr(arg(long = "log", id = "event_log.at", value_name = "embedded|esdb://…")))]
    pub at: LogPlace,

    /// Offers the embedded log to others on this address, over EventStoreDB's protocol. Kept in DIR/log-address.
    #[config(env = "JANGTEO_LOG_LISTEN")]
    #[config(layer_attr(arg(long = "log-listen", id = "event_log.listen", value_name = "ADDR:PORT")))]
    pub listen: Option<SocketAddr>,

    /// Offers the log without TLS and without asking who is there. Only on a loopback address.
    #[config(default = false, env = "JANGTEO_LOG_INSECURE")]
    #[config(layer_attr(arg(
        long = "log-insecure",
        id = "event_log.insecure",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_short_help = true
    )))]
    pub insecure: bool,

    /// The certificate chain (PEM) that --log-listen shows. Not set, one is made in DIR/log-tls, for this machine.
    #[config(env = "JANGTEO_LOG_TLS_CERT")]
    #[config(layer_attr(arg(
        long = "log-tls-cert",
        id = "event_log.tls_cert",
        value_name = "FILE",
        hide_short_help = true
    )))]
    pub tls_cert: Option<PathBuf>,

    /// The certificate's private key (PEM).
    #[config(env = "JANGTEO_LOG_TLS_KEY")]
    #[config(layer_attr(arg(
        long = "log-tls-key",
        id = "event_log.tls_key",
        value_name = "FILE",
        hide_short_help = true
    )))]
    pub tls_key: Option<PathBuf>,

    /// Bytes that one event of the embedded log may have, data and metadata together. Larger ones are refused.
    #[config(default = 1_048_576, env = "JANGTEO_LOG_EVENT_BYTES")]
    #[config(validate((1_024..=16_777_216).contains(event_bytes), "must be between 1024 and 16777216"))]
    #[config(layer_attr(arg(
        long = "log-event-bytes",
        id = "event_log.event_bytes",
        value_name = "N",
        hide_short_help = true
    )))]
    pub event_bytes: usize,
}

/// Where the event log is.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum LogPlace {
    /// In the data folder.
    Embedded,
    /// On a server, by its connection string.
    Server(String),
}

/// The text names no event log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected \"embedded\" or a connection string such as esdb://operator:password@127.0.0.1:2113")]
pub struct NoLogPlace;

impl FromStr for LogPlace {
    type Err = NoLogPlace;
    fn from_str(text: &str) -> Result<Self, NoLogPlace> {
        match text {
            "embedded" => Ok(Self::Embedded),
            server if begins_with(server, &["esdb://", "esdb+discover://"]) => Ok(Self::Server(server.to_owned())),
            _ => Err(NoLogPlace),
        }
    }
}

/// Without the password.
impl fmt::Display for LogPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Server(url) = self else {
            return f.write_str("embedded");
        };
        without_password(url, f)
    }
}

address!(LogPlace);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let place: LogPlace = "esdb://operator:s3cret@localhost:2113?tlsCAFile=x".parse().unwrap();
        assert_eq!(place.to_string(), "esdb://operator:…@localhost:2113?tlsCAFile=x");
        assert!(!format!("{place:?}").contains("s3cret"));
        let place: LogPlace = "esdb://localhost:2113?tls=false".parse().unwrap();
        assert_eq!(place.to_string(), "esdb://localhost:2113?tls=false");
    }

    #[test]
    fn what_is_no_log_is_refused() {
        for text in ["", "embed", "http://localhost", "esdb://"] {
            assert!(text.parse::<LogPlace>().is_err(), "{text:?}");
        }
        assert_eq!("embedded".parse::<LogPlace>().unwrap(), LogPlace::Embedded);
    }
}
