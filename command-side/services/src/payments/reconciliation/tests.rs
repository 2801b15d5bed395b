//! Every kind of difference, planted and found.

use event_log::{Append, Direction, ExpectedVersion, memory::MemoryLog};
use event_schemas::{
    Actor, Metadata, Money, NewEvent, OrderId, PaymentId, ShipmentId,
    order::PaymentMethod,
    payment::{PaymentCaptured, PaymentEvent, PaymentOperation},
    repair::RepairCaseEvent,
};
use tempfile::TempDir;
use uuid::Uuid;

use super::{super::*, *};
use crate::payments::simulator::ledger::Line;

const TOTAL: Money = Money::krw(129_000);
const AGE: Duration = Duration::from_secs(300);

/// A shop with one payment, its provider, and whoever compares their books.
struct Shop {
    log: Arc<MemoryLog>,
    provider: Arc<ProviderSimulator>,
    payments: Payments,
    reconciliation: Reconciliation,
    notebook: Notebook,
    _folder: TempDir,
}

fn order() -> OrderId {
    OrderId::from_uuid(Uuid::from_u128(1))
}

fn payment() -> PaymentId {
    payment_of(order())
}

fn parcel() -> OperationId {
    OperationId::capture(Some(ShipmentId::from_uuid(Uuid::from_u128(11))))
}

fn key(id: OperationId) -> String {
    OperationKey::new(payment(), id).to_string()
}

impl Shop {
    /// A parcel of 100,000 is paid for, the rest given back.
    async fn trading() -> Self {
        let (folder, log) = (tempfile::tempdir().unwrap(), MemoryLog::new());
        let ledger = folder.path().join("ledger");
        let provider = Arc::new(ProviderSimulator::open(&ledger, SimulatorSettings::default()).unwrap());
        let port: Arc<dyn PaymentProvider> = provider.clone();
        let settings = ReconciliationSettings {
            interval: Duration::ZERO,
            age: AGE,
            file: folder.path().join("reconciliation.json"),
        };
        let cases = Arc::new(Repairs::new(log.clone()));
        let mut shop = Self {
            payments: Payments::new(log.clone(), port.clone(), CALL_TIMEOUT),
            reconciliation: Reconciliation::new(log.clone(), port, cases, settings),
            notebook: Notebook::default(),
            log,
            provider,
            _folder: folder,
        };
        shop.ask(ServiceCommand::AuthorisePayment {
            payment_id: payment(),
            order_id: order(),
            amount: TOTAL,
            method: PaymentMethod {
                method: "card".to_owned(),
                token: "card_approve".to_owned(),
            },
        })
        .await;
        shop.capture(11, 100_000).await;
        shop.ask(ServiceCommand::VoidPayment {
            payment_id: payment(),
            order_id: order(),
        })
        .await;
        shop
    }

    async fn ask(&self, command: ServiceCommand) {
        let directive = Directive {
            id: Uuid::now_v7(),
            correlation_id: Uuid::nil(),
            causation_id: Uuid::nil(),
            at: Timestamp::now(),
            command,
        };
        self.payments.execute(&directive).await.unwrap();
    }

    async fn capture(&mut self, parcel: u128, amount: i64) {
        self.ask(ServiceCommand::CapturePayment {
            payment_id: payment(),
            order_id: order(),
            shipment_id: Some(ShipmentId::from_uuid(Uuid::from_u128(parcel))),
            amount: Some(Money::krw(amount)),
        })
        .await;
    }

    /// The line of the parcel's capture, which is in the provider's ledger no more.
    fn provider_forgets_the_parcel(&self) -> Line {
        let mut forgotten = None;
        self.provider.ledger_itself().falsify(|lines| {
            let place = lines.iter().position(|(_, line)| line.key == key(parcel())).unwrap();
            forgotten = Some(lines.remove(place).1);
        });
        forgotten.unwrap()
    }

    /// Looks as of so many seconds from now; gives what was opened (with what) and resolved since the last look.
    async fn look_in(&mut self, seconds: i64) -> Vec<(String, Discrepancy, bool)> {
        let before = self.cases().await.len();
        let now = Timestamp::now().plus_millis(seconds * 1_000);
        self.reconciliation.look(&mut self.notebook, now).await.unwrap();
        self.cases().await.split_off(before)
    }

