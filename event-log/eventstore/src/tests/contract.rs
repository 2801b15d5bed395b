//! The port's contract, over the wire.

use event_log::{contract, embedded::EmbeddedLog};
use log_endpoint::{Certificate, OperatorToken};

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract_without_tls() {
    let endpoint = serve(&memory(), 0).await;
    let log = connect(endpoint.address()).await;
    contract::all(|| async { Arc::clone(&log) as Arc<dyn EventLog> }).await;
    log.close();
    endpoint.stop().await;
}

/// As in earnest: a log on disk, TLS, a user and a password with characters that a URL cannot hold.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract_with_tls_and_a_password() {
    let secure = Secure::start().await;
    let log = secure.connect("operator", "p%40ss%2Fw%3Ard", &secure.trusted()).await;
    contract::all(|| async { Arc::clone(&log) as Arc<dyn EventLog> }).await;
    log.close();
    secure.endpoint.stop().await;
    secure.embedded.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_is_told_why() {
    let secure = Secure::start().await;
    for (user, password) in [("operator", "wrong"), ("", "")] {
        let log = secure.connect(user, password, &secure.trusted()).await;
        let refused = append(&*log, "order-1", ExpectedVersion::Any, new_events(1))
            .await
            .unwrap_err();
        assert!(unavailable(&refused).contains("denies access"), "{refused}");
        let read = log
            .read_all(Position::START, &EventFilter::default(), 1)
            .await
            .unwrap_err();
        assert!(read.to_string().contains("denies access"), "{read}");
        let mut subscription = follow(&log, Position::START).await;
        let followed = within(subscription.next(1)).await.unwrap_err();
        assert!(followed.to_string().contains("denies access"), "{followed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_another_certificate_is_not_believed() {
    let secure = Secure::start().await;
    let patience = settings(500, 500);
    let other = tempfile::tempdir().unwrap();
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let file = other.path().join("other.pem");
    std::fs::write(&file, certificate.cert.pem()).unwrap();
    let url = secure.url("operator", "p%40ss%2Fw%3Ard", &format!("tlsCAFile={}", file.display()));
    let log = EventStoreLog::connect(&url, patience).await.unwrap();
    let refused = log.head().await.unwrap_err().to_string();
    assert!(refused.contains("certificate"), "{refused}");
    assert!(!refused.contains("p@ss") && !refused.contains("p%40ss"), "{refused}");
    // Unless nobody wants to know.
    let trusting = secure
        .connect("operator", "p%40ss%2Fw%3Ard", "tlsVerifyCert=false")
        .await;
    assert_eq!(trusting.head().await.unwrap(), Position::START);
}

#[tokio::test]
async fn files_that_hold_no_certificate_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    for content in [None, Some("no certificate")] {
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let url = format!("esdb://localhost:1?tlsCAFile={}", file.display());
        let Err(error) = EventStoreLog::connect(&url, Settings::default()).await else {
            panic!("taken")
        };
        assert!(error.to_string().contains("ca.pem"), "{error}");
    }
}

/// Binary data, empty data, and a server that was asked for what it cannot hold.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_content() {
    let endpoint = serve(&memory(), 0).await;
    let log = connect(endpoint.address()).await;
    let new = [
        (ContentType::Binary, &b"\0\xff\xfe"[..], &b"\x01"[..]),
        (ContentType::Binary, b"", b""),
        (ContentType::Json, b"{\"a\": [1, 2]}", b"{}"),
    ];
    let events: Vec<_> = new
        .iter()
        .map(|(content, data, metadata)| NewEvent {
            content: *content,
            data: Bytes::from_static(data),
            metadata: Bytes::from_static(metadata),
            ..event(Uuid::now_v7(), 0)
        })
        .collect();
    append(&*log, "mixed-1", ExpectedVersion::None, events).await.unwrap();
    for (read, (content, data, metadata)) in all_of(&*log).await.iter().zip(new) {
        assert_eq!((read.content, &*read.data, &*read.metadata), (content, data, metadata));
    }
    let broken = NewEvent {
        data: Bytes::from_static(b"{"),
        ..event(Uuid::now_v7(), 0)
    };
    let refused = append(&*log, "mixed-1", ExpectedVersion::Any, vec![broken]).await;
    assert!(
        matches!(&refused, Err(AppendError::Refused(why)) if why.contains("no JSON")),
        "{refused:?}"
    );
    let large = append(
        &*log,
        "mixed-1",
        ExpectedVersion::Any,
        vec![event(Uuid::now_v7(), 2_000_000)],
    )
    .await;
    assert!(matches!(large, Err(AppendError::Refused(_))), "{large:?}");
    assert_eq!(all_of(&*log).await.len(), 3);
}

/// An endpoint with TLS over a log on disk.
struct Secure {
    endpoint: Endpoint,
    embedded: Arc<EmbeddedLog>,
    dir: tempfile::TempDir,
}

impl Secure {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let embedded = EmbeddedLog::open(&dir.path().join("log")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = EndpointSettings {
            log: Arc::clone(&embedded) as _,
            listener,
            security: Security::Tls {
                certificate: Certificate::kept_in(&dir.path().join("tls"), &["127.0.0.1".to_owned()]).unwrap(),
                access: Arc::new(OperatorToken::new("p@ss/w:rd")),
            },
            limits: Limits::default(),
        };
        let endpoint = Endpoint::start(settings).await.unwrap();
        Self {
            endpoint,
            embedded,
            dir,
        }
    }

    fn trusted(&self) -> String {
        format!("tlsCAFile={}", self.dir.path().join("tls/cert.pem").display())
    }

    fn url(&self, user: &str, password: &str, parameter: &str) -> String {
        let login = if user.is_empty() {
            String::new()
        } else {
            format!("{user}:{password}@")
        };
        format!("esdb://{login}{}?{parameter}", self.endpoint.address())
    }

    async fn connect(&self, user: &str, password: &str, parameter: &str) -> Arc<EventStoreLog> {
        let url = self.url(user, password, parameter);
        EventStoreLog::connect(&url, Settings::default()).await.unwrap()
    }
}
