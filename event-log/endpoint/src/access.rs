//! Who may speak: Basic credentials on every call, when there is TLS to carry them.

use async_trait::async_trait;
use aws_lc_rs::constant_time::verify_slices_are_equal;

/// The caller may read and write the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// By what name.
    pub user: String,
}

/// Why a caller may not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No such user with this password.
    #[error("the user or the password is wrong")]
    WrongCredentials,
    /// Known, but no operator.
    #[error("only operators may use the event log")]
    NotAnOperator,
    /// The credentials could not be looked up: nobody's mistake.
    #[error("the credentials cannot be checked now: {0}")]
    Unavailable(String),
}

/// Checks credentials. Asked on the first call of a connection with these credentials, and again after a while.
#[async_trait]
pub trait Access: Send + Sync + 'static {
    /// Whether `user` with `password` may read and write the log.
    ///
    /// # Errors
    /// See [`Denied`].
    async fn check(&self, user: &str, password: &str) -> Result<Granted, Denied>;
}

/// One user, `operator`, whose password is the shop's operator token.
pub struct OperatorToken {
    token: String,
}

impl OperatorToken {
    /// The user's name.
    pub const USER: &'static str = "operator";

    /// Checks against `token`.
    pub fn new(token: impl Into<String>) -> Self {
        Self { token: token.into() }
    }
}

#[async_trait]
impl Access for OperatorToken {
    async fn check(&self, user: &str, password: &str) -> Result<Granted, Denied> {
        let right = verify_slices_are_equal(password.as_bytes(), self.token.as_bytes()).is_ok();
        if user == Self::USER && right && !self.token.is_empty() {
            Ok(Granted { user: user.to_owned() })
        } else {
            Err(Denied::WrongCredentials)
        }
    }
}