    /// What happened to repair cases: key, what is wrong, whether it was opened.
    async fn cases(&self) -> Vec<(String, Discrepancy, bool)> {
        let filter = EventFilter::categories(&[Category::RepairCase]);
        let (events, _) = self.log.read_all(Position::START, &filter, 100).await.unwrap();
        let mut told: Vec<(RepairCaseId, String, Discrepancy, bool)> = vec![];
        for event in events {
            match event.decode::<RepairCaseEvent>().unwrap() {
                RepairCaseEvent::RepairCaseOpened(case) => {
                    assert!(case.detail.len() > 40, "{}", case.detail);
                    told.push((case.case_id, case.key, case.discrepancy, true));
                }
                RepairCaseEvent::RepairCaseResolved(case) => {
                    let opened = told.iter().rfind(|told| told.0 == case.case_id).unwrap().clone();
                    told.push((opened.0, opened.1, opened.2, false));
                }
            }
        }
        told.into_iter()
            .map(|(_, key, discrepancy, open)| (key, discrepancy, open))
            .collect()
    }
}

#[tokio::test]
async fn books_that_agree_open_no_case_and_leave_nothing_to_remember() {
    let mut shop = Shop::trading().await;
    assert_eq!(shop.look_in(0).await, []);
    assert_eq!(shop.look_in(1_000).await, []);
    assert_eq!(shop.notebook.books.open_items(), 0);
    // Without its notes it reads both sides again, to the same end.
    shop.notebook = Notebook::default();
    assert_eq!(shop.look_in(1_000).await, []);
    assert_eq!(shop.notebook.books.open_items(), 0);
}

#[tokio::test]
async fn what_the_provider_did_and_nobody_asked_for_is_a_case_once_it_is_old() {
    let mut shop = Shop::trading().await;
    let stranger = Line {
        key: "made at the provider's desk".to_owned(),
        operation: PaymentOperation::Refund,
        amount: Money::krw(7),
        reference: "sim_x".to_owned(),
        at: Timestamp::now(),
        notes: Default::default(),
    };
    let named = stranger.key.clone();
    shop.provider
        .ledger_itself()
        .falsify(|lines| lines.push((99, stranger)));
    assert_eq!(shop.look_in(0).await, [], "it may be on its way");
    assert_eq!(shop.look_in(301).await, [(named, Discrepancy::UnknownToUs, true)]);
    assert_eq!(shop.look_in(900).await, [], "one case, however often it is found");
}

#[tokio::test]
async fn what_was_done_twice_is_a_case() {
    let mut shop = Shop::trading().await;
    shop.provider.ledger_itself().falsify(|lines| {
        let twice = lines
            .iter()
            .find(|(_, line)| line.key == key(parcel()))
            .unwrap()
            .1
            .clone();
        lines.push((99, twice));
    });
    let found = shop.look_in(301).await;
    assert_eq!(found, [(key(parcel()), Discrepancy::AmountDiffers, true)]);
}

#[tokio::test]
async fn what_the_provider_forgot_is_a_case_and_resolved_when_it_turns_up() {
    let mut shop = Shop::trading().await;
    let forgotten = shop.provider_forgets_the_parcel();
    let case = (key(parcel()), Discrepancy::UnknownToProvider);
    assert_eq!(shop.look_in(301).await, [(case.0.clone(), case.1, true)]);
    shop.provider
        .ledger_itself()
        .falsify(|lines| lines.push((99, forgotten)));
    assert_eq!(shop.look_in(302).await, [(case.0, case.1, false)]);
    assert_eq!(shop.notebook.books.open_items(), 0);
}

#[tokio::test]
async fn a_case_is_found_again_when_the_notes_are_lost_and_resolved_when_it_is_over() {
    let mut shop = Shop::trading().await;
    let forgotten = shop.provider_forgets_the_parcel();
    let case = (key(parcel()), Discrepancy::UnknownToProvider);
    assert_eq!(shop.look_in(301).await, [(case.0.clone(), case.1, true)]);
    shop.notebook = Notebook::default();
    assert_eq!(shop.look_in(301).await, [], "it is open already");
    shop.notebook = Notebook::default();
    shop.provider
        .ledger_itself()
        .falsify(|lines| lines.push((99, forgotten)));
    assert_eq!(shop.look_in(302).await, [(case.0, case.1, false)]);
    shop.notebook = Notebook::default();
    assert_eq!(shop.look_in(302).await, [], "it is resolved already");
    assert_eq!(shop.notebook.books.open_items(), 0);
}

