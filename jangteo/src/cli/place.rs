//! Which shop a command is for, and whether it runs.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;

use super::{CliError, config_for};
use crate::{
    folder::{DataFolder, FolderError, reachable},
    operations::{LocalOperations, OpenError, Operations, RemoteOperations, RemoteShop},
};

/// Which shop.
#[derive(Debug, Clone, Default, Args)]
pub struct PlaceArgs {
    /// The shop's folder; a shop that runs on it is asked over HTTP. Not given: JANGTEO_DATA, or ./data.
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// A running shop anywhere, such as http://127.0.0.1:8080. Not given: JANGTEO_SERVER.
    #[arg(long, value_name = "URL", global = true)]
    pub server: Option<String>,
    /// An operator's access token for --server. Not given: JANGTEO_TOKEN, or the folder's own token.
    #[arg(long, value_name = "TOKEN", global = true)]
    pub token: Option<String>,
    /// One JSON object per line instead of a table.
    #[arg(long, global = true)]
    pub json: bool,
}

/// The shop, found.
pub enum Place {
    /// It runs, and is asked over HTTP.
    Running(RemoteShop),
    /// Nothing runs on its folder: the command works on it itself.
    Stopped(Box<LocalOperations>),
}

impl PlaceArgs {
    /// Finds the shop.
    ///
    /// # Errors
    /// When there is none, or its folder is in use and it does not answer.
    pub async fn find(&self) -> Result<Place, CliError> {
        self.find_on(DataFolder::existing).await
    }

    /// Finds the shop, or makes an empty one where there is none.
    ///
    /// # Errors
    /// When the folder cannot be used, or is in use and the shop does not answer.
    pub async fn find_or_create(&self) -> Result<Place, CliError> {
        self.find_on(DataFolder::claim).await
    }

    async fn find_on(&self, folder: fn(&Path) -> Result<DataFolder, FolderError>) -> Result<Place, CliError> {
        let server = self.server.clone().or_else(|| variable("JANGTEO_SERVER"));
        let token = self.token.clone().or_else(|| variable("JANGTEO_TOKEN"));
        if let Some(url) = server {
            let token = match token {
                Some(token) => token,
                None => self.folder_token(&url)?,
            };
            return Ok(Place::Running(RemoteShop::new(&url, &token)));
        }
        let config = config_for(self.data.clone())?;
        let folder = folder(&config.data)?;
        match LocalOperations::open(&config).await {
            Ok(local) => Ok(Place::Stopped(Box::new(local))),
            Err(OpenError::InUse(_)) => self.running(&folder, token).await,
            Err(error) => Err(CliError::Failed(error.to_string())),
        }
    }

    /// The operations on it.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub async fn operations(&self) -> Result<Box<dyn Operations>, CliError> {
        Ok(match self.find().await? {
            Place::Running(shop) => Box::new(RemoteOperations::new(shop)),
            Place::Stopped(local) => local,
        })
    }

    /// Writes to standard output what `say` says of the shop.
    ///
    /// # Errors
    /// As [`Self::find`], and when it cannot be said or written.
    pub async fn say(
        &self,
        say: impl AsyncFnOnce(&dyn Operations, &mut (dyn Write + Send)) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let shop = self.operations().await?;
        // Not locked: the lock could not be held across the waiting.
        let mut out = io::BufWriter::new(io::stdout());
        let said = say(shop.as_ref(), &mut out).await;
        let flushed = out.flush();
        shop.close().await;
        said?;
        flushed.map_err(CliError::from)
    }

    async fn running(&self, folder: &DataFolder, token: Option<String>) -> Result<Place, CliError> {
        let path = folder.path().display();
        let Some(address) = folder.address() else {
            return Err(CliError::Failed(format!(
                "{path} is in use by another process that gave no address: a shop that is just starting or stopping, \
                 or another command; try again in a moment"
            )));
        };
        let Some(token) = token.or_else(|| folder.operator_token()) else {
            return Err(CliError::Failed(format!(
                "{path}/operator-token cannot be read: run this as the user who owns the folder, or give --token"
            )));
        };
        Ok(Place::Running(RemoteShop::new(
            &format!("http://{}", reachable(address)),
            &token,
        )))
    }

    fn folder_token(&self, url: &str) -> Result<String, CliError> {
        let folder = config_for(self.data.clone())
            .ok()
            .and_then(|config| DataFolder::existing(&config.data).ok());
        folder.and_then(|folder| folder.operator_token()).ok_or_else(|| {
            CliError::Usage(format!(
                "{url} wants an operator's token: give it with --token or JANGTEO_TOKEN, or name the shop's folder with --data"
            ))
        })
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
