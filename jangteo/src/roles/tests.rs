//! Which settings make sense together, and the saga's hop over real HTTP.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::commands::{Directive, ServiceCommand};
use event_log::{EventFilter, Position, RecordedEvent};
use event_schemas::{Category, OrderId, ProductId, Timestamp, shipment::ParcelItem};
use sagas::{DispatchError, Dispatcher};
use uuid::Uuid;

use super::{Role, Roles, dispatch::RemoteDispatcher};
use crate::{Shop, config::Config};

fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::for_folder("/nowhere").unwrap();
    change(&mut config);
    config
}

fn on_a_server(config: &mut Config) {
    config.event_log.at = "esdb://127.0.0.1:2113".parse().unwrap();
    config.keys = Some("/keys".into());
}

fn offered(config: &mut Config, address: &str) {
    config.event_log.listen = Some(address.parse().unwrap());
}

#[test]
fn what_makes_sense_is_taken() {
    let fine = |roles: Roles, change: fn(&mut Config)| roles.check(&config(change)).unwrap();
    fine(Roles::All, |_| {});
    fine(Roles::All, on_a_server);
    fine(Roles::All, |config| offered(config, "0.0.0.0:2113"));
    fine(Roles::All, |config| {
        offered(config, "127.0.0.1:2113");
        config.event_log.insecure = true;
    });
    fine(Roles::One(Role::Log), |config| offered(config, "127.0.0.1:0"));
    fine(Roles::One(Role::Command), on_a_server);
    fine(Roles::One(Role::Query), on_a_server);
    fine(Roles::One(Role::Saga), |config| {
        on_a_server(config);
        config.roles.command_url = Some("http://127.0.0.1:1".to_owned());
    });
    fine(Roles::One(Role::Saga), |config| {
        on_a_server(config);
        config.nats.url = Some("nats://127.0.0.1:4222".parse().unwrap());
    });
    fine(Roles::One(Role::Projection), |config| {
        on_a_server(config);
        config.roles.query_url = Some("http://127.0.0.1:1".to_owned());
    });
}

#[test]
fn what_makes_no_sense_is_refused_with_what_to_do() {
    let refused = |roles: Roles, change: fn(&mut Config), advice: &str| {
        let said = roles.check(&config(change)).unwrap_err();
        assert!(said.contains(advice), "{said}");
    };
    refused(Roles::One(Role::Log), |_| {}, "--log-listen 127.0.0.1:2113");
    refused(Roles::One(Role::Log), on_a_server, "leave --log out");
    refused(Roles::One(Role::Query), |_| {}, "--log esdb://");
    let without_keys = |config: &mut Config| {
        on_a_server(config);
        config.keys = None;
    };
    refused(Roles::One(Role::Query), without_keys, "--keys");
    refused(Roles::One(Role::Saga), on_a_server, "--command-url http://");
    refused(Roles::One(Role::Projection), on_a_server, "--query-url http://");
    let demo = |config: &mut Config| {
        on_a_server(config);
        config.demo = true;
    };
    refused(Roles::One(Role::Command), demo, "jangteo up --demo");
    let url = |config: &mut Config| config.roles.query_url = Some("http://127.0.0.1:1".to_owned());
    refused(Roles::All, url, "jangteo serve --role");
    let both = |config: &mut Config| {
        on_a_server(config);
        offered(config, "127.0.0.1:0");
    };
    refused(Roles::All, both, "--role log --log-listen");
    refused(Roles::All, |config| config.event_log.insecure = true, "--log-listen");
    let open = |config: &mut Config| {
        offered(config, "0.0.0.0:2113");
        config.event_log.insecure = true;
    };
    refused(Roles::All, open, "listen on 127.0.0.1");
    let half = |config: &mut Config| {
        offered(config, "127.0.0.1:2113");
        config.event_log.tls_cert = Some("cert.pem".into());
    };
    refused(Roles::All, half, "give both");
    let contradiction = |config: &mut Config| {
        half_and_key(config);
        config.event_log.insecure = true;
    };
    refused(Roles::All, contradiction, "no TLS");
}

