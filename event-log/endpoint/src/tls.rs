//! What the endpoint shows to its clients.
/// A certificate chain and its key.
#[derive(Debug)]
pub struct Certificate {}
/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct CertificateError;
