//! Sagas' commands, taken to the services: of this process, or of the command role's.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use command_services::services::{ServiceError, Services};
use domain::commands::Directive;
use sagas::{DispatchError, Dispatcher};

use super::{
    directives::{PATH, REFUSED},
    internal::{Peer, PeerError},
};

/// The runner's own deadline comes first; this one only ends what it has forgotten.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes directives to the command services of this process.
pub(crate) struct ServiceDispatcher {
    services: Arc<Services>,
}

impl ServiceDispatcher {
    pub(crate) fn new(services: Arc<Services>) -> Self {
        Self { services }
    }
}

#[async_trait]
impl Dispatcher for ServiceDispatcher {
    async fn dispatch(&self, directive: &Directive) -> Result<(), DispatchError> {
        self.services.execute(directive).await.map_err(|error| match error {
            ServiceError::Refused(refusal) => DispatchError::Refused(refusal.to_string()),
            ServiceError::Fault(detail) => DispatchError::Fault(detail),
        })
    }
}

/// Takes directives to the command role. Whatever is no clear refusal is a fault: the runner tries again.
pub(crate) struct RemoteDispatcher {
    command: Peer,
}

impl RemoteDispatcher {
    /// To the command role at `url`.
    ///
    /// # Errors
    /// When no client can be made.
    pub(crate) fn new(url: &str, operator_token: &str) -> reqwest::Result<Self> {
        let command = Peer::new(url, operator_token)?;
        Ok(Self { command })
    }
}

#[async_trait]
impl Dispatcher for RemoteDispatcher {
    async fn dispatch(&self, directive: &Directive) -> Result<(), DispatchError> {
        let taken = self.command.ask::<()>(PATH, directive, PATIENCE).await;
        taken.map_err(|error| match error {
            PeerError::Refused { slug, detail, .. } if slug == REFUSED => DispatchError::Refused(detail),
            other => DispatchError::Fault(other.to_string()),
        })
    }
}
