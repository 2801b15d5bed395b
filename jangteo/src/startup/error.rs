//! Why the shop did not start.

use std::{fmt, io, net::SocketAddr, path::PathBuf};

use super::event_log::OpenError;
use crate::folder::FolderError;

/// Why the shop did not start. Says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(FolderError),
    /// The settings make no sense together.
    #[error("{0}")]
    Combination(String),
    /// Another process runs on the folder.
    #[error("{0} is in use by another jangteo: stop that one first, or name another folder with --data")]
    InUse(PathBuf),
    /// The address is taken or not ours.
    #[error(
        "cannot listen on {address}: {source}; choose another address with {flag} (port 0 lets the system choose one)"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Where it was given.
        flag: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// A part of the shop did not start.
    #[error("{part} did not start: {detail}")]
    Part {
        /// Which.
        part: &'static str,
        /// What it says.
        detail: String,
    },
}

impl StartError {
    /// That part did not start, because of that.
    pub(super) fn of<E: fmt::Display>(part: &'static str) -> impl FnOnce(E) -> Self {
        move |error| Self::Part {
            part,
            detail: error.to_string(),
        }
    }
}

impl From<FolderError> for StartError {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::InUse(folder) => Self::InUse(folder),
            error => Self::Folder(error),
        }
    }
}

impl From<OpenError> for StartError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::InUse(folder) => Self::InUse(folder),
            OpenError::Folder(error) => Self::from(error),
            error => Self::Part {
                part: "the event log",
                detail: error.to_string(),
            },
        }
    }
}
