//! The relational databases of a shop, inventory's and the accounts': where they are, and whether they are the right ones.

pub(crate) mod seen;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use command_services::{
    accounts, inventory,
    relational::{Database, DatabaseError, Layout, Place, Server},
};

use crate::config::{DatabaseSettings, DatabaseUrl};

/// What is kept in databases, in the order in which it is copied.
pub(crate) const LAYOUTS: [&Layout; 2] = [&inventory::LAYOUT, &accounts::LAYOUT];

/// Where a shop's databases are.
#[derive(Debug, Clone)]
pub(crate) enum Whereabouts {
    /// A file each in this folder.
    Folder(PathBuf),
    /// A schema each on a server.
    Server {
        url: DatabaseUrl,
        password_file: Option<PathBuf>,
        prefix: String,
    },
}

/// They cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("{path} cannot be read: {source}")]
    Password { path: PathBuf, source: std::io::Error },
}

/// The databases of a shop, open.
#[derive(Debug, Clone)]
pub(crate) struct Databases {
    pub(crate) inventory: Arc<Database>,
    pub(crate) accounts: Arc<Database>,
}

impl Whereabouts {
    /// As the settings have it.
    pub(crate) fn of(settings: &DatabaseSettings, folder: &Path) -> Self {
        match &settings.url {
            None => Self::Folder(folder.to_owned()),
            Some(url) => Self::Server {
                url: url.clone(),
                password_file: settings.password_file.clone(),
                prefix: settings.prefix.clone(),
            },
        }
    }

    /// Where a service's tables are there.
    pub(crate) fn place(&self, layout: &Layout) -> Result<Place, OpenError> {
        match self {
            Self::Folder(folder) => Ok(Place::File(folder.join(format!("{}.db", layout.name)))),
            Self::Server {
                url,
                password_file,
                prefix,
            } => {
                let password = password_file.as_deref().map(password).transpose()?;
                let schema = format!("{prefix}_{}", layout.name);
                let outlet = match layout.name {
                    "inventory" => "postgres-inventory",
                    _ => "postgres-accounts",
                };
                Ok(Place::Server(
                    Server::new(url.as_given(), password, &schema)?.called(outlet),
                ))
            }
        }
    }
}

impl Databases {
    /// Opens them, making what is not there.
    pub(crate) async fn open(at: &Whereabouts) -> Result<Self, OpenError> {
        let (inventory, accounts) = (at.place(&inventory::LAYOUT)?, at.place(&accounts::LAYOUT)?);
        let (inventory, accounts) = tokio::try_join!(
            Box::pin(Database::open(&inventory, inventory::LAYOUT.steps)),
            Box::pin(Database::open(&accounts, accounts::LAYOUT.steps)),
        )?;
        Ok(Self {
            inventory: Arc::new(inventory),
            accounts: Arc::new(accounts),
        })
    }

    /// Each with its layout.
    pub(crate) fn each(&self) -> [(&'static Layout, &Arc<Database>); 2] {
        [
            (&inventory::LAYOUT, &self.inventory),
            (&accounts::LAYOUT, &self.accounts),
        ]
    }
}

fn password(file: &Path) -> Result<String, OpenError> {
    let text = std::fs::read_to_string(file).map_err(|source| OpenError::Password {
        path: file.to_owned(),
        source,
    })?;
    Ok(text.trim_end().to_owned())
}
