//! What was asked of the provider, one by one, and what became of each.

use std::fmt;

use event_schemas::{RefundId, ShipmentId, payment::PaymentOperation};
use uuid::Uuid;

/// Names one operation of a payment: there is one authorisation and one void, a capture for each parcel, any number of
/// refunds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OperationId {
    /// What the provider is asked to do.
    pub operation: PaymentOperation,
    /// The parcel of a capture, the refund's id. None for the others, and for the capture of a payment that was taken whole.
    pub part: Option<Uuid>,
}

impl OperationId {
    /// Setting the money aside.
    pub const AUTHORISE: Self = Self::whole(PaymentOperation::Authorise);
    /// Giving back what is set aside and not taken.
    pub const VOID: Self = Self::whole(PaymentOperation::Void);

    const fn whole(operation: PaymentOperation) -> Self {
        Self { operation, part: None }
    }

    /// Taking a parcel's share, or all.
    pub fn capture(shipment_id: Option<ShipmentId>) -> Self {
        Self {
            operation: PaymentOperation::Capture,
            part: shipment_id.map(|id| id.uuid()),
        }
    }

    /// Giving back what was taken.
    pub fn refund(refund_id: RefundId) -> Self {
        Self {
            operation: PaymentOperation::Refund,
            part: Some(refund_id.uuid()),
        }
    }

    /// The operation as keys, metrics and people call it.
    pub const fn word(&self) -> &'static str {
        match self.operation {
            PaymentOperation::Authorise => "authorise",
            PaymentOperation::Capture => "capture",
            PaymentOperation::Void => "void",
            PaymentOperation::Refund => "refund",
        }
    }
}

/// `void`, or `capture/<shipment id>`.
impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        self.part.map_or(Ok(()), |part| write!(f, "/{part}"))
    }
}

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// Which.
    pub id: OperationId,
    /// How much, in the payment's currency.
    pub amount: i64,
    /// What became of it.
    pub progress: Progress,
}

/// What became of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The provider is asked.
    InFlight,
    /// The provider was asked, and its answer was lost: ask what became of it.
    Unknown,
    /// It was done.
    Happened,
    /// The provider said no.
    Refused,
}

impl Progress {
    /// Whether nobody knows yet whether it happened.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::InFlight | Self::Unknown)
    }

    /// Whether money may have moved: it did, or nobody knows.
    pub const fn may_have_happened(self) -> bool {
        !matches!(self, Self::Refused)
    }

    /// Whether it happened.
    pub const fn has_happened(self) -> bool {
        matches!(self, Self::Happened)
    }
}
