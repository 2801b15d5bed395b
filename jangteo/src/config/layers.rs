//! Where values come from, and which of them wins.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use confique::{Config as _, File, FileFormat, Layer as _};

use super::Config;

/// The settings given on the command line.
pub type Flags = <Config as confique::Config>::Layer;

/// The file that is read when none is named, in the data folder or else in the working directory.
const FILE_NAME: &str = "jangteo.toml";

/// A setting is wrong. Says which, where, and what is expected.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl From<confique::Error> for ConfigError {
    fn from(error: confique::Error) -> Self {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            // Writing to a String cannot fail.
            let _ = write!(text, ": {}", cause.to_string().trim_end());
            source = cause.source();
        }
        Self(text)
    }
}

/// What each source says, strongest first.
#[derive(Debug, Clone)]
pub struct Layers {
    pub(super) flags: Flags,
    pub(super) variables: Flags,
    pub(super) file: Flags,
    pub(super) file_path: Option<PathBuf>,
}

impl Layers {
    /// The command line's values alone, over the defaults.
    pub fn of(flags: Flags) -> Self {
        Self {
            flags,
            variables: Flags::empty(),
            file: Flags::empty(),
            file_path: None,
        }
    }

    /// The command line's values, the environment's and the file's. `file` is read where it is given; otherwise
    /// `jangteo.toml` in the data folder, or else in the working directory, if there is one.
    ///
    /// # Errors
    /// When a source cannot be read, names an unknown setting or holds a value that is not allowed.
    pub fn read(flags: Flags, file: Option<&Path>) -> Result<Self, ConfigError> {
        let variables = Flags::from_env()?;
        let file_path = match file {
            Some(named) => Some(named.to_owned()),
            None => found(&flags, &variables),
        };
        let file = match &file_path {
            Some(path) => File::with_format(path, FileFormat::Toml).required().load()?,
            None => Flags::empty(),
        };
        Ok(Self {
            flags,
            variables,
            file,
            file_path,
        })
    }

    /// The values that win.
    ///
    /// # Errors
    /// When together they make no sense.
    pub fn into_config(self) -> Result<Config, ConfigError> {
        let merged = self.flags.with_fallback(self.variables).with_fallback(self.file);
        Ok(Config::from_layer(merged.with_fallback(Flags::default_values()))?)
    }
}

fn found(flags: &Flags, variables: &Flags) -> Option<PathBuf> {
    let defaults = Flags::default_values();
    let data = flags
        .data
        .as_ref()
        .or(variables.data.as_ref())
        .or(defaults.data.as_ref());
    let beside_data = data.map(|data| data.join(FILE_NAME));
    [beside_data, Some(PathBuf::from(FILE_NAME))]
        .into_iter()
        .flatten()
        .find(|path| path.is_file())
}
