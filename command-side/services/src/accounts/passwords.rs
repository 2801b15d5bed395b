//! Passwords: argon2id, on threads of their own, no more of them than cores.

use std::{sync::Arc, thread::available_parallelism};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier},
};
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::error::AccountError;
use crate::secret::{self, Secret};

/// What checking one password costs whoever does it, the shop and a thief alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// KiB of memory.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for Cost {
    /// OWASP's first recommendation for argon2id with one lane: 19 MiB, two passes.
    fn default() -> Self {
        Self {
            memory: Params::DEFAULT_M_COST,
            passes: Params::DEFAULT_T_COST,
        }
    }
}

/// Hashes passwords and holds passwords against hashes.
pub(super) struct Passwords {
    cost: Cost,
    turns: Arc<Semaphore>,
    /// The hash of a password that nobody has: checked where there is no account, so that the answer takes as long.
    nobodys: tokio::sync::OnceCell<String>,
    nobodys_password: String,
}

impl Passwords {
    pub(super) fn new(cost: Cost, secret: &Secret) -> Self {
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            cost,
            turns: Arc::new(Semaphore::new(cores)),
            nobodys: tokio::sync::OnceCell::new(),
            nobodys_password: secret::hex(&secret.derive(b"the password of nobody")),
        }
    }

    /// The hash to store, with its own salt and cost in it.
    pub(super) async fn hash(&self, password: &str) -> Result<String, AccountError> {
        let (password, cost) = (password.to_owned(), self.cost);
        self.in_turn(move || hash(cost, &password)).await?
    }

    /// Whether the password is the one that `hash` was made of; never, but as slowly, where there is no hash.
    pub(super) async fn fits(&self, password: &str, hash: Option<&str>) -> Result<bool, AccountError> {
        let nobodys = self
            .nobodys
            .get_or_try_init(|| self.hash(&self.nobodys_password))
            .await?;
        let (password, known) = (password.to_owned(), hash.is_some());
        let hash = hash.unwrap_or(nobodys).to_owned();
        let fits = self.in_turn(move || {
            Argon2::default()
                .verify_password(password.as_bytes(), hash.as_str())
                .is_ok()
        });
        Ok(fits.await? && known)
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AccountError> {
        let fault = |error: &dyn std::fmt::Display| AccountError::Fault(format!("a password was not checked: {error}"));
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(|error| fault(&error))?;
        let work = move || {
            // Held by the work, not by who waits for it: a caller that goes away makes no room before its work is done.
            let _turn = turn;
            work()
        };
        spawn_blocking(work).await.map_err(|error| fault(&error))
    }
}

fn hash(cost: Cost, password: &str) -> Result<String, AccountError> {
    let fault = |error: &dyn std::fmt::Display| AccountError::Fault(format!("a password was not hashed: {error}"));
    let params = Params::new(cost.memory, cost.passes, 1, None).map_err(|error| fault(&error))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt = secret::random().map_err(|error| fault(&error))?;
    let hash = argon2
        .hash_password_with_salt(password.as_bytes(), &salt[..16])
        .map_err(|error| fault(&error))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> Passwords {
        let cost = Cost { memory: 64, passes: 1 };
        Passwords::new(cost, &Secret::new(b"test"))
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = cheap();
        let first = passwords.hash("moon jar 1").await.unwrap();
        assert!(first.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{first}");
        assert_ne!(first, passwords.hash("moon jar 1").await.unwrap(), "the salt is fresh");
        assert!(passwords.fits("moon jar 1", Some(&first)).await.unwrap());
        assert!(!passwords.fits("moon jar 2", Some(&first)).await.unwrap());
        assert!(!passwords.fits("moon jar 1", None).await.unwrap());
        assert!(
            !passwords.fits(&passwords.nobodys_password, None).await.unwrap(),
            "nobody signs in"
        );
    }

    #[test]
    fn the_default_cost_is_what_owasp_recommends() {
        assert_eq!(
            Cost::default(),
            Cost {
                memory: 19 * 1024,
                passes: 2
            }
        );
    }
}
