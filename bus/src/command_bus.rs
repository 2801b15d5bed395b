//! The port, and the bus of a shop in one process.

use std::sync::Arc;

use async_trait::async_trait;
use domain::commands::Directive;

/// Takes commands to the services.
#[async_trait]
pub trait CommandBus: Send + Sync + 'static {
    /// Returns what became of the command, as soon as its service has answered. The same directive may be sent again, at any
    /// time: it is done once.
    ///
    /// # Errors
    /// See [`CommandError`].
    async fn send(&self, directive: &Directive) -> Result<(), CommandError>;
}

/// A service, at the other end of a bus.
#[async_trait]
pub trait CommandHandler: Send + Sync + 'static {
    /// Does what is asked; called again with the same directive, it does nothing again.
    ///
    /// # Errors
    /// See [`CommandError`].
    async fn handle(&self, directive: &Directive) -> Result<(), CommandError>;
}

/// Why a command was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The service will not do it, however often it is asked.
    #[error("refused: {0}")]
    Refused(String),
    /// It could not be done, or nobody knows whether it was. It may be done yet: the command may still be on its way.
    #[error("failed: {0}")]
    Fault(String),
}

/// The bus of a process that has the services: there is no way to go.
pub struct InProcess {
    services: Arc<dyn CommandHandler>,
}

impl InProcess {
    /// To these services.
    pub fn to(services: Arc<dyn CommandHandler>) -> Self {
        Self { services }
    }
}

#[async_trait]
impl CommandBus for InProcess {
    async fn send(&self, directive: &Directive) -> Result<(), CommandError> {
        self.services.handle(directive).await
    }
}
