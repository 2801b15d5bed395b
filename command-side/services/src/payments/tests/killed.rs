//! Our process ends at the worst moment.

use async_trait::async_trait;

use super::{
    super::provider::{LedgerError, LedgerPage},
    *,
};
use crate::outbox::faulty::FaultyLog;

#[tokio::test]
async fn killed_after_the_announcement_the_provider_is_asked_by_whoever_comes_next() {
    for next in [authorise("card_approve"), inquire(PaymentOperation::Authorise)] {
        let shop = Fixture::new();
        let execution: Execution<Payment> = Execution::new(shop.log.clone());
        let request = PaymentCommand::RequestAuthorisation {
            payment_id: payment(),
            order_id: order(),
            amount: TOTAL,
            method: card("card_approve"),
        };
        let context = CommandContext::within("payments", Uuid::now_v7(), Timestamp::from_millis(1));
        execution.execute(payment().uuid(), &request, &context).await.unwrap();
        shop.ask(next).await.unwrap();
        assert_eq!(
            shop.events().await,
            ["PaymentAuthorisationRequested", "PaymentAuthorised"]
        );
        assert_eq!(shop.provider.counts(), (1, 0, 0));
    }
}

/// The simulator; the log goes away as soon as it is asked for anything.
struct Saboteur {
    inner: Arc<ProviderSimulator>,
    log: Arc<FaultyLog>,
}

#[async_trait]
impl PaymentProvider for Saboteur {
    fn name(&self) -> &'static str {
        "saboteur"
    }
    async fn authorise(&self, key: &OperationKey, amount: Money, method: &PaymentMethod) -> Outcome {
        self.log.set_down(true);
        self.inner.authorise(key, amount, method).await
    }
    async fn capture(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome {
        self.inner.capture(key, reference, amount).await
    }
    async fn void(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome {
        self.inner.void(key, reference, amount).await
    }
    async fn refund(&self, key: &OperationKey, reference: &str, amount: Money) -> Outcome {
        self.inner.refund(key, reference, amount).await
    }
    async fn look_up(&self, key: &OperationKey, reference: Option<&str>) -> Option<Outcome> {
        self.inner.look_up(key, reference).await
    }
    fn ledger_tells(&self) -> &'static [PaymentOperation] {
        self.inner.ledger_tells()
    }
    async fn ledger(&self, after: Option<&str>) -> Result<LedgerPage, LedgerError> {
        self.inner.ledger(after).await
    }
}

#[tokio::test]
async fn killed_between_the_providers_answer_and_the_log_nothing_is_done_twice() {
    let shop = Fixture::new();
    let log = Arc::new(FaultyLog::over(shop.log.clone()));
    let provider = Arc::new(Saboteur {
        inner: shop.provider.clone(),
        log: log.clone(),
    });
    let doomed = Payments::new(log, provider, Duration::from_millis(100));
    let asked = directive(authorise("card_approve"));
    assert!(matches!(doomed.execute(&asked).await, Err(ServiceError::Fault(_))));
    assert_eq!(shop.events().await, ["PaymentAuthorisationRequested"]);
    assert_eq!(shop.provider.counts(), (1, 0, 0), "the provider has acted");
    shop.payments.execute(&asked).await.unwrap();
    assert_eq!(
        shop.events().await,
        ["PaymentAuthorisationRequested", "PaymentAuthorised"]
    );
    assert_eq!(shop.provider.counts(), (1, 0, 0));
}

/// What a SIGKILL leaves: the files as they are while the ledger is open.
#[tokio::test]
async fn the_providers_ledger_survives_the_end_of_our_process() {
    let folder = tempfile::tempdir().unwrap();
    let (open, left) = (folder.path().join("open"), folder.path().join("left"));
    let provider = ProviderSimulator::open(&open, impatient()).unwrap();
    let key = by_hand(OperationId::AUTHORISE);
    let first = provider.authorise(&key, TOTAL, &card("card_approve")).await;
    copy(&open, &left);
    let again = ProviderSimulator::open(&left, impatient()).unwrap();
    assert_eq!(again.authorise(&key, TOTAL, &card("card_approve")).await, first);
    assert_eq!(again.counts(), (1, 0, 0));
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
