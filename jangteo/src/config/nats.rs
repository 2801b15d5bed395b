//! Where NATS is, and what of the shop travels over it.

use std::{fmt, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

use super::address::{address, begins_with, without_password};

/// Where NATS is. Without it commands go to the services in process, or over HTTP between roles, and no events are published.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(derive(Debug, Clone, Default, Serialize, clap::Args)))]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct NatsSettings {
    /// A NATS server with JetStream: nats://127.0.0.1:4222 or tls://…; for a cluster several, with commas between. The sagas'
    /// commands wait there for their services, and what partners may see is published there as CloudEvents.
    #[config(env = "JANGTEO_NATS")]
    #[config(layer_attr(arg(long = "nats", id = "nats.url", value_name = "URL")))]
    pub url: Option<NatsUrl>,

    /// What the subjects of the shop begin with there, and in capitals the names of its streams. No two shops may have the
    /// same.
    #[config(default = "jangteo", env = "JANGTEO_NATS_PREFIX", validate = is_prefix)]
    #[config(layer_attr(arg(
        long = "nats-prefix",
        id = "nats.prefix",
        value_name = "NAME",
        hide_short_help = true
    )))]
    pub prefix: String,

    /// The file that says who we are there: one that NATS tools made (.creds), or a line user:password, or a token.
    #[config(env = "JANGTEO_NATS_CREDENTIALS_FILE")]
    #[config(layer_attr(arg(
        long = "nats-credentials-file",
        id = "nats.credentials_file",
        value_name = "FILE",
        hide_short_help = true
    )))]
    pub credentials_file: Option<PathBuf>,

    /// The certificate authority (PEM) of the server's certificate, where it is not a public one.
    #[config(env = "JANGTEO_NATS_CA")]
    #[config(layer_attr(arg(long = "nats-ca", id = "nats.ca", value_name = "FILE", hide_short_help = true)))]
    pub ca: Option<PathBuf>,
}

#[expect(clippy::ptr_arg, reason = "what is validated is the setting's own type")]
fn is_prefix(prefix: &String) -> Result<(), &'static str> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !prefix.is_empty() && prefix.len() <= 64 && prefix.chars().all(fits) {
        Ok(())
    } else {
        Err("expected at most 64 lower-case letters, digits, - and _")
    }
}

/// The address of NATS. May hold a user and a password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct NatsUrl(String);

/// The text is no address of NATS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a URL such as nats://127.0.0.1:4222")]
pub struct NoNatsUrl;

impl NatsUrl {
    /// As it was given, with what is secret in it.
    pub fn as_given(&self) -> &str {
        &self.0
    }
}

impl FromStr for NatsUrl {
    type Err = NoNatsUrl;
    fn from_str(text: &str) -> Result<Self, NoNatsUrl> {
        text.split(',')
            .all(|url| begins_with(url.trim(), &["nats://", "tls://"]))
            .then(|| Self(text.to_owned()))
            .ok_or(NoNatsUrl)
    }
}

/// Without the password.
impl fmt::Display for NatsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, url) in self.0.split(',').enumerate() {
            if n > 0 {
                f.write_str(",")?;
            }
            without_password(url.trim(), f)?;
        }
        Ok(())
    }
}

address!(NatsUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let url: NatsUrl = "nats://shop:s3cret@a:4222,tls://shop:s3cret@b:4222".parse().unwrap();
        assert_eq!(url.to_string(), "nats://shop:…@a:4222,tls://shop:…@b:4222");
        assert!(!format!("{url:?}").contains("s3cret"));
    }

    #[test]
    fn what_is_no_server_and_no_prefix_is_refused() {
        for text in ["", "nats", "http://localhost:4222", "nats://", "nats://a:1,"] {
            assert!(text.parse::<NatsUrl>().is_err(), "{text:?}");
        }
        for prefix in ["", "two.tokens", "star*", "Capitals", "a b"] {
            assert!(is_prefix(&prefix.to_owned()).is_err(), "{prefix:?}");
        }
        assert!(is_prefix(&"shop-2".to_owned()).is_ok());
    }
}
