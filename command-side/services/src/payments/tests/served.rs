//! Every adapter against the simulator as a server: the contract, and every fault.

use event_schemas::ids::derived_uuid;
use reqwest::Client;
use serde_json::json;
use tokio::{net::TcpListener, task::JoinHandle};

use super::{
    super::{
        providers::{HttpProvider, ProviderPlace, StripeProvider, TossProvider},
        simulator::server::ProviderServer,
    },
    *,
};

const KEY: &str = "sk_test_jangteo";

/// The simulator as a server, in the process. Stops when dropped.
struct Served {
    place: ProviderPlace,
    running: JoinHandle<()>,
    _folder: TempDir,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Served {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = ProviderServer::open(folder.path(), impatient())
            .unwrap()
            .with_key(Some(KEY.to_owned()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let running = tokio::spawn(server.serve(listener));
        let place = ProviderPlace {
            url,
            key: Some(KEY.to_owned()),
            deadline: Duration::from_millis(400),
        };
        Self {
            place,
            running,
            _folder: folder,
        }
    }

    fn adapters(&self) -> [Arc<dyn PaymentProvider>; 3] {
        [
            Arc::new(HttpProvider::new(&self.place).unwrap()),
            Arc::new(StripeProvider::new(&self.place).unwrap()),
            Arc::new(TossProvider::new(&self.place).unwrap()),
        ]
    }

    /// What goes wrong from now on.
    async fn suffer(&self, faults: serde_json::Value) {
        let put = Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .put(format!("{}/faults", self.place.url));
        let answer = put.json(&json!({ "seed": 1, "faults": faults })).send().await.unwrap();
        assert!(answer.status().is_success());
    }
}

#[tokio::test]
async fn every_adapter_fulfils_the_contract_of_providers() {
    let tokens = contract::Tokens {
        approved: "card_approve",
        declined: "card_decline",
    };
    let deadline = Duration::from_secs(5);
    for which in 0..3 {
        // A ledger of its own for each: they tell of everything at the provider.
        let mut served = Served::start().await;
        served.place.deadline = deadline;
        contract::all(&*served.adapters()[which], &tokens).await;
    }
}

#[tokio::test]
async fn a_wrong_key_takes_no_money_and_leaves_nothing_in_doubt() {
    let mut served = Served::start().await;
    served.place.key = Some("sk_test_other".to_owned());
    for adapter in served.adapters() {
        let key = OperationKey::new(payment(), OperationId::AUTHORISE);
        let outcome = adapter.authorise(&key, TOTAL, &card("card_approve")).await;
        assert!(
            matches!(outcome, Outcome::NotAsked { .. }),
            "{}: {outcome:?}",
            adapter.name()
        );
    }
}

#[tokio::test]
async fn no_provider_at_all_leaves_nothing_in_doubt() {
    let served = Served::start().await;
    let adapters = served.adapters();
    drop(served);
    let key = OperationKey::new(payment(), OperationId::AUTHORISE);
    for adapter in adapters {
        let refused = async || {
            matches!(
                adapter.authorise(&key, TOTAL, &card("card_approve")).await,
                Outcome::NotAsked { .. }
            )
        };
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while !refused().await {
            assert!(tokio::time::Instant::now() < deadline, "{}", adapter.name());
        }
    }
}

/// Brings a payment from authorisation to refund, whatever goes wrong: as the saga would, each step is asked for until its
/// event is there.
async fn whole_life(payments: &Payments, log: &MemoryLog, order: OrderId) -> Vec<String> {
    let payment_id = payment_of(order);
    let method = card("card_approve");
    let parcel = |number: u128| ShipmentId::from_uuid(derived_uuid(order.uuid(), &number.to_string()));
    let capture = |number, amount| ServiceCommand::CapturePayment {
        payment_id,
        order_id: order,
        shipment_id: Some(parcel(number)),
        amount: Some(Money::krw(amount)),
    };
    let refund_id = RefundId::from_uuid(derived_uuid(order.uuid(), "refund"));
    let steps = [
        ServiceCommand::AuthorisePayment {
            payment_id,
            order_id: order,
            amount: TOTAL,
            method,
        },
        capture(1, 50_000),
        capture(2, 50_000),
        ServiceCommand::VoidPayment {
            payment_id,
            order_id: order,
        },
        ServiceCommand::RefundPayment {
            payment_id,
            order_id: order,
            refund_id,
            amount: Money::krw(20_000),
        },
    ];
    let stream = Category::Payment.stream(payment_id.uuid());
    let settled = async || {
        let events = log.read_stream(&stream, None, Direction::Forwards, 100).await.unwrap();
        let read = events
            .iter()
            .map(|event| event.decode::<PaymentEvent>().unwrap().event_type().to_owned());
        read.filter(|name| !name.ends_with("Requested") && name != "PaymentOutcomeUnknown")
            .collect::<Vec<_>>()
    };
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    for (done, step) in steps.into_iter().enumerate() {
        while settled().await.len() <= done {
            assert!(tokio::time::Instant::now() < deadline, "{step:?} never settled");
            // A fault is the runner's reason to ask again.
            let _ = payments.execute(&directive(step.clone())).await;
        }
    }
    settled().await
}

#[tokio::test]
async fn whatever_goes_wrong_on_the_way_each_operation_is_done_once() {
    let faults = [
        "timeout",
        "drop",
        "act_then_drop",
        "act_then_timeout",
        "error500",
        "act_then_error500",
        "conflict409",
        "slow",
    ];
    for which in 0..3 {
        let served = Served::start().await;
        let provider = served.adapters()[which].clone();
        let log = MemoryLog::new();
        let payments = Payments::new(log.clone(), provider.clone(), Duration::from_secs(2));
        let mut orders = 0;
        for fault in faults {
            orders += 1;
            let rule = |call: &str| json!({ "call": call, "fault": fault, "times": 1, "slow_ms": 900 });
            served
                .suffer(json!([
                    rule("authorise"),
                    rule("capture"),
                    rule("void"),
                    rule("refund"),
                    rule("look_up")
                ]))
                .await;
            let order = OrderId::from_uuid(Uuid::from_u128(orders));
            let events = whole_life(&payments, &log, order).await;
            let expected = [
                "PaymentAuthorised",
                "PaymentCaptured",
                "PaymentCaptured",
                "PaymentVoided",
                "PaymentRefunded",
            ];
            assert_eq!(events, expected, "{} under {fault}", provider.name());
        }
        served.suffer(json!([])).await;
        // Late calls arrive, and do nothing any more.
        let mut told = vec![];
        for kind in [
            PaymentOperation::Authorise,
            PaymentOperation::Capture,
            PaymentOperation::Void,
            PaymentOperation::Refund,
        ] {
            let per_order = match kind {
                _ if !provider.ledger_tells().contains(&kind) => 0,
                PaymentOperation::Capture => 2,
                _ => 1,
            };
            told.extend(std::iter::repeat_n(kind, per_order * faults.len()));
        }
        let ledger = provider.ledger(None).await.unwrap().entries;
        let mut keys: Vec<&str> = ledger.iter().map(|entry| entry.key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(
            (ledger.len(), keys.len()),
            (told.len(), told.len()),
            "{}: {ledger:#?}",
            provider.name()
        );
    }
}