#[tokio::test]
async fn another_amount_is_a_case() {
    let mut shop = Shop::trading().await;
    shop.provider.ledger_itself().falsify(|lines| {
        let line = lines.iter_mut().find(|(_, line)| line.key == key(parcel())).unwrap();
        line.1.amount = Money::krw(100_001);
    });
    let found = shop.look_in(301).await;
    assert_eq!(found, [(key(parcel()), Discrepancy::AmountDiffers, true)]);
}

#[tokio::test]
async fn what_the_provider_refused_is_a_case_at_once_until_the_log_knows_what_was_done_by_hand() {
    let mut shop = Shop::trading().await;
    let reference = {
        let authorised = OperationKey::new(payment(), OperationId::AUTHORISE);
        match shop.provider.look_up(&authorised, None).await {
            Some(Outcome::Happened { reference }) => reference,
            other => panic!("{other:?}"),
        }
    };
    // Behind the shop's back all of it is paid back, so that the shop's own refund is refused.
    let by_hand = OperationKey::new(PaymentId::from_uuid(Uuid::from_u128(9)), OperationId::VOID);
    shop.provider.refund(&by_hand, &reference, Money::krw(100_000)).await;
    let refund_id = event_schemas::RefundId::from_uuid(Uuid::from_u128(5));
    let amount = Money::krw(40_000);
    let (payment_id, order_id) = (payment(), order());
    shop.ask(ServiceCommand::RefundPayment {
        payment_id,
        order_id,
        refund_id,
        amount,
    })
    .await;
    let refund = key(OperationId::refund(refund_id));
    assert_eq!(shop.look_in(0).await, [(refund.clone(), Discrepancy::Refused, true)]);
    // Then the desk pays it under the shop's name, which the shop does not know: were the case resolved now, the saga would
    // take the money for settled by other means, and nobody would ask about it any more.
    let line = Line {
        key: refund.clone(),
        operation: PaymentOperation::Refund,
        amount,
        reference,
        at: Timestamp::now(),
        notes: Default::default(),
    };
    shop.provider.ledger_itself().falsify(|lines| lines.push((99, line)));
    let found = shop.look_in(301).await;
    assert!(found.iter().all(|(key, ..)| *key != refund), "{found:?}");
    assert!(
        found.contains(&(by_hand.to_string(), Discrepancy::UnknownToUs, true)),
        "{found:?}"
    );
}

#[tokio::test]
async fn what_only_the_log_knows_is_a_case_unless_it_was_imported() {
    let mut shop = Shop::trading().await;
    for (number, imported) in [(70, false), (71, true)] {
        let captured = PaymentCaptured {
            payment_id: PaymentId::from_uuid(Uuid::from_u128(number)),
            order_id: order(),
            amount: TOTAL,
            shipment_id: None,
        };
        let event: PaymentEvent = captured.into();
        let metadata = Metadata {
            imported,
            ..Metadata::new(Timestamp::now(), Uuid::nil(), Actor::system("test"))
        };
        let append = Append {
            stream: Category::Payment.stream(Uuid::from_u128(number)),
            expected: ExpectedVersion::Any,
            events: vec![NewEvent::new(Uuid::now_v7(), &event, &metadata)],
        };
        shop.log.append(append).await.unwrap();
    }
    let planted = PaymentId::from_uuid(Uuid::from_u128(70));
    let found = shop.look_in(301).await;
    assert_eq!(
        found,
        [(format!("{planted}/capture"), Discrepancy::UnknownToProvider, true)]
    );
}

#[tokio::test]
async fn an_operators_word_closes_a_case_and_the_same_finding_does_not_open_it_again() {
    let mut shop = Shop::trading().await;
    shop.provider.ledger_itself().falsify(|lines| {
        lines.retain(|(_, line)| line.key != key(parcel()));
    });
    assert_eq!(shop.look_in(301).await.len(), 1);
    let case = case_of(&key(parcel()), Discrepancy::UnknownToProvider);
    let resolution = "Written off.".to_owned();
    shop.reconciliation
        .cases
        .resolve(case, resolution, &within(case, Timestamp::now()))
        .await
        .unwrap();
    shop.notebook = Notebook::default();
    assert_eq!(shop.look_in(900).await, []);
    let events = shop
        .log
        .read_stream(&Category::RepairCase.stream(case.uuid()), None, Direction::Forwards, 9)
        .await;
    assert_eq!(events.unwrap().len(), 2);
}
