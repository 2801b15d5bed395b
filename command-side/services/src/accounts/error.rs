//! Why an account's command was not done, and how a client is told.

use edge::{FieldError, Problem};

use crate::relational::DatabaseError;

/// Why a command was not done. Nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Fields that are not acceptable.
    #[error("not acceptable: {0:?}")]
    Invalid(Vec<FieldError>),
    /// The address belongs to an account already.
    #[error("the e-mail address belongs to an account already")]
    EmailTaken,
    /// The `Idempotency-Key` was used with another body.
    #[error("the idempotency key was used with another body")]
    KeyReused,
    /// No such address, or not its password: which of the two is nobody's business.
    #[error("e-mail address or password is wrong")]
    WrongCredentials,
    /// Too many wrong passwords for this address.
    #[error("too many wrong passwords; again in {0} seconds")]
    TooManyFailures(u32),
    /// The refresh token is unknown, its session over, or it was used before.
    #[error("the refresh token is refused: {0}")]
    RefreshRefused(&'static str),
    /// The access token belongs to no session.
    #[error("there is no session to end")]
    NoSession,
    /// There is no such account.
    #[error("there is no such account")]
    NotFound,
    /// Nobody could give roles any more.
    #[error("the last admin cannot be demoted")]
    LastAdmin,
    /// The token is not the one that was printed.
    #[error("the set-up token is wrong")]
    WrongSetUpToken,
    /// There is an admin already.
    #[error("the shop is set up already")]
    AlreadySetUp,
    /// A fault of ours.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A fault of ours.
    #[error("{0}")]
    Fault(String),
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Invalid(errors) => Self::validation(errors),
            AccountError::EmailTaken => Self::conflict("sign in with it, or register another address")
                .of_type("email-taken", "The e-mail address belongs to an account already"),
            AccountError::KeyReused => Self::idempotency_key_reused(),
            AccountError::WrongCredentials => Self::unauthenticated("check both and try again")
                .of_type("wrong-credentials", "The e-mail address or the password is wrong"),
            AccountError::TooManyFailures(seconds) => Self::too_many_requests(
                seconds,
                format!("too many wrong passwords for this address; try again in {seconds} seconds"),
            ),
            AccountError::RefreshRefused(why) => Self::unauthenticated(format!("{why}: sign in again"))
                .of_type("refresh-token-refused", "The refresh token is not valid any more"),
            AccountError::NoSession => Self::conflict("this access token was not made by signing in")
                .of_type("no-session", "There is no session to end"),
            AccountError::NotFound => Self::not_found("there is no account of that id"),
            AccountError::LastAdmin => Self::conflict("make somebody else an admin first")
                .of_type("last-admin", "The last admin cannot be demoted"),
            AccountError::WrongSetUpToken => {
                Self::forbidden("use the token that the shop printed when it was started last")
                    .of_type("setup-token-wrong", "That is not the set-up token")
            }
            AccountError::AlreadySetUp => Self::conflict("there is an admin already; ask them for a role")
                .of_type("already-set-up", "The shop is set up already"),
            AccountError::Database(error) => fault(&error),
            AccountError::Fault(detail) => Self::internal(detail),
        }
    }
}

/// A database that cannot take a change now may take it in a moment: a full disk, a lock held by a backup.
fn fault(error: &DatabaseError) -> Problem {
    tracing::error!(%error, "the accounts' database failed");
    Problem::unavailable(5, "accounts cannot be read or written right now; nothing was changed")
}

/// One field that is not acceptable.
pub(super) fn invalid(field: &str, detail: impl Into<String>) -> AccountError {
    AccountError::Invalid(vec![FieldError::new(field, detail)])
}
