//! The roles of a shop: all in one process, or each in its own.
//!
//! One machine runs all of them in one process, `jangteo up`. In processes of their own they meet at the event log. Two hops
//! between them are ours: sagas send their directives to the command role, over NATS where it is named ([`dispatch`]) or else
//! over HTTP ([`directives`]), and projections write their documents to the query role ([`documents`]). Those over HTTP are
//! guarded by the operator token, which the roles share.

pub(crate) mod directives;
pub(crate) mod dispatch;
pub(crate) mod documents;
mod internal;
#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use crate::config::{Config, LogPlace};

/// What a process does for the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "lowercase")]
pub enum Role {
    /// Keeps the event log and offers it to the others.
    Log,
    /// Takes commands: accounts, products, stock, carts, orders, payments, parcels.
    Command,
    /// Runs the sagas.
    Saga,
    /// Builds the read models.
    Projection,
    /// Answers queries and serves the pages.
    Query,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Log, Self::Command, Self::Saga, Self::Projection, Self::Query];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Command => "command",
            Self::Saga => "saga",
            Self::Projection => "projection",
            Self::Query => "query",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is no role"))
    }
}

/// What one process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roles {
    /// Everything.
    All,
    /// One role; the others are in other processes.
    One(Role),
}

impl Roles {
    /// Whether the process has that role.
    pub fn has(self, role: Role) -> bool {
        match self {
            Self::All => true,
            Self::One(one) => one == role,
        }
    }

    /// The role's name; none for a whole shop.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::One(role) => Some(role.as_str()),
        }
    }

    /// Whether the process keeps the log itself. A whole shop may be on a server's.
    pub fn keeps_log(self, config: &Config) -> bool {
        self.has(Role::Log) && config.event_log.at == LogPlace::Embedded
    }

    /// Whether these settings make sense together for this process; if not, what to do.
    ///
    /// # Errors
    /// What is wrong and what would be right.
    pub fn check(self, config: &Config) -> Result<(), String> {
        self.check_log(config)?;
        self.check_wire(config)?;
        config.elasticsearch.check()?;
        let (command, query) = (&config.roles.command_url, &config.roles.query_url);
        match self {
            Self::All if command.is_some() || query.is_some() => Err(
                "`jangteo up` has all roles in one process: leave --command-url and --query-url out, or start the roles one by \
                 one with `jangteo serve --role …`"
                    .to_owned(),
            ),
            Self::One(Role::Saga) if command.is_none() && config.nats.url.is_none() => Err(
                "the saga role sends commands to the command role: say where it listens with --command-url http://127.0.0.1:8081, \
                 or let both meet at a NATS server with --nats nats://127.0.0.1:4222"
                    .to_owned(),
            ),
            Self::One(Role::Projection) if query.is_none() => Err(
                "the projection role writes to the query role: say where it listens with --query-url http://127.0.0.1:8082"
                    .to_owned(),
            ),
            Self::One(role) if config.keys.is_none() && role != Role::Log => Err(format!(
                "the {role} role shares its keys with the other roles: name the same folder with --keys for all of them, such as \
                 the data folder of the log role"
            )),
            Self::One(role) if config.demo => Err(format!(
                "--demo fills a whole shop: leave it out with --role {role}, or use `jangteo up --demo`"
            )),
            _ => Ok(()),
        }
    }

    fn check_log(self, config: &Config) -> Result<(), String> {
        let place = &config.event_log.at;
        match (self, place) {
            (Self::One(Role::Log), LogPlace::Server(_)) => Err(format!(
                "the log role keeps the embedded log: leave --log out, or use {place} directly from the other roles"
            )),
            (Self::One(role), LogPlace::Embedded) if role != Role::Log => Err(format!(
                "the {role} role reaches the event log over the wire: name it with --log esdb://…; `jangteo serve --role log` \
                 keeps one and writes its connection string to DIR/log-address"
            )),
            _ => Ok(()),
        }
    }

    fn check_wire(self, config: &Config) -> Result<(), String> {
        let settings = &config.event_log;
        let tls = settings.tls_cert.is_some() || settings.tls_key.is_some();
        match settings.listen {
            Some(_) if !self.keeps_log(config) => Err(
                "--log-listen offers the embedded log, and this process has none: leave it out, or start \
                 `jangteo serve --role log --log-listen …`"
                    .to_owned(),
            ),
            None if self == Self::One(Role::Log) => Err(
                "the log role offers its log to others: say where with --log-listen 127.0.0.1:2113 (port 0 lets the system choose)"
                    .to_owned(),
            ),
            None if settings.insecure || tls => Err(
                "--log-insecure, --log-tls-cert and --log-tls-key are about --log-listen: give an address with it, or leave them out"
                    .to_owned(),
            ),
            Some(address) if settings.insecure && !address.ip().is_loopback() => Err(format!(
                "--log-insecure lets everybody who reaches {address} read and write everything: listen on 127.0.0.1, or leave \
                 --log-insecure out (TLS and passwords are the default)"
            )),
            Some(_) if settings.insecure && tls => Err(
                "--log-insecure means no TLS: leave it out, or leave --log-tls-cert and --log-tls-key out".to_owned(),
            ),
            Some(_) if settings.tls_cert.is_some() != settings.tls_key.is_some() => {
                Err("--log-tls-cert and --log-tls-key go together: give both, or none to have a certificate made".to_owned())
            }
            _ => Ok(()),
        }
    }
}
