//! Dead letters: events that a subscriber could not take in, and commands that a service could not, until an operator decides.

use std::sync::Arc;

use bus::{DeadCommand, DeadCommands, NatsError};
use event_schemas::{Actor, DeadLetterId, Timestamp};
use serde::{Deserialize, Serialize};
use subscribers::{DeadLetter, DeadLetterError, Fate, Standing, Subscriptions};
use utoipa::ToSchema;

/// Commands that are listed at most.
const COMMANDS: usize = 1_000;

/// What could not be delivered, of whichever kind.
#[derive(Clone)]
pub struct Undelivered {
    /// Who listens to the log.
    pub subscriptions: Arc<Subscriptions>,
    /// Where commands end that nobody could handle; none where commands do not travel over NATS.
    pub commands: Option<Arc<DeadCommands>>,
}

/// The subscribers, and all that could not be delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UndeliveredView {
    /// The subscribers at work in this process.
    pub subscribers: Vec<SubscriberView>,
    /// Events oldest first, then commands.
    pub dead_letters: Vec<UndeliveredLetter>,
}

/// Where a subscriber stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubscriberView {
    /// Such as `mails`.
    pub name: String,
    /// Everything in the log up to here is seen to.
    pub position: u64,
    /// Why it does not go on, while it tries again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_up_by: Option<String>,
}

/// What could not be delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UndeliveredLetter {
    /// By which it is retried or discarded.
    pub id: String,
    /// Whether it is an event or a command.
    pub kind: LetterKind,
    /// The subscriber or the service it was for.
    pub to: String,
    /// The event's type, or the command's step.
    pub what: String,
    /// How often it was tried.
    pub attempts: u64,
    /// What went wrong the last time.
    pub error: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// What became of it.
    pub state: LetterState,
    /// Why it was discarded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a dead letter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LetterKind {
    /// An event, for a subscriber.
    Event,
    /// A saga's command, for a service.
    Command,
}

/// What became of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LetterState {
    /// An operator is to decide.
    Waiting,
    /// It was tried again and taken in.
    TakenIn,
    /// It need not be taken in.
    Discarded,
}

/// Why an operator's wish was not done.
#[derive(Debug, thiserror::Error)]
pub enum UndeliveredError {
    /// Of an event.
    #[error(transparent)]
    Event(#[from] DeadLetterError),
    /// Of a command.
    #[error(transparent)]
    Command(#[from] NatsError),
}

impl Undelivered {
    /// Those that wait for a decision; with `all` the decided ones, too, as far as they are events.
    ///
    /// # Errors
    /// When the log or NATS fails.
    pub async fn view(&self, all: bool) -> Result<UndeliveredView, UndeliveredError> {
        let events = self.subscriptions.dead_letters().list(all).await?;
        let mut dead_letters: Vec<_> = events.into_iter().map(of_event).collect();
        if let Some(commands) = &self.commands {
            let commands = commands.list(COMMANDS).await?;
            dead_letters.extend(commands.into_iter().map(of_command));
        }
        Ok(UndeliveredView {
            subscribers: self.subscriptions.standings().into_iter().map(Into::into).collect(),
            dead_letters,
        })
    }

    /// Has it tried again: an event now, a command as soon as its service comes to it.
    ///
    /// # Errors
    /// When there is none, it is decided, or it failed again.
    pub async fn retry(&self, id: DeadLetterId, by: Actor) -> Result<(), UndeliveredError> {
        match (self.subscriptions.retry(id, by).await, &self.commands) {
            (Err(DeadLetterError::Unknown(id)), Some(commands)) => known(id, commands.retry(&id.to_string()).await?),
            (done, _) => Ok(done?),
        }
    }

    /// Has it put aside for good.
    ///
    /// # Errors
    /// When there is none, or it is decided.
    pub async fn discard(&self, id: DeadLetterId, reason: &str, by: Actor) -> Result<(), UndeliveredError> {
        let done = self.subscriptions.dead_letters().discard(id, reason, by.clone()).await;
        match (done, &self.commands) {
            (Err(DeadLetterError::Unknown(id)), Some(commands)) => {
                known(id, commands.discard(&id.to_string()).await?)?;
                tracing::warn!(%id, reason, %by, "a command was discarded");
                Ok(())
            }
            (done, _) => Ok(done?),
        }
    }
}

fn known(id: DeadLetterId, found: bool) -> Result<(), UndeliveredError> {
    if found {
        Ok(())
    } else {
        Err(DeadLetterError::Unknown(id).into())
    }
}

fn of_event(dead: DeadLetter) -> UndeliveredLetter {
    let (state, reason) = match dead.fate {
        Fate::Waiting => (LetterState::Waiting, None),
        Fate::TakenIn => (LetterState::TakenIn, None),
        Fate::Discarded(reason) => (LetterState::Discarded, Some(reason)),
    };
    UndeliveredLetter {
        id: dead.letter.dead_letter_id.to_string(),
        kind: LetterKind::Event,
        to: dead.letter.subscriber,
        what: dead.letter.event_type,
        attempts: dead.letter.attempts.into(),
        error: dead.letter.error,
        since: dead.since,
        state,
        reason,
    }
}

fn of_command(dead: DeadCommand) -> UndeliveredLetter {
    UndeliveredLetter {
        id: dead.id,
        kind: LetterKind::Command,
        to: dead.service,
        what: dead.step.unwrap_or_else(|| "what is no command".to_owned()),
        attempts: dead.attempts,
        error: dead.reason,
        since: Timestamp::from_millis(dead.since.saturating_mul(1_000)),
        state: LetterState::Waiting,
        reason: None,
    }
}

impl From<Standing> for SubscriberView {
    fn from(standing: Standing) -> Self {
        Self {
            name: standing.subscriber.to_owned(),
            position: standing.position.0,
            held_up_by: standing.held_up_by,
        }
    }
}
