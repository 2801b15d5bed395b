//! Secrets that the shop makes for itself at its first start and keeps in its data folder.

use std::{fs, io, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use aws_lc_rs::{digest, hmac, rand};

/// Bytes that nobody else knows. Never shown: it has no `Debug` worth reading.
#[derive(Clone)]
pub struct Secret(hmac::Key);

/// Length of a secret and of what is derived from it.
pub const LENGTH: usize = 32;

impl Secret {
    /// These bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// Reads the file, or makes it, with fresh bytes, readable for its owner alone.
    ///
    /// # Errors
    /// When the file cannot be read or made, or is too short to be a secret.
    pub fn open(file: &Path) -> io::Result<Self> {
        match fs::read(file) {
            Ok(bytes) if bytes.len() >= LENGTH => Ok(Self::new(&bytes)),
            Ok(_) => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "{} is too short to be a secret: restore it from a backup, or remove it",
                    file.display()
                ),
            )),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let bytes = random()?;
                // Whole or not at all: a start that was killed in between leaves no half of a secret.
                let beside = file.with_extension("new");
                let mut made = fs::OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o600)
                    .open(&beside)?;
                made.write_all(&bytes)?;
                made.sync_all()?;
                fs::rename(&beside, file)?;
                Ok(Self::new(&bytes))
            }
            Err(error) => Err(error),
        }
    }

    /// What only the holder of the secret can derive from `message`.
    pub fn derive(&self, message: &[u8]) -> [u8; LENGTH] {
        let mut derived = [0; LENGTH];
        derived.copy_from_slice(hmac::sign(&self.0, message).as_ref());
        derived
    }

    /// Whether `tag` was derived from `message` by a holder of the secret. Takes the same time either way.
    pub fn fits(&self, message: &[u8], tag: &[u8]) -> bool {
        hmac::verify(&self.0, message, tag).is_ok()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Fresh random bytes.
///
/// # Errors
/// When the system has none to give.
pub fn random() -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    rand::fill(&mut bytes).map_err(|_| io::Error::other("the system gave no random bytes"))?;
    Ok(bytes)
}

/// The SHA-256 of a secret that is long and random enough to be kept this way.
pub(crate) fn digest_of(secret: &str) -> String {
    hex(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref())
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles
        .map(|nibble| char::from(b"0123456789abcdef"[usize::from(nibble)]))
        .collect()
}

/// The bytes that hexadecimal digits stand for.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        let made = Secret::open(&file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Secret::open(&file).unwrap().derive(b"x"), made.derive(b"x"));
        assert!(made.fits(b"x", &made.derive(b"x")) && !made.fits(b"y", &made.derive(b"x")));
        assert_eq!(format!("{made:?}"), "Secret(…)");
    }

    #[test]
    fn a_file_that_was_cut_short_is_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        fs::write(&file, "short").unwrap();
        assert!(Secret::open(&file).unwrap_err().to_string().contains("too short"));
    }

    #[test]
    fn hexadecimal_is_read_as_it_is_written() {
        assert_eq!(hex(&[0, 171, 255]), "00abff");
        assert_eq!(from_hex("00abFF"), Some(vec![0, 171, 255]));
        for bad in ["0", "0g", "é0"] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
    }
}
