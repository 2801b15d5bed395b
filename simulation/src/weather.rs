//! What goes wrong in a world, and how often. Each seed has a storm of its own: some kinds of trouble not at all, others often.
//! Then it is calm, and everything must come to rest.

use std::sync::Arc;

use event_schemas::Timestamp;
use sagas::Clock;

use crate::{
    chance::Chance,
    clock::{VirtualClock, WallClock},
};

/// How often each kind of trouble comes, in a thousand of its occasions, and how long things take, in milliseconds.
#[derive(Debug, Clone, Default)]
pub struct Storm {
    /// The log does not take an append.
    pub append_fails: u64,
    /// The log takes an append, and whoever made it is told that it failed.
    pub append_forgotten: u64,
    /// The log cannot be read.
    pub read_fails: u64,
    /// The longest the log takes.
    pub log_takes: u64,
    /// A command does not arrive.
    pub command_lost: u64,
    /// A command arrives twice.
    pub command_doubled: u64,
    /// The longest a command takes on its way: those that take long are overtaken.
    pub command_takes: u64,
    /// The reply to a command does not arrive.
    pub reply_lost: u64,
    /// The provider does nothing and says nothing.
    pub provider_silent: u64,
    /// The provider does it and says nothing.
    pub provider_forgotten: u64,
    /// The provider does it long after everybody gave up waiting.
    pub provider_late: u64,
    /// The provider will not, and never says why: an operator must.
    pub provider_refuses: u64,
    /// The longest the provider takes.
    pub provider_takes: u64,
    /// The provider is down from here to there.
    pub provider_down: (i64, i64),
    /// The carrier does nothing and says so.
    pub carrier_fails: u64,
    /// The carrier does it and says nothing.
    pub carrier_forgotten: u64,
    /// The carrier reports twice, and in any order.
    pub reports_doubled: u64,
    /// The post or a receiver of notifications is not there.
    pub post_away: u64,
    /// It takes something, and whoever brought it is told that nobody is there.
    pub post_forgotten: u64,
    /// Letters and notifications that are not taken, however often they are brought.
    pub post_refuses: u64,
    /// The longest the post takes.
    pub post_takes: u64,
    /// How long the subscribers' process lives, at most; 0 for as long as it likes.
    pub subscribers_live: u64,
    /// How long the sagas' process lives, at most; 0 for as long as it likes.
    pub sagas_live: u64,
    /// How long the services' process lives, at most; 0 for as long as it likes.
    pub services_live: u64,
    /// How long a killed process stays away, at most.
    pub away: u64,
    /// The wall clock is set ahead or back.
    pub clock_set: bool,
    /// A second runner of the sagas is started while the first one lives.
    pub two_runners: bool,
}

impl Storm {
    /// The storm of a seed.
    fn of(chance: &Chance, lasts: i64) -> Self {
        let often = || if chance.hits(500) { chance.between(5, 150) } else { 0 };
        let takes = |longest| {
            if chance.hits(500) {
                chance.between(1, longest)
            } else {
                3
            }
        };
        let lives = || {
            if chance.hits(500) {
                chance.between(200, 120_000)
            } else {
                0
            }
        };
        let down_at = i64::try_from(chance.between(0, lasts.unsigned_abs())).unwrap_or(0);
        let down_for = i64::try_from(if chance.hits(300) {
            chance.between(1_000, 300_000)
        } else {
            0
        })
        .unwrap_or(0);
        Self {
            append_fails: often(),
            append_forgotten: often(),
            read_fails: often(),
            log_takes: takes(400),
            command_lost: often(),
            command_doubled: often(),
            command_takes: takes(120_000),
            reply_lost: often(),
            provider_silent: often(),
            provider_forgotten: often(),
            provider_late: often(),
            provider_refuses: if chance.hits(250) { chance.between(20, 250) } else { 0 },
            provider_takes: takes(2_000),
            provider_down: (down_at, down_at + down_for),
            carrier_fails: often(),
            carrier_forgotten: often(),
            reports_doubled: often(),
            sagas_live: lives(),
            services_live: lives(),
            away: takes(60_000),
            clock_set: chance.hits(200),
            two_runners: chance.hits(150),
            post_away: often(),
            post_forgotten: often(),
            post_refuses: if chance.hits(200) { chance.between(5, 150) } else { 0 },
            post_takes: takes(2_000),
            subscribers_live: lives(),
        }
    }
}

/// The storm while it lasts, and the calm after it.
#[derive(Debug)]
pub struct Weather {
    clock: Arc<VirtualClock>,
    chance: Chance,
    storm: Storm,
    calm: Storm,
    ends: i64,
}

impl Weather {
    /// The weather of a seed.
    pub fn of(seed: u64, clock: &Arc<VirtualClock>) -> Self {
        let chance = Chance::of(seed, "weather");
        let ends = i64::try_from(chance.between(60_000, 3_600_000)).unwrap_or(60_000);
        Self {
            clock: Arc::clone(clock),
            storm: Storm::of(&chance, ends),
            calm: Storm {
                log_takes: 1,
                command_takes: 1,
                provider_takes: 1,
                post_takes: 1,
                away: 1,
                ..Storm::default()
            },
            chance,
            ends,
        }
    }

    /// What goes wrong now.
    pub fn now(&self) -> &Storm {
        if self.is_calm() { &self.calm } else { &self.storm }
    }

    /// Whether the storm is over.
    pub fn is_calm(&self) -> bool {
        self.clock.elapsed() >= self.ends
    }

    /// What the clock on the wall says.
    pub fn time(&self) -> Timestamp {
        WallClock(Arc::clone(&self.clock)).now()
    }

    /// When the storm ends, in milliseconds after the world's beginning.
    pub const fn ends(&self) -> i64 {
        self.ends
    }

    /// Whether something that happens so often in a thousand happens now.
    pub fn hits(&self, how_often: impl Fn(&Storm) -> u64) -> bool {
        let per_mille = how_often(self.now());
        self.chance.hits(per_mille)
    }

    /// Takes the time it takes: none as often as not.
    pub async fn takes(&self, at_most: impl Fn(&Storm) -> u64) {
        let longest = at_most(self.now());
        if longest > 0 && self.chance.hits(500) {
            self.clock.pause(self.chance.mostly_short(1, longest)).await;
        }
    }

    /// Whether the provider can be reached.
    pub fn provider_is_up(&self) -> bool {
        let (from, to) = self.storm.provider_down;
        self.is_calm() || !(from..to).contains(&self.clock.elapsed())
    }
}
