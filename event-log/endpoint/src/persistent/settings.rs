//! What a group is told at its creation, and what of it may be changed later.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tonic::Status;

use crate::{
    status::bad_request,
    wire::persistent_subscriptions::{
        self as wire,
        settings::{CheckpointAfter, ConsumerStrategy, MessageTimeout},
    },
};

const TICKS_PER_MILLI: i64 = 10_000;
/// The most events that a group keeps waiting or reads at once, whatever it is told.
const MOST_EVENTS: u32 = 10_000;

/// Which consumer gets the next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Strategy {
    /// One, until it has no room; then the next one.
    DispatchToSingle,
    /// Each in turn.
    RoundRobin,
    /// Events of one stream go to the same consumer, as long as it is there.
    Pinned,
    /// Events of one correlation id go to the same consumer.
    PinnedByCorrelation,
}

impl Strategy {
    const ALL: [Self; 4] = [
        Self::DispatchToSingle,
        Self::RoundRobin,
        Self::Pinned,
        Self::PinnedByCorrelation,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::DispatchToSingle => "DispatchToSingle",
            Self::RoundRobin => "RoundRobin",
            Self::Pinned => "Pinned",
            Self::PinnedByCorrelation => "PinnedByCorrelation",
        }
    }

    /// By name, or by number from those clients that know numbers only.
    fn from_wire(name: &str, number: ConsumerStrategy) -> Result<Self, Status> {
        if name.is_empty() {
            return Ok(match number {
                ConsumerStrategy::DispatchToSingle => Self::DispatchToSingle,
                ConsumerStrategy::RoundRobin => Self::RoundRobin,
                ConsumerStrategy::Pinned => Self::Pinned,
            });
        }
        let known = Self::ALL.into_iter().find(|strategy| strategy.as_str() == name);
        known.ok_or_else(|| bad_request(format!("there is no consumer strategy {name:?}")))
    }
}

/// Where a group begins that has no checkpoint yet: at a version of its stream, or at a position in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Start {
    Beginning,
    /// With what is appended after the group's creation.
    End,
    /// With the event that stands there.
    At(u64),
}

/// How a group behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Settings {
    pub(super) resolve_links: bool,
    pub(super) extra_statistics: bool,
    /// An event that failed so many times again is parked.
    pub(super) max_retry_count: u32,
    pub(super) min_checkpoint_count: u32,
    pub(super) max_checkpoint_count: u32,
    /// 0 for any number.
    pub(super) max_subscriber_count: u32,
    pub(super) live_buffer_size: u32,
    pub(super) read_batch_size: u32,
    pub(super) history_buffer_size: u32,
    /// 0: consumers may take as long as they like.
    pub(super) message_timeout_millis: u32,
    pub(super) checkpoint_after_millis: u32,
    pub(super) strategy: Strategy,
}

impl Settings {
    pub(super) fn from_wire(settings: &wire::Settings) -> Result<Self, Status> {
        let message_timeout = match settings.message_timeout {
            Some(MessageTimeout::MessageTimeoutMs(millis)) => i64::from(millis),
            Some(MessageTimeout::MessageTimeoutTicks(ticks)) => ticks / TICKS_PER_MILLI,
            None => 0,
        };
        let checkpoint_after = match settings.checkpoint_after {
            Some(CheckpointAfter::CheckpointAfterMs(millis)) => i64::from(millis),
            Some(CheckpointAfter::CheckpointAfterTicks(ticks)) => ticks / TICKS_PER_MILLI,
            None => 0,
        };
        let found = Self {
            resolve_links: settings.resolve_links,
            extra_statistics: settings.extra_statistics,
            max_retry_count: count("max_retry_count", settings.max_retry_count)?,
            min_checkpoint_count: count("min_checkpoint_count", settings.min_checkpoint_count)?,
            max_checkpoint_count: count("max_checkpoint_count", settings.max_checkpoint_count)?,
            max_subscriber_count: count("max_subscriber_count", settings.max_subscriber_count)?,
            live_buffer_size: count("live_buffer_size", settings.live_buffer_size)?,
            read_batch_size: count("read_batch_size", settings.read_batch_size)?,
            history_buffer_size: count("history_buffer_size", settings.history_buffer_size)?,
            message_timeout_millis: millis("message_timeout", message_timeout)?,
            checkpoint_after_millis: millis("checkpoint_after", checkpoint_after)?,
            strategy: Strategy::from_wire(&settings.consumer_strategy, settings.named_consumer_strategy())?,
        };
        if found.min_checkpoint_count > found.max_checkpoint_count {
            return Err(bad_request("min_checkpoint_count is more than max_checkpoint_count"));
        }
        Ok(found)
    }

    /// Events read at once.
    pub(super) fn batch(&self) -> usize {
        self.read_batch_size.clamp(1, MOST_EVENTS) as usize
    }

    /// Events that wait for consumers.
    pub(super) fn buffer(&self, live: bool) -> usize {
        let size = if live {
            self.live_buffer_size
        } else {
            self.history_buffer_size
        };
        size.clamp(1, MOST_EVENTS) as usize
    }

    pub(super) fn message_timeout(&self) -> Option<Duration> {
        let millis = u64::from(self.message_timeout_millis);
        (millis > 0).then(|| Duration::from_millis(millis))
    }

    pub(super) fn checkpoint_after(&self) -> Duration {
        Duration::from_millis(u64::from(self.checkpoint_after_millis))
    }
}

fn count(name: &str, value: i32) -> Result<u32, Status> {
    u32::try_from(value).map_err(|_| bad_request(format!("{name} is {value}: expected 0 or more")))
}

fn millis(name: &str, value: i64) -> Result<u32, Status> {
    let fits = u32::try_from(value)
        .ok()
        .filter(|millis| i32::try_from(*millis).is_ok());
    fits.ok_or_else(|| bad_request(format!("{name} is {value} ms: expected 0 to {}", i32::MAX)))
}

#[cfg(test)]
pub(super) fn usual() -> Settings {
    Settings {
        resolve_links: false,
        extra_statistics: false,
        max_retry_count: 10,
        min_checkpoint_count: 10,
        max_checkpoint_count: 1000,
        max_subscriber_count: 0,
        live_buffer_size: 500,
        read_batch_size: 20,
        history_buffer_size: 500,
        message_timeout_millis: 30_000,
        checkpoint_after_millis: 2000,
        strategy: Strategy::RoundRobin,
    }
}
