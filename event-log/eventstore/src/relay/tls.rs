//! TLS on both sides of the relay. Every configuration names its provider: nothing in this process may install a default one, because the
//! client does so on its first use and panics when there is one.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime, pem::PemObject},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::address::{ConnectError, Trust};

/// What the node's side of the relay may speak.
pub(crate) struct Connectors {
    /// The protocol itself.
    pub(crate) http2: TlsConnector,
    /// To ask who leads.
    pub(crate) http1: TlsConnector,
}

impl Connectors {
    pub(crate) fn new(trust: &Trust) -> Result<Self, ConnectError> {
        let config = client_config(trust)?;
        let speaking = |protocol: &[u8]| {
            let mut config = config.clone();
            config.alpn_protocols = vec![protocol.to_vec()];
            TlsConnector::from(Arc::new(config))
        };
        Ok(Self {
            http2: speaking(b"h2"),
            http1: speaking(b"http/1.1"),
        })
    }
}

fn client_config(trust: &Trust) -> Result<ClientConfig, ConnectError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| ConnectError::Tls(error.to_string()))?;
    let roots = match trust {
        Trust::Platform => platform_roots()?,
        Trust::File(path) => roots_in(path)?,
        Trust::Anybody => {
            tracing::warn!("tlsVerifyCert=false: whoever answers at the event log's address is believed to be it");
            let anybody = Arc::new(Anybody(provider));
            return Ok(builder
                .dangerous()
                .with_custom_certificate_verifier(anybody)
                .with_no_client_auth());
        }
    };
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn platform_roots() -> Result<RootCertStore, ConnectError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // One bad certificate among those of the platform is not ours to mend.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let detail = "the platform has no certificates to trust; name a file with tlsCAFile";
        return Err(ConnectError::Tls(detail.to_owned()));
    }
    Ok(roots)
}

fn roots_in(path: &Path) -> Result<RootCertStore, ConnectError> {
    let unusable = |detail: String| ConnectError::Certificates {
        path: path.to_owned(),
        detail,
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))? {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable("there is none in it".to_owned()));
    }
    Ok(roots)
}

/// For the client's side: a certificate that lives as long as this process.
///
/// EventStoreDB: its web server refuses a request whose `:scheme` is not that of the connection it came on. A client that speaks
/// plaintext to the relay writes `http`, so where the node speaks TLS the client must, too.
pub(crate) fn acceptor() -> Result<TlsAcceptor, ConnectError> {
    let failed = |error: &dyn std::fmt::Display| ConnectError::Tls(error.to_string());
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).map_err(|error| failed(&error))?;
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key.into())
        .map_err(|error| failed(&error))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Believes every certificate; that its owner holds the key is checked all the same.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
