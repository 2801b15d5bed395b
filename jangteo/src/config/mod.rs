//! Settings: each is declared once, with its meaning, default, variable and flag; loaded in layers.
//!
//! Flags win over `JANGTEO_…` variables, those over the TOML file, that over the defaults.

mod address;
mod database;
mod elasticsearch;
mod event_log;
mod explain;
mod layers;
mod mail;
mod nats;
mod notifications;
mod payments;
mod roles;
#[cfg(test)]
mod tests;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

pub use database::{DatabaseSettings, DatabaseUrl, NoDatabaseUrl};
pub use elasticsearch::{ElasticUrl, ElasticsearchSettings, NoElasticUrl, Store};
pub use event_log::{EventLogSettings, LogPlace, NoLogPlace};
pub use explain::{effective, explanation};
pub use layers::{ConfigError, Flags, Layers, unknown_variables};
pub use mail::{MailSettings, NoSmtpUrl, SmtpUrl};
pub use nats::{NatsSettings, NatsUrl, NoNatsUrl};
pub use notifications::NotificationSettings;
pub use payments::{PaymentSettings, ProviderName};
pub use roles::RoleSettings;

/// How fast parcels move in the demo: one is fetched after seven seconds, which leaves time to cancel, and arrives after a
/// minute.
const DEMO_CARRIER_SPEED: f64 = 3_000.0;

/// Every setting of the shop.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(derive(Debug, Clone, Default, Serialize, clap::Args)))]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct Config {
    /// The folder that holds everything the shop knows. Created when missing.
    #[config(default = "./data", env = "JANGTEO_DATA")]
    #[config(layer_attr(arg(long, value_name = "DIR")))]
    pub data: PathBuf,

    /// The address to listen on. Port 0 lets the system choose; the choice is printed and kept in DIR/address.
    #[config(default = "127.0.0.1:8080", env = "JANGTEO_LISTEN")]
    #[config(layer_attr(arg(long, value_name = "ADDR:PORT")))]
    pub listen: SocketAddr,

    /// Fills an empty folder with a demo catalogue and one account per role, and lets parcels move fast.
    #[config(default = false, env = "JANGTEO_DEMO")]
    #[config(layer_attr(arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")))]
    pub demo: bool,

    /// How many times faster than in life the simulated carrier moves parcels: 1 takes days, 3000 takes a minute.
    /// Not set, it is 1, and 3000 with the demo.
    #[config(env = "JANGTEO_CARRIER_SPEED", validate = speed_in_range)]
    #[config(layer_attr(arg(long, value_name = "N")))]
    pub carrier_speed: Option<f64>,

    /// Holds some documents after others of the read models against the log, all the time and at low speed, and puts right
    /// what is wrong. `jangteo projection status` shows what it found.
    #[config(default = true, env = "JANGTEO_SENTINEL")]
    #[config(layer_attr(arg(long, value_name = "BOOL", hide_short_help = true)))]
    pub sentinel: bool,

    /// The folder of the keys that all roles of a shop share: its secret and the key that signs access tokens. Made where
    /// they are missing. Not set, it is the data folder.
    #[config(env = "JANGTEO_KEYS")]
    #[config(layer_attr(arg(long, value_name = "DIR", hide_short_help = true)))]
    pub keys: Option<PathBuf>,

    /// The file of words that mean the same, for the search. It is read again whenever it changes; docs/search.md says how to
    /// write it. Not set, it is synonyms.txt in the data folder, if there is one.
    #[config(env = "JANGTEO_SYNONYMS")]
    #[config(layer_attr(arg(long, value_name = "FILE", hide_short_help = true)))]
    pub synonyms: Option<PathBuf>,

    /// Where the event log is.
    #[config(nested)]
    #[config(layer_attr(command(flatten)))]
    pub event_log: EventLogSettings,

    /// Where Elasticsearch is, and what is kept there.
    #[config(nested)]
    #[config(layer_attr(command(flatten)))]
    pub elasticsearch: ElasticsearchSettings,

    /// Where inventory and accounts are kept.
    #[config(nested)]
    #[config(layer_attr(command(flatten)))]
    pub database: DatabaseSettings,

    /// Where NATS is.
    #[config(nested)]
    #[config(layer_attr(command(flatten)))]
    pub nats: NatsSettings,

    /// Where mails to customers go.
    #[config(nested)]
    #[config(layer_attr(command(flatten)))]
    pub mail: MailSettings,

    /// Which webhook hears what happens to orders.
    #[config(nested)]
    #[config(layer_attr(command(flatten)))]
    pub notifications: NotificationSettings,

    /// Which payment provider takes the money.
    #[config(nested)]
    #[config(layer_attr(command(flatten)))]
    pub payments: PaymentSettings,

    /// Where the other roles are.
    #[config(nested)]
    #[config(layer_attr(command(flatten)))]
    pub roles: RoleSettings,

    /// What the program writes to its log.
    #[config(nested)]
    #[config(layer_attr(command(flatten)))]
    pub log: LogSettings,

    /// The listener's limits.
    #[config(nested)]
    #[config(layer_attr(command(flatten)))]
    pub http: HttpSettings,

    /// How long someone stays signed in.
    #[config(nested)]
    #[config(layer_attr(command(flatten)))]
    pub session: SessionSettings,
}

