//! Who may speak: the credentials of each call, looked up once in a while.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header::AUTHORIZATION};
use quick_cache::sync::Cache;
use tokio::sync::Semaphore;
use tonic::Status;

use crate::{
    access::{Access, Denied, Granted},
    status::access_denied,
};

/// How long credentials that were right are believed to be right still.
const BELIEVED: Duration = Duration::from_secs(60);
/// Users whose credentials are remembered.
const REMEMBERED: usize = 1024;
/// Passwords that are looked at at once: each costs as much as its owner wanted guessing to cost.
const CHECKS: usize = 2;

/// Lets in those who may speak.
pub(super) struct Gate {
    access: Arc<dyn Access>,
    believed: Cache<Vec<u8>, (Granted, Instant)>,
    checks: Semaphore,
}

impl Gate {
    pub(super) fn new(access: Arc<dyn Access>) -> Self {
        Self {
            access,
            believed: Cache::new(REMEMBERED),
            checks: Semaphore::new(CHECKS),
        }
    }

    /// Who speaks.
    pub(super) async fn pass(&self, headers: &HeaderMap) -> Result<Granted, Status> {
        let unknown = |why: &str| Status::unauthenticated(why.to_owned());
        let given = headers
            .get(AUTHORIZATION)
            .ok_or_else(|| unknown("the event log wants a user and a password"))?;
        // What is remembered is a digest: no password stays in memory.
        let key = digest(&SHA256, given.as_bytes()).as_ref().to_vec();
        if let Some((granted, since)) = self.believed.get(&key)
            && since.elapsed() < BELIEVED
        {
            return Ok(granted);
        }
        let (user, password) = basic(given.as_bytes())
            .ok_or_else(|| unknown("the credentials are not in the form that HTTP calls Basic"))?;
        // The semaphore is never closed.
        let _check = self.checks.acquire().await;
        match self.access.check(&user, &password).await {
            Ok(granted) => {
                self.believed.insert(key, (granted.clone(), Instant::now()));
                Ok(granted)
            }
            Err(denied) => {
                self.believed.remove(&key);
                Err(refusal(&denied))
            }
        }
    }
}

fn refusal(denied: &Denied) -> Status {
    match denied {
        Denied::WrongCredentials => Status::unauthenticated(denied.to_string()),
        Denied::NotAnOperator => access_denied(denied.to_string()),
        Denied::Unavailable(_) => Status::unavailable(denied.to_string()),
    }
}

/// User and password.
fn basic(header: &[u8]) -> Option<(String, String)> {
    let (scheme, rest) = header.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let text = String::from_utf8(BASE64_STANDARD.decode(rest.trim_ascii()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use http::HeaderValue;
    use tonic::Code;

    use super::*;

    struct Counting(AtomicUsize);

    #[async_trait]
    impl Access for Counting {
        async fn check(&self, user: &str, password: &str) -> Result<Granted, Denied> {
            self.0.fetch_add(1, Ordering::SeqCst);
            match (user, password) {
                ("kim", "it's:me") => Ok(Granted { user: user.to_owned() }),
                ("lee", _) => Err(Denied::NotAnOperator),
                _ => Err(Denied::WrongCredentials),
            }
        }
    }

    fn headers(text: &str) -> HeaderMap {
        let value = format!("Basic {}", BASE64_STANDARD.encode(text));
        HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(value).unwrap())])
    }

    #[tokio::test]
    async fn right_credentials_are_looked_up_once_and_wrong_ones_each_time() {
        let access = Arc::new(Counting(AtomicUsize::new(0)));
        let gate = Gate::new(Arc::clone(&access) as Arc<dyn Access>);
        for _ in 0..3 {
            assert_eq!(gate.pass(&headers("kim:it's:me")).await.unwrap().user, "kim");
        }
        assert_eq!(access.0.load(Ordering::SeqCst), 1);
        for _ in 0..2 {
            let wrong = gate.pass(&headers("kim:wrong")).await.unwrap_err();
            assert_eq!(wrong.code(), Code::Unauthenticated);
        }
        assert_eq!(access.0.load(Ordering::SeqCst), 3);
        let customer = gate.pass(&headers("lee:x")).await.unwrap_err();
        assert_eq!(customer.code(), Code::PermissionDenied);
        assert_eq!(customer.metadata().get("exception").unwrap(), "access-denied");
        assert_eq!(
            gate.pass(&HeaderMap::new()).await.unwrap_err().code(),
            Code::Unauthenticated
        );
        let bearer = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer abc"))]);
        assert_eq!(gate.pass(&bearer).await.unwrap_err().code(), Code::Unauthenticated);
    }
}
