//! The data folder: whose it is, which version wrote it, and where the shop that runs on it can be reached.

#[cfg(test)]
mod tests;

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

/// The version of the folder's layout that this program reads and writes.
pub const FORMAT: u32 = 1;

const FORMAT_FILE: &str = "format";
const ADDRESS_FILE: &str = "address";
const LOG_ADDRESS_FILE: &str = "log-address";
const LOG_SOURCE_FILE: &str = "log-source";
const READ_MODELS_FILE: &str = "read-models-source";
const ROLE_FILE: &str = "role";
const LOCK_FILE: &str = "lock";
const OPERATOR_TOKEN_FILE: &str = "operator-token";
/// What may lie in an otherwise empty folder before the shop's first start.
const BEFORE_FIRST_START: [&str; 3] = ["jangteo.toml", "synonyms.txt", "lost+found"];

/// A folder that is the shop's, or just became it.
#[derive(Debug, Clone)]
pub struct DataFolder {
    path: PathBuf,
}

/// The folder is this process's alone for as long as it is held; the system gives it back when the process dies.
#[derive(Debug)]
pub struct FolderLock {
    _file: fs::File,
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
    /// Another process has it.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// It is another role's, or a whole shop's.
    #[error(
        "{folder} holds the {held} role of a shop in several processes: go on with it by `jangteo serve --role {held} --data \
         {folder}`, or name another folder with --data"
    )]
    OtherRole {
        /// The folder.
        folder: PathBuf,
        /// Whose it is.
        held: String,
    },
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

    /// Keeps other processes out.
    ///
    /// # Errors
    /// [`FolderError::InUse`] when one is in already.
    pub fn lock(&self) -> Result<FolderLock, FolderError> {
        let path = self.place(LOCK_FILE);
        let file = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let file = file.map_err(failed(&path, "opened"))?;
        match file.try_lock() {
            Ok(()) => Ok(FolderLock { _file: file }),
            Err(fs::TryLockError::WouldBlock) => Err(FolderError::InUse(self.path.clone())),
            Err(fs::TryLockError::Error(error)) => Err(failed(&path, "locked")(error)),
        }
    }

    /// Of which role the folder is; none for a whole shop's.
    pub fn role(&self) -> Option<String> {
        let text = fs::read_to_string(self.place(ROLE_FILE)).ok()?;
        Some(text.trim().to_owned())
    }

    /// Takes the folder for a role (none: for a whole shop). One that was a whole shop's may become a role's: it goes on with
    /// its part of what is there.
    ///
    /// # Errors
    /// When it is another role's, or cannot be written.
    pub fn take_for(&self, role: Option<&str>) -> Result<(), FolderError> {
        match (self.role(), role) {
            (Some(held), wanted) if wanted != Some(held.as_str()) => Err(FolderError::OtherRole {
                folder: self.path.clone(),
                held,
            }),
            (None, Some(role)) => write_durably(&self.place(ROLE_FILE), format!("{role}\n").as_bytes()),
            _ => Ok(()),
        }
    }

    /// Where the shop's event log was when it ran last, if not here; without a password.
    pub fn log_elsewhere(&self) -> Option<String> {
        let text = fs::read_to_string(self.place(LOG_SOURCE_FILE)).ok()?;
        let place = text.trim();
        (place != "embedded").then(|| place.to_owned())
    }

    /// Writes down where the shop's event log is, without a password.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_log_source(&self, place: &str) -> Result<(), FolderError> {
        write_durably(&self.place(LOG_SOURCE_FILE), format!("{place}\n").as_bytes())
    }

    /// Where the shop's read models were when it ran last, if not here; without a password.
    pub fn read_models_elsewhere(&self) -> Option<String> {
        let text = fs::read_to_string(self.place(READ_MODELS_FILE)).ok()?;
        let place = text.trim();
        (place != "embedded").then(|| place.to_owned())
    }

    /// Writes down where the shop's read models are, without a password.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_read_models_source(&self, place: &str) -> Result<(), FolderError> {
        write_durably(&self.place(READ_MODELS_FILE), format!("{place}\n").as_bytes())
    }

    /// Writes down how the event log can be reached: a connection string without credentials.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn announce_log(&self, url: &str) -> Result<(), FolderError> {
        write_durably(&self.place(LOG_ADDRESS_FILE), format!("{url}\n").as_bytes())
    }

    /// How the event log was last said to be reached.
    pub fn log_address(&self) -> Option<String> {
        let url = fs::read_to_string(self.place(LOG_ADDRESS_FILE)).ok()?;
        Some(url.trim().to_owned())
    }

    /// Writes down where the shop can be reached.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn announce(&self, address: SocketAddr) -> Result<(), FolderError> {
        write_durably(&self.place(ADDRESS_FILE), format!("http://{address}\n").as_bytes())
    }

    /// Takes the addresses back: the shop has stopped.
    pub fn withdraw_address(&self) {
        for file in [ADDRESS_FILE, LOG_ADDRESS_FILE] {
            if let Err(error) = fs::remove_file(self.place(file)) {
                tracing::debug!(file, %error, "the address file was gone already");
            }
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

/// What listens on every address is reached on this machine's own.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
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
pub(crate) fn create(path: &Path) -> io::Result<()> {
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
