//! What tells the time and waits for it, so that tests and simulations can turn its hands.

use std::time::Duration;

use async_trait::async_trait;
use event_schemas::Timestamp;

/// Tells the time and waits for it.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> Timestamp;

    /// Returns at `moment` or somewhat before it: the caller looks at the clock again.
    async fn sleep_until(&self, moment: Timestamp);

    /// Returns after so long, wherever the hands are set meanwhile.
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, moment: Timestamp) {
        // In short naps: the machine's clock may be set while we sleep.
        const NAP: Duration = Duration::from_secs(30);
        let millis = moment.as_millis().saturating_sub(self.now().as_millis());
        tokio::time::sleep(Duration::from_millis(u64::try_from(millis).unwrap_or(0)).min(NAP)).await;
    }
}
