//! What the endpoint shows to its clients: a certificate of its operator's, or one that it makes once for itself.

use std::{
    fs,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::{
    ServerConfig,
    client::verify_server_name,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    server::ParsedCertificate,
};

/// A certificate chain and its key.
pub struct Certificate {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file that cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that is not what it should be.
    #[error("{} holds no {wanted} in PEM form: {detail}", path.display())]
    NotPem {
        /// Which.
        path: PathBuf,
        /// What should be in it.
        wanted: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// No certificate for these names can be made.
    #[error("a certificate cannot be made: {0}")]
    Unmade(String),
}

impl Certificate {
    /// The certificate chain and the key in two PEM files.
    ///
    /// # Errors
    /// When a file cannot be read or holds no certificate, or no key.
    pub fn from_pem_files(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let not_pem = |path: &Path, wanted, detail: String| CertificateError::NotPem {
            path: path.to_owned(),
            wanted,
            detail,
        };
        let text = read(certificate)?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let chain = chain.map_err(|error| not_pem(certificate, "certificate", error.to_string()))?;
        if chain.is_empty() {
            return Err(not_pem(certificate, "certificate", "there is none".to_owned()));
        }
        let parsed = PrivateKeyDer::from_pem_slice(&read(key)?);
        let key = parsed.map_err(|error| not_pem(key, "private key", error.to_string()))?;
        Ok(Self { chain, key })
    }

    /// The certificate in `dir/cert.pem` with its key in `dir/key.pem`, made there if there is none: self-signed, for this machine's
    /// loopback names and for `names`. Clients are given `cert.pem` as the authority to trust.
    ///
    /// # Errors
    /// When the files cannot be read or written, or one of `names` is no name.
    pub fn kept_in(dir: &Path, names: &[String]) -> Result<Self, CertificateError> {
        let (certificate, key) = (dir.join("cert.pem"), dir.join("key.pem"));
        if !certificate.exists() || !key.exists() {
            make(&certificate, &key, dir, names)?;
        }
        let kept = Self::from_pem_files(&certificate, &key)?;
        for name in names.iter().filter(|name| !kept.is_for(name)) {
            // Clients may hold a copy of it: whether to break with them is the operator's to say.
            tracing::warn!(
                %name,
                certificate = %certificate.display(),
                "the certificate does not hold for this name; delete it and its key to have a new one made"
            );
        }
        Ok(kept)
    }

    /// Whether clients that ask for `name` accept it.
    fn is_for(&self, name: &str) -> bool {
        let (Some(first), Ok(name)) = (self.chain.first(), ServerName::try_from(name)) else {
            return false;
        };
        ParsedCertificate::try_from(first).is_ok_and(|parsed| verify_server_name(&parsed, &name).is_ok())
    }

    /// How to speak TLS with it. Names its provider: nothing in this process may install a default one.
    pub(crate) fn server(self) -> Result<Arc<ServerConfig>, rustls::Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(self.chain, self.key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    fs::read(path).map_err(|source| CertificateError::Io {
        path: path.to_owned(),
        source,
    })
}

fn make(certificate: &Path, key: &Path, dir: &Path, names: &[String]) -> Result<(), CertificateError> {
    let unmade = |error: rcgen::Error| CertificateError::Unmade(error.to_string());
    let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    all.extend(
        names
            .iter()
            .filter(|name| !all.contains(name))
            .cloned()
            .collect::<Vec<_>>(),
    );
    let mut params = CertificateParams::new(all).map_err(unmade)?;
    params.distinguished_name.push(DnType::CommonName, "Jangteo event log");
    // No authority, and no word on what its key may sign: so clients of every TLS library accept it as the one to trust.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let pair = KeyPair::generate().map_err(unmade)?;
    let made = params.self_signed(&pair).map_err(unmade)?;
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| CertificateError::Io { path, source }
    };
    fs::create_dir_all(dir).map_err(io(dir))?;
    // The key first: a certificate without it would be taken for whole.
    put(key, &pair.serialize_pem(), true).map_err(io(key))?;
    put(certificate, &made.pem(), false).map_err(io(certificate))
}

/// Whole or not at all; a secret one is for its owner only from its first byte on.
fn put(path: &Path, text: &str, secret: bool) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if secret {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_made_once_and_its_key_is_for_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("log-tls");
        let names = ["192.0.2.7".to_owned(), "localhost".to_owned(), "log.example".to_owned()];
        Certificate::kept_in(&dir, &names).unwrap().server().unwrap();
        let first = fs::read(dir.join("cert.pem")).unwrap();
        let again = Certificate::kept_in(&dir, &["another.example".to_owned()]).unwrap();
        assert_eq!(fs::read(dir.join("cert.pem")).unwrap(), first);
        assert!(
            ["192.0.2.7", "::1", "log.example"]
                .into_iter()
                .all(|name| again.is_for(name))
        );
        assert!(!again.is_for("another.example"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(dir.join("key.pem")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn files_that_hold_no_certificate_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let (certificate, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
        let missing = Certificate::from_pem_files(&certificate, &key).err().unwrap();
        assert!(missing.to_string().contains("cert.pem"), "{missing}");
        fs::write(&certificate, "no certificate").unwrap();
        fs::write(&key, "no key").unwrap();
        let empty = Certificate::from_pem_files(&certificate, &key).err().unwrap();
        assert!(empty.to_string().contains("no certificate in PEM form"), "{empty}");
    }
}
