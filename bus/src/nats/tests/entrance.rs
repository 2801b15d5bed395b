//! A server that asks who is there, behind TLS.

use std::path::Path;

use async_nats::rustls::crypto::CryptoProvider;
use tempfile::TempDir;

use super::server::Server;
use crate::{Credentials, Nats, NatsCommands, NatsSettings};

/// A certificate for this machine, and the server's settings that show it.
fn certificate(folder: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let folder = folder.display();
    format!("tls {{ cert_file: \"{folder}/cert.pem\", key_file: \"{folder}/key.pem\" }}\n")
}

async fn refused(settings: NatsSettings, why: &str) {
    let error = Nats::connect(&settings).await.unwrap_err().to_string();
    assert!(error.contains(why) && !error.contains("s3cret"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_right_password_and_trust_one_comes_in_and_otherwise_not() {
    let folder = TempDir::new().unwrap();
    let further = certificate(folder.path()) + "authorization { users: [ { user: shop, password: s3cret } ] }\n";
    let Some(server) = Server::own_with("NATS behind TLS and a password", &further).await else {
        return;
    };
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "shop:s3cret\n").unwrap();
    let right = NatsSettings {
        credentials: Some(Credentials::read(&secret).unwrap()),
        trusted: Some(folder.path().join("cert.pem")),
        ..server.settings()
    };
    let nats = Nats::connect(&right).await.unwrap();
    NatsCommands::open(nats).await.unwrap();

    let credentials = Some(Credentials::Password {
        user: "shop".to_owned(),
        password: "wrong".to_owned(),
    });
    refused(
        NatsSettings {
            credentials,
            ..right.clone()
        },
        "authorization",
    )
    .await;
    refused(
        NatsSettings {
            credentials: None,
            ..right.clone()
        },
        "authorization",
    )
    .await;
    refused(NatsSettings { trusted: None, ..right }, "certificate").await;
    // EventStoreDB's client installs one itself, and breaks where there is one.
    assert!(CryptoProvider::get_default().is_none());
    server.clear().await;
}
