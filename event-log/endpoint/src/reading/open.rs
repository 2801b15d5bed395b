//! How many subscriptions there are, for who watches the endpoint.

use metrics::Gauge;

/// One subscription, counted as long as it stands.
pub(super) struct Open(Gauge);

impl Open {
    /// One more; `of` says whether of one stream or of the whole log.
    pub(super) fn new(of: &'static str) -> Self {
        let open = metrics::gauge!("log_endpoint_subscriptions", "of" => of);
        open.increment(1);
        Self(open)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}
