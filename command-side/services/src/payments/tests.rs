mod killed;
mod served;
mod told;

use event_log::{Direction, memory::MemoryLog};
use event_schemas::{
    Category, DomainEvent, Money, RefundId, ShipmentId, Timestamp,
    order::PaymentMethod,
    payment::{PaymentEvent, PaymentOperation},
};
use futures_util::future::join_all;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;

const TOTAL: Money = Money::krw(129_000);

/// A payment service over a log in memory and the simulator.
struct Fixture {
    payments: Payments,
    provider: Arc<ProviderSimulator>,
    log: Arc<MemoryLog>,
    _folder: TempDir,
}

fn impatient() -> SimulatorSettings {
    SimulatorSettings {
        slow: Duration::from_millis(300),
    }
}

impl Fixture {
    fn new() -> Self {
        let (folder, log) = (tempfile::tempdir().unwrap(), MemoryLog::new());
        let provider = Arc::new(ProviderSimulator::open(&folder.path().join("ledger"), impatient()).unwrap());
        let payments = Payments::new(log.clone(), provider.clone(), Duration::from_millis(100));
        Self {
            payments,
            provider,
            log,
            _folder: folder,
        }
    }

    async fn ask(&self, command: ServiceCommand) -> Result<(), ServiceError> {
        self.payments.execute(&directive(command)).await
    }

    /// The payment's events in the log, by their types.
    async fn events(&self) -> Vec<String> {
        let stream = Category::Payment.stream(payment().uuid());
        let events = self
            .log
            .read_stream(&stream, None, Direction::Forwards, 100)
            .await
            .unwrap();
        let name = |event: &event_log::RecordedEvent| event.decode::<PaymentEvent>().unwrap().event_type().to_owned();
        events.iter().map(|event| name(event)).collect()
    }

    async fn inquire_until_settled(&self, operation: PaymentOperation) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        let before = self.events().await.len();
        while self.events().await.len() == before {
            assert!(tokio::time::Instant::now() < deadline, "never settled");
            self.ask(inquire(operation)).await.unwrap();
        }
    }
}

fn order() -> OrderId {
    OrderId::from_uuid(Uuid::from_u128(1))
}

fn payment() -> PaymentId {
    payment_of(order())
}

fn directive(command: ServiceCommand) -> Directive {
    Directive {
        id: Uuid::now_v7(),
        correlation_id: Uuid::from_u128(7),
        causation_id: Uuid::from_u128(8),
        at: Timestamp::from_millis(5),
        command,
    }
}

fn card(token: &str) -> PaymentMethod {
    PaymentMethod {
        method: "card".to_owned(),
        token: token.to_owned(),
    }
}

fn authorise(token: &str) -> ServiceCommand {
    ServiceCommand::AuthorisePayment {
        payment_id: payment(),
        order_id: order(),
        amount: TOTAL,
        method: card(token),
    }
}

fn capture() -> ServiceCommand {
    ServiceCommand::CapturePayment {
        amount: None,
        shipment_id: None,
        payment_id: payment(),
        order_id: order(),
    }
}

fn void() -> ServiceCommand {
    ServiceCommand::VoidPayment {
        payment_id: payment(),
        order_id: order(),
    }
}

fn capture_of(parcel: u128, amount: i64) -> ServiceCommand {
    ServiceCommand::CapturePayment {
        amount: Some(Money::krw(amount)),
        shipment_id: Some(ShipmentId::from_uuid(Uuid::from_u128(parcel))),
        payment_id: payment(),
        order_id: order(),
    }
}

fn refund(number: u128, amount: i64) -> ServiceCommand {
    ServiceCommand::RefundPayment {
        payment_id: payment(),
        order_id: order(),
        refund_id: RefundId::from_uuid(Uuid::from_u128(number)),
        amount: Money::krw(amount),
    }
}

fn inquire(operation: PaymentOperation) -> ServiceCommand {
    ServiceCommand::InquirePayment {
        part: None,
        payment_id: payment(),
        order_id: order(),
        operation,
    }
}

