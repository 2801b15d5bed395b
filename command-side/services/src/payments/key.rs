//! The name under which a provider knows an operation of a payment, for good: given the same key again it answers as before
//! and does nothing.

use std::{fmt, str::FromStr};

use domain::payment::OperationId;
use event_schemas::{PaymentId, payment::PaymentOperation};
use uuid::Uuid;

/// `<payment id>/authorise`, `<payment id>/capture/<shipment id>`, `<payment id>/void`, `<payment id>/refund/<refund id>`;
/// `<payment id>/capture` where an order was paid for whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OperationKey {
    /// The payment.
    pub payment_id: PaymentId,
    /// Which of its operations.
    pub id: OperationId,
}

/// It is no key of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no key of a payment's operation")]
pub struct NoOperationKey;

impl OperationKey {
    /// Of an operation of a payment.
    pub const fn new(payment_id: PaymentId, id: OperationId) -> Self {
        Self { payment_id, id }
    }
}

impl fmt::Display for OperationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.payment_id, self.id)
    }
}

impl FromStr for OperationKey {
    type Err = NoOperationKey;

    fn from_str(key: &str) -> Result<Self, NoOperationKey> {
        let uuid = |text: &str| Uuid::try_parse(text).map_err(|_| NoOperationKey);
        let mut words = key.split('/');
        let payment_id = PaymentId::from_uuid(uuid(words.next().unwrap_or_default())?);
        let operation = match words.next() {
            Some("authorise") => PaymentOperation::Authorise,
            Some("capture") => PaymentOperation::Capture,
            Some("void") => PaymentOperation::Void,
            Some("refund") => PaymentOperation::Refund,
            _ => return Err(NoOperationKey),
        };
        let part = words.next().map(uuid).transpose()?;
        if words.next().is_some() {
            return Err(NoOperationKey);
        }
        Ok(Self::new(payment_id, OperationId { operation, part }))
    }
}

#[cfg(test)]
mod tests {
    use event_schemas::RefundId;

    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let payment = PaymentId::from_uuid(Uuid::from_u128(1));
        let parcel = event_schemas::ShipmentId::from_uuid(Uuid::from_u128(2));
        let refund = RefundId::from_uuid(Uuid::from_u128(3));
        for id in [
            OperationId::AUTHORISE,
            OperationId::VOID,
            OperationId::capture(None),
            OperationId::capture(Some(parcel)),
            OperationId::refund(refund),
        ] {
            let key = OperationKey::new(payment, id);
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        // As it was before parcels were paid one by one: payments under way go on under these names.
        let old = OperationKey::new(payment, OperationId::capture(None)).to_string();
        assert_eq!(old, "00000000-0000-0000-0000-000000000001/capture");
        for other in [
            "",
            "x/capture",
            "00000000-0000-0000-0000-000000000001/steal",
            &format!("{old}/y"),
        ] {
            assert_eq!(other.parse::<OperationKey>(), Err(NoOperationKey));
        }
    }
}
