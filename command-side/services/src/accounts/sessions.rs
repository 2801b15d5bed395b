//! Signing in, staying signed in, signing out.
//!
//! An access token is short-lived and believed without asking here. A refresh token is used once: refreshing replaces it.
//! Whoever shows one that was replaced has a copy that somebody else used, so the whole session ends.
//!
//! Refresh tokens are derived from the command that issued them under the shop's secret, and an access token's times come
//! from the stored row: the same command again, after a restart too, gets the very same answer without any token ever
//! having been stored.

use std::time::Instant;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use edge::{Principal, RequestContext};
use event_schemas::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Account, AccountError, Accounts, Key, Stored, checks, find, principal};
use crate::{
    relational::{Connection, DatabaseError, Transaction, damaged},
    secret,
};

/// Who wants to sign in.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The address.
    pub email: String,
    /// Its password.
    pub password: String,
}

/// Who wants to stay signed in.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshToken {
    /// From the last answer; each works once.
    pub refresh_token: String,
}

/// Someone is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SignedIn {
    /// For `Authorization: Bearer …`.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds that the access token is good for, from its issue on.
    pub expires_in: u64,
    /// For `POST sessions/refresh`.
    pub refresh_token: String,
}

/// A session as it is stored.
struct Session {
    id: Uuid,
    account_id: AccountId,
    fingerprint: String,
    started_at: Timestamp,
    expires_at: Timestamp,
    revoked: bool,
}

type SessionRow = (String, String, String, i64, i64, Option<i64>);

const BY_COMMAND: &str = "\
    SELECT id, account_id, fingerprint, started_at, expires_at, revoked_at FROM sessions WHERE command_id = $1";
const BY_ID: &str = "\
    SELECT id, account_id, fingerprint, started_at, expires_at, revoked_at FROM sessions WHERE id = $1";
const INSERT_SESSION: &str = "\
    INSERT INTO sessions (id, account_id, command_id, fingerprint, started_at, expires_at) \
    VALUES ($1, $2, $3, $4, $5, $6)";
const INSERT_TOKEN: &str = "INSERT INTO refresh_tokens (digest, session_id, issued_at) VALUES ($1, $2, $3)";
const TOKEN: &str = "SELECT session_id, replaced_by FROM refresh_tokens WHERE digest = $1";
const REPLACED_BY: &str = "SELECT digest FROM refresh_tokens WHERE replaced_by = $1";
const REPLACE: &str = "UPDATE refresh_tokens SET replaced_by = $2 WHERE digest = $1";
const ISSUED_AT: &str = "SELECT issued_at FROM refresh_tokens WHERE digest = $1";
const REVOKE: &str = "UPDATE sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";

impl Accounts {
    /// Signs in. The same command again gets the same answer.
    ///
    /// # Errors
    /// When address or password is wrong, or too many were.
    pub async fn sign_in(
        &self,
        credentials: &Credentials,
        fingerprint: &str,
        context: &RequestContext,
    ) -> Result<SignedIn, AccountError> {
        let command_id = context.command_id(None);
        if let Some(answer) = self.signed_in_before(command_id, fingerprint).await? {
            return Ok(answer);
        }
        let stored = self.authenticate(credentials).await?;
        let session = Session {
            id: event_schemas::ids::derived_uuid(command_id, "session"),
            account_id: stored.account.id,
            fingerprint: self.keyed(fingerprint),
            started_at: context.received_at,
            expires_at: context.received_at.plus_millis(millis(self.settings.session_ttl)),
            revoked: false,
        };
        let mut transaction = self.database.begin().await?;
        if session_by(&mut transaction, BY_COMMAND, command_id).await?.is_some() {
            drop(transaction);
            // The same command twice at the same moment: the other one was a hair ahead.
            let answer = self.signed_in_before(command_id, fingerprint).await?;
            return answer.ok_or_else(|| AccountError::Fault("a session disappeared".to_owned()));
        }
        self.insert_session(&mut transaction, &session, command_id).await?;
        transaction.commit().await?;
        Ok(self.answer(&stored, session.id, command_id, session.started_at))
    }

    /// Whose address and password these are, without a session: for callers that show them with every request.
    ///
    /// # Errors
    /// When address or password is wrong, or too many were.
    pub async fn account_with(&self, credentials: &Credentials) -> Result<Account, AccountError> {
        Ok(self.authenticate(credentials).await?.account)
    }

