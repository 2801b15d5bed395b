mod http;
mod roles;
mod sessions;

use event_log::memory::MemoryLog;

use super::*;
use crate::{outbox::faulty::all, relational::own::Own};

pub(super) const PASSWORD: &str = "moon jar 달항아리";

/// Accounts over a log in memory, in a folder of their own, with cheap passwords.
pub(super) struct Fixture {
    pub(super) accounts: Arc<Accounts>,
    pub(super) log: Arc<MemoryLog>,
    pub(super) tokens: Arc<Tokens>,
    own: Own,
}

impl Fixture {
    pub(super) async fn new() -> Self {
        Self::over(Own::of(module_path!()), MemoryLog::new()).await
    }

    async fn over(own: Own, log: Arc<MemoryLog>) -> Self {
        let tokens = Arc::new(Tokens::open(&own.folder().join("key")).unwrap());
        let secret = Secret::open(&own.folder().join("secret")).unwrap();
        let settings = AccountsSettings {
            cost: Cost { memory: 64, passes: 1 },
            ..AccountsSettings::default()
        };
        let opened = Accounts::open(&own.place, secret, log.clone(), Arc::clone(&tokens), settings).await;
        Self {
            accounts: Arc::new(opened.unwrap()),
            log,
            tokens,
            own,
        }
    }

    /// The same folder and log, and nothing of what was in memory.
    pub(super) async fn restarted(self) -> Self {
        let Self { accounts, log, own, .. } = self;
        drop(accounts);
        Self::over(own, log).await
    }

    pub(super) async fn register(&self, email: &str) -> Account {
        let done = self.accounts.register(&kim(email), "body", &context("")).await.unwrap();
        done.answer
    }

    pub(super) async fn sign_in(&self, email: &str) -> SignedIn {
        self.accounts
            .sign_in(&credentials(email), "body", &context(""))
            .await
            .unwrap()
    }

    /// Every text in every table.
    async fn everything_stored(&self) -> String {
        let mut reader = self.accounts.database.reader().await.unwrap();
        let mut stored = String::new();
        for table in [
            "SELECT id || email || email_key || name || password_hash || roles || command_id || fingerprint FROM accounts",
            "SELECT id || account_id || command_id || fingerprint FROM sessions",
            "SELECT digest || session_id || coalesce(replaced_by, '') FROM refresh_tokens",
            "SELECT event_id || stream || event_type || metadata || data FROM outbox",
        ] {
            let rows: Vec<(String,)> = reader.all(table, []).await.unwrap();
            stored.extend(rows.into_iter().map(|(row,)| row));
        }
        assert!(stored.contains("kim@example.com"), "{stored}");
        stored
    }

    /// Types and streams of everything that the log was told.
    pub(super) async fn told(&self) -> Vec<String> {
        assert!(self.accounts.drained(Duration::from_secs(20)).await);
        let events = all(&*self.log).await;
        events
            .iter()
            .map(|event| format!("{} {}", event.stream, event.event_type))
            .collect()
    }
}

pub(super) fn kim(email: &str) -> NewAccount {
    NewAccount {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        name: "김하나".to_owned(),
    }
}

pub(super) fn credentials(email: &str) -> Credentials {
    Credentials {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
    }
}

/// A request with that `Idempotency-Key`, or none.
pub(super) fn context(key: &str) -> RequestContext {
    let mut context = RequestContext::internal("POST /test");
    context.idempotency_key = (!key.is_empty()).then(|| key.to_owned());
    context
}

#[tokio::test]
async fn a_new_customer_is_told_to_the_log_without_the_password() {
    let shop = Fixture::new().await;
    let done = shop
        .accounts
        .register(&kim("kim@example.com"), "body", &context(""))
        .await
        .unwrap();
    assert_eq!(done.answer.roles, [Role::Customer]);
    assert_eq!(done.position, Some(shop.log.head().await.unwrap()));
    let events = all(&*shop.log).await;
    assert_eq!(events[0].stream.as_str(), format!("customer-{}", done.answer.id));
    let whole = format!("{:?} {:?}", events[0].data, events[0].metadata);
    assert!(!whole.contains("moon jar") && !whole.contains("fingerprint"), "{whole}");
    assert_eq!(shop.accounts.account(done.answer.id).await.unwrap(), Some(done.answer));
}

#[tokio::test]
async fn an_address_belongs_to_one_account_however_it_is_written() {
    let shop = Fixture::new().await;
    shop.register("Kim@Example.com").await;
    let outcome = shop
        .accounts
        .register(&kim("kim@example.COM"), "body", &context(""))
        .await;
    assert!(matches!(outcome, Err(AccountError::EmailTaken)), "{outcome:?}");
    assert_eq!(shop.told().await.len(), 1);
}

#[tokio::test]
async fn a_registration_repeated_after_a_restart_gets_the_same_answer() {
    let shop = Fixture::new().await;
    let first = shop
        .accounts
        .register(&kim("kim@example.com"), "body", &context("key"))
        .await
        .unwrap();
    let shop = shop.restarted().await;
    let again = shop
        .accounts
        .register(&kim("kim@example.com"), "body", &context("key"))
        .await
        .unwrap();
    assert_eq!(again.answer, first.answer);
    let other = shop
        .accounts
        .register(&kim("lee@example.com"), "another body", &context("key"))
        .await;
    assert!(matches!(other, Err(AccountError::KeyReused)), "{other:?}");
    assert_eq!(shop.told().await.len(), 1);
}

#[tokio::test]
async fn nothing_stored_gives_a_password_or_a_token_away() {
    let shop = Fixture::new().await;
    let fingerprint = edge::body::fingerprint(b"{\"email\":\"kim@example.com\",\"password\":\"moon jar\"}");
    shop.accounts
        .register(&kim("kim@example.com"), &fingerprint, &context("a"))
        .await
        .unwrap();
    let signed_in = shop
        .accounts
        .sign_in(&credentials("kim@example.com"), &fingerprint, &context("b"))
        .await
        .unwrap();
    let stored = shop.everything_stored().await;
    for secret in [
        PASSWORD,
        &fingerprint,
        &signed_in.refresh_token,
        &signed_in.access_token,
    ] {
        assert!(!stored.contains(secret), "{secret} is stored");
    }
}

#[tokio::test]
async fn a_seeded_account_is_made_once() {
    let shop = Fixture::new().await;
    let seller = shop
        .accounts
        .seed(&kim("seller@demo.example"), vec![Role::Seller])
        .await
        .unwrap();
    let again = shop
        .accounts
        .seed(&kim("seller@demo.example"), vec![Role::Seller])
        .await
        .unwrap();
    assert_eq!(again, seller);
    assert_eq!(shop.told().await, [format!("seller-{} SellerRegistered", seller.id)]);
    shop.sign_in("seller@demo.example").await;
}

#[tokio::test]
async fn the_same_registration_many_times_at_once_makes_one_account() {
    let shop = Fixture::new().await;
    let (new, context) = (kim("kim@example.com"), context("key"));
    let all = (0..8).map(|_| shop.accounts.register(&new, "body", &context));
    let answers: Vec<_> = futures_util::future::try_join_all(all).await.unwrap();
    assert!(
        answers.iter().all(|done| done.answer == answers[0].answer),
        "{answers:?}"
    );
    assert_eq!(shop.told().await.len(), 1);
}
