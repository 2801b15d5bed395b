//! A carrier that fails, behind its outlet.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use resilience::Settings;

use super::*;

/// Fails so many times, and then does what it is asked.
struct Failing {
    times: usize,
    asked: AtomicUsize,
}

impl Failing {
    fn new(times: usize) -> Arc<Self> {
        let asked = AtomicUsize::new(0);
        Arc::new(Self { times, asked })
    }

    fn answer<T>(&self, answer: T) -> Result<T, carrier::CarrierError> {
        if self.asked.fetch_add(1, SeqCst) < self.times {
            return Err(carrier::CarrierError {
                carrier: "failing".to_owned(),
                detail: "no connection".to_owned(),
            });
        }
        Ok(answer)
    }
}

#[async_trait::async_trait]
impl Carrier for Failing {
    fn name(&self) -> &str {
        "failing"
    }
    async fn book(&self, _: &Booking) -> Result<Booked, carrier::CarrierError> {
        self.answer(Booked {
            tracking_number: "F1".to_owned(),
            estimated_delivery: None,
        })
    }
    async fn cancel(&self, _: ShipmentId, _: &str) -> Result<Cancelled, carrier::CarrierError> {
        self.answer(Cancelled::CalledOff)
    }
    fn shipment_of(&self, _: &str) -> Option<ShipmentId> {
        None
    }
}

fn shipping(carrier: &Arc<Failing>, settings: Settings) -> Shipping {
    let carrier = CarrierOutlet::with(Arc::<Failing>::clone(carrier), settings);
    Shipping::new(MemoryLog::new(), Arc::new(carrier), CALL_TIMEOUT)
}

#[tokio::test]
async fn a_carrier_that_fails_once_is_asked_again_at_once() {
    let carrier = Failing::new(1);
    let shipping = shipping(&carrier, Settings::default());
    shipping.execute(&directive(book(1))).await.unwrap();
    assert_eq!(carrier.asked.load(SeqCst), 2);
}

#[tokio::test]
async fn a_carrier_that_keeps_failing_is_left_in_peace_and_the_command_fails_at_once() {
    let carrier = Failing::new(usize::MAX);
    let minute = Duration::from_secs(60);
    let shipping = shipping(&carrier, Settings::default().attempts(1).breaks(3, minute, minute));
    for attempt in 1..=5 {
        let outcome = shipping.execute(&directive(book(1))).await;
        assert!(matches!(outcome, Err(ServiceError::Fault(_))), "{outcome:?}");
        assert_eq!(
            carrier.asked.load(SeqCst),
            attempt.min(3),
            "the breaker opens after three"
        );
    }
}
