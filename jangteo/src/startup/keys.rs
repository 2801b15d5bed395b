//! The keys that all roles of a shop share.

use std::{fs, io, path::Path, sync::Arc};

use command_services::secret::{Secret, hex};
use edge::Tokens;

use super::StartError;

/// Taken while keys are made, so that roles which start at the same moment make one of each.
const LOCK: &str = "keys.lock";

/// The shop's secret and what is derived from it.
pub(crate) struct Keys {
    /// Signs what must not be guessed.
    pub(crate) secret: Secret,
    /// With which operators and the roles themselves show who they are.
    pub(crate) operator_token: String,
    /// Signs and verifies access tokens.
    pub(crate) tokens: Arc<Tokens>,
}

impl Keys {
    /// The keys in a folder; made where they are missing.
    pub(crate) fn open(folder: &Path) -> Result<Self, StartError> {
        let _lock = locked(folder).map_err(|error| {
            StartError::of("the shop's keys")(format!("{} cannot be used: {error}", folder.display()))
        })?;
        let secret = Secret::open(&folder.join("secret")).map_err(StartError::of("the shop's secret"))?;
        let operator_token = hex(&secret.derive(b"operator token"));
        let tokens = Tokens::open(&folder.join("signing-key")).map_err(StartError::of("signing in"))?;
        let tokens = Arc::new(tokens.with_operator_token(operator_token.clone()));
        Ok(Self {
            secret,
            operator_token,
            tokens,
        })
    }
}

/// The folder, made where it is missing, as its owner's alone; locked until the file is dropped.
fn locked(folder: &Path) -> io::Result<fs::File> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)?;
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(LOCK))?;
    file.lock()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_that_start_at_the_same_moment_share_their_keys() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("keys");
        let open = || {
            let place = place.clone();
            std::thread::spawn(move || Keys::open(&place).unwrap().operator_token)
        };
        let opened: Vec<_> = (0..8).map(|_| open()).collect();
        let mut tokens: Vec<_> = opened.into_iter().map(|thread| thread.join().unwrap()).collect();
        tokens.dedup();
        assert_eq!(tokens.len(), 1);
    }
}
