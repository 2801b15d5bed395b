//! New accounts: by themselves, by the set-up token, or seeded by the shop.

use edge::{RequestContext, Role};
use event_schemas::{
    AccountId, Metadata,
    audit::{AuditEvent, RolesChanged},
    customer::{CustomerEvent, CustomerRegistered},
    ids::derived_uuid,
    seller::{SellerEvent, SellerRegistered},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{Account, AccountError, Accounts, Done, Key, Stored, checks, find, metadata};
use crate::{
    outbox::Outgoing,
    relational::{Connection, DatabaseError, Sql, Transaction},
    secret,
};

/// Someone who wants an account.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// With which to sign in.
    pub email: String,
    /// 8 to 128 characters.
    #[schema(min_length = 8, max_length = 128)]
    pub password: String,
    /// What to call its owner.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// The first admin of an empty shop.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUp {
    /// What the shop printed when it was started.
    pub token: String,
    /// With which to sign in.
    pub email: String,
    /// 8 to 128 characters.
    #[schema(min_length = 8, max_length = 128)]
    pub password: String,
    /// What to call its owner.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// What the first admin may do: everything it takes to run a small shop alone. They can give roles away afterwards.
const FIRST_ADMIN: [Role; 3] = [Role::Admin, Role::Operator, Role::Seller];

const INSERT: &str = "\
    INSERT INTO accounts (id, email, email_key, name, password_hash, roles, created_at, command_id, fingerprint) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const PUT_SETUP_TOKEN: &str = r#"
    INSERT INTO setup_token ("only", digest) VALUES (1, $1) ON CONFLICT ("only") DO UPDATE SET digest = excluded.digest"#;

const ADMINS: Sql = Sql::each(
    "SELECT count(*) FROM accounts, json_each(roles) WHERE value = 'admin'",
    "SELECT count(*) FROM accounts, json_array_elements_text(roles::json) AS role (given) WHERE given = 'admin'",
);

impl Accounts {
    /// A new customer. The same command again gets the same answer.
    ///
    /// # Errors
    /// When fields are not acceptable, the address is taken, or the command's key was used with another body.
    pub async fn register(
        &self,
        new: &NewAccount,
        fingerprint: &str,
        context: &RequestContext,
    ) -> Result<Done<Account>, AccountError> {
        let command_id = context.command_id(None);
        if let Some(account) = self.repeated(command_id, fingerprint).await? {
            let answer = Account {
                roles: vec![Role::Customer],
                ..account
            };
            let position = self.position(None).await;
            return Ok(Done { answer, position });
        }
        let stored = self.prepare(new, vec![Role::Customer], command_id, fingerprint).await?;
        self.admit(stored, command_id, None, context).await
    }

    /// An account that the shop makes for itself, with these roles; where the address has one already, that one as it is.
    ///
    /// # Errors
    /// When fields are not acceptable or the database fails.
    pub async fn seed(&self, new: &NewAccount, roles: Vec<Role>) -> Result<Account, AccountError> {
        let existing = find(&mut self.database.reader().await?, Key::Email(&new.email)).await?;
        if let Some(existing) = existing {
            return Ok(existing.account);
        }
        let context = RequestContext::internal("seed accounts");
        let command_id = context.command_id(None);
        let stored = self.prepare(new, roles, command_id, "").await?;
        let done = self.admit(stored, command_id, None, &context).await?;
        Ok(done.answer)
    }

    /// A fresh one-time token for the first admin, in place of any before it; none where there is an admin.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn new_setup_token(&self) -> Result<Option<String>, AccountError> {
        let fault = |error: std::io::Error| AccountError::Fault(error.to_string());
        let mut transaction = self.database.begin().await?;
        if admins(&mut transaction).await? > 0 {
            return Ok(None);
        }
        let token = secret::hex(&secret::random().map_err(fault)?[..16]);
        let digest = secret::digest_of(&token);
        transaction.run(PUT_SETUP_TOKEN, [digest.into()]).await?;
        transaction.commit().await?;
        Ok(Some(token))
    }

    /// The first admin, for whoever has the token. The same command again gets the same answer.
    ///
    /// # Errors
    /// When the token is wrong or used, fields are not acceptable, or the address is taken.
    pub async fn set_up(
        &self,
        set_up: &SetUp,
        fingerprint: &str,
        context: &RequestContext,
    ) -> Result<Done<Account>, AccountError> {
        let command_id = context.command_id(None);
        if let Some(account) = self.repeated(command_id, fingerprint).await? {
            let answer = Account {
                roles: FIRST_ADMIN.to_vec(),
                ..account
            };
            let position = self.position(None).await;
            return Ok(Done { answer, position });
        }
        check_setup_token(&mut self.database.reader().await?, &set_up.token).await?;
        let new = NewAccount {
            email: set_up.email.clone(),
            password: set_up.password.clone(),
            name: set_up.name.clone(),
        };
        let stored = self
            .prepare(&new, FIRST_ADMIN.to_vec(), command_id, fingerprint)
            .await?;
        self.admit(stored, command_id, Some(&set_up.token), context).await
    }

    /// Writes a new account and tells of it. With a set-up token, which is used up by it.
    async fn admit(
        &self,
        stored: Stored,
        command_id: Uuid,
        setup_token: Option<&str>,
        context: &RequestContext,
    ) -> Result<Done<Account>, AccountError> {
        let account = &stored.account;
        let mut transaction = self.database.begin().await?;
        if let Some(twin) = find(&mut transaction, Key::Command(command_id)).await? {
            // The same command came twice at once, and the other one was a hair ahead: its answer is this one's.
            drop(transaction);
            if twin.fingerprint != stored.fingerprint {
                return Err(AccountError::KeyReused);
            }
            let position = self.position(None).await;
            let answer = stored.account;
            return Ok(Done { answer, position });
        }
        let metadata = metadata(context, account.id, command_id);
        let mut events = introductions(account, &metadata);
        if let Some(token) = setup_token {
            // Again, now that nobody else can use it: hashing the password took a while.
            check_setup_token(&mut transaction, token).await?;
            transaction.run("DELETE FROM setup_token", []).await?;
            events.push(roles_changed(account.id, account, &metadata));
        }
        insert(&mut transaction, &stored, command_id, context).await?;
        let seq = self.outbox.write(&mut transaction, &events).await?;
        transaction.commit().await?;
        self.outbox.committed(seq);
        let position = self.position(seq).await;
        let answer = stored.account;
        Ok(Done { answer, position })
    }

    /// The account that this very command made before.
    async fn repeated(&self, command_id: Uuid, fingerprint: &str) -> Result<Option<Account>, AccountError> {
        let mut reader = self.database.reader().await?;
        let Some(stored) = find(&mut reader, Key::Command(command_id)).await? else {
            return Ok(None);
        };
        if stored.fingerprint == self.keyed(fingerprint) {
            Ok(Some(stored.account))
        } else {
            Err(AccountError::KeyReused)
        }
    }

    /// Checks and hashes: everything that can be done before the database is locked.
    async fn prepare(
        &self,
        new: &NewAccount,
        roles: Vec<Role>,
        command_id: Uuid,
        fingerprint: &str,
    ) -> Result<Stored, AccountError> {
        checks::new_account(&new.email, &new.password, &new.name)?;
        Ok(Stored {
            account: Account {
                id: AccountId::derived(command_id, "account"),
                email: new.email.clone(),
                name: new.name.trim().to_owned(),
                roles,
            },
            password_hash: self.passwords.hash(&new.password).await?,
            fingerprint: self.keyed(fingerprint),
        })
    }
}

