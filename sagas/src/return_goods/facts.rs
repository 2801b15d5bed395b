//! What `return_goods` takes in.

use event_schemas::{
    Category, ShopEvent,
    audit::AuditEvent,
    credit::CreditEvent,
    payment::{PaymentEvent, PaymentOperation},
    repair::RepairCaseEvent,
    returns::ReturnEvent,
    stock::ReservationEvent,
};
use uuid::Uuid;

/// Every event type that may be a fact, by category.
pub(super) const FACTS: &[(Category, &[&str])] = &[
    (
        Category::Returns,
        &[
            "ReturnRequested",
            "ReturnReceived",
            "ReturnInspected",
            "ReturnRefused",
            "ReturnCompleted",
        ],
    ),
    (
        Category::Payment,
        &["PaymentRefunded", "PaymentOutcomeUnknown", "PaymentOperationRefused"],
    ),
    (Category::Credit, &["CreditRefunded"]),
    (Category::Reservation, &["StockReturned"]),
    (Category::RepairCase, &["RepairCaseResolved"]),
    (Category::Audit, &["SagaRetryRequested"]),
];

/// The return an event is about, if a saga of that return may care. A refund has its return's id.
pub(super) fn return_of(event: &ShopEvent) -> Option<Uuid> {
    let refund = |operation, part| {
        if operation == PaymentOperation::Refund {
            part
        } else {
            None
        }
    };
    match event {
        ShopEvent::Returns(event) => Some(match event {
            ReturnEvent::ReturnRequested(event) => event.return_id.uuid(),
            ReturnEvent::ReturnReceived(event) => event.return_id.uuid(),
            ReturnEvent::ReturnInspected(event) => event.return_id.uuid(),
            ReturnEvent::ReturnRefused(event) => event.return_id.uuid(),
            ReturnEvent::ReturnCompleted(event) => event.return_id.uuid(),
        }),
        ShopEvent::Payment(PaymentEvent::PaymentRefunded(event)) => Some(event.refund_id.uuid()),
        ShopEvent::Payment(PaymentEvent::PaymentOutcomeUnknown(event)) => refund(event.operation, event.part),
        ShopEvent::Payment(PaymentEvent::PaymentOperationRefused(event)) => refund(event.operation, event.part),
        ShopEvent::Credit(CreditEvent::CreditRefunded(event)) => Some(event.refund_id.uuid()),
        ShopEvent::Reservation(ReservationEvent::StockReturned(event)) => Some(event.return_id.uuid()),
        ShopEvent::RepairCase(RepairCaseEvent::RepairCaseResolved(event)) => refund_in(event.key.as_deref()?),
        ShopEvent::Audit(AuditEvent::SagaRetryRequested(event)) => (event.saga == super::NAME).then_some(event.saga_id),
        _ => None,
    }
}

/// The refund that a provider's key names: `<payment id>/refund/<refund id>`.
fn refund_in(key: &str) -> Option<Uuid> {
    let (_, refund) = key.split_once("/refund/")?;
    refund.parse().ok()
}