/// What the program writes to its log (standard error).
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(derive(Debug, Clone, Default, Serialize, clap::Args)))]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct LogSettings {
    /// Lines for people or one JSON object per line for machines.
    #[config(default = "text", env = "JANGTEO_LOG_FORMAT")]
    #[config(layer_attr(arg(long = "log-format", id = "log.format", value_name = "FORMAT", value_enum)))]
    pub format: LogFormat,

    /// Which lines: a level (error, warn, info, debug, trace), or levels by part, such as "info,sagas=debug".
    /// Not set, it is what RUST_LOG says, or else "info,eventstore=off": EventStoreDB's client logs each failed attempt as an
    /// error, the shop says itself what became of the call.
    #[config(env = "JANGTEO_LOG_FILTER")]
    #[config(layer_attr(arg(long = "log-filter", id = "log.filter", value_name = "FILTER")))]
    pub filter: Option<String>,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// The listener's limits.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(derive(Debug, Clone, Default, Serialize, clap::Args)))]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct HttpSettings {
    /// Connections served at the same time; further ones wait to be accepted.
    #[config(default = 4096, env = "JANGTEO_HTTP_CONNECTIONS", validate(*connections > 0, "must be at least 1"))]
    #[config(layer_attr(arg(
        long = "http-connections",
        id = "http.connections",
        value_name = "N",
        hide_short_help = true
    )))]
    pub connections: usize,

    /// Seconds a client may take for a request's head, and a connection may idle between requests.
    #[config(default = 30, env = "JANGTEO_HTTP_HEADER_SECONDS", validate(*header_seconds > 0, "must be at least 1"))]
    #[config(layer_attr(arg(
        long = "http-header-seconds",
        id = "http.header_seconds",
        value_name = "N",
        hide_short_help = true
    )))]
    pub header_seconds: u64,

    /// Seconds a client may take for a request's body.
    #[config(default = 60, env = "JANGTEO_HTTP_BODY_SECONDS", validate(*body_seconds > 0, "must be at least 1"))]
    #[config(layer_attr(arg(
        long = "http-body-seconds",
        id = "http.body_seconds",
        value_name = "N",
        hide_short_help = true
    )))]
    pub body_seconds: u64,

    /// Seconds that requests under way get to finish when the shop is told to stop.
    #[config(default = 10, env = "JANGTEO_HTTP_STOP_SECONDS")]
    #[config(layer_attr(arg(
        long = "http-stop-seconds",
        id = "http.stop_seconds",
        value_name = "N",
        hide_short_help = true
    )))]
    pub stop_seconds: u64,
}

/// How long someone stays signed in.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(derive(Debug, Clone, Default, Serialize, clap::Args)))]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct SessionSettings {
    /// Minutes an access token is good for.
    #[config(default = 15, env = "JANGTEO_SESSION_ACCESS_MINUTES")]
    #[config(validate((1..=1440).contains(access_minutes), "must be between 1 and 1440"))]
    #[config(layer_attr(arg(
        long = "session-access-minutes",
        id = "session.access_minutes",
        value_name = "N",
        hide_short_help = true
    )))]
    pub access_minutes: u64,

    /// Days a refresh token is good for.
    #[config(default = 30, env = "JANGTEO_SESSION_REFRESH_DAYS")]
    #[config(validate((1..=365).contains(refresh_days), "must be between 1 and 365"))]
    #[config(layer_attr(arg(
        long = "session-refresh-days",
        id = "session.refresh_days",
        value_name = "N",
        hide_short_help = true
    )))]
    pub refresh_days: u64,
}

impl Config {
    /// The defaults, for a shop in `data` on a port that the system chooses: what tests start from.
    ///
    /// # Errors
    /// Never, as long as the defaults fit their own rules, which a test holds.
    pub fn for_folder(data: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        let flags = Flags {
            data: Some(data.into()),
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            ..Flags::default()
        };
        Layers::of(flags).into_config()
    }

    /// How much faster than in life parcels move.
    pub fn carrier_speed(&self) -> f64 {
        let unset = if self.demo { DEMO_CARRIER_SPEED } else { 1.0 };
        self.carrier_speed.unwrap_or(unset)
    }

    /// Where the shop's keys are.
    pub fn keys(&self) -> &Path {
        self.keys.as_deref().unwrap_or(&self.data)
    }

    /// Which lines the program writes to its log.
    pub fn log_filter(&self) -> String {
        let set = self.log.filter.clone().or_else(|| std::env::var("RUST_LOG").ok());
        set.filter(|filter| !filter.is_empty())
            .unwrap_or_else(|| "info,eventstore=off".to_owned())
    }

    /// How long requests under way get to finish when the shop stops.
    pub fn stop_cap(&self) -> Duration {
        Duration::from_secs(self.http.stop_seconds)
    }
}

fn speed_in_range(speed: &f64) -> Result<(), &'static str> {
    if speed.is_finite() && (0.01..=1e9).contains(speed) {
        Ok(())
    } else {
        Err("expected a number between 0.01 and 1000000000")
    }
}
