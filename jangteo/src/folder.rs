//! The data folder: whose it is, which version wrote it, and where the shop that runs on it can be reached.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// The version of the folder's layout that this program reads and writes.
pub const FORMAT: u32 = 1;

const FORMAT_FILE: &str = "format";
const ADDRESS_FILE: &str = "address";
const OPERATOR_TOKEN_FILE: &str = "operator-token";
/// What may lie in an otherwise empty folder before the shop's first start.
const BEFORE_FIRST_START: [&str; 2] = ["jangteo.toml", "lost+found"];

/// A folder that is the shop's, or just became it.
#[derive(Debug, Clone)]
pub struct DataFolder {
    path: PathBuf,
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Written by a later version of the program.
    #[error(
        "{folder} was written by a newer version of jangteo (format {found}, this version reads up to {FORMAT}): \
         use that version, or another folder with --data"
    )]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Somebody else's files.
    #[error("{0} holds files that are not jangteo's: give an empty or missing folder with --data")]
    NotOurs(PathBuf),
    /// No shop was ever started here.
    #[error("{0} holds no shop: start one with `jangteo up --data {0}`, or name another folder with --data")]
    NoShop(PathBuf),
    /// The format file does not say what it should.
    #[error(
        "{0} should hold the folder's format number and does not: restore it from a backup, today's number is {FORMAT}"
    )]
    Unreadable(PathBuf),
    /// The system refused.
    #[error("{path} cannot be {attempted}: {source}; {advice}", advice = advice(.source))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was attempted.
        attempted: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "give this user the right to write there, or name another folder with --data"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk and start again",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => "name a folder with --data",
        _ => "check the folder and the disk",
    }
}

impl DataFolder {
    /// Takes the folder for a shop: creates it when missing, claims it when empty, and sees to it that it can be written.
    ///
    /// # Errors
    /// See [`FolderError`].
    pub fn claim(path: &Path) -> Result<Self, FolderError> {
        create(path).map_err(failed(path, "created"))?;
        let folder = Self { path: path.to_owned() };
        match folder.format()? {
            Some(found) if found > FORMAT => Err(FolderError::Newer {
                folder: path.to_owned(),
                found,
            }),
            Some(_) => {
                folder.probe()?;
                Ok(folder)
            }
            None if folder.is_untouched()? => {
                write_durably(&path.join(FORMAT_FILE), format!("{FORMAT}\n").as_bytes())?;
                Ok(folder)
            }
            None => Err(FolderError::NotOurs(path.to_owned())),
        }
    }

    /// The folder of a shop that exists already.
    ///
    /// # Errors
    /// See [`FolderError`].
    pub fn existing(path: &Path) -> Result<Self, FolderError> {
        let folder = Self { path: path.to_owned() };
        match folder.format()? {
            Some(found) if found > FORMAT => Err(FolderError::Newer {
                folder: path.to_owned(),
                found,
            }),
            Some(_) => Ok(folder),
            None => Err(FolderError::NoShop(path.to_owned())),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The place of one of the shop's parts in it.
    pub fn place(&self, part: &str) -> PathBuf {
        self.path.join(part)
    }

    /// Writes down where the shop can be reached.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn announce(&self, address: SocketAddr) -> Result<(), FolderError> {
        write_durably(&self.place(ADDRESS_FILE), format!("http://{address}\n").as_bytes())
    }

    /// Takes the address back: the shop has stopped.
    pub fn withdraw_address(&self) {
        if let Err(error) = fs::remove_file(self.place(ADDRESS_FILE)) {
            tracing::debug!(%error, "the address file was gone already");
        }
    }

    /// Where the shop on this folder was last said to be reached: it may have been killed since.
    pub fn address(&self) -> Option<SocketAddr> {
        let url = fs::read_to_string(self.place(ADDRESS_FILE)).ok()?;
        url.trim().strip_prefix("http://")?.parse().ok()
    }

    /// The token with which the command line acts as operator on the running shop.
    pub fn operator_token(&self) -> Option<String> {
        let token = fs::read_to_string(self.place(OPERATOR_TOKEN_FILE)).ok()?;
        Some(token.trim().to_owned())
    }

    /// Keeps the token for the command line, readable by the folder's owner alone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_operator_token(&self, token: &str) -> Result<(), FolderError> {
        let path = self.place(OPERATOR_TOKEN_FILE);
        write_secret(&path, token.as_bytes()).map_err(failed(&path, "written"))
    }

