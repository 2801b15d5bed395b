//! What every bus must do. Adapters' tests run it: panics say what went wrong.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use domain::commands::{Directive, Line, ServiceCommand};
use domain::steps::{Service, service_of};
use event_schemas::{OrderId, ProductId, ShipmentId, Timestamp, order::Reason};
use futures_util::future::join_all;
use tokio::{sync::watch, time::timeout};
use uuid::Uuid;

use crate::{CommandBus, CommandError, CommandHandler};

/// How long anything that must happen may take on a slow, busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// A service that remembers what it did. Reservations are done, confirmations refused, rejections fail, parcels are called off
/// as soon as the gate is open.
#[derive(Default)]
pub struct RecordingServices {
    done: Mutex<HashMap<Uuid, Directive>>,
    asked: Mutex<Vec<Uuid>>,
    gate: watch::Sender<bool>,
}

impl RecordingServices {
    /// What was done, each directive once.
    pub fn done(&self) -> HashMap<Uuid, Directive> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often it was asked for that.
    pub fn asked(&self, directive: Uuid) -> usize {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|id| **id == directive).count()
    }

    /// Lets parcels be called off.
    pub fn open(&self) {
        self.gate.send_replace(true);
    }
}

#[async_trait]
impl CommandHandler for RecordingServices {
    async fn handle(&self, directive: &Directive) -> Result<(), CommandError> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(directive.id);
        match &directive.command {
            ServiceCommand::ConfirmOrder { .. } => return Err(CommandError::Refused("it is cancelled".to_owned())),
            ServiceCommand::RejectOrder { .. } => return Err(CommandError::Fault("the disk is full".to_owned())),
            ServiceCommand::CancelShipment { .. } => {
                // The sender lives as long as we do.
                let _ = self.gate.subscribe().wait_for(|open| *open).await;
            }
            _ => {}
        }
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.insert(directive.id, directive.clone());
        Ok(())
    }
}

/// A directive of its own.
pub fn directive(command: ServiceCommand) -> Directive {
    Directive {
        id: Uuid::now_v7(),
        correlation_id: Uuid::now_v7(),
        causation_id: Uuid::now_v7(),
        at: Timestamp::from_millis(1_790_000_000_000),
        command,
    }
}

/// Something that is done.
pub fn reservation(lines: u32) -> Directive {
    let lines = (1..=lines).map(|quantity| Line {
        product_id: ProductId::fresh(),
        quantity,
    });
    directive(ServiceCommand::ReserveStock {
        order_id: OrderId::fresh(),
        lines: lines.collect(),
    })
}

/// Something that is refused.
pub fn confirmation() -> Directive {
    let order_id = OrderId::fresh();
    directive(ServiceCommand::ConfirmOrder { order_id })
}

/// Something that fails.
pub fn rejection() -> Directive {
    let reason = Reason::new("card_declined", "The card was declined.");
    let order_id = OrderId::fresh();
    directive(ServiceCommand::RejectOrder { order_id, reason })
}

/// Something that waits for the gate.
pub fn calling_off() -> Directive {
    directive(ServiceCommand::CancelShipment {
        shipment_id: ShipmentId::fresh(),
        order_id: OrderId::fresh(),
    })
}

/// The suite. `services` are at the other end of `bus`, all of them.
pub async fn run(bus: &dyn CommandBus, services: &RecordingServices) {
    arrives_whole_and_is_answered(bus, services).await;
    refusals_are_told_from_faults(bus).await;
    the_same_again_is_done_once(bus, services).await;
    each_of_many_gets_its_own_answer(bus, services).await;
    a_slow_service_holds_up_no_other(bus, services).await;
}

async fn sent(bus: &dyn CommandBus, directive: &Directive) -> Result<(), CommandError> {
    let answer = timeout(DEADLINE, bus.send(directive)).await;
    answer.unwrap_or_else(|_| Err(CommandError::Fault("the bus never answered".to_owned())))
}

async fn arrives_whole_and_is_answered(bus: &dyn CommandBus, services: &RecordingServices) {
    // As many lines as an order may have.
    let large = reservation(500);
    assert_eq!(sent(bus, &large).await, Ok(()));
    assert_eq!(services.done().get(&large.id), Some(&large));
}

async fn refusals_are_told_from_faults(bus: &dyn CommandBus) {
    let refused = sent(bus, &confirmation()).await;
    assert_eq!(refused, Err(CommandError::Refused("it is cancelled".to_owned())));
    let failed = sent(bus, &rejection()).await;
    assert_eq!(failed, Err(CommandError::Fault("the disk is full".to_owned())));
}

async fn the_same_again_is_done_once(bus: &dyn CommandBus, services: &RecordingServices) {
    let (before, first) = (services.done().len(), reservation(1));
    assert_eq!(sent(bus, &first).await, Ok(()));
    // The saga lost its patience.
    let again = Directive {
        causation_id: Uuid::now_v7(),
        ..first.clone()
    };
    assert_eq!(sent(bus, &again).await, Ok(()));
    // It was killed after the service had answered, and does not know.
    assert_eq!(sent(bus, &again).await, Ok(()));
    assert_eq!(services.done().len(), before + 1);
    let refused = confirmation();
    for _ in 0..2 {
        let said = sent(bus, &refused).await;
        assert!(matches!(said, Err(CommandError::Refused(_))), "{said:?}");
    }
}

async fn each_of_many_gets_its_own_answer(bus: &dyn CommandBus, services: &RecordingServices) {
    let many: Vec<Directive> = (0..300)
        .map(|n| if n % 3 == 0 { confirmation() } else { reservation(1) })
        .collect();
    let answers = join_all(many.iter().map(|directive| sent(bus, directive))).await;
    let done: HashSet<Uuid> = services.done().into_keys().collect();
    for (directive, answer) in many.iter().zip(answers) {
        match service_of(&directive.command) {
            Service::Order => assert!(matches!(answer, Err(CommandError::Refused(_))), "{answer:?}"),
            _ => {
                assert_eq!(answer, Ok(()));
                assert!(done.contains(&directive.id));
            }
        }
    }
}

async fn a_slow_service_holds_up_no_other(bus: &dyn CommandBus, services: &RecordingServices) {
    let slow = calling_off();
    let other = async {
        assert_eq!(sent(bus, &reservation(1)).await, Ok(()));
        assert!(!services.done().contains_key(&slow.id));
        services.open();
    };
    let (slow, ()) = tokio::join!(sent(bus, &slow), other);
    assert_eq!(slow, Ok(()));
}