    /// A new pair of tokens for a refresh token, which is used up by it. The same command again gets the same answer.
    ///
    /// # Errors
    /// When the token is unknown, its session over, or it was used before, which ends the session.
    pub async fn refresh(&self, token: &RefreshToken, context: &RequestContext) -> Result<SignedIn, AccountError> {
        let (command_id, now) = (context.command_id(None), context.received_at);
        let digest = secret::digest_of(&token.refresh_token);
        let mut transaction = self.database.begin().await?;
        let used: Option<(String,)> = transaction.first(REPLACED_BY, [command_id.to_string().into()]).await?;
        if used.is_some_and(|(used,)| used != digest) {
            return Err(AccountError::KeyReused);
        }
        let row = token_row(&mut transaction, &digest).await?;
        let (session_id, replaced_by) = row.ok_or(AccountError::RefreshRefused("it is not known"))?;
        let session = session_by(&mut transaction, BY_ID, session_id).await?;
        let session = session.filter(|session| !session.revoked && session.expires_at > now);
        let session = session.ok_or(AccountError::RefreshRefused("its session is over"))?;
        let owner = find(&mut transaction, Key::Id(session.account_id))
            .await?
            .ok_or(AccountError::NotFound)?;
        let next = self.refresh_token(command_id);
        match replaced_by {
            None => {
                insert_token(&mut transaction, &next, session.id, now).await?;
                transaction
                    .run(REPLACE, [digest.into(), command_id.to_string().into()])
                    .await?;
                transaction.commit().await?;
                Ok(self.answer(&owner, session.id, command_id, now))
            }
            Some(by) if by == command_id.to_string() => {
                let issued: Option<(i64,)> = transaction.first(ISSUED_AT, [secret::digest_of(&next).into()]).await?;
                let (issued_at,) = issued.ok_or(AccountError::RefreshRefused("it is not known"))?;
                Ok(self.answer(&owner, session.id, command_id, Timestamp::from_millis(issued_at)))
            }
            Some(_) => {
                tracing::warn!(session = %session.id, account = %session.account_id, "a used refresh token came back");
                revoke(&mut transaction, session.id, now).await?;
                transaction.commit().await?;
                Err(AccountError::RefreshRefused(
                    "it was used before, so its session was ended",
                ))
            }
        }
    }

    /// Ends the session whose access token is shown. Ending it again changes nothing.
    ///
    /// The access token itself is believed until it expires: it is short-lived for this reason.
    ///
    /// # Errors
    /// When the token belongs to no session.
    pub async fn sign_out(&self, principal: &Principal, now: Timestamp) -> Result<(), AccountError> {
        let session_id = principal.session_id.ok_or(AccountError::NoSession)?;
        let mut transaction = self.database.begin().await?;
        revoke(&mut transaction, session_id, now).await?;
        Ok(transaction.commit().await?)
    }

    /// Sessions that are over for a week answer no repeat any more.
    pub(super) async fn forget_old_sessions(&self, now: Timestamp) -> Result<(), DatabaseError> {
        let before = now.plus_millis(-7 * 24 * 60 * 60 * 1000).as_millis();
        let mut transaction = self.database.begin().await?;
        for statement in [
            "DELETE FROM refresh_tokens WHERE session_id IN (SELECT id FROM sessions WHERE expires_at < $1)",
            "DELETE FROM sessions WHERE expires_at < $1",
        ] {
            transaction.run(statement, [before.into()]).await?;
        }
        transaction.commit().await
    }