    fn format(&self) -> Result<Option<u32>, FolderError> {
        let path = self.place(FORMAT_FILE);
        match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map(Some).map_err(|_| FolderError::Unreadable(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path, "read")(error)),
        }
    }

    /// Finds out now whether the folder can be written, rather than at the first order.
    fn probe(&self) -> Result<(), FolderError> {
        let path = self.place(".probe");
        fs::write(&path, b"x").map_err(failed(&self.path, "written to"))?;
        fs::remove_file(&path).map_err(failed(&self.path, "written to"))
    }

    fn is_untouched(&self) -> Result<bool, FolderError> {
        let entries = fs::read_dir(&self.path).map_err(failed(&self.path, "read"))?;
        for entry in entries {
            let name = entry.map_err(failed(&self.path, "read"))?.file_name();
            if !BEFORE_FIRST_START.iter().any(|known| name == *known) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn failed(path: &Path, attempted: &'static str) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Io {
        path,
        attempted,
        source,
    }
}

/// Writes beside and renames, so that a crash leaves the old content or the new, never half of it.
fn write_durably(path: &Path, content: &[u8]) -> Result<(), FolderError> {
    let beside = path.with_extension("new");
    let write = || {
        fs::write(&beside, content)?;
        fs::File::open(&beside)?.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(failed(path, "written"))
}

/// Customers' data and password hashes are nobody else's business: a folder that we make is its owner's alone.
fn create(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

#[cfg(unix)]
fn write_secret(path: &Path, content: &[u8]) -> io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let beside = path.with_extension("new");
    // A left-over from a crash may have other rights than those asked for here.
    if beside.exists() {
        fs::remove_file(&beside)?;
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(content)?;
    fs::rename(&beside, path)
}

#[cfg(not(unix))]
fn write_secret(path: &Path, content: &[u8]) -> io::Result<()> {
    fs::write(path, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn mode(path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn an_empty_folder_is_claimed_and_found_again() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("deep/shop");
        assert!(matches!(DataFolder::existing(&path), Err(FolderError::NoShop(_))));
        DataFolder::claim(&path).unwrap();
        DataFolder::claim(&path).unwrap();
        DataFolder::existing(&path).unwrap();
        #[cfg(unix)]
        assert_eq!(mode(&path), 0o700);
    }

    #[test]
    fn a_folder_of_a_newer_version_is_refused_and_left_alone() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("format"), "2\n").unwrap();
        for error in [
            DataFolder::claim(temp.path()).unwrap_err(),
            DataFolder::existing(temp.path()).unwrap_err(),
        ] {
            assert!(error.to_string().contains("newer version"), "{error}");
        }
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
    }

    #[test]
    fn somebody_elses_files_are_not_touched() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("holiday.jpg"), "x").unwrap();
        assert!(matches!(DataFolder::claim(temp.path()), Err(FolderError::NotOurs(_))));
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_place_that_is_a_file_is_a_clear_error() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("file");
        fs::write(&path, "x").unwrap();
        let error = DataFolder::claim(&path).unwrap_err().to_string();
        assert!(error.contains("file") && error.contains("--data"), "{error}");
    }

    #[test]
    fn a_spoilt_format_file_is_named() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("format"), "one\n").unwrap();
        let error = DataFolder::claim(temp.path()).unwrap_err().to_string();
        assert!(error.contains("format") && error.contains("backup"), "{error}");
    }

    #[test]
    fn the_address_comes_and_goes_and_the_token_is_the_owners_alone() {
        let temp = tempfile::tempdir().unwrap();
        let folder = DataFolder::claim(temp.path()).unwrap();
        assert_eq!(folder.address(), None);
        let address = SocketAddr::from(([127, 0, 0, 1], 8080));
        folder.announce(address).unwrap();
        assert_eq!(folder.address(), Some(address));
        folder.withdraw_address();
        assert_eq!(folder.address(), None);
        folder.keep_operator_token("secret").unwrap();
        folder.keep_operator_token("secret 2").unwrap();
        assert_eq!(folder.operator_token().as_deref(), Some("secret 2"));
        #[cfg(unix)]
        assert_eq!(mode(&temp.path().join("operator-token")), 0o600);
    }
}
