//! The way of a command from a saga to its service, and of the reply back: commands are lost, doubled, delayed and overtaken,
//! replies are lost. A command on its way outlives the runner that sent it.

use std::sync::Arc;

use async_trait::async_trait;
use command_services::services::ServiceError;
use domain::commands::Directive;
use sagas::{DispatchError, Dispatcher};
use tokio::sync::mpsc;

use crate::{clock::VirtualClock, house::House, weather::Weather};

/// The longest that a second copy of a command stays behind, in milliseconds.
const STRAGGLES: u64 = 600_000;
/// How often a command is carried to a house where nobody is in.
const KNOCKS: u32 = 5;

/// The bus.
#[derive(Clone)]
pub struct Bus {
    /// Where commands go.
    pub house: Arc<House>,
    /// What happens to them on the way.
    pub weather: Arc<Weather>,
    /// The time.
    pub clock: Arc<VirtualClock>,
}

type Reply = Result<(), ServiceError>;

impl Bus {
    /// Carries one copy of a command, and the reply back.
    async fn carry(self, directive: Directive, replies: mpsc::UnboundedSender<Reply>) {
        self.weather.takes(|storm| storm.command_takes).await;
        for _ in 0..KNOCKS {
            if self.weather.hits(|storm| storm.command_lost) {
                return;
            }
            let directive = directive.clone();
            let executed = self
                .house
                .ask(|services| async move { services.execute(&directive).await })
                .await;
            if let Ok(reply) = executed {
                self.weather.takes(|storm| storm.command_takes).await;
                if !self.weather.hits(|storm| storm.reply_lost) {
                    // Nobody may be waiting any more.
                    let _ = replies.send(reply);
                }
                return;
            }
            self.clock.pause(1_000).await;
        }
    }
}

#[async_trait]
impl Dispatcher for Bus {
    async fn dispatch(&self, directive: &Directive) -> Result<(), DispatchError> {
        let (sender, mut replies) = mpsc::unbounded_channel();
        if self.weather.hits(|storm| storm.command_doubled) {
            let (bus, second, sender) = (self.clone(), directive.clone(), sender.clone());
            tokio::spawn(async move {
                bus.weather.takes(|_| STRAGGLES).await;
                bus.carry(second, sender).await;
            });
        }
        tokio::spawn(self.clone().carry(directive.clone(), sender));
        match replies.recv().await {
            Some(Ok(())) => Ok(()),
            Some(Err(ServiceError::Refused(refusal))) => Err(DispatchError::Refused(refusal.to_string())),
            Some(Err(ServiceError::Fault(fault))) => Err(DispatchError::Fault(fault)),
            None => Err(DispatchError::Fault("the command or its reply was lost".to_owned())),
        }
    }
}
