//! Accounts: who may sign in, as what, and for how long.
//!
//! Relational, because an e-mail address belongs to one account only. What others need to know (there is a new customer,
//! a new seller, an admin changed someone's roles) goes into the log through the [`outbox`](crate::outbox).
//!
//! - [`registration`]: new accounts, by themselves, by the set-up token, or seeded; [`roles`];
//! - [`sessions`]: signing in, refreshing, signing out; [`throttle`]: guessing passwords slowly;
//! - [`passwords`]: argon2id, off the async threads; [`checks`]: what an e-mail address, a name and a password look like;
//! - [`credit`]: who may buy by invoice; [`routes`]: the HTTP side.

mod checks;
pub mod credit;
mod error;
#[cfg(test)]
#[path = "tests/mod.rs"]
#[expect(clippy::duplicate_mod, reason = "one suite, run on each engine")]
mod on_postgres;
#[cfg(test)]
#[path = "tests/mod.rs"]
mod on_sqlite;
mod passwords;
mod registration;
mod roles;
mod routes;
mod sessions;
mod throttle;

use std::{sync::Arc, time::Duration};

use edge::{Principal, RequestContext, Role, Tokens};
use event_log::{EventLog, Position};
use event_schemas::{AccountId, Actor, Metadata, Timestamp};
use serde::{Deserialize, Serialize};

use self::{credit::Credit, passwords::Passwords, throttle::Throttle};
pub use self::{
    error::AccountError,
    passwords::Cost,
    registration::{NewAccount, SetUp},
    roles::NewRoles,
    routes::{openapi, routes},
    sessions::{Credentials, RefreshToken, SignedIn},
};
use crate::{
    outbox::{Outbox, PATIENCE, RelaySettings, Seq},
    relational::{Connection, Database, DatabaseError, Layout, OUTBOX, Place, Sql, Step, damaged, table},
    secret::Secret,
};

const STEPS: &[Step] = &[
    Step {
        number: 1,
        name: "accounts",
        sql: Sql::each(
            include_str!("../../migrations/accounts/sqlite/0001_accounts.sql"),
            include_str!("../../migrations/accounts/postgres/0001_accounts.sql"),
        ),
    },
    Step {
        number: 2,
        name: "outbox_end",
        sql: Sql::each(
            include_str!("../../migrations/accounts/sqlite/0002_outbox_end.sql"),
            include_str!("../../migrations/accounts/postgres/0002_outbox_end.sql"),
        ),
    },
    Step {
        number: 3,
        name: "credit",
        sql: Sql::each(
            include_str!("../../migrations/accounts/sqlite/0003_credit.sql"),
            include_str!("../../migrations/accounts/postgres/0003_credit.sql"),
        ),
    },
    Step {
        number: 4,
        name: "house",
        sql: Sql::each(
            include_str!("../../migrations/accounts/sqlite/0004_house.sql"),
            include_str!("../../migrations/accounts/postgres/0004_house.sql"),
        ),
    },
];

/// What is kept of accounts and their credit.
pub const LAYOUT: Layout = Layout {
    name: "accounts",
    steps: STEPS,
    tables: &[
        table!(accounts: id, email, email_key, name, password_hash, roles, created_at, command_id, fingerprint),
        table!(sessions: id, account_id, command_id, fingerprint, started_at, expires_at, revoked_at),
        table!(refresh_tokens: digest, session_id, issued_at, replaced_by),
        table!(credit_accounts: customer_id, currency, credit_limit, reserved, owed),
        table!(credit_orders: order_id, customer_id, held),
        table!(credit_payments: command_id, customer_id, fingerprint),
        OUTBOX,
    ],
    renewed: &[table!(setup_token: only, digest)],
};

/// How long sessions last and what a password costs.
#[derive(Debug, Clone, Copy)]
pub struct AccountsSettings {
    /// How long an access token is good for.
    pub access_ttl: Duration,
    /// How long someone stays signed in by refreshing.
    pub session_ttl: Duration,
    /// What checking one password costs.
    pub cost: Cost,
    /// How the log is told.
    pub relay: RelaySettings,
}

impl Default for AccountsSettings {
    fn default() -> Self {
        Self {
            access_ttl: edge::tokens::DEFAULT_TTL,
            session_ttl: Duration::from_secs(30 * 24 * 60 * 60),
            cost: Cost::default(),
            relay: RelaySettings::default(),
        }
    }
}

/// The accounts of the shop.
pub struct Accounts {
    database: Arc<Database>,
    outbox: Arc<Outbox>,
    credit: Arc<Credit>,
    log: Arc<dyn EventLog>,
    tokens: Arc<Tokens>,
    secret: Secret,
    passwords: Passwords,
    throttle: Throttle,
    settings: AccountsSettings,
}

/// An account as its owner and admins see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Account {
    /// The account; as a customer or a seller it has the same id.
    pub id: AccountId,
    /// With which it signs in.
    pub email: String,
    /// What its owner is called.
    pub name: String,
    /// What it may do.
    #[schema(value_type = Vec<Role>)]
    pub roles: Vec<Role>,
}

