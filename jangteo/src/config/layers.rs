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

/// Variables of ours that are no settings.
const FOR_THE_COMMAND_LINE: [&str; 3] = ["JANGTEO_CONFIG", "JANGTEO_SERVER", "JANGTEO_TOKEN"];

/// Variables that the shop's own tests speak through to each other, so that their shops see them, too.
const FOR_THE_TESTS: [&str; 2] = ["JANGTEO_TEST_", "JANGTEO_SKIPPED"];

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

/// Variables that look like settings and are none, most likely misspelt. Not an error: an orchestrator may set variables of
/// that form for a service called jangteo.
pub fn unknown_variables() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let settings = super::explain::variables();
    unknown(names, &settings)
}

fn unknown(names: impl Iterator<Item = String>, settings: &[&str]) -> Vec<String> {
    let ours = |name: &str| settings.contains(&name) || FOR_THE_COMMAND_LINE.contains(&name);
    let orchestrator = |name: &str| name.contains("_SERVICE_") || name.contains("_PORT");
    let tests = |name: &str| FOR_THE_TESTS.iter().any(|start| name.starts_with(start));
    names
        .filter(|name| name.starts_with("JANGTEO_") && !ours(name) && !orchestrator(name) && !tests(name))
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_variable_is_noticed_and_an_orchestrators_or_a_tests_is_not() {
        let names = [
            "JANGTEO_LISEN",
            "JANGTEO_LISTEN",
            "JANGTEO_TOKEN",
            "JANGTEO_SERVICE_HOST",
            "JANGTEO_PORT_80_TCP",
            "JANGTEO_TEST_NATS",
            "JANGTEO_SKIPPED",
            "PATH",
        ];
        let settings = super::super::explain::variables();
        assert_eq!(
            unknown(names.map(str::to_owned).into_iter(), &settings),
            ["JANGTEO_LISEN"]
        );
    }
}
