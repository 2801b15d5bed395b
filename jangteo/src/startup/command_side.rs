//! Opens what changes the shop: accounts, inventory, payments, shipping, and the aggregates over the log.

use std::{collections::HashMap, sync::Arc, time::Duration};

use command_services::{
    accounts::{self, Accounts, AccountsSettings},
    images::Images,
    inventory::Inventory,
    routes,
    secret::Secret,
    services::Services,
    shipping::{self, CarrierOutlet, CarrierSimulator, Shipping},
};
use edge::{Response, Tokens};
use event_log::EventLog;
use tokio::task::JoinHandle;
use warp::{Filter as _, filters::BoxedFilter};

use super::{StartError, parts::Ground, payments::OpenPayments};
use crate::{
    config::Config,
    databases::{Databases, Whereabouts, seen},
};

/// How long what the relational services have written may take to reach the log when the shop stops; the rest goes there at
/// the next start.
const DRAIN: Duration = Duration::from_secs(5);

/// Everything that changes the shop.
pub(super) struct CommandSide {
    pub(super) accounts: Arc<Accounts>,
    pub(super) services: Arc<Services>,
    pub(super) databases: Databases,
    payments: OpenPayments,
    carrier_secrets: HashMap<String, Secret>,
    carrier: JoinHandle<()>,
}

impl CommandSide {
    pub(super) async fn open(ground: &Ground<'_>) -> Result<Self, StartError> {
        let Ground { config, folder, .. } = *ground;
        let log = &ground.log.log();
        let databases = Box::pin(open_databases(ground, log)).await?;
        let (accounts, inventory, payments) = tokio::try_join!(
            open_accounts(ground, log, &databases),
            open_inventory(ground, log, &databases),
            OpenPayments::open(&config.payments, folder, log),
        )?;
        let (shipping, carrier) = start_shipping(config, log);
        let images = Images::open(&folder.place("images")).map_err(StartError::of("the product pictures"))?;
        let services = Services::new(
            log,
            images,
            inventory,
            Arc::clone(&payments.payments),
            shipping,
            Arc::clone(accounts.credit()),
        );
        // A file of its own: an operator hands it to whoever reports for this carrier.
        let carrier_secret =
            Secret::open(&folder.place("carrier-simulator.secret")).map_err(StartError::of("the carrier's secret"))?;
        Ok(Self {
            accounts,
            services: Arc::new(services),
            databases,
            payments,
            carrier_secrets: HashMap::from([(shipping::simulator::NAME.to_owned(), carrier_secret)]),
            carrier,
        })
    }

    /// Their routes.
    pub(super) fn routes(&self, tokens: &Arc<Tokens>) -> BoxedFilter<(Response,)> {
        routes::routes(&self.services, tokens)
            .or(accounts::routes(Arc::clone(&self.accounts), Arc::clone(tokens)))
            .unify()
            .or(shipping::routes(
                Arc::clone(&self.services.shipping),
                self.carrier_secrets.clone(),
            ))
            .unify()
            .or(self.payments.routes(tokens))
            .unify()
            .boxed()
    }

    /// Lets the carrier's parcels and the provider's books rest: both go on at the next start.
    pub(super) fn rest(&self) {
        self.payments.rest();
        self.carrier.abort();
    }

    /// Waits until the log has what the relational services have written.
    pub(super) async fn drain(&self) {
        let (accounts, inventory) = tokio::join!(self.accounts.drained(DRAIN), self.services.inventory.drained(DRAIN));
        if !(accounts && inventory) {
            tracing::warn!("an outbox is not empty yet: the rest goes to the log at the next start");
        }
    }
}

impl Drop for CommandSide {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

/// The databases, which are the shop's: otherwise nothing is told to the log from there.
async fn open_databases(ground: &Ground<'_>, log: &Arc<dyn EventLog>) -> Result<Databases, StartError> {
    let at = Whereabouts::of(&ground.config.database, ground.folder.path());
    let databases = Databases::open(&at).await.map_err(StartError::of("the database"))?;
    let settled = seen::settle(ground.folder, log.as_ref(), &databases).await;
    settled.map_err(StartError::of("the database"))?;
    Ok(databases)
}

async fn open_accounts(
    ground: &Ground<'_>,
    log: &Arc<dyn EventLog>,
    databases: &Databases,
) -> Result<Arc<Accounts>, StartError> {
    let session = &ground.config.session;
    let settings = AccountsSettings {
        access_ttl: Duration::from_secs(session.access_minutes * 60),
        session_ttl: Duration::from_secs(session.refresh_days * 24 * 60 * 60),
        relay: ground.log.relay(),
        ..AccountsSettings::default()
    };
    let (secret, tokens) = (ground.keys.secret.clone(), Arc::clone(&ground.keys.tokens));
    let database = Arc::clone(&databases.accounts);
    let opened = Accounts::within(database, secret, Arc::clone(log), tokens, settings).await;
    opened.map(Arc::new).map_err(StartError::of("the accounts"))
}

async fn open_inventory(
    ground: &Ground<'_>,
    log: &Arc<dyn EventLog>,
    databases: &Databases,
) -> Result<Arc<Inventory>, StartError> {
    let opened = Inventory::within(Arc::clone(&databases.inventory), Arc::clone(log), ground.log.relay()).await;
    let opened = opened.map_err(StartError::of("the inventory"))?;
    Ok(Arc::new(opened.holding(ground.config.database.hold())))
}

/// The shipping service, and the simulated carrier that reports to it.
fn start_shipping(config: &Config, log: &Arc<dyn EventLog>) -> (Arc<Shipping>, JoinHandle<()>) {
    let carrier = CarrierSimulator::new(config.carrier_speed());
    let outlet = CarrierOutlet::new(Arc::<CarrierSimulator>::clone(&carrier));
    let shipping = Arc::new(Shipping::new(Arc::clone(log), Arc::new(outlet), shipping::CALL_TIMEOUT));
    let running = tokio::spawn(carrier.run(Arc::clone(log), Arc::clone(&shipping)));
    (shipping, running)
}
