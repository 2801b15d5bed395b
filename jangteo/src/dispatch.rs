//! Sagas' commands, taken to the services of this process.

use std::sync::Arc;

use async_trait::async_trait;
use command_services::services::{ServiceError, Services};
use domain::commands::Directive;
use sagas::{DispatchError, Dispatcher};

/// Takes directives to the command services.
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
