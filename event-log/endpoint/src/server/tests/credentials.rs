//! Who may speak.

use std::{net::SocketAddr, path::Path, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use event_log::memory::MemoryLog;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tonic::Code;

use crate::{
    Certificate, Endpoint, EndpointError, EndpointSettings, Limits, OperatorToken, Security,
    testing::{ANY, Connection, Rig, append, proposal, soon},
    wire::{
        client::Empty, server_features::server_features_client::ServerFeaturesClient,
        streams::streams_client::StreamsClient,
    },
};

async fn secure(dir: &Path) -> Rig {
    let certificate = Certificate::kept_in(dir, &[]).unwrap();
    let access = Arc::new(OperatorToken::new("token-1"));
    Rig::with(Security::Tls { certificate, access }, Limits::default()).await
}

/// A client that trusts the certificate in `dir` and nothing else.
async fn connect(address: SocketAddr, dir: &Path, name: &str) -> Connection {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(dir.join("cert.pem")).unwrap())
        .unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = soon(TlsConnector::from(Arc::new(config)).connect(name, stream))
        .await
        .unwrap();
    Connection::over(stream).await
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

#[tokio::test]
async fn over_tls_the_operator_is_let_in_and_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let rig = secure(dir.path()).await;
    let address = rig.endpoint.address();
    let origin: http::Uri = format!("https://localhost:{}", address.port()).parse().unwrap();
    for (credentials, code) in [
        (None, Some(Code::Unauthenticated)),
        (Some(basic("operator", "wrong")), Some(Code::Unauthenticated)),
        (Some(basic("admin", "token-1")), Some(Code::Unauthenticated)),
        (Some(basic("operator", "token-1")), None),
    ] {
        for name in ["localhost", "127.0.0.1", "::1"] {
            let mut connection = connect(address, dir.path(), name).await;
            // What there is may be asked by anybody: clients do so before they say who they are.
            let mut features = ServerFeaturesClient::with_origin(connection.clone(), origin.clone());
            soon(features.get_supported_methods(Empty {})).await.unwrap();
            if let Some(credentials) = &credentials {
                connection = connection.authorized(credentials);
            }
            let mut client = StreamsClient::with_origin(connection, origin.clone());
            let outcome = append(&mut client, "order-1", ANY, vec![proposal("A", "{}")]).await;
            assert_eq!(outcome.err().map(|status| status.code()), code, "{credentials:?}");
        }
    }
}

#[tokio::test]
async fn an_empty_token_opens_to_nobody() {
    use crate::Access;
    assert!(OperatorToken::new("").check("operator", "").await.is_err());
}

#[tokio::test]
async fn without_tls_other_machines_are_not_served() {
    let settings = EndpointSettings {
        log: MemoryLog::new(),
        listener: TcpListener::bind("0.0.0.0:0").await.unwrap(),
        security: Security::Insecure,
        limits: Limits::default(),
    };
    let refused = Endpoint::start(settings).await.err().unwrap();
    assert!(matches!(refused, EndpointError::NotLoopback(_)), "{refused}");
}
