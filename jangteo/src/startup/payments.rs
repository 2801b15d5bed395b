//! Opens the payments: the provider of the settings, its webhooks, and the comparison of its books with ours.

use std::{fs, path::Path, sync::Arc, time::Duration};

use command_services::payments::{
    PaymentProvider, Payments, ProviderSimulator, SimulatorSettings,
    providers::{HttpProvider, ProviderPlace, StripeProvider, TossProvider},
    reconciliation::{self, Reconciliation, ReconciliationSettings, Repairs},
    webhooks::{self, WebhookSource},
};
use edge::{Response, Tokens};
use event_log::EventLog;
use tokio::task::{JoinHandle, spawn_blocking};
use warp::{Filter as _, filters::BoxedFilter};

use super::StartError;
use crate::{
    config::{PaymentSettings, ProviderName},
    folder::DataFolder,
};

const PART: &str = "the payment provider";
/// A call is attempted twice, with a pause between.
const PAUSE: Duration = Duration::from_millis(300);

/// The payments, and what goes on around them. Stops when dropped.
pub(super) struct OpenPayments {
    pub(super) payments: Arc<Payments>,
    source: WebhookSource,
    repairs: Arc<Repairs>,
    reconciling: JoinHandle<()>,
}

impl OpenPayments {
    pub(super) async fn open(
        settings: &PaymentSettings,
        folder: &DataFolder,
        log: &Arc<dyn EventLog>,
    ) -> Result<Self, StartError> {
        let timeout = Duration::from_millis(settings.timeout_ms);
        let provider = provider(settings, folder, timeout).await?;
        let patience = match settings.provider {
            ProviderName::Simulator => timeout,
            _ => timeout * 2 + PAUSE,
        };
        let secret = settings.webhook_secret_file.as_deref().map(secret).transpose()?;
        let source = WebhookSource {
            provider: provider.name(),
            secret: secret.map(String::into_bytes),
        };
        let notes = folder.place("reconciliation");
        fs::create_dir_all(&notes).map_err(StartError::of("the reconciliation"))?;
        let repairs = Arc::new(Repairs::new(Arc::clone(log)));
        let comparing = ReconciliationSettings {
            interval: Duration::from_secs(settings.reconcile_seconds),
            age: Duration::from_secs(settings.reconcile_age_seconds),
            file: notes.join("books.json"),
        };
        let comparing = Reconciliation::new(Arc::clone(log), Arc::clone(&provider), Arc::clone(&repairs), comparing);
        Ok(Self {
            payments: Arc::new(Payments::new(Arc::clone(log), provider, patience)),
            source,
            repairs,
            reconciling: tokio::spawn(comparing.run()),
        })
    }

    /// The routes for providers and operators.
    pub(super) fn routes(&self, tokens: &Arc<Tokens>) -> BoxedFilter<(Response,)> {
        reconciliation::routes::routes(&self.repairs, tokens)
            .or(webhooks::routes(Arc::clone(&self.payments), self.source.clone()))
            .unify()
            .boxed()
    }

    /// Compares no more.
    pub(super) fn rest(&self) {
        self.reconciling.abort();
    }
}

impl Drop for OpenPayments {
    fn drop(&mut self) {
        self.reconciling.abort();
    }
}

async fn provider(
    settings: &PaymentSettings,
    folder: &DataFolder,
    deadline: Duration,
) -> Result<Arc<dyn PaymentProvider>, StartError> {
    let place = || -> Result<ProviderPlace, StartError> {
        let url = settings.url.as_deref().or(settings.provider.usual_url());
        let url =
            url.ok_or_else(|| StartError::Combination("--payment-provider http needs --payment-url".to_owned()))?;
        let key = settings.key_file.as_deref().map(secret).transpose()?;
        if key.is_none() && settings.provider.usual_url().is_some() {
            let needs = "--payment-provider stripe and toss need --payment-key-file";
            return Err(StartError::Combination(needs.to_owned()));
        }
        let url = url.to_owned();
        Ok(ProviderPlace { url, key, deadline })
    };
    Ok(match settings.provider {
        ProviderName::Simulator => {
            let ledger = folder.place("payment-provider");
            let opened = spawn_blocking(move || ProviderSimulator::open(&ledger, SimulatorSettings::default())).await;
            Arc::new(opened.map_err(StartError::of(PART))?.map_err(StartError::of(PART))?)
        }
        ProviderName::Http => Arc::new(HttpProvider::new(&place()?).map_err(StartError::of(PART))?),
        ProviderName::Stripe => Arc::new(StripeProvider::new(&place()?).map_err(StartError::of(PART))?),
        ProviderName::Toss => Arc::new(TossProvider::new(&place()?).map_err(StartError::of(PART))?),
    })
}

/// A secret in a file of its own.
fn secret(file: &Path) -> Result<String, StartError> {
    let told = |error: std::io::Error| StartError::Part {
        part: PART,
        detail: format!("{}: {error}", file.display()),
    };
    let secret = fs::read_to_string(file).map_err(told)?.trim().to_owned();
    if secret.is_empty() {
        return Err(told(std::io::Error::other("it is empty")));
    }
    Ok(secret)
}