fn refused(outcome: Result<(), ServiceError>) -> &'static str {
    match outcome {
        Err(ServiceError::Refused(refusal)) => refusal.code,
        other => panic!("expected a refusal: {other:?}"),
    }
}

#[tokio::test]
async fn the_simulator_fulfils_the_contract_of_providers() {
    let folder = tempfile::tempdir().unwrap();
    let provider = ProviderSimulator::open(folder.path(), impatient()).unwrap();
    let tokens = contract::Tokens {
        approved: "card_approve",
        declined: "card_decline",
    };
    contract::all(&provider, &tokens).await;
}

#[tokio::test]
async fn money_is_set_aside_and_then_taken() {
    let shop = Fixture::new();
    for command in [
        authorise("card_approve"),
        authorise("card_approve"),
        capture(),
        capture(),
    ] {
        shop.ask(command).await.unwrap();
    }
    let expected = [
        "PaymentAuthorisationRequested",
        "PaymentAuthorised",
        "PaymentCaptureRequested",
        "PaymentCaptured",
    ];
    assert_eq!(
        shop.events().await,
        expected,
        "each step once, however often it is asked"
    );
    assert_eq!(shop.provider.counts(), (0, 1, 0));
}

#[tokio::test]
async fn money_is_set_aside_and_then_given_back() {
    let shop = Fixture::new();
    for command in [authorise("card_approve"), void(), void()] {
        shop.ask(command).await.unwrap();
    }
    let expected = [
        "PaymentAuthorisationRequested",
        "PaymentAuthorised",
        "PaymentVoidRequested",
        "PaymentVoided",
    ];
    assert_eq!(shop.events().await, expected);
    assert_eq!(shop.provider.counts(), (0, 0, 1));
    assert_eq!(refused(shop.ask(capture()).await), "payment-voided");
}

#[tokio::test]
async fn each_token_has_its_outcome() {
    for (token, code) in [
        ("card_decline", "card_declined"),
        ("card_insufficient_funds", "insufficient_funds"),
        ("4111111111111111", "unknown_card"),
    ] {
        let shop = Fixture::new();
        shop.ask(authorise(token)).await.unwrap();
        shop.ask(authorise(token)).await.unwrap();
        let stream = Category::Payment.stream(payment().uuid());
        let events = shop
            .log
            .read_stream(&stream, None, Direction::Forwards, 100)
            .await
            .unwrap();
        let last = events.last().unwrap().decode::<PaymentEvent>().unwrap();
        let PaymentEvent::PaymentDeclined(declined) = last else {
            panic!("{token}: {last:?}")
        };
        assert_eq!((declined.reason.code.as_str(), events.len()), (code, 2));
        assert_eq!(shop.provider.counts(), (0, 0, 0), "no money moved");
        assert_eq!(refused(shop.ask(capture()).await), "payment-declined");
    }
}

#[tokio::test]
async fn a_lost_answer_is_unknown_until_the_provider_is_asked() {
    let shop = Fixture::new();
    shop.ask(authorise("card_answer_lost")).await.unwrap();
    assert_eq!(
        shop.events().await,
        ["PaymentAuthorisationRequested", "PaymentOutcomeUnknown"]
    );
    assert_eq!(
        refused(shop.ask(void()).await),
        "payment-in-flight",
        "nothing is undone while nobody knows"
    );
    shop.ask(inquire(PaymentOperation::Authorise)).await.unwrap();
    shop.ask(inquire(PaymentOperation::Authorise)).await.unwrap();
    let expected = [
        "PaymentAuthorisationRequested",
        "PaymentOutcomeUnknown",
        "PaymentAuthorised",
    ];
    assert_eq!(shop.events().await, expected);
    assert_eq!(shop.provider.counts(), (1, 0, 0));
}

#[tokio::test]
async fn the_directive_repeated_after_a_lost_answer_asks_what_became_of_it() {
    let shop = Fixture::new();
    shop.ask(authorise("card_answer_lost")).await.unwrap();
    shop.ask(authorise("card_answer_lost")).await.unwrap();
    assert_eq!(shop.events().await.last().unwrap(), "PaymentAuthorised");
    assert_eq!(shop.provider.counts(), (1, 0, 0), "never twice");
}