/// A command was done, now or before, and where in the log it can be seen, if it says anything there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<T> {
    /// The answer.
    pub answer: T,
    /// A position from which the effect can be seen.
    pub position: Option<Position>,
}

/// An account as it is stored.
struct Stored {
    account: Account,
    password_hash: String,
    fingerprint: String,
}

const BY_ID: &str = "SELECT id, email, name, roles, password_hash, fingerprint FROM accounts WHERE id = $1";
const BY_EMAIL: &str = "SELECT id, email, name, roles, password_hash, fingerprint FROM accounts WHERE email_key = $1";
const BY_COMMAND: &str =
    "SELECT id, email, name, roles, password_hash, fingerprint FROM accounts WHERE command_id = $1";

impl Accounts {
    /// Opens the database at `place`; `secret` signs what must not be guessed (refresh tokens, fingerprints).
    ///
    /// # Errors
    /// When it cannot be opened or was written by a newer version.
    pub async fn open(
        place: &Place,
        secret: Secret,
        log: Arc<dyn EventLog>,
        tokens: Arc<Tokens>,
        settings: AccountsSettings,
    ) -> Result<Self, DatabaseError> {
        let database = Arc::new(Database::open(place, STEPS).await?);
        Self::within(database, secret, log, tokens, settings).await
    }

    /// As [`Self::open`], in a database of that [`LAYOUT`] which is open already.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn within(
        database: Arc<Database>,
        secret: Secret,
        log: Arc<dyn EventLog>,
        tokens: Arc<Tokens>,
        settings: AccountsSettings,
    ) -> Result<Self, DatabaseError> {
        let outbox = Outbox::start(Arc::clone(&database), Arc::clone(&log), settings.relay).await?;
        let outbox = Arc::new(outbox);
        let credit = Credit::within(Arc::clone(&database), Arc::clone(&outbox), Arc::clone(&log));
        let accounts = Self {
            database,
            outbox,
            credit: Arc::new(credit),
            log,
            tokens,
            passwords: Passwords::new(settings.cost, &secret),
            secret,
            throttle: Throttle::default(),
            settings,
        };
        accounts.forget_old_sessions(Timestamp::now()).await?;
        Ok(accounts)
    }

    /// The account of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>, AccountError> {
        let mut reader = self.database.reader().await?;
        let stored = find(&mut reader, Key::Id(id)).await?;
        Ok(stored.map(|stored| stored.account))
    }

    /// What they may buy by invoice.
    pub const fn credit(&self) -> &Arc<Credit> {
        &self.credit
    }

    /// Waits until the log has everything; false when `patience` ran out. For a clean stop.
    pub async fn drained(&self, patience: Duration) -> bool {
        self.outbox.drained(patience).await
    }

    /// A body's digest as it is stored. It is keyed: a plain digest of a body that holds a password would let whoever steals
    /// the database guess passwords far faster than argon2 allows.
    fn keyed(&self, fingerprint: &str) -> String {
        crate::secret::hex(&self.secret.derive(format!("fingerprint {fingerprint}").as_bytes()))
    }

    /// Where what was written can be seen: where the outbox put it, or, for a repeat, anywhere from now on.
    async fn position(&self, seq: Option<Seq>) -> Option<Position> {
        match seq {
            Some(seq) => self.outbox.sent(seq, PATIENCE).await,
            None if self.outbox.drained(PATIENCE).await => self.log.head().await.ok(),
            None => None,
        }
    }
}

/// Id, address, name, roles, password's hash, fingerprint.
type AccountRow = (String, String, String, String, String, String);

/// By what an account is found.
enum Key<'a> {
    Id(AccountId),
    Email(&'a str),
    Command(uuid::Uuid),
}

async fn find(connection: &mut Connection, key: Key<'_>) -> Result<Option<Stored>, DatabaseError> {
    let (statement, value) = match key {
        Key::Id(id) => (BY_ID, id.to_string()),
        Key::Email(email) => (BY_EMAIL, checks::email_key(email)),
        Key::Command(id) => (BY_COMMAND, id.to_string()),
    };
    let row: Option<AccountRow> = connection.first(statement, [value.into()]).await?;
    row.map(stored).transpose()
}

fn stored((id, email, name, roles, password_hash, fingerprint): AccountRow) -> Result<Stored, DatabaseError> {
    let account = Account {
        id: id.parse().map_err(damaged)?,
        email,
        name,
        roles: serde_json::from_str(&roles).map_err(damaged)?,
    };
    Ok(Stored {
        account,
        password_hash,
        fingerprint,
    })
}

/// What the log says beside the event. No fingerprint: bodies here hold passwords.
fn metadata(context: &RequestContext, actor: AccountId, command_id: uuid::Uuid) -> Metadata {
    Metadata {
        command_id: Some(command_id),
        traceparent: context.traceparent.clone(),
        ..Metadata::new(context.received_at, context.correlation_id, Actor::Account(actor))
    }
}

/// The principal that an account's tokens speak for.
fn principal(account: &Account, session_id: uuid::Uuid) -> Principal {
    Principal {
        account_id: account.id,
        roles: account.roles.clone(),
        session_id: Some(session_id),
    }
}
