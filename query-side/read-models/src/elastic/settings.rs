//! Which node, and who we are there.

use std::{fmt, time::Duration};

/// Which node, and who we are there.
#[derive(Debug, Clone)]
pub struct ElasticSettings {
    /// `http://…` or `https://…`; a user and a password in it count where [`Self::credentials`] has none.
    pub url: String,
    /// What the names of all our indices start with.
    pub prefix: String,
    /// Who we are.
    pub credentials: Credentials,
    /// The certificate authority that the node's certificate is of (PEM), where it is not a public one.
    pub authority: Option<Vec<u8>>,
    /// How long to wait for a node that does not answer yet.
    pub patience: Duration,
}

impl ElasticSettings {
    /// How long a start waits for the node.
    pub const PATIENCE: Duration = Duration::from_secs(30);

    /// A node without credentials.
    pub fn new(url: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: prefix.into(),
            credentials: Credentials::None,
            authority: None,
            patience: Self::PATIENCE,
        }
    }
}

/// Who we are for the node.
#[derive(Clone, Default)]
pub enum Credentials {
    /// Nobody in particular.
    #[default]
    None,
    /// A user.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// An API key, encoded as Elasticsearch gives it out.
    ApiKey(String),
}

/// Secrets are not shown.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Password { user, .. } => write!(f, "Password({user}:…)"),
            Self::ApiKey(_) => f.write_str("ApiKey(…)"),
        }
    }
}

/// The text cannot begin the name of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an index prefix has 1 to 60 letters a-z, digits, '-' or '_', and starts with a letter or a digit")]
pub struct NoPrefix;

impl NoPrefix {
    /// Whether a text can begin the names of our indices.
    ///
    /// # Errors
    /// Where it cannot.
    pub fn check(prefix: &str) -> Result<(), Self> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let begins = prefix.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if begins && prefix.len() <= 60 && prefix.chars().all(allowed) {
            Ok(())
        } else {
            Err(Self)
        }
    }
}