#[tokio::test]
async fn a_slow_provider_is_unknown_and_then_settled_by_inquiry() {
    let shop = Fixture::new();
    shop.ask(authorise("card_slow")).await.unwrap();
    shop.ask(inquire(PaymentOperation::Authorise)).await.unwrap();
    let expected = ["PaymentAuthorisationRequested", "PaymentOutcomeUnknown"];
    assert_eq!(
        shop.events().await,
        expected,
        "unknown is said once, while the provider is still at it"
    );
    shop.inquire_until_settled(PaymentOperation::Authorise).await;
    assert_eq!(shop.events().await.last().unwrap(), "PaymentAuthorised");
    assert_eq!(shop.provider.counts(), (1, 0, 0));
}

#[tokio::test]
async fn the_same_directive_many_times_at_once_sets_money_aside_once() {
    let shop = Fixture::new();
    let asked = directive(authorise("card_approve"));
    let outcomes = join_all((0..16).map(|_| shop.payments.execute(&asked))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(
        shop.events().await,
        ["PaymentAuthorisationRequested", "PaymentAuthorised"]
    );
    assert_eq!(shop.provider.counts(), (1, 0, 0));
}

#[tokio::test]
async fn each_parcel_is_taken_on_its_own_the_rest_given_back_and_some_refunded() {
    let shop = Fixture::new();
    shop.ask(authorise("card_approve")).await.unwrap();
    for command in [
        capture_of(1, 60_000),
        capture_of(2, 40_000),
        capture_of(1, 60_000),
        void(),
        refund(9, 70_000),
    ] {
        shop.ask(command).await.unwrap();
    }
    assert_eq!(refused(shop.ask(refund(10, 30_001)).await), "payment-exceeds-captured");
    let expected = [
        "PaymentCaptureRequested",
        "PaymentCaptured",
        "PaymentCaptureRequested",
        "PaymentCaptured",
        "PaymentVoidRequested",
        "PaymentVoided",
        "PaymentRefundRequested",
        "PaymentRefunded",
    ];
    assert_eq!(shop.events().await[2..], expected);
    let ledger = shop.provider.ledger(None).await.unwrap().entries;
    let amounts: Vec<i64> = ledger.iter().map(|entry| entry.amount.amount).collect();
    assert_eq!(amounts, [129_000, 60_000, 40_000, 29_000, 70_000]);
}

/// What an operator does at the provider's, behind the shop's back.
fn by_hand(operation: OperationId) -> OperationKey {
    OperationKey::new(PaymentId::from_uuid(Uuid::from_u128(99)), operation)
}

#[tokio::test]
async fn a_refused_capture_is_said_and_taken_back_where_it_was_done_after_all() {
    let shop = Fixture::new();
    shop.ask(authorise("card_approve")).await.unwrap();
    let key = OperationKey::new(payment(), OperationId::AUTHORISE);
    let Some(Outcome::Happened { reference }) = shop.provider.look_up(&key, None).await else {
        panic!("not authorised")
    };
    shop.provider.void(&by_hand(OperationId::VOID), &reference, TOTAL).await;
    shop.ask(capture()).await.unwrap();
    shop.ask(inquire(PaymentOperation::Capture)).await.unwrap();
    let expected = ["PaymentCaptureRequested", "PaymentOperationRefused"];
    assert_eq!(shop.events().await[2..], expected);
}

#[tokio::test]
async fn what_was_never_begun_is_refused() {
    let shop = Fixture::new();
    for command in [capture(), void(), inquire(PaymentOperation::Capture)] {
        assert_eq!(refused(shop.ask(command).await), "payment-not-found");
    }
    let elsewhere = ServiceCommand::ConfirmOrder { order_id: order() };
    assert!(matches!(shop.ask(elsewhere).await, Err(ServiceError::Fault(_))));
}