async fn insert(
    transaction: &mut Transaction,
    stored: &Stored,
    command_id: Uuid,
    context: &RequestContext,
) -> Result<(), AccountError> {
    let account = &stored.account;
    if find(transaction, Key::Email(&account.email)).await?.is_some() {
        return Err(AccountError::EmailTaken);
    }
    let values = [
        account.id.to_string().into(),
        account.email.as_str().into(),
        checks::email_key(&account.email).into(),
        account.name.as_str().into(),
        stored.password_hash.as_str().into(),
        roles_json(&account.roles).into(),
        context.received_at.as_millis().into(),
        command_id.to_string().into(),
        stored.fingerprint.as_str().into(),
    ];
    transaction.run(INSERT, values).await?;
    Ok(())
}

async fn check_setup_token(connection: &mut Connection, token: &str) -> Result<(), AccountError> {
    if admins(connection).await? > 0 {
        return Err(AccountError::AlreadySetUp);
    }
    // Digests are compared, so the time this takes says nothing about the token.
    let digest: Option<(String,)> = connection.first("SELECT digest FROM setup_token", []).await?;
    if digest.is_some_and(|(digest,)| digest == secret::digest_of(token)) {
        Ok(())
    } else {
        Err(AccountError::WrongSetUpToken)
    }
}

pub(super) async fn admins(connection: &mut Connection) -> Result<i64, DatabaseError> {
    let counted: Option<(i64,)> = connection.first(ADMINS, []).await?;
    Ok(counted.map_or(0, |(count,)| count))
}

/// What the rest of the shop is told of an account with these roles. The ids are the account's: it is told once, even where
/// a role is taken and given again.
pub(super) fn introductions(account: &Account, metadata: &Metadata) -> Vec<Outgoing> {
    let mut events = vec![];
    let id = |name| derived_uuid(account.id.uuid(), name);
    if account.roles.contains(&Role::Customer) {
        let registered = CustomerRegistered {
            customer_id: account.id,
            name: account.name.clone(),
            email: Some(account.email.clone()),
        };
        let event = CustomerEvent::from(registered);
        events.push(Outgoing::new(
            account.id.uuid(),
            id("customer-registered"),
            &event,
            metadata,
        ));
    }
    if account.roles.contains(&Role::Seller) {
        let registered = SellerRegistered {
            seller_id: account.id,
            name: account.name.clone(),
        };
        let event = SellerEvent::from(registered);
        events.push(Outgoing::new(
            account.id.uuid(),
            id("seller-registered"),
            &event,
            metadata,
        ));
    }
    events
}

/// What the audit is told. In the stream of the one who did it.
pub(super) fn roles_changed(admin_id: AccountId, account: &Account, metadata: &Metadata) -> Outgoing {
    let changed = RolesChanged {
        admin_id,
        account_id: account.id,
        roles: account.roles.iter().map(ToString::to_string).collect(),
    };
    Outgoing::new(admin_id.uuid(), Uuid::now_v7(), &AuditEvent::from(changed), metadata)
}

pub(super) fn roles_json(roles: &[Role]) -> String {
    // Invariant: a list of words can always be written.
    serde_json::to_string(roles).unwrap_or_default()
}
