//! Offers the embedded log to others: listener, certificate, and who may.

use std::{net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use command_services::accounts::{AccountError, Accounts, Credentials};
use edge::Role;
use event_log::EventLog;
use log_endpoint::{Access, Certificate, Denied, Endpoint, EndpointSettings, Granted, Limits, OperatorToken, Security};
use tokio::{net::TcpListener, task::spawn_blocking};

use super::{StartError, keys::Keys};
use crate::{
    config::EventLogSettings,
    folder::{DataFolder, reachable},
};

/// Where the certificate is kept that is made when none is given.
const TLS_FOLDER: &str = "log-tls";

/// Offers `log` on `listener`; keeps the connection string in the folder.
pub(super) async fn offer(
    settings: &EventLogSettings,
    folder: &DataFolder,
    listener: TcpListener,
    log: Arc<dyn EventLog>,
    keys: &Keys,
    accounts: Option<Arc<Accounts>>,
) -> Result<Endpoint, StartError> {
    let failed = "the event log's endpoint";
    let address = listener.local_addr().map_err(StartError::of(failed))?;
    let (security, parameters) = if settings.insecure {
        (Security::Insecure, "tls=false".to_owned())
    } else {
        let (certificate, parameters) = certificate(settings, folder, address).await?;
        let access = Arc::new(OperatorsOnly {
            token: OperatorToken::new(&keys.operator_token),
            accounts,
        });
        (Security::Tls { certificate, access }, parameters)
    };
    let limits = Limits::default();
    let limits = Limits {
        event_bytes: settings.event_bytes,
        append_bytes: limits.append_bytes.max(settings.event_bytes),
        ..limits
    };
    let endpoint = Endpoint::start(EndpointSettings {
        log,
        listener,
        security,
        limits,
    });
    let endpoint = endpoint.await.map_err(StartError::of(failed))?;
    let question = if parameters.is_empty() { "" } else { "?" };
    folder.announce_log(&format!("esdb://{}{question}{parameters}", reachable(address)))?;
    Ok(endpoint)
}

/// The certificate, and what clients must be told to trust it.
async fn certificate(
    settings: &EventLogSettings,
    folder: &DataFolder,
    address: SocketAddr,
) -> Result<(Certificate, String), StartError> {
    let failed = "the event log's certificate";
    let given = settings.tls_cert.clone().zip(settings.tls_key.clone());
    let place = folder.place(TLS_FOLDER);
    let made_here = given.is_none();
    let trusted = place.join("cert.pem");
    let opened = spawn_blocking(move || match given {
        Some((chain, key)) => Certificate::from_pem_files(&chain, &key),
        None => Certificate::kept_in(&place, &[address.ip().to_string()]),
    });
    let certificate = opened
        .await
        .map_err(StartError::of(failed))?
        .map_err(StartError::of(failed))?;
    let parameters = if made_here {
        let trusted = std::path::absolute(&trusted).unwrap_or(trusted);
        format!("tlsCAFile={}", trusted.display())
    } else {
        String::new()
    };
    Ok((certificate, parameters))
}

/// The operator token, and the accounts of operators where this process has accounts.
struct OperatorsOnly {
    token: OperatorToken,
    accounts: Option<Arc<Accounts>>,
}

#[async_trait]
impl Access for OperatorsOnly {
    async fn check(&self, user: &str, password: &str) -> Result<Granted, Denied> {
        if user == OperatorToken::USER {
            return self.token.check(user, password).await;
        }
        let Some(accounts) = &self.accounts else {
            return Err(Denied::WrongCredentials);
        };
        let credentials = Credentials {
            email: user.to_owned(),
            password: password.to_owned(),
        };
        match accounts.account_with(&credentials).await {
            Ok(account) if account.roles.contains(&Role::Operator) => Ok(Granted { user: user.to_owned() }),
            Ok(_) => Err(Denied::NotAnOperator),
            Err(AccountError::WrongCredentials) => Err(Denied::WrongCredentials),
            Err(error) => Err(Denied::Unavailable(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use command_services::accounts::NewAccount;

    use super::*;
    use crate::{Shop, config::Config};

    #[tokio::test(flavor = "multi_thread")]
    async fn operators_may_by_token_or_by_password_and_nobody_else() {
        let temp = tempfile::tempdir().unwrap();
        let shop = Shop::start(Config::for_folder(temp.path()).unwrap()).await.unwrap();
        for (name, role) in [("op", Role::Operator), ("kim", Role::Customer)] {
            let account = NewAccount {
                email: format!("{name}@shop.example"),
                password: "a long password".to_owned(),
                name: name.to_owned(),
            };
            shop.accounts().seed(&account, vec![role]).await.unwrap();
        }
        let token = shop.folder().operator_token().unwrap();
        let access = OperatorsOnly {
            token: OperatorToken::new(&token),
            accounts: Some(Arc::clone(shop.accounts())),
        };
        let user = access.check("operator", &token).await.unwrap().user;
        assert_eq!(user, "operator");
        let user = access.check("op@shop.example", "a long password").await.unwrap().user;
        assert_eq!(user, "op@shop.example");
        let denied = async |user: &str, password: &str| access.check(user, password).await.unwrap_err();
        assert_eq!(
            denied("kim@shop.example", "a long password").await,
            Denied::NotAnOperator
        );
        assert_eq!(denied("op@shop.example", "guessed").await, Denied::WrongCredentials);
        assert_eq!(denied("operator", "guessed").await, Denied::WrongCredentials);
        assert_eq!(denied("nobody", &token).await, Denied::WrongCredentials);
        drop(access);
        shop.stop().await;
    }
}
