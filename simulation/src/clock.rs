//! Virtual time: it stands still while anybody has something to do, and then jumps to the next moment for which somebody waits.
//!
//! Tokio tells when its one thread has nothing left to do (`on_thread_park`). Then the earliest sleeper is woken, and only that
//! one, so that the world's order is the same in each run. Nothing in the world waits by the machine's clock.

use std::{
    collections::BTreeMap,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use event_schemas::Timestamp;
use sagas::Clock;
use tokio::runtime::{Builder, Runtime};

/// When each world begins.
const BEGINNING: i64 = 1_795_000_000_000;
/// Who waits for a moment of the wall clock looks at it this often: it may be set meanwhile.
const NAP: i64 = 600_000;

/// The world's clock. Milliseconds since the beginning, and by how much the clock on the wall is off.
#[derive(Debug, Default)]
pub struct VirtualClock(Mutex<Hands>);

#[derive(Debug, Default)]
struct Hands {
    elapsed: i64,
    wall_is_ahead: i64,
    sleepers: BTreeMap<(i64, u64), Waker>,
    sleepers_so_far: u64,
}

impl VirtualClock {
    /// A runtime of one thread in which this clock is the time.
    ///
    /// # Errors
    /// When the machine has no resources for it.
    pub fn runtime(self: &Arc<Self>) -> io::Result<Runtime> {
        let clock = Arc::clone(self);
        Builder::new_current_thread()
            .enable_time()
            .on_thread_park(move || clock.jump_to_the_next_sleeper())
            .build()
    }

    /// Milliseconds since the world began, however the wall clock is set.
    pub fn elapsed(&self) -> i64 {
        self.hands().elapsed
    }

    /// Waits so many milliseconds.
    pub fn pause(self: &Arc<Self>, millis: u64) -> Pause {
        let millis = i64::try_from(millis).unwrap_or(i64::MAX);
        Pause {
            until: self.elapsed().saturating_add(millis),
            place: None,
            clock: Arc::clone(self),
        }
    }

    /// Somebody sets the wall clock ahead, or back.
    pub fn set_wall_ahead_by(&self, millis: i64) {
        self.hands().wall_is_ahead += millis;
    }

    fn jump_to_the_next_sleeper(&self) {
        let first = {
            let mut hands = self.hands();
            let first = hands.sleepers.pop_first();
            if let Some(((moment, _), _)) = &first {
                hands.elapsed = hands.elapsed.max(*moment);
            }
            first
        };
        if let Some((_, sleeper)) = first {
            sleeper.wake();
        }
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The world's clock as the shop sees it: the one on the wall.
#[derive(Debug, Clone)]
pub struct WallClock(pub Arc<VirtualClock>);

#[async_trait]
impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        let hands = self.0.hands();
        Timestamp::from_millis(BEGINNING + hands.elapsed + hands.wall_is_ahead)
    }

    async fn sleep_until(&self, moment: Timestamp) {
        let left = moment.as_millis() - self.now().as_millis();
        self.0.pause(u64::try_from(left.min(NAP)).unwrap_or(0)).await;
    }

    async fn sleep(&self, duration: Duration) {
        self.0
            .pause(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
            .await;
    }
}

/// A wait of [`VirtualClock::pause`].
#[derive(Debug)]
pub struct Pause {
    clock: Arc<VirtualClock>,
    until: i64,
    /// Among the sleepers.
    place: Option<u64>,
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let (until, place) = (self.until, self.place);
        let mut hands = self.clock.hands();
        if hands.elapsed >= until {
            return Poll::Ready(());
        }
        let place = place.unwrap_or_else(|| {
            hands.sleepers_so_far += 1;
            hands.sleepers_so_far
        });
        hands.sleepers.insert((until, place), context.waker().clone());
        drop(hands);
        self.place = Some(place);
        Poll::Pending
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.clock.hands().sleepers.remove(&(self.until, place));
        }
    }
}