fn half_and_key(config: &mut Config) {
    offered(config, "127.0.0.1:2113");
    config.event_log.tls_cert = Some("cert.pem".into());
    config.event_log.tls_key = Some("key.pem".into());
}

fn directive(command: ServiceCommand) -> Directive {
    Directive {
        id: Uuid::now_v7(),
        correlation_id: Uuid::now_v7(),
        causation_id: Uuid::now_v7(),
        at: Timestamp::now(),
        command,
    }
}

/// A shop's command side, reached as from another process.
async fn commands(folder: &Path) -> (crate::startup::Process, RemoteDispatcher) {
    let mut config = Config::for_folder(folder).unwrap();
    config.keys = Some(folder.join("keys"));
    let process = crate::startup::Process::commands_alone(&config).await.unwrap();
    let token = process.folder().operator_token().unwrap();
    let dispatcher = RemoteDispatcher::new(&process.url(), &token).unwrap();
    (process, dispatcher)
}

/// Every reservation's answer in the log, as soon as that of `order_id` is there.
async fn answers_until(process: &crate::startup::Process, order_id: OrderId) -> Vec<Arc<RecordedEvent>> {
    let reservations = EventFilter::categories(&[Category::Reservation]);
    let awaited = Category::Reservation.stream(order_id.uuid());
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let log = process.log();
        let (answers, _) = log.read_all(Position::START, &reservations, 100).await.unwrap();
        if answers.iter().any(|answer| answer.stream == awaited) {
            return answers;
        }
        assert!(Instant::now() < deadline, "the answer never came: {answers:#?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directive_over_http_is_done_once_and_a_refusal_is_told_from_a_fault() {
    let temp = tempfile::tempdir().unwrap();
    let (process, dispatcher) = commands(temp.path()).await;
    let order_id = OrderId::fresh();
    let lines = vec![ParcelItem {
        product_id: ProductId::fresh(),
        quantity: 1,
    }];
    let reserve = directive(ServiceCommand::ReserveStock { order_id, lines });
    dispatcher.dispatch(&reserve).await.unwrap();
    dispatcher.dispatch(&reserve).await.unwrap();
    let refused = dispatcher
        .dispatch(&directive(ServiceCommand::ConfirmOrder { order_id }))
        .await
        .unwrap_err();
    assert!(matches!(refused, DispatchError::Refused(_)), "{refused}");

    let stranger = RemoteDispatcher::new(&process.url(), "guessed").unwrap();
    let error = stranger.dispatch(&reserve).await.unwrap_err();
    assert!(
        matches!(&error, DispatchError::Fault(detail) if detail.contains("401")),
        "{error}"
    );
    // The outbox carries the answers into the log: that of a later directive is behind all of this one's.
    let later = OrderId::fresh();
    let lines = vec![ParcelItem {
        product_id: ProductId::fresh(),
        quantity: 1,
    }];
    let marker = ServiceCommand::ReserveStock { order_id: later, lines };
    dispatcher.dispatch(&directive(marker)).await.unwrap();
    let answers = answers_until(&process, later).await;
    assert_eq!(answers.len(), 2, "{answers:#?}");
    let url = process.url();
    process.stop().await;
    let gone = RemoteDispatcher::new(&url, "any")
        .unwrap()
        .dispatch(&reserve)
        .await
        .unwrap_err();
    assert!(matches!(gone, DispatchError::Fault(_)), "{gone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_shop_has_no_internal_paths() {
    let temp = tempfile::tempdir().unwrap();
    let shop = Shop::start(Config::for_folder(temp.path()).unwrap()).await.unwrap();
    let token = shop.folder().operator_token().unwrap();
    for path in ["directives", "documents"] {
        let asked = reqwest::Client::new().post(format!("{}/internal/{path}", shop.url()));
        let answer = asked.bearer_auth(&token).body("{}").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 404, "{path}");
    }
    shop.stop().await;
}
