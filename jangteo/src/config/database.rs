//! Where inventory and accounts are kept, and for how long goods are kept for an order.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use super::address::{address, begins_with, without_password};

/// Where inventory and accounts are kept. Without a server each is a SQLite file in the data folder.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(derive(Debug, Clone, Default, Serialize, clap::Args)))]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct DatabaseSettings {
    /// A PostgreSQL database, 13 or later: postgres://user@127.0.0.1:5432/shop. A server elsewhere must prove who it is by TLS,
    /// unless ?sslmode=… says otherwise; ?sslrootcert=FILE names its certificate authority.
    #[config(env = "JANGTEO_DATABASE")]
    #[config(layer_attr(arg(long = "database", id = "database.url", value_name = "URL")))]
    pub url: Option<DatabaseUrl>,

    /// The file with the user's password there.
    #[config(env = "JANGTEO_DATABASE_PASSWORD_FILE")]
    #[config(layer_attr(arg(
        long = "database-password-file",
        id = "database.password_file",
        value_name = "FILE",
        hide_short_help = true
    )))]
    pub password_file: Option<PathBuf>,

    /// What the names of the shop's schemas there start with. No two shops may have the same in one database.
    #[config(default = "jangteo", env = "JANGTEO_DATABASE_PREFIX", validate = is_prefix)]
    #[config(layer_attr(arg(
        long = "database-prefix",
        id = "database.prefix",
        value_name = "NAME",
        hide_short_help = true
    )))]
    pub prefix: String,

    /// Seconds that goods are kept for an order that is not confirmed; then others may have them.
    #[config(default = 1800, env = "JANGTEO_RESERVATION_SECONDS")]
    #[config(validate((1..=604_800).contains(reservation_seconds), "must be between 1 and 604800"))]
    #[config(layer_attr(arg(
        long = "reservation-seconds",
        id = "database.reservation_seconds",
        value_name = "N",
        hide_short_help = true
    )))]
    pub reservation_seconds: u64,
}

impl DatabaseSettings {
    /// How long goods are kept for an order that is not confirmed.
    pub const fn hold(&self) -> Duration {
        Duration::from_secs(self.reservation_seconds)
    }
}

#[expect(clippy::ptr_arg, reason = "what is validated is the setting's own type")]
fn is_prefix(prefix: &String) -> Result<(), &'static str> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !prefix.is_empty() && prefix.len() <= 40 && prefix.chars().all(fits) {
        Ok(())
    } else {
        Err("expected at most 40 lower-case letters, digits and _")
    }
}

/// The address of a PostgreSQL database. May hold a user and a password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct DatabaseUrl(String);

/// The text is no address of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a URL such as postgres://shop@127.0.0.1:5432/shop")]
pub struct NoDatabaseUrl;

impl DatabaseUrl {
    /// As it was given, with what is secret in it.
    pub fn as_given(&self) -> &str {
        &self.0
    }
}

impl FromStr for DatabaseUrl {
    type Err = NoDatabaseUrl;
    fn from_str(text: &str) -> Result<Self, NoDatabaseUrl> {
        begins_with(text, &["postgres://", "postgresql://"])
            .then(|| Self(text.to_owned()))
            .ok_or(NoDatabaseUrl)
    }
}

/// Without the password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        without_password(&self.0, f)
    }
}

address!(DatabaseUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let url: DatabaseUrl = "postgres://shop:s3cret@db.example:5432/shop".parse().unwrap();
        assert_eq!(url.to_string(), "postgres://shop:…@db.example:5432/shop");
        assert!(!format!("{url:?}").contains("s3cret"));
    }

    #[test]
    fn what_is_no_database_and_no_prefix_is_refused() {
        for text in ["", "postgres", "http://localhost:5432", "postgres://", "mysql://a/b"] {
            assert!(text.parse::<DatabaseUrl>().is_err(), "{text:?}");
        }
        for prefix in ["", "two-words", "Capitals", "a b", "x\"; DROP SCHEMA"] {
            assert!(is_prefix(&prefix.to_owned()).is_err(), "{prefix:?}");
        }
        assert!(is_prefix(&"shop_2".to_owned()).is_ok());
    }
}