    /// The account whose address and password these are. The same work is done, and the same said, whichever is wrong.
    async fn authenticate(&self, credentials: &Credentials) -> Result<Stored, AccountError> {
        let address = checks::email_key(&credentials.email);
        if let Some(pause) = self.throttle.pause(&address, Instant::now()) {
            let seconds = u32::try_from(pause.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
            return Err(AccountError::TooManyFailures(seconds));
        }
        let mut reader = self.database.reader().await?;
        let stored = find(&mut reader, Key::Email(&credentials.email)).await?;
        drop(reader);
        // What is longer than any password costs nothing to refuse, and tells nothing: no account has it.
        let possible = credentials.password.chars().count() <= *checks::PASSWORD.end();
        let hash = stored.as_ref().map(|stored| stored.password_hash.as_str());
        let fits = possible && self.passwords.fits(&credentials.password, hash).await?;
        match stored {
            Some(stored) if fits => {
                self.throttle.succeeded(&address);
                Ok(stored)
            }
            _ => {
                self.throttle.failed(&address, Instant::now());
                Err(AccountError::WrongCredentials)
            }
        }
    }

    async fn signed_in_before(&self, command_id: Uuid, fingerprint: &str) -> Result<Option<SignedIn>, AccountError> {
        let mut reader = self.database.reader().await?;
        let Some(session) = session_by(&mut reader, BY_COMMAND, command_id).await? else {
            return Ok(None);
        };
        if session.fingerprint != self.keyed(fingerprint) {
            return Err(AccountError::KeyReused);
        }
        let stored = find(&mut reader, Key::Id(session.account_id))
            .await?
            .ok_or(AccountError::NotFound)?;
        Ok(Some(self.answer(&stored, session.id, command_id, session.started_at)))
    }

    async fn insert_session(
        &self,
        transaction: &mut Transaction,
        session: &Session,
        command_id: Uuid,
    ) -> Result<(), DatabaseError> {
        let values = [
            session.id.to_string().into(),
            session.account_id.to_string().into(),
            command_id.to_string().into(),
            session.fingerprint.as_str().into(),
            session.started_at.as_millis().into(),
            session.expires_at.as_millis().into(),
        ];
        transaction.run(INSERT_SESSION, values).await?;
        insert_token(
            transaction,
            &self.refresh_token(command_id),
            session.id,
            session.started_at,
        )
        .await
    }

    fn answer(&self, owner: &Stored, session_id: Uuid, command_id: Uuid, issued_at: Timestamp) -> SignedIn {
        let principal = principal(&owner.account, session_id);
        SignedIn {
            access_token: self
                .tokens
                .issue(&principal, session_id, issued_at, self.settings.access_ttl),
            token_type: "Bearer".to_owned(),
            expires_in: self.settings.access_ttl.as_secs(),
            refresh_token: self.refresh_token(command_id),
        }
    }

    /// The refresh token that a command issues: always the same, and known to nobody without the secret.
    fn refresh_token(&self, command_id: Uuid) -> String {
        URL_SAFE_NO_PAD.encode(self.secret.derive(format!("refresh token {command_id}").as_bytes()))
    }
}

async fn session_by(
    connection: &mut Connection,
    statement: &'static str,
    value: Uuid,
) -> Result<Option<Session>, DatabaseError> {
    let row: Option<SessionRow> = connection.first(statement, [value.to_string().into()]).await?;
    row.map(|(id, account_id, fingerprint, started_at, expires_at, revoked_at)| {
        Ok(Session {
            id: uuid(&id)?,
            account_id: AccountId::from_uuid(uuid(&account_id)?),
            fingerprint,
            started_at: Timestamp::from_millis(started_at),
            expires_at: Timestamp::from_millis(expires_at),
            revoked: revoked_at.is_some(),
        })
    })
    .transpose()
}

/// The session that a refresh token belongs to, and the command that replaced it, if one did.
async fn token_row(connection: &mut Connection, digest: &str) -> Result<Option<(Uuid, Option<String>)>, DatabaseError> {
    let row: Option<(String, Option<String>)> = connection.first(TOKEN, [digest.into()]).await?;
    row.map(|(session_id, replaced_by)| Ok((uuid(&session_id)?, replaced_by)))
        .transpose()
}

async fn insert_token(
    connection: &mut Connection,
    token: &str,
    session_id: Uuid,
    issued_at: Timestamp,
) -> Result<(), DatabaseError> {
    let values = [
        secret::digest_of(token).into(),
        session_id.to_string().into(),
        issued_at.as_millis().into(),
    ];
    connection.run(INSERT_TOKEN, values).await
}

async fn revoke(connection: &mut Connection, session_id: Uuid, now: Timestamp) -> Result<(), DatabaseError> {
    let values = [session_id.to_string().into(), now.as_millis().into()];
    connection.run(REVOKE, values).await
}

fn uuid(text: &str) -> Result<Uuid, DatabaseError> {
    text.parse().map_err(damaged)
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
